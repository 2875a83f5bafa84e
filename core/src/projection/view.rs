//! What hosts show of projections.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use super::{OnFault, Strategy};
use crate::finding::Finding;
use crate::model::ModelRef;
use crate::position::Position;
use crate::temporal::AsOfView;
use crate::time::Time;

/// Which documents of a projection to give: all by default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(default, deny_unknown_fields)]
pub struct DocumentQuery {
    /// Only the document of this key.
    pub key: Option<String>,
    /// Only documents whose key begins with this text.
    pub prefix: Option<String>,
    /// Read on after this key: the `next` of the page before.
    pub after: Option<String>,
    /// At most so many; all if `null`.
    pub limit: Option<usize>,
}

/// Documents of a projection as of an instant: `annals projection show --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DocumentsView {
    /// Name of the projection.
    pub projection: String,
    /// The definition used.
    pub model: ModelRef,
    /// When it is kept up.
    pub strategy: Strategy,
    /// The as-of it answers for.
    pub as_of: AsOfView,
    /// How the as-of was read, where the text left a choice. Filled by hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reading: Option<String>,
    /// The documents, by key (byte order).
    pub documents: Vec<DocumentRow>,
    /// Number of documents that match, those on other pages included.
    #[ts(type = "number")]
    pub documents_count: u64,
    /// Where to read on; `null` if this page reached the end.
    pub next: Option<String>,
    /// The last position that the documents take account of, whatever the as-of includes of it.
    pub position: Position,
    /// Number of events looked at for this answer.
    #[ts(type = "number")]
    pub events_examined: u64,
    /// A part is missing: events could not be folded, or a field could not be derived.
    pub incomplete: bool,
    /// Position of the event that the fold stopped before, where the projection stops at a fault.
    pub stopped_at: Option<Position>,
    /// Faults in the data.
    pub findings: Vec<Finding>,
}

/// One document.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DocumentRow {
    /// Its key.
    pub key: String,
    /// Its fields, every digit as recorded or computed exactly.
    #[ts(type = "unknown")]
    pub state: Box<RawValue>,
    /// Number of events that belong to it, those that could not be folded included.
    #[ts(type = "number")]
    pub inputs: u64,
    /// Position of the last of them.
    pub last_position: Position,
    /// When that happened.
    pub last_time: Time,
    /// An event could not be folded into it, or a field could not be derived.
    pub incomplete: bool,
}

/// The projections beside a store: `annals projection list --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ProjectionsView {
    /// Folder that they lie in.
    pub folder: String,
    /// The files, by name.
    pub projections: Vec<ProjectionRow>,
}

/// One projection file.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ProjectionRow {
    /// File name.
    pub file: String,
    /// Which definition it is; `null` if it is none.
    pub model: Option<ModelRef>,
    /// What it is for, in its own words.
    pub description: Option<String>,
    /// When it is kept up.
    pub strategy: Option<Strategy>,
    /// How often, in seconds, where it is a batch on schedule.
    #[ts(type = "number | null")]
    pub every_seconds: Option<u64>,
    /// What it does at an event that cannot be folded.
    pub on_fault: Option<OnFault>,
    /// Categories and types that it reads; empty: all that it has a handler for.
    pub from: Vec<String>,
    /// Types that it has a handler for.
    pub types: Vec<String>,
    /// What is wrong with it: file, line, column and what is wrong.
    pub error: Option<String>,
}

/// One projection file with its text.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ProjectionTextView {
    /// The file.
    pub row: ProjectionRow,
    /// Its text.
    pub text: String,
}
