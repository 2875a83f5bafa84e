//! A declared mapping: how the rows of a table become events. `docs/mapping.md` draws its TOML.
//!
//! Every place of an event takes a *template*: text with columns in braces. `{case id}` is that column,
//! `order-{id}` puts text before it, `{date} {clock}` joins two, `PatientMoved` is the same for every row,
//! and an empty template leaves the place empty. A place that a mapping does not mention is guessed.
//!
//! Left out: reading tables ([`super::csv`]) and guessing. Nothing here knows of cells or files, so that
//! records of other kinds can come to be mapped by the same templates.

pub(super) mod clock;
mod file;
pub(super) mod template;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

use super::encoding::Encoding;
use crate::integrity::Hash;

pub use file::MappingError;
pub(super) use template::{Part, Template};

/// How the rows of a table become events. What is `None` or not listed is guessed from the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, optional_fields = nullable)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    /// How the bytes spell text.
    pub encoding: Option<Encoding>,
    /// What stands between cells: one character, such as `,` or `;` or a tab.
    pub delimiter: Option<String>,
    /// The first row names the columns. Without, they are `column_1`, `column_2`…
    pub header: Option<bool>,
    /// Numbers are written with a decimal comma, and points only between thousands.
    pub decimal_comma: Option<bool>,
    /// Cells that hold no value. An empty one is left out of the event, another is `null`.
    pub null: Option<Vec<String>>,
    /// Zone of times that name none: `UTC` or an IANA name.
    pub zone: Option<String>,
    /// How times are written: `auto` (ISO 8601, RFC 3339 and numbers since 1970 told apart by size), a format
    /// such as `%d.%m.%Y %H:%M:%S`, or `epoch s`, `epoch ms`, `epoch us`, `epoch ns`.
    pub time_format: Option<String>,
    /// What goes into each place of the event.
    pub event: EventMapping,
    /// What becomes of each column.
    pub columns: Vec<ColumnMapping>,
}

/// Templates for the places of an event. `None`: guessed; empty: nothing goes there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, optional_fields = nullable)]
#[serde(default, deny_unknown_fields)]
pub struct EventMapping {
    /// Name of the stream. Empty: the name of the file without its endings.
    pub stream: Option<String>,
    /// Category of the stream. Empty: the text before the first `-` of its name.
    pub category: Option<String>,
    /// What happened. Empty: `record`, with a finding.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// When it happened. Empty: as the event before it, with a finding.
    pub time: Option<String>,
    /// Who did it; becomes `actor` in the metadata.
    pub actor: Option<String>,
    /// Id of the event. Empty: made from the row.
    pub id: Option<String>,
    /// Becomes `correlationId` in the metadata.
    pub correlation: Option<String>,
    /// Becomes `causationId` in the metadata.
    pub causation: Option<String>,
    /// Why; becomes `reason` in the metadata.
    pub reason: Option<String>,
    /// The source's number of the event in its stream.
    pub version: Option<String>,
}

/// What becomes of one column, beside the places that name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ColumnMapping {
    /// Name of the column.
    pub name: String,
    /// Where its cells are kept.
    #[serde(default)]
    pub into: ColumnTarget,
    /// What its cells are.
    #[serde(default)]
    pub kind: ColumnKind,
}

/// Where the cells of a column are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum ColumnTarget {
    /// A member of the data.
    #[default]
    Data,
    /// A member of the metadata.
    Metadata,
    /// Only in the places that name the column; if none does, it is left out.
    None,
}

/// What the cells of a column are. A cell that is not of the kind is kept as text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Text, exactly as it stands.
    #[default]
    Text,
    /// A number with its digits as written. Where it has leading zeros or a plus sign it is text.
    Number,
    /// `true` or `false`.
    Boolean,
    /// JSON, taken as it is.
    Json,
}

impl EventMapping {
    /// The places, by the names that they have in TOML, with their templates.
    #[must_use]
    pub fn places(&self) -> [(&'static str, &Option<String>); 10] {
        let EventMapping {
            stream,
            category,
            event_type,
            time,
            actor,
            id,
            correlation,
            causation,
            reason,
            version,
        } = self;
        [
            ("stream", stream),
            ("category", category),
            ("type", event_type),
            ("time", time),
            ("actor", actor),
            ("id", id),
            ("correlation", correlation),
            ("causation", causation),
            ("reason", reason),
            ("version", version),
        ]
    }
}

impl Mapping {
    /// SHA-256 of the mapping as [`Mapping::to_toml`] writes it: what an import's report and record name it by.
    #[must_use]
    pub fn sha256(&self) -> Hash {
        Hash(Sha256::digest(self.to_toml()).into())
    }
}
