//! JSON values as Rhai sees them: objects and lists are looked into without being copied, numbers keep
//! their text.

use std::sync::Arc;

use rhai::{Dynamic, ImmutableString};
use rust_decimal::Decimal;
use serde_json::{Map, Number, Value};

use super::Fault;
use super::number::{Exact, NumberFault};
use crate::model::path::Step;
use crate::model::value::{self, MAX_DEPTH, MAX_WEIGHT};

/// A place in a JSON value that others hold as well.
#[derive(Debug, Clone)]
pub(crate) struct View {
    root: Arc<Value>,
    steps: Vec<Step>,
}

/// A number whose text says more than its value (`1e2`), or that is too long to calculate with.
#[derive(Debug, Clone)]
pub(crate) struct WrittenNumber {
    pub(crate) text: Arc<str>,
    pub(crate) exact: Result<Exact, NumberFault>,
}

impl View {
    /// The value as Rhai takes it: itself if it is plain, else a view.
    pub(crate) fn lift(root: &Arc<Value>) -> Dynamic {
        View {
            root: Arc::clone(root),
            steps: Vec::new(),
        }
        .to_dynamic()
    }

    pub(crate) fn value(&self) -> &Value {
        self.steps
            .iter()
            .try_fold(&*self.root, |value, step| step.get(value))
            .unwrap_or(&Value::Null)
    }

    fn child(&self, step: Step) -> View {
        let mut steps = Vec::with_capacity(self.steps.len() + 1);
        steps.extend_from_slice(&self.steps);
        steps.push(step);
        View {
            root: Arc::clone(&self.root),
            steps,
        }
    }

    fn to_dynamic(&self) -> Dynamic {
        lift_plain(self.value()).unwrap_or_else(|| Dynamic::from(self.clone()))
    }

    /// One step in; `None` if there is nothing.
    pub(crate) fn step(&self, step: Step) -> Option<Dynamic> {
        let value = step.get(self.value())?;
        Some(lift_plain(value).unwrap_or_else(|| Dynamic::from(self.child(step))))
    }

    /// The elements of a list as Rhai's own list; `None` if it is no list.
    pub(crate) fn to_list(&self) -> Option<rhai::Array> {
        let items = self.value().as_array()?;
        Some(
            (0..items.len())
                .filter_map(|i| self.step(Step::Index(i)))
                .collect(),
        )
    }
}

/// A value that holds no other, as Rhai takes it; `None` for objects and lists.
fn lift_plain(value: &Value) -> Option<Dynamic> {
    Some(match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(b) => Dynamic::from_bool(*b),
        Value::String(text) => Dynamic::from(ImmutableString::from(text.as_str())),
        Value::Number(number) => lift_number(number.as_str()),
        Value::Array(_) | Value::Object(_) => return None,
    })
}

/// A number as Rhai takes it.
fn lift_number(text: &str) -> Dynamic {
    let exact = Exact::read(text);
    match &exact {
        Ok(number) if number.prints_as(text) => lift_exact(*number),
        _ => Dynamic::from(WrittenNumber {
            text: text.into(),
            exact,
        }),
    }
}

/// A result of arithmetic as Rhai takes it.
pub(crate) fn lift_exact(number: Exact) -> Dynamic {
    match number {
        Exact::Int(n) => Dynamic::from_int(n),
        Exact::Decimal(d) => Dynamic::from_decimal(d),
    }
}

/// The number in a Rhai value; `None` if it is no number.
pub(crate) fn number_in(value: &Dynamic) -> Option<Result<Exact, NumberFault>> {
    if let Ok(n) = value.as_int() {
        return Some(Ok(Exact::Int(n)));
    }
    if let Ok(d) = value.as_decimal() {
        return Some(Ok(super::number::canonical(d)));
    }
    value
        .read_lock::<WrittenNumber>()
        .map(|number| number.exact.clone())
}

/// Takes a Rhai value back as JSON.
///
/// # Errors
/// [`Fault`] if it is none (a function), too deep or too large.
pub(crate) fn lower(value: &Dynamic) -> Result<Value, Fault> {
    let mut budget = MAX_WEIGHT;
    lower_within(value, &mut budget, MAX_DEPTH)
}

fn lower_within(value: &Dynamic, budget: &mut usize, deep: usize) -> Result<Value, Fault> {
    let spend = |weight: usize, budget: &mut usize| match budget.checked_sub(weight) {
        Some(left) => {
            *budget = left;
            Ok(())
        }
        None => Err(Fault::failed("the result is too large")),
    };
    let deeper = deep
        .checked_sub(1)
        .ok_or_else(|| Fault::failed(format!("the result nests deeper than {MAX_DEPTH}")))?;
    spend(1, budget)?;
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(b) = value.as_bool() {
        return Ok(Value::Bool(b));
    }
    if let Ok(n) = value.as_int() {
        return Ok(Value::Number(Number::from(n)));
    }
    if let Ok(d) = value.as_decimal() {
        return Ok(Value::Number(decimal_number(d)));
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::String(text.to_string()));
    }
    if let Ok(c) = value.as_char() {
        return Ok(Value::String(c.to_string()));
    }
    if let Some(view) = value.read_lock::<View>() {
        let inside = view.value();
        spend(value::weight(inside), budget)?;
        if value::depth(inside) > deep {
            return Err(Fault::failed(format!(
                "the result nests deeper than {MAX_DEPTH}"
            )));
        }
        return Ok(inside.clone());
    }
    if let Some(number) = value.read_lock::<WrittenNumber>() {
        return Ok(Value::Number(Number::from_string_unchecked(
            number.text.to_string(),
        )));
    }
    if let Ok(items) = value.as_array_ref() {
        return items
            .iter()
            .map(|item| lower_within(item, budget, deeper))
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array);
    }
    if let Ok(fields) = value.as_map_ref() {
        return fields
            .iter()
            .map(|(key, field)| Ok((key.to_string(), lower_within(field, budget, deeper)?)))
            .collect::<Result<Map<_, _>, Fault>>()
            .map(Value::Object);
    }
    Err(Fault::failed(format!(
        "the result is {} and cannot be kept in a state",
        value.type_name()
    )))
}

/// A decimal as JSON, its digits as they are.
fn decimal_number(decimal: Decimal) -> Number {
    super::number::canonical(decimal).to_json()
}
