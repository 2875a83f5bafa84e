//! What a handler does to the state, in place, and how it is taken back.
//!
//! Every change goes through [`Edit`], which notes what was there before. So a handler that fails half-way
//! leaves no trace, and the fold knows what its last event changed without comparing whole states.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::expression::Fault;
use super::expression::number::Exact;
use super::path::{FieldPath, Step};
use super::value::{MAX_DEPTH, MAX_WEIGHT, depth, kind, same, weight};

/// What a handler does with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// The field becomes the value.
    Set,
    /// The number is added to the field.
    Add,
    /// The number is taken from the field.
    Sub,
    /// The value is added to the end of the list.
    Push,
    /// Elements go from the list, or a name from the object.
    Remove,
    /// The value goes into the object under a key: `[key, value]`.
    Put,
    /// The field goes.
    Unset,
}

impl Operation {
    pub(crate) const ALL: [Operation; 7] = [
        Operation::Set,
        Operation::Add,
        Operation::Sub,
        Operation::Push,
        Operation::Remove,
        Operation::Put,
        Operation::Unset,
    ];

    /// Its name in a model.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Operation::Set => "set",
            Operation::Add => "add",
            Operation::Sub => "sub",
            Operation::Push => "push",
            Operation::Remove => "remove",
            Operation::Put => "put",
            Operation::Unset => "unset",
        }
    }

    pub(crate) fn of(name: &str) -> Option<Operation> {
        Operation::ALL.into_iter().find(|op| op.name() == name)
    }
}

/// What was there before a change.
#[derive(Debug, Clone)]
enum Undo {
    /// The path held this value.
    Held(FieldPath, Value),
    /// The path came to be: the name at its end is taken away again.
    Added(FieldPath),
    /// The object at the path lost this name from this place.
    Lost(FieldPath, usize, String, Value),
    /// The list at the path got one more element, at this place.
    Pushed(FieldPath, usize),
    /// The list at the path lost these elements; the places are those before, ascending.
    Elements(FieldPath, Vec<(usize, Value)>),
}

/// One change, and the line of the handler that made it.
#[derive(Debug, Clone)]
struct Done {
    undo: Undo,
    line: usize,
}

/// What one event changed, so that it can be taken back and told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trail {
    steps: Vec<Done>,
    weight_before: usize,
}

impl Trail {
    /// Takes everything back, newest first.
    pub(crate) fn undo(self, state: &mut Value) {
        for step in self.steps.into_iter().rev() {
            // Each path exists again when its turn comes, since later changes are taken back first.
            match step.undo {
                Undo::Held(path, value) => {
                    if let Some(place) = path.get_mut(state) {
                        *place = value;
                    }
                }
                Undo::Added(path) => {
                    if let Some((Step::Key(key), parent)) = path.0.split_last()
                        && let Some(Value::Object(fields)) =
                            FieldPath(parent.to_vec()).get_mut(state)
                    {
                        fields.shift_remove(key);
                    }
                }
                Undo::Lost(path, at, key, value) => {
                    if let Some(Value::Object(fields)) = path.get_mut(state) {
                        fields.shift_insert(at.min(fields.len()), key, value);
                    }
                }
                Undo::Pushed(path, _) => {
                    if let Some(Value::Array(items)) = path.get_mut(state) {
                        items.pop();
                    }
                }
                Undo::Elements(path, lost) => {
                    if let Some(Value::Array(items)) = path.get_mut(state) {
                        for (at, value) in lost {
                            items.insert(at.min(items.len()), value);
                        }
                    }
                }
            }
        }
    }

    /// What was touched, each place once, before and after. `state` is the state after it.
    pub(crate) fn touches<'s>(&'s self, state: &'s Value) -> Vec<Touch<'s>> {
        if self.overlaps() {
            let mut before = state.clone();
            self.clone().undo(&mut before);
            return vec![Touch {
                path: FieldPath::default(),
                before: Some(Cow::Owned(before)),
                after: Some(Cow::Borrowed(state)),
            }];
        }
        let mut touches = Vec::new();
        let mut touch = |path: FieldPath, before: Option<&'s Value>, after: Option<&'s Value>| {
            touches.push(Touch {
                path,
                before: before.map(Cow::Borrowed),
                after: after.map(Cow::Borrowed),
            });
        };
        for step in &self.steps {
            match &step.undo {
                Undo::Held(path, before) => touch(path.clone(), Some(before), path.get(state)),
                Undo::Added(path) => touch(path.clone(), None, path.get(state)),
                Undo::Lost(path, _, key, before) => {
                    touch(path.then(Step::Key(key.clone())), Some(before), None);
                }
                Undo::Pushed(path, at) => {
                    if let Some(Value::Array(items)) = path.get(state) {
                        touch(path.then(Step::Index(*at)), None, items.last());
                    }
                }
                // Last first, so that each place still means what it meant before.
                Undo::Elements(path, lost) => {
                    for (at, before) in lost.iter().rev() {
                        touch(path.then(Step::Index(*at)), Some(before), None);
                    }
                }
            }
        }
        touches
    }

    /// Whether one change lies at or inside the place of another.
    fn overlaps(&self) -> bool {
        let mut paths: Vec<FieldPath> = self
            .steps
            .iter()
            .map(|step| match &step.undo {
                Undo::Held(path, _)
                | Undo::Added(path)
                | Undo::Pushed(path, _)
                | Undo::Elements(path, _) => path.clone(),
                Undo::Lost(path, _, key, _) => path.then(Step::Key(key.clone())),
            })
            .collect();
        // In order, what lies inside a place follows it directly.
        paths.sort_unstable();
        paths
            .windows(2)
            .any(|pair| pair[1].0.starts_with(&pair[0].0))
    }

    /// Every single change in the order made; the place of an element is the one it had at that moment.
    pub(crate) fn marks(&self) -> Vec<Mark<'_>> {
        let mut marks = Vec::new();
        for Done { undo, line } in &self.steps {
            let mut mark = |path: FieldPath, what| {
                marks.push(Mark {
                    path,
                    what,
                    line: *line,
                });
            };
            match undo {
                Undo::Held(path, before) => mark(path.clone(), Marked::Replaced(before)),
                Undo::Added(path) => mark(path.clone(), Marked::Came),
                Undo::Lost(path, _, key, _) => {
                    mark(path.then(Step::Key(key.clone())), Marked::Went);
                }
                Undo::Pushed(path, at) => mark(path.then(Step::Index(*at)), Marked::Pushed),
                // Last first, so that each place still means what it meant before.
                Undo::Elements(path, lost) => {
                    for (at, _) in lost.iter().rev() {
                        mark(path.then(Step::Index(*at)), Marked::Went);
                    }
                }
            }
        }
        marks
    }

    /// A rough size in bytes, for caches.
    pub(crate) fn bytes(&self) -> usize {
        let held: usize = self
            .steps
            .iter()
            .map(|step| match &step.undo {
                Undo::Held(_, value) | Undo::Lost(_, _, _, value) => weight(value),
                Undo::Added(_) | Undo::Pushed(..) => 0,
                Undo::Elements(_, lost) => lost.iter().map(|(_, value)| weight(value)).sum(),
            })
            .sum();
        64 * (self.steps.len() + held)
    }
}

/// A place that an event touched. The values may turn out equal.
#[derive(Debug, Clone)]
pub struct Touch<'s> {
    /// The place.
    pub path: FieldPath,
    /// What it held before; `None` if it was not there.
    pub before: Option<Cow<'s, Value>>,
    /// What it holds after; `None` if it is not there.
    pub after: Option<Cow<'s, Value>>,
}

/// One change to the state.
#[derive(Debug, Clone)]
pub(crate) struct Mark<'t> {
    /// Where.
    pub(crate) path: FieldPath,
    /// What.
    pub(crate) what: Marked<'t>,
    /// Line of the handler, first is 0; with an inferred fold the place among its assignments.
    pub(crate) line: usize,
}

/// What a change did to its place.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Marked<'t> {
    /// It held this before.
    Replaced(&'t Value),
    /// The name came to be.
    Came,
    /// The element came to be, at the end of its list.
    Pushed,
    /// The element or name went.
    Went,
}

/// The changes of one event, in progress.
pub(crate) struct Edit<'s> {
    state: &'s mut Value,
    weight: &'s mut usize,
    trail: Trail,
    line: usize,
}

impl<'s> Edit<'s> {
    /// Starts.
    pub(crate) fn new(state: &'s mut Value, weight: &'s mut usize) -> Edit<'s> {
        let trail = Trail {
            steps: Vec::new(),
            weight_before: *weight,
        };
        Edit {
            state,
            weight,
            trail,
            line: 0,
        }
    }

    /// Notes the changes that follow under this line of the handler.
    pub(crate) fn at_line(&mut self, line: usize) {
        self.line = line;
    }

    fn note(&mut self, undo: Undo) {
        let line = self.line;
        self.trail.steps.push(Done { undo, line });
    }

    /// Keeps the changes.
    pub(crate) fn keep(self) -> Trail {
        self.trail
    }

    /// Takes the changes back.
    pub(crate) fn abandon(self) {
        *self.weight = self.trail.weight_before;
        self.trail.undo(self.state);
    }

    /// Makes room for a value; the state's own limits.
    fn admit(&mut self, path: &FieldPath, value: &Value) -> Result<(), Fault> {
        if path.0.len() + depth(value) > MAX_DEPTH {
            return Err(Fault::failed(format!(
                "the state would nest deeper than {MAX_DEPTH}"
            )));
        }
        let grown = *self.weight + weight(value);
        if grown > MAX_WEIGHT {
            return Err(Fault::failed(format!(
                "the state would hold more than {MAX_WEIGHT} values"
            )));
        }
        *self.weight = grown;
        Ok(())
    }

    /// Makes the path hold the value; objects on the way come to be.
    pub(crate) fn set(&mut self, path: &FieldPath, value: Value) -> Result<(), Fault> {
        self.admit(path, &value)?;
        if let Some(place) = path.get_mut(self.state) {
            let held = std::mem::replace(place, value);
            *self.weight = self.weight.saturating_sub(weight(&held));
            self.note(Undo::Held(path.clone(), held));
            return Ok(());
        }
        let mut here = &mut *self.state;
        for (i, step) in path.0.iter().enumerate() {
            let so_far = || FieldPath(path.0[..i].to_vec());
            if here.is_null() {
                let undo = Undo::Held(so_far(), std::mem::take(here));
                self.trail.steps.push(Done {
                    undo,
                    line: self.line,
                });
                *here = Value::Object(Map::new());
            }
            let last = i + 1 == path.0.len();
            match (step, here) {
                (Step::Key(key), Value::Object(fields)) => {
                    if !fields.contains_key(key) {
                        let undo = Undo::Added(FieldPath(path.0[..=i].to_vec()));
                        self.trail.steps.push(Done {
                            undo,
                            line: self.line,
                        });
                        fields.insert(key.clone(), Value::Null);
                    }
                    here = fields.get_mut(key).expect("it was put in above");
                    if last {
                        *here = value;
                        return Ok(());
                    }
                    if here.is_null() && matches!(path.0[i + 1], Step::Key(_)) {
                        continue;
                    }
                }
                (Step::Index(at), Value::Array(items)) => {
                    let len = items.len();
                    here = items.get_mut(*at).ok_or_else(|| {
                        Fault::failed(format!(
                            "`{}` has no element {at}, its length is {len}",
                            so_far()
                        ))
                    })?;
                }
                (_, other) => {
                    return Err(Fault::failed(format!(
                        "`{}` is {}, so `{path}` cannot be in it",
                        so_far(),
                        kind(other)
                    )));
                }
            }
        }
        // An empty path is the state itself, which always is there.
        Ok(())
    }

    /// Adds a number to the field, which counts as 0 where there is none.
    pub(crate) fn add(&mut self, path: &FieldPath, value: &Value, sub: bool) -> Result<(), Fault> {
        let verb = if sub { "subtracted" } else { "added" };
        let Value::Number(amount) = value else {
            return Err(Fault::failed(format!(
                "{} cannot be {verb} (number(text) reads a number from text)",
                kind(value)
            )));
        };
        let amount = Exact::read(amount.as_str())?;
        let before = match path.get(self.state) {
            None | Some(Value::Null) => Exact::Int(0),
            Some(Value::Number(number)) => Exact::read(number.as_str())?,
            Some(other) => {
                return Err(Fault::failed(format!(
                    "`{path}` is {}, nothing can be {verb}",
                    kind(other)
                )));
            }
        };
        let after = if sub {
            before.sub(amount)?
        } else {
            before.add(amount)?
        };
        self.set(path, Value::Number(after.to_json()))
    }

    /// Adds the value to the end of the list, which is made where there is none.
    pub(crate) fn push(&mut self, path: &FieldPath, value: Value) -> Result<(), Fault> {
        match path.get_mut(self.state) {
            None | Some(Value::Null) => {
                self.admit(&path.then(Step::Index(0)), &value)?;
                *self.weight = self.weight.saturating_sub(weight(&value));
                self.set(path, Value::Array(vec![value]))
            }
            Some(Value::Array(_)) => {
                self.admit(&path.then(Step::Index(0)), &value)?;
                if let Some(Value::Array(items)) = path.get_mut(self.state) {
                    items.push(value);
                    let at = items.len() - 1;
                    self.note(Undo::Pushed(path.clone(), at));
                }
                Ok(())
            }
            Some(other) => Err(Fault::failed(format!(
                "`{path}` is {}, only a list can be pushed to",
                kind(other)
            ))),
        }
    }

    /// Puts a value into the object under a key: `[key, value]`.
    pub(crate) fn put(&mut self, path: &FieldPath, pair: Value) -> Result<(), Fault> {
        let pair: Result<[Value; 2], Value> = match pair {
            Value::Array(items) => items.try_into().map_err(Value::Array),
            other => Err(other),
        };
        let [key, value] = pair.map_err(|other| {
            Fault::failed(format!(
                "put takes [key, value], this is {}",
                match other {
                    Value::Array(items) => format!("a list of {}", items.len()),
                    other => kind(&other).to_owned(),
                }
            ))
        })?;
        let key = key_text(&key)?;
        match path.get(self.state) {
            None | Some(Value::Null | Value::Object(_)) => {
                self.set(&path.then(Step::Key(key)), value)
            }
            Some(other) => Err(Fault::failed(format!(
                "`{path}` is {}, only into an object can be put",
                kind(other)
            ))),
        }
    }

    /// Removes the elements that `goes` says, or is asked about; from an object the name. Nothing happens where
    /// there is nothing.
    pub(crate) fn remove(
        &mut self,
        path: &FieldPath,
        goes: &mut dyn FnMut(&Value) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        match path.get_mut(self.state) {
            None | Some(Value::Null) => Ok(()),
            Some(Value::Array(items)) => {
                let mut places = Vec::new();
                for (at, item) in items.iter().enumerate() {
                    if goes(item)? {
                        places.push(at);
                    }
                }
                let mut lost = Vec::with_capacity(places.len());
                if let [at] = places[..] {
                    lost.push((at, items.remove(at)));
                } else if !places.is_empty() {
                    let mut going = places.iter().peekable();
                    let mut kept = Vec::with_capacity(items.len() - places.len());
                    for (at, item) in std::mem::take(items).into_iter().enumerate() {
                        if going.next_if_eq(&&at).is_some() {
                            lost.push((at, item));
                        } else {
                            kept.push(item);
                        }
                    }
                    *items = kept;
                }
                if !lost.is_empty() {
                    let gone: usize = lost.iter().map(|(_, value)| weight(value)).sum();
                    *self.weight = self.weight.saturating_sub(gone);
                    self.note(Undo::Elements(path.clone(), lost));
                }
                Ok(())
            }
            Some(Value::Object(fields)) => {
                let keys: Vec<String> = fields.keys().cloned().collect();
                for key in keys {
                    if goes(&Value::String(key.clone()))? {
                        self.unset(&path.then(Step::Key(key)));
                    }
                }
                Ok(())
            }
            Some(other) => Err(Fault::failed(format!(
                "`{path}` is {}, only from a list or an object can be removed",
                kind(other)
            ))),
        }
    }

    /// Removes the elements equal to the value, or the name from an object.
    pub(crate) fn remove_equal(&mut self, path: &FieldPath, value: &Value) -> Result<(), Fault> {
        if let Some(Value::Object(_)) = path.get(self.state) {
            let key = key_text(value)?;
            self.unset(&path.then(Step::Key(key)));
            return Ok(());
        }
        self.remove(path, &mut |item| Ok(same(item, value)))
    }

    /// Takes the field away. Nothing happens where there is none.
    pub(crate) fn unset(&mut self, path: &FieldPath) {
        let Some((last, parent)) = path.0.split_last() else {
            return;
        };
        let parent = FieldPath(parent.to_vec());
        match (last, parent.get_mut(self.state)) {
            (Step::Key(key), Some(Value::Object(fields))) => {
                if let Some(at) = fields.keys().position(|name| name == key)
                    && let Some(value) = fields.shift_remove(key)
                {
                    *self.weight = self.weight.saturating_sub(weight(&value));
                    self.note(Undo::Lost(parent, at, key.clone(), value));
                }
            }
            (Step::Index(at), Some(Value::Array(items))) if *at < items.len() => {
                let value = items.remove(*at);
                *self.weight = self.weight.saturating_sub(weight(&value));
                self.note(Undo::Elements(parent, vec![(*at, value)]));
            }
            _ => {}
        }
    }
}

/// A key of an object: text, or a number as it is written.
fn key_text(key: &Value) -> Result<String, Fault> {
    match key {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(Fault::failed(format!(
            "a key is text or a number, this is {}",
            kind(other)
        ))),
    }
}
