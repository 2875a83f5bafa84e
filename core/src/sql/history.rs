//! The table `history(category, path, known)`: every value that a place of a stream's state had, and how long.

use std::collections::VecDeque;
use std::sync::Arc;

use annals_tables::{Asked, Column, Comparison, Plan, Row, Rows, Table, Term, Value};

use super::events::integer;
use super::moment;
use super::scene::Scene;
use super::schema::{Kind, arguments, instant};
use super::states::cell;
use super::streams::Listed;
use crate::id::{Category, StreamId};
use crate::model::{FieldPath, json};
use crate::store::ReadError;
use crate::temporal::{AsOf, Moment, TemporalError, ValueSpan, history};

/// Name of the table.
pub(super) const NAME: &str = "history";
/// Its columns.
pub(super) const COLUMNS: [(&str, Kind); 11] = [
    ("stream", Kind::Text),
    ("value", Kind::Decimal),
    ("present", Kind::Boolean),
    ("since", Kind::Instant),
    ("until", Kind::Instant),
    ("position", Kind::Integer),
    ("version", Kind::Integer),
    ("until_version", Kind::Integer),
    ("type", Kind::Text),
    ("actor", Kind::Text),
    ("reason", Kind::Text),
];

/// The table.
pub(super) struct Histories(pub(super) Arc<Scene>);

impl Table for Histories {
    fn columns(&self) -> Vec<Column> {
        let columns = COLUMNS.iter();
        let columns = columns.map(|(name, kind)| Column::new(*name, kind.declared()));
        columns
            .chain(arguments(&["category", "path", "known"]))
            .collect()
    }

    fn plan(&self, terms: &[Term]) -> Plan {
        Plan::taking(terms.iter().map(|term| {
            term.comparison == Comparison::Equal
                && (term.column >= COLUMNS.len() || term.column == 0 && term.collation == "BINARY")
        }))
    }

    fn rows(&self, asked: Asked) -> Result<Rows, String> {
        let own = COLUMNS.len();
        let what = "a category and a path: history('order', 'status')";
        let category = moment::text(&asked, own, NAME, what)?;
        let category = Category::new(category).map_err(|error| format!("{NAME}: {error}"))?;
        let path = moment::text(&asked, own + 1, NAME, what)?;
        let path: FieldPath = path.parse().map_err(|error| format!("{NAME}: {error}"))?;
        let as_of = moment::as_of(&self.0, NAME, &asked, (None, own + 2))?;
        let given = (own..own + 3)
            .map(|column| asked.argument(column).cloned().unwrap_or(Value::Null))
            .collect();
        Ok(Box::new(Walk {
            listed: Listed::new(&self.0, &asked, Some(&category), None),
            scene: Arc::clone(&self.0),
            path,
            as_of,
            spans: VecDeque::new(),
            stream: String::new(),
            given,
            n: 0,
        }))
    }
}

/// The histories of a category's streams, one after another.
struct Walk {
    listed: Listed,
    scene: Arc<Scene>,
    path: FieldPath,
    as_of: AsOf,
    spans: VecDeque<ValueSpan>,
    stream: String,
    given: Vec<Value>,
    n: i64,
}

impl Walk {
    /// Reads the history of a stream; it has none if its state never had the path.
    fn read(&mut self, stream: String) -> Result<(), String> {
        self.scene.go_on()?;
        let Ok(id) = StreamId::new(stream.as_str()) else {
            return Ok(());
        };
        let scene = &self.scene;
        let told = history(
            &scene.log,
            &scene.models,
            &id,
            &self.path,
            &Moment::AsOf(self.as_of),
            usize::MAX,
            &mut |_| scene.stopped().is_none(),
        );
        match told {
            Ok(told) => {
                scene.found(told.findings);
                self.spans = told.values.into();
                self.stream = stream;
                Ok(())
            }
            Err(TemporalError::NoPath { .. }) => Ok(()),
            Err(TemporalError::Read(ReadError::Cancelled)) => {
                scene.go_on()?;
                Err(scene.fail(ReadError::Cancelled.into()))
            }
            Err(error) => Err(scene.fail(error.into())),
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Row, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.spans.is_empty() {
            let read = match self.listed.next()? {
                Ok(row) => self.read(row.stream),
                Err(error) => Err(error),
            };
            if let Err(error) = read {
                return Some(Err(error));
            }
        }
        let ValueSpan {
            value,
            present,
            from,
            to,
            position,
            version,
            to_version,
            event_type,
            actor,
            reason,
            confirmed: _,
            last_confirmed: _,
        } = self.spans.pop_front()?;
        let value = value.and_then(|value| json::parse_state(value.get()));
        let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
        self.n += 1;
        let mut cells = vec![
            Value::Text(self.stream.clone()),
            value.as_ref().map_or(Value::Null, cell),
            Value::Integer(i64::from(present)),
            instant(from),
            to.map_or(Value::Null, instant),
            Value::Integer(integer(position.0)),
            Value::Integer(integer(version.0)),
            to_version.map_or(Value::Null, |v| Value::Integer(integer(v.0))),
            Value::Text(event_type),
            text(actor),
            text(reason),
        ];
        cells.extend(self.given.iter().cloned());
        Some(Ok(Row { id: self.n, cells }))
    }
}
