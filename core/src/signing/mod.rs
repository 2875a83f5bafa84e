//! Signing a log: its keys, its checkpoints, and proofs that stand on them.
//!
//! A checkpoint says that this log, at this size, had this root. It is worth what its key is worth, and it shows a
//! rewritten log only to somebody who keeps it elsewhere. The log keeps all of its own, each tied to the one before it
//! by an *entry* that the same key signs, so that one cannot be taken out of the middle. A key comes into force by
//! the signature of the key before it.
//!
//! Left out: looking at the log's bytes ([`crate::verify`]); where a key lies is the caller's to say.

mod chain;
mod held;
pub mod keyfile;
mod make;
mod stamps;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

pub use chain::{Examined, examine};
pub(crate) use chain::{against, rotation_text};
pub use held::{
    Protection, held, held_path, kept_passphrase, known_passphrase, make_next, open_or_make,
};
pub(crate) use make::stamps_of;
pub use make::{SigningError, add_cosignatures, checkpoints, keys, prove, rotate, sign_checkpoint};

pub use stamps::{add_time_stamp, request_time_stamp};

use crate::integrity::Hash;
use crate::integrity::timestamp::StampView;
use crate::position::Position;

/// A key of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KeyRow {
    /// Its number, first is 1.
    #[ts(type = "number")]
    pub number: u64,
    /// The public key with its name, as others need it to verify: `name+id+key`.
    pub verifier_key: String,
    /// Number of the first checkpoint that it may sign.
    #[ts(type = "number")]
    pub since: u64,
    /// Whether it is the one in force.
    pub in_force: bool,
}

/// The keys of a log, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct KeysView {
    /// The log's name in notes: `annals/<uuid>`.
    pub origin: String,
    /// The keys; none before the first checkpoint.
    pub keys: Vec<KeyRow>,
    /// Where the private key lies, where one was found.
    pub held: Option<HeldKey>,
}

/// Where a private key lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct HeldKey {
    /// The file.
    pub file: String,
    /// Whether a passphrase protects it.
    pub protected: bool,
    /// Its public key.
    pub verifier_key: String,
    /// Whether it is the key in force.
    pub in_force: bool,
}

/// A checkpoint that a log keeps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CheckpointRow {
    /// Its number, first is 1.
    #[ts(type = "number")]
    pub number: u64,
    /// Number of events it is of.
    pub size: Position,
    /// Root that it says.
    pub root: Hash,
    /// When its signer says that it was made.
    pub made_at: String,
    /// Number of the key that signed it.
    #[ts(type = "number")]
    pub key: u64,
    /// Cosignatures that came for it.
    #[ts(type = "number")]
    pub cosignatures: u64,
    /// Time stamps that came for it.
    #[ts(type = "number")]
    pub timestamps: u64,
    /// What they say of themselves.
    pub stamps: Vec<StampView>,
    /// The signed note, as it is handed on.
    pub note: String,
}

/// A request for a time stamp, written to a file: `annals timestamp request --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct TimeStampRequestView {
    /// Number of the checkpoint that it is over.
    #[ts(type = "number")]
    pub checkpoint: u64,
    /// Number of events that this is of.
    pub tree_size: Position,
    /// Root that it says.
    pub root: Hash,
    /// The file.
    pub file: String,
}

impl TimeStampRequestView {
    /// What to say of a request over this checkpoint that was written to `file`.
    #[must_use]
    pub fn of(row: &CheckpointRow, file: &std::path::Path) -> TimeStampRequestView {
        TimeStampRequestView {
            checkpoint: row.number,
            tree_size: row.size,
            root: row.root,
            file: file.display().to_string(),
        }
    }
}

/// The checkpoints that a log keeps, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct CheckpointsView {
    /// The log's name in notes.
    pub origin: String,
    /// The checkpoints.
    pub checkpoints: Vec<CheckpointRow>,
    /// Events that came after the last one.
    #[ts(type = "number")]
    pub unsigned: u64,
}
