//! How the payloads of each type looked over time: which fields they had, of what kind, from when to when.
//!
//! The schema is weak: a field may come at any time, and one that is only sometimes there is optional. A field that
//! goes for good, takes another name or another kind is a finding.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Map, Value};
use ts_rs::TS;

use super::TemporalError;
use crate::event::Event;
use crate::finding::{Finding, FindingKind, Place, Severity};
use crate::id::Category;
use crate::model::{FieldPath, Step, json};
use crate::position::Position;
use crate::store::{EventQuery, Log, ReadError};

/// Events read at once.
const PAGE: usize = 1_000;
/// Most fields of one type that are told apart.
pub(super) const MAX_FIELDS: usize = 2_000;
/// Deepest objects that are looked into.
const MAX_DEPTH: usize = 6;

/// Shapes of the payloads of a category, by type.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ShapesView {
    /// Category; `null`: the whole log.
    pub category: Option<String>,
    /// Types, by name.
    pub types: Vec<TypeShape>,
    /// Number of events looked at.
    #[ts(type = "number")]
    pub looked_at: u64,
    /// Fields that went, were renamed or changed their kind.
    pub findings: Vec<Finding>,
}

/// How the payloads of a type looked.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct TypeShape {
    /// Type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// Events of each schema version that they name, in the order of the first.
    pub versions: Vec<SchemaRow>,
    /// Number of events.
    #[ts(type = "number")]
    pub events: u64,
    /// Number of events whose payload is not JSON or was erased.
    #[ts(type = "number")]
    pub unreadable: u64,
    /// Fields, in the order in which they came.
    pub fields: Vec<FieldShape>,
    /// Number of fields past the first 2,000, which are not told apart.
    #[ts(type = "number")]
    pub more_fields: u64,
}

/// Events of one schema version.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SchemaRow {
    /// Schema version; `null`: the events name none.
    pub schema_version: Option<String>,
    /// How many and from where to where.
    pub seen: Seen,
}

/// A field of a payload over time.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct FieldShape {
    /// Path in the payload; `items[]` is any element of `items`.
    pub path: String,
    /// Number of events that have it.
    pub seen: Seen,
    /// Kinds of its values: `number`, `text`, `bool`, `list`, `object`, `null`.
    pub kinds: Vec<KindShape>,
}

/// A kind of value.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct KindShape {
    /// Its name.
    pub kind: String,
    /// Events with it.
    pub seen: Seen,
}

/// How many events, and the first and the last of them.
#[derive(Debug, Clone, Copy, Serialize, TS)]
#[ts(export)]
pub struct Seen {
    /// Number of events.
    #[ts(type = "number")]
    pub count: u64,
    /// Position of the first.
    pub first: Position,
    /// Position of the last.
    pub last: Position,
}

impl Seen {
    fn at(position: Position) -> Seen {
        Seen {
            count: 1,
            first: position,
            last: position,
        }
    }

    fn add(&mut self, position: Position) {
        if self.last != position {
            self.count += 1;
            self.last = position;
        }
    }
}

/// How the payloads of a category's types looked over time; of the whole log's where none is named. `go_on` is told
/// the number of events looked at and stops the work by saying no.
///
/// # Errors
/// [`TemporalError::Read`] if the log cannot be read, or the work was stopped.
pub fn shapes(
    log: &Log,
    category: Option<&Category>,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<ShapesView, TemporalError> {
    shapes_and(log, category, go_on, &mut |_, _| {})
}

/// As [`shapes`]; `each` sees the type and the fields of every payload that is an object.
pub(super) fn shapes_and(
    log: &Log,
    category: Option<&Category>,
    go_on: &mut dyn FnMut(u64) -> bool,
    each: &mut dyn FnMut(&str, Map<String, Value>),
) -> Result<ShapesView, TemporalError> {
    let mut types: BTreeMap<String, Gathered> = BTreeMap::new();
    let mut looked_at = 0;
    let query = EventQuery {
        category: category.cloned(),
        ..EventQuery::default()
    };
    let mut goes_on = true;
    log.for_each_page(&query, PAGE, &mut |page| {
        for event in &page {
            looked_at += 1;
            let name = event.event_type.to_string();
            if let Some(fields) = types.entry(name).or_default().take(event) {
                each(event.event_type.as_str(), fields);
            }
        }
        goes_on = go_on(looked_at);
        goes_on
    })?;
    if !goes_on {
        return Err(ReadError::Cancelled.into());
    }
    let mut findings = Vec::new();
    let types = types
        .into_iter()
        .map(|(name, gathered)| gathered.finish(name, &mut findings))
        .collect();
    Ok(ShapesView {
        category: category.map(ToString::to_string),
        types,
        looked_at,
        findings,
    })
}

/// The shape of one type on its way.
#[derive(Default)]
struct Gathered {
    events: u64,
    readable: u64,
    versions: Vec<SchemaRow>,
    by_version: HashMap<Option<String>, usize>,
    fields: Vec<Field>,
    by_path: BTreeMap<String, usize>,
    more_fields: u64,
}

struct Field {
    shape: FieldShape,
    /// Number of readable events of the type before the first with it, and up to the last.
    first_turn: u64,
    last_turn: u64,
}

impl Gathered {
    /// Takes an event; gives the fields of its payload.
    fn take(&mut self, event: &Event) -> Option<Map<String, Value>> {
        self.events += 1;
        let at = event.position;
        let version = &event.schema_version;
        match self.by_version.get(version) {
            Some(row) => self.versions[*row].seen.add(at),
            None => {
                self.by_version.insert(version.clone(), self.versions.len());
                self.versions.push(SchemaRow {
                    schema_version: version.clone(),
                    seen: Seen::at(at),
                });
            }
        }
        let text = event.data.as_ref().and_then(|data| data.json_text());
        let parsed = text.and_then(|text| json::parse(text).ok())?;
        self.readable += 1;
        let Value::Object(fields) = parsed.value else {
            return None;
        };
        for (key, value) in &fields {
            let path = FieldPath(vec![Step::Key(key.clone())]).to_string();
            self.field(path, value, at, 1);
        }
        Some(fields)
    }

    fn field(&mut self, path: String, value: &Value, at: Position, depth: usize) {
        let turn = self.readable;
        let index = match self.by_path.get(&path) {
            Some(index) => *index,
            None if self.fields.len() >= MAX_FIELDS => {
                self.more_fields += 1;
                return;
            }
            None => {
                self.by_path.insert(path.clone(), self.fields.len());
                self.fields.push(Field {
                    shape: FieldShape {
                        path: path.clone(),
                        seen: Seen {
                            count: 0,
                            first: at,
                            last: Position::ZERO,
                        },
                        kinds: Vec::new(),
                    },
                    first_turn: turn,
                    last_turn: turn,
                });
                self.fields.len() - 1
            }
        };
        let field = &mut self.fields[index];
        field.last_turn = turn;
        field.shape.seen.add(at);
        let kind = kind(value);
        let kinds = &mut field.shape.kinds;
        match kinds.iter_mut().find(|known| known.kind == kind) {
            Some(known) => known.seen.add(at),
            None => kinds.push(KindShape {
                kind: kind.to_owned(),
                seen: Seen::at(at),
            }),
        }
        if depth >= MAX_DEPTH {
            return;
        }
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let inner = FieldPath(vec![Step::Key(key.clone())]).to_string();
                    let dot = if inner.starts_with('[') { "" } else { "." };
                    self.field(format!("{path}{dot}{inner}"), value, at, depth + 1);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.field(format!("{path}[]"), item, at, depth + 1);
                }
            }
            _ => {}
        }
    }

    fn finish(self, event_type: String, findings: &mut Vec<Finding>) -> TypeShape {
        self.judge(&event_type, findings);
        TypeShape {
            event_type,
            versions: self.versions,
            events: self.events,
            unreadable: self.events - self.readable,
            fields: self.fields.into_iter().map(|field| field.shape).collect(),
            more_fields: self.more_fields,
        }
    }

    /// Finds what went, was renamed or changed its kind. What is inside lists and inside fields that went
    /// themselves is left aside.
    fn judge(&self, event_type: &str, findings: &mut Vec<Finding>) {
        let outer = |path: &str| {
            path.rsplit_once(['.', '['])
                .map(|(outer, _)| outer.to_owned())
        };
        let always =
            |field: &Field| field.shape.seen.count == field.last_turn - field.first_turn + 1;
        // One event alone makes no rule, unless it is the first of all.
        let ruled = |field: &Field| field.first_turn == 1 || field.shape.seen.count > 1;
        let gone = |field: &Field| always(field) && ruled(field) && field.last_turn < self.readable;
        let mut found = |kind, field: &Field, position, count, detail: String| {
            findings.push(Finding {
                kind,
                severity: Severity::Warning,
                count,
                place: Place {
                    position: Some(position),
                    path: Some(format!("data.{}", field.shape.path)),
                    ..Place::default()
                },
                detail: format!("{event_type}: {detail}"),
            });
        };
        let mut taken: Vec<&str> = Vec::new();
        for field in &self.fields {
            let FieldShape { path, seen, kinds } = &field.shape;
            let told: Vec<&KindShape> = kinds.iter().filter(|kind| kind.kind != "null").collect();
            if told.len() > 1 {
                let ranges: Vec<String> = told
                    .iter()
                    .map(|kind| {
                        let Seen { count, first, last } = kind.seen;
                        format!(
                            "{} in {count} events, positions {first} to {last}",
                            kind.kind
                        )
                    })
                    .collect();
                let second = told[1].seen;
                let detail = format!("{path} is of several kinds: {}", ranges.join("; "));
                found(
                    FindingKind::Retyped,
                    field,
                    second.first,
                    second.count,
                    detail,
                );
            }
            let inside_gone = outer(path)
                .and_then(|outer| self.by_path.get(&outer))
                .is_some_and(|outer| gone(&self.fields[*outer]));
            if path.contains("[]") || inside_gone || !gone(field) {
                continue;
            }
            let kind = told.first().map(|kind| &kind.kind);
            let renamed = self.fields.iter().find(|other| {
                let own = other.shape.kinds.iter().find(|kind| kind.kind != "null");
                other.first_turn == field.last_turn + 1
                    && own.map(|kind| &kind.kind) == kind
                    && outer(&other.shape.path) == outer(path)
                    && !taken.contains(&other.shape.path.as_str())
            });
            let Seen { first, last, .. } = seen;
            let after = self.readable - field.last_turn;
            match renamed {
                Some(other) => {
                    let now = &other.shape;
                    taken.push(&now.path);
                    let detail = format!(
                        "{path} (positions {first} to {last}) seems to be {} from position {} on",
                        now.path, now.seen.first
                    );
                    found(FindingKind::Renamed, field, now.seen.first, after, detail);
                }
                None => {
                    let detail = format!(
                        "{path} is in every event from position {first} to {last} and in none of the {after} after it"
                    );
                    found(FindingKind::Removed, field, *last, after, detail);
                }
            }
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}
