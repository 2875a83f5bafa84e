//! Documents at an instant, from what is kept: the states nearest before it, and the events that each lacks.

use std::collections::HashMap;
use std::sync::Arc;

use super::answers::Question;
use super::documents::{PAGE, each_event, fold_all, known_of, view};
use super::engine::Projections;
use super::folding::{Document, Folding};
use super::kept::{self, Role, Standing};
use super::{DocumentQuery, DocumentsView, OnFault, Projection, ProjectionError};
use crate::cache::CacheError;
use crate::model::KeyedFault;
use crate::position::Position;
use crate::store::{ReadError, StreamEvent};
use crate::temporal::AsOf;

impl Projections {
    /// The documents of a projection as of an instant: what is kept, the events after its checkpoint, and for earlier
    /// instants the kept states nearest before. The same documents as [`super::documents`] gives.
    ///
    /// # Errors
    /// As [`super::documents`].
    pub fn documents(
        &self,
        name: &str,
        as_of: &AsOf,
        query: &DocumentQuery,
    ) -> Result<DocumentsView, ProjectionError> {
        Ok(DocumentsView::clone(&*self.remembered(name, as_of, query)?))
    }

    /// As [`Projections::documents`], shared: the same question again is answered from memory.
    ///
    /// # Errors
    /// As [`super::documents`].
    pub fn remembered(
        &self,
        name: &str,
        as_of: &AsOf,
        query: &DocumentQuery,
    ) -> Result<Arc<DocumentsView>, ProjectionError> {
        let projection = self.set.get(name)?;
        self.keep_followed();
        let known = known_of(&self.log, as_of)?;
        let question = Question {
            projection: projection.name().to_owned(),
            hash: projection.identity(),
            at: as_of.at,
            known,
            query: query.clone(),
        };
        let answer = self.answers.of(
            question,
            (self.clock)().us(),
            self.log.head()?.size,
            |since| Ok(!self.log.erased_since(since)?.is_empty()),
            || self.work_out(&projection, as_of, known, query),
        )?;
        if answer.as_of.known == as_of.known {
            return Ok(answer);
        }
        // The same instant in other words.
        let mut answer = DocumentsView::clone(&answer);
        answer.as_of.known = as_of.known;
        Ok(Arc::new(answer))
    }

    fn work_out(
        &self,
        projection: &Arc<Projection>,
        as_of: &AsOf,
        known: Position,
        query: &DocumentQuery,
    ) -> Result<DocumentsView, ProjectionError> {
        let (folding, examined) = match self.kept_fold(projection, as_of, known, query) {
            Ok(Some(found)) => found,
            Ok(None) | Err(CacheError::Engine(_) | CacheError::Io(_)) => {
                fold_all(&self.log, projection, as_of, known)?
            }
            Err(CacheError::Read(error)) => return Err(error.into()),
        };
        Ok(view(projection, folding, as_of, known, examined, query))
    }

    /// The fold from what is kept; `None` where nothing that fits is.
    fn kept_fold(
        &self,
        projection: &Arc<Projection>,
        as_of: &AsOf,
        known: Position,
        query: &DocumentQuery,
    ) -> Result<Option<(Folding, u64)>, CacheError> {
        // Where a fold stops depends on all that it includes: on documents that nobody asks for, too.
        let stops = projection.on_fault() == OnFault::Stop;
        let everything = DocumentQuery::default();
        let found = self.read_kept(projection, |conn, standing| {
            if standing.faults > kept::MAX_FAULTS {
                return Ok(None);
            }
            let base = known.min(standing.at.size);
            let is_past = as_of.at.is_some() || known < standing.at.size;
            let query = if stops && (is_past || base < known) {
                &everything
            } else {
                query
            };
            let (mut folding, examined) =
                self.base(conn, projection, standing, as_of, base, query)?;
            // The others are not there, so what an event does to them cannot be told.
            folding.only.clone_from(&query.key);
            Ok(Some((folding, examined, base)))
        })?;
        let Some((mut folding, mut examined, base)) = found else {
            return Ok(None);
        };
        if folding.stopped.is_none() {
            // The event that stopped it comes first of these, and says again why; as of an earlier instant it may be
            // folded, or not be there.
            let rest = (base, known);
            let take = &mut |event| folding.take(&event);
            examined += each_event(&self.log, rest, as_of.at, take)?;
        }
        Ok(Some((folding, examined)))
    }

    /// Reads what is kept of a projection; `None` where nothing that fits is, or it went on meanwhile.
    pub(super) fn read_kept<T>(
        &self,
        projection: &Projection,
        read: impl Fn(&rusqlite::Connection, &Standing) -> Result<Option<T>, CacheError>,
    ) -> Result<Option<T>, CacheError> {
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
            read(conn, &standing)
        })
    }

    /// The kept documents as they were at an instant at or before the checkpoint.
    fn base(
        &self,
        conn: &rusqlite::Connection,
        projection: &Arc<Projection>,
        standing: &Standing,
        as_of: &AsOf,
        known: Position,
        query: &DocumentQuery,
    ) -> Result<(Folding, u64), CacheError> {
        let mut folding = Folding::new(projection);
        let mut earlier: Vec<(String, Document)> = Vec::new();
        let mut lacking: Vec<Lacking> = Vec::new();
        let mut statement = conn.prepare_cached(&format!(
            "SELECT {} FROM projection_documents WHERE projection = ?1 AND (?2 IS NULL OR key = ?2)",
            kept::DOCUMENT
        ))?;
        let mut rows = statement.query((standing.id, &query.key))?;
        while let Some(row) = rows.next()? {
            if !query.matches(row.get_ref(1)?.as_str().unwrap_or_default()) {
                continue;
            }
            let (key, mut document) = kept::stateless(projection, row)?;
            let is_whole =
                document.last.0 <= known && as_of.at.is_none_or(|at| document.latest <= at);
            if is_whole {
                kept::put_state(projection, row, &mut document)?;
                folding.documents.insert(key, document);
                continue;
            }
            let (before, positions) =
                kept::document_before(conn, projection, &document, as_of.at, known)?;
            let place = earlier.len();
            lacking.extend(positions.into_iter().map(|position| (position, place)));
            earlier.push((key, before));
        }
        drop(rows);
        drop(statement);
        let reached: HashMap<String, Position> = earlier
            .iter()
            .map(|(key, document)| (key.clone(), document.last.0))
            .collect();
        let (examined, fault) = self.fold_lacking(&mut folding, &mut earlier, lacking)?;
        if let Some((position, fault)) = fault {
            // Nothing from that event on counts, in no document: what was included before it could all be folded.
            let before = Position(position.0 - 1);
            let (mut folding, more) =
                self.base(conn, projection, standing, as_of, before, query)?;
            folding.stop_before(position, fault);
            return Ok((folding, examined + more));
        }
        let are_there = earlier.into_iter().filter(|(_, one)| one.inputs > 0);
        folding.documents.extend(are_there);
        for fault in kept::faults(conn, standing, as_of.at, known)? {
            // What failed in what was folded again was found again.
            if reached
                .get(&fault.key)
                .is_some_and(|from| fault.position > *from)
            {
                continue;
            }
            folding.incomplete = true;
            let KeyedFault {
                kind,
                place,
                detail,
            } = fault.fault;
            folding
                .findings
                .add_cause(kind, crate::finding::Severity::Severe, place, detail);
        }
        Ok((folding, examined))
    }

    /// Folds into documents the events that they lack, each read once and in the order of the log; how many there
    /// were, and the first that stops the projection.
    fn fold_lacking(
        &self,
        folding: &mut Folding,
        documents: &mut [(String, Document)],
        mut lacking: Vec<Lacking>,
    ) -> Result<(u64, Option<(Position, KeyedFault)>), ReadError> {
        let stops = folding.projection().on_fault() == OnFault::Stop;
        lacking.sort_unstable();
        let mut positions: Vec<Position> = lacking.iter().map(|(position, _)| *position).collect();
        positions.dedup();
        let mut rest = &lacking[..];
        let mut examined = 0;
        for page in positions.chunks(PAGE) {
            for event in self.log.events_at(page)? {
                examined += 1;
                let event = StreamEvent::at_home(event);
                let position = event.event.position;
                let many = rest.partition_point(|(lacked, _)| *lacked <= position);
                let own = rest[..many].iter().map(|(_, place)| *place);
                rest = &rest[many..];
                let fault = folding.take_into(documents, own, &event);
                if let Some(fault) = fault.filter(|_| stops) {
                    return Ok((examined, Some((position, fault))));
                }
            }
        }
        Ok((examined, None))
    }
}

/// An event that a document lacks, and the document's place among them.
type Lacking = (Position, usize);
