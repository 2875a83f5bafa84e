//! How a category's events become state: definitions in TOML with Rhai expressions, the inferred fold
//! where there is none, and the fold itself.
//!
//! Left out: as-of resolution and reading ([`crate::temporal`]).

use std::path::Path;

use serde::Serialize;
use ts_rs::TS;

use crate::finding::Findings;
use crate::integrity::Hash;
use crate::store::StreamEvent;

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
#[derive(Debug)]
pub struct Model {}

impl Model {
    /// Parses and checks a definition.
    pub fn parse(name: &str, text: &str) -> Result<Model, ModelError> {
        let _ = (name, text);
        todo!()
    }
    /// The fold that merges payloads, for categories without a model.
    pub fn inferred() -> Model {
        todo!()
    }
    /// Which model this is.
    pub fn reference(&self) -> ModelRef {
        todo!()
    }
    /// Category it is for; `None` for the inferred one.
    pub fn category(&self) -> Option<&str> {
        todo!()
    }
}

/// The models of a store: at most one a category, the inferred fold for the rest.
#[derive(Debug, Default)]
pub struct ModelSet {}

impl ModelSet {
    /// Reads `models/*.toml` in the store's folder (`X.annals.d`). Files that are wrong are left out and listed.
    pub fn load(store: &Path) -> std::io::Result<(ModelSet, Vec<ModelError>)> {
        let _ = store;
        todo!()
    }
    /// The model for a category.
    pub fn for_category(&self, category: &str) -> std::sync::Arc<Model> {
        let _ = category;
        todo!()
    }
}

/// The state of a stream while its events are folded one by one.
#[derive(Debug, Clone)]
pub struct Fold {}

impl Fold {
    /// Starts with the empty state.
    pub fn new(model: std::sync::Arc<Model>) -> Fold {
        let _ = model;
        todo!()
    }
    /// Takes one more event; faults become findings and the fold goes on.
    pub fn apply(&mut self, event: &StreamEvent, findings: &mut Findings) {
        let _ = (event, findings);
        todo!()
    }
    /// The state so far: `null` before the first event, numbers as written.
    pub fn state(&self) -> &serde_json::Value {
        todo!()
    }
}
