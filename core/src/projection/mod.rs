//! Projections: read models over many streams, defined beside a store and computed from its events.
//!
//! The documents of a projection as of (at, known) = the fold, in position order, of the events with position <=
//! known and time <= at, each into the document or documents that its key names.
//!
//! Left out: the language of the definitions ([`crate::model`]), pictures of documents.

mod answers;
mod catch_up;
mod compare;
mod documents;
mod engine;
mod explained;
mod files;
mod folding;
mod followed;
mod inputs;
mod instant;
mod kept;
mod run;
mod set;
mod status;
mod view;

pub use crate::model::{OnFault, Projection, Strategy};
pub use answers::{ReadCache, ReadCacheView};
pub use catch_up::CaughtUp;
pub use compare::{
    CompareView, DIFFERENCES, DifferenceKind, FieldDifference, RowDifference, Theirs, TheirsError,
    compare,
};
pub use documents::documents;
pub use engine::Projections;
pub use explained::{DerivedView, DocumentHistoryView, DocumentWhyView};
pub use files::{SaveError, list, save, show};
pub use followed::{AppendFollowedError, FOLLOWED_EVENTS};
pub use run::Runner;
pub use set::ProjectionSet;
pub use status::{
    DEAD_AFTER_MS, DocumentDifference, FaultRow, ProjectionStatus, RebuildView, RunState,
    StatusView, forget_erased,
};
pub use view::{
    DocumentQuery, DocumentRow, DocumentsView, ProjectionRow, ProjectionTextView, ProjectionsView,
};

use crate::cache::CacheError;
use crate::model::ModelError;
use crate::position::Position;
use crate::store::ReadError;

/// Why a question about a projection was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no projection of this name.
    #[error(
        "there is no projection {name}{}",
        if known.is_empty() { String::new() } else { format!("; there is {}", known.join(", ")) }
    )]
    NoProjection {
        /// Name asked for.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// The definition is wrong.
    #[error("the definition is wrong: {0}")]
    Broken(ModelError),
    /// The log is shorter.
    #[error("the log has {last} positions, there is no position {asked}")]
    NoPosition {
        /// Position asked for.
        asked: Position,
        /// Its last position.
        last: Position,
    },
    /// No event up to the instant belongs to a document of this key.
    #[error("{projection} has no document {key} as of then")]
    NoDocument {
        /// Name of the projection.
        projection: String,
        /// Key asked for.
        key: String,
    },
    /// The path is not in the document and never was.
    #[error(
        "document {key} of {projection} has no {path} and never had{}",
        if near.is_empty() { String::new() } else { format!("; it has {}", near.join(", ")) }
    )]
    NoPath {
        /// Name of the projection.
        projection: String,
        /// Key of the document.
        key: String,
        /// Path asked for.
        path: String,
        /// Paths that come close.
        near: Vec<String>,
    },
    /// Documents cannot be kept.
    #[error("{0}")]
    NoCache(String),
    /// The cache could not be read or written.
    #[error(transparent)]
    Cache(CacheError),
}

impl From<CacheError> for ProjectionError {
    fn from(error: CacheError) -> ProjectionError {
        match error {
            CacheError::Read(error) => ProjectionError::Read(error),
            other => ProjectionError::Cache(other),
        }
    }
}

#[cfg(test)]
mod tests;
