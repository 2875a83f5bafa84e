//! What all tests of reports need: small logs written by hand, and reports over them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod answers;
mod fixtures;
mod forms;
mod rows;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::event::{NewEvent, Payload};
use crate::id::StreamId;
use crate::model::ModelSet;
use crate::progress::WorkProgress;
use crate::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::SourceTime;

/// Stream, type, time as written, data, metadata.
pub(super) type Written = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// A store of events in a folder of its own.
pub(super) struct Store {
    folder: TempDir,
    pub(super) path: PathBuf,
    pub(super) log: Log,
}

impl Store {
    pub(super) fn of(events: &[Written]) -> Store {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.annals");
        let now = Time::parse_rfc3339("2025-01-01T00:00:00Z").unwrap();
        let writer = LogWriter::create(&path, Surroundings::fixed(now, 7)).unwrap();
        for (stream, event_type, time, data, metadata) in events {
            let mut event = NewEvent::json(event_type, data).unwrap();
            event.time = Some(SourceTime::parse(time, chrono_tz::UTC).unwrap());
            event.metadata = Some(Payload::json(*metadata).unwrap());
            writer
                .append(vec![StreamAppend {
                    stream: StreamId::new(*stream).unwrap(),
                    category: None,
                    expected: ExpectedVersion::Any,
                    events: vec![event],
                }])
                .unwrap();
        }
        drop(writer);
        let log = Log::explore(&path).unwrap();
        Store { folder, path, log }
    }

    pub(super) fn guide() -> Store {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guide.annals");
        crate::sample::guide(&path).unwrap();
        let log = Log::explore(&path).unwrap();
        Store { folder, path, log }
    }

    pub(super) fn models(&self) -> ModelSet {
        ModelSet::load(&self.path).unwrap().0
    }

    pub(super) fn make(&self, request: &ReportRequest) -> Result<MadeReport, ReportError> {
        let set = TemplateSet::shipped();
        make(
            &self.log,
            &self.models(),
            &set,
            request,
            &WorkProgress::default(),
        )
    }

    /// A report with all that any template needs.
    pub(super) fn report(&self, template: &str, subject: Option<&str>) -> MadeReport {
        self.make(&whole(template, subject)).unwrap()
    }
}

/// A request over everything, with all that the template needs.
pub(super) fn whole(template: &str, subject: Option<&str>) -> ReportRequest {
    let set = TemplateSet::shipped();
    let template = set.get(template).unwrap();
    let mut request = ReportRequest::of(&template.reference.name);
    request.subject = subject.map(str::to_owned);
    let time = |text: &str| Some(Time::parse_rfc3339(text).unwrap());
    for need in &template.needs {
        match need.name() {
            "period" => {
                request.query.from = time("2000-01-01T00:00:00Z");
                request.query.to = time("2100-01-01T00:00:00Z");
            }
            "at" => request.at = time("2100-01-01T00:00:00Z"),
            "actor" => request.query.actor = Some("mallory".parse().unwrap()),
            other => panic!("{other}"),
        }
    }
    request
}

/// The rows of a table, as printed.
pub(super) fn printed(made: &MadeReport, table: &str) -> Vec<Vec<String>> {
    let columns = made
        .report
        .tables()
        .find(|t| t.id == table)
        .unwrap()
        .columns
        .clone();
    let mut rows = Vec::new();
    made.rows
        .for_each(table, &mut |row| {
            let pairs = row.cells.iter().zip(&columns);
            rows.push(
                pairs
                    .map(|(cell, column)| cell.printed(column.kind).into_owned())
                    .collect(),
            );
            Ok(true)
        })
        .unwrap();
    rows
}

/// Every table's rows as they are held.
pub(super) fn held(made: &MadeReport, table: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    made.rows
        .for_each(table, &mut |row| {
            rows.push(row);
            Ok(true)
        })
        .unwrap();
    rows
}
