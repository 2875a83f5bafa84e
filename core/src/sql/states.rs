//! The tables of states: `CATEGORY_at(at, known)` with the fields as columns, `state_at(category, at, known)`.
//!
//! A stream is there if the instant includes an event of it.

use std::sync::Arc;

use annals_tables::{Asked, Column, Comparison, Plan, Row, Rows, Table, Term, Value};

use super::events::integer;
use super::moment;
use super::scene::Scene;
use super::schema::{Field, Kind, arguments, instant};
use super::streams::Listed;
use crate::id::{Category, StreamId};
use crate::model::{FieldPath, Step};
use crate::question::{FoundAt, StatesAt, states_at};
use crate::store::StreamRow;
use crate::temporal::{AsOf, Folded, folded};
use crate::time::Time;

/// Name of the table of any category.
pub(super) const NAME: &str = "state_at";
/// The columns that each table of states has; those of the fields come after the first [`BEFORE`].
pub(super) const COLUMNS: [(&str, Kind); 4] = [
    ("stream", Kind::Text),
    ("version", Kind::Integer),
    ("last_time", Kind::Instant),
    ("state", Kind::Json),
];
/// Number of columns before those of the fields.
pub(super) const BEFORE: usize = 3;

/// Most fields that a statement has put into the interval index; of more, folding tells all at once.
const MAX_INDEXED: usize = 4;

/// A table of states.
pub(super) struct States {
    pub(super) scene: Arc<Scene>,
    pub(super) table: String,
    /// Whose states these are; else that is an argument.
    pub(super) category: Option<Category>,
    pub(super) fields: Vec<Field>,
}

impl States {
    fn own_columns(&self) -> usize {
        COLUMNS.len() + self.fields.len()
    }

    /// Whether a column is a field that holds texts.
    fn is_text(&self, column: usize) -> bool {
        let field = column.checked_sub(BEFORE);
        let field = field.and_then(|at| self.fields.get(at));
        field.is_some_and(|field| field.kind == Kind::Text)
    }

    /// The rows from the interval index: where nothing is wanted but names and a few fields of states as all of the log
    /// makes them; `None` where they have to be folded.
    fn rows_of_index(
        &self,
        asked: &Asked,
        category: &Category,
        as_of: AsOf,
        given: &[Value],
    ) -> Result<Option<Rows>, String> {
        let scene = &self.scene;
        let Some(index) = &scene.index else {
            return Ok(None);
        };
        let models = &scene.models;
        let model = models.for_category(category.as_str());
        let names_a_stream = asked.given.iter().any(|(column, ..)| *column == 0);
        // `version`, `last_time` and `state` are the fold's to tell.
        let wants_more = asked.uses(1) || asked.uses(2) || asked.uses(self.own_columns() - 1);
        let used: Vec<usize> = (0..self.fields.len())
            .filter(|at| asked.uses(BEFORE + at))
            .collect();
        if names_a_stream
            || wants_more
            || used.len() > MAX_INDEXED
            || self.own_columns() > 60
            || as_of.known != Some(scene.known)
            || model.has_time()
            || models.broken_for(category.as_str()).next().is_some()
        {
            return Ok(None);
        }
        let path = |at: &usize| FieldPath(vec![Step::Key(self.fields[*at].field.clone())]);
        let fields: Vec<FieldPath> = used.iter().map(path).collect();
        let equal = asked.given.iter().find_map(|(column, comparison, value)| {
            let is_own = (BEFORE..BEFORE + self.fields.len()).contains(column);
            match (value, comparison) {
                (Value::Text(text), Comparison::Equal) if is_own && fields.len() == 1 => {
                    Some(text.as_str())
                }
                _ => None,
            }
        });
        let wanted = StatesAt {
            log: &scene.log,
            models,
            category,
            fields: &fields,
            equal,
            named: asked.uses(0),
            at: as_of.at.unwrap_or(Time::MAX),
            head: scene.known,
        };
        let found = states_at(index, &wanted, &mut |_| scene.go_on().is_ok())
            .map_err(|error| scene.fail(error.into()))?;
        let Some(found) = found else { return Ok(None) };
        scene.indexed(&self.table);
        let columns = self.own_columns();
        let given = given.to_vec();
        let row = move |n: usize, stream: String, values: &[Option<serde_json::Value>]| {
            let mut cells = vec![Value::Null; columns];
            cells[0] = Value::Text(stream);
            for (at, value) in used.iter().zip(values) {
                if let (Some(value), Some(place)) = (value, cells.get_mut(BEFORE + at)) {
                    *place = cell(value);
                }
            }
            cells.extend(given.iter().cloned());
            Ok(Row {
                id: i64::try_from(n).unwrap_or(i64::MAX),
                cells,
            })
        };
        Ok(Some(match found {
            FoundAt::Count(count) => {
                let value = [equal.map(serde_json::Value::from)];
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                Box::new((1..=count).map(move |n| row(n, String::new(), &value)))
            }
            FoundAt::Streams(streams) => {
                let streams = streams.into_iter().enumerate();
                Box::new(streams.map(move |(n, (stream, values))| row(n + 1, stream, &values)))
            }
        }))
    }
}

impl Table for States {
    fn columns(&self) -> Vec<Column> {
        let (first, last) = COLUMNS.split_at(BEFORE);
        let plain = |(name, kind): &(&str, Kind)| Column::new(*name, kind.declared());
        let fields = self.fields.iter();
        let fields = fields.map(|field| Column::new(field.column.as_str(), field.kind.declared()));
        let names: &[&str] = match self.category {
            Some(_) => &["at", "known"],
            None => &["category", "at", "known"],
        };
        let own = first
            .iter()
            .map(plain)
            .chain(fields)
            .chain(last.iter().map(plain));
        own.chain(arguments(names)).collect()
    }

    fn plan(&self, terms: &[Term]) -> Plan {
        Plan::taking(terms.iter().map(|term| {
            term.comparison == Comparison::Equal
                && (term.column >= self.own_columns()
                    || term.collation == "BINARY"
                        && (term.column == 0 || self.is_text(term.column)))
        }))
    }

    fn rows(&self, asked: Asked) -> Result<Rows, String> {
        let own = self.own_columns();
        let at = own + usize::from(self.category.is_none());
        let category = match &self.category {
            Some(category) => category.clone(),
            None => {
                let what = "a category, and may take an instant: state_at('order', '2024-01-31')";
                let name = moment::text(&asked, own, NAME, what)?;
                Category::new(name).map_err(|error| format!("{NAME}: {error}"))?
            }
        };
        let as_of = moment::as_of(&self.scene, &self.table, &asked, (Some(at), at + 1))?;
        let given: Vec<Value> = (own..at + 2)
            .map(|column| asked.argument(column).cloned().unwrap_or(Value::Null))
            .collect();
        if let Some(rows) = self.rows_of_index(&asked, &category, as_of, &given)? {
            return Ok(rows);
        }
        Ok(Box::new(Walk {
            listed: Listed::new(&self.scene, &asked, Some(&category), None),
            scene: Arc::clone(&self.scene),
            own_time: self.scene.models.for_category(category.as_str()).has_time(),
            category,
            as_of,
            fields: self.fields.clone(),
            asked,
            given,
            n: 0,
        }))
    }
}

/// The states of a category's streams, one after another.
struct Walk {
    listed: Listed,
    scene: Arc<Scene>,
    category: Category,
    /// The model orders events by a time of its own.
    own_time: bool,
    as_of: AsOf,
    fields: Vec<Field>,
    asked: Asked,
    /// The arguments as they were given.
    given: Vec<Value>,
    n: i64,
}

impl Walk {
    /// The row of a stream; `None` if the instant includes no event of it.
    fn row(&mut self, row: &StreamRow) -> Result<Option<Row>, String> {
        self.scene.go_on()?;
        if !self.own_time && self.as_of.at.is_some_and(|at| row.first_time > at) {
            return Ok(None);
        }
        let Ok(stream) = StreamId::new(row.stream.as_str()) else {
            return Ok(None);
        };
        let (log, models) = (&self.scene.log, &self.scene.models);
        let category = self.category.as_str();
        let folded = folded(log, models, &stream, category, self.as_of)
            .map_err(|error| self.scene.fail(error.into()))?;
        let Folded {
            version,
            last_event,
            state,
            incomplete: _,
            findings,
        } = folded;
        let Some(last_event) = last_event else {
            return Ok(None);
        };
        self.scene.found(findings);
        self.n += 1;
        let mut cells = vec![
            Value::Text(row.stream.clone()),
            Value::Integer(integer(version.0)),
            instant(last_event.time),
        ];
        for (at, field) in self.fields.iter().enumerate() {
            cells.push(match state.get(&field.field) {
                Some(value) if self.asked.uses(BEFORE + at) => cell(value),
                _ => Value::Null,
            });
        }
        cells.push(match self.asked.uses(cells.len()) {
            true => Value::Text(state.to_string()),
            false => Value::Null,
        });
        cells.extend(self.given.iter().cloned());
        Ok(Some(Row { id: self.n, cells }))
    }
}

impl Iterator for Walk {
    type Item = Result<Row, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let row = match self.listed.next()? {
                Ok(row) => row,
                Err(error) => return Some(Err(error)),
            };
            match self.row(&row) {
                Ok(None) => {}
                Ok(Some(row)) => return Some(Ok(row)),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// A value of a state as a cell: numbers keep their text.
pub(super) fn cell(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(is) => Value::Integer(i64::from(*is)),
        serde_json::Value::Number(number) => Value::Text(number.to_string()),
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
            Value::Text(value.to_string())
        }
    }
}
