//! States of a category's streams at an instant, from the interval index: what tables of SQL read where it can tell.

use serde_json::Value;

use super::spans::{IntervalIndex, Need};
use crate::id::Category;
use crate::model::{FieldPath, ModelSet};
use crate::position::Position;
use crate::store::Log;
use crate::temporal::TemporalError;
use crate::time::Time;

/// What is wanted of the streams of a category.
pub(crate) struct StatesAt<'s> {
    pub(crate) log: &'s Log,
    pub(crate) models: &'s ModelSet,
    pub(crate) category: &'s Category,
    /// The fields whose values are wanted.
    pub(crate) fields: &'s [FieldPath],
    /// Only streams whose one field is this text.
    pub(crate) equal: Option<&'s str>,
    /// Names of the streams are wanted, too.
    pub(crate) named: bool,
    pub(crate) at: Time,
    /// The log's last position, all of which counts.
    pub(crate) head: Position,
}

/// Streams that had begun by the instant.
pub(crate) enum FoundAt {
    /// So many, all with the text that was asked for.
    Count(u64),
    /// By name, each with its values of the fields.
    Streams(Vec<(String, Vec<Option<Value>>)>),
}

/// Asks the index, which puts fields in that it lacks; `None` where it cannot tell, or where folding the streams has
/// more to say: events that cannot be folded, values that are lists or objects.
///
/// # Errors
/// [`TemporalError`] of the log; cancelled.
pub(crate) fn states_at(
    index: &IntervalIndex,
    wanted: &StatesAt<'_>,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Option<FoundAt>, TemporalError> {
    let need = Need {
        log: wanted.log,
        models: wanted.models,
        category: wanted.category,
        fields: wanted.fields,
    };
    // What another process put in meanwhile is not there for whoever asks.
    if index.bring(&need, wanted.head, go_on)? != Some(wanted.head) {
        return Ok(None);
    }
    // What the cache cannot say now, the events can.
    let Ok(totals) = index.totals(wanted.category) else {
        return Ok(None);
    };
    if totals.untold > 0 || totals.failed > 0 {
        return Ok(None);
    }
    if let Some(text) = wanted.equal {
        let value = Value::from(text);
        let Ok(Some(counts)) = index.counts_at(&need, &value, &[wanted.at]) else {
            return Ok(values(index, &need, wanted.at));
        };
        if !wanted.named {
            return Ok(counts.first().map(|count| FoundAt::Count(*count)));
        }
        let expected = counts
            .first()
            .map_or(0, |count| usize::try_from(*count).unwrap_or(usize::MAX));
        let all = (usize::MAX, expected);
        let found = index.streams_at(&need, &value, wanted.at, all).ok();
        return Ok(found.map(|found| {
            let rows = found.into_iter();
            let rows = rows.map(|row| (row.stream, vec![Some(value.clone())]));
            FoundAt::Streams(rows.collect())
        }));
    }
    Ok(values(index, &need, wanted.at))
}

fn values(index: &IntervalIndex, need: &Need<'_>, at: Time) -> Option<FoundAt> {
    let found = index.values_at(need, at).ok()?;
    let is_composed =
        |value: &Option<Value>| matches!(value, Some(Value::Array(_) | Value::Object(_)));
    let composed = found
        .iter()
        .any(|(_, values)| values.iter().any(is_composed));
    (!composed).then_some(FoundAt::Streams(found))
}
