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
/// Place, version and recording time of the log it came from become the source's own where the event had
/// none: that log is the source now. Actor, correlation and causation are extracted again.
pub(super) fn map(text: &str) -> Option<Draft<'_>> {
    let line: Line<'_> = serde_json::from_str(text).ok()?;
    let zone_assumed = line
        .time_text
        .as_deref()
        .is_some_and(|text| SourceTime::parse(text, chrono_tz::UTC).is_ok_and(|t| t.zone_assumed));
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
        source: line.source.map(Cow::Owned),
        source_id: line.source_id.map(Cow::Owned),
        source_version: Some(Cow::Owned(
            line.source_version
                .unwrap_or_else(|| line.version.to_string()),
        )),
        source_position: Some(Cow::Owned(
            line.source_position
                .unwrap_or_else(|| line.position.to_string()),
        )),
        source_recorded_at: Some(line.source_recorded_at.unwrap_or(line.recorded_at)),
        data: own_text(line.data_text, line.data.get()),
        metadata: line.metadata.map(|m| own_text(line.metadata_text, m.get())),
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
