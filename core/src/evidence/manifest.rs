//! `manifest.json`: what is claimed. Its bytes are signed as they are; reading it is strict, so that nothing in it can
//! mean something to one reader and nothing to another.

use serde::{Deserialize, Deserializer, Serialize};
use ts_rs::TS;

use crate::integrity::Hash;
use crate::store::Extraction;
use crate::time::Time;

/// Format that this release writes and reads.
pub const FORMAT: &str = "annals-evidence/1";

/// Bytes of a manifest, at most.
pub const MAX_BYTES: usize = 256 << 20;

/// The manifest. Members are required, others are refused, none comes twice, at every level.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// [`Algorithms::FIXED`].
    pub algorithms: Algorithms,
    /// Origin of the log: `annals/<uuid>`.
    pub log: String,
    /// Verifier key that signed.
    pub key: String,
    /// Size and root of the log.
    pub checkpoint: CheckpointClaim,
    /// When, by whom, why.
    pub made: Made,
    /// Positions that are accounted for.
    pub scope: Scope,
    /// Which events are rows.
    pub filter: Filter,
    /// The filter in words: [`reading`].
    pub reading: String,
    /// What is shown of events that are no rows.
    pub others: Others,
    /// What is withheld of rows.
    pub withheld: Withheld,
    /// Rules by which actor, correlation and causation are read from payloads.
    pub extraction: Vec<Rule>,
    /// How many.
    pub counts: Counts,
    /// Position and id of each row, in order.
    pub rows: Vec<(u64, Option<String>)>,
    /// Rows of each type, by type.
    pub types: Vec<(String, u64)>,
    /// Control totals, by path.
    pub sums: Vec<Sum>,
    /// Number of paths with numbers that `sums` has no room for.
    pub sums_left_out: u64,
    /// Every other file, in the order of the archive.
    pub files: Vec<FileClaim>,
}

/// Names of the algorithms, to be read and not to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Algorithms {
    /// Of files, leaves and nodes.
    pub hash: String,
    /// Of the manifest and the checkpoint.
    pub signature: String,
    /// Of the log.
    pub tree: String,
}

impl Algorithms {
    /// The only ones there are.
    #[must_use]
    pub fn fixed() -> Algorithms {
        Algorithms {
            hash: "SHA-256".to_owned(),
            signature: "Ed25519".to_owned(),
            tree: "RFC 6962".to_owned(),
        }
    }
}

/// Size and root of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointClaim {
    /// Number of events.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
}

/// When, by whom and why a package was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "EvidenceMade")]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// When.
    pub at: Time,
    /// Version of Annals.
    pub annals: String,
    /// Who made it.
    #[serde(deserialize_with = "required")]
    pub operator: Option<String>,
    /// What for.
    #[serde(deserialize_with = "required")]
    pub purpose: Option<String>,
}

/// Positions that are accounted for, one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "EvidenceScope")]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// First position.
    #[ts(type = "number")]
    pub first: u64,
    /// Last position; `first` − 1 where there is none.
    #[ts(type = "number")]
    pub last: u64,
}

impl Scope {
    /// Number of positions.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.last.saturating_add(1).saturating_sub(self.first)
    }
}

/// Which events are rows: all conditions hold; `null` is none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "EvidenceFilter")]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Home stream or linked stream.
    #[serde(deserialize_with = "required")]
    pub stream: Option<String>,
    /// Category of the home stream.
    #[serde(deserialize_with = "required")]
    pub category: Option<String>,
    /// Type.
    #[serde(rename = "type", deserialize_with = "required")]
    pub event_type: Option<String>,
    /// Actor, as extracted.
    #[serde(deserialize_with = "required")]
    pub actor: Option<String>,
    /// Correlation id, as extracted.
    #[serde(deserialize_with = "required")]
    pub correlation: Option<String>,
    /// Earliest time, inclusive.
    #[serde(deserialize_with = "required")]
    pub from: Option<Time>,
    /// Latest time, inclusive.
    #[serde(deserialize_with = "required")]
    pub to: Option<Time>,
}

/// What is shown of events in the range that are no rows, so that anybody sees that they do not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export, rename = "EvidenceOthers")]
#[serde(rename_all = "lowercase")]
pub enum Others {
    /// Nothing.
    None,
    /// What a leaf holds in the clear, where that shows it: type, times, version.
    Leaf,
    /// Also id, stream, links and source, where those show it.
    Identity,
    /// Also data and metadata, where those show it.
    Payload,
}

/// What is withheld of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "EvidenceWithheld")]
#[serde(deny_unknown_fields)]
pub struct Withheld {
    /// Id, stream, links and source.
    pub identity: bool,
    /// Data.
    pub data: bool,
    /// Metadata.
    pub metadata: bool,
    /// Members inside data and metadata, such as `data.email`.
    pub paths: Vec<String>,
}

impl Withheld {
    /// What words name: `identity`, `data`, `metadata`; anything else is a path.
    ///
    /// ```
    /// let withheld = annals_core::evidence::manifest::Withheld::of(["data.email", "metadata"]);
    /// assert_eq!((withheld.metadata, withheld.paths), (true, vec!["data.email".to_owned()]));
    /// ```
    #[must_use]
    pub fn of<'w>(words: impl IntoIterator<Item = &'w str>) -> Withheld {
        let mut withheld = Withheld::default();
        for word in words {
            match word {
                "identity" => withheld.identity = true,
                "data" => withheld.data = true,
                "metadata" => withheld.metadata = true,
                path => withheld.paths.push(path.to_owned()),
            }
        }
        withheld
    }
}

/// A rule of extraction, as [`Extraction`], read strictly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Paths to the actor.
    pub actor: Vec<String>,
    /// Paths to the correlation id.
    pub correlation: Vec<String>,
    /// Paths to the causation id.
    pub causation: Vec<String>,
}

impl From<Extraction> for Rule {
    fn from(rule: Extraction) -> Rule {
        let Extraction {
            actor,
            correlation,
            causation,
        } = rule;
        Rule {
            actor,
            correlation,
            causation,
        }
    }
}

impl From<Rule> for Extraction {
    fn from(rule: Rule) -> Extraction {
        let Rule {
            actor,
            correlation,
            causation,
        } = rule;
        Extraction {
            actor,
            correlation,
            causation,
        }
    }
}

/// How many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "EvidenceCounts")]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Positions of the range.
    #[ts(type = "number")]
    pub range: u64,
    /// Rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// Events that are no rows and are shown.
    #[ts(type = "number")]
    pub opened: u64,
    /// Positions of which nothing is shown.
    #[ts(type = "number")]
    pub closed: u64,
    /// Parts of rows that the log has no more.
    #[ts(type = "number")]
    pub erased: u64,
}

/// A control total: the exact sum of the numbers at one path of the rows' data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "EvidenceSum")]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// Path, such as `data.total`.
    pub path: String,
    /// Numbers that the sum is of.
    #[ts(type = "number")]
    pub values: u64,
    /// Their exact sum, a decimal.
    pub sum: String,
    /// Numbers that it is not of: more than 18 digits before the point or 12 behind it, or an exponent.
    #[ts(type = "number")]
    pub not_summed: u64,
}

/// A file of the package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export, rename = "EvidenceFile")]
#[serde(deny_unknown_fields)]
pub struct FileClaim {
    /// Its name in the archive.
    pub name: String,
    /// Its length in bytes, inflated.
    #[ts(type = "number")]
    pub size: u64,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
}

/// A member that may be `null` but must be there.
pub(super) fn required<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Option::deserialize(deserializer)
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The parser's message where it is no JSON, or has a member that is unknown, missing or there twice.
    pub fn read(bytes: &[u8]) -> Result<Manifest, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// Writes it, indented as far as a person wants to read it: one line a member.
    ///
    /// # Errors
    /// None in practice: it holds nothing that JSON cannot say.
    pub fn write(&self) -> Result<Vec<u8>, serde_json::Error> {
        let value = serde_json::to_value(self)?;
        let mut out = b"{\n".to_vec();
        let members = value.as_object().into_iter().flatten();
        for (n, (name, member)) in members.enumerate() {
            if n > 0 {
                out.extend_from_slice(b",\n");
            }
            serde_json::to_writer(&mut out, name)?;
            out.push(b':');
            serde_json::to_writer(&mut out, member)?;
        }
        out.extend_from_slice(b"\n}\n");
        Ok(out)
    }
}

/// Says a filter and its range in words; part of the format.
///
/// ```
/// use annals_core::evidence::manifest::{Filter, Scope, reading};
/// let filter = Filter { stream: Some("order-1".into()), ..Filter::default() };
/// let words = reading(&filter, &Scope { first: 1, last: 9 }, "annals/x");
/// assert_eq!(words, "events of the stream \"order-1\" at positions 1 to 9 of annals/x");
/// ```
#[must_use]
pub fn reading(filter: &Filter, scope: &Scope, log: &str) -> String {
    let Filter {
        stream,
        category,
        event_type,
        actor,
        correlation,
        from,
        to,
    } = filter;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut conditions = Vec::new();
    for (words, text) in [
        ("of the stream", stream),
        ("of the category", category),
        ("of the type", event_type),
        ("by the actor", actor),
        ("with the correlation id", correlation),
    ] {
        conditions.extend(
            text.as_ref()
                .map(|text| format!("{words} {}", quoted(text))),
        );
    }
    conditions.extend(from.map(|time| format!("that happened at {time} or later")));
    conditions.extend(to.map(|time| format!("that happened at {time} or earlier")));
    let Scope { first, last } = scope;
    let what = match conditions.is_empty() {
        true => "all events".to_owned(),
        false => format!("events {}", conditions.join(" and ")),
    };
    format!("{what} at positions {first} to {last} of {log}")
}
