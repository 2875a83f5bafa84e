//! Annals' own export as CloudEvents, read back: `docs/export.md` says which attribute holds what.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Draft;
use super::native::{Beyond, Link};
use crate::event::JSON;
use crate::time::{SourceTime, Time};

/// One line of an export. An attribute that it does not know makes it another's CloudEvent, and so does one that it
/// misses: the subject of an event whose identity was erased.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    #[serde(rename = "specversion")]
    _specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    event_type: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    time: String,
    datacontenttype: Option<String>,
    sequence: String,
    recordedtime: String,
    #[serde(borrow)]
    category: Cow<'a, str>,
    streamversion: String,
    #[serde(rename = "authtype")]
    _authtype: Option<serde::de::IgnoredAny>,
    #[serde(rename = "authid")]
    _authid: Option<serde::de::IgnoredAny>,
    #[serde(rename = "correlationid")]
    _correlationid: Option<serde::de::IgnoredAny>,
    #[serde(rename = "causationid")]
    _causationid: Option<serde::de::IgnoredAny>,
    schemaversion: Option<String>,
    importedfrom: Option<String>,
    importedid: Option<String>,
    importedversion: Option<String>,
    importedsequence: Option<String>,
    importedrecordedtime: Option<String>,
    linkedsubjects: Option<String>,
    metadata: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    data_base64: Option<String>,
}

/// Maps the line to the event that was exported; `None` where it is another's CloudEvent.
///
/// What the export says of the source goes the way that it goes from an export as JSON Lines. Actor, correlation and
/// causation are extracted again. A time that the export had to write in another form comes back in that.
pub(in crate::import) fn map(text: &str) -> Option<Draft<'_>> {
    let line: Line<'_> = serde_json::from_str(text).ok()?;
    if !line.source.starts_with("urn:uuid:") {
        return None;
    }
    let mut time = SourceTime::parse(&line.time, chrono_tz::UTC).ok()?;
    if line.time == time.time.to_string() {
        time.text = None;
    }
    let links: Vec<Link> = match &line.linkedsubjects {
        Some(links) => serde_json::from_str(links).ok()?,
        None => Vec::new(),
    };
    let data_type = line.datacontenttype.filter(|name| name != JSON);
    let (data, data_hex) = match (line.data, &line.data_base64) {
        (Some(data), None) if data_type.is_none() || !data.get().starts_with('"') => {
            (Cow::Borrowed(data.get()), None)
        }
        // Text of another kind, which stands in a text of JSON.
        (Some(data), None) => match data_type.as_deref().is_some_and(crate::event::is_json_type) {
            true => (Cow::Borrowed(data.get()), None),
            false => (Cow::Owned(serde_json::from_str(data.get()).ok()?), None),
        },
        (None, Some(base64)) => {
            let bytes = STANDARD.decode(base64).ok()?;
            let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            (Cow::Borrowed("null"), Some(hex))
        }
        // An event without data had them erased, which no import makes again.
        (None, None) | (Some(_), Some(_)) => return None,
    };
    let beyond = Beyond {
        links: links.into_iter().map(Link::parts).collect(),
        data_type,
        metadata_type: None,
        data_hex,
        metadata_hex: None,
    };
    let appended_there = line.importedfrom.is_none();
    let recorded = match (&line.importedrecordedtime, appended_there) {
        (Some(time), _) => Some(Time::parse_rfc3339(time).ok()?),
        (None, true) => Some(Time::parse_rfc3339(&line.recordedtime).ok()?),
        (None, false) => None,
    };
    let position = || line.sequence.trim_start_matches('0').to_owned();
    Some(Draft {
        stream: line.subject,
        category: Some(line.category),
        event_type: Some(line.event_type),
        time: Some(time),
        id: Some(line.id),
        schema_version: line.schemaversion.map(Cow::Owned),
        source: line.importedfrom.map(Cow::Owned),
        source_id: line.importedid.map(Cow::Owned),
        source_version: line
            .importedversion
            .or_else(|| appended_there.then_some(line.streamversion))
            .map(Cow::Owned),
        source_position: line
            .importedsequence
            .or_else(|| appended_there.then(position))
            .map(Cow::Owned),
        source_recorded_at: recorded,
        data,
        metadata: line.metadata.map(Cow::Owned),
        in_log_order: true,
        beyond: (beyond != Beyond::default()).then(|| Box::new(beyond)),
        ..Draft::default()
    })
}
