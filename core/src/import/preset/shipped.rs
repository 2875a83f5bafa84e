//! The presets that come with Annals, and the list of all formats.

use std::sync::LazyLock;

use serde::Serialize;
use ts_rs::TS;

use super::{Preset, SourceOrder, Tested};

/// The files of this folder, by what they are of: the more usual first.
const FILES: &[(&str, &str)] = &[
    ("cloudevents.toml", include_str!("shipped/cloudevents.toml")),
    (
        "eventsourcingdb.toml",
        include_str!("shipped/eventsourcingdb.toml"),
    ),
    ("cdevents.toml", include_str!("shipped/cdevents.toml")),
    ("cloudtrail.toml", include_str!("shipped/cloudtrail.toml")),
    (
        "cloudtrail-insight.toml",
        include_str!("shipped/cloudtrail-insight.toml"),
    ),
    (
        "cloudtrail-digest.toml",
        include_str!("shipped/cloudtrail-digest.toml"),
    ),
    (
        "s3-notification.toml",
        include_str!("shipped/s3-notification.toml"),
    ),
    (
        "kubernetes-audit.toml",
        include_str!("shipped/kubernetes-audit.toml"),
    ),
    ("okta.toml", include_str!("shipped/okta.toml")),
    ("gcp-audit.toml", include_str!("shipped/gcp-audit.toml")),
    (
        "azure-activity.toml",
        include_str!("shipped/azure-activity.toml"),
    ),
    (
        "github-audit.toml",
        include_str!("shipped/github-audit.toml"),
    ),
    (
        "github-webhook.toml",
        include_str!("shipped/github-webhook.toml"),
    ),
    (
        "github-events.toml",
        include_str!("shipped/github-events.toml"),
    ),
    ("slack-audit.toml", include_str!("shipped/slack-audit.toml")),
    ("auth0.toml", include_str!("shipped/auth0.toml")),
    ("gsuite.toml", include_str!("shipped/gsuite.toml")),
    ("box.toml", include_str!("shipped/box.toml")),
    (
        "windows-event.toml",
        include_str!("shipped/windows-event.toml"),
    ),
    ("teleport.toml", include_str!("shipped/teleport.toml")),
    (
        "mongodb-atlas.toml",
        include_str!("shipped/mongodb-atlas.toml"),
    ),
    ("onelogin.toml", include_str!("shipped/onelogin.toml")),
    ("fhir-audit.toml", include_str!("shipped/fhir-audit.toml")),
    (
        "fhir-provenance.toml",
        include_str!("shipped/fhir-provenance.toml"),
    ),
    ("fhir.toml", include_str!("shipped/fhir.toml")),
    (
        "eventstoredb.toml",
        include_str!("shipped/eventstoredb.toml"),
    ),
    ("debezium.toml", include_str!("shipped/debezium.toml")),
    (
        "debezium-flat.toml",
        include_str!("shipped/debezium-flat.toml"),
    ),
    ("maxwell.toml", include_str!("shipped/maxwell.toml")),
    ("canal.toml", include_str!("shipped/canal.toml")),
    ("dynamodb.toml", include_str!("shipped/dynamodb.toml")),
    (
        "dynamodb-stream.toml",
        include_str!("shipped/dynamodb-stream.toml"),
    ),
    ("message-db.toml", include_str!("shipped/message-db.toml")),
    ("marten.toml", include_str!("shipped/marten.toml")),
    (
        "rails-event-store.toml",
        include_str!("shipped/rails-event-store.toml"),
    ),
    ("commanded.toml", include_str!("shipped/commanded.toml")),
    ("axon.toml", include_str!("shipped/axon.toml")),
    ("axon-snake.toml", include_str!("shipped/axon-snake.toml")),
    (
        "python-eventsourcing.toml",
        include_str!("shipped/python-eventsourcing.toml"),
    ),
    ("emmett.toml", include_str!("shipped/emmett.toml")),
    ("cqrs-es.toml", include_str!("shipped/cqrs-es.toml")),
    ("spatie.toml", include_str!("shipped/spatie.toml")),
];

/// The presets that come with Annals.
#[must_use]
pub fn shipped() -> &'static [Preset] {
    static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
        FILES
            .iter()
            .map(|(name, text)| {
                Preset::from_toml(name, text).expect("a test reads every shipped preset")
            })
            .collect()
    });
    &PRESETS
}

/// What can be imported: `annals formats --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FormatsView {
    /// The formats, those read by code first.
    pub formats: Vec<FormatRow>,
}

/// One format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct FormatRow {
    /// What `--format` calls it.
    pub name: String,
    /// What it is called in sentences.
    pub title: String,
    /// Where it is specified.
    pub specification: String,
    /// What reading it was tested on.
    pub tested: Tested,
    /// How far the order of its events can be relied on.
    pub order: SourceOrder,
    /// How it is read.
    pub read_by: ReadBy,
    /// What a user should know before an import.
    pub note: String,
}

/// How a format is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ReadBy {
    /// Code of its own.
    Code,
    /// A preset that comes with Annals.
    Preset,
    /// A preset of the user's.
    OwnPreset,
}

/// What can be imported, with the user's own presets.
///
/// ```
/// let view = annals_core::import::formats(&[]);
/// assert!(view.formats.iter().any(|format| format.name == "xes"));
/// ```
#[must_use]
pub fn formats(own: &[Preset]) -> FormatsView {
    let code = [
        (
            "jsonl",
            "JSON Lines",
            "https://jsonlines.org/",
            SourceOrder::Unknown,
            "one JSON object a line; keys such as stream, type, time and data are found by their names",
        ),
        (
            "json",
            "JSON",
            "https://www.rfc-editor.org/rfc/rfc8259",
            SourceOrder::Unknown,
            "a list of records, or one; keys are found as in JSON Lines",
        ),
        (
            "xes",
            "XES (IEEE 1849)",
            "https://xes-standard.org/",
            SourceOrder::PerStream,
            "a trace is a stream",
        ),
        (
            "ocel",
            "OCEL 2.0 and 1.0",
            "https://www.ocel-standard.org/2.0/ocel20_specification.pdf",
            SourceOrder::Unknown,
            "JSON, XML and SQLite; an object is a stream, an event is in the streams of all its objects",
        ),
        (
            "git",
            "History of a git repository",
            "https://git-scm.com/docs/gitformat-pack",
            SourceOrder::PerStream,
            "a folder with a .git in it: its commits are a stream, and so is each file; read by the program git",
        ),
        (
            "csv",
            "Table (CSV) and sheets of Excel",
            "https://www.rfc-editor.org/rfc/rfc4180",
            SourceOrder::Unknown,
            "columns are guessed, or said by a mapping",
        ),
    ];
    let code = code.map(|(name, title, specification, order, note)| FormatRow {
        name: name.to_owned(),
        title: title.to_owned(),
        specification: specification.to_owned(),
        tested: Tested::RealData,
        order,
        read_by: ReadBy::Code,
        note: note.to_owned(),
    });
    let presets = Preset::all(own).into_iter().map(|preset| {
        let is_own = own.iter().any(|other| other.name == preset.name);
        FormatRow {
            name: preset.name,
            title: preset.title,
            specification: preset.specification,
            tested: preset.tested,
            order: preset.order,
            read_by: if is_own {
                ReadBy::OwnPreset
            } else {
                ReadBy::Preset
            },
            note: preset.note,
        }
    });
    FormatsView {
        formats: code.into_iter().chain(presets).collect(),
    }
}
