//! The table `streams`: one row a stream, by name; `streams(at, known)` those that had begun, as they were.

use std::collections::VecDeque;
use std::sync::Arc;

use annals_tables::{Asked, Column, Comparison, Plan, Row, Rows, Table, Term, Value};

use super::events::integer;
use super::moment;
use super::scene::Scene;
use super::schema::{Kind, arguments, instant};
use crate::id::{Category, StreamId};
use crate::store::{ReadError, StreamQuery, StreamRow};
use crate::temporal::AsOf;

/// Name of the table.
pub(super) const NAME: &str = "streams";
/// Its columns.
pub(super) const COLUMNS: [(&str, Kind); 5] = [
    ("stream", Kind::Text),
    ("category", Kind::Text),
    ("events", Kind::Integer),
    ("first_time", Kind::Instant),
    ("last_time", Kind::Instant),
];
const PAGE: usize = 500;

/// The table.
pub(super) struct Streams(pub(super) Arc<Scene>);

impl Table for Streams {
    fn columns(&self) -> Vec<Column> {
        let columns = COLUMNS.iter();
        let columns = columns.map(|(name, kind)| Column::new(*name, kind.declared()));
        columns.chain(arguments(&["at", "known"])).collect()
    }

    fn plan(&self, terms: &[Term]) -> Plan {
        let arguments = COLUMNS.len();
        Plan::taking(terms.iter().map(|term| {
            term.comparison == Comparison::Equal
                && (term.column >= arguments || term.column < 2 && term.collation == "BINARY")
        }))
    }

    fn rows(&self, asked: Asked) -> Result<Rows, String> {
        let scene = Arc::clone(&self.0);
        let arguments = COLUMNS.len();
        let as_of = moment::as_of(&scene, NAME, &asked, (Some(arguments), arguments + 1))?;
        let given: Vec<Value> = (arguments..arguments + 2)
            .map(|column| asked.argument(column).cloned().unwrap_or(Value::Null))
            .collect();
        let listed = Listed::new(&scene, &asked, None, Some(&as_of));
        Ok(Box::new(listed.enumerate().map(move |(n, row)| {
            let row = row?;
            let mut cells = vec![
                Value::Text(row.stream),
                Value::Text(row.category),
                Value::Integer(integer(row.events)),
                instant(row.first_time),
                instant(row.last_time),
            ];
            cells.extend(given.iter().cloned());
            Ok(Row {
                id: integer(n as u64 + 1),
                cells,
            })
        })))
    }
}

/// Rows of the list of streams, page by page.
pub(super) struct Listed {
    scene: Arc<Scene>,
    query: StreamQuery,
    /// Only this one.
    only: Option<StreamId>,
    page: VecDeque<StreamRow>,
    end: bool,
}

impl Listed {
    /// The streams that the query asks for in its first two columns, or those of a category; with how many events
    /// they had as of an instant, where that is wanted.
    pub(super) fn new(
        scene: &Arc<Scene>,
        asked: &Asked,
        category: Option<&Category>,
        counted: Option<&AsOf>,
    ) -> Listed {
        let mut listed = Listed {
            scene: Arc::clone(scene),
            query: StreamQuery {
                category: category.cloned(),
                at: counted.and_then(|as_of| as_of.at),
                known: counted.and_then(|as_of| as_of.known),
                ..StreamQuery::default()
            },
            only: None,
            page: VecDeque::new(),
            end: false,
        };
        for (column, _, value) in &asked.given {
            match (column, value) {
                (0, Value::Text(name)) => match StreamId::new(name.as_str()) {
                    Ok(stream) => listed.only = Some(stream),
                    Err(_) => listed.end = true,
                },
                (1, Value::Text(name)) if category.is_none() => {
                    match Category::new(name.as_str()) {
                        Ok(category) => listed.query.category = Some(category),
                        Err(_) => listed.end = true,
                    }
                }
                _ => {}
            }
        }
        let only = listed.only.as_ref().filter(|_| counted.is_some());
        listed.query.contains = only.map(ToString::to_string);
        listed
    }

    fn read(&mut self) -> Result<(), ReadError> {
        if let (Some(only), None) = (&self.only, &self.query.contains) {
            self.end = true;
            let row = self.scene.log.stream(only)?;
            let category = self.query.category.as_ref();
            let row = row.filter(|row| category.is_none_or(|c| c.as_str() == row.category));
            self.page.extend(row);
            return Ok(());
        }
        let page = self.scene.log.streams(&self.query, PAGE)?;
        self.end = page.next.is_none();
        self.query.after = page.next;
        self.page = page.streams.into();
        Ok(())
    }
}

impl Iterator for Listed {
    type Item = Result<StreamRow, String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            while let Some(row) = self.page.pop_front() {
                if self
                    .only
                    .as_ref()
                    .is_none_or(|only| only.as_str() == row.stream)
                {
                    return Some(Ok(row));
                }
            }
            if self.end {
                return None;
            }
            if let Err(stopped) = self.scene.go_on() {
                return Some(Err(stopped));
            }
            if let Err(error) = self.read() {
                return Some(Err(self.scene.fail(error.into())));
            }
        }
    }
}
