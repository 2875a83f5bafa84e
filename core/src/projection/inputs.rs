//! The events that belong to a document: from what is kept of it as far as that goes, else from the log.

use std::sync::Arc;

use super::documents::{PAGE, known_of};
use super::engine::Projections;
use super::kept::{self, Role};
use super::{DocumentQuery, OnFault, Projection, ProjectionError};
use crate::cache::CacheError;
use crate::position::Position;
use crate::store::{EventQuery, Log, StreamEvent};
use crate::temporal::AsOf;
use crate::time::Time;

/// Positions of the events that belong to a document, in rising order, and how many events were looked at to find
/// them.
#[derive(Debug, Default)]
pub(crate) struct DocumentInputs {
    pub(crate) positions: Vec<Position>,
    pub(crate) examined: u64,
}

impl Projections {
    /// The events that belong to a document as of an instant, and the log that holds them; none after the event that
    /// the projection stops before.
    ///
    /// # Errors
    /// As [`Projections::documents`].
    pub(crate) fn inputs_as_of(
        &self,
        name: &str,
        key: &str,
        as_of: &AsOf,
    ) -> Result<(DocumentInputs, &Log), ProjectionError> {
        let projection = self.set.get(name)?;
        let mut known = known_of(&self.log, as_of)?;
        if projection.on_fault() == OnFault::Stop {
            let query = DocumentQuery {
                key: Some(key.to_owned()),
                ..DocumentQuery::default()
            };
            known = known.min(self.remembered(name, as_of, &query)?.position);
        }
        Ok((self.inputs(&projection, key, as_of.at, known)?, &self.log))
    }

    /// The events with time <= `at` and position <= `known` that belong to a document of a projection.
    ///
    /// # Errors
    /// [`ProjectionError`] if the log cannot be read.
    pub(super) fn inputs(
        &self,
        projection: &Arc<Projection>,
        key: &str,
        at: Option<Time>,
        known: Position,
    ) -> Result<DocumentInputs, ProjectionError> {
        let nothing = || (DocumentInputs::default(), Position::ZERO);
        let (mut inputs, from) = match self.kept_inputs(projection, key, at, known) {
            Ok(found) => found.unwrap_or_else(nothing),
            Err(CacheError::Read(error)) => return Err(error.into()),
            // Without what is kept the log is read.
            Err(CacheError::Engine(_) | CacheError::Io(_)) => nothing(),
        };
        inputs_after(&self.log, projection, key, at, from, known, &mut inputs)?;
        Ok(inputs)
    }

    /// What is kept of a document's inputs, and up to which position that is all of them.
    fn kept_inputs(
        &self,
        projection: &Arc<Projection>,
        key: &str,
        at: Option<Time>,
        known: Position,
    ) -> Result<Option<(DocumentInputs, Position)>, CacheError> {
        let Ok(cache) = &self.cache else {
            return Ok(None);
        };
        let name = projection.name();
        let Some(standing) = cache.read(|conn| kept::standing(conn, name, Role::Live))? else {
            return Ok(None);
        };
        if self.misfit(projection, &standing)?.is_some() {
            return Ok(None);
        }
        cache.read(|conn| {
            let still = kept::standing(conn, name, Role::Live)?;
            if still.is_none_or(|still| still.id != standing.id || still.at != standing.at) {
                return Ok(None);
            }
            let positions = kept::inputs(conn, &standing, key, at, known)?;
            let examined = 0;
            let inputs = DocumentInputs {
                positions,
                examined,
            };
            Ok(Some((inputs, standing.at.size.min(known))))
        })
    }
}

/// Adds the events after a position that belong to a document, from the log.
fn inputs_after(
    log: &Log,
    projection: &Projection,
    key: &str,
    at: Option<Time>,
    after: Position,
    known: Position,
    inputs: &mut DocumentInputs,
) -> Result<(), ProjectionError> {
    if after >= known {
        return Ok(());
    }
    let mut query = EventQuery {
        after: Some(after),
        known: Some(known),
        ..EventQuery::default()
    };
    loop {
        let page = log.events(&query, PAGE)?;
        for event in page.events {
            inputs.examined += 1;
            let is_included = at.is_none_or(|at| event.time.time <= at);
            if is_included && projection.is_about(&event) {
                let event = StreamEvent::at_home(event);
                if projection.keys_of(&event).iter().any(|own| own == key) {
                    inputs.positions.push(event.event.position);
                }
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(()),
        }
    }
}
