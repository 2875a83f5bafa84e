//! The engine's side: SQLite's virtual tables, implemented for [`Table`].
#![allow(
    unsafe_code,
    reason = "rusqlite's traits for virtual tables are unsafe to implement; both structs below are laid out as they ask"
)]

use std::borrow::Cow;
use std::ffi::{CStr, CString, c_int};
use std::sync::Arc;

use rusqlite::ffi;
use rusqlite::vtab::{
    Context, Filters, IndexConstraintOp, IndexInfo, Module, VTab, VTabConfig, VTabConnection,
    VTabCursor,
};
use rusqlite::{Connection, Error, Result};

use crate::{Asked, Column, Comparison, Order, Row, Rows, Table, Term, Value, quoted};

/// A table and its columns.
pub(crate) struct Held {
    pub(crate) columns: Vec<Column>,
    pub(crate) table: Box<dyn Table>,
}

pub(crate) fn add(conn: &Connection, name: &str, held: Arc<Held>) -> Result<()> {
    const MODULE: Module<Computed> = Module::eponymous_only_module();
    conn.create_module(name, &MODULE, Some(held))
}

/// A table as the engine sees it.
// INVARIANT: what SQLite knows of it comes first.
#[repr(C)]
struct Computed {
    base: ffi::sqlite3_vtab,
    held: Arc<Held>,
}

// SAFETY: `Computed` is `repr(C)` and begins with a `sqlite3_vtab`.
unsafe impl VTab<'_> for Computed {
    type Aux = Arc<Held>;
    type Cursor = Cursor;

    fn connect(
        db: &mut VTabConnection,
        aux: Option<&Arc<Held>>,
        _module_name: &[u8],
        _database_name: &[u8],
        _table_name: &[u8],
        _args: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, Computed)> {
        let held = aux.ok_or_else(|| told("the table is gone"))?;
        db.config(VTabConfig::DirectOnly)?;
        let columns: Vec<String> = held.columns.iter().map(declaration).collect();
        let sql = CString::new(format!("CREATE TABLE x({})", columns.join(", ")))
            .map_err(|_| told("the name of a column holds a NUL"))?;
        Ok((
            Cow::Owned(sql),
            Computed {
                base: ffi::sqlite3_vtab::default(),
                held: Arc::clone(held),
            },
        ))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        let mut terms = Vec::new();
        let mut places = Vec::new();
        for (place, constraint) in info.constraints().enumerate() {
            let Ok(column) = usize::try_from(constraint.column()) else {
                continue;
            };
            let Some(comparison) = comparison(&constraint.operator()) else {
                continue;
            };
            let argument = self.held.columns.get(column).is_some_and(|c| c.hidden);
            if !constraint.is_usable() {
                // An argument that is known only later: another order of the tables is wanted.
                if argument && comparison == Comparison::Equal {
                    return Ok(false);
                }
                continue;
            }
            terms.push(Term {
                column,
                comparison,
                collation: info.collation(place)?.to_owned(),
            });
            places.push(place);
        }
        let plan = self.held.table.plan(&terms);
        let mut told = Vec::new();
        for ((term, place), taken) in terms.iter().zip(&places).zip(&plan.taken) {
            if !taken {
                continue;
            }
            let argument = self.held.columns.get(term.column).is_some_and(|c| c.hidden);
            told.push(format!("{}{}", term.column, sign(term.comparison)));
            let mut usage = info.constraint_usage(*place);
            usage.set_argv_index(c_int::try_from(told.len()).unwrap_or(c_int::MAX));
            usage.set_omit(argument && term.comparison == Comparison::Equal);
        }
        let order = wanted_order(info).filter(|order| plan.ordered_by == Some(order.column));
        if order.is_some() {
            info.set_order_by_consumed(true);
        }
        info.set_estimated_cost(f64::from(plan.cost));
        info.set_estimated_rows(i64::from(plan.rows));
        let order = match order {
            None => String::new(),
            Some(Order { column, descending }) => {
                format!("{column}{}", if descending { "d" } else { "a" })
            }
        };
        info.set_idx_str(&format!("{:x}|{order}|{}", info.col_used(), told.join(",")));
        Ok(true)
    }

    fn open(&mut self) -> Result<Cursor> {
        Ok(Cursor {
            base: ffi::sqlite3_vtab_cursor::default(),
            held: Arc::clone(&self.held),
            rows: None,
            now: None,
        })
    }
}

/// A walk through the rows.
// INVARIANT: what SQLite knows of it comes first.
#[repr(C)]
struct Cursor {
    base: ffi::sqlite3_vtab_cursor,
    held: Arc<Held>,
    rows: Option<Rows>,
    now: Option<Row>,
}

// SAFETY: `Cursor` is `repr(C)` and begins with a `sqlite3_vtab_cursor`.
unsafe impl VTabCursor for Cursor {
    fn filter(&mut self, _idx_num: c_int, idx_str: Option<&str>, args: &Filters<'_>) -> Result<()> {
        let asked = read_plan(idx_str.unwrap_or_default(), args)
            .ok_or_else(|| told("the plan of the query cannot be read"))??;
        self.rows = Some(self.held.table.rows(asked).map_err(Error::ModuleError)?);
        self.next()
    }

    fn next(&mut self) -> Result<()> {
        let row = self.rows.as_mut().and_then(Iterator::next);
        match row {
            Some(Ok(row)) => self.now = Some(row),
            Some(Err(error)) => {
                (self.rows, self.now) = (None, None);
                return Err(Error::ModuleError(error));
            }
            None => (self.rows, self.now) = (None, None),
        }
        Ok(())
    }

    fn eof(&self) -> bool {
        self.now.is_none()
    }

    fn column(&self, context: &mut Context, column: c_int) -> Result<()> {
        let at = usize::try_from(column).unwrap_or(usize::MAX);
        let cell = self.now.as_ref().and_then(|row| row.cells.get(at));
        context.set_result(cell.unwrap_or(&Value::Null))
    }

    fn rowid(&self) -> Result<i64> {
        Ok(self.now.as_ref().map_or(0, |row| row.id))
    }
}

fn told(message: &str) -> Error {
    Error::ModuleError(message.to_owned())
}

fn declaration(column: &Column) -> String {
    let Column {
        name,
        declared,
        hidden,
    } = column;
    let hidden = if *hidden { " HIDDEN" } else { "" };
    format!("{} {declared}{hidden}", quoted(name))
}

fn comparison(operator: &IndexConstraintOp) -> Option<Comparison> {
    match operator {
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ => Some(Comparison::Equal),
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LT => Some(Comparison::Less),
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LE => Some(Comparison::AtMost),
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_GT => Some(Comparison::Greater),
        IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_GE => Some(Comparison::AtLeast),
        _ => None,
    }
}

const SIGNS: [(Comparison, char); 5] = [
    (Comparison::Equal, '='),
    (Comparison::Less, '<'),
    (Comparison::AtMost, '['),
    (Comparison::Greater, '>'),
    (Comparison::AtLeast, ']'),
];

fn sign(comparison: Comparison) -> char {
    match comparison {
        Comparison::Equal => '=',
        Comparison::Less => '<',
        Comparison::AtMost => '[',
        Comparison::Greater => '>',
        Comparison::AtLeast => ']',
    }
}

fn wanted_order(info: &IndexInfo) -> Option<Order> {
    if info.num_of_order_by() != 1 {
        return None;
    }
    let order = info.order_bys().next()?;
    Some(Order {
        column: usize::try_from(order.column()).ok()?,
        descending: order.is_order_by_desc(),
    })
}

/// Reads what `best_index` wrote: `used|order|terms`.
fn read_plan(text: &str, args: &Filters<'_>) -> Option<Result<Asked>> {
    let mut parts = text.splitn(3, '|');
    let used = u64::from_str_radix(parts.next()?, 16).ok()?;
    let order = parts.next()?;
    let order = match order.strip_suffix(['a', 'd']) {
        None => None,
        Some(column) => Some(Order {
            column: column.parse().ok()?,
            descending: order.ends_with('d'),
        }),
    };
    let mut given = Vec::new();
    for (at, term) in parts
        .next()?
        .split(',')
        .filter(|t| !t.is_empty())
        .enumerate()
    {
        let sign = term.chars().last()?;
        let (comparison, _) = SIGNS.iter().find(|(_, known)| *known == sign)?;
        let column = term.strip_suffix(sign)?.parse().ok()?;
        match args.get::<Value>(at) {
            Ok(value) => given.push((column, *comparison, value)),
            Err(error) => return Some(Err(error)),
        }
    }
    Some(Ok(Asked { given, used, order }))
}
