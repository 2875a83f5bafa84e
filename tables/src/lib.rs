//! Tables whose rows a program computes, for SQLite: the safe face of its virtual tables.
//!
//! rusqlite's traits for them are `unsafe` to implement, because SQLite finds its own struct at the beginning of
//! ours. They are implemented here once, for [`Table`], and nothing else in Annals needs `unsafe`.
//! (`docs/decisions/0035-sql-over-virtual-tables.md`)
//!
//! Left out: tables that can be written, and what the tables of Annals hold.
//!
//! ```
//! use annals_tables::{Asked, Column, Plan, Row, Rows, Table, Term, Value, add};
//!
//! struct Countdown;
//!
//! impl Table for Countdown {
//!     fn columns(&self) -> Vec<Column> {
//!         vec![Column::new("n", "INTEGER"), Column::argument("start")]
//!     }
//!     fn plan(&self, terms: &[Term]) -> Plan {
//!         Plan::taking(terms.iter().map(|term| term.column == 1))
//!     }
//!     fn rows(&self, asked: Asked) -> Result<Rows, String> {
//!         let Some(Value::Integer(start)) = asked.argument(1) else {
//!             return Err("from where?".to_owned());
//!         };
//!         let start = *start;
//!         Ok(Box::new((1..=start).rev().map(move |n| {
//!             Ok(Row { id: n, cells: vec![Value::Integer(n), Value::Integer(start)] })
//!         })))
//!     }
//! }
//!
//! let conn = rusqlite::Connection::open_in_memory()?;
//! add(&conn, "countdown", Countdown)?;
//! let last: i64 = conn.query_row("SELECT min(n) FROM countdown(3)", [], |row| row.get(0))?;
//! assert_eq!(last, 1);
//! assert!(conn.query_row("SELECT * FROM countdown", [], |_| Ok(())).is_err());
//! # Ok::<(), rusqlite::Error>(())
//! ```

mod engine;

pub use rusqlite::types::Value;

use std::sync::Arc;

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What is declared of it: a type, which gives the affinity, and a collation; empty for nothing.
    pub declared: String,
    /// It is an argument of the table, `t(1)`, and not among the columns of `*`.
    pub hidden: bool,
}

impl Column {
    /// A column that `*` shows.
    #[must_use]
    pub fn new(name: impl Into<String>, declared: impl Into<String>) -> Column {
        Column {
            name: name.into(),
            declared: declared.into(),
            hidden: false,
        }
    }

    /// An argument of the table. Arguments come in the order of their columns.
    #[must_use]
    pub fn argument(name: impl Into<String>) -> Column {
        Column {
            name: name.into(),
            declared: String::new(),
            hidden: true,
        }
    }
}

/// How a column is compared with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `=`
    Equal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// A comparison of the query that a table can be handed, so that it need not give every row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Number of the column, from 0.
    pub column: usize,
    /// How it is compared.
    pub comparison: Comparison,
    /// The collation by which texts are compared.
    pub collation: String,
}

/// The order that the query wants, where it is that of one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Number of the column, from 0.
    pub column: usize,
    /// Largest first.
    pub descending: bool,
}

/// What a table takes of a query, and what that costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// For each term whether its value is wanted. The engine compares the rows again in any case, except where the
    /// column is an argument.
    pub taken: Vec<bool>,
    /// A rough cost, in rows read.
    pub cost: u32,
    /// A rough number of rows given.
    pub rows: u32,
    /// The column in whose order rows can be given, either way.
    pub ordered_by: Option<usize>,
}

impl Plan {
    /// A plan that takes some terms, of a cost that only says that more of them are better.
    pub fn taking(taken: impl IntoIterator<Item = bool>) -> Plan {
        let taken: Vec<bool> = taken.into_iter().collect();
        let count = taken.iter().filter(|taken| **taken).count();
        let rows = 1_000_000_u32 >> (count * 3).min(19);
        Plan {
            taken,
            cost: rows,
            rows,
            ordered_by: None,
        }
    }
}

/// What a query wants of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The values of the terms taken.
    pub given: Vec<(usize, Comparison, Value)>,
    /// Which columns are looked at: bit n for column n, bit 63 for all from 63 on.
    pub used: u64,
    /// The order that rows have to have, where the plan said that they can.
    pub order: Option<Order>,
}

impl Asked {
    /// Whether a column is looked at.
    #[must_use]
    pub fn uses(&self, column: usize) -> bool {
        self.used & (1 << column.min(63)) != 0
    }

    /// The value of an argument; `None` if it was not given.
    #[must_use]
    pub fn argument(&self, column: usize) -> Option<&Value> {
        let mut given = self.given.iter();
        given
            .find(|(at, comparison, _)| *at == column && *comparison == Comparison::Equal)
            .map(|(_, _, value)| value)
    }
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its `rowid`.
    pub id: i64,
    /// Its cells, one a column; those that are not looked at may be anything.
    pub cells: Vec<Value>,
}

/// The rows of a table, one after another. After an error there are none.
pub type Rows = Box<dyn Iterator<Item = Result<Row, String>>>;

/// A table whose rows are computed.
pub trait Table: Send + Sync + 'static {
    /// Its columns; always the same.
    fn columns(&self) -> Vec<Column>;

    /// What it takes of the comparisons that a query makes. Arguments must be taken.
    fn plan(&self, terms: &[Term]) -> Plan;

    /// The rows that a query wants, or more: those that its comparisons leave out may be among them.
    ///
    /// # Errors
    /// A sentence for whoever asked.
    fn rows(&self, asked: Asked) -> Result<Rows, String>;
}

/// Adds a table to a connection under a name, as a table and as a function with its arguments.
///
/// # Errors
/// The engine's, also where the name holds a NUL.
pub fn add(
    conn: &rusqlite::Connection,
    name: &str,
    table: impl Table,
) -> Result<(), rusqlite::Error> {
    let columns = table.columns();
    engine::add(
        conn,
        name,
        Arc::new(engine::Held {
            columns,
            table: Box::new(table),
        }),
    )
}

/// A name as it stands in SQL: in double quotes where it has to be.
///
/// ```
/// assert_eq!(annals_tables::quoted("order"), "\"order\"");
/// assert_eq!(annals_tables::quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
/// ```
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
