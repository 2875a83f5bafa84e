//! The state of a stream at a moment: the fold of the events that the moment includes.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::diff::{Change, changes_at};
use super::passage::When;
use super::{AsOf, Moment, TemporalError};
use crate::finding::{Finding, FindingKind, Findings, Place, Severity};
use crate::id::StreamId;
use crate::model::{BrokenModel, Fold, ModelRef, ModelSet};
use crate::position::{Position, Version};
use crate::store::{Direction, EventBrief, Log, ReadError, StreamEvent, StreamRow};
use crate::time::Time;

/// Most versions left out that a state lists.
const MAX_LEFT_OUT: usize = 100;

/// The as-of that an answer is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AsOfView {
    /// Events with time <= at; `null`: all.
    pub at: Option<Time>,
    /// Events with position <= known; `null`: all.
    pub known: Option<Position>,
}

/// A stream's state as of an instant: `annals state --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct StateView {
    /// Stream.
    pub stream: String,
    /// Category.
    pub category: String,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Highest version that the as-of includes; 0 if none.
    pub version: Version,
    /// Number of events folded: included, and their handlers did not fail.
    #[ts(type = "number")]
    pub events_folded: u64,
    /// Number of events included that could not be folded and changed nothing; the findings say why.
    #[ts(type = "number")]
    pub events_failed: u64,
    /// Number of events in the stream, whatever the as-of.
    #[ts(type = "number")]
    pub events_in_stream: u64,
    /// Versions below `version` that happened after the as-of and were left out: the first 100.
    pub left_out: Vec<Version>,
    /// Number of versions left out below `version`.
    #[ts(type = "number")]
    pub left_out_count: u64,
    /// Model used.
    pub model: ModelRef,
    /// The last event included; `null` if none.
    pub last_event: Option<crate::store::EventBrief>,
    /// The state, every digit as recorded or computed exactly; `null` before the first event.
    #[ts(type = "unknown")]
    pub state: Box<RawValue>,
    /// What the last event included changed.
    pub changed: Vec<Change>,
    /// A part is missing: an event could not be folded, or a model file that is meant for the category is broken.
    pub incomplete: bool,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

/// A stream's state among those of many streams.
#[derive(Debug, Clone)]
pub struct Folded {
    /// Highest version that the as-of includes; 0 if none.
    pub version: Version,
    /// The last event included; `None` if none.
    pub last_event: Option<EventBrief>,
    /// The state; `null` before the first event.
    pub state: Value,
    /// A part is missing, as in [`StateView::incomplete`].
    pub incomplete: bool,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

impl StateView {
    /// The state as a value, its numbers as they are.
    pub(crate) fn value(&self) -> Option<Value> {
        crate::model::json::parse_state(self.state.get())
    }
}

/// A stream's state at a moment.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read or holds no such stream, [`TemporalError::NoVersion`] or
/// [`TemporalError::NoPosition`] if the moment is past its end.
pub fn state(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    moment: &Moment,
) -> Result<StateView, TemporalError> {
    let row = stream_row(log, stream)?;
    let cut = Cut::of(log, stream, &row, moment)?;
    let model = models.for_category(&row.category);
    let mut course = Course::new(Fold::new(model));
    course.go(log, stream, &cut, &mut |_, _, _| true)?;
    Ok(course.view(stream, &row, cut.as_of, models))
}

/// The state of a stream whose row was listed already, for whoever goes through many of them. The same state as
/// [`state`]'s; `known` past the end of the log is the end.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read or the stream is gone.
pub fn folded(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    category: &str,
    as_of: AsOf,
) -> Result<Folded, TemporalError> {
    let cut = Cut {
        as_of,
        last: Version(u64::MAX),
    };
    let mut course = Course::new(Fold::new(models.for_category(category)));
    course.go(log, stream, &cut, &mut |_, _, _| true)?;
    Ok(course.folded(stream, category, models))
}

pub(super) fn stream_row(log: &Log, stream: &StreamId) -> Result<StreamRow, TemporalError> {
    let row = log.stream(stream)?;
    row.ok_or_else(|| ReadError::NoStream(stream.clone()).into())
}

/// A moment as the events it includes: `version <= last`, `position <= known`, `time <= at`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) as_of: AsOf,
    pub(super) last: Version,
}

impl Cut {
    /// Resolves a moment against the log as it is.
    pub(super) fn of(
        log: &Log,
        stream: &StreamId,
        row: &StreamRow,
        moment: &Moment,
    ) -> Result<Cut, TemporalError> {
        let end = Version(row.events);
        match moment {
            Moment::AsOf(as_of) => {
                if let Some(asked) = as_of.known {
                    let last = log.head()?.size;
                    if asked > last {
                        return Err(TemporalError::NoPosition { asked, last });
                    }
                }
                Ok(Cut {
                    as_of: *as_of,
                    last: end,
                })
            }
            Moment::Version(version) if *version > end => Err(TemporalError::NoVersion {
                stream: stream.clone(),
                asked: *version,
                last: end,
            }),
            Moment::Version(Version::NONE) => Ok(Cut {
                as_of: AsOf {
                    at: None,
                    known: Some(Position::ZERO),
                },
                last: Version::NONE,
            }),
            Moment::Version(version) => {
                let events =
                    log.read_stream(stream, *version..=*version, Direction::Forwards, 1)?;
                let known = events.first().map(|event| event.event.position);
                Ok(Cut {
                    as_of: AsOf { at: None, known },
                    last: *version,
                })
            }
        }
    }
}

/// Where a fold stands on its way through the stream.
#[derive(Debug, Clone)]
pub(super) struct Course {
    pub(super) fold: Fold,
    pub(super) findings: Findings,
    pub(super) folded: u64,
    pub(super) failed: u64,
    pub(super) last: Option<EventBrief>,
    /// What the last event changed, where it is none that this fold took: it began with a snapshot.
    pub(super) told: Option<Vec<Change>>,
    /// Version in this stream of the last event folded.
    pub(super) version: Version,
    /// Version in this stream of the last event taken, folded or left out.
    pub(super) seen: Version,
    /// When the last event taken counts.
    time: Time,
    /// Events left out by a model's own time.
    passed: Vec<(Version, Position)>,
    pub(super) order: Order,
}

/// What is to be said about the order of the events seen so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Order {
    /// Events left out since the last one folded: they count once another is folded.
    pending: Vec<(Version, Position)>,
    pending_count: u64,
    left_out: Vec<Version>,
    left_out_count: u64,
    first_left_out: Option<(Version, Position)>,
    pub(super) latest: Option<Time>,
    pub(super) disagree_count: u64,
    pub(super) first_disagreeing: Option<(Version, Position)>,
}

impl Course {
    pub(super) fn new(fold: Fold) -> Course {
        Course {
            fold,
            findings: Findings::default(),
            folded: 0,
            failed: 0,
            last: None,
            told: None,
            version: Version::NONE,
            seen: Version::NONE,
            time: Time::MIN,
            passed: Vec::new(),
            order: Order::default(),
        }
    }

    /// Whether every event that it saw was folded, none left out.
    pub(super) fn is_whole(&self) -> bool {
        self.passed.is_empty() && self.order.pending_count == 0 && self.order.left_out_count == 0
    }

    /// Goes on from the last event seen through all that the cut includes; `each` sees the course before and after
    /// every event that is folded, and stops it by saying no after one.
    pub(super) fn go(
        &mut self,
        log: &Log,
        stream: &StreamId,
        cut: &Cut,
        each: &mut dyn FnMut(When, &Course, &StreamEvent) -> bool,
    ) -> Result<(), TemporalError> {
        self.go_changed(log, stream, cut, &|_| true, each)
    }

    /// As [`Course::go`], each event changed first; those for which `change` says no are as if they were not there.
    pub(super) fn go_changed(
        &mut self,
        log: &Log,
        stream: &StreamId,
        cut: &Cut,
        change: &dyn Fn(&mut StreamEvent) -> bool,
        each: &mut dyn FnMut(When, &Course, &StreamEvent) -> bool,
    ) -> Result<(), TemporalError> {
        let Cut { as_of, last } = *cut;
        if self.fold.model().has_time() {
            return self.go_by_own_time(log, stream, cut, change, each);
        }
        let versions = self.seen.next()..=last;
        log.for_each_between(stream, versions, as_of.known, &mut |mut event| {
            !change(&mut event) || self.step(&event, event.event.time.time, as_of.at, each)
        })?;
        Ok(())
    }

    /// As [`Course::go_changed`] where the model has a time of its own: in order of that, then of version.
    fn go_by_own_time(
        &mut self,
        log: &Log,
        stream: &StreamId,
        cut: &Cut,
        change: &dyn Fn(&mut StreamEvent) -> bool,
        each: &mut dyn FnMut(When, &Course, &StreamEvent) -> bool,
    ) -> Result<(), TemporalError> {
        let Cut { as_of, last } = *cut;
        let model = std::sync::Arc::clone(self.fold.model());
        let mut events = Vec::new();
        log.for_each_in_stream(stream, Version::FIRST, as_of.known, &mut |mut event| {
            if event.version > last {
                return false;
            }
            let more = event.version < last;
            if change(&mut event) {
                let happened = event.event.time.time;
                let time = match model.time_of(&event) {
                    None => happened,
                    Some(Ok(time)) => time,
                    Some(Err(detail)) => {
                        self.findings.add_cause(
                            FindingKind::BadTime,
                            Severity::Warning,
                            Place {
                                stream: Some(stream.to_string()),
                                version: Some(event.version),
                                position: Some(event.event.position),
                                ..Place::default()
                            },
                            format!(
                                "{}: the model's time cannot be read, so the event counts when it happened: {detail}",
                                event.event.event_type
                            ),
                        );
                        happened
                    }
                };
                events.push((time, event));
            }
            more
        })?;
        events.sort_by_key(|(time, event)| (*time, event.version));
        for (time, event) in &events {
            if !self.step(event, *time, as_of.at, each) {
                break;
            }
        }
        Ok(())
    }

    fn step(
        &mut self,
        event: &StreamEvent,
        time: Time,
        at: Option<Time>,
        each: &mut dyn FnMut(When, &Course, &StreamEvent) -> bool,
    ) -> bool {
        let included = at.is_none_or(|at| time <= at);
        self.time = time;
        if included {
            each(When::Before, self, event);
        }
        self.take_at(event, time, at);
        !included || each(When::After, self, event)
    }

    /// When the event under way, or the last one taken, counts: when it happened, or the model's own time.
    pub(super) fn time(&self) -> Time {
        self.time
    }

    /// The findings so far, those about order left aside.
    pub(super) fn findings(&self) -> Vec<Finding> {
        self.findings.clone().into_vec()
    }

    /// The fold as it is.
    pub(super) fn fold(&self) -> &Fold {
        &self.fold
    }

    pub(super) fn seen(&self) -> Version {
        self.seen
    }

    /// Number of events that the fold took.
    pub(super) fn taken(&self) -> u64 {
        self.folded + self.failed
    }

    /// A rough size in bytes.
    pub(super) fn bytes(&self) -> usize {
        512 + self.fold.bytes() + self.findings.bytes()
    }

    /// Takes the stream's next event: folds it, or leaves it out because it happened after `at`.
    pub(super) fn take(&mut self, event: &StreamEvent, at: Option<Time>) {
        self.take_at(event, event.event.time.time, at);
    }

    fn take_at(&mut self, event: &StreamEvent, time: Time, at: Option<Time>) {
        let (version, position) = (event.version, event.event.position);
        self.seen = version;
        let own_time = self.fold.model().has_time();
        if at.is_some_and(|at| time > at) {
            if own_time {
                self.passed.push((version, position));
            } else {
                self.pass(version, position);
            }
            return;
        }
        if !own_time {
            self.settle(version, position, time);
        }
        self.told = None;
        if self.fold.apply(event, &mut self.findings) {
            self.folded += 1;
        } else {
            self.failed += 1;
        }
        self.version = self.version.max(version);
        self.last = Some(EventBrief::from(&event.event));
    }

    /// Notes an event that is left out.
    fn pass(&mut self, version: Version, position: Position) {
        let order = &mut self.order;
        order.pending_count += 1;
        if order.pending.len() < MAX_LEFT_OUT {
            order.pending.push((version, position));
        }
    }

    /// Notes the order of an event that is folded.
    fn settle(&mut self, version: Version, position: Position, time: Time) {
        let order = &mut self.order;
        order.left_out_count += order.pending_count;
        order.pending_count = 0;
        for place in order.pending.drain(..) {
            order.first_left_out.get_or_insert(place);
            if order.left_out.len() < MAX_LEFT_OUT {
                order.left_out.push(place.0);
            }
        }
        if order.latest.is_some_and(|latest| time < latest) {
            order.disagree_count += 1;
            order.first_disagreeing.get_or_insert((version, position));
        }
        order.latest = order.latest.max(Some(time));
    }

    /// The answer.
    pub(super) fn view(
        &self,
        stream: &StreamId,
        row: &StreamRow,
        as_of: AsOf,
        models: &ModelSet,
    ) -> StateView {
        let (order, incomplete, findings) = self.faults(stream, &row.category, models);
        StateView {
            stream: stream.to_string(),
            category: row.category.clone(),
            as_of: AsOfView {
                at: as_of.at,
                known: as_of.known,
            },
            reading: None,
            version: self.version,
            events_folded: self.folded,
            events_failed: self.failed,
            events_in_stream: row.events,
            left_out: order.left_out.clone(),
            left_out_count: order.left_out_count,
            model: self.fold.model().reference(),
            last_event: self.last.clone(),
            state: super::diff::raw(self.fold.state()),
            changed: match &self.told {
                Some(told) => told.clone(),
                None => changes_at(self.fold.last_touches()),
            },
            incomplete,
            findings,
        }
    }

    /// What is to be said about the order of the events, whether a part is missing, and the faults.
    fn faults(
        &self,
        stream: &StreamId,
        category: &str,
        models: &ModelSet,
    ) -> (Order, bool, Vec<Finding>) {
        let mut order = self.order.clone();
        let mut passed = self.passed.clone();
        passed.sort_unstable();
        for place in passed.into_iter().filter(|(v, _)| *v < self.version) {
            order.left_out_count += 1;
            order.first_left_out.get_or_insert(place);
            if order.left_out.len() < MAX_LEFT_OUT {
                order.left_out.push(place.0);
            }
        }
        let place = |found: Option<(Version, Position)>| Place {
            stream: Some(stream.to_string()),
            version: found.map(|(version, _)| version),
            position: found.map(|(_, position)| position),
            ..Place::default()
        };
        let inferred = self.fold.model().reference().inferred;
        let mut findings: Vec<Finding> = models
            .broken_for(category)
            .map(|broken| broken_model(broken, inferred))
            .collect();
        let broken = !findings.is_empty();
        findings.append(&mut self.findings.clone().into_vec());
        if order.left_out_count > 0 {
            findings.push(Finding {
                kind: FindingKind::LeftOut,
                severity: Severity::Warning,
                count: order.left_out_count,
                place: place(order.first_left_out),
                detail: format!(
                    "events below version {} {} after the instant asked for and are left out",
                    self.version,
                    if self.fold.model().has_time() {
                        "count from"
                    } else {
                        "happened"
                    }
                ),
            });
        }
        if order.disagree_count > 0 {
            findings.push(Finding {
                kind: FindingKind::OrderDisagrees,
                severity: Severity::Notice,
                count: order.disagree_count,
                place: place(order.first_disagreeing),
                detail: "an event happened before the event of the version before it; the fold goes by version"
                    .to_owned(),
            });
        }
        (order, broken || self.fold.incomplete(), findings)
    }

    /// The answer with the state as a value, for whoever looks at many streams.
    pub(super) fn folded(&self, stream: &StreamId, category: &str, models: &ModelSet) -> Folded {
        let (_, incomplete, findings) = self.faults(stream, category, models);
        Folded {
            version: self.version,
            last_event: self.last.clone(),
            state: self.fold.state().clone(),
            incomplete,
            findings,
        }
    }
}

/// That the state is not, or may not be, the one that a model file was written for.
fn broken_model(broken: &BrokenModel, inferred: bool) -> Finding {
    let BrokenModel { error, category } = broken;
    let meant = match category {
        Some(_) => "",
        None => " (its category cannot be read, so it may be for this one)",
    };
    let instead = if inferred {
        "the state is inferred from the payloads instead"
    } else {
        "the state is by the other model for the category"
    };
    Finding {
        kind: FindingKind::ModelBroken,
        severity: Severity::Severe,
        count: 1,
        place: Place {
            file: Some(error.name.clone()),
            line: Some(error.line as u64),
            ..Place::default()
        },
        detail: format!("a model was left out{meant}: {error}; {instead}"),
    }
}
