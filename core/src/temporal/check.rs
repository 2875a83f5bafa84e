//! A model tried on every stored event of its category, before it is relied on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use ts_rs::TS;

use super::passage::When;
use super::preview::ModelErrorView;
use super::state::{Course, Cut};
use super::{AsOf, Moment, TemporalError};
use crate::finding::{Finding, FindingKind, Findings, Severity};
use crate::id::{Category, StreamId};
use crate::model::{Fold, Model, ModelRef};
use crate::store::{Log, ReadError, StreamQuery};

/// Streams listed at once.
const PAGE: usize = 500;

/// What came of trying a model: `annals model check --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ModelCheckView {
    /// File or name.
    pub name: String,
    /// What is wrong with the text; `null` if it is a model.
    pub error: Option<ModelErrorView>,
    /// The model; `null` if the text is none.
    pub model: Option<ModelRef>,
    /// Its category.
    pub category: Option<String>,
    /// Number of streams of the category.
    #[ts(type = "number")]
    pub streams: u64,
    /// Number of events folded or tried.
    #[ts(type = "number")]
    pub events: u64,
    /// Number of them that could not be folded.
    #[ts(type = "number")]
    pub failed: u64,
    /// By type and schema version, most events first.
    pub types: Vec<CheckedType>,
    /// Handlers and upcasters for types that the category has no event of.
    pub unused: Vec<String>,
    /// Faults, those of one kind and cause together.
    pub findings: Vec<Finding>,
    /// The text is no model, an event could not be folded, or a finding is a warning or worse.
    pub problems: bool,
}

/// What came of the events of one type and schema version.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct CheckedType {
    /// Type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Schema version; `null`: the events name none.
    pub schema_version: Option<String>,
    /// Number of events.
    #[ts(type = "number")]
    pub events: u64,
    /// Number of them that could not be folded.
    #[ts(type = "number")]
    pub failed: u64,
    /// The model has a handler for the type.
    pub handled: bool,
    /// Upcasters that its payloads go through: `1 -> 2`.
    pub upcast: Vec<String>,
}

/// Parses a model and folds every stream of its category with it. `go_on` is told the number of events folded and
/// stops the work by saying no.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read, or the work was stopped. A text that is no model is no error,
/// but in the answer.
pub fn check(
    log: &Log,
    name: &str,
    text: &str,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<ModelCheckView, TemporalError> {
    let mut view = ModelCheckView {
        name: name.to_owned(),
        error: None,
        model: None,
        category: None,
        streams: 0,
        events: 0,
        failed: 0,
        types: Vec::new(),
        unused: Vec::new(),
        findings: Vec::new(),
        problems: true,
    };
    let model = match Model::parse(name, text) {
        Ok(model) => Arc::new(model),
        Err(error) => {
            view.error = Some(ModelErrorView::from(&error));
            return Ok(view);
        }
    };
    view.model = Some(model.reference());
    view.category = model.category().map(str::to_owned);
    let mut findings = Findings::default();
    let mut types: BTreeMap<(String, Option<String>), (u64, u64)> = BTreeMap::new();
    let mut query = StreamQuery {
        category: model.category().and_then(|name| Category::new(name).ok()),
        ..StreamQuery::default()
    };
    loop {
        let page = log.streams(&query, PAGE)?;
        for row in &page.streams {
            let Ok(stream) = StreamId::new(row.stream.as_str()) else {
                continue;
            };
            view.streams += 1;
            let cut = Cut::of(log, &stream, row, &Moment::AsOf(AsOf::default()))?;
            let mut course = Course::new(Fold::new(Arc::clone(&model)));
            let mut stopped = false;
            course.go(log, &stream, &cut, &mut |when, course, event| {
                if when == When::Before {
                    return true;
                }
                let failed = course.fold().failure().is_some();
                let key = (
                    event.event.event_type.to_string(),
                    event.event.schema_version.clone(),
                );
                let counts = types.entry(key).or_default();
                counts.0 += 1;
                counts.1 += u64::from(failed);
                view.events += 1;
                view.failed += u64::from(failed);
                if view.events.is_multiple_of(1_000) {
                    stopped = !go_on(view.events);
                }
                !stopped
            })?;
            if stopped || !go_on(view.events) {
                return Err(ReadError::Cancelled.into());
            }
            for finding in course.findings() {
                findings.take(finding);
            }
        }
        query.after = page.next;
        if query.after.is_none() {
            break;
        }
    }
    view.unused = model
        .types()
        .into_iter()
        .chain(model.upcast_types())
        .filter(|wanted| !types.keys().any(|(name, _)| name == wanted))
        .map(str::to_owned)
        .collect();
    let mut told = BTreeSet::new();
    view.unused.retain(|unused| told.insert(unused.clone()));
    let handled = model.types();
    view.types = types
        .iter()
        .map(
            |((event_type, schema_version), (events, failed))| CheckedType {
                event_type: event_type.clone(),
                schema_version: schema_version.clone(),
                events: *events,
                failed: *failed,
                handled: handled.contains(&event_type.as_str()),
                upcast: model.upcast_steps(event_type, schema_version.as_deref()),
            },
        )
        .collect();
    view.types
        .sort_by_key(|row| (std::cmp::Reverse(row.events), row.event_type.clone()));
    for row in &view.types {
        if let Some(known) = model.unknown_schema(&row.event_type, row.schema_version.as_deref()) {
            let severity = Severity::Warning;
            let detail = format!(
                "{}: no upcaster takes schema version {}, and none leads to it; there is {known}",
                row.event_type,
                row.schema_version.as_deref().unwrap_or("none"),
            );
            findings.add_cause(
                FindingKind::SchemaUnknown,
                severity,
                crate::finding::Place::default(),
                detail,
            );
        }
    }
    view.findings = findings.into_vec();
    view.problems = view.failed > 0
        || view
            .findings
            .iter()
            .any(|finding| finding.severity >= Severity::Warning);
    Ok(view)
}
