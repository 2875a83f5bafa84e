//! What a format has no place for, said with the number of events and the first.

use serde_json::value::RawValue;

use super::ExportFormat;
use crate::event::{Event, Payload};
use crate::finding::{Finding, FindingKind, Findings, Place, Severity};
use crate::store::LinkView;
use crate::time::{SourceTime, Time};

/// Findings of an export.
pub(super) struct Notes {
    findings: Findings,
    /// The format with its article: `a CSV`.
    name: &'static str,
}

impl Notes {
    pub(super) fn of(format: ExportFormat) -> Notes {
        Notes {
            findings: Findings::default(),
            name: match format {
                ExportFormat::Jsonl => "JSON Lines",
                ExportFormat::CloudEvents => "CloudEvents",
                ExportFormat::Csv => "a CSV",
                ExportFormat::Xlsx => "a workbook",
                ExportFormat::Xes => "XES",
                ExportFormat::OcelJson => "OCEL",
                ExportFormat::OcelSqlite => "OCEL in SQLite",
                ExportFormat::Parquet => "this Parquet",
            },
        }
    }

    /// The format has no place for `what` of this event.
    pub(super) fn left_out(&mut self, event: &Event, what: &str) {
        let name = self.name;
        let detail = format!("{name} has no place for {what}; an export as JSON Lines holds all");
        self.add(Severity::Warning, event, detail);
    }

    /// The format holds something of this event otherwise than the log does.
    pub(super) fn held_otherwise(&mut self, event: &Event, how: &str) {
        self.add(Severity::Notice, event, how.to_owned());
    }

    /// The format holds something otherwise than the log does, which is of no one event.
    pub(super) fn in_all(&mut self, how: String) {
        let (kind, place) = (FindingKind::NotKept, Place::default());
        self.findings.add_cause(kind, Severity::Notice, place, how);
    }

    fn add(&mut self, severity: Severity, event: &Event, detail: String) {
        let place = Place {
            stream: event.stream.as_ref().map(ToString::to_string),
            version: Some(event.version),
            position: Some(event.position),
            ..Place::default()
        };
        self.findings
            .add_cause(FindingKind::NotKept, severity, place, detail);
    }

    pub(super) fn into_vec(self) -> Vec<Finding> {
        self.findings.into_vec()
    }
}

/// Whether a payload is JSON by its type and by its text.
pub(super) fn is_json(payload: &Payload) -> bool {
    let text = payload.json_text();
    text.is_some_and(|text| serde_json::from_str::<&RawValue>(text).is_ok())
}

/// Says what one row an event has no place for.
pub(super) fn of_a_row(notes: &mut Notes, event: &Event, links: &[LinkView]) {
    let payloads = [&event.data, &event.metadata];
    if !links.is_empty() {
        notes.left_out(event, "streams that events are linked into");
    }
    if payloads.into_iter().flatten().any(|p| !is_json(p)) {
        notes.left_out(event, "payloads that are not JSON (their cells are empty)");
    }
    if event.time.ambiguous {
        notes.left_out(event, "that a local time does not exist or exists twice");
    }
}

/// Says of what was erased that it is not there.
pub(super) fn of_erased(notes: &mut Notes, event: &Event) {
    for part in &event.erased {
        let how = format!(
            "the {} of events was erased and is not in the file",
            part.name()
        );
        notes.held_otherwise(event, &how);
    }
}

/// A time as RFC 3339: as the source wrote it, where it wrote so; says where it wrote otherwise.
pub(super) fn rfc3339(notes: &mut Notes, event: &Event) -> String {
    let SourceTime {
        time,
        text,
        date_only,
        zone_assumed: _,
        ambiguous: _,
    } = &event.time;
    match text {
        Some(text) if is_rfc3339(text, *time) && !date_only => text.clone(),
        Some(_) => {
            notes.left_out(
                event,
                "times as the source wrote them without a zone, as days or in other forms (they stand in UTC)",
            );
            time.to_string()
        }
        None => time.to_string(),
    }
}

fn is_rfc3339(text: &str, time: Time) -> bool {
    text.len() >= 20 && text.as_bytes()[10] == b'T' && Time::parse_rfc3339(text) == Ok(time)
}
