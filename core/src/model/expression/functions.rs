//! The functions that expressions may call, beside those of Rhai for lists, objects and text.

use std::any::TypeId;

use rhai::{Dynamic, Engine, EvalAltResult, FnPtr, ImmutableString};
use rust_decimal::Decimal;
use serde_json::Value;

use super::Fault;
use super::engine::{MAX_TEXT_BYTES, charge, exact, raise, shared, text};
use super::number::{Exact, MAX_DIGITS};
use super::view::{View, WrittenNumber, lift_exact};
use crate::model::path::FieldPath;
use crate::model::value::kind;
use crate::time::{SourceTime, parse_zone};

type Raised = Box<EvalAltResult>;

/// The functions there are; every other name is an error where the model is read.
pub(crate) const NAMES: [&str; 46] = [
    "has",
    "get",
    "number",
    "text",
    "round",
    "floor",
    "ceil",
    "abs",
    "min",
    "max",
    "sum",
    "len",
    "is_empty",
    "contains",
    "keys",
    "values",
    "map",
    "filter",
    "find",
    "find_map",
    "some",
    "all",
    "reduce",
    "index_of",
    "order",
    "order_by",
    "order_desc",
    "extract",
    "zip",
    "concat",
    "split",
    "sub_string",
    "starts_with",
    "ends_with",
    "to_lower",
    "to_upper",
    "to_string",
    "trim",
    "replace",
    "type_of",
    "call",
    "merge",
    "to_json",
    "to_chars",
    "day",
    "month",
];

/// Whether a call is of an operator, of a function there is, or of one made for a `|x| …`.
pub(crate) fn known(call: &rhai::FnCallExpr) -> bool {
    call.is_operator_call()
        || NAMES.contains(&call.name.as_str())
        || !call.name.starts_with(|c: char| c.is_alphabetic())
}

pub(crate) fn register(engine: &mut Engine) {
    let any = TypeId::of::<Dynamic>();
    engine.register_fn("has", |object: Dynamic, path: ImmutableString| {
        let found = at_path(&object, &path)?;
        Ok::<_, Raised>(found.is_some_and(|value| !value.is_unit()))
    });
    engine.register_raw_fn(
        "get",
        [any, TypeId::of::<ImmutableString>(), any],
        |_, args| {
            let found = at_path(args[0], &text(args[1])?)?;
            Ok(match found {
                Some(value) if !value.is_unit() => value,
                _ => args[2].clone(),
            })
        },
    );
    engine.register_fn("number", |written: ImmutableString| {
        Exact::read(written.trim()).map(lift_exact).map_err(raise)
    });
    engine.register_raw_fn("text", [any], |ctx, args| {
        ctx.call_native_fn_raw("to_string", true, args)
    });
    // Rhai's own change their text in place and return nothing.
    engine.register_fn("trim", |text: ImmutableString| text.trim().to_owned());
    engine.register_fn("replace", replace);
    engine.register_fn("day", |time: ImmutableString| date_of(&time, None, 10));
    engine.register_fn("day", |time: ImmutableString, zone: ImmutableString| {
        date_of(&time, Some(&zone), 10)
    });
    engine.register_fn("month", |time: ImmutableString| date_of(&time, None, 7));
    engine.register_fn("month", |time: ImmutableString, zone: ImmutableString| {
        date_of(&time, Some(&zone), 7)
    });
    register_order(engine);
    register_numeric(engine);
    register_containers(engine);
}

/// The day or the month of a time in a zone, UTC where none is named: the first characters of its date.
fn date_of(time: &str, zone: Option<&str>, characters: usize) -> Result<String, Raised> {
    let failed = |detail: String| raise(Fault::failed(detail));
    let zone = match zone {
        None => chrono_tz::UTC,
        Some(name) => parse_zone(name).map_err(|error| failed(error.to_string()))?,
    };
    let read =
        SourceTime::parse(time, chrono_tz::UTC).map_err(|error| failed(error.to_string()))?;
    let local = read.time.to_utc().with_timezone(&zone);
    let date = local.format("%Y-%m-%d").to_string();
    Ok(date.chars().take(characters).collect())
}

/// The text with every `from` replaced, if that is not longer than a text may be.
fn replace(
    text: ImmutableString,
    from: ImmutableString,
    to: ImmutableString,
) -> Result<String, Raised> {
    charge(text.len() / 64)?;
    let len = text.len() + text.matches(from.as_str()).count() * to.len();
    if len > MAX_TEXT_BYTES {
        return Err(raise(Fault::failed(format!(
            "the text would be longer than {MAX_TEXT_BYTES} bytes"
        ))));
    }
    Ok(text.replace(from.as_str(), &to))
}

/// Rhai's own sort by a comparison of the user's, which may contradict itself, and know no mixed numbers.
fn register_order(engine: &mut Engine) {
    let array = TypeId::of::<rhai::Array>();
    engine.register_raw_fn("order", [array], |_, args| {
        let items = args[0].take().into_array().unwrap_or_default();
        order(items.iter().cloned().zip(items.clone()).collect(), false)
    });
    engine.register_raw_fn("order_desc", [array], |_, args| {
        let items = args[0].take().into_array().unwrap_or_default();
        order(items.iter().cloned().zip(items.clone()).collect(), true)
    });
    engine.register_raw_fn("order_by", [array, TypeId::of::<FnPtr>()], |ctx, args| {
        let key = args[1].take().cast::<FnPtr>();
        let items = args[0].take().into_array().unwrap_or_default();
        let keyed: Result<Vec<_>, Raised> = items
            .into_iter()
            .map(|item| Ok((key.call_raw(&ctx, None, [item.clone()])?, item)))
            .collect();
        order(keyed?, false)
    });
}

/// Sorts by keys that are all numbers or all text; equal ones stay in their order.
fn order(keyed: Vec<(Dynamic, Dynamic)>, descending: bool) -> Result<Dynamic, Raised> {
    let mut numbers = Vec::new();
    let mut texts = Vec::new();
    for (key, item) in keyed {
        if let Ok(text) = key.as_immutable_string_ref() {
            texts.push((text.to_string(), item));
            continue;
        }
        numbers.push((exact(&key)?, item));
    }
    if !numbers.is_empty() && !texts.is_empty() {
        return Err(raise(Fault::failed(
            "numbers and text have no order among each other",
        )));
    }
    numbers.sort_by_key(|(a, _)| *a);
    texts.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut items: rhai::Array = numbers
        .into_iter()
        .map(|(_, item)| item)
        .chain(texts.into_iter().map(|(_, item)| item))
        .collect();
    if descending {
        items.reverse();
    }
    Ok(Dynamic::from_array(items))
}

fn register_numeric(engine: &mut Engine) {
    let types = [
        TypeId::of::<i64>(),
        TypeId::of::<Decimal>(),
        TypeId::of::<WrittenNumber>(),
    ];
    for a in types {
        engine.register_raw_fn("number", [a], |_, args| exact(args[0]).map(lift_exact));
        engine.register_raw_fn("round", [a], |_, args| {
            Ok(lift_exact(exact(args[0])?.round(0)))
        });
        engine.register_raw_fn("round", [a, TypeId::of::<i64>()], |_, args| {
            Ok(lift_exact(exact(args[0])?.round(places(args[1])?)))
        });
        engine.register_raw_fn("floor", [a], |_, args| {
            Ok(lift_exact(exact(args[0])?.floor()))
        });
        engine.register_raw_fn("ceil", [a], |_, args| {
            Ok(lift_exact(exact(args[0])?.ceil()))
        });
        engine.register_raw_fn("abs", [a], |_, args| {
            exact(args[0])?.abs().map(lift_exact).map_err(raise)
        });
        for b in types {
            engine.register_raw_fn("min", [a, b], |_, args| {
                Ok(lift_exact(exact(args[0])?.min(exact(args[1])?)))
            });
            engine.register_raw_fn("max", [a, b], |_, args| {
                Ok(lift_exact(exact(args[0])?.max(exact(args[1])?)))
            });
        }
    }
    for list in [TypeId::of::<View>(), TypeId::of::<rhai::Array>()] {
        engine.register_raw_fn("sum", [list], |_, args| {
            let list = shared(args[0])?;
            sum(&list).map(lift_exact).map_err(raise)
        });
    }
}

fn places(value: &Dynamic) -> Result<u32, Raised> {
    value
        .as_int()
        .ok()
        .and_then(|n| u32::try_from(n).ok())
        .filter(|n| *n <= MAX_DIGITS)
        .ok_or_else(|| {
            raise(Fault::failed(format!(
                "round(n, places) takes 0 to {MAX_DIGITS} places"
            )))
        })
}

fn sum(list: &Value) -> Result<Exact, Fault> {
    let Value::Array(items) = list else {
        return Err(Fault::failed(format!(
            "sum needs a list, this is {}",
            kind(list)
        )));
    };
    items
        .iter()
        .try_fold(Exact::Int(0), |total, item| match item {
            Value::Number(n) => Ok(total.add(Exact::read(n.as_str())?)?),
            other => Err(Fault::failed(format!(
                "sum needs numbers, the list holds {}",
                kind(other)
            ))),
        })
}

fn register_containers(engine: &mut Engine) {
    engine.register_get("len", |view: &mut View| len(view));
    engine.register_fn("len", |view: &mut View| len(view));
    engine.register_fn("is_empty", |view: &mut View| len(view) == 0);
    engine.register_fn(
        "contains",
        |view: &mut View, name: ImmutableString| match view.value() {
            Value::Object(fields) => fields.contains_key(name.as_str()),
            Value::Array(items) => items
                .iter()
                .any(|item| item.as_str() == Some(name.as_str())),
            _ => false,
        },
    );
    for number in [
        TypeId::of::<i64>(),
        TypeId::of::<Decimal>(),
        TypeId::of::<WrittenNumber>(),
        TypeId::of::<View>(),
        TypeId::of::<rhai::Map>(),
        TypeId::of::<bool>(),
    ] {
        engine.register_raw_fn("contains", [TypeId::of::<View>(), number], |_, args| {
            let wanted = shared(args[1])?;
            let list = shared(args[0])?;
            Ok(Dynamic::from_bool(list.as_array().is_some_and(|items| {
                items
                    .iter()
                    .any(|item| crate::model::value::same(item, &wanted))
            })))
        });
    }
    // Rhai's own ask `==` of every element, which fails between kinds; a list may hold several.
    let list = TypeId::of::<rhai::Array>();
    engine.register_raw_fn("contains", [list, TypeId::of::<Dynamic>()], |_, args| {
        place_of(args).map(|place| Dynamic::from_bool(place.is_some()))
    });
    engine.register_raw_fn("index_of", [list, TypeId::of::<Dynamic>()], |_, args| {
        let place = place_of(args)?.and_then(|place| i64::try_from(place).ok());
        Ok(Dynamic::from_int(place.unwrap_or(-1)))
    });
    engine.register_fn("keys", |view: &mut View| -> rhai::Array {
        match view.value() {
            Value::Object(fields) => fields
                .keys()
                .map(|key| Dynamic::from(ImmutableString::from(key.as_str())))
                .collect(),
            _ => Vec::new(),
        }
    });
    engine.register_fn("values", |view: &mut View| -> rhai::Array {
        let keys: Vec<String> = match view.value() {
            Value::Object(fields) => fields.keys().cloned().collect(),
            _ => Vec::new(),
        };
        keys.into_iter()
            .filter_map(|key| view.step(crate::model::path::Step::Key(key)))
            .collect()
    });
}

/// Where a list holds a value: the first element that means the same.
fn place_of(args: &[&mut Dynamic]) -> Result<Option<usize>, Raised> {
    let (list, wanted) = (shared(args[0])?, shared(args[1])?);
    Ok(list.as_array().and_then(|items| {
        items
            .iter()
            .position(|item| crate::model::value::same(item, &wanted))
    }))
}

fn len(view: &View) -> i64 {
    let len = match view.value() {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    };
    i64::try_from(len).unwrap_or(i64::MAX)
}

/// The value at a path inside an object; `None` if there is none.
fn at_path(object: &Dynamic, path: &str) -> Result<Option<Dynamic>, Raised> {
    let path = FieldPath::from_str_or_fault(path).map_err(raise)?;
    if object.is_unit() {
        return Ok(None);
    }
    let view = object.read_lock::<View>().map(|view| view.clone());
    let mut here = match view {
        Some(view) => Dynamic::from(view),
        None => View::lift(&shared(object)?),
    };
    for step in path.0 {
        let next = here.read_lock::<View>().and_then(|view| view.step(step));
        match next {
            Some(value) => here = value,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

impl FieldPath {
    /// Parses a path that stands in an expression.
    pub(crate) fn from_str_or_fault(path: &str) -> Result<FieldPath, Fault> {
        path.parse()
            .map_err(|error: crate::model::path::PathError| Fault::failed(error.to_string()))
    }
}
