//! How a category's events become state: definitions in TOML with Rhai expressions, the inferred fold
//! where there is none, and the fold itself.
//!
//! Left out: as-of resolution and reading ([`crate::temporal`]).

mod definition;
mod expression;
mod fold;
mod inference;
pub(crate) mod json;
mod operation;
mod path;
mod set;
mod value;

pub(crate) use expression::number::Exact;
pub use fold::Fold;
pub(crate) use fold::{Account, Circumstances, Told};
pub use operation::Touch;
pub(crate) use operation::{Mark, Marked};
pub use path::{FieldPath, PathError, Step};
pub use set::{BrokenModel, ModelSet, folder};

use serde::Serialize;
use sha2::{Digest, Sha256};
use ts_rs::TS;

use self::definition::{Action, Definition, Handler};
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
    /// The fold was inferred from the payloads; no model is declared for the category.
    pub inferred: bool,
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
    Declared(Definition),
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
            kind: Kind::Declared(definition),
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
        ModelRef {
            name: self.name.clone(),
            hash: self.hash,
            inferred: matches!(self.kind, Kind::Inferred),
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
