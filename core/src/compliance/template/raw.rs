//! A report template as TOML holds it, before it is checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTemplate {
    pub(super) version: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) regime: Spanned<String>,
    pub(super) about: Spanned<String>,
    pub(super) retention: Spanned<String>,
    pub(super) layout: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) subject: RawSubject,
    #[serde(default)]
    pub(super) subject_fields: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) needs: Vec<RawNeed>,
    #[serde(default)]
    pub(super) not_checked: Vec<String>,
    #[serde(default)]
    pub(super) totals: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) drop_keys: Vec<String>,
    #[serde(default)]
    pub(super) settings: BTreeMap<String, RawSetting>,
    #[serde(default)]
    pub(super) fields: BTreeMap<Spanned<String>, RawField>,
    #[serde(default)]
    pub(super) tiers: Vec<RawTier>,
    #[serde(default)]
    pub(super) keys: Vec<RawKeys>,
    #[serde(default)]
    pub(super) checks: Vec<RawCheck>,
    pub(super) sections: Vec<RawSection>,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawSubject {
    #[default]
    None,
    Optional,
    Required,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawNeed {
    Actor,
    Stream,
    Period,
    At,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSetting {
    pub(super) title: String,
    pub(super) default: Spanned<String>,
    #[serde(default)]
    pub(super) choices: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawField {
    pub(super) title: Spanned<String>,
    pub(super) from: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) kind: RawKind,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawKind {
    Text,
    #[default]
    Name,
    Number,
    Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTier {
    pub(super) name: Spanned<String>,
    pub(super) digits: Spanned<u32>,
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKeys {
    pub(super) class: Spanned<String>,
    pub(super) keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCheck {
    pub(super) id: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) kind: Spanned<RawCheckKind>,
    #[serde(default)]
    pub(super) types: Vec<String>,
    #[serde(default)]
    pub(super) fields: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) prepare: Vec<String>,
    #[serde(default)]
    pub(super) approve: Vec<String>,
    pub(super) approver: Option<Spanned<String>>,
    pub(super) number: Option<Spanned<String>>,
    pub(super) setting: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) starts: Vec<String>,
    #[serde(default)]
    pub(super) ends: Vec<String>,
    #[serde(default)]
    pub(super) fills: Vec<String>,
    pub(super) remaining: Option<Spanned<String>>,
    pub(super) filled: Option<Spanned<String>>,
    pub(super) ordered: Option<Spanned<String>>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawCheckKind {
    Recorded,
    Segregation,
    Approved,
    Order,
    Sequence,
    Granularity,
    Offset,
    Lifecycle,
    Erased,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSection {
    pub(super) id: Spanned<String>,
    pub(super) title: Spanned<String>,
    #[serde(default)]
    pub(super) text: Vec<String>,
    #[serde(default)]
    pub(super) charts: Vec<RawChart>,
    #[serde(default)]
    pub(super) checks: bool,
    pub(super) table: Option<RawTable>,
    pub(super) question: Option<Spanned<String>>,
    pub(super) query: Option<Spanned<String>>,
    pub(super) exceptions: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawChart {
    OverTime,
    ByActor,
    ByType,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTable {
    pub(super) source: Spanned<RawSource>,
    #[serde(default)]
    pub(super) types: Vec<String>,
    pub(super) columns: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) by: Vec<Spanned<String>>,
    #[serde(default)]
    pub(super) of: Vec<Spanned<String>>,
    pub(super) size: Option<Spanned<String>>,
    pub(super) seed: Option<Spanned<String>>,
    pub(super) empty: String,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
pub(super) enum RawSource {
    Events,
    Changes,
    Versions,
    State,
    Lineage,
    Groups,
    Sample,
    Coverage,
    Digits,
    Keys,
}
