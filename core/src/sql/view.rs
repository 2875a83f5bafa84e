//! What hosts show of an answer in SQL: the wire types.

use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

use crate::finding::Finding;
use crate::position::Position;
use crate::time::Time;

/// An answer to a statement: `annals sql --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SqlView {
    /// The statement, as it was asked.
    pub sql: String,
    /// The columns, in order.
    pub columns: Vec<SqlColumn>,
    /// The rows. Whole numbers and decimals are numbers with every digit. Bytes are `{"hex": …}`.
    #[ts(type = "unknown[][]")]
    pub rows: Vec<Vec<Value>>,
    /// Most rows that were to be given.
    #[ts(type = "number")]
    pub limit: u64,
    /// Whether these are all of them.
    pub end: SqlEnd,
    /// The log as it was read: its first events up to here.
    pub known: Position,
    /// Zone of times that name none.
    pub zone: String,
    /// The instants that tables were asked for, as they were understood: the first 100.
    pub readings: Vec<SqlReading>,
    /// How many there were.
    #[ts(type = "number")]
    pub readings_count: u64,
    /// Number of events read from the log.
    #[ts(type = "number")]
    pub events_examined: u64,
    /// Tables of states whose rows came from the interval index and not from the events. Findings of single states are
    /// not among the findings then.
    pub from_index: Vec<String>,
    /// Faults in the data, and where numbers may not be exact.
    pub findings: Vec<Finding>,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SqlColumn {
    /// Its name.
    pub name: String,
    /// What it holds, where that is known: `integer`, `decimal`, `text`, `boolean`, `instant`, `json`; `null` for
    /// most of what is computed.
    pub kind: Option<String>,
}

/// Whether an answer holds all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SqlEnd {
    /// All of them.
    Whole,
    /// There are more than the limit.
    Rows,
    /// There are more, and those given are as large as an answer may be.
    Bytes,
}

/// An instant that a table was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SqlReading {
    /// The table.
    pub table: String,
    /// Events with time <= at; `null`: all.
    pub at: Option<Time>,
    /// Events with position <= known.
    pub known: Position,
    /// How the words for it were read, where they left a choice.
    pub reading: Option<String>,
}

/// What there is to ask: `annals sql --schema --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SqlSchemaView {
    /// The tables: those of every log, then one a category, most events first.
    pub tables: Vec<SqlTable>,
    /// Functions beside those of SQLite.
    pub functions: Vec<SqlFunction>,
    /// Categories that no table is shown for here, because there are so many; they can be asked all the same.
    #[ts(type = "number")]
    pub more_categories: u64,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SqlTable {
    /// Its name; in double quotes where it is not letters, digits and `_`.
    pub name: String,
    /// What a row is.
    pub holds: String,
    /// Its arguments, `name(…)`; those from `required` on may be left out.
    pub arguments: Vec<String>,
    /// Number of arguments that must be given.
    #[ts(type = "number")]
    pub required: u64,
    /// Its columns.
    pub columns: Vec<SqlSchemaColumn>,
    /// Category whose states it holds.
    pub category: Option<String>,
    /// Name of the model that tells the states; `inferred` where there is none.
    pub model: Option<String>,
    /// Number of streams whose states were looked at for the columns; a field that none of them has is only in the
    /// column with the whole state.
    #[ts(type = "number | null")]
    pub sampled: Option<u64>,
    /// Number of streams of the category.
    #[ts(type = "number | null")]
    pub streams: Option<u64>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SqlSchemaColumn {
    /// Its name.
    pub name: String,
    /// What it holds: `integer`, `decimal`, `text`, `boolean`, `instant`, `json`.
    pub kind: String,
    /// The field of the state, where it is one.
    pub field: Option<String>,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SqlFunction {
    /// How it is called: `dec_add(a, b)`.
    pub call: String,
    /// What it gives.
    pub gives: String,
}
