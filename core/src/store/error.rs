//! What can go wrong with a log.

use std::path::PathBuf;

use crate::id::{EventId, StreamId};
use crate::position::{Position, Version};
use crate::store::ExpectedVersion;

/// Why a log could not be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// No file is there.
    #[error("there is no file {path}")]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// A file is there already, and a new one was asked for.
    #[error("{path} exists already")]
    Exists {
        /// The path.
        path: PathBuf,
    },
    /// The file is not an Annals log.
    #[error("{path} is not an Annals store ({reason})")]
    NotAStore {
        /// The path.
        path: PathBuf,
        /// What it is instead.
        reason: String,
    },
    /// The file was written by a newer Annals.
    #[error("{path} has format {found}, newer than the {known} that this version of Annals reads")]
    NewerFormat {
        /// The path.
        path: PathBuf,
        /// Format of the file.
        found: u32,
        /// Newest format known here.
        known: u32,
    },
    /// Another program holds the file.
    #[error("{path} is locked by another program")]
    Locked {
        /// The path.
        path: PathBuf,
    },
    /// The file is cut off or damaged.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// The path.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The file or its medium cannot be written, and writing was asked for.
    #[error("{path} cannot be written (read-only)")]
    ReadOnly {
        /// The path.
        path: PathBuf,
    },
    /// The disk is full. Even reading needs a little room beside the file.
    #[error("the disk is full; {path} could not be opened or made")]
    DiskFull {
        /// The path.
        path: PathBuf,
    },
    /// The engine failed.
    #[error("{path} could not be opened: {source}")]
    Engine {
        /// The path.
        path: PathBuf,
        /// The engine's error.
        #[source]
        source: rusqlite::Error,
    },
    /// The operating system refused.
    #[error("{path} could not be opened: {source}")]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
}

/// Why an append did not happen. Nothing of it was written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The stream is not at the version that the writer expects.
    #[error("stream {stream} is at version {actual}, expected was {expected}")]
    VersionConflict {
        /// The stream.
        stream: StreamId,
        /// What the writer expects.
        expected: ExpectedVersion,
        /// Version of the stream's last event; 0 if it holds none.
        actual: Version,
    },
    /// The id is taken by an event with other content.
    #[error("event id {id} is taken: position {position} holds it with other content")]
    IdTaken {
        /// The id.
        id: EventId,
        /// Where the other event stands.
        position: Position,
    },
    /// The stream belongs to another category already.
    #[error("stream {stream} belongs to category {actual}, not {given}")]
    CategoryConflict {
        /// The stream.
        stream: StreamId,
        /// Category it belongs to.
        actual: String,
        /// Category given.
        given: String,
    },
    /// An event is linked twice into the same stream, or into its home stream.
    #[error("an event is linked twice into stream {stream}")]
    LinkedTwice {
        /// The stream.
        stream: StreamId,
    },
    /// The payload is over the limit.
    #[error("a payload of {len} bytes is too large (at most {limit})")]
    TooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A part to be erased is of no event, or is an identity, which is never erased.
    #[error(
        "nothing can be erased at position {position}: there is no such event, or its identity is meant"
    )]
    CannotErase {
        /// The position.
        position: Position,
    },
    /// The disk is full.
    #[error("the disk is full; nothing was written")]
    DiskFull,
    /// Another program holds the file.
    #[error("the log is locked by another program; nothing was written")]
    Locked,
    /// The writer has ended.
    #[error("the log is closed")]
    Closed,
    /// The caller cancelled.
    #[error("cancelled; nothing was written")]
    Cancelled,
    /// The engine failed.
    #[error("the log could not be written: {0}")]
    Engine(#[source] std::sync::Arc<rusqlite::Error>),
}

/// Why a question to a log was not answered.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// No such stream.
    #[error("there is no stream {0}")]
    NoStream(StreamId),
    /// No such event.
    #[error("there is no event {0}")]
    NoEvent(String),
    /// The file is damaged at this place.
    #[error("the log is damaged at position {position}: {reason}")]
    Damaged {
        /// Where.
        position: Position,
        /// What is wrong.
        reason: String,
    },
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// The engine failed.
    #[error("the log could not be read: {0}")]
    Engine(#[from] rusqlite::Error),
    /// The operating system refused (a temporary copy, for example).
    #[error("the log could not be read: {0}")]
    Io(#[from] std::io::Error),
}

/// Why a backup or a restored store was not made. Nothing of it was kept.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The new file could not be made, or is there already.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log could not be read, or holds an event that is not what its leaf hash says.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Every event agrees with its leaf, and the tree over them does not with the head.
    #[error(
        "the events have root {found}, and the log says {said}: leaves were exchanged, or the head was"
    )]
    RootDiffers {
        /// Root over the leaves.
        found: crate::integrity::Hash,
        /// Root that the log's head holds.
        said: crate::integrity::Hash,
    },
    /// More events were asked for than the log holds.
    #[error("position {asked} lies beyond the end: the log holds {size} events")]
    BeyondEnd {
        /// Events asked for.
        asked: Position,
        /// Events there are.
        size: Position,
    },
    /// The disk is full.
    #[error("the disk is full; nothing was kept")]
    DiskFull,
    /// The user's own files beside the store could not be copied.
    #[error("{path}: the files beside the store could not be copied: {source}")]
    Beside {
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: std::io::Error,
    },
    /// The caller cancelled.
    #[error("cancelled; nothing was kept")]
    Cancelled,
}
