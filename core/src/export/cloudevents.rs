//! CloudEvents 1.0 in the JSON format, one event a line. `docs/export.md` says which attribute holds what.
//!
//! Left out: nothing that can be said. What the specification has no attribute for stands in extensions, whose values
//! are texts.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use super::notes::{is_json, of_erased, rfc3339};
use super::{Events, Form, Taken};
use crate::event::{Event, Payload, members_of};
use crate::store::{LinkView, Log};

/// Writes CloudEvents.
pub(super) struct CloudEvents {
    /// What the events of this log have as source.
    source: String,
}

impl CloudEvents {
    pub(super) fn of(log: &Log) -> CloudEvents {
        CloudEvents {
            source: format!("urn:uuid:{}", log.id()),
        }
    }
}

impl Form for CloudEvents {
    fn take(&mut self, event: Event, links: &[LinkView], to: &mut Taken<'_>) -> Events {
        of_erased(&mut to.notes, &event);
        if let Some(line) = as_it_came(&event) {
            to.buffer.extend_from_slice(line.as_bytes());
            to.buffer.push(b'\n');
            return Ok(());
        }
        let time = rfc3339(&mut to.notes, &event);
        let id = match &event.id {
            Some(id) => id.to_string(),
            // The identity was erased; an id is required.
            None => format!("erased-{}", event.position),
        };
        let metadata = event.metadata.as_ref();
        let metadata_text = metadata.and_then(|m| std::str::from_utf8(&m.bytes).ok());
        if metadata.is_some() && metadata_text.is_none() {
            to.notes.left_out(&event, "metadata that are not text");
        }
        let data = event.data.as_ref();
        let shown = data.map_or(Data::default(), Data::of);
        let (source_id, source_version) = (&event.source.source_id, &event.source.source_version);
        let line = Line {
            specversion: "1.0",
            id: &id,
            source: &self.source,
            event_type: event.event_type.as_str(),
            subject: event.stream.as_ref().map(|s| s.as_str()),
            time: &time,
            datacontenttype: data.map(|data| &*data.content_type),
            sequence: format!("{:020}", event.position.0),
            recordedtime: event.recorded_at.to_string(),
            category: event.category.as_ref().map(|c| c.as_str()),
            streamversion: event.version.to_string(),
            authtype: event.actor.as_ref().map(|_| "unknown"),
            authid: event.actor.as_ref().map(|a| a.as_str()),
            correlationid: event.correlation.as_deref(),
            causationid: event.causation.as_deref(),
            schemaversion: event.schema_version.as_deref(),
            importedfrom: event.source.source.as_deref(),
            importedid: source_id.as_deref(),
            importedversion: source_version.as_deref(),
            importedsequence: event.source.source_position.as_deref(),
            importedrecordedtime: event.source.source_recorded_at.map(|t| t.to_string()),
            linkedsubjects: match links {
                [] => None,
                links => Some(serde_json::to_string(links).map_err(std::io::Error::from)?),
            },
            metadata: metadata_text,
            data: shown.json,
            data_text: shown.text,
            data_base64: shown.base64,
        };
        serde_json::to_writer(&mut to.buffer, &line).map_err(std::io::Error::from)?;
        to.buffer.push(b'\n');
        Ok(())
    }
}

/// A line, in the order in which the specification names the attributes.
#[derive(Serialize)]
struct Line<'e> {
    specversion: &'static str,
    id: &'e str,
    source: &'e str,
    #[serde(rename = "type")]
    event_type: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'e str>,
    time: &'e str,
    #[serde(skip_serializing_if = "Option::is_none")]
    datacontenttype: Option<&'e str>,
    /// Extension "Sequence": a text whose order is that of the events.
    sequence: String,
    /// Extension "Recorded time".
    recordedtime: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'e str>,
    streamversion: String,
    /// Extension "Auth context".
    #[serde(skip_serializing_if = "Option::is_none")]
    authtype: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authid: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlationid: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causationid: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    schemaversion: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importedfrom: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importedid: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importedversion: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importedsequence: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    importedrecordedtime: Option<String>,
    /// JSON as text: an extension holds no lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    linkedsubjects: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(rename = "data", skip_serializing_if = "Option::is_none")]
    data_text: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data_base64: Option<String>,
}

/// A payload in the member that is for it.
#[derive(Default)]
struct Data<'e> {
    json: Option<Box<RawValue>>,
    text: Option<&'e str>,
    base64: Option<String>,
}

impl Data<'_> {
    fn of(payload: &Payload) -> Data<'_> {
        let text = std::str::from_utf8(&payload.bytes);
        match text {
            Ok(text) if is_json(payload) => Data {
                json: RawValue::from_string(on_one_line(text)).ok(),
                ..Data::default()
            },
            Ok(text) if !payload.is_json() => Data {
                text: Some(text),
                ..Data::default()
            },
            Ok(_) | Err(_) => Data {
                base64: Some(STANDARD.encode(&payload.bytes)),
                ..Data::default()
            },
        }
    }
}

/// JSON without line ends, which stand between its tokens only.
fn on_one_line(json: &str) -> String {
    json.trim_ascii().replace(['\n', '\r'], " ")
}

/// An event that was read from CloudEvents, as it was: its envelope with the payload back in it.
fn as_it_came(event: &Event) -> Option<String> {
    let (data, metadata) = (event.data.as_ref()?, event.metadata.as_ref()?);
    let members = members_of(metadata.json_text()?).ok()?;
    let (_, envelope) = members.iter().find(|(key, _)| key == "envelope")?;
    let envelope = members_of(envelope.get()).ok()?;
    let has = |name: &str| envelope.iter().any(|(key, _)| key == name);
    if !["specversion", "id", "source", "type"]
        .iter()
        .all(|key| has(key))
        || !is_json(data)
    {
        return None;
    }
    let mut line = String::from("{");
    for (at, (key, value)) in envelope.iter().enumerate() {
        line.push_str(if at == 0 { "" } else { "," });
        let value = match &**key {
            "data" => data.json_text()?,
            _ => value.get(),
        };
        let key = serde_json::Value::from(&**key);
        write!(line, "{key}:{}", on_one_line(value)).ok()?;
    }
    line.push('}');
    Some(line)
}
