//! Folding events into the documents of a projection: an event is read once, whatever number of documents it belongs
//! to.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Failure, Fold, Read, failure, own_fields_of, place, read_metadata, read_upcast};
use crate::event::Event;
use crate::finding::{FindingKind, Findings, Place};
use crate::model::expression::{Expression, Inputs, Root};
use crate::model::value::kind;
use crate::model::{Handler, Projection};
use crate::store::StreamEvent;

/// An event that a projection has a handler for, read.
pub(crate) struct Keyed<'e> {
    projection: &'e Projection,
    handler: &'e Handler,
    event: &'e StreamEvent,
    read: Read,
    /// Keys of the documents that it belongs to, each once, in the order given. Empty: to none.
    pub(crate) keys: Vec<String>,
}

/// Why an event changed no document, or not this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyedFault {
    pub(crate) kind: FindingKind,
    pub(crate) place: Place,
    pub(crate) detail: String,
}

impl KeyedFault {
    fn of(failure: Failure, event: &Event) -> Box<KeyedFault> {
        let Failure { kind, path, detail } = failure;
        let detail = match &path {
            Some(path) => format!("{}: {path}: {detail}", event.event_type),
            None => format!("{}: {detail}", event.event_type),
        };
        Box::new(KeyedFault {
            kind,
            place: place(event, path),
            detail,
        })
    }
}

impl Projection {
    /// Reads an event and says which documents it belongs to; `None` where the projection is not about it.
    pub(crate) fn read<'e>(
        &'e self,
        event: &'e StreamEvent,
        findings: &mut Findings,
    ) -> Option<Result<Keyed<'e>, Box<KeyedFault>>> {
        let handler = self.handler_of(&event.event)?;
        let read = self.read_for(handler, event, findings);
        Some(read.map_err(|failure| KeyedFault::of(failure, &event.event)))
    }

    /// Reads an event whose documents are known; the keys stay empty.
    pub(crate) fn read_again<'e>(
        &'e self,
        event: &'e StreamEvent,
        findings: &mut Findings,
    ) -> Option<Result<Keyed<'e>, Box<KeyedFault>>> {
        let handler = self.handler_of(&event.event)?;
        let reads = |root| handler.reads(root);
        let read = self.read_parts(&reads, event, findings);
        let keyed = read.map(|read| Keyed {
            projection: self,
            handler,
            event,
            read,
            keys: Vec::new(),
        });
        Some(keyed.map_err(|failure| KeyedFault::of(failure, &event.event)))
    }

    /// Keys of the documents that an event belongs to; none where they cannot be told.
    pub(crate) fn keys_of(&self, event: &StreamEvent) -> Vec<String> {
        match self.read(event, &mut Findings::default()) {
            Some(Ok(keyed)) => keyed.keys,
            Some(Err(_)) | None => Vec::new(),
        }
    }

    fn read_for<'e>(
        &'e self,
        handler: &'e Handler,
        event: &'e StreamEvent,
        findings: &mut Findings,
    ) -> Result<Keyed<'e>, Failure> {
        let event_type = event.event.event_type.as_str();
        let key = self.key_of(event_type);
        let reads = |root| handler.reads(root) || key.reads(root);
        let mut read = self.read_parts(&reads, event, findings)?;
        if key.reads(Root::Event) {
            let mut fields = Vec::new();
            let known = key.fields_of(Root::Event, &mut fields);
            let own = own_fields_of(event, known.then_some(&fields));
            read.event = Some(Arc::new(own));
        }
        let value = match key.value(&read.inputs(None)) {
            // The engine's words for what is missing are about the whole payload.
            Err(_) if self.data_fields_of(event_type).is_some() && read.data.is_some() => {
                let whole = read_upcast(self.model(), event, None, &mut Findings::default())?.0;
                read.data = Some(Arc::new(whole));
                key.value(&read.inputs(None))
            }
            value => value,
        };
        let keys = match value {
            Ok(value) => keys_in(key, value)?,
            Err(fault) => {
                let mut failure = failure(&fault, None);
                failure.detail = format!("key {}: {}", key.text(), failure.detail);
                return Err(failure);
            }
        };
        Ok(Keyed {
            projection: self,
            handler,
            event,
            read,
            keys,
        })
    }

    /// Reads those of data and metadata that are asked for.
    fn read_parts(
        &self,
        reads: &dyn Fn(Root) -> bool,
        event: &StreamEvent,
        findings: &mut Findings,
    ) -> Result<Read, Failure> {
        let mut read = Read::default();
        if reads(Root::Data) {
            let fields = self.data_fields_of(event.event.event_type.as_str());
            let data = read_upcast(self.model(), event, fields, findings)?.0;
            read.data = Some(Arc::new(data));
        }
        if reads(Root::Meta) {
            read.meta = Some(Arc::new(read_metadata(&event.event)?));
        }
        Ok(read)
    }

    /// The document of a state as a reader sees it: with what is derived, and only the fields that are shown. What
    /// could not be derived is left out and told.
    pub(crate) fn document(&self, state: &Arc<Value>) -> (Value, Vec<String>) {
        let (whole, faults) = self.derive(state);
        let Some(shown) = self.shown() else {
            return (Arc::unwrap_or_clone(whole), faults);
        };
        let Value::Object(fields) = &*whole else {
            return (Arc::unwrap_or_clone(whole), faults);
        };
        let document: Map<String, Value> = shown
            .iter()
            .filter_map(|name| Some((name.clone(), fields.get(name)?.clone())))
            .collect();
        (Value::Object(document), faults)
    }
}

impl Projection {
    /// A state with what is derived from it.
    pub(crate) fn with_derived(&self, state: &Arc<Value>) -> Arc<Value> {
        self.derive(state).0
    }

    fn derive(&self, state: &Arc<Value>) -> (Arc<Value>, Vec<String>) {
        let mut faults = Vec::new();
        let mut whole = Arc::clone(state);
        for (name, expression) in self.derived() {
            let inputs = Inputs {
                state: Some(&whole),
                ..Inputs::default()
            };
            match expression.value(&inputs) {
                Ok(value) => {
                    if let Value::Object(fields) = Arc::make_mut(&mut whole) {
                        fields.insert(name.clone(), value);
                    }
                }
                Err(fault) => faults.push(format!(
                    "derived {name}: {}: {}",
                    expression.text(),
                    fault.detail
                )),
            }
        }
        (whole, faults)
    }
}

/// The keys that the value of a key expression names.
fn keys_in(key: &Expression, value: Value) -> Result<Vec<String>, Failure> {
    let one = |value: &Value| match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        other => Err(Failure {
            kind: FindingKind::ExpressionFailed,
            path: None,
            detail: format!(
                "key {}: {} is no key; a key is text or a number, a list of them, or null for no document",
                key.text(),
                match other {
                    Value::String(_) => "an empty text",
                    other => kind(other),
                }
            ),
        }),
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(values) => {
            let mut keys: Vec<String> = Vec::with_capacity(values.len());
            for value in &values {
                let key = one(value)?;
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
            Ok(keys)
        }
        value => Ok(vec![one(&value)?]),
    }
}

impl Fold {
    /// Takes an event into one of its documents. It does all that its handler says or, where any of it fails, nothing.
    pub(crate) fn apply_keyed(
        &mut self,
        keyed: &Keyed<'_>,
        key: &str,
    ) -> Result<(), Box<KeyedFault>> {
        self.trail = super::Trail::default();
        self.failed = None;
        if self.state.is_null() {
            self.state = Arc::new(Value::Object(Map::new()));
        }
        let mut read = Read {
            data: keyed.read.data.clone(),
            meta: keyed.read.meta.clone(),
            event: None,
        };
        if keyed.handler.reads(Root::Event) {
            let mut own = own_fields_of(keyed.event, keyed.handler.event_fields.as_deref());
            if let Value::Object(fields) = &mut own {
                fields.insert("key".to_owned(), Value::String(key.to_owned()));
            }
            read.event = Some(Arc::new(own));
        }
        debug_assert!(Arc::ptr_eq(&self.model, keyed.projection.model()));
        let outcome = self.handle_read(keyed.handler, keyed.event, read);
        outcome.map_err(|failure| {
            let fault = KeyedFault::of(failure, &keyed.event.event);
            self.failed = Some((fault.kind, fault.detail.clone()));
            fault
        })
    }

    /// Says that an event could not be folded.
    pub(crate) fn mark_incomplete(&mut self) {
        self.incomplete = true;
    }

    /// As [`Fold::resume`] for a state whose weight was not kept: it is counted anew.
    pub(crate) fn resume_counting(
        model: Arc<crate::model::Model>,
        state: Value,
        incomplete: bool,
    ) -> Fold {
        let weight = crate::model::value::weight(&state);
        Fold::resume(model, state, weight, incomplete)
    }

    /// The state, for others to hold as well.
    pub(crate) fn shared_state(&self) -> &Arc<Value> {
        &self.state
    }
}
