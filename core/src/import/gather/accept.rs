//! A draft gets what it lacks (an id, a time, a type) and goes into the log or the spool.

use std::sync::atomic::Ordering;

use super::{Gathering, place, spool_error};
use crate::finding::{FindingKind, Severity};
use crate::id::{Category, EventId, EventType, NameError};
use crate::import::ImportError;
use crate::import::coverage::Seen;
use crate::import::detect::FileNames;
use crate::import::mapping::Draft;
use crate::import::preview::{Glance, ShownCells};
use crate::import::sources;
use crate::import::spool::Entry;
use crate::time::{SourceTime, Time};

impl Gathering<'_, '_> {
    pub(super) fn count_record(&mut self) -> Result<(), ImportError> {
        let is_enough = self.glance.as_ref().is_some_and(Glance::is_full);
        if is_enough || self.progress.cancel.load(Ordering::Relaxed) {
            return Err(ImportError::Cancelled);
        }
        self.gathered.read += 1;
        self.progress.records_read.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// A record that could not be taken is rejected; a spool or log that could not be written ends the import.
    pub(super) fn settle(
        &mut self,
        names: &FileNames,
        line: u64,
        taken: Result<Result<(), ImportError>, String>,
        record: &[u8],
    ) -> Result<(), ImportError> {
        self.settle_with(names, line, taken, record, None)
    }

    pub(super) fn settle_with(
        &mut self,
        names: &FileNames,
        line: u64,
        taken: Result<Result<(), ImportError>, String>,
        record: &[u8],
        cells: Option<ShownCells>,
    ) -> Result<(), ImportError> {
        if let Some(glance) = &mut self.glance {
            glance.record(line, record, cells, taken.err());
            return Ok(());
        }
        match taken {
            Ok(kept) => kept,
            Err(reason) => self.gathered.rejects.add(&names.file, line, reason, record),
        }
    }

    /// Gives the draft what it lacks and keeps it. The error is the reason for a rejection.
    pub(super) fn accept(
        &mut self,
        names: &FileNames,
        line: u64,
        draft: &Draft<'_>,
        untyped: &str,
        identity: &[&[u8]],
    ) -> Result<Result<(), ImportError>, String> {
        let category = match &self.request.category {
            Some(category) => Some(category.as_str()),
            None => draft.category.as_deref(),
        };
        check_names(draft, category)?;
        let source = draft.source.as_deref().unwrap_or(&names.source);
        let made_id;
        let mut occurrence = 1;
        let id = match draft.id.as_deref() {
            Some(id) => id,
            None => {
                let digest = sources::digest(source, identity);
                let mut beginning = [0; 16];
                beginning.copy_from_slice(&digest[..16]);
                let seen = self.occurrences.entry(beginning).or_insert(0);
                made_id = loop {
                    *seen += 1;
                    occurrence = *seen;
                    let made = sources::made_id(digest, occurrence);
                    // Equal records of a beginning that was passed over have the first of these ids.
                    let is_begun = !self.begun.is_empty()
                        && (self.before.position_of)(&made)
                            .is_some_and(|at| self.begun.binary_search(&at).is_ok());
                    if !is_begun {
                        break made;
                    }
                };
                &made_id
            }
        };
        if draft.source.is_none() {
            match &draft.id {
                Some(id) => self.first.note(Some(id), &[draft.data.as_bytes()], 1),
                None => self.first.note(None, identity, occurrence),
            }
        }
        let stream = self
            .gathered
            .streams
            .index_of(&draft.stream)
            .map_err(|e| e.to_string())?;
        self.cover(stream, draft);
        let time = self.time_in_stream(names, line, stream, draft);
        self.note_version(names, line, stream, draft.source_version.as_deref());
        let event_type = match draft.event_type.as_deref() {
            Some(event_type) => event_type,
            None => {
                self.gathered
                    .notes
                    .add(FindingKind::MissingType, Severity::Warning, || {
                        (
                            place(names, line, Some(&draft.stream)),
                            format!("the record names no type; it became {untyped:?}"),
                        )
                    });
                untyped
            }
        };
        if let Some(key) = &draft.repeated_key {
            self.gathered
                .notes
                .add(FindingKind::DuplicateKey, Severity::Warning, || {
                    let mut place = place(names, line, Some(&draft.stream));
                    place.path = Some(key.clone());
                    (
                        place,
                        format!(
                            "an object holds the key {key:?} more than once; reading takes the last"
                        ),
                    )
                });
        }
        let totals = &mut self.gathered;
        let state = &mut totals.streams.list[stream];
        if draft.in_log_order {
            self.log_reached = self.log_reached.max(state.reached);
            // What comes later in this stream, from whatever file, stays behind this event.
            state.reached = self.log_reached;
        }
        let reached = state.reached;
        // What only the clock says is left to the log's own reading of it: two imports of the same record
        // would differ in it and not be known for the same.
        let time = (!state.last_is_clock).then_some(&time);
        if let Some(SourceTime { time, .. }) = time {
            totals.first_time = Some(totals.first_time.map_or(*time, |t| t.min(*time)));
            totals.last_time = Some(totals.last_time.map_or(*time, |t| t.max(*time)));
        }
        let entry = Entry {
            stream: stream as u32,
            category,
            file: self.file,
            line,
            id,
            event_type,
            time,
            schema_version: draft.schema_version.as_deref(),
            source,
            source_id: draft.source_id.as_deref(),
            source_version: draft.source_version.as_deref(),
            source_position: draft.source_position.as_deref(),
            source_recorded_at: draft.source_recorded_at,
            data: &draft.data,
            metadata: draft.metadata.as_deref(),
            beyond: draft.beyond.as_deref(),
        };
        if let Some(glance) = &mut self.glance {
            glance.event(&state.name, &entry);
            return Ok(Ok(()));
        }
        Ok(self.keep(reached, &entry))
    }

    /// Counts what the event holds of what happened.
    fn cover(&mut self, stream: usize, draft: &Draft<'_>) {
        if !self.coverage.looks() {
            return;
        }
        let state = &self.gathered.streams.list[stream];
        self.coverage.take(&Seen {
            data: &draft.data,
            metadata: draft.metadata.as_deref(),
            has_time: draft.time.is_some(),
            // What the log knows from elsewhere is not in this source; what was passed over is.
            is_followed: !state.is_new
                || (!self.begun.is_empty() && (self.before.is_known)(&state.name)),
        });
    }

    /// Spools or stores an event.
    fn keep(&mut self, reached: Time, entry: &Entry<'_>) -> Result<(), ImportError> {
        if let Some(spool) = &mut self.spool {
            return spool
                .push(reached, entry)
                .map_err(|e| spool_error(self.folder, e));
        }
        let Some(ahead) = self.ahead.as_mut() else {
            return Ok(());
        };
        match entry.whole().filter(|_| ahead.can_follow(reached)) {
            Some(event) => {
                let name = &self.gathered.streams.list[entry.stream as usize].name;
                ahead.follow(reached, name, event, self.progress)
            }
            None => {
                // Ends the reading.
                self.is_behind = true;
                Err(ImportError::Cancelled)
            }
        }
    }

    /// The event's time, or the one before it in its stream; moves the stream's times on.
    fn time_in_stream(
        &mut self,
        names: &FileNames,
        line: u64,
        stream: usize,
        draft: &Draft<'_>,
    ) -> SourceTime {
        let state = &mut self.gathered.streams.list[stream];
        if draft.time.is_none()
            && state.is_new
            && !self.begun.is_empty()
            && let Some(last) = (self.before.last_time)(&state.name, &self.begun)
        {
            // What stood before it in the file was passed over, and is in the log.
            state.is_new = false;
            state.last = last.time;
            state.last_is_clock = last.is_clock;
            state.reached = last.time;
        }
        let notes = &mut self.gathered.notes;
        let here = || place(names, line, Some(&draft.stream));
        let is_first = std::mem::take(&mut state.is_new);
        let last_is_clock = state.last_is_clock;
        state.last_is_clock = false;
        let time = match &draft.time {
            Some(time) => time.clone(),
            None => {
                state.last_is_clock = is_first || last_is_clock;
                let time = if is_first { self.now } else { state.last };
                let from_clock = state.last_is_clock;
                notes.add(FindingKind::MissingTime, Severity::Warning, || {
                    let taken = if from_clock {
                        // The log's clock is read when it takes the event, so no instant is named here.
                        "that of the import".to_owned()
                    } else {
                        format!("that of the event before it in its stream, {time}")
                    };
                    let why = match &draft.unread_time {
                        Some(why) => why,
                        None => "the record has no time",
                    };
                    (here(), format!("{why}; it took {taken}"))
                });
                SourceTime::unwritten(time)
            }
        };
        let zone = self.zone;
        let written = || time.text.clone().unwrap_or_default();
        if time.date_only {
            notes.add(FindingKind::DateOnly, Severity::Notice, || {
                let written = written();
                let detail = match written.len() {
                    0..=7 => {
                        format!("{written:?} names no day; it became 00:00 {zone} of its first day")
                    }
                    _ => {
                        format!("{written:?} names a day only; it became 00:00 {zone} of that day")
                    }
                };
                (here(), detail)
            });
        } else if time.zone_assumed {
            notes.add(FindingKind::ZoneAssumed, Severity::Warning, || {
                (
                    here(),
                    format!("{:?} names no zone; {zone} was assumed", written()),
                )
            });
        }
        if time.ambiguous {
            notes.add(FindingKind::AmbiguousLocalTime, Severity::Warning, || {
                (
                    here(),
                    format!(
                        "{:?} does not exist or exists twice in {zone}; {} was taken",
                        written(),
                        time.time
                    ),
                )
            });
        }
        if !is_first && !last_is_clock && time.time < state.last && !draft.unordered {
            let last = state.last;
            notes.add(FindingKind::TimeRunsBackwards, Severity::Warning, || {
                (
                    here(),
                    format!("{} comes after {last} in the file", time.time),
                )
            });
        }
        state.reached = if is_first || draft.unordered {
            time.time
        } else {
            state.reached.max(time.time)
        };
        state.last = time.time;
        time
    }

    fn note_version(&mut self, names: &FileNames, line: u64, stream: usize, version: Option<&str>) {
        let Some(version) = version.and_then(|v| v.parse::<i64>().ok()) else {
            return;
        };
        let state = &mut self.gathered.streams.list[stream];
        let detail = match state.last_version.replace(version) {
            Some(last) if last.checked_add(1) == Some(version) => return,
            Some(last) => format!("version {version} follows version {last} in the source"),
            None if version <= 1 || (self.before.is_known)(&state.name) => return,
            None => format!("the stream begins with version {version} in the source"),
        };
        let stream = state.name.as_str();
        self.gathered
            .notes
            .add(FindingKind::VersionGap, Severity::Warning, || {
                (place(names, line, Some(stream)), detail)
            });
    }
}

fn check_names(draft: &Draft<'_>, category: Option<&str>) -> Result<(), String> {
    let reason = |e: NameError| e.to_string();
    // Stream names are checked where they are first seen.
    if let Some(id) = draft.id.as_deref().filter(|id| id.len() > LONG) {
        EventId::new(id).map_err(reason)?;
    }
    if let Some(name) = draft.event_type.as_deref().filter(|t| t.len() > LONG) {
        EventType::new(name).map_err(reason)?;
    }
    if let Some(category) = category {
        Category::new(category).map_err(reason)?;
    }
    Ok(())
}

/// Names up to this length are surely short enough, and none of them is empty here.
const LONG: usize = 256;
