//! The table `events`: one row an event, in order of position.

use std::collections::VecDeque;
use std::sync::Arc;

use annals_tables::{Asked, Column, Comparison, Plan, Row, Rows, Table, Term, Value};

use super::exact::read_instant;
use super::scene::Scene;
use super::schema::{Kind, instant};
use crate::event::{Event, Payload};
use crate::id::{Actor, Category, EventType, StreamId};
use crate::position::Position;
use crate::store::{Direction, EventQuery};
use crate::time::Time;

/// Name of the table.
pub(super) const NAME: &str = "events";
/// Its columns.
pub(super) const COLUMNS: [(&str, Kind); 22] = [
    ("position", Kind::Integer),
    ("stream", Kind::Text),
    ("category", Kind::Text),
    ("version", Kind::Integer),
    ("type", Kind::Text),
    ("time", Kind::Instant),
    ("time_text", Kind::Text),
    ("date_only", Kind::Boolean),
    ("recorded_at", Kind::Instant),
    ("id", Kind::Text),
    ("actor", Kind::Text),
    ("correlation", Kind::Text),
    ("causation", Kind::Text),
    ("schema_version", Kind::Text),
    ("source", Kind::Text),
    ("source_id", Kind::Text),
    ("source_version", Kind::Text),
    ("source_position", Kind::Text),
    ("source_recorded_at", Kind::Instant),
    ("data", Kind::Json),
    ("metadata", Kind::Json),
    ("erased", Kind::Text),
];
const POSITION: usize = 0;
const TIME: usize = 5;
/// Events read at first, and at most, at once.
const PAGES: (usize, usize) = (64, 1_000);
/// Positions looked through at once where nothing but their number is asked.
const SPAN: u64 = 100_000;

/// The table.
pub(super) struct Events(pub(super) Arc<Scene>);

impl Table for Events {
    fn columns(&self) -> Vec<Column> {
        COLUMNS
            .iter()
            .map(|(name, kind)| Column::new(*name, kind.declared()))
            .collect()
    }

    fn plan(&self, terms: &[Term]) -> Plan {
        let mut plan = Plan::taking(terms.iter().map(|term| {
            match (COLUMNS.get(term.column), term.comparison) {
                (Some(("position", _)), _) => true,
                (Some(("time", _)), _) => term.collation == super::exact::INSTANT,
                (Some((name, _)), Comparison::Equal) => {
                    term.collation == "BINARY"
                        && ["stream", "category", "type", "actor", "correlation"].contains(name)
                }
                _ => false,
            }
        }));
        plan.ordered_by = Some(POSITION);
        plan
    }

    fn rows(&self, asked: Asked) -> Result<Rows, String> {
        let scene = Arc::clone(&self.0);
        let (mut low, mut high) = (1, scene.known.0);
        let mut query = EventQuery::default();
        let none = || -> Rows { Box::new(std::iter::empty()) };
        for (column, comparison, value) in &asked.given {
            match (*column, value) {
                (POSITION, Value::Integer(n)) => {
                    let n = u64::try_from(*n).unwrap_or(0);
                    match comparison {
                        Comparison::Equal => (low, high) = (low.max(n), high.min(n)),
                        Comparison::Less => high = high.min(n.saturating_sub(1)),
                        Comparison::AtMost => high = high.min(n),
                        Comparison::Greater => low = low.max(n.saturating_add(1)),
                        Comparison::AtLeast => low = low.max(n),
                    }
                }
                (TIME, Value::Text(text)) => {
                    // Compared with what is no instant, no event would be found, and nobody would know why.
                    let time = read_instant(text, scene.zone).ok_or_else(|| {
                        format!("{NAME}: time is compared with {text:?}, which is no instant; write '2024-01-31' or '2024-01-31T14:30:00Z'")
                    })?;
                    let later = |known: Option<Time>| Some(known.map_or(time, |k| k.max(time)));
                    let sooner = |known: Option<Time>| Some(known.map_or(time, |k| k.min(time)));
                    match comparison {
                        Comparison::Equal => {
                            (query.from, query.to) = (later(query.from), sooner(query.to));
                        }
                        Comparison::Less | Comparison::AtMost => query.to = sooner(query.to),
                        Comparison::Greater | Comparison::AtLeast => {
                            query.from = later(query.from);
                        }
                    }
                }
                (column, Value::Text(text)) => {
                    let text = text.as_str();
                    // A name that no stream can have is the name of none.
                    let named = match COLUMNS.get(column).map(|(name, _)| *name) {
                        Some("stream") => StreamId::new(text).map(|s| query.stream = Some(s)),
                        Some("category") => Category::new(text).map(|c| query.category = Some(c)),
                        Some("type") => EventType::new(text).map(|t| query.event_type = Some(t)),
                        Some("actor") => Actor::new(text).map(|a| query.actor = Some(a)),
                        Some("correlation") => {
                            query.correlation = Some(text.to_owned());
                            Ok(())
                        }
                        _ => Ok(()),
                    };
                    if named.is_err() {
                        return Ok(none());
                    }
                }
                _ => {}
            }
        }
        if low > high {
            return Ok(none());
        }
        let backwards = asked.order.is_some_and(|order| order.descending);
        if asked.used & !1 == 0 && !backwards {
            return Ok(Box::new(Positions {
                scene,
                query,
                next: low,
                high,
                found: VecDeque::new(),
            }));
        }
        query.known = Some(Position(high));
        (query.direction, query.after) = match backwards {
            true => (Direction::Backwards, Some(Position(high + 1))),
            false => (Direction::Forwards, Some(Position(low - 1))),
        };
        Ok(Box::new(Found {
            scene,
            query,
            low,
            page: PAGES.0,
            found: VecDeque::new(),
            end: false,
            asked,
        }))
    }
}

/// Positions alone.
struct Positions {
    scene: Arc<Scene>,
    query: EventQuery,
    next: u64,
    high: u64,
    found: VecDeque<Position>,
}

impl Iterator for Positions {
    type Item = Result<Row, String>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.found.is_empty() {
            if self.next > self.high {
                return None;
            }
            let last = self.high.min(self.next.saturating_add(SPAN - 1));
            let span = self
                .scene
                .log
                .positions(&self.query, Position(self.next), Position(last));
            self.next = last + 1;
            match span {
                Ok(positions) => self.found = positions.into(),
                Err(error) => return Some(Err(self.scene.fail(error.into()))),
            }
            if let Err(stopped) = self.scene.go_on() {
                return Some(Err(stopped));
            }
        }
        let id = integer(self.found.pop_front()?.0);
        Some(Ok(Row {
            id,
            cells: vec![Value::Integer(id)],
        }))
    }
}

/// Events page by page.
struct Found {
    scene: Arc<Scene>,
    query: EventQuery,
    low: u64,
    page: usize,
    found: VecDeque<Event>,
    end: bool,
    asked: Asked,
}

impl Iterator for Found {
    type Item = Result<Row, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.found.is_empty() && !self.end {
            if let Err(stopped) = self.scene.go_on() {
                return Some(Err(stopped));
            }
            match self.scene.log.events(&self.query, self.page) {
                Ok(page) => {
                    self.end = page.next.is_none();
                    self.query.after = page.next;
                    self.found = page.events.into();
                }
                Err(error) => return Some(Err(self.scene.fail(error.into()))),
            }
            self.page = (self.page * 4).min(PAGES.1);
        }
        let event = self
            .found
            .pop_front()
            .filter(|e| e.position.0 >= self.low)?;
        Some(Ok(row(event, &self.asked)))
    }
}

fn row(event: Event, asked: &Asked) -> Row {
    let Event {
        position,
        stream,
        category,
        version,
        event_type,
        time,
        recorded_at,
        id,
        actor,
        correlation,
        causation,
        schema_version,
        source,
        data,
        metadata,
        erased,
        leaf: _,
    } = event;
    let text = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    let payload = |column: usize, payload: Option<Payload>| match payload {
        Some(payload) if asked.uses(column) => match String::from_utf8(payload.bytes) {
            Ok(text) => Value::Text(text),
            Err(error) => Value::Blob(error.into_bytes()),
        },
        _ => Value::Null,
    };
    let erased: Vec<&str> = erased.into_iter().map(|part| part.name()).collect();
    let position = integer(position.0);
    Row {
        id: position,
        cells: vec![
            Value::Integer(position),
            text(stream.map(|s| s.to_string())),
            text(category.map(|c| c.to_string())),
            Value::Integer(integer(version.0)),
            Value::Text(event_type.to_string()),
            instant(time.time),
            text(time.text),
            Value::Integer(i64::from(time.date_only)),
            instant(recorded_at),
            text(id.map(|id| id.to_string())),
            text(actor.map(|a| a.to_string())),
            text(correlation),
            text(causation),
            text(schema_version),
            text(source.source.as_deref().map(str::to_owned)),
            text(source.source_id),
            text(source.source_version),
            text(source.source_position),
            source.source_recorded_at.map_or(Value::Null, instant),
            payload(19, data),
            payload(20, metadata),
            text((!erased.is_empty()).then(|| erased.join(","))),
        ],
    }
}

/// A number of the log as the engine holds it.
pub(super) fn integer(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
