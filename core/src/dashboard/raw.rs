//! A dashboard file as TOML holds it, before it is checked.

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDashboard {
    pub(super) title: Spanned<String>,
    pub(super) description: Option<String>,
    pub(super) zone: Option<Spanned<String>>,
    pub(super) panels: Spanned<Vec<RawPanel>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPanel {
    pub(super) kind: Spanned<RawKind>,
    pub(super) title: Spanned<String>,
    pub(super) projection: Option<Spanned<String>>,
    pub(super) question: Option<Spanned<String>>,
    pub(super) query: Option<Spanned<String>>,
    pub(super) document: Option<Spanned<String>>,
    pub(super) rows: Option<Spanned<String>>,
    pub(super) label: Option<Spanned<String>>,
    pub(super) value: Option<Spanned<RawValue>>,
    pub(super) values: Option<Spanned<Vec<Spanned<RawValue>>>>,
    pub(super) unit: Option<String>,
    pub(super) order: Option<Spanned<String>>,
    pub(super) limit: Option<Spanned<u32>>,
    pub(super) total: Option<Spanned<RawTotal>>,
    pub(super) axis: Option<Spanned<RawAxis>>,
    pub(super) between: Option<Spanned<RawBetween>>,
    pub(super) across: Option<Spanned<String>>,
    pub(super) lane: Option<Spanned<String>>,
    pub(super) from: Option<Spanned<String>>,
    pub(super) to: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) width: RawWidth,
}

/// A path, or a path with a title and a unit.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum RawValue {
    Path(String),
    Named {
        path: String,
        title: Option<String>,
        unit: Option<String>,
    },
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawKind {
    Number,
    Table,
    Line,
    Bar,
    Area,
    HeatMap,
    Timeline,
    Funnel,
    TopK,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawTotal {
    Count,
    Sum,
    Min,
    Max,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawAxis {
    Names,
    Time,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawBetween {
    Straight,
    Steps,
}

#[derive(Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawWidth {
    #[default]
    Half,
    Full,
}
