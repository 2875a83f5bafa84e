//! Which tables there are, and their columns: those of every log, and one a category, with the fields of its states.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use annals_tables::{Column, Value};

use super::view::{SqlFunction, SqlSchemaColumn, SqlSchemaView, SqlTable};
use super::{SqlError, events, exact, history, states, streams};
use crate::id::{Category, StreamId};
use crate::model::ModelSet;
use crate::store::{CategoryRow, Direction, EventQuery, Log, StreamQuery};
use crate::temporal::{AsOf, folded};
use crate::time::Time;

/// Streams by name, and streams of the latest events, whose states are looked at for the columns of a category.
const SAMPLED: usize = 100;
/// Events of those streams that are folded for it, roughly.
const SAMPLED_EVENTS: u64 = 20_000;
/// Most fields that become columns.
const FIELDS: usize = 500;
/// Categories that are shown with their columns.
const CATEGORIES: usize = 50;

/// Names of the tables of every log.
pub(super) const RESERVED: [&str; 4] = [events::NAME, streams::NAME, states::NAME, history::NAME];

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Decimal,
    Text,
    Boolean,
    Instant,
    Json,
}

impl Kind {
    pub(super) const ALL: [Kind; 6] = [
        Kind::Integer,
        Kind::Decimal,
        Kind::Text,
        Kind::Boolean,
        Kind::Instant,
        Kind::Json,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Integer => "integer",
            Kind::Decimal => "decimal",
            Kind::Text => "text",
            Kind::Boolean => "boolean",
            Kind::Instant => "instant",
            Kind::Json => "json",
        }
    }

    /// Type and collation. A decimal is a text, so that a number beside it is compared as one, by the collation.
    pub(super) fn declared(self) -> &'static str {
        match self {
            Kind::Integer => "INTEGER",
            Kind::Decimal => "DECIMAL TEXT COLLATE DECIMAL",
            Kind::Text => "TEXT",
            Kind::Boolean => "BOOLEAN",
            Kind::Instant => "INSTANT TEXT COLLATE INSTANT",
            Kind::Json => "JSON TEXT",
        }
    }

    /// The kind whose columns are declared with this type.
    pub(super) fn of_declared(declared: &str) -> Option<Kind> {
        let known = |kind: &Kind| kind.declared().split(" COLLATE").next() == Some(declared);
        Kind::ALL.into_iter().find(known)
    }
}

/// An instant as a cell.
pub(super) fn instant(time: Time) -> Value {
    Value::Text(time.to_string())
}

/// Arguments of a table, in order. Fields of states are called otherwise, so they begin with `as_of_`.
pub(super) fn arguments(names: &[&str]) -> Vec<Column> {
    let names = names.iter();
    names
        .map(|name| Column::argument(format!("as_of_{name}")))
        .collect()
}

/// A field of a category's states, and the column that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) column: String,
    pub(super) field: String,
    pub(super) kind: Kind,
}

/// A category and its table.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub(super) table: String,
    pub(super) category: Category,
    pub(super) streams: u64,
}

/// The tables of a log's categories, by how many events they have. One that has the name of a table of every log gets a
/// number. Two names may differ in case only, which SQL does not tell apart: a statement is about the one that it
/// spells.
pub(super) fn named(categories: &[CategoryRow]) -> Vec<Named> {
    let mut named = Vec::with_capacity(categories.len());
    for row in categories {
        // SQL has no way to write a NUL.
        let Ok(category) = Category::new(row.name.as_str()) else {
            continue;
        };
        if row.name.contains('\0') {
            continue;
        }
        let mut taken: Vec<String> = RESERVED.map(str::to_owned).into();
        named.push(Named {
            table: free(&format!("{}_at", row.name), &mut taken),
            category,
            streams: row.streams,
        });
    }
    named
}

/// The tables that a statement names. Where SQL would take two for one, the one that is spelled.
pub(super) fn meant<'n>(
    named: &'n [Named],
    said: &BTreeSet<&str>,
) -> Result<Vec<&'n Named>, SqlError> {
    let lower: BTreeSet<String> = said.iter().map(|word| word.to_ascii_lowercase()).collect();
    let mut groups: BTreeMap<String, Vec<&Named>> = BTreeMap::new();
    for named in named {
        let name = named.table.to_ascii_lowercase();
        if lower.contains(&name) {
            groups.entry(name).or_default().push(named);
        }
    }
    let mut meant = Vec::with_capacity(groups.len());
    for group in groups.into_values() {
        let spelled: Vec<&Named> = match &group[..] {
            [only] => vec![only],
            _ => group
                .iter()
                .copied()
                .filter(|named| said.contains(named.table.as_str()))
                .collect(),
        };
        match &spelled[..] {
            [only] => meant.push(*only),
            _ => {
                let names: Vec<&str> = group.iter().map(|named| named.table.as_str()).collect();
                return Err(SqlError::Failed {
                    message: format!(
                        "SQL takes {} for one name: spell one of them as it is, and ask for the others by state_at('{}', …)",
                        names.join(" and "),
                        group[0].category
                    ),
                });
            }
        }
    }
    Ok(meant)
}

/// The name, with a number where it is taken; it is taken then.
fn free(name: &str, taken: &mut Vec<String>) -> String {
    let mut tried = name.to_owned();
    let mut n = 2;
    while taken.contains(&tried.to_ascii_lowercase()) {
        tried = format!("{name}_{n}");
        n += 1;
    }
    taken.push(tried.to_ascii_lowercase());
    tried
}

/// The fields of a category's states: those that its model writes, and those that states of it have. Says how many
/// states were looked at.
pub(super) fn fields(
    log: &Log,
    models: &ModelSet,
    category: &Category,
) -> Result<(Vec<Field>, u64), SqlError> {
    let model = models.for_category(category.as_str());
    let mut kinds: BTreeMap<String, Option<Kind>> = BTreeMap::new();
    let mut order: Vec<String> = model.fields().into_iter().map(str::to_owned).collect();
    let mut budget = SAMPLED_EVENTS;
    let mut sampled = 0;
    for (stream, events) in sample(log, category)? {
        if sampled > 0 && events > budget {
            continue;
        }
        budget = budget.saturating_sub(events);
        sampled += 1;
        let state = folded(log, models, &stream, category.as_str(), AsOf::default())?.state;
        for (name, value) in state.as_object().into_iter().flatten() {
            if !order.contains(name) {
                order.push(name.clone());
            }
            let kind = match value {
                serde_json::Value::Null => continue,
                serde_json::Value::Bool(_) => Kind::Boolean,
                serde_json::Value::Number(_) => Kind::Decimal,
                serde_json::Value::String(_) => Kind::Text,
                serde_json::Value::Array(_) | serde_json::Value::Object(_) => Kind::Json,
            };
            let known = kinds.entry(name.clone()).or_insert(Some(kind));
            *known = match *known {
                Some(known) if known == kind => Some(kind),
                // Numbers and texts in one column: compared as numbers where both are.
                Some(Kind::Decimal) => Some(Kind::Decimal),
                _ if kind == Kind::Decimal => Some(Kind::Decimal),
                _ => Some(Kind::Text),
            };
        }
    }
    let mut taken: Vec<String> = states::COLUMNS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .chain(["as_of_at", "as_of_known"].map(str::to_owned))
        .collect();
    let fields = order.into_iter().filter(|name| !name.contains('\0'));
    let fields = fields.take(FIELDS).map(|field| Field {
        column: free(if field.is_empty() { "_" } else { &field }, &mut taken),
        // Where no state has a value, what will come may be a number.
        kind: kinds
            .get(&field)
            .copied()
            .flatten()
            .unwrap_or(Kind::Decimal),
        field,
    });
    Ok((fields.collect(), sampled))
}

/// Streams of a category, the first by name and those of the latest events, with how many events they have.
fn sample(log: &Log, category: &Category) -> Result<Vec<(StreamId, u64)>, SqlError> {
    let query = StreamQuery {
        category: Some(category.clone()),
        ..StreamQuery::default()
    };
    let mut streams = Vec::new();
    for row in log.streams(&query, SAMPLED)?.streams {
        if let Ok(stream) = StreamId::new(row.stream) {
            streams.push((stream, row.events));
        }
    }
    if streams.len() < SAMPLED {
        return Ok(streams);
    }
    let latest = EventQuery {
        category: Some(category.clone()),
        direction: Direction::Backwards,
        ..EventQuery::default()
    };
    for event in log.events(&latest, SAMPLED)?.events {
        let known = |stream: &StreamId| streams.iter().any(|(known, _)| known == stream);
        if let Some(stream) = event.stream.filter(|stream| !known(stream))
            && let Some(row) = log.stream(&stream)?
        {
            streams.push((stream, row.events));
        }
    }
    Ok(streams)
}

/// What there is to ask of a log.
///
/// # Errors
/// [`SqlError::Read`] if the log cannot be read.
///
/// ```
/// # use annals_core::{model::ModelSet, store::Log, sql};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let schema = sql::schema(&log, &models.into())?;
/// assert!(schema.tables.iter().any(|table| table.name == "order_at"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn schema(log: &Log, models: &Arc<ModelSet>) -> Result<SqlSchemaView, SqlError> {
    let plain = |columns: &[(&str, Kind)]| -> Vec<SqlSchemaColumn> {
        let columns = columns.iter().map(|(name, kind)| SqlSchemaColumn {
            name: (*name).to_owned(),
            kind: kind.name().to_owned(),
            field: None,
        });
        columns.collect()
    };
    let table = |name: &str, holds: &str, arguments: &[&str], required: u64| SqlTable {
        name: name.to_owned(),
        holds: holds.to_owned(),
        arguments: arguments.iter().map(|a| (*a).to_owned()).collect(),
        required,
        columns: Vec::new(),
        category: None,
        model: None,
        sampled: None,
        streams: None,
    };
    let mut tables = vec![
        SqlTable {
            columns: plain(&events::COLUMNS),
            ..table(events::NAME, "an event", &[], 0)
        },
        SqlTable {
            columns: plain(&streams::COLUMNS),
            ..table(
                streams::NAME,
                "a stream; with an instant those that had begun, and how many events they had",
                &["at", "known"],
                0,
            )
        },
        SqlTable {
            columns: plain(&states::COLUMNS),
            ..table(
                states::NAME,
                "a stream's state as of then, as JSON",
                &["category", "at", "known"],
                1,
            )
        },
        SqlTable {
            columns: plain(&history::COLUMNS),
            ..table(
                history::NAME,
                "a value that the path of a stream's state had, from since to until",
                &["category", "path", "known"],
                2,
            )
        },
    ];
    let categories = named(&log.info()?.categories);
    for named in categories.iter().take(CATEGORIES) {
        let (fields, sampled) = fields(log, models, &named.category)?;
        let (first, last) = states::COLUMNS.split_at(states::BEFORE);
        let own = fields.into_iter().map(|field| SqlSchemaColumn {
            name: field.column,
            kind: field.kind.name().to_owned(),
            field: Some(field.field),
        });
        let columns = plain(first).into_iter().chain(own).chain(plain(last));
        let model = models.for_category(named.category.as_str()).reference();
        tables.push(SqlTable {
            columns: columns.collect(),
            category: Some(named.category.to_string()),
            model: Some(model.name),
            sampled: Some(sampled),
            streams: Some(named.streams),
            ..table(
                &named.table,
                "a stream's state as of then, its fields as columns",
                &["at", "known"],
                0,
            )
        });
    }
    let functions = exact::FUNCTIONS.iter().map(|(call, gives)| SqlFunction {
        call: (*call).to_owned(),
        gives: (*gives).to_owned(),
    });
    Ok(SqlSchemaView {
        tables,
        functions: functions.collect(),
        more_categories: categories.len().saturating_sub(CATEGORIES) as u64,
    })
}
