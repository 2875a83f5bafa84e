//! Snapshots: folds of a stream's first events, kept so that its state need not be folded from the first event each
//! time.
//!
//! A snapshot stands for the events of one stream up to a version, folded by one model. It serves an as-of only where
//! that includes every one of these events: the largest position and the largest time among them fit. So an answer
//! from a snapshot is the answer of a whole fold, to the byte. Snapshots are derived: they lie in the cache, are
//! thrown away where anything does not fit, and [`policy`] says which are made and which are kept.
//!
//! Left out: how a fold is put into a snapshot and taken out again, and what is asked of them
//! ([`crate::temporal`] does that); snapshots of projections.

pub mod claimed;
mod kept;
pub mod policy;
#[cfg(test)]
mod tests;

use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::cache::CacheError;
use crate::id::StreamId;
use crate::integrity::Hash;
use crate::model::Model;
use crate::position::{Position, Version};
use crate::store::ReadError;
use crate::time::Time;

pub use kept::{Dropped, KeptRow, Measured, Snapshots, Wanted};
pub use policy::{Policies, PolicyError, SnapshotPolicy, SnapshotStrategy};

/// The fold of a stream's events up to a version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The stream.
    pub stream: StreamId,
    /// Which model made it: see [`fold_key`].
    pub model: Hash,
    /// Name of that model.
    pub model_name: String,
    /// The last version that it covers.
    pub version: Version,
    /// Position of the event there: the largest that it covers.
    pub position: Position,
    /// When that event happened.
    pub time: Time,
    /// The largest time that it covers.
    pub latest: Time,
    /// The state, as JSON; numbers as they are.
    pub state: Box<RawValue>,
    /// What else the fold knows, as JSON: counts, findings, what the last event changed.
    pub(crate) course: Box<RawValue>,
}

impl Snapshot {
    /// Hash over all of it, so that flipped bytes are found.
    pub(crate) fn hash(&self) -> Hash {
        let Snapshot {
            stream,
            model,
            model_name,
            version,
            position,
            time,
            latest,
            state,
            course,
        } = self;
        let mut hash = Sha256::new().chain_update(b"annals snapshot 1\n");
        let texts = [stream.as_str(), model_name, state.get(), course.get()];
        for text in texts {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        hash.update(model.0);
        for number in [version.0, position.0] {
            hash.update(number.to_be_bytes());
        }
        for time in [time, latest] {
            hash.update(time.us().to_be_bytes());
            hash.update(time.sub_ns().to_be_bytes());
        }
        Hash(hash.finalize().into())
    }
}

/// How the name of a model begins that is none: an aggregate of a program, which alone can read it.
pub(crate) const AGGREGATE: &str = "aggregate ";

/// What tells the folds of one model from those of another: its name, which findings print, and its text, which holds
/// the upcasters.
#[must_use]
pub fn fold_key(model: &Model) -> Hash {
    let reference = model.reference();
    let mut hash = Sha256::new().chain_update(b"annals fold 1\n");
    hash.update((reference.name.len() as u64).to_be_bytes());
    hash.update(reference.name.as_bytes());
    hash.update(reference.hash.map_or([0; 32], |hash| hash.0));
    Hash(hash.finalize().into())
}

/// Why snapshots could not be made, kept or checked.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The log could not be read, or the work was stopped.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The cache could not be used.
    #[error(transparent)]
    Cache(CacheError),
    /// The policies are none.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A file of snapshots is none.
    #[error(transparent)]
    Claimed(#[from] claimed::ClaimError),
    /// The stream has fewer versions.
    #[error("stream {stream} has {last} versions, there is no version {asked}")]
    NoVersion {
        /// The stream.
        stream: StreamId,
        /// Version asked for.
        asked: Version,
        /// Its last version.
        last: Version,
    },
    /// A model with a time of its own orders events anew, so the first of them are no part of a later state.
    #[error(
        "the model of {stream} counts events from a time of its own, so no snapshot of it can serve"
    )]
    OwnTime {
        /// The stream.
        stream: StreamId,
    },
    /// The system refused.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl From<CacheError> for SnapshotError {
    fn from(error: CacheError) -> SnapshotError {
        match error {
            CacheError::Read(error) => SnapshotError::Read(error),
            error => SnapshotError::Cache(error),
        }
    }
}
