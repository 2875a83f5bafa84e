//! Documents as of an instant, folded from the log.

use std::sync::Arc;

use super::folding::{Document, Folding, note_underived};
use super::{
    DocumentQuery, DocumentRow, DocumentsView, Projection, ProjectionError, ProjectionSet,
};
use crate::finding::Findings;
use crate::position::Position;
use crate::store::{EventQuery, Log, ReadError, StreamEvent};
use crate::temporal::{AsOf, AsOfView};
use crate::time::Time;

/// Events read at once.
pub(super) const PAGE: usize = 2_048;

/// The documents of a projection as of an instant, folded from all of its events. A log that is
/// [watched](Log::watched) shows how far it is and can cancel it.
///
/// # Errors
/// [`ProjectionError`] if there is no such projection, its definition is wrong, the log is shorter than `known`, or
/// cannot be read.
///
/// ```
/// use annals_core::projection::{documents, DocumentQuery, Projection, ProjectionSet};
/// use annals_core::{store::Log, temporal::AsOf};
///
/// let folder = tempfile::tempdir()?;
/// let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let mut set = ProjectionSet::default();
/// set.add(Projection::parse("emails", "key = \"event.stream\"\n[on.EmailChanged]\nemail = \"data.newEmail\"")?)?;
/// let view = documents(&Log::explore(&store)?, &set, "emails", &AsOf::default(), &DocumentQuery::default())?;
/// assert!(view.documents_count > 0 && view.next.is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn documents(
    log: &Log,
    set: &ProjectionSet,
    name: &str,
    as_of: &AsOf,
    query: &DocumentQuery,
) -> Result<DocumentsView, ProjectionError> {
    let projection = set.get(name)?;
    let known = known_of(log, as_of)?;
    let (folding, examined) = fold_all(log, &projection, as_of, known)?;
    Ok(view(&projection, folding, as_of, known, examined, query))
}

/// The last position that an as-of includes.
pub(super) fn known_of(log: &Log, as_of: &AsOf) -> Result<Position, ProjectionError> {
    let last = log.head()?.size;
    match as_of.known {
        Some(asked) if asked > last => Err(ProjectionError::NoPosition { asked, last }),
        Some(asked) => Ok(asked),
        None => Ok(last),
    }
}

/// Folds the log up to `known`; returns how many events were looked at.
pub(super) fn fold_all(
    log: &Log,
    projection: &Arc<Projection>,
    as_of: &AsOf,
    known: Position,
) -> Result<(Folding, u64), ProjectionError> {
    let mut folding = Folding::new(projection);
    let all = (Position::ZERO, known);
    let examined = each_event(log, all, as_of.at, &mut |event| folding.take(&event))?;
    Ok((folding, examined))
}

/// Gives the events after a position, up to another and to an instant, to `take` until it says no; how many were looked
/// at.
pub(super) fn each_event(
    log: &Log,
    (after, known): (Position, Position),
    at: Option<Time>,
    take: &mut dyn FnMut(StreamEvent) -> bool,
) -> Result<u64, ReadError> {
    let mut examined = 0;
    let mut query = EventQuery {
        after: Some(after),
        known: Some(known),
        ..EventQuery::default()
    };
    if after >= known {
        return Ok(examined);
    }
    loop {
        let page = log.events(&query, PAGE)?;
        for event in page.events {
            examined += 1;
            let is_included = at.is_none_or(|at| event.time.time <= at);
            if is_included && !take(StreamEvent::at_home(event)) {
                return Ok(examined);
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => return Ok(examined),
        }
    }
}

/// The answer.
pub(super) fn view(
    projection: &Projection,
    folding: Folding,
    as_of: &AsOf,
    known: Position,
    examined: u64,
    query: &DocumentQuery,
) -> DocumentsView {
    let Folding {
        documents,
        mut findings,
        mut incomplete,
        stopped,
        ..
    } = folding;
    let mut matching: Vec<(String, Document)> = documents
        .into_iter()
        .filter(|(key, _)| query.matches(key))
        .collect();
    matching.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let documents_count = matching.len() as u64;
    if let Some(after) = &query.after {
        let first = matching.partition_point(|(key, _)| key <= after);
        matching.drain(..first);
    }
    let limit = query.limit.unwrap_or(usize::MAX);
    let next = (matching.len() > limit)
        .then(|| {
            matching
                .get(limit.wrapping_sub(1))
                .map(|(key, _)| key.clone())
        })
        .flatten();
    matching.truncate(limit);
    let documents: Vec<DocumentRow> = matching
        .into_iter()
        .map(|(key, document)| row(projection, key, &document, &mut findings))
        .collect();
    incomplete |= documents.iter().any(|document| document.incomplete);
    DocumentsView {
        projection: projection.name().to_owned(),
        model: projection.reference(),
        strategy: projection.strategy(),
        as_of: AsOfView {
            at: as_of.at,
            known: as_of.known,
        },
        reading: None,
        documents,
        documents_count,
        next,
        position: stopped.map_or(known, |at| Position(at.0.saturating_sub(1))),
        events_examined: examined,
        incomplete,
        stopped_at: stopped,
        findings: findings.into_vec(),
    }
}

/// A document as a reader sees it.
pub(super) fn row(
    projection: &Projection,
    key: String,
    document: &Document,
    findings: &mut Findings,
) -> DocumentRow {
    let (state, faults) = projection.document(document.fold.shared_state());
    let incomplete = document.fold.incomplete() || !faults.is_empty();
    note_underived(findings, &key, faults);
    DocumentRow {
        key,
        state: crate::temporal::raw(&state),
        inputs: document.inputs,
        last_position: document.last.0,
        last_time: document.last.1,
        incomplete,
    }
}

impl DocumentQuery {
    /// Whether a document is asked for, its place among the pages aside.
    pub(super) fn matches(&self, key: &str) -> bool {
        self.key.as_deref().is_none_or(|wanted| wanted == key)
            && self
                .prefix
                .as_deref()
                .is_none_or(|prefix| key.starts_with(prefix))
    }
}
