//! Rules of the business over the whole history: every event that a rule of the models does not allow, and the
//! events that make it so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::diff::raw;
use super::passage::When;
use super::state::{Course, Cut};
use super::{AsOf, Moment, TemporalError};
use crate::finding::{Finding, Findings, Place, Severity};
use crate::id::{Category, StreamId};
use crate::model::{Fold, Model, ModelRef, ModelSet, Root, Step};
use crate::position::{Position, Version};
use crate::store::{EventBrief, Log, ReadError, StreamEvent, StreamQuery};

/// Violations that an answer lists where nothing else is asked for.
pub const VIOLATIONS: usize = 1_000;

/// Streams listed at once.
const PAGE: usize = 500;

/// What the rules say to a log: `annals rules check --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RulesView {
    /// The rules, by category, in the order of their model.
    pub rules: Vec<RuleRow>,
    /// Violations by position: the first that fit the limit.
    pub violations: Vec<Violation>,
    /// How many there are.
    #[ts(type = "number")]
    pub violations_count: u64,
    /// Number of streams looked at.
    #[ts(type = "number")]
    pub streams: u64,
    /// Number of events looked at; one that is linked into several streams counts once.
    #[ts(type = "number")]
    pub events: u64,
    /// The log's last position.
    pub known: Position,
    /// Faults, those of one kind and cause together: also where a rule could not be asked.
    pub findings: Vec<Finding>,
    /// A rule is violated, or a finding is a warning or worse.
    pub problems: bool,
}

/// One rule, and what it said.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct RuleRow {
    /// Its name.
    pub name: String,
    /// Category of the streams that it is about.
    pub category: String,
    /// Model that declares it.
    pub model: ModelRef,
    /// Types of the events that it is about; empty: all.
    pub on: Vec<String>,
    /// What must hold before the event.
    pub require: String,
    /// The rule in a sentence.
    pub message: Option<String>,
    /// Number of events that it was asked about.
    #[ts(type = "number")]
    pub asked: u64,
    /// Number of them that it does not allow.
    #[ts(type = "number")]
    pub violations: u64,
    /// Number of them of which it could not be told.
    #[ts(type = "number")]
    pub untold: u64,
}

/// An event that a rule does not allow.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Violation {
    /// The rule.
    pub rule: String,
    /// The rule in a sentence.
    pub message: Option<String>,
    /// Stream whose rule it is; the event may be linked into it.
    pub stream: String,
    /// Version in that stream.
    pub version: Version,
    /// The event.
    pub event: EventBrief,
    /// Who did it.
    pub actor: Option<String>,
    /// What the rule looked at, as it was before the event.
    pub looked_at: Vec<LookedAt>,
}

/// A field of the state that a rule looked at.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct LookedAt {
    /// The field.
    pub path: String,
    /// Its value before the event; `null` where there was none.
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// The event that changed it last; `null` where none did.
    pub set_by: Option<EventBrief>,
}

/// Asks the rules of the models about every event of their categories; `only` one rule where it is named. At most
/// `limit` violations are listed. `go_on` is told how many events were looked at, each in every stream that it belongs
/// to, and stops the work by saying no.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read, or the work was stopped.
pub fn check_rules(
    log: &Log,
    models: &ModelSet,
    only: Option<&str>,
    limit: usize,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<RulesView, TemporalError> {
    let known = log.head()?.size;
    let mut check = Check {
        view: RulesView {
            rules: Vec::new(),
            violations: Vec::new(),
            violations_count: 0,
            streams: 0,
            events: 0,
            known,
            findings: Vec::new(),
            problems: false,
        },
        findings: Findings::default(),
        seen: Seen::of(known),
        looked_at: 0,
        only,
        limit,
    };
    for model in models.iter().filter(|model| !model.rules().is_empty()) {
        check.category(log, model, go_on)?;
    }
    let Check {
        mut view, findings, ..
    } = check;
    first_of(&mut view.violations, limit);
    view.findings = findings.into_vec();
    let bad = |finding: &Finding| finding.severity >= Severity::Warning;
    view.problems = view.violations_count > 0 || view.findings.iter().any(bad);
    Ok(view)
}

struct Check<'c> {
    view: RulesView,
    findings: Findings,
    /// Events that count already.
    seen: Seen,
    /// Number of events looked at; a linked one in each of its streams.
    looked_at: u64,
    only: Option<&'c str>,
    limit: usize,
}

impl Check<'_> {
    fn category(
        &mut self,
        log: &Log,
        model: &Arc<Model>,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<(), TemporalError> {
        let category = model.category().unwrap_or_default().to_owned();
        let first = self.view.rules.len();
        // Place of each rule of the model in the answer.
        let mut rows = Vec::new();
        let mut fields = BTreeSet::new();
        for rule in model.rules() {
            let wanted = self.only.is_none_or(|only| only == rule.name);
            rows.push(wanted.then_some(self.view.rules.len()));
            if !wanted {
                continue;
            }
            fields.extend(state_fields(model, rows.len() - 1));
            self.view.rules.push(RuleRow {
                name: rule.name.clone(),
                category: category.clone(),
                model: model.reference(),
                on: rule.on.clone(),
                require: rule.require.text().to_owned(),
                message: rule.message.clone(),
                asked: 0,
                violations: 0,
                untold: 0,
            });
        }
        if self.view.rules.len() == first {
            return Ok(());
        }
        let mut query = StreamQuery {
            category: Category::new(category.as_str()).ok(),
            known: Some(self.view.known),
            ..StreamQuery::default()
        };
        loop {
            let page = log.streams(&query, PAGE)?;
            for row in &page.streams {
                let Ok(stream) = StreamId::new(row.stream.as_str()) else {
                    continue;
                };
                let as_of = AsOf {
                    at: None,
                    known: Some(self.view.known),
                };
                let cut = Cut::of(log, &stream, row, &Moment::AsOf(as_of))?;
                self.view.streams += 1;
                let mut course = Course::new(Fold::new(Arc::clone(model)));
                let mut set_by: BTreeMap<String, EventBrief> = BTreeMap::new();
                let mut stopped = false;
                course.go(log, &stream, &cut, &mut |when, course, event| {
                    match when {
                        When::Before => self.ask(model, &rows, &stream, course, event, &set_by),
                        When::After => {
                            note(&fields, course, event, &mut set_by);
                            self.view.events += u64::from(self.seen.add(event.event.position));
                            self.looked_at += 1;
                            if self.looked_at.is_multiple_of(1_000) {
                                stopped = !go_on(self.looked_at);
                            }
                        }
                    }
                    !stopped
                })?;
                if stopped || !go_on(self.looked_at) {
                    return Err(ReadError::Cancelled.into());
                }
                for finding in course.findings() {
                    if finding.severity > Severity::Notice {
                        self.findings.take(finding);
                    }
                }
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }

    /// Keeps the first violations by position: streams come one after another, positions do not.
    fn keep(&mut self, violation: Violation) {
        self.view.violations.push(violation);
        if self.view.violations.len() >= self.limit.saturating_mul(2).max(1_000) {
            first_of(&mut self.view.violations, self.limit);
        }
    }

    /// Asks the rules about an event that is about to be folded.
    fn ask(
        &mut self,
        model: &Model,
        rows: &[Option<usize>],
        stream: &StreamId,
        course: &Course,
        event: &StreamEvent,
        set_by: &BTreeMap<String, EventBrief>,
    ) {
        for (at, verdict) in course.fold().ask_rules(event) {
            let Some(row) = rows[at] else { continue };
            self.view.rules[row].asked += 1;
            match verdict {
                Ok(true) => {}
                Ok(false) => {
                    self.view.rules[row].violations += 1;
                    self.view.violations_count += 1;
                    let violation = violation(model, at, stream, course, event, set_by);
                    self.keep(violation);
                }
                Err((kind, detail)) => {
                    self.view.rules[row].untold += 1;
                    let place = Place {
                        stream: Some(stream.to_string()),
                        version: Some(event.version),
                        position: Some(event.event.position),
                        ..Place::default()
                    };
                    self.findings
                        .add_cause(kind, Severity::Warning, place, detail);
                }
            }
        }
    }
}

/// Positions of a log, each in it or not: a bit each.
struct Seen(Vec<u64>);

impl Seen {
    fn of(known: Position) -> Seen {
        Seen(vec![0; known.0 as usize / 64 + 1])
    }

    /// Adds one; `false` if it is there already.
    fn add(&mut self, position: Position) -> bool {
        let Some(word) = self.0.get_mut(position.0 as usize / 64) else {
            return true;
        };
        let bit = 1 << (position.0 % 64);
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

fn first_of(violations: &mut Vec<Violation>, limit: usize) {
    violations.sort_by(|a, b| {
        let place = |v: &Violation| v.event.position;
        (place(a), &a.stream, &a.rule).cmp(&(place(b), &b.stream, &b.rule))
    });
    violations.truncate(limit);
}

fn violation(
    model: &Model,
    at: usize,
    stream: &StreamId,
    course: &Course,
    event: &StreamEvent,
    set_by: &BTreeMap<String, EventBrief>,
) -> Violation {
    let rule = &model.rules()[at];
    let state = course.fold().state();
    let looked_at = state_fields(model, at).into_iter().map(|field| LookedAt {
        value: state.get(&field).map(|value: &Value| raw(value)),
        set_by: set_by.get(&field).cloned(),
        path: field,
    });
    Violation {
        rule: rule.name.clone(),
        message: rule.message.clone(),
        stream: stream.to_string(),
        version: event.version,
        event: EventBrief::from(&event.event),
        actor: event.event.actor.as_ref().map(ToString::to_string),
        looked_at: looked_at.collect(),
    }
}

/// The fields of the state that a rule reads, by their first names.
fn state_fields(model: &Model, at: usize) -> BTreeSet<String> {
    let paths = model.rules()[at].require.paths().iter();
    let state = paths.filter(|(root, _)| *root == Root::State);
    let first = state.filter_map(|(_, path)| match path.0.first() {
        Some(Step::Key(name)) => Some(name.clone()),
        _ => None,
    });
    first.collect()
}

/// Notes which event changed the fields last.
fn note(
    fields: &BTreeSet<String>,
    course: &Course,
    event: &StreamEvent,
    set_by: &mut BTreeMap<String, EventBrief>,
) {
    if fields.is_empty() {
        return;
    }
    for touch in course.fold().last_touches() {
        if let Some(Step::Key(name)) = touch.path.0.first()
            && fields.contains(name)
            && touch.before != touch.after
        {
            set_by.insert(name.clone(), EventBrief::from(&event.event));
        }
    }
}
