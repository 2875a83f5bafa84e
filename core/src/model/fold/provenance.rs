//! What a line of a handler did on an event, for people: operation, expression, and the fields that it read; who
//! did it, and why. Nothing here is needed to fold.

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::{Fold, own_fields, read_metadata, read_upcast, trace_attributes};
use crate::event::Event;
use crate::finding::Findings;
use crate::model::expression::{Expression, Inputs, Root};
use crate::model::inference;
use crate::model::operation::Operation;
use crate::model::path::{FieldPath, Step};
use crate::model::upcast::Assumed;
use crate::model::{Action, Kind, Model};
use crate::store::{Extraction, StreamEvent};

/// Keys that say why, tried in order in the payload and then in the context.
const REASONS: [&str; 6] = [
    "reason",
    "changeReason",
    "change_reason",
    "reasonCode",
    "reason_code",
    "justification",
];

/// What a line did on an event.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) operation: &'static str,
    /// `None` if the fold is inferred.
    pub(crate) expression: Option<String>,
    /// The handler's condition.
    pub(crate) guard: Option<String>,
    /// Fields read by the two.
    pub(crate) fields: Vec<Field>,
}

/// A field that was read.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) path: String,
    /// Its value before the event; `None` where there was none.
    pub(crate) value: Option<Value>,
    /// The upcaster that gave it, or something in it, a value that was not recorded.
    pub(crate) assumed: Option<String>,
}

/// Something that an event tells about itself, and the field that says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) value: String,
    /// `data.changedBy`; an expression of the model; `None` if not known.
    pub(crate) from: Option<String>,
}

/// Who and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Circumstances {
    pub(crate) who: Option<Told>,
    pub(crate) why: Option<Told>,
}

impl Model {
    fn action(&self, event_type: &str, line: usize) -> Option<&Action> {
        match &self.kind {
            Kind::Inferred => None,
            Kind::Declared(definition) => definition.handlers.get(event_type)?.actions.get(line),
        }
    }

    /// Whether what a line gives depends on what stood at its own place: then the place was built on, not set anew.
    pub(crate) fn builds_on(&self, event_type: &str, line: usize) -> bool {
        let Some(action) = self.action(event_type, line) else {
            return false;
        };
        match action.operation {
            Operation::Add | Operation::Sub => true,
            // These change single elements and names.
            Operation::Push | Operation::Remove | Operation::Unset => false,
            Operation::Set | Operation::Put => {
                action.expression.paths().iter().any(|(root, path)| {
                    let (read, set) = (&path.0, &action.path.0);
                    *root == Root::State && (read.starts_with(set) || set.starts_with(read))
                })
            }
        }
    }
}

impl Fold {
    /// What a line does on the event that is about to be folded, into the document of a key if it is one.
    pub(crate) fn account(&self, event: &StreamEvent, line: usize, key: Option<&str>) -> Account {
        let event_type = event.event.event_type.as_str();
        let mut inputs = Reading::new(self, event);
        if let Some(key) = key {
            let mut own = own_fields(event);
            if let Value::Object(fields) = &mut own {
                fields.insert("key".to_owned(), Value::String(key.to_owned()));
            }
            inputs.own = Some(Arc::new(own));
        }
        if let Kind::Declared(definition) = &self.model.kind
            && let Some(handler) = definition.handlers.get(event_type)
            && let Some(action) = handler.actions.get(line)
        {
            let guard = handler.guard.iter();
            let mut fields: Vec<Field> = Vec::new();
            let each = handler.each.iter();
            for expression in guard.chain(each).chain(action.expressions()) {
                for (root, path) in expression.paths() {
                    if let Some(field) = inputs.field(*root, path)
                        && !fields.iter().any(|known| known.path == field.path)
                    {
                        fields.push(field);
                    }
                }
            }
            return Account {
                operation: action.operation.name(),
                expression: Some(action.expression.text().to_owned()),
                guard: handler.guard.as_ref().map(|guard| guard.text().to_owned()),
                fields,
            };
        }
        let data = inputs.value(Root::Data).unwrap_or(Value::Null);
        let category = event.event.category.as_ref().map_or("", |c| c.as_str());
        let case = trace_attributes(&event.event);
        let set = inference::assignments(event_type, category, data, case, &self.state);
        let origin = set.get(line).map(inference::Assignment::read_from);
        Account {
            operation: Operation::Set.name(),
            expression: None,
            guard: None,
            fields: origin
                .and_then(|(root, path)| inputs.field(root, &path))
                .into_iter()
                .collect(),
        }
    }

    /// Who did the event, and why: by the model's own mapping, else by the actor that was extracted and by the
    /// names that reasons usually have.
    pub(crate) fn circumstances(&self, event: &StreamEvent) -> Circumstances {
        let mut inputs = Reading::new(self, event);
        let (who, why) = match &self.model.kind {
            Kind::Inferred => (None, None),
            Kind::Declared(definition) => (
                definition.who.actor.as_ref(),
                definition.who.reason.as_ref(),
            ),
        };
        let mut mapped = |expression: Option<&Expression>| {
            let expression = expression?;
            let value = text_of(&inputs.evaluate(expression)?)?;
            Some(Told {
                value,
                from: Some(expression.text().to_owned()),
            })
        };
        let (mapped_who, mapped_why) = (mapped(who), mapped(why));
        Circumstances {
            who: mapped_who.or_else(|| extracted_actor(&event.event, &mut inputs)),
            why: mapped_why.or_else(|| usual_reason(&mut inputs)),
        }
    }
}

/// What expressions read on an event, each part read when it is first asked for.
struct Reading<'a> {
    fold: &'a Fold,
    event: &'a StreamEvent,
    data: Option<Option<Arc<Value>>>,
    meta: Option<Option<Arc<Value>>>,
    own: Option<Arc<Value>>,
    assumed: Vec<Assumed>,
}

impl<'a> Reading<'a> {
    fn new(fold: &'a Fold, event: &'a StreamEvent) -> Reading<'a> {
        Reading {
            fold,
            event,
            data: None,
            meta: None,
            own: None,
            assumed: Vec::new(),
        }
    }

    /// The value of a root; `None` if it cannot be read.
    fn root(&mut self, root: Root) -> Option<&Arc<Value>> {
        let event = &self.event.event;
        match root {
            Root::Data => {
                if self.data.is_none() {
                    let model = self.fold.model();
                    let read = read_upcast(model, self.event, None, &mut Findings::default());
                    let read = read.ok().map(|(data, assumed)| {
                        self.assumed = assumed;
                        Arc::new(data)
                    });
                    self.data = Some(read);
                }
                self.data.as_ref().and_then(Option::as_ref)
            }
            Root::Meta => self
                .meta
                .get_or_insert_with(|| read_metadata(event).ok().map(Arc::new))
                .as_ref(),
            Root::Event => Some(
                self.own
                    .get_or_insert_with(|| Arc::new(own_fields(self.event))),
            ),
            Root::State => Some(&self.fold.state),
            Root::Item => None,
        }
    }

    fn value(&mut self, root: Root) -> Option<Value> {
        self.root(root).map(|value| Value::clone(value))
    }

    /// A field with its name as an expression writes it; `None` for what is no field of the event or the state.
    fn field(&mut self, root: Root, path: &FieldPath) -> Option<Field> {
        if root == Root::Item {
            return None;
        }
        let value = self.root(root).and_then(|value| path.get(value)).cloned();
        let assumed = self.assumed.iter().find(|assumed| {
            let (given, read) = (&assumed.path.0, &path.0);
            root == Root::Data && (given.starts_with(read) || read.starts_with(given))
        });
        Some(Field {
            path: field_name(root, path),
            value,
            assumed: assumed.map(|assumed| format!("upcast {}", assumed.step)),
        })
    }

    fn evaluate(&mut self, expression: &Expression) -> Option<Value> {
        for root in [Root::Data, Root::Meta, Root::Event] {
            if expression.reads(root) {
                self.root(root)?;
            }
        }
        let inputs = Inputs {
            data: self.data.as_ref().and_then(Option::as_ref),
            meta: self.meta.as_ref().and_then(Option::as_ref),
            event: self.own.as_ref(),
            state: Some(&self.fold.state),
            item: None,
        };
        expression.value(&inputs).ok()
    }
}

/// `data.price`, `data["odd key"]`, `data`.
fn field_name(root: Root, path: &FieldPath) -> String {
    let mut steps = vec![Step::Key(root.name().to_owned())];
    steps.extend(path.0.iter().cloned());
    FieldPath(steps).to_string()
}

/// A text or a number, as text; anything else says nothing.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The fields that the standard rule looks for an actor in.
static USUAL_ACTORS: LazyLock<Vec<(String, Root, FieldPath)>> = LazyLock::new(|| {
    let read = |name: String| {
        let FieldPath(steps) = name.parse().ok()?;
        let (Step::Key(root), rest) = steps.split_first()? else {
            return None;
        };
        let root = if root == "data" {
            Root::Data
        } else {
            Root::Meta
        };
        Some((name, root, FieldPath(rest.to_vec())))
    };
    let names = Extraction::standard().actor.into_iter();
    names.filter_map(read).collect()
});

/// The actor in the log's own column, with the field that holds it where one of the usual ones does.
fn extracted_actor(event: &Event, inputs: &mut Reading<'_>) -> Option<Told> {
    let value = event.actor.as_ref()?.to_string();
    let from = USUAL_ACTORS.iter().find(|(_, root, path)| {
        let held = inputs.root(*root).and_then(|held| path.get(held));
        held.and_then(text_of).as_ref() == Some(&value)
    });
    let from = from.map(|(name, _, _)| name.clone());
    Some(Told { value, from })
}

fn usual_reason(inputs: &mut Reading<'_>) -> Option<Told> {
    [Root::Data, Root::Meta].into_iter().find_map(|root| {
        let held = inputs.root(root)?;
        let (key, value) = REASONS
            .iter()
            .find_map(|key| Some((key, text_of(held.get(key)?)?)))?;
        let path = FieldPath(vec![Step::Key((*key).to_owned())]);
        // The context's field goes by the name that the log gives it.
        let from = match root {
            Root::Meta => format!("metadata.{key}"),
            _ => field_name(root, &path),
        };
        Some(Told {
            value,
            from: Some(from),
        })
    })
}
