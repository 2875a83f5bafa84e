//! What all tables of one statement share: the log as it is read, the models, and what is to be said in the end.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono_tz::Tz;

use super::SqlError;
use super::view::SqlReading;
use crate::finding::{Finding, FindingKind, Findings, Place, Severity};
use crate::model::ModelSet;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::question::IntervalIndex;
use crate::store::Log;

/// Readings that an answer lists.
const READINGS: usize = 100;

/// What the tables of one statement share.
#[derive(Debug)]
pub(super) struct Scene {
    /// The log; what is read through it is counted, and ends once the work is cancelled.
    pub(super) log: Log,
    pub(super) models: Arc<ModelSet>,
    pub(super) zone: Tz,
    /// The log's last position when the statement began; later ones are not there.
    pub(super) known: Position,
    /// The interval index, where there is one.
    pub(super) index: Option<Arc<IntervalIndex>>,
    progress: Arc<WorkProgress>,
    limit: Duration,
    end: Option<Instant>,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    readings: Vec<SqlReading>,
    readings_count: u64,
    findings: Findings,
    /// What was said of numbers that may not be exact.
    not_exact: BTreeSet<String>,
    failed: Option<SqlError>,
    /// Tables that were answered from the interval index.
    from_index: BTreeSet<String>,
}

impl Scene {
    pub(super) fn new(
        log: &Log,
        models: &Arc<ModelSet>,
        zone: Tz,
        limit: Duration,
        index: Option<&Arc<IntervalIndex>>,
        progress: &Arc<WorkProgress>,
    ) -> Result<Scene, SqlError> {
        Ok(Scene {
            known: log.head()?.size,
            log: log.watched(Arc::clone(progress)),
            models: Arc::clone(models),
            zone,
            index: index.cloned(),
            progress: Arc::clone(progress),
            limit,
            end: Instant::now().checked_add(limit),
            notes: Mutex::default(),
        })
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Why the work has to stop, if it has to.
    pub(super) fn stopped(&self) -> Option<SqlError> {
        if self.progress.is_cancelled() {
            Some(SqlError::Cancelled)
        } else if self.end.is_some_and(|end| Instant::now() >= end) {
            Some(SqlError::TimeUp { limit: self.limit })
        } else {
            None
        }
    }

    /// An error once the work has to stop.
    pub(super) fn go_on(&self) -> Result<(), String> {
        match self.stopped() {
            None => Ok(()),
            Some(error) => Err(self.fail(error)),
        }
    }

    /// Keeps an error for the end, and gives the engine its text.
    pub(super) fn fail(&self, error: SqlError) -> String {
        let text = error.to_string();
        self.notes().failed.get_or_insert(error);
        text
    }

    /// The error that was kept, if any.
    pub(super) fn failure(&self) -> Option<SqlError> {
        self.notes().failed.take()
    }

    /// Notes an instant that a table was asked for.
    pub(super) fn read_as(&self, reading: SqlReading) {
        let mut notes = self.notes();
        if notes.readings.contains(&reading) {
            return;
        }
        notes.readings_count += 1;
        if notes.readings.len() < READINGS {
            notes.readings.push(reading);
        }
    }

    /// Takes the findings of a state; notices are left aside, as with any question over many streams.
    pub(super) fn found(&self, findings: Vec<Finding>) {
        let mut findings = findings
            .into_iter()
            .filter(|f| f.severity > Severity::Notice);
        if let Some(first) = findings.next() {
            let mut notes = self.notes();
            notes.findings.take(first);
            findings.for_each(|finding| notes.findings.take(finding));
        }
    }

    /// Notes that a table was answered from the interval index.
    pub(super) fn indexed(&self, table: &str) {
        self.notes().from_index.insert(table.to_owned());
    }

    /// Tables that were answered from the interval index.
    pub(super) fn of_index(&self) -> Vec<String> {
        self.notes().from_index.iter().cloned().collect()
    }

    /// Notes that a number may not be exact.
    pub(super) fn not_exact(&self, severity: Severity, detail: &str) {
        let mut notes = self.notes();
        // Once is enough: a function is called for every row.
        if notes.not_exact.insert(detail.to_owned()) {
            let place = Place::default();
            let detail = detail.to_owned();
            notes
                .findings
                .add_cause(FindingKind::NotExact, severity, place, detail);
        }
    }

    /// What is to be said in the end: readings, their number, findings, and the number of events read.
    pub(super) fn told(&self) -> (Vec<SqlReading>, u64, Vec<Finding>, u64) {
        let notes = self.notes();
        (
            notes.readings.clone(),
            notes.readings_count,
            notes.findings.clone().into_vec(),
            self.progress.now().0,
        )
    }
}
