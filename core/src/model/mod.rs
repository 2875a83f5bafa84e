//! How a category's events become state: definitions in TOML with Rhai expressions, the inferred fold
//! where there is none, and the fold itself.
//!
//! Left out: as-of resolution and reading ([`crate::temporal`]).

mod definition;
mod expression;
mod files;
mod fold;
mod inference;
pub(crate) mod json;
mod operation;
mod path;
mod projected;
mod set;
mod upcast;
mod value;

pub(crate) use expression::Root;
pub(crate) use expression::number::{Exact, NumberFault, compare_written};
pub use files::{ModelRow, ModelTextView, ModelsView, SaveError, list, save, show};
pub(crate) use files::{is_file_name, write_whole};
pub use fold::Fold;
pub(crate) use fold::{Account, Before, Circumstances, Field, Keyed, KeyedFault, Told};
pub use operation::Touch;
pub(crate) use operation::{Mark, Marked};
pub use path::{FieldPath, PathError, Step};
pub use projected::{OnFault, Projection, Strategy};
pub(crate) use set::toml_files;
pub use set::{BrokenModel, ModelSet, folder};
pub(crate) use value::same;

use serde::Serialize;
use sha2::{Digest, Sha256};
use ts_rs::TS;

pub(crate) use self::definition::Rule;
use self::definition::{Action, Definition, Handler};
pub(crate) use self::inference::inferred_lines;
use crate::integrity::Hash;

/// Where a definition is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}:{line}:{column}: {message}")]
pub struct ModelError {
    /// File or model name.
    pub name: String,
    /// Line in the file, first is 1.
    pub line: usize,
    /// Column in characters, first is 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

/// Which model an answer used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ModelRef {
    /// Name: the file's stem, or `inferred`.
    pub name: String,
    /// SHA-256 of the definition's text; `null` if inferred.
    pub hash: Option<Hash>,
    /// The fold was inferred from the payloads; no handlers are declared for the category.
    pub inferred: bool,
    /// The author's own name for this edition of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub version: Option<String>,
    /// The expression of the model's own time: events count from that on, not from when they happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub time: Option<String>,
}

/// A model, checked and compiled.
///
/// ```
/// use annals_core::model::Model;
/// let model = Model::parse("order", "category = \"order\"\n[on.OrderShipped]\nstatus = \"'Shipped'\"").unwrap();
/// assert_eq!(model.category(), Some("order"));
/// let error = Model::parse("order", "category = \"order\"\n[on.OrderShipped]\nstatus = \"dta.x\"").unwrap_err();
/// assert_eq!((error.line, error.column), (3, 11));
/// ```
#[derive(Debug)]
pub struct Model {
    name: String,
    hash: Option<Hash>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Inferred,
    Declared(Box<Definition>),
}

impl Model {
    /// Parses and checks a definition.
    ///
    /// # Errors
    /// [`ModelError`] with line and column if it is not TOML, says something that no model says, or holds an expression
    /// that is none.
    pub fn parse(name: &str, text: &str) -> Result<Model, ModelError> {
        let definition = definition::parse(name, text)?;
        Ok(Model {
            name: definition.title.clone().unwrap_or_else(|| name.to_owned()),
            hash: Some(Hash(Sha256::digest(text.as_bytes()).into())),
            kind: Kind::Declared(Box::new(definition)),
        })
    }

    /// The fold that merges payloads, for categories without a model. Its rules are at the top of `inference.rs`
    /// and in `docs/models.md`.
    #[must_use]
    pub fn inferred() -> Model {
        Model {
            name: "inferred".to_owned(),
            hash: None,
            kind: Kind::Inferred,
        }
    }

    /// Which model this is.
    #[must_use]
    pub fn reference(&self) -> ModelRef {
        let definition = match &self.kind {
            Kind::Inferred => None,
            Kind::Declared(definition) => Some(definition),
        };
        ModelRef {
            name: self.name.clone(),
            hash: self.hash,
            inferred: definition.is_none_or(|definition| definition.handlers.is_empty()),
            version: definition.and_then(|definition| definition.version.clone()),
            time: definition
                .and_then(|definition| definition.time.as_ref())
                .map(|time| time.text().to_owned()),
        }
    }

    /// Whether events count from a time of the model's own.
    #[must_use]
    pub fn has_time(&self) -> bool {
        matches!(&self.kind, Kind::Declared(definition) if definition.time.is_some())
    }

    /// Types that it has a handler for, by name.
    #[must_use]
    pub fn types(&self) -> Vec<&str> {
        match &self.kind {
            Kind::Inferred => Vec::new(),
            Kind::Declared(definition) => definition.handlers.keys().map(String::as_str).collect(),
        }
    }

    /// The names at the top of the state that its handlers write, in the order written, type by type.
    pub(crate) fn fields(&self) -> Vec<&str> {
        let Kind::Declared(definition) = &self.kind else {
            return Vec::new();
        };
        let mut fields = Vec::new();
        let actions = definition.handlers.values().flat_map(|h| &h.actions);
        for action in actions {
            if let Some(Step::Key(name)) = action.path.0.first()
                && !fields.contains(&name.as_str())
            {
                fields.push(name.as_str());
            }
        }
        fields
    }

    /// Types that it has upcasters for, by name.
    pub(crate) fn upcast_types(&self) -> Vec<&str> {
        self.upcasts().keys().map(String::as_str).collect()
    }

    /// The upcasters that a payload goes through: `1 -> 2`.
    pub(crate) fn upcast_steps(&self, event_type: &str, schema: Option<&str>) -> Vec<String> {
        let upcasts = self.upcasts().get(event_type);
        let steps = upcasts.map(|upcasts| upcast::steps(upcasts, schema));
        let steps = steps.unwrap_or_default();
        steps.iter().map(|step| step.name()).collect()
    }

    /// The schema versions that the upcasters of a type know, where this one is none of them; `None` if it is, or the
    /// type has no upcasters.
    pub(crate) fn unknown_schema(&self, event_type: &str, schema: Option<&str>) -> Option<String> {
        let upcasts = self.upcasts().get(event_type)?;
        let mut known: Vec<&str> = Vec::new();
        for step in upcasts {
            let from = step.from.as_deref().unwrap_or("none");
            for version in [from, step.to.as_str()] {
                if !known.contains(&version) {
                    known.push(version);
                }
            }
        }
        let schema = schema.unwrap_or("none");
        (!known.contains(&schema)).then(|| known.join(", "))
    }

    fn upcasts(&self) -> &std::collections::BTreeMap<String, Vec<upcast::Upcast>> {
        static NONE: std::collections::BTreeMap<String, Vec<upcast::Upcast>> =
            std::collections::BTreeMap::new();
        match &self.kind {
            Kind::Inferred => &NONE,
            Kind::Declared(definition) => &definition.upcasts,
        }
    }

    /// The rules that it declares, in the order written.
    pub(crate) fn rules(&self) -> &[Rule] {
        match &self.kind {
            Kind::Inferred => &[],
            Kind::Declared(definition) => &definition.rules,
        }
    }

    /// Category it is for; `None` for the inferred one.
    #[must_use]
    pub fn category(&self) -> Option<&str> {
        match &self.kind {
            Kind::Inferred => None,
            Kind::Declared(definition) => Some(&definition.category),
        }
    }
}
