//! A dashboard as a file: all panels in one picture, or all rows in one table.

use std::io::Write as _;
use std::path::Path;

use super::show::GAP_PX;
use super::{DashboardView, PanelView};
use crate::chart::{Palette, escaped, fitted};
use crate::export::{guarded, whole};
use crate::hidden::visible;
use crate::store::Log;

/// Room about the panels, in pixels.
const EDGE_PX: u32 = 24;
/// Height of the title above each panel, in pixels.
const TITLE_PX: u32 = 26;
/// Height of a line of notes below one.
const NOTE_PX: u32 = 18;
/// Height of the head: title, as-of.
const HEAD_PX: u32 = 64;
/// Height of a panel that says why it is empty.
const EMPTY_PX: u32 = 40;

/// The whole dashboard as one SVG picture, in two columns; of panels that were drawn by [`look_at`](super::look_at) in
/// the same palette, `width_px` wide.
#[must_use]
pub fn svg(view: &DashboardView, palette: &Palette, width_px: u32) -> String {
    let full_px = width_px * 2 + GAP_PX;
    let all_px = full_px + 2 * EDGE_PX;
    let mut body = String::new();
    // Lower ends of the two columns.
    let mut ends = [HEAD_PX, HEAD_PX];
    for panel in &view.panels {
        let column = usize::from(!panel.full && ends[1] < ends[0]);
        let top = if panel.full {
            ends[0].max(ends[1])
        } else {
            ends[column]
        };
        let left = EDGE_PX + u32::try_from(column).unwrap_or(0) * (width_px + GAP_PX);
        let wide = if panel.full { full_px } else { width_px };
        let (text, height) = panel_svg(panel, palette, (left, top), wide);
        body.push_str(&text);
        let end = top + height + GAP_PX;
        if panel.full {
            ends = [end, end];
        } else {
            ends[column] = end;
        }
    }
    let height = ends[0].max(ends[1]);
    let title = line(&view.title);
    let as_of = line(&as_of_text(view));
    let (page, ink, muted) = (hex(palette.page), hex(palette.ink), hex(palette.muted));
    format!(
        "<svg width=\"{all_px}\" height=\"{height}\" viewBox=\"0 0 {all_px} {height}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"><title>{title}</title>\n\
         <rect width=\"{all_px}\" height=\"{height}\" fill=\"{page}\"/>\n\
         <text x=\"{EDGE_PX}\" y=\"34\" font-family=\"sans-serif\" font-size=\"19\" font-weight=\"bold\" fill=\"{ink}\">{title}</text>\n\
         <text x=\"{EDGE_PX}\" y=\"53\" font-family=\"sans-serif\" font-size=\"12\" fill=\"{muted}\">{as_of}</text>\n\
         {body}</svg>\n"
    )
}

/// A panel at its place, and its height.
fn panel_svg(panel: &PanelView, palette: &Palette, (x, y): (u32, u32), wide: u32) -> (String, u32) {
    let (ink, muted, rule) = (hex(palette.ink), hex(palette.muted), hex(palette.line));
    let most = i32::try_from(wide).unwrap_or(i32::MAX);
    let title = escaped(&fitted(&visible(&panel.plot.title), 14, most));
    let mut text = format!(
        "<path d=\"M{x} {y}h{wide}\" stroke=\"{rule}\"/>\n<text x=\"{x}\" y=\"{}\" font-family=\"sans-serif\" font-size=\"14\" font-weight=\"bold\" fill=\"{ink}\">{title}</text>\n",
        y + 19
    );
    let mut height = TITLE_PX;
    let mut small = |at: u32, says: &str| {
        let says = escaped(&fitted(&visible(says).replace('\n', " "), 12, most));
        text.push_str(&format!(
            "<text x=\"{x}\" y=\"{}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"{muted}\">{says}</text>\n",
            y + at + 14
        ));
    };
    match (&panel.empty, &panel.drawing) {
        (Some(empty), _) => {
            small(height, empty);
            height += EMPTY_PX;
        }
        (None, Some(drawing)) => height += drawing.height_px,
        (None, None) => {}
    }
    let drawn_at = y + TITLE_PX;
    for note in &panel.notes {
        small(height, note);
        height += NOTE_PX;
    }
    if let (None, Some(drawing)) = (&panel.empty, &panel.drawing) {
        text.push_str(&drawing.svg.replacen(
            "<svg ",
            &format!("<svg x=\"{x}\" y=\"{drawn_at}\" "),
            1,
        ));
    }
    (text, height)
}

/// The as-of of an answer in words: `as of 2024-01-10T23:59:59.999999999Z, known up to position 40`.
#[must_use]
pub(super) fn as_of_text(view: &DashboardView) -> String {
    let at = match view.as_of.at {
        Some(at) => format!("as of {at}"),
        None => "as of the last event".to_owned(),
    };
    let reached = view
        .sources
        .iter()
        .filter_map(|source| source.position)
        .max();
    let known = match (view.as_of.known, reached) {
        (Some(known), _) => format!(", as known at position {known}"),
        (None, Some(reached)) => format!(", position {reached}"),
        (None, None) => String::new(),
    };
    format!("{at}{known}; times in {}", view.zone)
}

fn line(text: &str) -> String {
    escaped(&visible(text).replace(['\n', '\t'], " "))
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The heading of the table of [`csv`].
const HEADING: [&str; 13] = [
    "panel", "title", "kind", "source", "name", "document", "path", "label", "series", "value",
    "unit", "from", "to",
];

/// All cells of a dashboard as one table, CSV (RFC 4180): a line for each, with the panel that it is of, the document
/// and the path that it comes from. Numbers as the data has them; a text that a spreadsheet would run begins with an
/// apostrophe.
#[must_use]
pub fn csv(view: &DashboardView) -> String {
    let mut out = HEADING.join(",") + "\r\n";
    for (index, panel) in view.panels.iter().enumerate() {
        let source = &view.sources[panel.source];
        for row in panel.plot.rows.iter().chain(&panel.plot.rest) {
            for (series, cell) in panel.plot.series.iter().zip(&row.cells) {
                let time = |time: Option<crate::time::Time>| {
                    time.map_or_else(String::new, |time| time.to_string())
                };
                let text = |text: &str| guarded(text.to_owned());
                let value = match (&cell.text, cell.number) {
                    (Some(number), true) => number.clone(),
                    (Some(other), false) => text(other),
                    (None, _) => String::new(),
                };
                let cells = [
                    (index + 1).to_string(),
                    text(&panel.plot.title),
                    panel.plot.kind.name().to_owned(),
                    source.kind.name().to_owned(),
                    text(&source.name),
                    text(row.document.as_deref().unwrap_or_default()),
                    text(&row.path),
                    text(&row.label),
                    text(&series.name),
                    value,
                    text(&series.unit),
                    time(row.from),
                    time(row.to),
                ];
                out.push_str(&cells.map(|cell| quoted(&cell)).join(","));
                out.push_str("\r\n");
            }
        }
    }
    out
}

fn quoted(cell: &str) -> String {
    match cell.contains(['"', ',', '\r', '\n']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell.to_owned(),
    }
}

/// Writes a picture or a table to a file, whole or not at all; in place of a file of that name, but never of a store.
///
/// # Errors
/// The system's error, or one that says what stands in the way.
pub fn write(log: &Log, file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    whole::may_write(log, file)?;
    let mut temporary = whole::new_file(file)?;
    temporary.write_all(bytes)?;
    temporary.as_file().sync_all()?;
    whole::put(temporary, file)
}
