//! A declared mapping: how the rows of a table, or the records of a JSON file, become events. `docs/mapping.md`
//! draws its TOML.
//!
//! Every place of an event takes a *template*: text with columns in braces. `{case id}` is that column,
//! `order-{id}` puts text before it, `{date} {clock}` joins two, `PatientMoved` is the same for every row,
//! `{a} || {b}` is the first of them that is filled, and an empty template leaves the place empty. In JSON a path
//! stands in the braces: `{user.name}`. A place of a table that a mapping does not mention is guessed.
//!
//! Left out: reading tables ([`super::csv`]) and JSON ([`super::record`]), and guessing. Nothing here knows of
//! cells or files.

pub(super) mod clock;
mod file;
pub(super) mod template;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

use super::encoding::Encoding;
use crate::integrity::Hash;

pub use file::MappingError;
pub(super) use template::{Part, Template};

/// How the rows of a table or the records of a JSON file become events. What is `None` or not listed is guessed from
/// a table; in JSON it is empty.
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
    /// JSON: where the records are, if they are not the file's own: the path of an array, with `[]` behind it
    /// (`Records[]`), and in its elements that of the record (`entry[].resource`). Several with ` || ` between.
    pub records: Option<String>,
    /// JSON: where in a record the members stand that the paths of the event name, if not at its top: the path of an
    /// object, or of a text that is one (`detail`). Several with ` || ` between; the first that is there counts. The
    /// data stay the whole record.
    pub inside: Option<String>,
    /// What the text of the type place stands for: `c = "Created"`. Others stay as they are.
    pub types: BTreeMap<String, String>,
    /// What goes into each place of the event.
    pub event: EventMapping,
    /// JSON: what is done with a value before its records are mapped.
    pub reshape: Vec<Reshape>,
    /// JSON: the record tells how a row of a table was changed.
    pub change: Option<ChangeMapping>,
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
    /// The source's number of the event among all of its own.
    pub position: Option<String>,
    /// When the source recorded it.
    pub recorded: Option<String>,
    /// The payload, JSON or JSON in a text. Empty: the whole record.
    pub data: Option<String>,
    /// The source's own metadata, likewise.
    pub metadata: Option<String>,
}

/// What is done with a JSON value before its records are mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Reshape {
    /// Its list of records begins with the newest: it is turned round.
    NewestFirst,
    /// Values say their types as DynamoDB writes them (`{"N": "7"}`): they become plain JSON.
    Dynamodb,
    /// Texts at the top of a record that are JSON objects or lists count as these.
    JsonInText,
}

/// How a record tells the change of a row. The event's data are then `row`, as it is afterwards, and `was`, as it was before, `null`
/// where there was none, and its metadata say `inferred`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, optional_fields = nullable)]
#[serde(default, deny_unknown_fields)]
pub struct ChangeMapping {
    /// The row before, or the columns of it that are others afterwards.
    pub before: Option<String>,
    /// The row afterwards; of a deleted one the row that was.
    pub after: Option<String>,
    /// Types of events (as `types` makes them) after which there is no row.
    pub deletes: Vec<String>,
    /// Types of events before which there was no row.
    pub creates: Vec<String>,
    /// Members of a record that are lists with a row each: there is an event for every row.
    pub lists: Vec<String>,
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
    pub fn places(&self) -> [(&'static str, &Option<String>); 14] {
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
            position,
            recorded,
            data,
            metadata,
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
            ("position", position),
            ("recorded", recorded),
            ("data", data),
            ("metadata", metadata),
        ]
    }
}

impl Mapping {
    /// Whether rows of a table have to be read as records for it: it says more than where the cells go.
    pub(super) fn is_of_records(&self) -> bool {
        let EventMapping {
            data,
            metadata,
            recorded,
            position,
            ..
        } = &self.event;
        !self.reshape.is_empty()
            || self.inside.is_some()
            || self.change.is_some()
            || !self.types.is_empty()
            || [data, metadata, recorded, position]
                .iter()
                .any(|template| template.is_some())
    }

    /// SHA-256 of the mapping as [`Mapping::to_toml`] writes it: what an import's report and record name it by.
    #[must_use]
    pub fn sha256(&self) -> Hash {
        Hash(Sha256::digest(self.to_toml()).into())
    }
}
