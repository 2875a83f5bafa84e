//! Which fields of an event tell who did it and what it belongs to.

use serde::{Deserialize, Serialize};

use crate::event::Payload;

/// Paths, tried in order, that give an event's actor, correlation and causation. The columns filled by it
/// are not under the leaf hash; verification extracts them again with the rule of the event's source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extraction {
    /// Paths such as `metadata.userId` or `data.changedBy`.
    pub actor: Vec<String>,
    /// Paths to the correlation id.
    pub correlation: Vec<String>,
    /// Paths to the causation id.
    pub causation: Vec<String>,
}

/// What an [`Extraction`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Who did it.
    pub actor: Option<String>,
    /// Correlation id.
    pub correlation: Option<String>,
    /// Causation id.
    pub causation: Option<String>,
}

impl Extraction {
    /// The rule for events appended here and for JSON imports.
    #[must_use]
    pub fn standard() -> Extraction {
        todo!()
    }

    /// Applies the rule; texts as they are, numbers as written, anything else not at all.
    #[must_use]
    pub fn apply(&self, data: &Payload, metadata: Option<&Payload>) -> Extracted {
        let _ = (data, metadata);
        todo!()
    }
}
