//! Report templates: what a rule wants to see, as data.
//!
//! [`file`] reads the TOML with its line and column for every fault, [`columns`] names what a cell can hold,
//! [`layout`] reads a layout of the user's own. Twelve
//! templates come with Annals; files in the store's folder (`X.annals.d/reports/`) add to them or stand in for them.

pub(super) mod columns;
mod file;
mod layout;
mod raw;
mod set;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{FieldPath, Step};

pub(super) use columns::Col;
pub use file::TemplateError;
pub(super) use file::plain;
pub use layout::{LayoutFile, read_layout};
pub use set::{CheckedTemplateView, TemplateRow, TemplateSet, TemplatesView, check};

use super::report::{Layout, TemplateRef};

/// A report template, checked.
#[derive(Debug)]
pub struct Template {
    pub(super) reference: TemplateRef,
    pub(super) title: String,
    pub(super) regime: String,
    pub(super) about: String,
    pub(super) retention: String,
    pub(super) layout: Layout,
    /// The layout of the user's own; empty where there is none.
    pub(super) own_layout: Vec<LayoutFile>,
    pub(super) subject: SubjectRule,
    pub(super) subject_fields: Vec<Field>,
    pub(super) needs: Vec<Need>,
    pub(super) not_checked: Vec<String>,
    pub(super) settings: BTreeMap<String, Setting>,
    pub(super) fields: Vec<NamedField>,
    pub(super) totals: Vec<Field>,
    pub(super) dropped: Dropped,
    pub(super) tiers: Vec<Tier>,
    pub(super) keys: Vec<KeyClass>,
    pub(super) checks: Vec<Check>,
    pub(super) sections: Vec<SectionRule>,
}

/// Whether a report is about a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SubjectRule {
    None,
    Optional,
    Required,
}

/// A part of the scope that must be stated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Actor,
    Stream,
    Period,
    At,
}

/// A choice that the user may make.
#[derive(Debug)]
pub(super) struct Setting {
    pub(super) title: String,
    pub(super) default: String,
    /// The values that it takes; empty: a whole number.
    pub(super) choices: Vec<String>,
}

/// A field of an event: `data.patientId`.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// As the template writes it.
    pub(super) text: String,
    pub(super) root: FieldRoot,
    pub(super) path: FieldPath,
}

/// Where a field's path starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FieldRoot {
    Data,
    Metadata,
}

/// A field that events call by several names: the first that an event holds counts.
#[derive(Debug)]
pub(super) struct NamedField {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) from: Vec<Field>,
    pub(super) kind: super::report::CellKind,
}

/// A class of clocks or traders, and how finely its times must be written.
#[derive(Debug)]
pub(super) struct Tier {
    pub(super) name: String,
    /// Digits of the second.
    pub(super) digits: u32,
    pub(super) text: String,
}

/// Keys that are left out of every payload, state and change.
#[derive(Debug, Default)]
pub(super) struct Dropped {
    /// As the template writes them.
    pub(super) written: Vec<String>,
    /// Small letters and digits only.
    keys: Vec<String>,
}

impl Dropped {
    /// Whether nothing is left out.
    pub(super) fn is_none(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether a key is left out.
    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains(&plain(key))
    }

    /// Whether a place lies below a key that is left out.
    pub(super) fn has_path(&self, path: &str) -> bool {
        let path = path.parse::<FieldPath>().unwrap_or_default();
        let steps = path.0.iter();
        !self.is_none()
            && steps
                .into_iter()
                .any(|step| matches!(step, Step::Key(key) if self.has(key)))
    }

    /// A value as JSON text without these keys.
    pub(super) fn kept(&self, text: String) -> String {
        if self.is_none() {
            return text;
        }
        let Some(mut value) = crate::model::json::parse_state(&text) else {
            return text;
        };
        self.take_from(&mut value);
        value.to_string()
    }

    /// Takes the keys from a value; says how many there were.
    pub(super) fn take_from(&self, value: &mut Value) -> u64 {
        match value {
            Value::Object(fields) => {
                let before = fields.len();
                fields.retain(|key, _| !self.has(key));
                let gone = (before - fields.len()) as u64;
                let inside: u64 = fields.values_mut().map(|value| self.take_from(value)).sum();
                gone + inside
            }
            Value::Array(items) => items.iter_mut().map(|value| self.take_from(value)).sum(),
            _ => 0,
        }
    }
}

/// Names of keys that tell of personal data of one class.
#[derive(Debug)]
pub(super) struct KeyClass {
    pub(super) class: String,
    /// Lower case letters and digits only.
    pub(super) keys: Vec<String>,
}

/// Names of event types, `*` for any text. Empty: every type.
#[derive(Debug, Clone, Default)]
pub(super) struct Types(pub(super) Vec<String>);

impl Types {
    /// Whether a type is one of them. ASCII letters match in either case.
    pub(super) fn has(&self, event_type: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| matches(pattern, event_type))
    }
}

/// Whether a text is what a pattern says, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let starts = |text: &str, part: &str| {
        text.get(..part.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(part))
    };
    if !starts(text, first) {
        return false;
    }
    let mut rest = &text[first.len()..];
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            let at = rest.len().checked_sub(part.len());
            return at
                .and_then(|at| rest.get(at..))
                .is_some_and(|end| end.eq_ignore_ascii_case(part));
        }
        let found = (0..=rest.len()).find(|at| rest.get(*at..).is_some_and(|r| starts(r, part)));
        match found {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

/// A check of a template.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) types: Types,
    pub(super) rule: Rule,
}

/// What is checked.
#[derive(Debug)]
pub(super) enum Rule {
    /// Each event holds every one of these.
    Recorded { columns: Vec<Col> },
    /// Nobody approves what they prepared.
    Segregation {
        prepare: Types,
        approve: Types,
        approver: Option<Col>,
    },
    /// Every change is approved.
    Approved {
        approve: Types,
        approver: Option<Col>,
    },
    /// Within a stream, time does not run backwards.
    Order,
    /// Within a stream, the numbers in this column rise by one.
    Sequence { column: Col },
    /// Times are written as finely as the tier asks for.
    Granularity { setting: String },
    /// Times are written with their offset from UTC.
    Offset,
    /// Streams begin with one of these and end with one of those, or with the fill that leaves nothing open.
    Lifecycle {
        starts: Types,
        ends: Types,
        fills: Option<Fills>,
    },
    /// Nothing of the events was erased.
    Erased,
}

/// Events that may come several times until an order is filled up.
#[derive(Debug)]
pub(super) struct Fills {
    pub(super) types: Types,
    /// What is left to be filled after the event.
    pub(super) remaining: Option<Col>,
    /// What the event filled.
    pub(super) filled: Option<Col>,
    /// What was ordered, in any event that is no fill.
    pub(super) ordered: Option<Col>,
}

/// A section of a template.
#[derive(Debug)]
pub(super) struct SectionRule {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) text: Vec<String>,
    pub(super) charts: Vec<ChartRule>,
    pub(super) checks: bool,
    pub(super) table: Option<TableRule>,
    pub(super) answer: Option<AnswerRule>,
    pub(super) exceptions: Option<String>,
}

/// What is asked for a section, by the name that it is kept under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AnswerRule {
    /// A question.
    Question(String),
    /// A query.
    Query(String),
}

/// A chart of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChartRule {
    OverTime,
    ByActor,
    ByType,
}

/// A table of a section.
#[derive(Debug)]
pub(super) struct TableRule {
    pub(super) source: TableSource,
    pub(super) types: Types,
    pub(super) columns: Vec<Col>,
    pub(super) empty: String,
}

/// What the rows of a table are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TableSource {
    /// One row an event.
    Events,
    /// One row for each path that an event changed.
    Changes,
    /// One row an event, with the state after it.
    Versions,
    /// One row for each value of each stream's state at the as-of.
    State,
    /// One row for each path that any event changed in a stream whose values are told.
    Lineage,
    /// One row for all events that agree in these columns.
    Groups { by: Vec<Col> },
    /// Some events, picked by a seed that anybody can pick them by again.
    Sample { size: String, seed: String },
    /// One row for each type and column: how many events hold it.
    Coverage { of: Vec<Col> },
    /// One row for each type and number of digits that its times are written with.
    Digits,
    /// One row for each type and key that tells of personal data.
    Keys,
}

impl TableSource {
    /// Whether its rows are of values that every event of a stream counts in, those outside the scope too.
    pub(super) fn is_of_values(&self) -> bool {
        matches!(self, TableSource::State | TableSource::Lineage)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text_and_letters_for_either_case() {
        for (pattern, text, want) in [
            ("OrderPlaced", "orderplaced", true),
            ("OrderPlaced", "OrderPlacedX", false),
            ("*", "", true),
            ("*Approved", "ChangeApproved", true),
            ("*Approved", "ChangeApprovedBy", false),
            ("Order*", "OrderPlaced", true),
            ("*View*", "ChartViewed", true),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXcYb", false),
            ("a*bc", "abc", true),
            ("ab*bc", "abc", false),
            ("*é*", "Crée", true),
            ("*x", "é", false),
            ("", "", true),
        ] {
            assert_eq!(matches(pattern, text), want, "{pattern} {text}");
        }
        assert!(Types::default().has("Anything"), "no pattern is every type");
    }
}
