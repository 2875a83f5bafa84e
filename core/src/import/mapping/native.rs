//! Annals' own export, read back: one [`crate::store::EventView`] a line.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Draft, Members};
use crate::time::{SourceTime, Time};

/// Whether the record has the keys that every exported event has.
pub(super) fn looks_native(members: &Members<'_>) -> bool {
    [
        "date_only",
        "recorded_at",
        "position",
        "stream",
        "version",
        "type",
        "time",
    ]
    .iter()
    .all(|key| members.iter().any(|(k, _)| k == key))
}

/// One line of an export. A key that it does not know makes it another format.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    position: u64,
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    category: Cow<'a, str>,
    version: u64,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    time: Time,
    time_text: Option<String>,
    date_only: bool,
    recorded_at: Time,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(rename = "actor")]
    _actor: Option<serde::de::IgnoredAny>,
    #[serde(rename = "correlation")]
    _correlation: Option<serde::de::IgnoredAny>,
    #[serde(rename = "causation")]
    _causation: Option<serde::de::IgnoredAny>,
    schema_version: Option<String>,
    source: Option<String>,
    source_id: Option<String>,
    source_version: Option<String>,
    source_position: Option<String>,
    source_recorded_at: Option<Time>,
    #[serde(borrow)]
    data: &'a RawValue,
    #[serde(borrow)]
    metadata: Option<&'a RawValue>,
    /// The payload as it is, where it spans lines.
    data_text: Option<String>,
    metadata_text: Option<String>,
}

/// Maps the line to the event that was exported; `None` if it is another format after all.
///
/// An event that was imported into that log keeps the source it had there. For one that was appended there,
/// that log is the source: its place, version and recording time become the source's own. Actor, correlation
/// and causation are extracted again.
pub(super) fn map(text: &str) -> Option<Draft<'_>> {
    let line: Line<'_> = serde_json::from_str(text).ok()?;
    let zone_assumed = line
        .time_text
        .as_deref()
        .is_some_and(|text| SourceTime::parse(text, chrono_tz::UTC).is_ok_and(|t| t.zone_assumed));
    let appended_there = line.source.is_none();
    Some(Draft {
        stream: line.stream,
        category: Some(line.category),
        event_type: Some(line.event_type),
        time: Some(SourceTime {
            time: line.time,
            text: line.time_text,
            date_only: line.date_only,
            zone_assumed,
            ambiguous: false,
        }),
        id: Some(line.id),
        schema_version: line.schema_version.map(Cow::Owned),
        source_id: line.source_id.map(Cow::Owned),
        source_version: line
            .source_version
            .or_else(|| appended_there.then(|| line.version.to_string()))
            .map(Cow::Owned),
        source_position: line
            .source_position
            .or_else(|| appended_there.then(|| line.position.to_string()))
            .map(Cow::Owned),
        source_recorded_at: line
            .source_recorded_at
            .or_else(|| appended_there.then_some(line.recorded_at)),
        source: line.source.map(Cow::Owned),
        data: own_text(line.data_text, line.data.get()),
        metadata: line.metadata.map(|m| own_text(line.metadata_text, m.get())),
        in_log_order: true,
        repeated_key: None,
    })
}

/// The text as it was before the export folded its lines, if it is that.
fn own_text(text: Option<String>, folded: &str) -> Cow<'_, str> {
    match text {
        Some(text) if text.replace(['\n', '\r'], " ") == folded => Cow::Owned(text),
        _ => Cow::Borrowed(folded),
    }
}
