//! SQL as of any instant: one reading statement over tables that are computed from the log.
//!
//! | table | a row |
//! |---|---|
//! | `events` | an event |
//! | `streams` | a stream; `streams(at, known)` as it was |
//! | `CATEGORY_at(at, known)` | a stream's state as of then, its fields as columns |
//! | `state_at(category, at, known)` | the same, the state as JSON |
//! | `history(category, path, known)` | a value that a place of a stream's state had, and from when to when |
//!
//! The statement runs on an empty database in memory, so there is nothing that it could write; the engine's authorizer
//! refuses whatever does not read. Decimals are texts under a collation that compares them by value, and sums are
//! exact; where a number may have gone through binary floating point, the answer says so.
//! (`docs/sql.md`, `docs/decisions/0035-sql-over-virtual-tables.md`)
//!
//! Left out: the log's own tables, which hold ids and not names, and may change with the file's format.

mod ask;
mod events;
mod exact;
mod export;
mod guard;
mod history;
mod moment;
mod saved;
mod scene;
mod schema;
mod states;
mod streams;
mod view;
mod words;
mod wrap;

pub(crate) use ask::{EachRow, ask_each, parameters};
pub use ask::{Question, ROWS, TIME, ask, ask_paged};
pub(crate) use export::column_keys;
pub use export::{SqlExportView, SqlForm, export, printed};
pub use saved::{SavedQueriesView, SavedQuery, delete, list, save, show};
pub use schema::schema;
pub use view::{
    SqlColumn, SqlEnd, SqlFunction, SqlReading, SqlSchemaColumn, SqlSchemaView, SqlTable, SqlView,
};

use std::time::Duration;

use crate::store::ReadError;
use crate::temporal::TemporalError;

/// Why a statement was not answered.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The statement is wrong.
    #[error("line {line}, column {column}: {message}")]
    Text {
        /// What is wrong.
        message: String,
        /// Line, first is 1.
        line: usize,
        /// Column in characters, first is 1.
        column: usize,
        /// What may have been meant.
        near: Vec<String>,
    },
    /// The statement is wrong, and the engine does not say where; or it went wrong on the way.
    #[error("{message}")]
    Failed {
        /// What is wrong.
        message: String,
    },
    /// There is no statement.
    #[error("there is no statement")]
    Empty,
    /// There is more than one statement.
    #[error("line {line}, column {column}: a second statement begins here; one is answered")]
    Several {
        /// Line of the second one, first is 1.
        line: usize,
        /// Its column in characters, first is 1.
        column: usize,
    },
    /// The statement does something else than reading.
    #[error("only reading is allowed: {what}")]
    Refused {
        /// What it would do.
        what: String,
    },
    /// It took too long.
    #[error("the statement ran for {} and was stopped", seconds(*limit))]
    TimeUp {
        /// The limit.
        limit: Duration,
    },
    /// The caller cancelled.
    #[error("cancelled")]
    Cancelled,
    /// A workbook has no room for so many rows.
    #[error("a sheet has room for {limit} rows, and there are more")]
    TooManyRows {
        /// Rows that there is room for.
        limit: u64,
    },
    /// No such saved query.
    #[error("there is no saved query {name}")]
    NoQuery {
        /// Its name.
        name: String,
    },
    /// A name that no file of a query can have.
    #[error("{name:?} cannot name a query: letters, digits, - _ and ., up to 100 bytes")]
    Name {
        /// The name.
        name: String,
    },
    /// A query of that name is there already.
    #[error("there is a query {name} already")]
    Exists {
        /// Its name.
        name: String,
    },
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A state could not be told.
    #[error(transparent)]
    State(#[from] TemporalError),
    /// A file could not be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

fn seconds(limit: Duration) -> String {
    match (limit.as_secs(), limit.subsec_millis()) {
        (1, 0) => "1 second".to_owned(),
        (seconds, 0) => format!("{seconds} seconds"),
        (seconds, millis) => format!("{} ms", seconds * 1_000 + u64::from(millis)),
    }
}

#[cfg(test)]
mod tests;
