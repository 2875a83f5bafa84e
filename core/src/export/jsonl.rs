//! One event a line: an [`EventView`], and behind its members what that leaves out, so that an import gives the
//! same event again. `docs/export.md` draws the line.

use std::io::Write;

use serde::Serialize;
use serde_json::value::RawValue;

use super::{Events, Form, Taken};
use crate::event::{Event, JSON, Payload};
use crate::store::{EventView, LinkView};
use crate::time::SourceTime;

/// Writes JSON Lines.
pub(super) struct Jsonl;

impl Form for Jsonl {
    fn take(&mut self, event: Event, links: &[LinkView], to: &mut Taken<'_>) -> Events {
        Ok(write(&mut to.buffer, event, links)?)
    }
}

/// What a line has beside the view, each where there is something to say.
#[derive(Serialize)]
struct Beyond<'e> {
    /// Payload as it is, where `data` does not show it byte for byte.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_text: Option<String>,
    /// Its bytes, where they are not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_hex: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_hex: Option<String>,
    /// Content type, where it is not `application/json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_type: Option<&'e str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata_type: Option<&'e str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    ambiguous: bool,
    /// Where the text of the time does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    zone_assumed: Option<bool>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    links: &'e [LinkView],
}

/// Writes an event as one line.
pub(super) fn write(out: &mut Vec<u8>, event: Event, links: &[LinkView]) -> std::io::Result<()> {
    let (data, metadata) = (event.data.clone(), event.metadata.clone());
    let SourceTime {
        text,
        zone_assumed,
        ambiguous,
        ..
    } = event.time.clone();
    let mut view = EventView::from(event);
    let (data_text, data_hex) = beside(&mut view.data, data.as_ref());
    let (metadata_text, metadata_hex) = beside(&mut view.metadata, metadata.as_ref());
    let kind = |payload: &'_ Option<Payload>| -> Option<String> {
        let kind = &payload.as_ref()?.content_type;
        (&**kind != JSON).then(|| kind.to_string())
    };
    let (data_type, metadata_type) = (kind(&data), kind(&metadata));
    let beyond = Beyond {
        data_text,
        metadata_text,
        data_hex,
        metadata_hex,
        data_type: data_type.as_deref(),
        metadata_type: metadata_type.as_deref(),
        ambiguous,
        zone_assumed: (zone_assumed != says_no_zone(text.as_deref())).then_some(zone_assumed),
        links,
    };
    serde_json::to_writer(&mut *out, &view)?;
    let start = out.len();
    serde_json::to_writer(&mut *out, &beyond)?;
    if out[start..] == *b"{}" {
        out.truncate(start);
    } else {
        // The two objects become one.
        out[start] = b',';
        out.remove(start - 1);
    }
    out.write_all(b"\n")
}

/// Whether the text of a time tells by itself that its zone was assumed.
pub(crate) fn says_no_zone(text: Option<&str>) -> bool {
    text.is_some_and(|text| {
        SourceTime::parse(text, chrono_tz::UTC).is_ok_and(|time| time.zone_assumed)
    })
}

/// Text and bytes to stand beside a payload that its member does not show byte for byte. Line ends in that member
/// become spaces: in JSON they stand between tokens only, in strings they are escaped.
fn beside(
    shown: &mut Option<Box<RawValue>>,
    payload: Option<&Payload>,
) -> (Option<String>, Option<String>) {
    let Some(payload) = payload else {
        return (None, None);
    };
    let Ok(text) = std::str::from_utf8(&payload.bytes) else {
        let hex = payload.bytes.iter().map(|b| format!("{b:02x}")).collect();
        return (None, Some(hex));
    };
    if let Some(json) = shown.as_ref().map(|json| json.get())
        && json.contains(['\n', '\r'])
        && let Ok(folded) = RawValue::from_string(json.replace(['\n', '\r'], " "))
    {
        *shown = Some(folded);
    }
    // A member `null` may also stand for nothing.
    let whole = shown
        .as_ref()
        .is_some_and(|json| json.get() == text && text != "null");
    ((!whole).then(|| text.to_owned()), None)
}
