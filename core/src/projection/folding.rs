//! Documents in memory while events are folded into them, one after another, in position order.

use std::collections::HashMap;
use std::sync::Arc;

use super::{OnFault, Projection};
use crate::event::Event;
use crate::finding::{FindingKind, Findings, Place, Severity};
use crate::model::{Fold, Keyed, KeyedFault};
use crate::position::Position;
use crate::store::StreamEvent;
use crate::time::Time;

/// Least number of inputs between two states that are kept of a document. An earlier instant folds half of them again in
/// each of all documents that a dashboard shows; a state of few values costs no more than a few inputs.
const SPACING: usize = 16;
/// A state of so many values per input since the one before is not kept yet: it would cost more than folding on.
const VALUES_AN_INPUT: usize = 4;

/// A document while events are folded into it.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) fold: Fold,
    /// Number of events taken, those that could not be folded included.
    pub(super) inputs: u64,
    /// Position and time of the last one.
    pub(super) last: (Position, Time),
    /// The latest time among them.
    pub(super) latest: Time,
    /// Where it is kept.
    pub(super) id: Option<i64>,
    /// Number of segments that are closed: stretches of inputs, each with the state after it.
    pub(super) segments: u64,
    /// The inputs since the last of them.
    pub(super) open: Vec<Input>,
    /// Segments that are closed and not kept yet.
    pub(super) closed: Vec<Segment>,
    is_dirty: bool,
}

/// An event that belongs to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Input {
    pub(super) position: Position,
    pub(super) time: Time,
}

/// A stretch of a document's inputs, and the state after it.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub(super) n: u64,
    pub(super) inputs: Vec<Input>,
    /// All inputs up to its end.
    pub(super) inputs_before: u64,
    pub(super) latest: Time,
    pub(super) state: String,
    pub(super) incomplete: bool,
}

/// An event that could not be folded.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) position: Position,
    pub(super) time: Time,
    /// The document; empty where the event could not be read or its key not be told.
    pub(super) key: String,
    pub(super) fault: KeyedFault,
}

impl Document {
    pub(super) fn new(projection: &Projection) -> Document {
        Document {
            fold: Fold::new(Arc::clone(projection.model())),
            inputs: 0,
            last: (Position::ZERO, Time::MIN),
            latest: Time::MIN,
            id: None,
            segments: 0,
            open: Vec::new(),
            closed: Vec::new(),
            is_dirty: false,
        }
    }

    /// Bytes that it takes in memory, about.
    fn bytes(&self, key: &str) -> usize {
        /// Of what is there whatever it holds.
        const DOCUMENT: usize = 1_024;
        /// Of a value of its state.
        const VALUE: usize = 96;
        DOCUMENT
            + key.len()
            + VALUE * self.fold.weight()
            + size_of::<Input>() * self.open.capacity()
    }

    /// Counts an event that was taken; with its history, where that is kept.
    fn count(&mut self, event: &Event, keeps_history: bool) {
        let (position, time) = (event.position, event.time.time);
        self.inputs += 1;
        self.last = (position, time);
        self.latest = self.latest.max(time);
        if !keeps_history {
            return;
        }
        self.open.push(Input { position, time });
        let len = self.open.len();
        if len >= SPACING && len * VALUES_AN_INPUT >= self.fold.weight() {
            self.closed.push(Segment {
                n: self.segments,
                inputs: std::mem::take(&mut self.open),
                inputs_before: self.inputs,
                latest: self.latest,
                state: self.fold.state().to_string(),
                incomplete: self.fold.incomplete(),
            });
            self.segments += 1;
        }
    }
}

/// The documents of one projection on their way through a log.
#[derive(Debug)]
pub(super) struct Folding {
    projection: Arc<Projection>,
    pub(super) documents: HashMap<String, Document>,
    pub(super) findings: Findings,
    /// An event could not be folded.
    pub(super) incomplete: bool,
    /// The event that it stopped before.
    pub(super) stopped: Option<Position>,
    /// Keys of the documents that changed since they were kept, and what could not be folded; in a fold that is kept.
    pub(super) dirty: Vec<String>,
    pub(super) faults: Vec<Fault>,
    /// The one document that events are folded into; all where none is named.
    pub(super) only: Option<String>,
    keeps_history: bool,
}

impl Folding {
    /// A fold for one answer.
    pub(super) fn new(projection: &Arc<Projection>) -> Folding {
        Folding {
            projection: Arc::clone(projection),
            documents: HashMap::new(),
            findings: Findings::default(),
            incomplete: false,
            stopped: None,
            dirty: Vec::new(),
            faults: Vec::new(),
            only: None,
            keeps_history: false,
        }
    }

    /// A fold that is kept: it notes what changed, and the inputs of each document.
    pub(super) fn kept(projection: &Arc<Projection>) -> Folding {
        Folding {
            keeps_history: true,
            ..Folding::new(projection)
        }
    }

    /// The projection.
    pub(super) fn projection(&self) -> Arc<Projection> {
        Arc::clone(&self.projection)
    }

    /// Takes the next event of the log; `false` if it stopped before it.
    pub(super) fn take(&mut self, event: &StreamEvent) -> bool {
        let projection = Arc::clone(&self.projection);
        match projection.read(event, &mut self.findings) {
            None => true,
            Some(read) => self.settle(event, read),
        }
    }

    /// Takes the next events; documents that are not in memory are asked of `load` first. Stops before an event that
    /// stops it.
    pub(super) fn take_page<E>(
        &mut self,
        events: &[StreamEvent],
        load: impl FnOnce(&[&str]) -> Result<Vec<(String, Document)>, E>,
    ) -> Result<(), E> {
        let projection = Arc::clone(&self.projection);
        let mut read = Vec::new();
        for event in events {
            if let Some(keyed) = projection.read(event, &mut self.findings) {
                read.push((event, keyed));
            }
        }
        let keys = read.iter().filter_map(|(_, keyed)| keyed.as_ref().ok());
        let keys = keys.flat_map(|keyed| keyed.keys.iter().map(String::as_str));
        let mut missing: Vec<&str> = keys
            .filter(|key| !self.documents.contains_key(*key))
            .collect();
        missing.sort_unstable();
        missing.dedup();
        if !missing.is_empty() {
            self.documents.extend(load(&missing)?);
        }
        for (event, keyed) in read {
            if !self.settle(event, keyed) {
                break;
            }
        }
        Ok(())
    }

    /// Folds an event that was read; `false` if it stops the projection.
    fn settle(&mut self, event: &StreamEvent, read: Result<Keyed<'_>, Box<KeyedFault>>) -> bool {
        let faults = match read {
            Err(fault) => vec![(String::new(), *fault)],
            Ok(keyed) => self.fold(&keyed, event),
        };
        if faults.is_empty() {
            return true;
        }
        let stops = self.projection.on_fault() == OnFault::Stop;
        self.incomplete = true;
        for (key, fault) in faults {
            let KeyedFault {
                kind,
                place,
                detail,
            } = fault.clone();
            self.findings
                .add_cause(kind, Severity::Severe, place, detail);
            if self.keeps_history {
                self.faults.push(Fault {
                    position: event.event.position,
                    time: event.event.time.time,
                    key,
                    fault,
                });
            }
        }
        if stops {
            self.stopped = Some(event.event.position);
        }
        !stops
    }

    /// Folds an event into its documents.
    fn fold(&mut self, keyed: &Keyed<'_>, event: &StreamEvent) -> Vec<(String, KeyedFault)> {
        let mut faults = Vec::new();
        let stops = self.projection.on_fault() == OnFault::Stop;
        // A projection that stops takes all of an event or nothing: with several documents, it is tried first.
        if stops && keyed.keys.len() > 1 {
            for key in &keyed.keys {
                let mut fold = match self.documents.get(key) {
                    Some(document) => document.fold.clone(),
                    None => Fold::new(Arc::clone(self.projection.model())),
                };
                if let Err(fault) = fold.apply_keyed(keyed, key) {
                    return vec![(key.clone(), *fault)];
                }
            }
        }
        for key in &keyed.keys {
            if self.only.as_ref().is_some_and(|only| only != key) {
                continue;
            }
            let is_new = !self.documents.contains_key(key);
            if is_new {
                let document = Document::new(&self.projection);
                self.documents.insert(key.clone(), document);
            }
            let document = self.documents.get_mut(key).expect("it was put in above");
            match document.fold.apply_keyed(keyed, key) {
                Ok(()) => {}
                Err(fault) if stops => {
                    if is_new {
                        self.documents.remove(key);
                    }
                    return vec![(key.clone(), *fault)];
                }
                Err(fault) => {
                    document.fold.mark_incomplete();
                    faults.push((key.clone(), *fault));
                }
            }
            document.count(&event.event, self.keeps_history);
            if self.keeps_history && !document.is_dirty {
                document.is_dirty = true;
                self.dirty.push(key.clone());
            }
        }
        faults
    }

    /// Folds an event into some of its documents alone, by their places; says what was first wrong with it.
    pub(super) fn take_into(
        &mut self,
        documents: &mut [(String, Document)],
        places: impl Iterator<Item = usize>,
        event: &StreamEvent,
    ) -> Option<KeyedFault> {
        let projection = Arc::clone(&self.projection);
        let Some(Ok(keyed)) = projection.read_again(event, &mut self.findings) else {
            return None;
        };
        let mut first = None;
        for place in places {
            let Some((key, document)) = documents.get_mut(place) else {
                continue;
            };
            let outcome = document.fold.apply_keyed(&keyed, key);
            document.count(&event.event, false);
            let Err(fault) = outcome else {
                continue;
            };
            if projection.on_fault() == OnFault::Continue {
                document.fold.mark_incomplete();
                self.incomplete = true;
                let KeyedFault {
                    kind,
                    place,
                    detail,
                } = KeyedFault::clone(&fault);
                self.findings
                    .add_cause(kind, Severity::Severe, place, detail);
            }
            first.get_or_insert(*fault);
        }
        first
    }

    /// Notes that the fold goes no further than before an event that could not be folded.
    pub(super) fn stop_before(&mut self, position: Position, fault: KeyedFault) {
        self.stopped = Some(position);
        self.incomplete = true;
        let KeyedFault {
            kind,
            place,
            detail,
        } = fault;
        self.findings
            .add_cause(kind, Severity::Severe, place, detail);
    }

    /// Lets go of the documents that changed longest ago where all of them take more memory than `most` bytes, about;
    /// says whether it did. Only where all that is in memory is kept.
    pub(super) fn let_go_above(&mut self, most: usize) -> bool {
        let bytes: usize = self.documents.iter().map(|(key, d)| d.bytes(key)).sum();
        if bytes <= most {
            return false;
        }
        let mut last: Vec<Position> = self.documents.values().map(|d| d.last.0).collect();
        let half = last.len() / 2;
        let (_, middle, _) = last.select_nth_unstable(half);
        let middle = *middle;
        self.documents
            .retain(|_, document| document.last.0 > middle);
        self.documents.shrink_to_fit();
        true
    }

    /// Notes that everything was kept; the ids are those of the documents that were dirty, in their order.
    pub(super) fn was_kept(&mut self, ids: Vec<i64>) {
        for (key, id) in std::mem::take(&mut self.dirty).iter().zip(ids) {
            if let Some(document) = self.documents.get_mut(key) {
                document.id = Some(id);
                document.is_dirty = false;
                document.closed.clear();
            }
        }
        self.faults.clear();
        self.findings = Findings::default();
    }
}

/// Notes that fields of a document could not be derived.
pub(super) fn note_underived(findings: &mut Findings, key: &str, faults: Vec<String>) {
    for detail in faults {
        let place = Place {
            path: Some(key.to_owned()),
            ..Place::default()
        };
        findings.add_cause(
            FindingKind::ExpressionFailed,
            Severity::Severe,
            place,
            detail,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_that_changed_longest_ago_are_let_go_where_they_take_too_much() {
        let text = "key = 'data.to'\n[on.Counted]\n\"n.add\" = 'data.n'\n";
        let projection = Arc::new(Projection::parse("sums", text).unwrap());
        let mut folding = Folding::kept(&projection);
        for n in 1..=100 {
            let mut document = Document::new(&projection);
            document.last = (Position(n), Time::MIN);
            folding.documents.insert(n.to_string(), document);
        }
        assert!(!folding.let_go_above(1 << 20), "a hundred small ones fit");
        assert_eq!(folding.documents.len(), 100);
        assert!(folding.let_go_above(100_000));
        let mut left: Vec<u64> = folding.documents.values().map(|d| d.last.0.0).collect();
        left.sort_unstable();
        assert_eq!(left, Vec::from_iter(52..=100));
    }
}
