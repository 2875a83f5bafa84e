//! Exact numbers in SQL: the collations that compare decimals and instants by value, and the functions that calculate.
//!
//! A decimal is a text. SQLite would turn it into binary floating point to add it up, so its own `sum`, `avg` and
//! `total` are replaced by ones that add exactly whatever numbers they are given.

use std::cmp::Ordering;
use std::sync::Arc;

use chrono_tz::Tz;
use rusqlite::functions::{Aggregate, Context, FunctionFlags, WindowAggregate};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result};

use super::scene::Scene;
use crate::finding::Severity;
use crate::model::{Exact, FieldPath, compare_written, json};
use crate::time::{SourceTime, Time};

/// Name of the collation that compares numbers by value.
pub(super) const DECIMAL: &str = "DECIMAL";
/// Name of the collation that compares instants by value.
pub(super) const INSTANT: &str = "INSTANT";

/// The functions, for whoever looks what there is.
pub(super) const FUNCTIONS: [(&str, &str); 14] = [
    ("dec_sum(x)", "the exact sum, over rows or in a window"),
    (
        "dec_avg(x)",
        "the exact average, rounded half to even at 28 digits where it has no end",
    ),
    ("dec_min(x)", "the least number"),
    ("dec_max(x)", "the largest number"),
    (
        "dec_cmp(a, b)",
        "-1, 0 or 1: whether a is less than b, equal or more",
    ),
    ("dec_add(a, b)", "the exact sum of two numbers"),
    ("dec_sub(a, b)", "the exact difference"),
    ("dec_mul(a, b)", "the exact product"),
    (
        "dec_div(a, b)",
        "the quotient, rounded half to even at 28 digits where it has no end",
    ),
    ("dec_abs(x)", "the number without its sign"),
    ("dec_neg(x)", "the number with the other sign"),
    ("dec_round(x, places)", "the number rounded half to even"),
    (
        "value_at(json, path)",
        "the value at a path of a JSON text, every digit as it stands there",
    ),
    (
        "sum(x), avg(x), total(x)",
        "exact, too; SQLite's own would round decimals",
    ),
];

const PURE: FunctionFlags = FunctionFlags::SQLITE_UTF8.union(FunctionFlags::SQLITE_DETERMINISTIC);

/// Compares two texts as numbers where they are numbers; numbers come before other texts.
pub(super) fn compare_decimals(a: &str, b: &str) -> Ordering {
    let number = |text: &str| compare_written(text, "0").is_some();
    match (number(a), number(b)) {
        (true, true) => compare_written(a, b).unwrap_or(Ordering::Equal),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.cmp(b),
    }
}

/// Compares two texts as instants where they are instants; instants come before other texts. A date alone is its first
/// instant in the zone.
pub(super) fn compare_instants(a: &str, b: &str, zone: Tz) -> Ordering {
    // `2024-01-10T14:30:00Z` on both sides, which is the usual case.
    let whole = |text: &str| text.len() == 20 && text.ends_with('Z');
    if whole(a) && whole(b) {
        return a.cmp(b);
    }
    let instant = |text: &str| read_instant(text, zone);
    match (instant(a), instant(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// Reads an instant; a date, a month (`2024-01`) or a year alone is its first instant in the zone.
pub(super) fn read_instant(text: &str, zone: Tz) -> Option<Time> {
    let read = |text: &str| SourceTime::parse(text, zone).ok().map(|read| read.time);
    let shape: String = text
        .chars()
        .take(8)
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    match shape.as_str() {
        "0000" => read(&format!("{text}-01-01")),
        "0000-00" => read(&format!("{text}-01")),
        _ => read(text),
    }
}

/// Gives a connection the collations and functions.
pub(super) fn register(conn: &Connection, scene: &Arc<Scene>) -> Result<()> {
    conn.create_collation(DECIMAL, compare_decimals)?;
    let zone = scene.zone;
    conn.create_collation(INSTANT, move |a: &str, b: &str| {
        compare_instants(a, b, zone)
    })?;
    type Two = fn(Exact, Exact) -> std::result::Result<Exact, Fault>;
    let two: [(&'static str, Two); 4] = [
        ("dec_add", |a, b| a.add(b).map_err(told)),
        ("dec_sub", |a, b| a.sub(b).map_err(told)),
        ("dec_mul", |a, b| a.mul(b).map_err(told)),
        ("dec_div", |a, b| a.div(b).map_err(told)),
    ];
    for (name, calculate) in two {
        let scene = Arc::clone(scene);
        conn.create_scalar_function(name, 2, PURE, move |context| {
            let (a, b) = (
                number(context, 0, name, &scene)?,
                number(context, 1, name, &scene)?,
            );
            let (Some(a), Some(b)) = (a, b) else {
                return Ok(Value::Null);
            };
            written(calculate(a, b)).map_err(|fault| failed(name, &fault))
        })?;
    }
    type One = fn(Exact) -> std::result::Result<Exact, Fault>;
    let one: [(&'static str, One); 2] = [
        ("dec_abs", |x| x.abs().map_err(told)),
        ("dec_neg", |x| x.neg().map_err(told)),
    ];
    for (name, calculate) in one {
        let scene = Arc::clone(scene);
        conn.create_scalar_function(name, 1, PURE, move |context| {
            let Some(x) = number(context, 0, name, &scene)? else {
                return Ok(Value::Null);
            };
            written(calculate(x)).map_err(|fault| failed(name, &fault))
        })?;
    }
    let own = Arc::clone(scene);
    conn.create_scalar_function("dec_cmp", 2, PURE, move |context| {
        let a = number(context, 0, "dec_cmp", &own)?;
        let b = number(context, 1, "dec_cmp", &own)?;
        Ok(match a.zip(b) {
            None => Value::Null,
            Some((a, b)) => Value::Integer(match a.cmp(&b) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            }),
        })
    })?;
    let own = Arc::clone(scene);
    conn.create_scalar_function("dec_round", 2, PURE, move |context| {
        let Some(x) = number(context, 0, "dec_round", &own)? else {
            return Ok(Value::Null);
        };
        let places: i64 = context.get(1)?;
        let places = u32::try_from(places).ok().filter(|places| *places <= 28);
        let places = places.ok_or_else(|| failed("dec_round", "it rounds to 0 to 28 places"))?;
        written(Ok(x.round(places))).map_err(|fault| failed("dec_round", &fault))
    })?;
    conn.create_scalar_function("value_at", 2, PURE, |context| {
        let (ValueRef::Text(text), ValueRef::Text(path)) = (context.get_raw(0), context.get_raw(1))
        else {
            return Ok(Value::Null);
        };
        let utf8 =
            |bytes| std::str::from_utf8(bytes).map_err(|e| failed("value_at", &e.to_string()));
        let path: FieldPath = utf8(path)?
            .parse()
            .map_err(|error: crate::model::PathError| failed("value_at", &error.to_string()))?;
        let value = json::parse_state(utf8(text)?);
        let found = value.as_ref().and_then(|value| path.get(value));
        Ok(found.map_or(Value::Null, super::states::cell))
    })?;
    for (name, what) in [
        ("dec_sum", What::Sum),
        ("dec_avg", What::Average),
        ("dec_min", What::Least),
        ("dec_max", What::Largest),
    ] {
        let aggregate = Gather {
            name,
            what,
            plain: false,
            scene: Arc::clone(scene),
        };
        match what {
            // What left a window may have been the least, so these two are not for windows.
            What::Least | What::Largest => {
                conn.create_aggregate_function(name, 1, PURE, aggregate)?
            }
            What::Sum | What::Total | What::Average => {
                conn.create_window_function(name, 1, PURE, aggregate)?;
            }
        }
    }
    for (name, what) in [
        ("sum", What::Sum),
        ("total", What::Total),
        ("avg", What::Average),
    ] {
        let aggregate = Gather {
            name,
            what,
            plain: true,
            scene: Arc::clone(scene),
        };
        conn.create_window_function(name, 1, PURE, aggregate)?;
    }
    Ok(())
}

/// Why a calculation has no result, in words.
type Fault = String;

fn told(fault: crate::model::NumberFault) -> Fault {
    fault.to_string()
}

fn failed(name: &str, what: &str) -> Error {
    Error::UserFunctionError(format!("{name}: {what}").into())
}

fn written(number: std::result::Result<Exact, Fault>) -> std::result::Result<Value, Fault> {
    number.map(|number| Value::Text(number.to_string()))
}

/// What a cell is to a calculation.
enum Read {
    Nothing,
    Number(Exact),
    /// A floating-point number, by the decimal that it prints as.
    Real(Exact),
    NoNumber(String),
}

fn read(value: ValueRef<'_>) -> Read {
    let text = |text: String| match Exact::read(&text) {
        Ok(number) => Read::Number(number),
        Err(fault) => Read::NoNumber(fault.to_string()),
    };
    match value {
        ValueRef::Null => Read::Nothing,
        ValueRef::Integer(n) => Read::Number(Exact::Int(n)),
        ValueRef::Real(real) => match text(real.to_string()) {
            Read::Number(number) => Read::Real(number),
            other => other,
        },
        ValueRef::Text(bytes) => text(String::from_utf8_lossy(bytes).into_owned()),
        ValueRef::Blob(_) => Read::NoNumber("a blob is no number".to_owned()),
    }
}

/// An argument that has to be a number, or NULL.
fn number(context: &Context<'_>, at: usize, name: &str, scene: &Scene) -> Result<Option<Exact>> {
    match read(context.get_raw(at)) {
        Read::Nothing => Ok(None),
        Read::Number(number) => Ok(Some(number)),
        Read::Real(number) => {
            given_real(name, scene);
            Ok(Some(number))
        }
        Read::NoNumber(fault) => Err(failed(name, &fault)),
    }
}

fn given_real(name: &str, scene: &Scene) {
    scene.not_exact(
        Severity::Warning,
        &format!("{name}() was given floating-point numbers, which may be off in their last digits already; calculate with dec_add, dec_sub, dec_mul and dec_div"),
    );
}

/// What is gathered of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Sum,
    Total,
    Average,
    Least,
    Largest,
}

/// A gathering function.
struct Gather {
    name: &'static str,
    what: What,
    /// It takes the place of one of SQLite's own.
    plain: bool,
    scene: Arc<Scene>,
}

/// What was gathered so far.
#[derive(Debug, Clone, Copy, Default)]
struct Gathered {
    count: i64,
    sum: Option<Exact>,
    /// Not all of them were whole numbers of the engine.
    decimals: bool,
    reals: bool,
}

impl Gather {
    fn take(&self, context: &Context<'_>, so_far: &mut Gathered, adds: bool) -> Result<()> {
        let value = context.get_raw(0);
        so_far.decimals |= matches!(value, ValueRef::Text(_));
        let number = match read(value) {
            Read::Nothing => return Ok(()),
            Read::Number(number) => number,
            Read::Real(number) => {
                so_far.reals = true;
                given_real(self.name, &self.scene);
                number
            }
            Read::NoNumber(fault) if self.plain => {
                self.scene.not_exact(
                    Severity::Warning,
                    &format!(
                        "{}() counted what is no number as 0, as SQLite does: {fault}",
                        self.name
                    ),
                );
                Exact::Int(0)
            }
            Read::NoNumber(fault) => return Err(failed(self.name, &fault)),
        };
        let before = so_far.sum.unwrap_or(Exact::Int(0));
        let sum = match (self.what, adds) {
            (What::Least, _) => Ok(so_far.sum.map_or(number, |least| least.min(number))),
            (What::Largest, _) => Ok(so_far.sum.map_or(number, |largest| largest.max(number))),
            (What::Sum | What::Total | What::Average, true) => before.add(number),
            (What::Sum | What::Total | What::Average, false) => before.sub(number),
        };
        so_far.sum = Some(sum.map_err(|fault| failed(self.name, &fault.to_string()))?);
        so_far.count += if adds { 1 } else { -1 };
        Ok(())
    }

    fn give(&self, so_far: Gathered) -> Result<Value> {
        let Gathered {
            count,
            sum,
            decimals,
            reals,
        } = so_far;
        let sum = match sum {
            Some(sum) if count > 0 => sum,
            _ if self.what == What::Total => return Ok(Value::Text("0".to_owned())),
            _ => return Ok(Value::Null),
        };
        let number = match self.what {
            What::Average => sum
                .div(Exact::Int(count))
                .map_err(|fault| failed(self.name, &fault.to_string()))?,
            What::Sum | What::Total | What::Least | What::Largest => sum,
        };
        if self.plain && decimals && !reals {
            self.scene.not_exact(
                Severity::Notice,
                &format!(
                    "{}() met decimals and added them exactly; SQLite's own would have rounded them",
                    self.name
                ),
            );
        }
        Ok(Value::Text(number.to_string()))
    }
}

impl Aggregate<Gathered, Value> for Gather {
    fn init(&self, _: &mut Context<'_>) -> Result<Gathered> {
        Ok(Gathered::default())
    }

    fn step(&self, context: &mut Context<'_>, so_far: &mut Gathered) -> Result<()> {
        self.take(context, so_far, true)
    }

    fn finalize(&self, _: &mut Context<'_>, so_far: Option<Gathered>) -> Result<Value> {
        self.give(so_far.unwrap_or_default())
    }
}

impl WindowAggregate<Gathered, Value> for Gather {
    fn value(&self, so_far: Option<&mut Gathered>) -> Result<Value> {
        self.give(so_far.map(|so_far| *so_far).unwrap_or_default())
    }

    fn inverse(&self, context: &mut Context<'_>, so_far: &mut Gathered) -> Result<()> {
        self.take(context, so_far, false)
    }
}
