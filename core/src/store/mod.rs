//! The log: append, read, query, subscribe. The embedded engine is SQLite ([`sqlite`]).
//!
//! [`Log`] reads and cannot write, which the engine enforces; [`LogWriter`] appends. A log is one file,
//! `X.annals`; what the user makes of it lives beside it in `X.annals.d/`.
//!
//! Left out: state ([`crate::temporal`]), outside files ([`crate::import`]).

#[cfg(test)]
mod contract;
mod error;
pub mod extraction;
mod imports;
pub mod ledger;
mod query;
pub mod sqlite;
pub mod verify;
mod view;

pub use error::{AppendError, BackupError, OpenError, ReadError};
pub use extraction::Extraction;
pub(crate) use extraction::Extractor;
pub use imports::{
    Coverage, ImportNote, ImportRow, ImportedFile, ImportsView, LastSeen, Positions, SeenFile,
};
pub use query::{
    Cursor, Direction, EventPage, EventQuery, ExpectedVersion, StreamPage, StreamQuery,
};
pub(crate) use sqlite::{APPLICATION_ID, is_full};
pub use sqlite::{
    Block, Bulk, BulkOutcome, Chunk, LedgerAddition, LedgerError, LedgerNow, Log, LogCheck,
    LogWriter, Pulse, SealedEvent, SealedLog, StreamEvent, Subscription, Times, UnnamedLog,
    add_to_ledger, backup, check, left_in_the_making, restore,
};
pub use view::*;

use crate::event::NewEvent;
use crate::id::{Category, StreamId};
use crate::integrity::Hash;
use crate::position::{Position, Version};

/// Events for one stream, and what the writer expects of it.
#[derive(Debug, Clone)]
pub struct StreamAppend {
    /// The stream.
    pub stream: StreamId,
    /// Its category, where it is not the text before the first `-`. Fixed by the stream's first event.
    pub category: Option<Category>,
    /// What the stream must look like for the append to happen.
    pub expected: ExpectedVersion,
    /// The events, in version order.
    pub events: Vec<NewEvent>,
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// Place of each event, in the order given: new ones, and those the log already held.
    pub events: Vec<AppendedEvent>,
    /// Size and root of the log as it was committed, with this append and those that shared its commit.
    pub head: Head,
}

/// Where one event of an append stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendedEvent {
    /// Place in the log.
    pub position: Position,
    /// Place in its stream.
    pub version: Version,
    /// The log already held it (same id, same content), so nothing was written for it.
    pub duplicate: bool,
}

/// A part of an event that was erased, and the hash that stands for it from then on.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    ts_rs::TS,
)]
#[ts(export)]
pub struct ErasedPart {
    /// The event.
    pub position: Position,
    /// Which part of it.
    pub part: crate::event::Part,
    /// Salted hash of the part, as the event's leaf holds it.
    pub hash: Hash,
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Place of the event that says so.
    pub event: Position,
    /// The parts, by position.
    pub parts: Vec<ErasedPart>,
    /// Size and root of the log after it.
    pub head: Head,
}

/// Size and root hash of a log: its tree head (RFC 6962).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, ts_rs::TS)]
#[ts(export)]
pub struct Head {
    /// Number of events; the position of the last one.
    pub size: Position,
    /// Root hash of the tree over them.
    pub root: Hash,
}
