//! Exceptions of checks: each one, and summed up by check and type.

use std::collections::BTreeMap;

use super::ReportError;
use super::report::{Cell, CellKind, Column, Row, RowEvent};
use super::rows::Spool;
use super::seen::Seen;
use super::template::columns::{EventCol, ToldCol};
use super::template::{Col, Template};
use crate::time::Time;

/// An event, as much as an exception needs.
pub(super) struct Brief {
    pub(super) event: RowEvent,
    time: Time,
    event_type: String,
    who: Cell,
}

impl Brief {
    /// What an exception needs of an event.
    pub(super) fn of(seen: &Seen<'_>) -> Brief {
        Brief {
            event: seen.place(),
            time: seen.event.event.time.time,
            event_type: seen.event_type().to_owned(),
            who: seen.cell(Col::Event(EventCol::Who)),
        }
    }
}

/// Everything that the checks found.
#[derive(Default)]
pub(super) struct Exceptions {
    each: Spool,
    /// By the check's place in the template and the type of the events.
    sums: BTreeMap<(usize, String), Sum>,
}

/// Exceptions of one check on events of one type.
struct Sum {
    check: String,
    exceptions: u64,
    first: Time,
    last: Time,
    last_event: RowEvent,
    /// The one of the lowest position.
    example: (RowEvent, String),
}

impl Exceptions {
    /// Takes an exception of the check at this place of the template.
    pub(super) fn take(
        &mut self,
        (at, check): (usize, &str),
        brief: &Brief,
        what: String,
    ) -> Result<(), ReportError> {
        let Brief {
            event,
            time,
            event_type,
            who,
        } = brief;
        let key = (at, event_type.clone());
        let sum = self.sums.entry(key).or_insert_with(|| Sum {
            check: check.to_owned(),
            exceptions: 0,
            first: *time,
            last: *time,
            last_event: event.clone(),
            example: (event.clone(), what.clone()),
        });
        sum.exceptions += 1;
        sum.first = sum.first.min(*time);
        if *time >= sum.last {
            sum.last = *time;
            sum.last_event = event.clone();
        }
        if event.position < sum.example.0.position {
            sum.example = (event.clone(), what.clone());
        }
        let row = Row {
            cells: vec![
                Cell::Value(check.to_owned()),
                Cell::Value(event.position.to_string()),
                Cell::Value(time.to_string()),
                event.stream.clone().map_or(Cell::Erased, Cell::Value),
                Cell::Value(event_type.clone()),
                who.clone(),
                Cell::Value(what),
            ],
            event: Some(event.clone()),
        };
        self.each.push(event.position.0, &row)
    }

    /// The sums, and each exception.
    pub(super) fn finish(self) -> Result<(Spool, Spool), ReportError> {
        let mut sums = Spool::default();
        for ((_, event_type), sum) in self.sums {
            let Sum {
                check,
                exceptions,
                first,
                last,
                last_event,
                example: (example, what),
            } = sum;
            let row = Row {
                cells: vec![
                    Cell::Value(check),
                    Cell::Value(event_type),
                    Cell::Value(exceptions.to_string()),
                    Cell::Value(first.to_string()),
                    Cell::Value(last.to_string()),
                    Cell::Value(example.position.to_string()),
                    Cell::Value(what),
                ],
                event: Some(last_event),
            };
            sums.push(0, &row)?;
        }
        Ok((sums, self.each))
    }
}

/// The columns of the table of exceptions.
pub(super) fn exception_columns(template: &Template) -> Vec<Column> {
    let of = |col| super::column(template, Col::Event(col));
    vec![
        column("check", "Check", CellKind::Name),
        of(EventCol::Position),
        of(EventCol::Time),
        of(EventCol::Stream),
        of(EventCol::Type),
        of(EventCol::Who),
        column("exception", "What is wrong", CellKind::Text),
    ]
}

/// The columns of the table that sums exceptions up.
pub(super) fn sum_columns(template: &Template) -> Vec<Column> {
    let of = |col| super::column(template, col);
    vec![
        column("check", "Check", CellKind::Name),
        of(Col::Event(EventCol::Type)),
        column("exceptions", "Exceptions", CellKind::Number),
        of(Col::Told(ToldCol::First)),
        of(Col::Told(ToldCol::Last)),
        column("example", "For example position", CellKind::Position),
        column("exception", "What is wrong there", CellKind::Text),
    ]
}

fn column(id: &str, title: &str, kind: CellKind) -> Column {
    Column {
        id: id.to_owned(),
        title: title.to_owned(),
        kind,
    }
}
