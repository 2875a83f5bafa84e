//! The rows that states make: a walk along every stream in scope, in the order of the fold.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use super::ReportError;
use super::lineage::Setters;
use super::make::Making;
use super::report::{LineageCount, RowEvent};
use super::seen::{Seen, Tellers};
use super::tables::{Filling, Placed};
use super::template::TableSource;
use crate::id::{Category, StreamId};
use crate::integrity::Hash;
use crate::model::ModelSet;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::{EventQuery, Log, StreamEvent};
use crate::temporal::{AsOf, walk};

/// The events that the values told are made of, in the scope or not.
#[derive(Default)]
pub(super) struct Behind {
    /// Positions in the scope, rising.
    pub(super) in_scope: Vec<u64>,
    /// Streams that events in scope are linked into, whether they are told, by name.
    linked: HashMap<String, bool>,
    streams: u64,
    /// Number of events outside the scope whose bytes were hashed again.
    pub(super) rechecked: u64,
    /// Position and leaf hash of every event folded, as often as it was.
    folded: Vec<(u64, Hash)>,
}

impl Behind {
    /// Takes a stream that an event in scope is linked into, unless the scope is of another category.
    pub(super) fn link(
        &mut self,
        log: &Log,
        stream: &str,
        category: Option<&Category>,
    ) -> Result<(), ReportError> {
        if !self.linked.contains_key(stream) {
            let told = match (category, stream.parse::<StreamId>()) {
                (None, Ok(_)) => true,
                (Some(category), Ok(id)) => log
                    .stream(&id)?
                    .is_some_and(|row| row.category == category.as_str()),
                (_, Err(_)) => false,
            };
            self.linked.insert(stream.to_owned(), told);
        }
        Ok(())
    }

    fn has(&self, position: Position) -> bool {
        self.in_scope.binary_search(&position.0).is_ok()
    }

    /// The positions outside the scope, each once; from here on what was folded is in order and each event once.
    fn outside(&mut self) -> Vec<Position> {
        self.folded.sort_unstable_by_key(|(position, _)| *position);
        self.folded.dedup_by_key(|(position, _)| *position);
        let folded = self.folded.iter().map(|(position, _)| Position(*position));
        folded.filter(|position| !self.has(*position)).collect()
    }

    /// What the first page says of them.
    pub(super) fn told(mut self) -> LineageCount {
        let outside_scope = self.outside().len() as u64;
        let mut sha256 = Sha256::new();
        self.folded
            .iter()
            .for_each(|(_, leaf)| sha256.update(leaf.0));
        LineageCount {
            streams: self.streams,
            events: self.folded.len() as u64,
            outside_scope,
            sha256: Hash(sha256.finalize().into()),
        }
    }
}

impl Making<'_> {
    /// Walks along every stream in scope, where a table needs its states.
    pub(super) fn fold(
        &mut self,
        log: &Log,
        models: &ModelSet,
        as_of: AsOf,
        progress: &WorkProgress,
    ) -> Result<(), ReportError> {
        progress.expect(self.events);
        let streams = std::mem::take(&mut self.streams);
        let mut names: BTreeSet<StreamId> = streams.keys().cloned().collect();
        if let Some(behind) = &self.lineage {
            let linked = behind.linked.iter().filter(|(_, told)| **told);
            names.extend(linked.filter_map(|(name, _)| name.parse::<StreamId>().ok()));
        }
        let mut tellers = Tellers::new(models);
        for (key, stream) in (0..).zip(&names) {
            let positions = streams.get(stream).map_or(&[][..], Vec::as_slice);
            self.walk_stream(
                log,
                models,
                (key, stream, positions),
                as_of,
                &mut tellers,
                progress,
            )?;
        }
        self.streams = streams;
        self.recheck_behind(log, progress)
    }

    /// Makes the rows of one stream; `key` is its place in the order of streams, `positions` are those in scope.
    fn walk_stream(
        &mut self,
        log: &Log,
        models: &ModelSet,
        (key, stream, positions): (u64, &StreamId, &[u64]),
        as_of: AsOf,
        tellers: &mut Tellers<'_>,
        progress: &WorkProgress,
    ) -> Result<(), ReportError> {
        let template = self.template;
        let behind = &mut self.lineage;
        let (mut steps, mut lineages, mut values) = (Vec::new(), Vec::new(), Vec::new());
        for table in &mut self.tables {
            match table.rule.source {
                TableSource::Changes | TableSource::Versions => steps.push(table),
                TableSource::Lineage => lineages.push(table),
                TableSource::State => values.push(table),
                _ => {}
            }
        }
        let mut setters = Setters::default();
        let mut failed = None;
        let mut met = Vec::with_capacity(positions.len());
        let view = walk(log, models, stream, as_of, &mut |step| {
            let event = &step.event.event;
            let in_scope = positions.binary_search(&event.position.0).is_ok();
            let mut take = || {
                if progress.is_cancelled() {
                    return Err(ReportError::Cancelled);
                }
                let seen = Seen::new(step.event, template, tellers);
                if let Some(behind) = behind.as_mut() {
                    let place = Placed {
                        key,
                        stream: stream.as_str(),
                        in_scope: behind.has(event.position),
                    };
                    let set_by = RowEvent {
                        position: event.position,
                        stream: Some(stream.to_string()),
                        version: step.event.version,
                    };
                    setters.take(&step.changes, &set_by);
                    behind.folded.push((event.position.0, event.leaf));
                    for table in &mut lineages {
                        table.take_step(&seen, step, &template.dropped, Some(&place))?;
                    }
                }
                if in_scope {
                    progress.advance(1);
                    met.push(event.position.0);
                    for table in &mut steps {
                        table.take_step(&seen, step, &template.dropped, None)?;
                    }
                }
                Ok(())
            };
            failed = take().err();
            // Nothing after the last event in scope changes what is told of it.
            let all_met = !behind.is_some() && met.len() == positions.len();
            failed.is_none() && !all_met
        })?;
        if let Some(error) = failed {
            return Err(error);
        }
        view.findings
            .into_iter()
            .for_each(|finding| self.findings.take(finding));
        // By a model's own time an event may count only after the instant asked for: it is in scope all the same.
        met.sort_unstable();
        for position in positions.iter().filter(|p| met.binary_search(p).is_err()) {
            let Some(event) = log.event(Position(*position))? else {
                continue;
            };
            let event = StreamEvent::at_home(event);
            let seen = Seen::new(&event, template, tellers);
            for table in &mut steps {
                table.take_unfolded(&seen, None)?;
            }
            let place = Placed {
                key,
                stream: stream.as_str(),
                in_scope: true,
            };
            for table in &mut lineages {
                table.take_unfolded(&seen, Some(&place))?;
            }
        }
        if let Some(behind) = behind.as_mut() {
            behind.streams += 1;
        }
        if !values.is_empty()
            && let Some(state) = crate::model::json::parse_state(view.state.get())
        {
            let lineage = setters.values(&state);
            for table in values {
                Filling::take_state(table, key, &lineage, log, template, tellers)?;
            }
        }
        Ok(())
    }

    /// Hashes the bytes of what the values are made of outside the scope again: those in the scope were.
    fn recheck_behind(&mut self, log: &Log, progress: &WorkProgress) -> Result<(), ReportError> {
        let Some(behind) = &mut self.lineage else {
            return Ok(());
        };
        for position in behind.outside() {
            if progress.is_cancelled() {
                return Err(ReportError::Cancelled);
            }
            let query = EventQuery {
                after: Some(Position(position.0 - 1)),
                known: Some(position),
                ..EventQuery::default()
            };
            let mut outcome = Ok(None);
            log.for_each_event(&query, &mut |event, links| {
                outcome = log.recheck(&event, &links);
                false
            })?;
            behind.rechecked += 1;
            if let Some(finding) = outcome? {
                self.differing += 1;
                self.findings.take(finding);
            }
        }
        Ok(())
    }
}
