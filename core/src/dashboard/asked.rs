//! Panels whose source is a question or a query that is kept: what they read of its answer where their file says
//! nothing of it.

use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;
use ts_rs::TS;

use super::DashboardError;
use super::behind::BehindPlace;
use super::definition::{Panel, SourceKind, last_name};
use crate::answers::{AnswersError, Asker, of_answer, of_rows, uses_instant};
use crate::chart::{PlotKind, PlotSeries};
use crate::finding::Finding;
use crate::id::StreamId;
use crate::model::{FieldPath, Step};
use crate::position::{Position, Version};
use crate::projection::ProjectionError;
use crate::question::{AnswerSource, AnswerView, CourseShape, Skipped};
use crate::sql::{SqlEnd, SqlView};
use crate::temporal::AsOf;
use crate::time::parse_zone;

/// Rows of an answer that a panel reads.
const ROWS: usize = 5_000;

/// What was asked for a panel, and how it was understood.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct AskedView {
    /// The question in its plainest form, or the statement.
    pub text: String,
    /// The question as it was understood; `null` for a statement.
    pub understood: Option<String>,
    /// Which of its readings was chosen.
    pub reading: Option<String>,
    /// Zone that it was asked in.
    pub zone: String,
    /// Where the answer comes from; `null` for a statement.
    pub source: Option<AnswerSource>,
    /// What could not be taken into the answer, and why.
    pub skipped: Vec<Skipped>,
    /// What else there is to know.
    pub notes: Vec<String>,
}

/// An answer, as panels read it.
pub(super) struct Answered {
    pub(super) asked: AskedView,
    pub(super) document: Value,
    pub(super) rows_count: u64,
    pub(super) known: Position,
    pub(super) events_examined: u64,
    pub(super) findings: Vec<Finding>,
    of: Of,
}

enum Of {
    Question(Box<AnswerView>),
    Query(Vec<String>),
}

/// Asks what a panel names.
pub(super) fn ask(
    asker: &Asker<'_>,
    (kind, name): (SourceKind, &str),
    as_of: AsOf,
    zone: Tz,
) -> Result<Answered, AnswersError> {
    match kind {
        SourceKind::Query => asker
            .query(name, as_of, zone, ROWS)
            .map(|view| of_query(view, as_of)),
        SourceKind::Question | SourceKind::Projection => {
            asker.question(name, as_of, zone, ROWS).map(of_question)
        }
    }
}

fn of_question(view: AnswerView) -> Answered {
    let mut notes = view.notes.clone();
    if view.rows_count > view.rows.len() as u64 {
        notes.push(format!(
            "the first {} of {} rows of the answer are read",
            view.rows.len(),
            view.rows_count
        ));
    }
    Answered {
        asked: AskedView {
            text: view.question.clone(),
            understood: Some(view.understood.clone()),
            reading: Some(view.reading.clone()),
            zone: view.zone.clone(),
            source: Some(view.source),
            skipped: view.skipped.clone(),
            notes,
        },
        document: of_answer(&view),
        rows_count: view.rows_count,
        known: view.as_of.known.unwrap_or(view.head),
        events_examined: view.events_examined,
        findings: Vec::new(),
        of: Of::Question(Box::new(view)),
    }
}

fn of_query(view: SqlView, as_of: AsOf) -> Answered {
    let mut notes = Vec::new();
    if as_of.at.is_some() && !uses_instant(&view.sql) {
        notes.push(
            "the statement does not say :at, so it is not asked as of this instant".to_owned(),
        );
    }
    if view.end != SqlEnd::Whole {
        notes.push(format!(
            "the first {} rows of the answer are read; there are more",
            view.rows.len()
        ));
    }
    let (columns, document) = of_rows(&view);
    Answered {
        asked: AskedView {
            text: view.sql,
            understood: None,
            reading: None,
            zone: view.zone,
            source: None,
            skipped: Vec::new(),
            notes,
        },
        document,
        rows_count: view.rows.len() as u64,
        known: view.known,
        events_examined: view.events_examined,
        findings: view.findings,
        of: Of::Query(columns),
    }
}

fn key(name: &str) -> FieldPath {
    FieldPath(vec![Step::Key(name.to_owned())])
}

impl Answered {
    /// The panel with what its file leaves open: which part of the answer are its rows, their labels and values.
    pub(super) fn panel(&self, panel: &Panel) -> Panel {
        let mut panel = panel.clone();
        match &self.of {
            Of::Question(view) => of_answers(&mut panel, view),
            Of::Query(columns) => of_columns(&mut panel, columns),
        }
        panel
    }
}

/// A number is the value; a line, an area, columns along time and a timeline are the course; else groups, the course,
/// or the readings. A table is the groups or what is behind the answer.
fn of_answers(panel: &mut Panel, view: &AnswerView) {
    if panel.rows.is_some() {
        return;
    }
    let unit = view.unit.clone().unwrap_or_default();
    let value = |name: &str, unit: &str| {
        (
            key("value"),
            PlotSeries {
                name: name.to_owned(),
                unit: unit.to_owned(),
            },
        )
    };
    let is_bare = panel.values.is_empty();
    let unit = match panel.unit.is_empty() {
        true => unit,
        false => panel.unit.clone(),
    };
    if panel.kind == PlotKind::Number {
        if is_bare {
            panel.values = match view.value.as_deref().map(|raw| raw.get().starts_with('{')) {
                Some(true) => statistics(view, &unit),
                _ => vec![value(view.path.as_deref().unwrap_or("number"), &unit)],
            };
        }
        panel.label = panel.label.take().or_else(|| Some(key("reading")));
        return;
    }
    let course = view
        .course
        .as_ref()
        .filter(|course| !course.points.is_empty());
    let is_along_time = matches!(
        panel.kind,
        PlotKind::Line | PlotKind::Area | PlotKind::Timeline
    );
    match course {
        Some(course)
            if view.groups.is_empty() && panel.kind != PlotKind::Table || is_along_time =>
        {
            panel.rows = Some(FieldPath(vec![
                Step::Key("course".to_owned()),
                Step::Key("points".to_owned()),
            ]));
            let is_told_by_value =
                panel.kind == PlotKind::Timeline && course.shape == CourseShape::Value;
            let label = if is_told_by_value { "value" } else { "label" };
            panel.label = panel.label.take().or_else(|| Some(key(label)));
            panel.from = panel.from.take().or_else(|| Some(key("from")));
            // A value holds until the next; of streams there are no halves.
            panel.steps |= matches!(course.shape, CourseShape::Value | CourseShape::Level);
            if panel.kind == PlotKind::Timeline {
                panel.to = panel.to.take().or_else(|| Some(key("to")));
            }
            if is_bare {
                let unit = match course.shape {
                    CourseShape::Level | CourseShape::Happened => unit.as_str(),
                    CourseShape::Lengths => "stays",
                    CourseShape::Value | CourseShape::Held => panel.unit.as_str(),
                };
                panel.values = vec![value(&course.of, unit)];
            }
        }
        _ if !view.groups.is_empty() => {
            panel.rows = Some(key("groups"));
            panel.label = panel.label.take().or_else(|| Some(key("group")));
            if is_bare {
                let is_several = |raw: &serde_json::value::RawValue| raw.get().starts_with('{');
                let several = view
                    .groups
                    .iter()
                    .any(|g| g.value.as_deref().is_some_and(is_several));
                panel.values = match several {
                    true => statistics(view, &unit),
                    false => vec![value(view.path.as_deref().unwrap_or("number"), &unit)],
                };
            }
        }
        _ if panel.kind == PlotKind::Table => {
            panel.rows = Some(key("rows"));
            panel.label = panel.label.take().or_else(|| Some(key("stream")));
            if is_bare {
                let plain = |name: &str| {
                    let series = PlotSeries {
                        name: name.to_owned(),
                        unit: String::new(),
                    };
                    (key(name), series)
                };
                panel.values = ["from", "to", "position"].map(plain).to_vec();
                if view.rows.iter().any(|row| row.value.is_some()) {
                    panel
                        .values
                        .push(value(view.path.as_deref().unwrap_or("value"), &unit));
                }
            }
        }
        _ => {
            panel.rows = Some(key("readings"));
            panel.label = panel.label.take().or_else(|| Some(key("name")));
            if is_bare {
                panel.values = vec![value("answer", &unit)];
            }
        }
    }
}

/// A series for each statistic of how long it was; how many there were is of another unit.
fn statistics(view: &AnswerView, unit: &str) -> Vec<(FieldPath, PlotSeries)> {
    let raw = view.value.as_deref().map_or("{}", |raw| raw.get());
    let fields = crate::model::json::parse_state(raw);
    let names = fields.as_ref().and_then(Value::as_object);
    let names = names.into_iter().flat_map(|fields| fields.keys());
    names
        .filter(|name| *name != "count")
        .map(|name| {
            let steps = ["value", name.as_str()].map(|step| Step::Key(step.to_owned()));
            let path = FieldPath(steps.to_vec());
            let series = PlotSeries {
                name: name.clone(),
                unit: unit.to_owned(),
            };
            (path, series)
        })
        .collect()
}

/// The first column names the rows, the others are their values; one column alone is the value.
fn of_columns(panel: &mut Panel, columns: &[String]) {
    if let (PlotKind::Number, None, [one], true) =
        (panel.kind, &panel.rows, columns, panel.values.is_empty())
    {
        let path = [
            Step::Key("rows".to_owned()),
            Step::Index(0),
            Step::Key(one.clone()),
        ];
        let series = PlotSeries {
            name: one.clone(),
            unit: panel.unit.clone(),
        };
        panel.values = vec![(FieldPath(path.to_vec()), series)];
        return;
    }
    if panel.rows.is_none() {
        panel.rows = Some(key("rows"));
    }
    let (first, others) = match columns {
        [one] => (None, std::slice::from_ref(one)),
        [first, others @ ..] => (Some(first), others),
        [] => (None, columns),
    };
    if panel.label.is_none() {
        panel.label = first.map(|name| key(name));
    }
    if panel.values.is_empty() {
        let label = panel.label.as_ref().map(last_name);
        let of_interest = columns.iter().filter(|name| match &label {
            Some(label) => *name != label,
            None => others.contains(name),
        });
        let values = of_interest.map(|name| {
            let series = PlotSeries {
                name: name.clone(),
                unit: panel.unit.clone(),
            };
            (key(name), series)
        });
        panel.values = values.collect();
    }
}

/// What stands behind a place in an answer.
pub(super) struct Told {
    /// The question or statement that was asked for it.
    pub(super) text: String,
    pub(super) value: Option<Box<RawValue>>,
    /// Positions of the events, those of the first rows.
    pub(super) positions: Vec<Position>,
    pub(super) events_count: u64,
    pub(super) events_examined: u64,
}

/// The events that made a place in an answer so: for a group, a point or a reading those behind its own question.
pub(super) fn behind(
    asker: &Asker<'_>,
    place: &BehindPlace<'_>,
    as_of: AsOf,
) -> Result<Told, DashboardError> {
    if place.kind == SourceKind::Query {
        return behind_row(asker, place, as_of);
    }
    let mut view = asker.question(place.name, as_of, place.zone, ROWS)?;
    let named = |name: &str| matches!(place.path.0.first(), Some(Step::Key(key)) if key == name);
    let index = index_in(place.path);
    let zone = parse_zone(&view.zone).unwrap_or(place.zone);
    if let Some(index) = index {
        let of = |question: Option<&Option<String>>| match question {
            None => Err(nothing("the answer has no such place now")),
            Some(None) => Ok(None),
            Some(Some(text)) => Ok(Some(text.clone())),
        };
        let own = if named("groups") {
            of(view.groups.get(index).map(|group| &group.question))?
        } else if named("readings") {
            of(view.readings.get(index).map(|reading| &reading.question))?
        } else if named("rows") {
            let row = view.rows.get(index).cloned();
            let row = row.ok_or_else(|| nothing("the answer has no such row now"))?;
            view.value = row.value.clone();
            view.rows = vec![row];
            view.rows_count = 1;
            None
        } else {
            let points = view.course.as_ref().map(|course| &course.points);
            let point = points.and_then(|points| points.get(index));
            let point = point.ok_or_else(|| nothing("the answer has no such point now"))?;
            if let Some(position) = point.position {
                return Ok(Told {
                    text: view.question,
                    value: point.value.clone(),
                    positions: vec![position],
                    events_count: 1,
                    events_examined: view.events_examined,
                });
            }
            point.question.clone()
        };
        if let Some(text) = own {
            view = asker.ask(&text, as_of, zone, ROWS)?;
        }
    }
    Ok(Told {
        text: view.question,
        value: view.value,
        positions: view.rows.iter().filter_map(|row| row.position).collect(),
        events_count: view.rows_count,
        events_examined: view.events_examined,
    })
}

/// Which of the rows a path is in.
fn index_in(path: &FieldPath) -> Option<usize> {
    path.0.iter().find_map(|step| match step {
        Step::Index(index) => Some(*index),
        Step::Key(_) => None,
    })
}

fn nothing(what: &str) -> DashboardError {
    DashboardError::NothingBehind(what.to_owned())
}

/// The event that a row of a query names: by its position, or by its stream and version.
fn behind_row(
    asker: &Asker<'_>,
    place: &BehindPlace<'_>,
    as_of: AsOf,
) -> Result<Told, DashboardError> {
    let view = asker.query(place.name, as_of, place.zone, ROWS)?;
    let index = index_in(place.path);
    let row = index.and_then(|index| view.rows.get(index));
    let row = row.ok_or_else(|| nothing("the answer has no such row now"))?;
    let cell = |name: &str| {
        let at = view.columns.iter().position(|column| column.name == name);
        at.and_then(|at| row.get(at))
    };
    let number = |name: &str| cell(name).and_then(Value::as_u64);
    let stream = cell("stream").and_then(Value::as_str);
    let position = match (number("position"), stream, number("version")) {
        (Some(position), ..) => Some(Position(position)),
        (None, Some(stream), Some(version)) => {
            let stream: StreamId = stream
                .parse()
                .map_err(|_| nothing("the row names no stream"))?;
            let version = Version(version);
            let mut found = None;
            asker
                .log
                .for_each_in_stream(&stream, version, as_of.known, &mut |event| {
                    found = Some(event.event.position);
                    false
                })
                .map_err(ProjectionError::from)?;
            found
        }
        _ => None,
    };
    let position = position.ok_or_else(|| {
        nothing("the rows of this query name no event: give them a column position, or stream and version")
    })?;
    Ok(Told {
        text: view.sql.clone(),
        value: None,
        positions: vec![position],
        events_count: 1,
        events_examined: view.events_examined,
    })
}
