//! The first page in words: what every form prints before the first section.

use super::plural;
use super::report::{
    AccessLogState, CheckOutcome, Completeness, Entry, FirstPage, LayoutFileRef, LineageCount,
    Report, ReportAsOf, ReportScope, ReportSource, TemplateOrigin,
};
use crate::chart::grouped;
use crate::finding::Finding;

/// Entries of the first page under one heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageGroup {
    /// Heading.
    pub title: &'static str,
    /// What its entries are.
    pub form: PageGroupForm,
    /// In order; none of their values is empty.
    pub entries: Vec<Entry>,
}

/// What the entries of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageGroupForm {
    /// Names with values.
    Facts,
    /// Sentences, each named by the heading.
    Sentences,
    /// Faults, each named by its severity, the most severe first; or one sentence, that there are none.
    Findings,
}

/// The first page of a report, in the order in which an auditor asks: what it is, source, scope, as-of, completeness,
/// models, findings, what was checked and what was not.
#[must_use]
pub fn first_page(report: &Report) -> Vec<PageGroup> {
    let FirstPage {
        statement,
        retention,
        source,
        scope,
        as_of,
        completeness,
        models,
        findings,
        checked,
        not_checked,
        access_log,
        operator,
        purpose,
        made_at,
        annals,
    } = &report.first_page;
    let template = &report.template;
    let origin = match template.origin {
        TemplateOrigin::Shipped => "comes with Annals",
        TemplateOrigin::Own => "the user's own",
        TemplateOrigin::Override => "the user's own, in place of the one that comes with Annals",
    };
    let stated = |text: &Option<String>| match text {
        Some(text) if !text.trim().is_empty() => text.clone(),
        _ => "not stated".to_owned(),
    };
    let mut made = vec![
        Entry::new("Statement", statement),
        Entry::new("Answers to", &report.regime),
        Entry::new(
            "Template",
            format!("{} version {}, {origin}", template.name, template.version),
        ),
        Entry::new("Template SHA-256", template.hash.to_string()),
    ];
    let own = template.own_layout.iter().flatten();
    made.extend(own.map(|LayoutFileRef { name, hash }| {
        Entry::new(
            "Layout",
            format!("{name}, the user's own, of SHA-256 {hash}"),
        )
    }));
    made.extend([
        Entry::new("Made by", stated(operator)),
        Entry::new("Purpose", stated(purpose)),
        Entry::new(
            "Made at",
            match made_at {
                Some(time) => time.to_string(),
                None => "not stated: the same question gives the same bytes".to_owned(),
            },
        ),
        Entry::new(
            "Access log",
            match access_log {
                AccessLogState::NotKept => {
                    "this report was entered in no access log: none is kept".to_owned()
                }
                AccessLogState::Off => {
                    "switched off for this report: it was entered in no access log".to_owned()
                }
                AccessLogState::Kept {
                    entry,
                    faults: 0,
                    first_fault: _,
                } => format!("entered before it was made: {entry}"),
                AccessLogState::Kept { entry, .. } => format!(
                    "entered before it was made: {entry}; the access log is not whole, see the findings"
                ),
            },
        ),
        Entry::new("Retention", retention),
        Entry::new("Annals", format!("version {annals}")),
    ]);
    let facts = |title: &'static str, entries: Vec<Entry>| PageGroup {
        title,
        form: PageGroupForm::Facts,
        entries,
    };
    let listed = |title: &'static str, form, none: &str, entries: Vec<Entry>| PageGroup {
        title,
        form: match entries.is_empty() {
            true => PageGroupForm::Sentences,
            false => form,
        },
        entries: match entries.is_empty() {
            true => vec![Entry::new(title, none)],
            false => entries,
        },
    };
    let models = models
        .iter()
        .map(|model| match (&model.hash, model.inferred) {
            (Some(hash), _) => {
                let version = model.version.as_ref().map(|v| format!(" version {v}"));
                let name = format!("{}{}", model.name, version.unwrap_or_default());
                Entry::new(name, format!("SHA-256 {hash}"))
            }
            (None, _) => Entry::new(&model.name, "states are inferred from the payloads"),
        });
    let sentences = |title: &'static str, list: &[String]| {
        let entries = list.iter().map(|text| Entry::new(title, text));
        listed(
            title,
            PageGroupForm::Sentences,
            "nothing",
            entries.collect(),
        )
    };
    let mut worst_first: Vec<&Finding> = findings.iter().collect();
    worst_first.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    vec![
        facts("Report", made),
        facts("Source", source_entries(source)),
        facts("Scope", scope_entries(scope)),
        facts("As of", as_of_entries(as_of)),
        facts("Completeness", completeness_entries(completeness)),
        listed(
            "Models",
            PageGroupForm::Facts,
            "no state was folded: no event is in scope",
            models.collect(),
        ),
        listed(
            "Findings",
            PageGroupForm::Findings,
            "none in what was read",
            worst_first.into_iter().map(finding_entry).collect(),
        ),
        sentences("Checked", checked),
        sentences("Not checked", not_checked),
    ]
}

fn source_entries(source: &ReportSource) -> Vec<Entry> {
    let ReportSource {
        file,
        log,
        head,
        streams,
        first_time,
        last_time,
        last_recorded_at,
        imported_from,
        imported_from_count,
    } = source;
    let nothing = || "nothing: the log is empty".to_owned();
    let mut imported = match imported_from.is_empty() {
        true => "nothing was imported: events were appended here".to_owned(),
        false => imported_from.join(", "),
    };
    let more = imported_from_count.saturating_sub(imported_from.len() as u64);
    if more > 0 {
        imported.push_str(&format!(", and {} more", grouped(more)));
    }
    vec![
        Entry::new("File", file),
        Entry::new("Log", format!("annals/{log}")),
        Entry::new(
            "Size",
            format!(
                "{} in {}",
                plural(head.size.0, "event"),
                plural(*streams, "stream")
            ),
        ),
        Entry::new("Root", head.root.to_string()),
        Entry::new(
            "Events happened",
            match first_time.zip(*last_time) {
                Some((first, last)) => format!("{first} to {last}"),
                None => nothing(),
            },
        ),
        Entry::new(
            "Last recorded",
            last_recorded_at.map_or_else(nothing, |time| time.to_string()),
        ),
        Entry::new("Imported from", imported),
    ]
}

fn scope_entries(scope: &ReportScope) -> Vec<Entry> {
    let ReportScope {
        filters,
        subject,
        settings,
        readings,
    } = scope;
    let mut entries = filters.clone();
    if let Some(subject) = subject {
        let by = subject.found_by.join(", ");
        entries.push(Entry::new("Subject", &subject.subject));
        entries.push(Entry::new("Subject found by", by));
    }
    if entries.is_empty() {
        entries.push(Entry::new("Filters", "none: the whole log"));
    }
    entries.extend(settings.iter().cloned());
    entries.extend(
        readings
            .iter()
            .map(|reading| Entry::new("Read as", reading)),
    );
    entries
}

fn as_of_entries(as_of: &ReportAsOf) -> Vec<Entry> {
    let ReportAsOf {
        as_of,
        zone,
        tz_data,
    } = as_of;
    let known = as_of.known.map(|known| known.to_string());
    vec![
        Entry::new(
            "Had happened by",
            match as_of.at {
                Some(at) => at.to_string(),
                None => "any time: no instant was asked for".to_owned(),
            },
        ),
        Entry::new(
            "Known by",
            format!("position {}", known.unwrap_or_else(|| "0".to_owned())),
        ),
        Entry::new(
            "Days counted in",
            format!("{zone}, time-zone data {tz_data}"),
        ),
        Entry::new("Times printed in", "UTC (offset Z)"),
    ]
}

fn completeness_entries(completeness: &Completeness) -> Vec<Entry> {
    let Completeness {
        events_in_log,
        events_in_scope,
        first,
        last,
        streams_in_scope,
        population,
        lineage,
        tables,
        totals,
    } = completeness;
    let mut entries = vec![
        Entry::new(
            "Events in scope",
            format!(
                "{} of {}, in {}",
                grouped(*events_in_scope),
                grouped(*events_in_log),
                plural(*streams_in_scope, "stream")
            ),
        ),
        Entry::new(
            "Positions",
            match first.zip(*last) {
                Some((first, last)) => format!("{first} to {last}"),
                None => "none: no event is in scope".to_owned(),
            },
        ),
        Entry::new("Population SHA-256", population.to_string()),
    ];
    if let Some(LineageCount {
        streams,
        events,
        outside_scope,
        sha256,
    }) = lineage
    {
        let outside = match outside_scope {
            0 => "all of them in scope".to_owned(),
            n => format!("{} of them outside the scope", grouped(*n)),
        };
        entries.push(Entry::new(
            "Values made of",
            format!(
                "{}, {outside}; values of {}",
                plural(*events, "event"),
                plural(*streams, "stream")
            ),
        ));
        entries.push(Entry::new("Their SHA-256", sha256.to_string()));
    }
    for table in tables {
        entries.push(Entry::new(&table.title, plural(table.rows, "row")));
    }
    for total in totals {
        let sum = total.sum.as_deref().unwrap_or("does not fit 28 digits");
        let events = plural(total.events, "event");
        entries.push(Entry::new(
            &total.what,
            format!("{sum} over {events} that hold a number there"),
        ));
    }
    entries
}

fn finding_entry(finding: &Finding) -> Entry {
    let Finding {
        kind: _,
        severity,
        count,
        place,
        detail,
    } = finding;
    let place = place.text();
    let first = match (count, place.is_empty()) {
        (1, true) => String::new(),
        (n, true) => format!(" ({} times)", grouped(*n)),
        (1, false) => format!(" ({place})"),
        (n, false) => format!(" ({} times, first {place})", grouped(*n)),
    };
    Entry::new(severity.text(), format!("{detail}{first}"))
}

impl CheckOutcome {
    /// What to print.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            CheckOutcome::Passed => "passed",
            CheckOutcome::Exceptions => "exceptions",
            CheckOutcome::NothingToCheck => "nothing to check",
        }
    }
}
