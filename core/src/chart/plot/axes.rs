//! Lines, areas and columns between two axes.

use chrono_tz::Tz;
use rust_decimal::Decimal;

use super::canvas::{Canvas, Drawn, Stand, TEXT_PX, between, legend_height};
use super::scale::{Span, fitted, nanoseconds, place_of, tick_texts, time_ticks, told, width_of};
use super::{Plot, PlotAxis, PlotKind};
use crate::time::{Time, parse_zone};

/// Height of what lies between the axes, in pixels.
const FIELD_PX: i32 = 170;
/// Room below it for labels and the name of the axis.
const BELOW_PX: i32 = 44;
/// Signs stand on the points of a line while there are no more than that.
const SIGNED_POINTS: usize = 60;

pub(super) fn height(plot: &Plot, width_px: i32) -> i32 {
    legend_height(plot, width_px) + 10 + FIELD_PX + BELOW_PX
}

/// Where things are between the axes.
struct Field {
    left: i32,
    right: i32,
    top: i32,
    bottom: i32,
    span: Span,
}

impl Field {
    fn y(&self, value: Decimal) -> i32 {
        self.bottom - self.span.place(value, self.bottom - self.top)
    }
}

/// Draws the upright axis with its unit and the lines behind; says where the field is.
fn field(canvas: &Canvas<'_>, plot: &Plot, zero: bool) -> Result<Field, plotters_error::Error> {
    let values = plot.rows.iter().flat_map(|row| &row.cells);
    let values: Vec<Decimal> = values.filter_map(super::PlotCell::decimal).collect();
    let bare = Span::of(values.iter().copied(), false);
    let zero = zero || !bare.far_from_zero();
    let (ticks, span) = Span::of(values.into_iter(), zero).ticks();
    let texts = tick_texts(&ticks);
    let widest = texts.iter().map(|text| width_of(text, TEXT_PX)).max();
    let unit = plot.unit();
    let unit_px = if unit.is_empty() { 4 } else { 20 };
    let top = legend_height(plot, canvas.width_px) + 10;
    let field = Field {
        left: unit_px + widest.unwrap_or(0) + 8,
        right: canvas.width_px - 10,
        top,
        bottom: top + FIELD_PX,
        span,
    };
    for (tick, text) in ticks.iter().zip(&texts) {
        let at = field.y(*tick);
        let colour = if tick.is_zero() {
            canvas.palette.muted
        } else {
            canvas.palette.line
        };
        canvas.line(&[(field.left, at), (field.right, at)], colour, 1)?;
        let stand = Stand::Right;
        canvas.text(text, (field.left - 6, at), stand, canvas.palette.muted)?;
    }
    if !unit.is_empty() {
        let unit = fitted(&unit, TEXT_PX, FIELD_PX);
        canvas.upright(&unit, (3, i32::midpoint(field.top, field.bottom)))?;
    }
    canvas.legend(plot)?;
    Ok(field)
}

/// What the canvas can fail with.
mod plotters_error {
    pub type Error = plotters::drawing::DrawingAreaErrorKind<std::io::Error>;
}

/// Draws the name of the lower axis.
fn axis_name(canvas: &Canvas<'_>, plot: &Plot, field: &Field) -> Drawn {
    let name = match plot.axis {
        PlotAxis::Time => format!("time, {}", plot.zone),
        PlotAxis::Names => plot.heading.clone(),
    };
    let name = fitted(&name, TEXT_PX, field.right - field.left);
    let at = (field.right, canvas.height_px - 9);
    canvas.text(&name, at, Stand::Right, canvas.palette.muted)
}

/// A label below the axis, within the picture, with its tick.
fn label(canvas: &Canvas<'_>, field: &Field, x: i32, text: &str) -> Drawn {
    let ink = canvas.palette.muted;
    canvas.line(&[(x, field.bottom), (x, field.bottom + 4)], ink, 1)?;
    let half = width_of(text, TEXT_PX) / 2;
    let x = x.clamp(half + 1, (canvas.width_px - half - 1).max(half + 1));
    canvas.text(text, (x, field.bottom + 14), Stand::Middle, ink)
}

/// Draws ticks of time below the axis.
fn time_axis(canvas: &Canvas<'_>, plot: &Plot, field: &Field, first: Time, last: Time) -> Drawn {
    let zone = parse_zone(&plot.zone).unwrap_or(Tz::UTC);
    let length = field.right - field.left;
    let room = width_of("2024-12-31", TEXT_PX) + 16;
    let most = usize::try_from(length / room).unwrap_or(1).max(1);
    let ticks = match first == last {
        true => vec![(first, told(first, zone))],
        false => time_ticks(first, last, zone, most),
    };
    for (time, text) in ticks {
        let x = field.left + place_of(time, first, last, length);
        label(canvas, field, x, &text)?;
    }
    axis_name(canvas, plot, field)
}

/// Draws labels of names below the axis: as many as fit without touching.
fn name_axis(canvas: &Canvas<'_>, plot: &Plot, field: &Field, xs: &[i32]) -> Drawn {
    let most_px = 110;
    let texts: Vec<String> = plot
        .rows
        .iter()
        .map(|row| fitted(&row.label, TEXT_PX, most_px))
        .collect();
    let widest = texts.iter().map(|text| width_of(text, TEXT_PX)).max();
    let room = widest.unwrap_or(0) + 12;
    let fitting = usize::try_from((field.right - field.left) / room.max(1)).unwrap_or(1);
    let step = texts.len().div_ceil(fitting.max(1)).max(1);
    for (text, x) in texts.iter().zip(xs).step_by(step) {
        label(canvas, field, *x, text)?;
    }
    axis_name(canvas, plot, field)
}

/// The first and the last instant of the rows.
fn ends(plot: &Plot) -> Option<(Time, Time)> {
    let times = || plot.rows.iter().filter_map(|row| row.from);
    Some((times().min()?, times().max()?))
}

/// Draws a line for each series; an area below each where that is asked for.
pub(super) fn lines(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    let area = plot.kind == PlotKind::Area;
    let field = field(canvas, plot, area)?;
    let length = field.right - field.left - 12;
    let left = field.left + 6;
    let count = i32::try_from(plot.rows.len()).unwrap_or(i32::MAX);
    let ends = ends(plot).filter(|_| plot.axis == PlotAxis::Time);
    let xs: Vec<i32> = plot
        .rows
        .iter()
        .enumerate()
        .map(|(index, row)| match (ends, row.from) {
            (Some((first, last)), Some(time)) => left + place_of(time, first, last, length),
            _ if count < 2 => left + length / 2,
            _ => {
                let index = i64::try_from(index).unwrap_or(0);
                let offset = i64::from(length) * index / i64::from(count - 1);
                left + i32::try_from(offset).unwrap_or(0)
            }
        })
        .collect();
    let base = field.y(Decimal::ZERO);
    for series in 0..plot.series.len() {
        for piece in pieces(plot, &field, &xs, series) {
            series_piece(canvas, plot, (series, &piece), area.then_some(base))?;
            if plot.rows.len() <= SIGNED_POINTS || piece.len() == 1 {
                for (_, point) in &piece {
                    canvas.sign(series, *point)?;
                }
            }
        }
    }
    // A mark reaches half way to its neighbours.
    for row in 0..plot.rows.len() {
        let before = row.checked_sub(1).and_then(|at| xs.get(at));
        let from = before.map_or(field.left, |other| i32::midpoint(*other, xs[row]));
        let after = xs.get(row + 1);
        let to = after.map_or(field.right, |other| i32::midpoint(*other, xs[row]));
        for series in 0..plot.series.len() {
            let Some(value) = plot.rows[row]
                .cells
                .get(series)
                .and_then(super::PlotCell::decimal)
            else {
                continue;
            };
            let y = field.y(value);
            canvas.mark(row, series, [(from, y - 6), (to, y + 6)]);
        }
    }
    match ends {
        Some((first, last)) => {
            let inner = Field {
                left,
                right: left + length,
                ..field
            };
            time_axis(canvas, plot, &inner, first, last)
        }
        None => name_axis(canvas, plot, &field, &xs),
    }
}

/// A row and where its value is.
type Point = (usize, (i32, i32));

/// The points of a series, parted where a value is missing.
fn pieces(plot: &Plot, field: &Field, xs: &[i32], series: usize) -> Vec<Vec<Point>> {
    let mut pieces = vec![Vec::new()];
    for (index, (row, x)) in plot.rows.iter().zip(xs).enumerate() {
        match row.cells.get(series).and_then(super::PlotCell::decimal) {
            Some(value) => {
                if let Some(piece) = pieces.last_mut() {
                    piece.push((index, (*x, field.y(value))));
                }
            }
            None => pieces.push(Vec::new()),
        }
    }
    pieces.retain(|piece: &Vec<Point>| !piece.is_empty());
    pieces
}

fn series_piece(
    canvas: &Canvas<'_>,
    plot: &Plot,
    (series, piece): (usize, &[Point]),
    base: Option<i32>,
) -> Drawn {
    let colour = canvas.colour(series);
    let mut points: Vec<(i32, i32)> = Vec::with_capacity(piece.len());
    for (_, (x, y)) in piece {
        match points.last() {
            Some((_, held)) if plot.steps && held != y => points.extend([(*x, *held), (*x, *y)]),
            _ => points.push((*x, *y)),
        }
    }
    if let (Some(base), [first, .., last]) = (base, points.as_slice()) {
        let mut around = vec![(first.0, base)];
        around.extend(&points);
        around.push((last.0, base));
        canvas.polygon(around, between(canvas.palette.page, colour, 30, 100))?;
    }
    canvas.line(&points, colour, 2)
}

/// Draws columns along time, one a series in each place.
pub(super) fn columns(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    let field = field(canvas, plot, true)?;
    let times: Vec<Time> = plot.rows.iter().filter_map(|row| row.from).collect();
    let Some((first, last)) = ends(plot) else {
        return axis_name(canvas, plot, &field);
    };
    // Each column is as wide as the least time between two, so that what is missing is seen as a gap.
    let mut sorted: Vec<i128> = times.iter().map(|time| nanoseconds(*time)).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let least = sorted.windows(2).map(|pair| pair[1] - pair[0]).min();
    let whole = nanoseconds(last) - nanoseconds(first);
    let length = field.right - field.left;
    let slots = least.map_or(1, |least| whole / least + 1);
    let wide = i32::try_from(i128::from(length) / slots).unwrap_or(length);
    let wide = wide.clamp(1, 80);
    let inner = Field {
        left: field.left + wide / 2 + 2,
        right: field.right - wide / 2 - 2,
        ..field
    };
    let gap = i32::from(wide > 4) * (wide / 6).max(1);
    let count = i32::try_from(plot.series.len().max(1)).unwrap_or(1);
    let base = field.y(Decimal::ZERO);
    for (index, row) in plot.rows.iter().enumerate() {
        let Some(time) = row.from else { continue };
        let middle = inner.left + place_of(time, first, last, inner.right - inner.left);
        let (from, to) = (middle - wide / 2, middle - wide / 2 + (wide - gap).max(1));
        for series in 0..plot.series.len() {
            let Some(value) = row.cells.get(series).and_then(super::PlotCell::decimal) else {
                continue;
            };
            let at = i32::try_from(series).unwrap_or(0);
            let left = from + (to - from) * at / count;
            let right = (from + (to - from) * (at + 1) / count).max(left + 1);
            let mut end = field.y(value);
            // Nothing that is there is drawn as nothing.
            if end == base && !value.is_zero() {
                end += if value.is_sign_negative() { 1 } else { -1 };
            }
            if end != base {
                let colour = canvas.colour(series);
                canvas.rectangle([(left, end.min(base)), (right, end.max(base))], colour)?;
            }
            let top = end.min(base).min(base - 8);
            canvas.mark(index, series, [(left, top), (right, end.max(base))]);
        }
    }
    time_axis(canvas, plot, &inner, first, last)
}
