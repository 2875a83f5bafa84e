//! Sections that hold the answer to a question or a query that is kept: how it was understood, and its rows.

use std::sync::Arc;

use chrono_tz::Tz;
use serde_json::Value;
use serde_json::value::RawValue;

use super::make::keep;
use super::report::{Block, Cell, CellKind, Column, Entry, Row, RowEvent};
use super::rows::{ReportRows, Spool};
use super::template::{AnswerRule, SectionRule};
use super::{ReportError, plural};
use crate::answers::{AnswersError, Asker, NO_GROUP, uses_instant};
use crate::model::ModelSet;
use crate::model::json::parse_state;
use crate::position::{Position, Version};
use crate::progress::WorkProgress;
use crate::question::{AnswerGroup, AnswerRow, AnswerSource, AnswerView};
use crate::sql::{SqlColumn, SqlView, column_keys, printed};
use crate::store::Log;
use crate::temporal::AsOf;
use crate::time::Time;

/// What a table without rows says.
const NO_ROWS: &str = "The answer has no rows.";

/// What sections are answered from.
pub(super) struct Answering<'a> {
    pub(super) log: &'a Log,
    pub(super) models: &'a Arc<ModelSet>,
    pub(super) as_of: AsOf,
    pub(super) zone: Tz,
    pub(super) progress: &'a Arc<WorkProgress>,
}

impl Answering<'_> {
    /// The blocks of a section: entries that say how it was understood, and a table of its rows.
    pub(super) fn blocks(
        &self,
        section: &SectionRule,
        rule: &AnswerRule,
        rows: &mut ReportRows,
    ) -> Result<Vec<Block>, ReportError> {
        let log = self.log.watched(Arc::clone(self.progress));
        let asker = Asker {
            store: self.log.path(),
            log: &log,
            models: self.models,
            // By replay: a report is made of the log alone.
            index: None,
        };
        let failed = |error: AnswersError| match error.is_cancelled() {
            true => ReportError::Cancelled,
            false => ReportError::Answer {
                section: section.id.clone(),
                error: Box::new(error),
            },
        };
        match rule {
            AnswerRule::Question(name) => {
                let view = asker
                    .question(name, self.as_of, self.zone, usize::MAX)
                    .map_err(failed)?;
                of_question(section, name, &view, rows)
            }
            AnswerRule::Query(name) => {
                let mut spool = Spool::default();
                let mut spooled = Ok(());
                let view = asker
                    .each_row(name, self.as_of, self.zone, &mut |columns, cells| {
                        spooled = spool.push(0, &row_of_cells(columns, &cells));
                        Ok(spooled.is_ok())
                    })
                    .map_err(failed)?;
                spooled?;
                of_query(section, name, &view, self.as_of, spool, rows)
            }
        }
    }
}

fn text(value: Option<&RawValue>) -> String {
    match value.and_then(|raw| parse_state(raw.get())) {
        None | Some(Value::Null) => "none".to_owned(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    }
}

fn column(id: &str, title: &str, kind: CellKind) -> Column {
    Column {
        id: id.to_owned(),
        title: title.to_owned(),
        kind,
    }
}

fn of_question(
    section: &SectionRule,
    name: &str,
    view: &AnswerView,
    rows: &mut ReportRows,
) -> Result<Vec<Block>, ReportError> {
    let unit = view.unit.as_ref().map(|unit| format!(" {unit}"));
    let unit = unit.unwrap_or_default();
    let mut entries = vec![
        Entry::new("Kept question", name),
        Entry::new("Question", &view.question),
        Entry::new("Understood as", &view.understood),
        Entry::new("Answer", format!("{}{unit}", text(view.value.as_deref()))),
        Entry::new("Reading", &view.reading),
    ];
    for reading in view.readings.iter().skip(1) {
        let name = format!("Another reading: {}", reading.name);
        entries.push(Entry::new(name, text(reading.value.as_deref())));
    }
    let at = view
        .as_of
        .at
        .map_or_else(|| "all that had happened".to_owned(), |at| at.to_string());
    let known = view.as_of.known.unwrap_or(view.head);
    entries.push(Entry::new(
        "As of",
        format!("{at}; known at position {known} of {}", view.head),
    ));
    if let Some(period) = view.period {
        let period = format!("{} to {}, exclusive", period.from, period.to);
        entries.push(Entry::new("Period", period));
    }
    entries.push(Entry::new("Zone", &view.zone));
    let source = match view.source {
        AnswerSource::Index => "from the interval index of",
        AnswerSource::Replay => "by replay of",
    };
    entries.push(Entry::new(
        "Looked at",
        format!(
            "{}, {source} {}, whatever the scope of this report leaves out",
            plural(view.streams_examined, "stream"),
            plural(view.events_examined, "event")
        ),
    ));
    for skipped in &view.skipped {
        let first = skipped.stream.as_ref();
        let first = first.map_or_else(String::new, |stream| format!(", first {stream}"));
        let text = format!("{}: {}{first}", skipped.count, skipped.reason);
        entries.push(Entry::new("Left out", text));
    }
    for note in &view.notes {
        entries.push(Entry::new("Note", note));
    }
    let mut blocks = vec![Block::Entries { entries }];
    if !view.groups.is_empty() {
        let mut spool = Spool::default();
        for AnswerGroup {
            group,
            value,
            count,
            question: _,
        } in &view.groups
        {
            let group = group
                .as_deref()
                .map(RawValue::get)
                .filter(|raw| *raw != "null");
            let group = group.map_or_else(|| Value::from(NO_GROUP).to_string(), str::to_owned);
            let cells = vec![
                Cell::Value(group),
                cell(value.as_deref()),
                Cell::Value(count.to_string()),
            ];
            spool.push(0, &Row { event: None, cells })?;
        }
        let columns = vec![
            column("group", "Group", CellKind::Value),
            column("answer", "Answer", CellKind::Value),
            column("of", "Of", CellKind::Number),
        ];
        let id = format!("{}_groups", section.id);
        let title = format!("{}, by group", section.title);
        blocks.push(Block::Table(keep(
            rows, &id, &title, columns, NO_ROWS, spool,
        )?));
    }
    let has_value = view.rows.iter().any(|row| row.value.is_some());
    let has_group = view.rows.iter().any(|row| row.group.is_some());
    let mut columns = vec![
        column("stream", "Stream", CellKind::Name),
        column("since", "Since", CellKind::Time),
        column("until", "Until", CellKind::Time),
        column("position", "Position", CellKind::Position),
        column("version", "Version", CellKind::Version),
    ];
    if has_group {
        columns.push(column("group", "Group", CellKind::Value));
    }
    if has_value {
        columns.push(column("value", "Value", CellKind::Value));
    }
    let mut spool = Spool::default();
    for row in &view.rows {
        spool.push(0, &row_of_answer(row, has_group, has_value))?;
    }
    blocks.push(Block::Table(keep(
        rows,
        &section.id,
        &section.title,
        columns,
        NO_ROWS,
        spool,
    )?));
    Ok(blocks)
}

fn cell(value: Option<&RawValue>) -> Cell {
    value.map_or(Cell::None, |raw| Cell::Value(raw.get().to_owned()))
}

fn row_of_answer(row: &AnswerRow, has_group: bool, has_value: bool) -> Row {
    let AnswerRow {
        stream,
        from,
        to,
        position,
        version,
        value,
        group,
    } = row;
    let time = |time: Option<Time>| time.map_or(Cell::None, |time| Cell::Value(time.to_string()));
    let number = |n: Option<u64>| n.map_or(Cell::None, |n| Cell::Value(n.to_string()));
    let mut cells = vec![
        Cell::Value(stream.clone()),
        time(*from),
        time(*to),
        number(position.map(|position| position.0)),
        number(version.map(|version| version.0)),
    ];
    if has_group {
        cells.push(cell(group.as_deref()));
    }
    if has_value {
        cells.push(cell(value.as_deref()));
    }
    Row {
        event: position.zip(*version).map(|(position, version)| RowEvent {
            position,
            stream: Some(stream.clone()),
            version,
        }),
        cells,
    }
}

fn of_query(
    section: &SectionRule,
    name: &str,
    view: &SqlView,
    as_of: AsOf,
    spool: Spool,
    rows: &mut ReportRows,
) -> Result<Vec<Block>, ReportError> {
    let mut entries = vec![
        Entry::new("Kept query", name),
        Entry::new("Statement", view.sql.trim()),
        Entry::new("Zone", &view.zone),
        Entry::new(
            "Read",
            format!("the first {} positions of the log", view.known),
        ),
    ];
    for reading in &view.readings {
        let at = reading
            .at
            .map_or_else(|| "all that had happened".to_owned(), |at| at.to_string());
        let how = reading.reading.as_ref().map(|how| format!(" ({how})"));
        let text = format!(
            "{at}; known at position {}{}",
            reading.known,
            how.unwrap_or_default()
        );
        entries.push(Entry::new(format!("As of, {}", reading.table), text));
    }
    let listed = view.readings.len() as u64;
    if view.readings_count > listed {
        let more = plural(view.readings_count - listed, "further instant");
        entries.push(Entry::new("As of", format!("and {more}")));
    }
    if as_of.at.is_some() && !uses_instant(&view.sql) {
        let note =
            "the statement does not say :at, so it is not asked as of the instant of this report";
        entries.push(Entry::new("Note", note));
    }
    for finding in &view.findings {
        entries.push(Entry::new("Note", &finding.detail));
    }
    let kind = |column: &SqlColumn| match (column.kind.as_deref(), column.name.as_str()) {
        (Some("integer"), "position") => CellKind::Position,
        (Some("integer"), "version") => CellKind::Version,
        (Some("integer" | "decimal"), _) => CellKind::Number,
        (Some("instant"), _) => CellKind::Time,
        (Some("text"), "stream" | "type" | "actor" | "id") => CellKind::Name,
        _ => CellKind::Text,
    };
    let heads = view
        .columns
        .iter()
        .zip(column_keys(&view.columns))
        .enumerate();
    let columns =
        heads.map(|(n, (head, title))| column(&format!("c{}", n + 1), &title, kind(head)));
    let columns = columns.collect();
    let table = keep(rows, &section.id, &section.title, columns, NO_ROWS, spool)?;
    Ok(vec![Block::Entries { entries }, Block::Table(table)])
}

/// A row of a query, and the event that it names, if it does.
fn row_of_cells(columns: &[SqlColumn], cells: &[Value]) -> Row {
    let of = |name: &str| {
        let at = columns.iter().position(|column| column.name == name);
        at.and_then(|at| cells.get(at))
    };
    let number = |name: &str| of(name).and_then(Value::as_u64);
    Row {
        event: number("position")
            .zip(number("version"))
            .map(|(position, version)| RowEvent {
                position: Position(position),
                stream: of("stream").and_then(Value::as_str).map(str::to_owned),
                version: Version(version),
            }),
        cells: cells
            .iter()
            .map(|cell| match cell {
                Value::Null => Cell::None,
                cell => Cell::Value(printed(cell)),
            })
            .collect(),
    }
}
