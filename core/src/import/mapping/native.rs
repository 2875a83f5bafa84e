//! Annals' own export, read back: one [`crate::store::EventView`] a line.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Draft, Members};
use crate::id::StreamId;
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
    /// The payload as it is, where `data` does not show it byte for byte; in hexadecimal where it is no text.
    data_text: Option<String>,
    metadata_text: Option<String>,
    data_hex: Option<String>,
    metadata_hex: Option<String>,
    data_type: Option<String>,
    metadata_type: Option<String>,
    #[serde(default)]
    ambiguous: bool,
    zone_assumed: Option<bool>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    stream: StreamId,
    #[serde(rename = "version")]
    _version: u64,
    qualifier: String,
}

impl Link {
    pub(super) fn parts(self) -> (StreamId, String) {
        (self.stream, self.qualifier)
    }
}

/// What other formats cannot say of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::import) struct Beyond {
    pub links: Vec<(StreamId, String)>,
    pub data_type: Option<String>,
    pub metadata_type: Option<String>,
    pub data_hex: Option<String>,
    pub metadata_hex: Option<String>,
}

/// Bytes written in hexadecimal; `None` if it is none.
pub(in crate::import) fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// Maps the line to the event that was exported; `None` if it is another format after all.
///
/// An event that was imported into that log keeps the source it had there. For one that was appended there,
/// that log is the source: its place, version and recording time become the source's own. Actor, correlation
/// and causation are extracted again.
pub(super) fn map(text: &str) -> Option<Draft<'_>> {
    let line: Line<'_> = serde_json::from_str(text).ok()?;
    let assumed = || {
        let text = line.time_text.as_deref()?;
        Some(SourceTime::parse(text, chrono_tz::UTC).ok()?.zone_assumed)
    };
    let zone_assumed = line.zone_assumed.or_else(assumed).unwrap_or_default();
    let hex = [&line.data_hex, &line.metadata_hex];
    if hex.into_iter().flatten().any(|hex| bytes_of(hex).is_none()) {
        return None;
    }
    let beyond = Beyond {
        links: line.links.into_iter().map(Link::parts).collect(),
        data_type: line.data_type,
        metadata_type: line.metadata_type,
        data_hex: line.data_hex,
        metadata_hex: line.metadata_hex,
    };
    let has_metadata =
        line.metadata.is_some() || line.metadata_text.is_some() || beyond.metadata_hex.is_some();
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
            ambiguous: line.ambiguous,
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
        metadata: has_metadata.then(|| {
            own_text(
                line.metadata_text,
                line.metadata.map_or("null", RawValue::get),
            )
        }),
        in_log_order: true,
        unordered: false,
        unread_time: None,
        repeated_key: None,
        kind_differs: Vec::new(),
        beyond: (beyond != Beyond::default()).then(|| Box::new(beyond)),
    })
}

/// The text as it was before the export folded its lines, if it is that; any text where `null` stands for it.
fn own_text(text: Option<String>, folded: &str) -> Cow<'_, str> {
    match text {
        Some(text) if folded == "null" || text.replace(['\n', '\r'], " ").trim() == folded => {
            Cow::Owned(text)
        }
        _ => Cow::Borrowed(folded),
    }
}
