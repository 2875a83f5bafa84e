//! Numbers, tables and heat maps: pictures whose cells are read one by one.

use super::canvas::{Canvas, Drawn, Stand, TEXT_PX, between};
use super::scale::{Span, fitted, tick_texts, width_of};
use super::{Plot, PlotCell, PlotSeries};

/// Heights of the letters of a number, the largest that fits is taken.
const NUMBER_PX: [i32; 4] = [34, 28, 22, 17];
const SMALLEST_PX: i32 = 13;
const LINE_PX: i32 = 22;
const CELL_PX: i32 = 22;

/// Values of a picture of numbers: name, text, row and series.
fn values(plot: &Plot) -> Vec<(String, String, usize, usize)> {
    let mut values = Vec::new();
    for (row, shown) in plot.rows.iter().enumerate() {
        for (series, cell) in shown.cells.iter().enumerate() {
            let of = plot.series.get(series);
            let name = match (plot.rows.len(), of) {
                (1, Some(series)) => series.name.clone(),
                _ => shown.label.clone(),
            };
            let unit = match of {
                Some(series) if cell.number && !series.unit.is_empty() => {
                    format!(" {}", series.unit)
                }
                _ => String::new(),
            };
            values.push((name, format!("{}{unit}", cell.shown()), row, series));
        }
    }
    values
}

/// How many numbers stand side by side, so that none has to be cut.
fn across(values: &[(String, String, usize, usize)], width_px: i32) -> i32 {
    let widest = values
        .iter()
        .map(|(_, text, ..)| width_of(text, SMALLEST_PX))
        .max();
    let room = widest.unwrap_or(0).max(154) + 16;
    let fitting = (width_px / room).max(1);
    i32::try_from(values.len().max(1)).unwrap_or(1).min(fitting)
}

pub(super) fn number_height(plot: &Plot, width_px: i32) -> i32 {
    let values = values(plot);
    let count = values.len().max(1);
    let across = across(&values, width_px);
    let lines = (i32::try_from(count).unwrap_or(1) + across - 1) / across;
    lines * number_px(count) + 6
}

fn number_px(count: usize) -> i32 {
    if count > 1 { 78 } else { 62 }
}

/// Draws values large; their names below them where there are several.
pub(super) fn number(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    let values = values(plot);
    let count = values.len();
    let across = across(&values, canvas.width_px);
    let wide = canvas.width_px / across;
    for (index, (name, text, row, series)) in values.into_iter().enumerate() {
        let index = i32::try_from(index).unwrap_or(0);
        let (x, y) = (index % across * wide, index / across * number_px(count));
        let room = wide - 16;
        let size = NUMBER_PX
            .into_iter()
            .find(|size| width_of(&text, *size) <= room)
            .unwrap_or(SMALLEST_PX);
        let shown = fitted(&text, size, room);
        canvas.text_of(
            &shown,
            (x + 8, y + 32),
            Stand::Left,
            canvas.palette.ink,
            size,
        )?;
        if count > 1 {
            let name = fitted(&name, TEXT_PX, room);
            canvas.text(&name, (x + 8, y + 62), Stand::Left, canvas.palette.muted)?;
        }
        let corners = [(x, y), (x + wide, y + number_px(count))];
        canvas.mark(row, series, corners);
    }
    Ok(())
}

pub(super) fn table_height(plot: &Plot) -> i32 {
    let rows = plot.rows.len() + usize::from(plot.rest.is_some());
    i32::try_from(rows + 1)
        .unwrap_or(i32::MAX / 4096)
        .saturating_mul(LINE_PX)
        + 8
}

/// Draws rows and columns; numbers at the right of theirs.
pub(super) fn table(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    let numbers: Vec<bool> = (0..plot.series.len())
        .map(|series| {
            let mut cells = plot.rows.iter().filter_map(|row| row.cells.get(series));
            cells.all(|cell| cell.number || cell.text.is_none())
        })
        .collect();
    let widths = column_widths(plot, canvas.width_px);
    let line = |canvas: &Canvas<'_>, y: i32, label: &str, cells: &[String], head: bool| {
        let colour = match head {
            true => canvas.palette.muted,
            false => canvas.palette.ink,
        };
        let mut x = 0;
        let texts = std::iter::once(label).chain(cells.iter().map(String::as_str));
        for (at, (text, wide)) in texts.zip(&widths).enumerate() {
            let text = fitted(text, TEXT_PX, wide - 12);
            let right = at > 0 && numbers.get(at - 1).copied().unwrap_or(false);
            match right {
                true => canvas.text(&text, (x + wide - 6, y), Stand::Right, colour)?,
                false => canvas.text(&text, (x + 6, y), Stand::Left, colour)?,
            }
            x += wide;
        }
        Ok(())
    };
    let headings: Vec<String> = plot
        .series
        .iter()
        .zip(&numbers)
        .map(|(series, number)| match *number {
            true => heading(series),
            false => series.name.clone(),
        })
        .collect();
    line(canvas, LINE_PX / 2 + 2, &plot.heading, &headings, true)?;
    let mut y = LINE_PX + 2;
    for (index, row) in plot.rows.iter().chain(&plot.rest).enumerate() {
        canvas.line(&[(0, y), (canvas.width_px, y)], canvas.palette.line, 1)?;
        let cells: Vec<String> = row.cells.iter().map(PlotCell::shown).collect();
        line(canvas, y + LINE_PX / 2, &row.label, &cells, false)?;
        canvas.mark(index, 0, [(0, y), (canvas.width_px, y + LINE_PX)]);
        y += LINE_PX;
    }
    Ok(())
}

/// Widths of the columns, labels first: what they need, cut down in proportion where that is too much.
fn column_widths(plot: &Plot, width_px: i32) -> Vec<i32> {
    let all = || plot.rows.iter().chain(&plot.rest);
    let label = all().map(|row| width_of(&row.label, TEXT_PX)).max();
    let mut needs = vec![label.unwrap_or(0).max(width_of(&plot.heading, TEXT_PX)) + 14];
    for (at, series) in plot.series.iter().enumerate() {
        let heading = width_of(&heading(series), TEXT_PX);
        let cells = all().filter_map(|row| row.cells.get(at));
        let widest = cells.map(|cell| width_of(&cell.shown(), TEXT_PX)).max();
        needs.push(widest.unwrap_or(0).max(heading) + 14);
    }
    let whole: i64 = needs.iter().map(|n| i64::from(*n)).sum();
    let count = i64::try_from(needs.len()).unwrap_or(1);
    let width = i64::from(width_px);
    needs
        .iter()
        .map(|need| {
            let need = i64::from(*need);
            let wide = match whole > width {
                true => need * width / whole,
                false => need + (width - whole) / count,
            };
            i32::try_from(wide).unwrap_or(20)
        })
        .collect()
}

/// Name and unit of a column.
fn heading(series: &PlotSeries) -> String {
    match series.unit.is_empty() {
        true => series.name.clone(),
        false => format!("{} ({})", series.name, series.unit),
    }
}

pub(super) fn heat_height(plot: &Plot) -> i32 {
    let rows = i32::try_from(plot.rows.len().max(1)).unwrap_or(i32::MAX / 4096);
    8 + rows.saturating_mul(CELL_PX) + 22 + 26
}

/// Draws a grid whose colours are the values, which stand in the cells where there is room.
pub(super) fn heat_map(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    let cells = || plot.rows.iter().flat_map(|row| &row.cells);
    let span = Span::of(cells().filter_map(PlotCell::decimal), true);
    let names = plot.rows.iter().map(|row| width_of(&row.label, TEXT_PX));
    let left = names.max().unwrap_or(0).min(canvas.width_px * 2 / 5) + 10;
    let right = canvas.width_px - 6;
    let columns = i32::try_from(plot.series.len().max(1)).unwrap_or(1);
    let x = |column: i32| left + (right - left) * column / columns;
    let widest = cells().map(|cell| width_of(&cell.shown(), TEXT_PX)).max();
    let told = widest.unwrap_or(0) + 4 <= (right - left) / columns;
    let mut y = 8;
    for (row, shown) in plot.rows.iter().enumerate() {
        let name = fitted(&shown.label, TEXT_PX, left - 10);
        let middle = y + CELL_PX / 2;
        canvas.text(&name, (left - 6, middle), Stand::Right, canvas.palette.ink)?;
        for (series, cell) in shown.cells.iter().enumerate() {
            let column = i32::try_from(series).unwrap_or(0);
            let corners = [(x(column), y), (x(column + 1) - 1, y + CELL_PX - 1)];
            if let Some(value) = cell.decimal() {
                let share = span.place(value, 100);
                canvas.rectangle(corners, heat(canvas, share))?;
                if told {
                    let ink = match share > 55 {
                        true => canvas.palette.page,
                        false => canvas.palette.ink,
                    };
                    let at = (i32::midpoint(corners[0].0, corners[1].0), middle);
                    canvas.text(&cell.shown(), at, Stand::Middle, ink)?;
                }
            }
            canvas.mark(row, series, corners);
        }
        y += CELL_PX;
    }
    heat_columns(canvas, plot, &x, y)?;
    heat_legend(canvas, plot, span, left)
}

fn heat(canvas: &Canvas<'_>, share: i32) -> [u8; 3] {
    between(
        canvas.palette.page,
        canvas.palette.bar,
        8 + share * 92 / 100,
        100,
    )
}

/// Names of the columns, as many as fit without touching.
fn heat_columns(canvas: &Canvas<'_>, plot: &Plot, x: &dyn Fn(i32) -> i32, y: i32) -> Drawn {
    let widest = plot.series.iter().map(|s| width_of(&s.name, TEXT_PX)).max();
    let room = widest.unwrap_or(0) + 8;
    let columns = i32::try_from(plot.series.len()).unwrap_or(1).max(1);
    let wide = ((x(columns) - x(0)) / columns).max(1);
    let step = usize::try_from((room + wide - 1) / wide)
        .unwrap_or(1)
        .max(1);
    for (series, PlotSeries { name, .. }) in plot.series.iter().enumerate().step_by(step) {
        let column = i32::try_from(series).unwrap_or(0);
        let half = width_of(name, TEXT_PX) / 2;
        let most = (canvas.width_px - half - 1).max(half + 1);
        let middle = i32::midpoint(x(column), x(column + 1)).clamp(half + 1, most);
        canvas.text(name, (middle, y + 11), Stand::Middle, canvas.palette.muted)?;
    }
    Ok(())
}

/// What the colours mean.
fn heat_legend(canvas: &Canvas<'_>, plot: &Plot, span: Span, left: i32) -> Drawn {
    let y = canvas.height_px - 14;
    let texts = tick_texts(&[span.low, span.high]);
    let [low, high] = texts.as_slice() else {
        return Ok(());
    };
    let mut x = left;
    canvas.text(low, (x, y), Stand::Left, canvas.palette.muted)?;
    x += width_of(low, TEXT_PX) + 6;
    for share in (0..=100).step_by(10) {
        canvas.rectangle([(x, y - 5), (x + 9, y + 5)], heat(canvas, share))?;
        x += 9;
    }
    let high = format!("{high} {}", plot.unit());
    let text = fitted(high.trim_end(), TEXT_PX, canvas.width_px - x - 8);
    canvas.text(&text, (x + 6, y), Stand::Left, canvas.palette.muted)
}
