//! The events that belong to a document: from what is kept of it as far as that goes, else from the log.

use std::sync::Arc;

use super::documents::{each_event, known_of};
use super::engine::Projections;
use super::kept;
use super::{DocumentQuery, OnFault, Projection, ProjectionError};
use crate::cache::CacheError;
use crate::position::Position;
use crate::store::Log;
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
        let kept = self.read_kept(projection, |conn, standing| {
            let positions = kept::inputs(conn, standing, key, at, known)?;
            Ok(Some((positions, standing.at.size.min(known))))
        });
        let (mut positions, from) = match kept {
            Ok(Some(found)) => found,
            // Without what is kept the log is read.
            Ok(None) | Err(CacheError::Engine(_) | CacheError::Io(_)) => {
                (Vec::new(), Position::ZERO)
            }
            Err(CacheError::Read(error)) => return Err(error.into()),
        };
        let examined = each_event(&self.log, (from, known), at, &mut |event| {
            let belongs = projection.is_about(&event.event)
                && projection.keys_of(&event).iter().any(|own| own == key);
            positions.extend(belongs.then_some(event.event.position));
            true
        })?;
        Ok(DocumentInputs {
            positions,
            examined,
        })
    }
}
