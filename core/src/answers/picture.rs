//! The picture of an answer to a question, where one helps.

use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

use super::documents::NO_GROUP;
use crate::chart::{
    Drawing, Look, Plot, PlotAxis, PlotCell, PlotKind, PlotRow, PlotSeries, draw, escaped, fitted,
};
use crate::hidden::visible;
use crate::model::json::parse_state;
use crate::question::{AnswerView, CourseShape, CourseView};
use crate::time::{SourceTime, Time, parse_zone};

/// An answer to a question with its picture.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct PicturedAnswer {
    /// The answer.
    #[serde(flatten)]
    pub answer: AnswerView,
    /// Its picture; `null` where one says no more than the number.
    pub picture: Option<PictureView>,
}

/// What a picture shows, and how.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct PictureView {
    /// What is shown: its table twin.
    pub plot: Plot,
    /// The picture.
    pub drawing: Drawing,
}

impl PicturedAnswer {
    /// Draws the picture of an answer, where one helps.
    #[must_use]
    pub fn of(answer: AnswerView, look: &Look<'_>) -> PicturedAnswer {
        let picture = picture(&answer).map(|plot| PictureView {
            drawing: draw(&plot, look),
            plot,
        });
        PicturedAnswer { answer, picture }
    }
}

/// Most months or days that stand side by side by their names; more stand along time.
const MAX_NAMED: usize = 24;
/// Rows that a picture with one bar a row shows; of more, the first.
const MAX_BARS: usize = 60;

/// The picture of an answer: groups as bars, else its course as a line, an area, columns or a timeline. `None` where a
/// picture says no more than the number: of fewer than two points. The path of each row is its place in the answer.
///
/// ```
/// # use annals_core::{answers, chart::PlotKind, model::ModelSet, question::*, store::Log, temporal::AsOf};
/// # let folder = tempfile::tempdir()?;
/// # let store = folder.path().join("guide.annals");
/// annals_core::sample::guide(&store)?;
/// let (log, (models, _)) = (Log::explore(&store)?, ModelSet::load(&store)?);
/// let asking = Asking { log: &log, models: &models, zone: chrono_tz::UTC, limit: ROWS, index: None, as_of: AsOf::default() };
/// let answer = ask(&asking, &Question::parse("balance of account-12345")?, &mut |_| true)?;
/// let plot = answers::picture(&answer).unwrap();
/// assert_eq!(plot.kind, PlotKind::Line);
/// assert_eq!(plot.rows.len() as u64, answer.course.unwrap().points_count);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn picture(view: &AnswerView) -> Option<Plot> {
    let mut plot = if view.groups.len() > 1 {
        groups(view)
    } else {
        course(
            view,
            view.course
                .as_ref()
                .filter(|course| course.points.len() > 1)?,
        )
    };
    let says: Vec<String> = (0..plot.rows.len().min(3))
        .map(|row| plot.says(row, 0))
        .collect();
    let more = plot.rows_count.saturating_sub(says.len() as u64);
    let more = match more {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    plot.alt = format!("{}: {}{more}", plot.title, says.join("; "));
    Some(plot)
}

fn empty(view: &AnswerView, kind: PlotKind, axis: PlotAxis) -> Plot {
    Plot {
        kind,
        title: view.question.clone(),
        axis,
        steps: false,
        zone: view.zone.clone(),
        heading: String::new(),
        series: Vec::new(),
        rows: Vec::new(),
        rest: None,
        rows_count: 0,
        alt: String::new(),
    }
}

fn groups(view: &AnswerView) -> Plot {
    let rows: Vec<(String, Value, String)> = view
        .groups
        .iter()
        .enumerate()
        .map(|(n, group)| {
            let read = |raw: Option<&serde_json::value::RawValue>| {
                raw.and_then(|raw| parse_state(raw.get()))
                    .unwrap_or(Value::Null)
            };
            let label = match read(group.group.as_deref()) {
                Value::Null => NO_GROUP.to_owned(),
                Value::String(text) => text,
                other => other.to_string(),
            };
            (label, read(group.value.as_deref()), format!("groups[{n}]"))
        })
        .collect();
    // Several statistics are several series. How many there are is of another unit than how long they were.
    let names: Vec<String> = match rows.iter().find_map(|(_, value, _)| value.as_object()) {
        Some(several) => several
            .keys()
            .filter(|name| *name != "count")
            .cloned()
            .collect(),
        None => Vec::new(),
    };
    let unit = view.unit.clone().unwrap_or_default();
    let series = |name: &str| PlotSeries {
        name: name.to_owned(),
        unit: unit.clone(),
    };
    let is_time = rows
        .iter()
        .all(|(label, ..)| stretch(label, &view.zone).is_some());
    let is_time = is_time && view.unit.as_deref() == Some("seconds") && rows.len() > MAX_NAMED;
    let axis = if is_time {
        PlotAxis::Time
    } else {
        PlotAxis::Names
    };
    let rows_count = rows.len() as u64;
    let rows = rows
        .into_iter()
        .take(if is_time { usize::MAX } else { MAX_BARS });
    Plot {
        series: match names.as_slice() {
            [] => vec![series(view.path.as_deref().unwrap_or("number"))],
            names => names.iter().map(|name| series(name)).collect(),
        },
        heading: "group".to_owned(),
        rows: rows
            .map(|(label, value, path)| PlotRow {
                from: stretch(&label, &view.zone).filter(|_| is_time),
                to: None,
                cells: match names.as_slice() {
                    [] => vec![cell(&value)],
                    names => names
                        .iter()
                        .map(|name| value.get(name).map_or(PlotCell::NONE, cell))
                        .collect(),
                },
                label,
                document: Some(view.question.clone()),
                path,
            })
            .collect(),
        rows_count,
        ..empty(view, PlotKind::Bar, axis)
    }
}

fn course(view: &AnswerView, course: &CourseView) -> Plot {
    let value = |n: usize| {
        let raw = course.points[n].value.as_deref();
        raw.and_then(|raw| parse_state(raw.get()))
            .unwrap_or(Value::Null)
    };
    let are_numbers =
        (0..course.points.len()).all(|n| matches!(value(n), Value::Number(_) | Value::Null));
    let (kind, axis) = match course.shape {
        CourseShape::Value if are_numbers => (PlotKind::Line, PlotAxis::Time),
        CourseShape::Value | CourseShape::Held => (PlotKind::Timeline, PlotAxis::Time),
        CourseShape::Level => (PlotKind::Area, PlotAxis::Time),
        CourseShape::Happened => (PlotKind::Bar, PlotAxis::Time),
        CourseShape::Lengths => (PlotKind::Bar, PlotAxis::Names),
    };
    let is_timeline = kind == PlotKind::Timeline;
    let rows = course.points.iter().enumerate().map(|(n, point)| {
        let value = value(n);
        PlotRow {
            label: match (&course.shape, &value) {
                (CourseShape::Value, Value::Null) if is_timeline => "–".to_owned(),
                (CourseShape::Value, Value::String(text)) if is_timeline => text.clone(),
                (CourseShape::Value, other) if is_timeline => other.to_string(),
                _ => point.label.clone(),
            },
            document: Some(view.question.clone()),
            path: format!("course.points[{n}]"),
            cells: vec![match is_timeline {
                true => PlotCell::text(course.of.clone()),
                false => cell(&value),
            }],
            from: point.from,
            to: point.to.filter(|_| is_timeline),
        }
    });
    let unit = match course.shape {
        CourseShape::Level | CourseShape::Happened => view.unit.clone().unwrap_or_default(),
        CourseShape::Lengths => "stays".to_owned(),
        CourseShape::Value | CourseShape::Held => String::new(),
    };
    Plot {
        heading: match course.shape {
            CourseShape::Value | CourseShape::Held => "since".to_owned(),
            CourseShape::Level | CourseShape::Happened => format!("time ({})", view.zone),
            CourseShape::Lengths => "how long".to_owned(),
        },
        series: vec![PlotSeries {
            name: course.of.clone(),
            unit,
        }],
        // A value holds until the next; of streams there are no halves.
        steps: matches!(kind, PlotKind::Line | PlotKind::Area),
        rows: rows.collect(),
        rows_count: course.points_count,
        ..empty(view, kind, axis)
    }
}

fn cell(value: &Value) -> PlotCell {
    match value {
        Value::Null => PlotCell::NONE,
        Value::Number(number) => PlotCell::number(number.to_string()),
        Value::String(text) => PlotCell::text(text.clone()),
        other => PlotCell::text(other.to_string()),
    }
}

/// The picture as a file of its own: on a page, with its title.
#[must_use]
pub fn svg(plot: &Plot, look: &Look<'_>) -> String {
    const EDGE_PX: u32 = 16;
    const TITLE_PX: u32 = 28;
    let drawing = draw(plot, look);
    let (wide, high) = (
        drawing.width_px + 2 * EDGE_PX,
        drawing.height_px + 2 * EDGE_PX + TITLE_PX,
    );
    let hex = |[red, green, blue]: [u8; 3]| format!("#{red:02x}{green:02x}{blue:02x}");
    let most = i32::try_from(drawing.width_px).unwrap_or(i32::MAX);
    let title = visible(&plot.title).replace(['\n', '\t'], " ");
    let title = escaped(&fitted(&title, 14, most));
    let picture = drawing.svg.replacen(
        "<svg ",
        &format!("<svg x=\"{EDGE_PX}\" y=\"{}\" ", EDGE_PX + TITLE_PX),
        1,
    );
    format!(
        "<svg width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"><title>{}</title>\n\
         <rect width=\"{wide}\" height=\"{high}\" fill=\"{}\"/>\n\
         <text x=\"{EDGE_PX}\" y=\"{}\" font-family=\"sans-serif\" font-size=\"14\" font-weight=\"bold\" fill=\"{}\">{title}</text>\n\
         {picture}</svg>\n",
        escaped(&visible(&plot.alt)),
        hex(look.palette.page),
        EDGE_PX + 14,
        hex(look.palette.ink),
    )
}

/// Where a day, a month or a year begins: `2024-01`.
fn stretch(label: &str, zone: &str) -> Option<Time> {
    let zone = parse_zone(zone).ok()?;
    let digits = label.len() >= 4 && label.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let day = match label.len() {
        4 => format!("{label}-01-01"),
        7 => format!("{label}-01"),
        _ => label.to_owned(),
    };
    let read = digits.then(|| SourceTime::parse(&day, zone).ok())??;
    Some(read.time)
}
