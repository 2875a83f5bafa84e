//! Why a value is what it is: the events that it comes from, what each of them added, and from which fields.
//!
//! The stream is folded twice. The first time the changes around each event tell which events touched the place;
//! going back through them finds those that the value is made of. The second time their fields and the values
//! before and after them are read.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::diff::raw;
use super::passage::{At, Each, When};
use super::state::{Course, Cut, StateView, stream_row};
use super::trace::{Ancestry, Source, Trace, ancestry};
use super::{AsOfView, Moment, TemporalError};
use crate::finding::Finding;
use crate::id::StreamId;
use crate::model::{
    Account, Circumstances, Exact, Field, FieldPath, Fold, ModelRef, ModelSet, Step, Told,
};
use crate::position::{Position, Version};
use crate::store::{Log, StreamEvent};
use crate::time::Time;

/// Contributions that an answer lists where nothing else is asked for.
pub const CONTRIBUTIONS: usize = 1_000;
/// Most paths that an error names as near.
const MAX_NEAR: usize = 4;
/// Most paths of a state that are looked through for near ones.
const MAX_LOOKED_AT: usize = 5_000;

/// What kind of value was asked about, and so what its contributions are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum WhyKind {
    /// Nothing had happened by then.
    Nothing,
    /// The value is not there any more; `set_by` took it away.
    Gone,
    /// A number: the deltas add up to it.
    Number,
    /// Text, yes or no, or null: the last contribution gave it.
    Value,
    /// A list: for each element the event that put it there.
    List,
    /// An object: for each member the event that changed it last.
    Object,
}

/// Why a value is what it is: `annals why --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct WhyView {
    /// Stream.
    pub stream: String,
    /// Category.
    pub category: String,
    /// Path of the value in the state; empty for the whole.
    pub path: String,
    /// What kind of value it is.
    pub kind: WhyKind,
    /// The value; `null` where there is none (see `kind`).
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// The last event that changed it; `null` where none did.
    pub set_by: Option<SetByView>,
    /// How many later events set it again to what it was.
    #[ts(type = "number")]
    pub confirmed: u64,
    /// The last of them.
    pub last_confirmed: Option<Version>,
    /// The events that it comes from, oldest first. Of a number's, the newest that fit the limit.
    pub contributions: Vec<Contribution>,
    /// How many there are.
    #[ts(type = "number")]
    pub contributions_count: u64,
    /// Contributions before those listed, taken together; `null` if all are listed.
    pub earlier: Option<EarlierView>,
    /// A number's deltas added up, the earlier ones included: the value. `null` for other kinds, and where a sum on
    /// the way has more than 28 digits.
    #[ts(type = "unknown")]
    pub sum: Option<Box<RawValue>>,
    /// What the handler of `set_by` did with the field: `set`, `add`…; empty if there is no such event.
    pub operation: String,
    /// The expression of that line of the model; `null` where the fold is inferred.
    pub expression: Option<String>,
    /// The condition of that handler; `null` if it has none.
    pub guard: Option<String>,
    /// Fields that the two read, with their values.
    pub fields: Vec<FieldRead>,
    /// Model used; whether it is inferred.
    pub model: ModelRef,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// Highest version folded; 0 if none.
    pub version: Version,
    /// Number of events looked at that could be folded.
    #[ts(type = "number")]
    pub events_folded: u64,
    /// Number of events looked at that could not be folded and changed nothing.
    #[ts(type = "number")]
    pub events_failed: u64,
    /// Number of events in the stream, whatever the as-of.
    #[ts(type = "number")]
    pub events_in_stream: u64,
    /// An event could not be folded, so the answer may miss what it would have done.
    pub incomplete: bool,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

/// The event that set a value, and who, what, when and why.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SetByView {
    /// Place in the log.
    pub position: Position,
    /// Place in the stream asked about.
    pub version: Version,
    /// Identity.
    pub id: Option<String>,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, UTC.
    pub time: Time,
    /// When this log took it, UTC.
    pub recorded_at: Time,
    /// From when on it counts, where the model has a time of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub counts_from: Option<Time>,
    /// Who did it.
    pub who: Option<ToldView>,
    /// Why, as the event says it.
    pub why: Option<ToldView>,
    /// The value before it; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub before: Option<Box<RawValue>>,
}

/// What an event says about itself, and where.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ToldView {
    /// What it says.
    pub value: String,
    /// The field that says it, or the model's expression for it; `null` if it is in none of the usual ones.
    pub from: Option<String>,
}

impl From<Told> for ToldView {
    fn from(told: Told) -> ToldView {
        ToldView {
            value: told.value,
            from: told.from,
        }
    }
}

/// What one event contributed to a value.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Contribution {
    /// Element or member that it gave, as a path in the state; absent where it is the value itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<String>,
    /// Place in the log.
    pub position: Position,
    /// Place in the stream asked about.
    pub version: Version,
    /// What happened.
    #[serde(rename = "type")]
    pub event_type: String,
    /// When it happened, UTC.
    pub time: Time,
    /// Who did it.
    pub actor: Option<String>,
    /// Why, as the event says it.
    pub reason: Option<String>,
    /// Value before the event; `null` if there was none.
    #[ts(type = "unknown")]
    pub before: Option<Box<RawValue>>,
    /// Value after the event.
    #[ts(type = "unknown")]
    pub after: Option<Box<RawValue>>,
    /// What it added to a number; all of `after` where it set the number anew. `null` for what is no number.
    #[ts(type = "unknown")]
    pub delta: Option<Box<RawValue>>,
    /// It set the value anew: what was there before does not count.
    pub sets: bool,
    /// What the handler did with the field: `set`, `add`…
    pub operation: String,
    /// The expression of that line of the model; `null` where the fold is inferred.
    pub expression: Option<String>,
    /// Fields that the line read, with their values.
    pub fields: Vec<FieldRead>,
}

/// Contributions that are not listed.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct EarlierView {
    /// How many.
    #[ts(type = "number")]
    pub count: u64,
    /// A number's deltas added up.
    #[ts(type = "unknown")]
    pub sum: Option<Box<RawValue>>,
}

/// A field that an expression read.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct FieldRead {
    /// The field as an expression writes it: `data.price`, `state.total`.
    pub path: String,
    /// Its value; absent if it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional, type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// It, or something in it, was not recorded: the upcaster that assumed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub assumed: Option<String>,
}

/// Why the value at a path of a stream's state is what it is at a moment. At most `limit` contributions are
/// listed, the newest; the others are counted and added up.
///
/// # Errors
/// As [`state`](super::state()); [`TemporalError::NoPath`] if the path is not in the state and never was.
///
/// ```
/// # use annals_core::{model::ModelSet, store::Log, temporal::*};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let now = Moment::AsOf(AsOf::default());
/// let why = why(&log, &models, &"account-12345".parse()?, &"balance".parse()?, &now, CONTRIBUTIONS)?;
/// let deltas: Vec<&str> = why.contributions.iter().filter_map(|c| Some(c.delta.as_ref()?.get())).collect();
/// assert_eq!(deltas, ["0.00", "1000.00", "-50.00", "500.00", "-202.17"]);
/// assert_eq!(why.sum.unwrap().get(), "1247.83");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn why(
    log: &Log,
    models: &ModelSet,
    stream: &StreamId,
    path: &FieldPath,
    moment: &Moment,
    limit: usize,
) -> Result<WhyView, TemporalError> {
    let row = stream_row(log, stream)?;
    let cut = Cut::of(log, stream, &row, moment)?;
    let model = models.for_category(&row.category);
    let mut first = None;
    let explained = explain(path, limit, &mut |each| -> Result<Fold, TemporalError> {
        let mut course = Course::new(Fold::new(Arc::clone(&model)));
        course.along_stream(log, stream, &cut, each)?;
        let fold = course.fold().clone();
        first.get_or_insert(course);
        Ok(fold)
    })?;
    let course = first.unwrap_or_else(|| Course::new(Fold::new(Arc::clone(&model))));
    let Explained {
        kind,
        value,
        set_by,
        confirmed,
        last_confirmed,
        contributions,
        contributions_count,
        earlier,
        sum,
        account,
    } = explained.map_err(|near| TemporalError::NoPath {
        stream: stream.clone(),
        path: path.to_string(),
        version: course.version,
        near,
    })?;
    let StateView {
        stream,
        category,
        as_of,
        reading,
        version,
        events_folded,
        events_failed,
        events_in_stream,
        model,
        incomplete,
        findings,
        ..
    } = course.view(stream, &row, cut.as_of, models);
    Ok(WhyView {
        stream,
        category,
        path: path.to_string(),
        kind,
        value,
        set_by,
        confirmed,
        last_confirmed: last_confirmed.map(|(_, version)| version),
        contributions,
        contributions_count,
        sum,
        earlier,
        operation: account.operation.to_owned(),
        expression: account.expression,
        guard: account.guard,
        fields: read(account.fields),
        model,
        as_of,
        reading,
        version,
        events_folded,
        events_failed,
        events_in_stream,
        incomplete,
        findings,
    })
}

/// Why a value is what it is, whatever its state belongs to.
pub(crate) struct Explained {
    pub(crate) kind: WhyKind,
    pub(crate) value: Option<Box<RawValue>>,
    pub(crate) set_by: Option<SetByView>,
    pub(crate) confirmed: u64,
    /// The turn and the version of the last event that set it again to what it was.
    pub(crate) last_confirmed: Option<(u64, Version)>,
    pub(crate) contributions: Vec<Contribution>,
    pub(crate) contributions_count: u64,
    pub(crate) earlier: Option<EarlierView>,
    pub(crate) sum: Option<Box<RawValue>>,
    pub(crate) account: Account,
}

/// Goes through the events of a state with `pass`, which gives the fold at the end, once or twice, and says why the
/// value at a path is what it is. The paths near it, if it is not in the state and never was.
pub(crate) fn explain<E>(
    path: &FieldPath,
    limit: usize,
    pass: &mut dyn FnMut(&mut Each<'_>) -> Result<Fold, E>,
) -> Result<Result<Explained, Vec<String>>, E> {
    let mut trace = Trace::new(path.clone());
    let mut taken = 0;
    let end = pass(&mut |when, at, event| {
        if when == When::After {
            trace.note(at.fold, event, at.turn);
            taken = at.turn + 1;
        }
        true
    })?;
    let value = path.get(end.state());
    let (kind, found) = match value {
        _ if taken == 0 => (WhyKind::Nothing, Ancestry::default()),
        Some(value) => (kind_of(value), ancestry(&trace, value)),
        None => match trace.vanishing() {
            Some(set_by) => (WhyKind::Gone, set_by),
            None => return Ok(Err(near(end.state(), path))),
        },
    };
    let confirmed = found.confirmed.len() as u64;
    let last_confirmed = found.confirmed.last().copied();
    let mut telling = Telling::new(found, path, kind, limit);
    if telling.awaits_any() {
        pass(&mut |when, at, event| {
            match when {
                When::Before => telling.before(at, event),
                When::After => telling.after(at.fold, event),
            }
            true
        })?;
    }
    let Telling {
        set_by,
        account,
        contributions,
        count,
        earlier,
        sum,
        ..
    } = telling;
    Ok(Ok(Explained {
        kind,
        value: value.map(raw),
        set_by,
        confirmed,
        last_confirmed,
        contributions,
        contributions_count: count,
        earlier: earlier.filter(|earlier| earlier.count > 0),
        sum: sum.total().filter(|_| kind == WhyKind::Number),
        account: account.unwrap_or_default(),
    }))
}

/// What kind of value this is.
pub(crate) fn kind_of(value: &Value) -> WhyKind {
    match value {
        Value::Number(_) => WhyKind::Number,
        Value::Array(_) => WhyKind::List,
        Value::Object(_) => WhyKind::Object,
        Value::Null | Value::Bool(_) | Value::String(_) => WhyKind::Value,
    }
}

pub(crate) fn read(fields: Vec<Field>) -> Vec<FieldRead> {
    fields
        .into_iter()
        .map(|field| FieldRead {
            path: field.path,
            value: field.value.as_ref().map(raw),
            assumed: field.assumed,
        })
        .collect()
}

/// A sum of deltas on its way.
#[derive(Debug, Clone, Copy)]
struct Sum(Option<Exact>);

impl Sum {
    fn zero() -> Sum {
        Sum(Some(Exact::Int(0)))
    }

    fn add(&mut self, delta: Option<&Value>) {
        let number = delta
            .and_then(Value::as_number)
            .and_then(|number| Exact::read(number.as_str()).ok());
        self.0 = match (self.0, number) {
            (Some(sum), Some(number)) => sum.add(number).ok(),
            _ => None,
        };
    }

    fn total(self) -> Option<Box<RawValue>> {
        self.0.map(|sum| raw(&Value::Number(sum.to_json())))
    }
}

/// The second time through the stream: what each event of the ancestry did.
struct Telling {
    kind: WhyKind,
    path: FieldPath,
    /// In the order of the fold.
    sources: std::iter::Peekable<std::vec::IntoIter<Source>>,
    setter: Option<Source>,
    set_by: Option<SetByView>,
    account: Option<Account>,
    /// Sources of the event under way, with what stood there before it.
    under_way: Vec<(Source, Account, Option<Value>)>,
    circumstances: Circumstances,
    contributions: Vec<Contribution>,
    count: u64,
    /// Most contributions that are listed.
    limit: u64,
    /// Sources still to come that are counted and not listed.
    skipped: u64,
    earlier: Option<EarlierView>,
    earlier_sum: Sum,
    sum: Sum,
}

impl Telling {
    fn new(found: Ancestry, path: &FieldPath, kind: WhyKind, limit: usize) -> Telling {
        let count = found.sources.len() as u64;
        let skipped = count.saturating_sub(limit as u64);
        Telling {
            kind,
            path: path.clone(),
            sources: found.sources.into_iter().peekable(),
            setter: found.set_by,
            set_by: None,
            account: None,
            under_way: Vec::new(),
            circumstances: Circumstances::default(),
            contributions: Vec::new(),
            count,
            limit: limit as u64,
            skipped,
            earlier: None,
            earlier_sum: Sum::zero(),
            sum: Sum::zero(),
        }
    }

    fn awaits_any(&mut self) -> bool {
        self.sources.peek().is_some() || self.setter.is_some()
    }

    fn before(&mut self, at: &At<'_>, event: &StreamEvent) {
        let (fold, turn) = (at.fold, at.turn);
        let stood = |source: &Source| source.before.as_ref()?.get(fold.state()).cloned();
        let setter = self.setter.take_if(|source| source.turn == turn);
        let sets = setter.is_some();
        if let Some(source) = setter {
            self.account = Some(fold.account(event, source.line, at.key));
            self.circumstances = fold.circumstances(event);
            let counts_from = fold.model().has_time().then_some(at.time);
            self.set_by = Some(self.set_by_view(event, counts_from, stood(&source)));
        }
        let mut told = sets;
        let single = matches!(self.kind, WhyKind::Number | WhyKind::Value);
        while let Some(mut source) = self.sources.next_if(|source| source.turn == turn) {
            let before = stood(&source);
            if single && !source.sets && before.as_ref().is_none_or(Value::is_null) {
                // Nothing to build on was there, so what came before does not count.
                source.sets = true;
                self.start_over();
            }
            let listed = self.under_way.len() as u64 >= self.skipped;
            if listed && !told {
                self.circumstances = fold.circumstances(event);
            }
            told |= listed;
            let account = if listed {
                fold.account(event, source.line, at.key)
            } else {
                Account::default()
            };
            self.under_way.push((source, account, before));
        }
    }

    /// Drops what was told so far.
    fn start_over(&mut self) {
        let told = (self.contributions.len() + self.under_way.len()) as u64;
        self.count -= told + self.earlier.as_ref().map_or(0, |earlier| earlier.count);
        self.skipped = self.count.saturating_sub(self.limit);
        self.under_way.clear();
        self.contributions.clear();
        self.earlier = None;
        self.earlier_sum = Sum::zero();
        self.sum = Sum::zero();
    }

    fn set_by_view(
        &self,
        event: &StreamEvent,
        counts_from: Option<Time>,
        before: Option<Value>,
    ) -> SetByView {
        let Circumstances { who, why } = self.circumstances.clone();
        SetByView {
            position: event.event.position,
            version: event.version,
            id: event.event.id.as_ref().map(ToString::to_string),
            event_type: event.event.event_type.to_string(),
            time: event.event.time.time,
            recorded_at: event.event.recorded_at,
            counts_from,
            who: who.map(Into::into),
            why: why.map(Into::into),
            before: before.as_ref().map(raw),
        }
    }

    fn after(&mut self, fold: &Fold, event: &StreamEvent) {
        for (source, account, before) in std::mem::take(&mut self.under_way) {
            let after = source.after.get(fold.state());
            let delta = match self.kind {
                WhyKind::Number => delta(&source, before.as_ref(), after),
                _ => None,
            };
            self.sum.add(delta.as_ref());
            if self.skipped > 0 {
                self.skipped -= 1;
                self.earlier_sum.add(delta.as_ref());
                let earlier = self.earlier.get_or_insert(EarlierView {
                    count: 0,
                    sum: None,
                });
                earlier.count += 1;
                earlier.sum = self
                    .earlier_sum
                    .total()
                    .filter(|_| self.kind == WhyKind::Number);
                continue;
            }
            let Circumstances { who, why } = self.circumstances.clone();
            self.contributions.push(Contribution {
                path: (source.now != self.path).then(|| source.now.to_string()),
                position: event.event.position,
                version: event.version,
                event_type: event.event.event_type.to_string(),
                time: event.event.time.time,
                actor: who.map(|told| told.value),
                reason: why.map(|told| told.value),
                before: before.as_ref().map(raw),
                after: after.map(raw),
                delta: delta.as_ref().map(raw),
                sets: source.sets,
                operation: account.operation.to_owned(),
                expression: account.expression,
                fields: read(account.fields),
            });
        }
    }
}

/// What an event added to a number.
fn delta(source: &Source, before: Option<&Value>, after: Option<&Value>) -> Option<Value> {
    let after = after?.as_number()?;
    let Some(Value::Number(before)) = before.filter(|_| !source.sets) else {
        return Some(Value::Number(after.clone()));
    };
    let added = Exact::read(after.as_str())
        .ok()?
        .sub(Exact::read(before.as_str()).ok()?)
        .ok()?;
    Some(Value::Number(added.to_json()))
}

/// Paths of a state that come close to one that is not in it.
pub(crate) fn near(state: &Value, path: &FieldPath) -> Vec<String> {
    let mut known = Vec::new();
    gather(state, &FieldPath::default(), &mut known);
    let wanted = plain(&path.to_string());
    let last = |path: &FieldPath| match path.0.last() {
        Some(Step::Key(key)) => plain(key),
        Some(Step::Index(_)) | None => String::new(),
    };
    let wanted_last = last(path);
    let mut ranked: Vec<(usize, String)> = known
        .into_iter()
        .filter_map(|known| {
            let written = known.to_string();
            let name = plain(&written);
            let own = last(&known);
            let rank = if name == wanted {
                0
            } else if !own.is_empty() && own == wanted_last {
                1
            } else if !own.is_empty() && distance_at_most(&own, &wanted_last, 2) {
                2
            } else if path.0.len() > 1 && path.0.starts_with(&known.0) {
                3
            } else if own.len() > 2 && (own.contains(&wanted_last) || wanted_last.contains(&own)) {
                4
            } else {
                return None;
            };
            Some((rank, written))
        })
        .filter(|(_, written)| !written.is_empty())
        .collect();
    if ranked.is_empty()
        && let Value::Object(fields) = state
    {
        ranked = fields
            .keys()
            .map(|key| (5, FieldPath(vec![Step::Key(key.clone())]).to_string()))
            .collect();
    }
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.truncate(MAX_NEAR);
    ranked.into_iter().map(|(_, written)| written).collect()
}

fn gather(value: &Value, at: &FieldPath, known: &mut Vec<FieldPath>) {
    if known.len() >= MAX_LOOKED_AT {
        return;
    }
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let inner = at.then(Step::Key(key.clone()));
                known.push(inner.clone());
                gather(value, &inner, known);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                let inner = at.then(Step::Index(index));
                known.push(inner.clone());
                gather(value, &inner, known);
            }
        }
        _ => {}
    }
}

/// A name without case, `_` and `-`.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !matches!(c, '_' | '-'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether so few letters more, less or other make one word of the other.
fn distance_at_most(a: &str, b: &str, most: usize) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > most || a.len() <= most || b.len() <= most {
        return false;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut corner = i;
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let kept = corner + usize::from(x != y);
            corner = row[j + 1];
            row[j + 1] = kept.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()] <= most
}
