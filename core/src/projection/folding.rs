//! Documents in memory while events are folded into them, one after another, in position order.

use std::collections::HashMap;
use std::sync::Arc;

use super::{OnFault, Projection};
use crate::event::Event;
use crate::finding::{FindingKind, Findings, Severity};
use crate::model::{Fold, Keyed, KeyedFault};
use crate::position::Position;
use crate::store::StreamEvent;
use crate::time::Time;

/// A document while events are folded into it.
#[derive(Debug, Clone)]
pub(super) struct Document {
    pub(super) fold: Fold,
    /// Number of events taken, those that could not be folded included.
    pub(super) inputs: u64,
    /// Position and time of the last one.
    pub(super) last: (Position, Time),
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
}

impl Folding {
    pub(super) fn new(projection: &Arc<Projection>) -> Folding {
        Folding {
            projection: Arc::clone(projection),
            documents: HashMap::new(),
            findings: Findings::default(),
            incomplete: false,
            stopped: None,
        }
    }

    /// Takes the next event of the log; `false` if it stopped before it.
    pub(super) fn take(&mut self, event: &StreamEvent) -> bool {
        let projection = Arc::clone(&self.projection);
        let position = event.event.position;
        let faults = match projection.read(event, &mut self.findings) {
            None => return true,
            Some(Err(fault)) => vec![*fault],
            Some(Ok(keyed)) => self.fold(&keyed, event),
        };
        if faults.is_empty() {
            return true;
        }
        self.incomplete = true;
        for KeyedFault {
            kind,
            place,
            detail,
        } in faults
        {
            self.findings
                .add_cause(kind, Severity::Severe, place, detail);
        }
        if projection.on_fault() == OnFault::Stop {
            self.stopped = Some(position);
            return false;
        }
        true
    }

    /// Folds an event into its documents.
    fn fold(&mut self, keyed: &Keyed<'_>, event: &StreamEvent) -> Vec<KeyedFault> {
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
                    return vec![*fault];
                }
            }
        }
        for key in &keyed.keys {
            let is_new = !self.documents.contains_key(key);
            if is_new {
                let fold = Fold::new(Arc::clone(self.projection.model()));
                let document = Document {
                    fold,
                    inputs: 0,
                    last: (Position::ZERO, Time::MIN),
                };
                self.documents.insert(key.clone(), document);
            }
            let document = self.documents.get_mut(key).expect("it was put in above");
            match document.fold.apply_keyed(keyed, key) {
                Ok(()) => {}
                Err(fault) if stops => {
                    if is_new {
                        self.documents.remove(key);
                    }
                    return vec![*fault];
                }
                Err(fault) => {
                    document.fold.mark_incomplete();
                    faults.push(*fault);
                }
            }
            document.inputs += 1;
            document.last = (event.event.position, event.event.time.time);
        }
        faults
    }
}

/// An event of the log as a fold takes it: under its home stream.
pub(super) fn at_home(event: Event) -> StreamEvent {
    StreamEvent {
        version: event.version,
        qualifier: String::new(),
        event,
    }
}

/// Notes that fields of documents could not be derived.
pub(super) fn note_underived(findings: &mut Findings, key: &str, faults: Vec<String>) {
    for detail in faults {
        let place = crate::finding::Place {
            path: Some(key.to_owned()),
            ..crate::finding::Place::default()
        };
        findings.add_cause(
            FindingKind::ExpressionFailed,
            Severity::Severe,
            place,
            detail,
        );
    }
}
