//! The first page: what an auditor asks of any list before its first row, in groups.

use annals_core::chart::grouped;
use annals_core::compliance::{AccessLogState, Entry, FirstPage, Report, TemplateOrigin};
use annals_core::finding::Finding;
use serde::Serialize;

use crate::sheet::{Line, line};
use crate::text::Ink;

/// Findings printed on the first page; the attached report holds all.
const FINDINGS_MAX: usize = 30;

/// Facts under one heading.
#[derive(Debug, Serialize)]
pub struct Group {
    title: &'static str,
    lines: Vec<Line>,
    /// Sentences without a name.
    points: Vec<String>,
    /// A fault or a gap, which the layout marks.
    mark: bool,
}

/// The first page of a report, group by group.
pub fn groups(report: &Report, ink: &Ink) -> Vec<Group> {
    let FirstPage {
        statement: _,
        retention: _,
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
    let or = |value: Option<String>, otherwise: &str| value.unwrap_or_else(|| otherwise.to_owned());
    let not_stated = |value: &Option<String>| or(value.clone(), "not stated");
    let time = |time: &Option<annals_core::time::Time>, otherwise: &str| {
        or(time.map(|time| time.to_string()), otherwise)
    };

    let mut from = vec![
        Entry::new("File", &source.file),
        Entry::new("Log", format!("annals/{}", source.log)),
        Entry::new(
            "Events in the log",
            format!(
                "{} in {} streams",
                grouped(source.head.size.0),
                grouped(source.streams)
            ),
        ),
        Entry::new("Root of the log", source.head.root.to_string()),
        Entry::new(
            "Times in the log",
            match (source.first_time, source.last_time) {
                (Some(first), Some(last)) => format!("{first} to {last}"),
                _ => "none".to_owned(),
            },
        ),
        Entry::new("Last recorded", time(&source.last_recorded_at, "never")),
    ];
    let unlisted = source
        .imported_from_count
        .saturating_sub(source.imported_from.len() as u64);
    let mut imported = source.imported_from.join(", ");
    if unlisted > 0 {
        imported = format!("{imported} and {} more", grouped(unlisted));
    }
    if !imported.is_empty() {
        from.push(Entry::new("Imported from", imported));
    }

    let mut what = Vec::new();
    if scope.filters.is_empty() {
        what.push(Entry::new("Filters", "none: the whole log"));
    }
    what.extend(scope.filters.iter().cloned());
    if let Some(subject) = &scope.subject {
        what.push(Entry::new("Subject", &subject.subject));
        what.push(Entry::new("Found by", subject.found_by.join(", ")));
    }
    what.extend(scope.settings.iter().cloned());
    for reading in &scope.readings {
        what.push(Entry::new("Read as", reading));
    }

    let when = vec![
        Entry::new(
            "Had happened by",
            time(&as_of.as_of.at, "no limit: all events"),
        ),
        Entry::new(
            "Known at position",
            or(
                as_of.as_of.known.map(|known| grouped(known.0)),
                "no limit: all events",
            ),
        ),
        Entry::new(
            "Zone of days",
            format!("{}; times are printed in UTC", as_of.zone),
        ),
        Entry::new("Time-zone data", &as_of.tz_data),
    ];

    let mut complete = vec![
        Entry::new(
            "Events in scope",
            format!(
                "{} of {}, in {} streams",
                grouped(completeness.events_in_scope),
                grouped(completeness.events_in_log),
                grouped(completeness.streams_in_scope)
            ),
        ),
        Entry::new(
            "Positions",
            match (completeness.first, completeness.last) {
                (Some(first), Some(last)) => format!("{} to {}", grouped(first.0), grouped(last.0)),
                _ => "none".to_owned(),
            },
        ),
        Entry::new("Population", completeness.population.to_string()),
    ];
    for table in &completeness.tables {
        complete.push(Entry::new(
            format!("Rows of {}", table.title),
            grouped(table.rows),
        ));
    }
    for total in &completeness.totals {
        complete.push(Entry::new(
            format!("Sum of {}", total.what),
            match &total.sum {
                Some(sum) => format!("{sum}, of {} events", grouped(total.events)),
                None => format!(
                    "does not fit 28 digits, of {} events",
                    grouped(total.events)
                ),
            },
        ));
    }

    let folded: Vec<Entry> = models
        .iter()
        .map(|model| {
            let version = model.version.as_ref().map(|v| format!("version {v}, "));
            Entry::new(
                &model.name,
                match &model.hash {
                    Some(hash) => format!("{}{hash}", version.unwrap_or_default()),
                    None => "inferred from the payloads; no model is declared".to_owned(),
                },
            )
        })
        .collect();

    let template = &report.template;
    let made = vec![
        Entry::new("Purpose", not_stated(purpose)),
        Entry::new("Operator", not_stated(operator)),
        Entry::new("Made at", time(made_at, "not stated")),
        Entry::new("Made by", format!("Annals {annals}")),
        Entry::new(
            "Template",
            format!(
                "{} version {}, {}",
                template.name,
                template.version,
                match template.origin {
                    TemplateOrigin::Shipped => "as shipped with Annals",
                    TemplateOrigin::Own => "the user's own",
                    TemplateOrigin::Override => "the user's own in place of the shipped one",
                }
            ),
        ),
        Entry::new("Template hash", template.hash.to_string()),
        Entry::new(
            "Access log",
            match access_log {
                AccessLogState::NotKept => "not kept".to_owned(),
                AccessLogState::Off => "switched off for this report".to_owned(),
                AccessLogState::Kept { entry } => format!("entered as {entry}"),
            },
        ),
    ];

    let set = |entries: Vec<Entry>| entries.iter().map(|entry| line(ink, entry)).collect();
    let named = |title, entries| Group {
        title,
        lines: set(entries),
        points: Vec::new(),
        mark: false,
    };
    let listed = |title, points: Vec<String>, mark| Group {
        title,
        lines: Vec::new(),
        points: points.iter().map(|point| ink.visible(point)).collect(),
        mark,
    };
    let mut groups = vec![
        named("Source", from),
        named("Scope", what),
        named("As of", when),
        named("Completeness", complete),
        listed("Findings", told(findings), !findings.is_empty()),
    ];
    if !folded.is_empty() {
        groups.push(named("Models", folded));
    }
    if !checked.is_empty() {
        groups.push(listed("Checked", checked.clone(), false));
    }
    groups.push(listed("Not checked", not_checked.clone(), true));
    groups.push(named("Made", made));
    groups
}

/// One sentence a finding, the most severe first.
fn told(findings: &[Finding]) -> Vec<String> {
    if findings.is_empty() {
        return vec!["None in the events that were read.".to_owned()];
    }
    let mut order: Vec<&Finding> = findings.iter().collect();
    order.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let mut told: Vec<String> = order
        .iter()
        .take(FINDINGS_MAX)
        .map(|finding| {
            let severity = finding.severity.text();
            let times = match finding.count {
                1 => String::new(),
                n => format!(" ({} times, the first is named)", grouped(n)),
            };
            let place = match finding.place.text() {
                place if place.is_empty() => place,
                place => format!(" ({place})"),
            };
            format!("{severity}: {}{place}{times}", finding.detail)
        })
        .collect();
    if order.len() > FINDINGS_MAX {
        let more = grouped((order.len() - FINDINGS_MAX) as u64);
        told.push(format!("{more} more findings are in the attached report."));
    }
    told
}
