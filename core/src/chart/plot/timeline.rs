//! What happened when: spans and instants, by lane.

use chrono_tz::Tz;

use super::canvas::{Canvas, Drawn, Stand, TEXT_PX, between};
use super::scale::{fitted, place_of, time_ticks, told, width_of};
use super::{Plot, PlotCell, PlotRow};
use crate::time::{Time, parse_zone};

const LANE_PX: i32 = 26;

/// The lanes, in the order in which they come.
fn lanes(plot: &Plot) -> Vec<String> {
    let mut lanes: Vec<String> = Vec::new();
    for row in &plot.rows {
        let lane = lane_of(row.cells.first());
        if !lanes.contains(&lane) {
            lanes.push(lane);
        }
    }
    lanes
}

fn lane_of(cell: Option<&PlotCell>) -> String {
    cell.and_then(|cell| cell.text.clone()).unwrap_or_default()
}

pub(super) fn height(plot: &Plot) -> i32 {
    let lanes = i32::try_from(lanes(plot).len().max(1)).unwrap_or(i32::MAX / 4096);
    8 + lanes.saturating_mul(LANE_PX) + 44
}

/// Draws a bar for what has an end and a diamond for what is an instant, with its label where there is room.
pub(super) fn timeline(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    let lanes = lanes(plot);
    let widest = lanes.iter().map(|lane| width_of(lane, TEXT_PX)).max();
    let left = widest.unwrap_or(0).min(canvas.width_px * 2 / 5) + 14;
    let right = canvas.width_px - 12;
    let bottom = canvas.height_px - 44;
    for (index, lane) in lanes.iter().enumerate() {
        let y = lane_y(index);
        let name = fitted(lane, TEXT_PX, left - 14);
        canvas.text(&name, (left - 10, y), Stand::Right, canvas.palette.ink)?;
        canvas.line(&[(left, y), (right, y)], canvas.palette.line, 1)?;
    }
    canvas.line(&[(left, bottom), (right, bottom)], canvas.palette.muted, 1)?;
    let starts = || plot.rows.iter().filter_map(|row| row.from);
    let all = || starts().chain(plot.rows.iter().filter_map(|row| row.to));
    let (Some(first), Some(last)) = (all().min(), all().max()) else {
        return Ok(());
    };
    let x = |time: Time| left + place_of(time, first, last, right - left);
    // Where the next thing of a lane begins, so that a label does not run into it.
    let mut next = vec![Vec::new(); lanes.len()];
    for row in &plot.rows {
        let lane = lane_of(row.cells.first());
        if let (Some(at), Some(from)) = (lanes.iter().position(|l| *l == lane), row.from) {
            next[at].push(x(from));
        }
    }
    next.iter_mut().for_each(|starts| starts.sort_unstable());
    for (index, row) in plot.rows.iter().enumerate() {
        let lane = lane_of(row.cells.first());
        let (Some(at), Some(from)) = (lanes.iter().position(|l| *l == lane), row.from) else {
            continue;
        };
        let (y, begin) = (lane_y(at), x(from));
        let end = row.to.map(x);
        let after = next[at].iter().find(|start| **start > begin);
        let limit = after.copied().unwrap_or(right + 10);
        let colour = canvas.colour(0);
        let text_from = match end {
            Some(end) => {
                let end = end.max(begin + 2);
                let soft = between(canvas.palette.page, colour, 45, 100);
                canvas.rectangle([(begin, y - 8), (end, y + 8)], soft)?;
                canvas.line(&[(begin, y - 8), (begin, y + 8)], colour, 2)?;
                canvas.mark(index, 0, [(begin, y - 9), (end, y + 9)]);
                begin + 5
            }
            None => {
                let diamond = vec![
                    (begin, y - 6),
                    (begin + 6, y),
                    (begin, y + 6),
                    (begin - 6, y),
                ];
                canvas.polygon(diamond, colour)?;
                canvas.mark(index, 0, [(begin - 7, y - 9), (begin + 7, y + 9)]);
                begin + 9
            }
        };
        // What happens in one lane at one place shares a label.
        let same = |other: &PlotRow| {
            lane_of(other.cells.first()) == lane && other.from.map(x) == Some(begin)
        };
        let first = plot.rows.iter().position(same) == Some(index);
        let labels: Vec<&str> = plot
            .rows
            .iter()
            .filter(|other| same(other))
            .map(|other| other.label.as_str())
            .collect();
        let label = labels.join(", ");
        if first && width_of(&label, TEXT_PX) <= limit - text_from - 8 {
            canvas.text(&label, (text_from, y), Stand::Left, canvas.palette.ink)?;
        }
    }
    axis(canvas, plot, (left, right, bottom), first, last)
}

fn lane_y(index: usize) -> i32 {
    8 + i32::try_from(index).unwrap_or(0) * LANE_PX + LANE_PX / 2
}

fn axis(
    canvas: &Canvas<'_>,
    plot: &Plot,
    (left, right, bottom): (i32, i32, i32),
    first: Time,
    last: Time,
) -> Drawn {
    let zone = parse_zone(&plot.zone).unwrap_or(Tz::UTC);
    let room = width_of("2024-12-31", TEXT_PX) + 16;
    let most = usize::try_from((right - left) / room).unwrap_or(1).max(1);
    let ticks = match first == last {
        true => vec![(first, told(first, zone))],
        false => time_ticks(first, last, zone, most),
    };
    let muted = canvas.palette.muted;
    for (time, text) in ticks {
        let x = left + place_of(time, first, last, right - left);
        canvas.line(&[(x, bottom), (x, bottom + 4)], muted, 1)?;
        let half = width_of(&text, TEXT_PX) / 2;
        let x = x.clamp(half + 1, (canvas.width_px - half - 1).max(half + 1));
        canvas.text(&text, (x, bottom + 14), Stand::Middle, muted)?;
    }
    let at = (right, canvas.height_px - 9);
    canvas.text(&format!("time, {}", plot.zone), at, Stand::Right, muted)
}
