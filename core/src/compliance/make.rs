//! Making a report: once along the events in scope, and once along each of their streams where states are needed.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono_tz::Tz;
use sha2::{Digest, Sha256};

use super::answers::Answering;
use super::asked::{settings, state_needs};
use super::charts::Counts;
use super::checks::{Checked, Checks};
use super::exceptions::{exception_columns, sum_columns};
use super::report::{
    Block, Completeness, ControlTotal, Entry, FirstPage, Report, ReportAsOf, ReportScope,
    ReportSource, STATEMENT, Section, SubjectScope, Table, TableCount,
};
use super::rows::{ReportRows, Spool};
use super::seen::{Seen, Tellers};
use super::states::Behind;
use super::tables::Filling;
use super::template::{TableSource, Template, TemplateSet};
use super::unattributed::Unattributed;
use super::{MadeReport, ReportError, ReportRequest, plural};
use crate::event::Event;
use crate::finding::{FindingKind, Findings, Place, Severity};
use crate::id::StreamId;
use crate::integrity::Hash;
use crate::model::{Exact, ModelSet};
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::{Direction, EventQuery, LinkView, Log, StreamEvent};
use crate::temporal::{AsOf, AsOfView, TemporalError};

/// Most sources that a first page names.
const MAX_SOURCES: usize = 20;
/// Table of everything that the checks found.
const EXCEPTIONS: &str = "exceptions";
/// Table that sums it up.
const SUMS: &str = "exceptions_by_check";
const NO_EXCEPTION: &str = "No check found an exception.";

/// Makes a report: the answer of this log to what a template wants to see. The same log, models, template and request
/// give the same report, byte for byte. Progress counts events.
///
/// # Errors
/// [`ReportError`] if there is no such template, the request does not state what it needs, or the log cannot be read.
/// Faults in the data are findings and exceptions of the report.
///
/// ```
/// use annals_core::compliance::{AccessLogState, ReportRequest, TemplateSet, make};
/// use annals_core::{model::ModelSet, store::Log};
///
/// let folder = tempfile::tempdir()?;
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let request = ReportRequest::of("audit-trail");
/// let made = make(&log, &models, &TemplateSet::shipped(), &request, &Default::default())?;
/// assert_eq!(made.report.first_page.statement, "Evidence, not a legal determination");
/// assert_eq!(made.report.first_page.completeness.events_in_scope, log.head()?.size.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn make(
    log: &Log,
    models: &ModelSet,
    templates: &TemplateSet,
    request: &ReportRequest,
    progress: &WorkProgress,
) -> Result<MadeReport, ReportError> {
    let template = templates
        .get(&request.template)
        .ok_or_else(|| ReportError::NoTemplate {
            name: request.template.clone(),
            known: templates.names().map(str::to_owned).collect(),
        })?;
    let zone: Tz = request
        .zone
        .parse()
        .map_err(|_| crate::time::TimeError::UnknownZone {
            zone: request.zone.clone(),
        })?;
    state_needs(template, request)?;
    let settings = settings(template, request)?;
    let head = log.head()?;
    if let Some(asked) = request.query.known.filter(|known| *known > head.size) {
        let last = head.size;
        return Err(TemporalError::NoPosition { asked, last }.into());
    }
    let as_of = AsOf {
        at: request.at,
        known: Some(request.query.known.unwrap_or(head.size)),
    };
    let query = EventQuery {
        known: as_of.known,
        to: match (request.query.to, request.at) {
            (Some(to), Some(at)) => Some(to.min(at)),
            (to, at) => to.or(at),
        },
        direction: Direction::Forwards,
        after: None,
        ..request.query.clone()
    };
    progress.expect(log.count(&query)?);
    let mut making = Making::new(template, &settings, request, zone);
    making.population(log, models, &query, progress)?;
    if making.folds {
        making.fold(log, models, as_of, progress)?;
    }
    let used = making.categories.iter();
    let mut refs: Vec<_> = used
        .map(|category| models.for_category(category).reference())
        .collect();
    refs.sort_by(|a, b| (a.inferred, &a.name).cmp(&(b.inferred, &b.name)));
    refs.dedup();
    let info = log.info()?;
    let sources = log.sources()?;
    let file = log.path().file_name();
    let source = ReportSource {
        file: file
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default(),
        log: log.id().to_string(),
        head,
        streams: info.streams,
        first_time: info.first_time,
        last_time: info.last_time,
        last_recorded_at: info.last_recorded_at,
        imported_from_count: sources.len() as u64,
        imported_from: sources.into_iter().take(MAX_SOURCES).collect(),
    };
    let as_of = ReportAsOf {
        as_of: AsOfView {
            at: as_of.at,
            known: as_of.known,
        },
        zone: request.zone.clone(),
        tz_data: chrono_tz::IANA_TZDB_VERSION.to_owned(),
    };
    let answering = Answering {
        log,
        models: &Arc::new(models.clone()),
        as_of: AsOf {
            at: as_of.as_of.at,
            known: as_of.as_of.known,
        },
        zone,
        progress: &Arc::new(progress.clone()),
    };
    making.finish(source, as_of, refs, &settings, &answering)
}

/// A report on its way.
pub(super) struct Making<'t> {
    pub(super) template: &'t Template,
    request: &'t ReportRequest,
    zone: Tz,
    pub(super) tables: Vec<Filling<'t>>,
    checks: Checks<'t>,
    pub(super) findings: Findings,
    population: Sha256,
    pub(super) events: u64,
    first: Option<Position>,
    last: Option<Position>,
    /// Positions in scope by stream, where states are needed; else the streams alone.
    pub(super) streams: BTreeMap<StreamId, Vec<u64>>,
    folds: bool,
    /// What the values told are made of, where a table tells values.
    pub(super) lineage: Option<Behind>,
    unnamed: u64,
    categories: BTreeSet<String>,
    counts: Counts,
    totals: Vec<(Option<Exact>, u64)>,
    rechecked: u64,
    pub(super) differing: u64,
    dropped: u64,
    unattributed: Unattributed,
}

impl<'t> Making<'t> {
    fn new(
        template: &'t Template,
        settings: &BTreeMap<String, String>,
        request: &'t ReportRequest,
        zone: Tz,
    ) -> Making<'t> {
        let sections = template.sections.iter();
        let tables: Vec<_> = sections
            .filter_map(|section| {
                let rule = section.table.as_ref()?;
                Some(Filling::new(&section.id, &section.title, rule, settings))
            })
            .collect();
        Making {
            template,
            request,
            zone,
            folds: tables.iter().any(Filling::folds),
            lineage: tables
                .iter()
                .any(|table| table.rule.source.is_of_values())
                .then(Behind::default),
            tables,
            checks: Checks::new(template, settings),
            findings: Findings::default(),
            population: Sha256::new(),
            events: 0,
            first: None,
            last: None,
            streams: BTreeMap::new(),
            unnamed: 0,
            categories: BTreeSet::new(),
            counts: Counts::default(),
            totals: template
                .totals
                .iter()
                .map(|_| (Some(Exact::Int(0)), 0))
                .collect(),
            rechecked: 0,
            differing: 0,
            dropped: 0,
            unattributed: Unattributed::default(),
        }
    }

    /// Goes over every event in scope.
    fn population(
        &mut self,
        log: &Log,
        models: &ModelSet,
        query: &EventQuery,
        progress: &WorkProgress,
    ) -> Result<(), ReportError> {
        let mut tellers = Tellers::new(models);
        let mut failed = None;
        log.for_each_event(query, &mut |event, links| {
            progress.advance(1);
            let outcome = match progress.is_cancelled() {
                true => Err(ReportError::Cancelled),
                false => self.take(log, event, &links, &mut tellers),
            };
            failed = outcome.err();
            failed.is_none()
        })?;
        failed.map_or(Ok(()), Err)
    }

    fn take(
        &mut self,
        log: &Log,
        event: Event,
        links: &[LinkView],
        tellers: &mut Tellers<'_>,
    ) -> Result<(), ReportError> {
        let event = StreamEvent::at_home(event);
        let template = self.template;
        let seen = Seen::new(&event, template, tellers);
        if let Some(subject) = &self.request.subject
            && !is_about(&seen, subject, links, template)
            && tellers.subject(&event).as_ref() != Some(subject)
        {
            return self.unattributed.take(log, &event.event);
        }
        self.note(&seen);
        self.note_links(log, links)?;
        self.rechecked += 1;
        if let Some(finding) = log.recheck(&event.event, links)? {
            self.differing += 1;
            self.findings.take(finding);
        }
        for table in &mut self.tables {
            table.take(&seen, template)?;
        }
        self.checks.take(&seen, template)
    }

    /// Keeps the streams that an event in scope is linked into, where values are told: it counts in their states too.
    fn note_links(&mut self, log: &Log, links: &[LinkView]) -> Result<(), ReportError> {
        let Some(behind) = &mut self.lineage else {
            return Ok(());
        };
        if self.request.query.stream.is_none() && self.request.subject.is_none() {
            for link in links {
                behind.link(log, &link.stream, self.request.query.category.as_ref())?;
            }
        }
        Ok(())
    }

    /// Counts an event of the population.
    fn note(&mut self, seen: &Seen<'_>) {
        let event = &seen.event.event;
        self.events += 1;
        self.population.update(event.leaf.0);
        self.first.get_or_insert(event.position);
        self.last = Some(event.position);
        if let Some(behind) = &mut self.lineage {
            behind.in_scope.push(event.position.0);
        }
        if let Some(category) = &event.category {
            let category = category.as_str();
            if !self.categories.contains(category) {
                self.categories.insert(category.to_owned());
            }
        }
        let home = self.request.query.stream.as_ref().or(event.stream.as_ref());
        match home {
            Some(stream) => {
                let positions = match self.streams.get_mut(stream) {
                    Some(positions) => positions,
                    None => self.streams.entry(stream.clone()).or_default(),
                };
                if self.folds {
                    positions.push(event.position.0);
                }
            }
            None => self.unnamed += 1,
        }
        for part in &event.erased {
            let place = Place {
                stream: event.stream.as_ref().map(ToString::to_string),
                version: Some(event.version),
                position: Some(event.position),
                ..Place::default()
            };
            let detail = format!("the {} of events in scope was erased", part.name());
            self.findings
                .add_cause(FindingKind::Erased, Severity::Notice, place, detail);
        }
        self.counts.take(seen, self.zone);
        for (field, (sum, events)) in self.template.totals.iter().zip(&mut self.totals) {
            let number = match seen.field(field) {
                Some(serde_json::Value::Number(number)) => number.to_string(),
                Some(serde_json::Value::String(text)) => text.clone(),
                _ => continue,
            };
            let Ok(number) = Exact::read(&number) else {
                continue;
            };
            *events += 1;
            *sum = sum.and_then(|sum| sum.add(number).ok());
        }
        self.dropped += seen.dropped();
    }

    fn finish(
        mut self,
        source: ReportSource,
        as_of: ReportAsOf,
        models: Vec<crate::model::ModelRef>,
        settings: &BTreeMap<String, String>,
        answering: &Answering<'_>,
    ) -> Result<MadeReport, ReportError> {
        let template = self.template;
        let about_report = self.request.access_log.finding();
        let erased = self.unattributed.finding();
        let erased_note = match &erased {
            Some(_) => " What was erased cannot be attributed: see the findings on the first page.",
            None => "",
        };
        for finding in about_report.into_iter().chain(erased) {
            self.findings.take(finding);
        }
        let charts = self.counts.charts(&self.request.zone);
        let totals = self.control_totals();
        let not_checked = self.not_checked();
        let checked = self.checked();
        let scope = self.scope(settings);
        let lineage = self.lineage.map(Behind::told);
        let mut rows = ReportRows::default();
        let mut made: HashMap<&str, Table> = HashMap::new();
        for table in self.tables {
            let (section, rule, title) = (table.section, table.rule, table.title);
            let spool = table.finish(template)?;
            let columns = rule.columns.iter().map(|col| super::column(template, *col));
            let table = keep(
                &mut rows,
                section,
                title,
                columns.collect(),
                &format!("{}{erased_note}", rule.empty),
                spool,
            )?;
            made.insert(section, table);
        }
        let Checked {
            results,
            sums,
            exceptions,
        } = self.checks.finish()?;
        let mut exceptions = Some((sums, exceptions));
        let mut sections = Vec::new();
        for rule in &template.sections {
            let mut blocks = Vec::new();
            if !rule.text.is_empty() {
                let paragraphs = rule.text.clone();
                blocks.push(Block::Prose { paragraphs });
            }
            if rule.checks {
                let results = results.clone();
                blocks.push(Block::Checks { results });
            }
            for chart in &rule.charts {
                blocks.extend(
                    charts
                        .get(*chart as usize)
                        .cloned()
                        .flatten()
                        .map(Block::Chart),
                );
            }
            if let Some(table) = made.remove(rule.id.as_str()) {
                blocks.push(Block::Table(table));
            }
            if let Some(answer) = &rule.answer {
                blocks.extend(answering.blocks(rule, answer, &mut rows)?);
            }
            if let Some(empty) = &rule.exceptions
                && let Some((sums, each)) = exceptions.take()
            {
                blocks.extend(exceptions_blocks(
                    &mut rows,
                    template,
                    &rule.title,
                    empty,
                    sums,
                    each,
                )?);
            }
            sections.push(Section {
                id: rule.id.clone(),
                title: rule.title.clone(),
                blocks,
            });
        }
        // Exceptions that the template gives no place are printed all the same.
        if let Some((sums, each)) = exceptions
            && !template.checks.is_empty()
        {
            let title = "Exceptions";
            let blocks = exceptions_blocks(&mut rows, template, title, NO_EXCEPTION, sums, each)?;
            sections.push(Section {
                id: EXCEPTIONS.to_owned(),
                title: title.to_owned(),
                blocks,
            });
        }
        let mut report = Report {
            title: template.title.clone(),
            regime: template.regime.clone(),
            template: template.reference.clone(),
            layout: template.layout,
            first_page: FirstPage {
                statement: STATEMENT.to_owned(),
                retention: template.retention.clone(),
                completeness: Completeness {
                    events_in_log: source.head.size.0,
                    events_in_scope: self.events,
                    first: self.first,
                    last: self.last,
                    streams_in_scope: self.streams.len() as u64,
                    population: Hash(self.population.finalize().into()),
                    lineage,
                    tables: Vec::new(),
                    totals,
                },
                source,
                scope,
                as_of,
                models,
                findings: self.findings.into_vec(),
                checked,
                not_checked,
                access_log: self.request.access_log.clone(),
                operator: self.request.operator.clone(),
                purpose: self.request.purpose.clone(),
                made_at: self.request.made_at,
                annals: env!("CARGO_PKG_VERSION").to_owned(),
            },
            sections,
        };
        let counts = report.tables().map(|table| TableCount {
            table: table.id.clone(),
            title: table.title.clone(),
            rows: table.rows,
        });
        report.first_page.completeness.tables = counts.collect();
        Ok(MadeReport {
            report,
            rows,
            layout: template.own_layout.clone(),
        })
    }

    fn scope(&self, settings: &BTreeMap<String, String>) -> ReportScope {
        let EventQuery {
            stream,
            category,
            event_type,
            actor,
            correlation,
            from,
            to,
            known: _,
            direction: _,
            after: _,
        } = &self.request.query;
        let mut filters = Vec::new();
        let mut add = |name: &str, value: Option<String>| {
            filters.extend(value.map(|value| Entry::new(name, value)));
        };
        add("stream", stream.as_ref().map(ToString::to_string));
        add("category", category.as_ref().map(ToString::to_string));
        add("type", event_type.as_ref().map(ToString::to_string));
        add("actor", actor.as_ref().map(ToString::to_string));
        add("correlation", correlation.clone());
        add("from", from.map(|time| time.to_string()));
        add("to", to.map(|time| time.to_string()));
        let subject = self.request.subject.as_ref().map(|subject| SubjectScope {
            subject: subject.clone(),
            found_by: [
                "stream",
                "linked stream",
                "actor",
                "subject of the model ([personal])",
            ]
            .into_iter()
            .map(str::to_owned)
            .chain(self.template.subject_fields.iter().map(|f| f.text.clone()))
            .collect(),
        });
        let named = settings.iter().map(|(name, value)| {
            let title = self.template.settings.get(name).map_or(name, |s| &s.title);
            let tier = self.template.tiers.iter().find(|tier| tier.name == *value);
            match tier {
                Some(tier) => Entry::new(title, format!("{value}: {}", tier.text)),
                None => Entry::new(title, value),
            }
        });
        ReportScope {
            filters,
            subject,
            settings: named.collect(),
            readings: self.request.readings.clone(),
        }
    }

    fn control_totals(&self) -> Vec<ControlTotal> {
        let fields = self.template.totals.iter().zip(&self.totals);
        fields
            .map(|(field, (sum, events))| ControlTotal {
                what: format!("sum of {}", field.text),
                sum: sum.map(|sum| sum.to_json().to_string()),
                events: *events,
            })
            .collect()
    }

    fn checked(&self) -> Vec<String> {
        let mut events = format!("{} in scope", plural(self.rechecked, "event"));
        let outside = self.lineage.as_ref().map_or(0, |behind| behind.rechecked);
        if outside > 0 {
            let outside = plural(outside, "event");
            events.push_str(&format!(
                " and of {outside} outside it that values are made of"
            ));
        }
        let hashes = match (self.rechecked, self.differing) {
            (0, _) => "no event is in scope, so no bytes were hashed again".to_owned(),
            (_, 0) => format!(
                "the bytes of {events} were hashed again; all give the leaf hash that was recorded"
            ),
            (_, n) => format!(
                "the bytes of {events} were hashed again; {n} do not give the leaf hash that was recorded"
            ),
        };
        let mut checked = vec![hashes];
        if !self.template.checks.is_empty() {
            let checks = plural(self.template.checks.len() as u64, "check");
            checked.push(format!(
                "{checks} of the template; what came out stands in its section"
            ));
        }
        if !self.template.dropped.is_none() {
            checked.push(format!(
                "keys left out of payloads: {}; {} were there",
                self.template.dropped.written.join(", "),
                self.dropped
            ));
        }
        checked
    }

    fn not_checked(&self) -> Vec<String> {
        let mut not_checked = vec![
            "whether everything that happened was recorded: no log can tell".to_owned(),
            "the log as a whole: its tree, its root against an outside checkpoint, and the events outside the scope"
                .to_owned(),
        ];
        let lists = |source: &TableSource| {
            matches!(
                source,
                TableSource::Events
                    | TableSource::Changes
                    | TableSource::Versions
                    | TableSource::State
                    | TableSource::Lineage
            )
        };
        let listing: Vec<_> = self
            .tables
            .iter()
            .filter(|table| lists(&table.rule.source))
            .collect();
        let mut left_out: Vec<(&String, &u64)> = self
            .counts
            .by_type
            .iter()
            .filter(|(name, _)| !listing.iter().any(|table| table.rule.types.has(name)))
            .collect();
        left_out.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        if !listing.is_empty() && !left_out.is_empty() {
            let events: u64 = left_out.iter().map(|(_, count)| **count).sum();
            let mut names: Vec<String> = left_out
                .iter()
                .take(MAX_SOURCES)
                .map(|(name, count)| format!("{name} ({count})"))
                .collect();
            if left_out.len() > MAX_SOURCES {
                let more = (left_out.len() - MAX_SOURCES) as u64;
                names.push(format!("and {}", plural(more, "further type")));
            }
            not_checked.push(format!(
                "{} in scope whose types no list of this template names: {}",
                plural(events, "event"),
                names.join(", ")
            ));
        }
        if self.unnamed > 0 && self.folds {
            not_checked.push(format!(
                "{} in scope whose stream was erased: they belong to no state",
                plural(self.unnamed, "event")
            ));
        }
        let outside = self.lineage.as_ref().map_or(0, |behind| behind.rechecked);
        if outside > 0 && !self.template.checks.is_empty() {
            not_checked.push(format!(
                "{} outside the scope that values are made of: the checks of the template look at events in scope",
                plural(outside, "event")
            ));
        }
        not_checked.extend(self.checks.not_looked_at());
        not_checked.extend(self.template.not_checked.iter().cloned());
        not_checked
    }
}

/// The exceptions summed up and each of them; where there is none, only that.
fn exceptions_blocks(
    rows: &mut ReportRows,
    template: &Template,
    title: &str,
    empty: &str,
    sums: Spool,
    each: Spool,
) -> Result<Vec<Block>, ReportError> {
    let sums = keep(
        rows,
        SUMS,
        "Exceptions by check and type",
        sum_columns(template),
        NO_EXCEPTION,
        sums,
    )?;
    let each = keep(
        rows,
        EXCEPTIONS,
        title,
        exception_columns(template),
        empty,
        each,
    )?;
    Ok([sums, each]
        .into_iter()
        .filter(|table| table.id == EXCEPTIONS || table.rows > 0)
        .map(Block::Exceptions)
        .collect())
}

/// Keeps the rows of a table and says what is to be known of it.
pub(super) fn keep(
    rows: &mut ReportRows,
    id: &str,
    title: &str,
    columns: Vec<super::Column>,
    empty: &str,
    spool: Spool,
) -> Result<Table, ReportError> {
    let (count, sha256) = rows.keep(id, spool)?;
    Ok(Table {
        id: id.to_owned(),
        title: title.to_owned(),
        columns,
        rows: count,
        sha256,
        empty: empty.to_owned(),
    })
}

/// Whether an event is about a subject.
fn is_about(seen: &Seen<'_>, subject: &str, links: &[LinkView], template: &Template) -> bool {
    let event = &seen.event.event;
    let home = event.stream.as_ref().is_some_and(|s| s.as_str() == subject);
    home || links.iter().any(|link| link.stream == subject)
        || event.actor.as_ref().is_some_and(|a| a.as_str() == subject)
        || template
            .subject_fields
            .iter()
            .any(|field| match seen.field(field) {
                Some(serde_json::Value::String(text)) => text == subject,
                Some(serde_json::Value::Number(number)) => number.to_string() == subject,
                // Several subjects in a list.
                Some(serde_json::Value::Array(items)) => {
                    items.iter().any(|item| item.as_str() == Some(subject))
                }
                _ => false,
            })
}
