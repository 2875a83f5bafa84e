//! Upcasters: declared steps from one schema version of a type's payload to the next, applied on reading. Recorded
//! bytes stay what they are.

use std::sync::Arc;

use serde_json::Value;

use super::expression::{Expression, Fault, Inputs};
use super::operation::Edit;
use super::path::FieldPath;

/// One step from a schema version to the next.
#[derive(Debug)]
pub(crate) struct Upcast {
    /// Schema version that it takes; `None` for events that name none.
    pub(crate) from: Option<String>,
    /// Schema version that it gives.
    pub(crate) to: String,
    pub(crate) rename: Vec<(FieldPath, FieldPath)>,
    /// Fields that are given a value where they are missing.
    pub(crate) default: Vec<(FieldPath, Expression)>,
    /// Fields that are computed from the others.
    pub(crate) compute: Vec<(FieldPath, Expression)>,
    pub(crate) remove: Vec<FieldPath>,
}

/// A value that no event recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Assumed {
    /// Field of the payload.
    pub(crate) path: FieldPath,
    /// What it was given.
    pub(crate) value: Value,
    /// The step that gave it.
    pub(crate) step: String,
}

impl Upcast {
    /// `1 -> 2`.
    pub(crate) fn name(&self) -> String {
        format!("{} -> {}", self.from.as_deref().unwrap_or("none"), self.to)
    }

    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.default
            .iter()
            .chain(&self.compute)
            .map(|(_, expression)| expression)
    }

    fn apply(
        &self,
        data: Value,
        inputs: &Inputs<'_>,
        assumed: &mut Vec<Assumed>,
    ) -> Result<Value, Fault> {
        let mut data = data;
        // All fields leave before one arrives, so that two may trade places.
        let mut moving = Vec::new();
        for (old, new) in &self.rename {
            if let Some(value) = old.get(&data).cloned() {
                edit(&mut data, |edit| {
                    edit.unset(old);
                    Ok(())
                })?;
                moving.push((old, new, value));
            }
        }
        for (old, new, value) in moving {
            if new.get(&data).is_some() {
                return Err(Fault::failed(format!(
                    "`{old}` cannot be renamed to `{new}`: the payload has both"
                )));
            }
            edit(&mut data, |edit| edit.set(new, value))?;
        }
        for (path, expression) in &self.default {
            if path.get(&data).is_some() {
                continue;
            }
            let value = evaluate(expression, &mut data, inputs)?;
            assumed.push(Assumed {
                path: path.clone(),
                value: value.clone(),
                step: self.name(),
            });
            edit(&mut data, |edit| edit.set(path, value))?;
        }
        for (path, expression) in &self.compute {
            let value = evaluate(expression, &mut data, inputs)?;
            edit(&mut data, |edit| edit.set(path, value))?;
        }
        for path in &self.remove {
            edit(&mut data, |edit| {
                edit.unset(path);
                Ok(())
            })?;
        }
        Ok(data)
    }
}

fn edit(
    data: &mut Value,
    change: impl FnOnce(&mut Edit<'_>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut weight = super::value::weight(data);
    let mut edit = Edit::new(data, &mut weight);
    change(&mut edit)?;
    edit.keep();
    Ok(())
}

fn evaluate(
    expression: &Expression,
    data: &mut Value,
    inputs: &Inputs<'_>,
) -> Result<Value, Fault> {
    let shared = Arc::new(std::mem::take(data));
    let value = expression.value(&Inputs {
        data: Some(&shared),
        ..*inputs
    });
    *data = Arc::try_unwrap(shared).unwrap_or_else(|shared| Value::clone(&shared));
    value
}

/// The steps that a payload of this schema version goes through, in order. Definitions without a cycle only.
pub(crate) fn steps<'u>(upcasts: &'u [Upcast], from: Option<&str>) -> Vec<&'u Upcast> {
    let mut steps: Vec<&Upcast> = Vec::new();
    let mut here = from;
    while let Some(step) = upcasts.iter().find(|step| step.from.as_deref() == here) {
        here = Some(&step.to);
        steps.push(step);
    }
    steps
}

/// Takes a payload through its steps; says what had to be assumed.
pub(crate) fn upcast(
    steps: &[&Upcast],
    data: Value,
    inputs: &Inputs<'_>,
) -> Result<(Value, Vec<Assumed>), (String, Fault)> {
    let mut assumed = Vec::new();
    let mut data = data;
    for step in steps {
        data = step
            .apply(data, inputs, &mut assumed)
            .map_err(|fault| (step.name(), fault))?;
    }
    Ok((data, assumed))
}

/// Why steps do not make one chain: the number of the step that is wrong, and what is.
pub(crate) fn check_chain(upcasts: &[Upcast]) -> Result<(), (usize, String)> {
    let named = |version: &Option<String>| match version {
        Some(version) => format!("{version:?}"),
        None => "no schema version".to_owned(),
    };
    for (at, step) in upcasts.iter().enumerate() {
        if upcasts[..at].iter().any(|other| other.from == step.from) {
            return Err((
                at,
                format!("there are two steps from {}", named(&step.from)),
            ));
        }
    }
    for (at, step) in upcasts.iter().enumerate() {
        let mut here = &step.to;
        for _ in upcasts {
            if Some(here) == step.from.as_ref() {
                return Err((
                    at,
                    format!("the steps go in a circle: {here:?} leads back to itself"),
                ));
            }
            match upcasts.iter().find(|next| next.from.as_ref() == Some(here)) {
                Some(next) => here = &next.to,
                None => break,
            }
        }
    }
    let last = |step: &Upcast| {
        !upcasts
            .iter()
            .any(|next| next.from.as_ref() == Some(&step.to))
    };
    let mut ends: Vec<(usize, &Upcast)> = Vec::new();
    for (at, step) in upcasts.iter().enumerate().filter(|(_, step)| last(step)) {
        if let Some((_, first)) = ends.iter().find(|(_, end)| end.to != step.to) {
            return Err((
                at,
                format!(
                    "the steps have a gap: one ends at {:?} and one at {:?}, and no step leads from the one to the other",
                    first.to, step.to
                ),
            ));
        }
        ends.push((at, step));
    }
    Ok(())
}
