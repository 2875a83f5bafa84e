//! What stands behind a mark: the document, and the events that made the value at its path; of an answer the events
//! that made it so.

use std::sync::Arc;

use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::DashboardError;
use super::asked;
use super::definition::SourceKind;
use crate::answers::Asker;
use crate::finding::Findings;
use crate::model::{FieldPath, Fold};
use crate::projection::{ProjectionError, Projections};
use crate::store::{EventBrief, StreamEvent};
use crate::temporal::{AsOf, AsOfView};

/// Events that are listed where nothing else is asked for.
pub const BEHIND: usize = 200;
/// Events read at once.
const PAGE: usize = 1_024;

/// What stands behind a mark: `annals dashboard --panel P --row R --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct BehindView {
    /// What the panel reads.
    pub kind: SourceKind,
    /// Name of the projection, question or query.
    pub name: String,
    /// Key of the document; of an answer, the question or the statement.
    pub document: String,
    /// Path in the document or the answer; empty: the whole of it.
    pub path: String,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// The value at the path as of then; `null` where it holds none.
    #[ts(type = "unknown")]
    pub value: Option<Box<RawValue>>,
    /// Of a document the last events, newest first: those that changed the value, or all inputs. Of an answer those that
    /// made it so, by stream.
    pub events: Vec<EventBrief>,
    /// Number of such events, listed or not.
    #[ts(type = "number")]
    pub events_count: u64,
    /// Only events that changed the value at the path are listed; else all inputs of the document, because the value
    /// is the whole document or derived from it.
    pub changed: bool,
    /// Number of events that belong to the document; of an answer, those that made it so.
    #[ts(type = "number")]
    pub inputs: u64,
    /// Number of events looked at for this answer.
    #[ts(type = "number")]
    pub events_examined: u64,
}

/// A place in a document or an answer.
#[derive(Debug, Clone, Copy)]
pub struct BehindPlace<'p> {
    /// What the panel reads.
    pub kind: SourceKind,
    /// Name of the projection, question or query.
    pub name: &'p str,
    /// Key of the document.
    pub document: &'p str,
    /// Path in it.
    pub path: &'p FieldPath,
    /// Zone of the dashboard.
    pub zone: Tz,
}

/// The events behind a value. Of a document the last `limit` of those that changed what is at the path: which events
/// belong to it is known from what is kept of it, and those after that are looked for in the log. Of an answer those that
/// made it so. A log that is [watched](crate::store::Log::watched) shows how far it is and can cancel it.
///
/// # Errors
/// [`DashboardError`] if there is no such projection, its definition is wrong, or the log cannot be read.
pub fn behind(
    asker: &Asker<'_>,
    projections: &Projections,
    place: &BehindPlace<'_>,
    as_of: &AsOf,
    limit: usize,
) -> Result<BehindView, DashboardError> {
    match place.kind {
        SourceKind::Projection => {
            let place = (place.name, place.document, place.path);
            behind_document(projections, place, as_of, limit)
        }
        SourceKind::Question | SourceKind::Query => behind_answer(asker, place, *as_of, limit),
    }
}

fn behind_document(
    projections: &Projections,
    (projection, document, path): (&str, &str, &FieldPath),
    as_of: &AsOf,
    limit: usize,
) -> Result<BehindView, DashboardError> {
    let definition = projections.set().get(projection)?;
    let (inputs, log) = projections.inputs_as_of(projection, document, as_of)?;
    let mut found = Found::new(definition.model(), path);
    found.examined = inputs.examined + inputs.positions.len() as u64;
    let mut findings = Findings::default();
    for page in inputs.positions.chunks(PAGE) {
        for event in log.events_at(page).map_err(ProjectionError::from)? {
            let brief = EventBrief::from(&event);
            let event = StreamEvent::at_home(event);
            // What cannot be read belongs to no document; the dashboard's findings tell of it.
            if let Some(Ok(keyed)) = definition.read(&event, &mut findings) {
                // So do they of what cannot be folded.
                let _ = found.fold.apply_keyed(&keyed, document);
                found.take(brief);
            }
        }
    }
    let (whole, _) = definition.document(found.fold.shared_state());
    Ok(found.view((projection, document, path), as_of, &whole, limit))
}

/// The events behind a place in an answer.
fn behind_answer(
    asker: &Asker<'_>,
    place: &BehindPlace<'_>,
    as_of: AsOf,
    limit: usize,
) -> Result<BehindView, DashboardError> {
    let told = asked::behind(asker, place, as_of)?;
    let mut events = Vec::new();
    for position in told.positions.iter().take(limit) {
        let event = asker.log.event(*position).map_err(ProjectionError::from)?;
        events.extend(event.as_ref().map(EventBrief::from));
    }
    Ok(BehindView {
        kind: place.kind,
        name: place.name.to_owned(),
        document: told.text,
        path: place.path.to_string(),
        as_of: AsOfView {
            at: as_of.at,
            known: as_of.known,
        },
        value: told.value,
        events,
        events_count: told.events_count,
        changed: true,
        inputs: told.events_count,
        events_examined: told.events_examined,
    })
}

/// What is gathered on the way through the log.
struct Found<'p> {
    path: &'p FieldPath,
    fold: Fold,
    value: Option<Value>,
    changing: Vec<EventBrief>,
    all: Vec<EventBrief>,
    examined: u64,
}

impl<'p> Found<'p> {
    fn new(model: &Arc<crate::model::Model>, path: &'p FieldPath) -> Found<'p> {
        Found {
            path,
            fold: Fold::new(Arc::clone(model)),
            value: None,
            changing: Vec::new(),
            all: Vec::new(),
            examined: 0,
        }
    }

    fn take(&mut self, event: EventBrief) {
        let now = match self.path.0.is_empty() {
            true => None,
            false => self.path.get(self.fold.shared_state()).cloned(),
        };
        if now != self.value {
            self.changing.push(event.clone());
            self.value = now;
        }
        self.all.push(event);
    }

    fn view(
        self,
        (projection, document, path): (&str, &str, &FieldPath),
        as_of: &AsOf,
        whole: &Value,
        limit: usize,
    ) -> BehindView {
        let changed = !self.changing.is_empty();
        let inputs = self.all.len() as u64;
        let listed = if changed { self.changing } else { self.all };
        BehindView {
            kind: SourceKind::Projection,
            name: projection.to_owned(),
            document: document.to_owned(),
            path: path.to_string(),
            as_of: AsOfView {
                at: as_of.at,
                known: as_of.known,
            },
            value: path.get(whole).map(crate::temporal::raw),
            events_count: listed.len() as u64,
            events: listed.into_iter().rev().take(limit).collect(),
            changed,
            inputs,
            events_examined: self.examined,
        }
    }
}
