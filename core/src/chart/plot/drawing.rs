//! A drawn picture: SVG text, and where its marks are.

use plotters::backend::SVGBackend;
use plotters::drawing::IntoDrawingArea;
use serde::Serialize;
use ts_rs::TS;

use super::canvas::{Canvas, Drawn};
use super::{Plot, PlotCell, PlotKind, PlotRow, PlotSeries, axes, bars, cells, timeline};
use crate::chart::Palette;
use crate::chart::draw::escaped;
use crate::hidden::visible;

/// How a picture is to look.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Its colours.
    pub palette: &'a Palette,
    /// Its width, in pixels; from 240 to 4,000.
    pub width_px: u32,
}

/// A drawn picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Drawing {
    /// The picture, SVG; its page is transparent.
    pub svg: String,
    /// Width, in pixels.
    pub width_px: u32,
    /// Height, in pixels.
    pub height_px: u32,
    /// What can be pointed at.
    pub marks: Vec<Mark>,
}

/// A place in a picture that stands for a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Mark {
    /// Row of the plot, first is 0; one more than the last is the rest.
    pub row: u32,
    /// Series, first is 0.
    pub series: u32,
    /// Left edge, in pixels.
    pub x_px: u32,
    /// Upper edge, in pixels.
    pub y_px: u32,
    /// Width, in pixels.
    pub width_px: u32,
    /// Height, in pixels.
    pub height_px: u32,
}

/// Draws the picture. In the SVG each mark is an element of the class `mark` whose attributes `data-row`, `data-series`
/// and `data-key` say what it stands for, with its values as its title.
///
/// ```
/// use annals_core::chart::{Look, PAPER, Plot, PlotAxis, PlotCell, PlotKind, PlotRow, PlotSeries, draw};
/// let row = |label: &str, text: &str| PlotRow {
///     label: label.into(), document: Some("all".into()), path: "products[0]".into(), cells: vec![PlotCell::number(text)], from: None, to: None,
/// };
/// let plot = Plot {
///     kind: PlotKind::TopK, title: "Products".into(), axis: PlotAxis::Names, steps: false,
///     zone: "UTC".into(), heading: "product".into(), series: vec![PlotSeries { name: "revenue".into(), unit: "USD".into() }],
///     rows: vec![row("prod-123", "5432.10"), row("prod-456", "3210.50")],
///     rest: None, rows_count: 2, alt: "two products".into(),
/// };
/// let drawing = draw(&plot, &Look { palette: &PAPER, width_px: 480 });
/// assert!(drawing.svg.contains("5,432.10") && drawing.svg.contains("data-key=\"all\""));
/// assert_eq!(drawing.marks.len(), 2);
/// ```
///
/// # Panics
/// Never: a picture in memory is written without an error.
#[must_use]
pub fn draw(plot: &Plot, look: &Look<'_>) -> Drawing {
    let width_px = i32::try_from(look.width_px.clamp(240, 4_000)).unwrap_or(240);
    let plot = &visibly(plot);
    let height_px = height(plot, width_px);
    let mut svg = String::new();
    let marks = {
        let size = (width_px.unsigned_abs(), height_px.unsigned_abs());
        let mut canvas = Canvas {
            area: SVGBackend::with_string(&mut svg, size).into_drawing_area(),
            palette: look.palette,
            width_px,
            height_px,
            marks: Vec::new(),
        };
        drawn(&mut canvas, plot)
            .and_then(|()| canvas.area.present())
            .expect("a picture in memory is written without an error");
        std::mem::take(&mut canvas.marks)
    };
    Drawing {
        svg: with_marks(&svg, plot, &marks),
        width_px: width_px.unsigned_abs(),
        height_px: height_px.unsigned_abs(),
        marks,
    }
}

/// The plot with what nobody sees, or what turns text round, written out.
fn visibly(plot: &Plot) -> Plot {
    let line = |text: &String| visible(text).replace(['\n', '\t'], " ");
    let row = |row: &PlotRow| PlotRow {
        label: line(&row.label),
        document: row.document.as_ref().map(line),
        path: line(&row.path),
        cells: row
            .cells
            .iter()
            .map(|cell| PlotCell {
                text: cell.text.as_ref().map(line),
                number: cell.number,
            })
            .collect(),
        from: row.from,
        to: row.to,
    };
    let Plot {
        kind,
        title,
        axis,
        steps,
        zone,
        heading,
        series,
        rows,
        rest,
        rows_count,
        alt,
    } = plot;
    Plot {
        kind: *kind,
        title: line(title),
        axis: *axis,
        steps: *steps,
        zone: line(zone),
        heading: line(heading),
        series: series
            .iter()
            .map(|PlotSeries { name, unit }| PlotSeries {
                name: line(name),
                unit: line(unit),
            })
            .collect(),
        rows: rows.iter().map(row).collect(),
        rest: rest.as_ref().map(row),
        rows_count: *rows_count,
        alt: line(alt),
    }
}

fn height(plot: &Plot, width_px: i32) -> i32 {
    match plot.kind {
        PlotKind::Number => cells::number_height(plot, width_px),
        PlotKind::Table => cells::table_height(plot),
        PlotKind::Line | PlotKind::Area => axes::height(plot, width_px),
        PlotKind::Bar => match plot.axis {
            super::PlotAxis::Time => axes::height(plot, width_px),
            super::PlotAxis::Names => bars::height(plot, width_px),
        },
        PlotKind::TopK => bars::height(plot, width_px),
        PlotKind::Funnel => bars::funnel_height(plot),
        PlotKind::HeatMap => cells::heat_height(plot),
        PlotKind::Timeline => timeline::height(plot),
    }
}

fn drawn(canvas: &mut Canvas<'_>, plot: &Plot) -> Drawn {
    match plot.kind {
        PlotKind::Number => cells::number(canvas, plot),
        PlotKind::Table => cells::table(canvas, plot),
        PlotKind::Line | PlotKind::Area => axes::lines(canvas, plot),
        PlotKind::Bar => match plot.axis {
            super::PlotAxis::Time => axes::columns(canvas, plot),
            super::PlotAxis::Names => bars::bars(canvas, plot),
        },
        PlotKind::TopK => bars::bars(canvas, plot),
        PlotKind::Funnel => bars::funnel(canvas, plot),
        PlotKind::HeatMap => cells::heat_map(canvas, plot),
        PlotKind::Timeline => timeline::timeline(canvas, plot),
    }
}

/// Puts in what the picture says and the places that can be pointed at.
fn with_marks(svg: &str, plot: &Plot, marks: &[Mark]) -> String {
    let Some((head, body)) = svg.split_once('>') else {
        return svg.to_owned();
    };
    let body = body.trim_end().strip_suffix("</svg>").unwrap_or(body);
    let title = escaped(&plot.alt);
    let mut out = format!("{head} role=\"img\"><title>{title}</title>{body}");
    for mark in marks {
        out.push_str(&place(plot, *mark));
    }
    out.push_str("</svg>\n");
    out
}

fn place(plot: &Plot, mark: Mark) -> String {
    let Mark {
        row,
        series,
        x_px,
        y_px,
        width_px,
        height_px,
    } = mark;
    let (at, of) = (row as usize, series as usize);
    let Some(shown) = plot.rows.get(at).or(plot.rest.as_ref()) else {
        return String::new();
    };
    let key = shown.document.as_deref().map_or(String::new(), |key| {
        format!(" data-key=\"{}\"", escaped(key))
    });
    let says = escaped(&plot.says(at, of));
    format!(
        "<rect class=\"mark\" data-row=\"{row}\" data-series=\"{series}\"{key} x=\"{x_px}\" y=\"{y_px}\" width=\"{width_px}\" height=\"{height_px}\" fill=\"#000000\" fill-opacity=\"0\"><title>{says}</title></rect>\n"
    )
}

impl Plot {
    /// What a mark says: `prod-123, revenue: 5,432.10 USD`.
    #[must_use]
    pub fn says(&self, row: usize, series: usize) -> String {
        let Some(shown) = self.rows.get(row).or(self.rest.as_ref()) else {
            return String::new();
        };
        let of = self.series.get(series);
        let name = match of {
            Some(PlotSeries { name, .. }) if !name.is_empty() && *name != shown.label => {
                format!(", {name}")
            }
            _ => String::new(),
        };
        if self.kind == PlotKind::Timeline {
            let lane = shown.cells.first().map(PlotCell::shown);
            let time = |time: Option<crate::time::Time>| time.map(|time| time.to_string());
            let parts = [
                Some(shown.label.clone()),
                lane,
                time(shown.from),
                time(shown.to),
            ];
            return parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        }
        let cell = shown.cells.get(series);
        let value = cell.map_or_else(String::new, PlotCell::shown);
        let unit = match (cell, of) {
            (Some(cell), Some(PlotSeries { unit, .. })) if cell.number && !unit.is_empty() => {
                format!(" {unit}")
            }
            _ => String::new(),
        };
        format!("{}{name}: {value}{unit}", shown.label)
    }
}
