//! A projection's definition: handlers as a model has them, and which document an event belongs to, what is derived,
//! which events it reads, how it is kept up.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

use super::definition::{self, Handler};
use super::expression::{Expression, Root};
use super::{Kind, Model, ModelError, ModelRef, ModelSet};
use crate::event::Event;
use crate::integrity::Hash;

/// When a projection is caught up with its log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// Before an append is acknowledged.
    Sync,
    /// As soon as the events are there, by a runner.
    #[default]
    Async,
    /// On demand, or every so often by a runner.
    Batch,
    /// As [`Strategy::Async`], and what changed is pushed to whoever watches.
    Live,
}

impl Strategy {
    /// Its word in a definition.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Sync => "sync",
            Strategy::Async => "async",
            Strategy::Batch => "batch",
            Strategy::Live => "live",
        }
    }

    /// What it promises, in a few words.
    #[must_use]
    pub fn promise(self) -> &'static str {
        match self {
            Strategy::Sync => "synchronous: caught up before an append is acknowledged",
            Strategy::Async => "asynchronous: catches up as events come",
            Strategy::Batch => "batch: catches up on demand or on schedule",
            Strategy::Live => "real-time: catches up as events come and pushes what changed",
        }
    }
}

/// What a projection does at an event that cannot be folded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum OnFault {
    /// The event changes nothing and goes to the list of faults.
    #[default]
    Continue,
    /// The projection stays before the event until it is told to try again.
    Stop,
}

/// Which events a projection reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Scope {
    /// Categories of home streams, and types; empty: all.
    pub(crate) names: Vec<String>,
}

/// What a definition says beside its handlers.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The key, where the type has none of its own.
    pub(crate) of_all: Option<Expression>,
    /// Keys of single types.
    pub(crate) by_type: BTreeMap<String, Expression>,
}

/// All that a definition says beside its handlers.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) description: Option<String>,
    pub(crate) keys: Keys,
    pub(crate) derived: Vec<(String, Expression)>,
    pub(crate) shown: Option<Vec<String>>,
    pub(crate) scope: Scope,
    pub(crate) strategy: Strategy,
    pub(crate) on_fault: OnFault,
    pub(crate) every_seconds: Option<u64>,
}

/// A projection, checked and compiled: how the events of many streams become documents.
///
/// ```
/// use annals_core::projection::Projection;
/// let text = "key = \"data.customerId\"\n[on.OrderPlaced]\n\"orders.add\" = \"1\"";
/// let projection = Projection::parse("orders", text)?;
/// assert_eq!(projection.types(), ["OrderPlaced"]);
/// let error = Projection::parse("orders", "[on.OrderPlaced]\n\"orders.add\" = \"1\"").unwrap_err();
/// assert!(error.message.starts_with("the key is missing"));
/// # Ok::<(), annals_core::model::ModelError>(())
/// ```
#[derive(Debug)]
pub struct Projection {
    model: Arc<Model>,
    parts: Parts,
    /// Fields of the payload that the key and the handler of a type read; none where one reads it whole.
    data_fields: BTreeMap<String, Option<Vec<String>>>,
}

impl Projection {
    /// Parses and checks a definition.
    ///
    /// # Errors
    /// [`ModelError`] with line and column if it is not TOML, says something that no projection says, or holds an
    /// expression that is none.
    pub fn parse(name: &str, text: &str) -> Result<Projection, ModelError> {
        let (definition, parts) = definition::parse_projection(name, text)?;
        let data_fields = definition
            .handlers
            .iter()
            .map(|(event_type, handler)| {
                let key = parts.keys.of(event_type);
                let fields = handler.data_fields.clone().and_then(|mut fields| {
                    key?.fields_of(Root::Data, &mut fields).then_some(fields)
                });
                (event_type.clone(), fields)
            })
            .collect();
        Ok(Projection {
            model: Arc::new(Model {
                name: definition.title.clone().unwrap_or_else(|| name.to_owned()),
                hash: Some(Hash(Sha256::digest(text.as_bytes()).into())),
                kind: Kind::Declared(Box::new(definition)),
            }),
            parts,
            data_fields,
        })
    }

    /// Its name: the one it gives itself, else that of its file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.model.name
    }

    /// Which definition this is.
    #[must_use]
    pub fn reference(&self) -> ModelRef {
        self.model.reference()
    }

    /// What it is for, in its own words.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.parts.description.as_deref()
    }

    /// When it is caught up.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.parts.strategy
    }

    /// What it does at an event that cannot be folded.
    #[must_use]
    pub fn on_fault(&self) -> OnFault {
        self.parts.on_fault
    }

    /// How often a runner catches it up, in seconds, where it is a batch; `None`: on demand only.
    #[must_use]
    pub fn every_seconds(&self) -> Option<u64> {
        self.parts.every_seconds
    }

    /// Types that it has a handler for, by name.
    #[must_use]
    pub fn types(&self) -> Vec<&str> {
        self.model.types()
    }

    /// Categories and types that it reads; empty: all that it has a handler for.
    #[must_use]
    pub fn from(&self) -> &[String] {
        &self.parts.scope.names
    }

    /// Hash of all that its documents depend on: its text and, where its inputs go through upcasters of their
    /// categories first, the texts of those models.
    #[must_use]
    pub fn identity(&self) -> Hash {
        let own = self.model.hash.unwrap_or(Hash([0; 32]));
        let Kind::Declared(definition) = &self.model.kind else {
            return own;
        };
        if definition.of_categories.is_empty() {
            return own;
        }
        let mut hash = Sha256::new();
        hash.update(b"annals projection 1\n");
        hash.update(own.0);
        for (category, model) in &definition.of_categories {
            hash.update((category.len() as u64).to_be_bytes());
            hash.update(category.as_bytes());
            hash.update(model.hash.unwrap_or(Hash([0; 32])).0);
        }
        Hash(hash.finalize().into())
    }

    /// The same projection, its inputs taken through the upcasters that the models of their categories have for the
    /// types that it handles.
    #[must_use]
    pub fn with_upcasters(mut self, models: &ModelSet) -> Projection {
        let types: Vec<String> = self.types().into_iter().map(str::to_owned).collect();
        let of_categories: BTreeMap<String, Arc<Model>> = models
            .iter()
            .filter(|model| {
                let has = |event_type: &String| model.upcasts_of(event_type).is_some();
                types.iter().any(has)
            })
            .filter_map(|model| Some((model.category()?.to_owned(), Arc::clone(model))))
            .collect();
        // Nobody else holds the model of a projection that is no part of a set yet.
        if let Some(model) = Arc::get_mut(&mut self.model)
            && let Kind::Declared(definition) = &mut model.kind
        {
            definition.of_categories = of_categories;
        }
        self
    }

    /// The expressions of its keys: of all types, and of single ones.
    #[must_use]
    pub fn keys(&self) -> Vec<(Option<&str>, &str)> {
        let all = self.parts.keys.of_all.iter();
        let all = all.map(|key| (None, key.text()));
        let single = self.parts.keys.by_type.iter();
        all.chain(single.map(|(name, key)| (Some(name.as_str()), key.text())))
            .collect()
    }

    /// Whether an event is one of those that it reads.
    #[must_use]
    pub fn is_about(&self, event: &Event) -> bool {
        self.handler_of(event).is_some()
    }

    pub(crate) fn model(&self) -> &Arc<Model> {
        &self.model
    }

    pub(crate) fn handler_of(&self, event: &Event) -> Option<&Handler> {
        let Kind::Declared(definition) = &self.model.kind else {
            return None;
        };
        let handler = definition.handlers.get(event.event_type.as_str())?;
        let names = &self.parts.scope.names;
        let is_named = |name: &str| names.iter().any(|wanted| wanted == name);
        let is_in = names.is_empty()
            || is_named(event.event_type.as_str())
            || event
                .category
                .as_ref()
                .is_some_and(|category| is_named(category.as_str()));
        is_in.then_some(handler)
    }

    /// The key of a type that it has a handler for.
    pub(crate) fn key_of(&self, event_type: &str) -> &Expression {
        let key = self.parts.keys.of(event_type);
        key.expect("every handled type has a key: the definition was checked")
    }

    pub(crate) fn data_fields_of(&self, event_type: &str) -> Option<&[String]> {
        self.data_fields.get(event_type)?.as_deref()
    }

    pub(crate) fn derived(&self) -> &[(String, Expression)] {
        &self.parts.derived
    }

    pub(crate) fn shown(&self) -> Option<&[String]> {
        self.parts.shown.as_deref()
    }
}

impl Keys {
    pub(crate) fn of(&self, event_type: &str) -> Option<&Expression> {
        self.by_type.get(event_type).or(self.of_all.as_ref())
    }
}
