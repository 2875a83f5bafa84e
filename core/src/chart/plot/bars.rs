//! Bars by name, and the stages of a funnel.

use rust_decimal::Decimal;

use super::canvas::{Canvas, Drawn, Stand, TEXT_PX, legend_height};
use super::scale::{Span, fitted, grouped_text, width_of};
use super::{Plot, PlotCell, PlotRow};

const BAR_PX: i32 = 15;
const GAP_PX: i32 = 7;
const STAGE_PX: i32 = 30;

/// The rows, and the rest after them.
fn rows(plot: &Plot) -> impl Iterator<Item = (usize, &PlotRow)> {
    plot.rows.iter().chain(&plot.rest).enumerate()
}

fn row_px(plot: &Plot) -> i32 {
    i32::try_from(plot.series.len().max(1)).unwrap_or(1) * BAR_PX + GAP_PX
}

pub(super) fn height(plot: &Plot, width_px: i32) -> i32 {
    let count = i32::try_from(rows(plot).count().max(1)).unwrap_or(i32::MAX / 4096);
    legend_height(plot, width_px) + 10 + count.saturating_mul(row_px(plot)) + 20
}

/// Room for names at the left, in pixels: what they need, at most two fifths.
fn names_px(plot: &Plot, width_px: i32) -> i32 {
    let widest = rows(plot)
        .map(|(_, row)| width_of(&row.label, TEXT_PX))
        .max()
        .unwrap_or(0);
    widest.min(width_px * 2 / 5)
}

/// Draws a bar for each cell, its exact value at the right.
pub(super) fn bars(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    canvas.legend(plot)?;
    let cells = || rows(plot).flat_map(|(_, row)| &row.cells);
    let widest = cells().map(|cell| width_of(&cell.shown(), TEXT_PX)).max();
    let values_px = widest.unwrap_or(0).min(canvas.width_px / 3) + 8;
    let left = names_px(plot, canvas.width_px) + 12;
    let right = (canvas.width_px - values_px - 6).max(left + 20);
    let span = Span::of(cells().filter_map(PlotCell::decimal), true);
    let zero = left + span.place(Decimal::ZERO, right - left);
    let top = legend_height(plot, canvas.width_px) + 6;
    let mut y = top;
    for (index, row) in rows(plot) {
        let is_rest = index >= plot.rows.len();
        let series = i32::try_from(plot.series.len().max(1)).unwrap_or(1);
        let name = fitted(&row.label, TEXT_PX, left - 12);
        let middle = y + series * BAR_PX / 2;
        canvas.text(&name, (left - 8, middle), Stand::Right, canvas.palette.ink)?;
        for (at, cell) in row.cells.iter().enumerate() {
            let value = cell.decimal();
            if let Some(value) = value {
                let mut end = left + span.place(value, right - left);
                // Nothing that is there is drawn as nothing.
                if end == zero && !value.is_zero() {
                    end += if value.is_sign_negative() { -1 } else { 1 };
                }
                let colour = if is_rest {
                    canvas.palette.muted
                } else {
                    canvas.colour(at)
                };
                if end != zero {
                    let corners = [(end.min(zero), y + 1), (end.max(zero), y + BAR_PX - 1)];
                    canvas.rectangle(corners, colour)?;
                }
            }
            let text = fitted(&cell.shown(), TEXT_PX, values_px);
            let at_px = (canvas.width_px - 6, y + BAR_PX / 2);
            canvas.text(&text, at_px, Stand::Right, canvas.palette.muted)?;
            canvas.mark(index, at, [(0, y), (canvas.width_px, y + BAR_PX)]);
            y += BAR_PX;
        }
        if row.cells.is_empty() {
            y += BAR_PX;
        }
        y += GAP_PX;
    }
    canvas.line(
        &[(zero, top - 2), (zero, y - GAP_PX + 2)],
        canvas.palette.muted,
        1,
    )?;
    let unit = fitted(&plot.unit(), TEXT_PX, canvas.width_px - left);
    let at = (canvas.width_px - 6, y + 4);
    canvas.text(&unit, at, Stand::Right, canvas.palette.muted)
}

pub(super) fn funnel_height(plot: &Plot) -> i32 {
    let count = i32::try_from(plot.rows.len().max(1)).unwrap_or(i32::MAX / 4096);
    14 + count.saturating_mul(STAGE_PX) + 20
}

/// Draws the stages, each as wide as its value, its share of the first beside it.
pub(super) fn funnel(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    let value = |row: &PlotRow| row.cells.first().and_then(PlotCell::decimal);
    let first = plot.rows.first().and_then(value);
    let share_px = width_of("100.0 %", TEXT_PX) + 14;
    let shown = |row: &PlotRow| row.cells.first().map_or_else(String::new, PlotCell::shown);
    let widest = plot.rows.iter().map(|row| width_of(&shown(row), TEXT_PX));
    let values_px = widest.max().unwrap_or(0).min(canvas.width_px / 3) + share_px + 8;
    let left = names_px(plot, canvas.width_px) + 12;
    let right = (canvas.width_px - values_px - 6).max(left + 20);
    let span = Span::of(plot.rows.iter().filter_map(value), true);
    let middle = i32::midpoint(left, right);
    let mut y = 8;
    let mut above: Option<i32> = None;
    for (index, row) in plot.rows.iter().enumerate() {
        let line = y + STAGE_PX / 2 - 4;
        let name = fitted(&row.label, TEXT_PX, left - 12);
        canvas.text(&name, (left - 8, line), Stand::Right, canvas.palette.ink)?;
        let half = value(row).map(|value| {
            let zero = span.place(Decimal::ZERO, right - left);
            let wide = (span.place(value, right - left) - zero).abs() / 2;
            wide.max(i32::from(!value.is_zero()))
        });
        if let Some(half) = half {
            if let Some(above) = above {
                let between = vec![
                    (middle - above, y - 8),
                    (middle + above, y - 8),
                    (middle + half, y),
                    (middle - half, y),
                ];
                canvas.polygon(between, canvas.palette.line)?;
            }
            let corners = [(middle - half, y), (middle + half, y + STAGE_PX - 8)];
            canvas.rectangle(corners, canvas.palette.bar)?;
        }
        above = half;
        let muted = canvas.palette.muted;
        let text = fitted(&shown(row), TEXT_PX, values_px - share_px);
        let at = (canvas.width_px - 6 - share_px, line);
        canvas.text(&text, at, Stand::Right, muted)?;
        if let Some(share) = share_of_first(value(row), first) {
            let at = (canvas.width_px - 6, line);
            canvas.text(&format!("{share} %"), at, Stand::Right, muted)?;
        }
        let corners = [(0, y), (canvas.width_px, y + STAGE_PX - 8)];
        canvas.mark(index, 0, corners);
        y += STAGE_PX;
    }
    let unit = plot.unit();
    let note = match unit.is_empty() {
        true => "% of the first, to one place".to_owned(),
        false => format!("{unit}; % of the first, to one place"),
    };
    let note = fitted(&note, TEXT_PX, canvas.width_px - 12);
    let at = (canvas.width_px - 6, y + 6);
    canvas.text(&note, at, Stand::Right, canvas.palette.muted)
}

/// Hundredths of the first value, to one place, half to even.
fn share_of_first(value: Option<Decimal>, first: Option<Decimal>) -> Option<String> {
    let hundredths = value?
        .checked_div(first?)?
        .checked_mul(Decimal::ONE_HUNDRED)?;
    let mut share = hundredths.round_dp(1);
    share.rescale(1);
    Some(grouped_text(&share.to_string()))
}
