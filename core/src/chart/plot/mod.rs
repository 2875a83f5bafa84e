//! Pictures of exact values: numbers, tables, lines, bars, areas, heat maps, timelines, funnels, the largest few.
//!
//! A [`Plot`] says what is shown and is its own table twin; [`draw`] draws it. Numbers are texts from the data to the
//! picture: only the place of a mark, in whole pixels, is rounded. Left out: where the values come from.

mod axes;
mod bars;
mod canvas;
mod cells;
mod drawing;
pub(crate) mod scale;
mod timeline;

pub use drawing::{Drawing, Look, Mark, draw};
pub use scale::grouped_text;

use serde::Serialize;
use ts_rs::TS;

use crate::time::Time;

/// What a picture of values shows: rows of cells, which are its table twin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Plot {
    /// What kind of picture.
    pub kind: PlotKind,
    /// Title.
    pub title: String,
    /// What the labels of the rows are places on.
    pub axis: PlotAxis,
    /// A value holds until the next: a line or an area goes in steps, not straight from one to the other.
    pub steps: bool,
    /// Zone of times on the axis: `UTC`.
    pub zone: String,
    /// Heading of the rows' labels: `productId`.
    pub heading: String,
    /// What the cells of a row are, in order; of a heat map, its columns.
    pub series: Vec<PlotSeries>,
    /// What is drawn, in this order.
    pub rows: Vec<PlotRow>,
    /// What is not drawn by itself, summed up where it can be: `12 others`.
    pub rest: Option<PlotRow>,
    /// Rows there are, drawn or not.
    #[ts(type = "number")]
    pub rows_count: u64,
    /// What the picture says, for those who do not see it.
    pub alt: String,
}

/// What one cell of each row is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlotSeries {
    /// Name: `revenue`.
    pub name: String,
    /// Unit of its numbers: `USD`; empty for none.
    pub unit: String,
}

impl Plot {
    /// The unit of all series, where they have one in common; all of them where they have not: `USD, orders`.
    #[must_use]
    pub fn unit(&self) -> String {
        let mut units: Vec<&str> = Vec::new();
        for series in &self.series {
            if !series.unit.is_empty() && !units.contains(&series.unit.as_str()) {
                units.push(&series.unit);
            }
        }
        units.join(", ")
    }
}

/// What kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum PlotKind {
    /// Values, large.
    Number,
    /// Rows and columns.
    Table,
    /// A line for each series.
    Line,
    /// Columns along time, or bars by name.
    Bar,
    /// As a line, filled down to zero.
    Area,
    /// A grid whose colours are the values.
    HeatMap,
    /// What happened when, by lane.
    Timeline,
    /// Stages, each against the first.
    Funnel,
    /// The largest few.
    TopK,
}

impl PlotKind {
    /// Its word in a dashboard: `top_k`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PlotKind::Number => "number",
            PlotKind::Table => "table",
            PlotKind::Line => "line",
            PlotKind::Bar => "bar",
            PlotKind::Area => "area",
            PlotKind::HeatMap => "heat_map",
            PlotKind::Timeline => "timeline",
            PlotKind::Funnel => "funnel",
            PlotKind::TopK => "top_k",
        }
    }
}

/// What the labels of rows are places on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum PlotAxis {
    /// Names, one beside the other.
    Names,
    /// Times: the distance of two rows is the time between them.
    Time,
}

/// A row: a point of a line, a bar, a row of the table twin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlotRow {
    /// Its label, as the data has it.
    pub label: String,
    /// Document that it comes from, by key.
    pub document: Option<String>,
    /// Where it lies in the document; empty: it is the whole of it, or of no one document.
    pub path: String,
    /// One cell a series.
    pub cells: Vec<PlotCell>,
    /// When it is, or begins.
    pub from: Option<Time>,
    /// When it ends; `null`: at once, or not yet.
    pub to: Option<Time>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct PlotCell {
    /// The value as the data has it, every digit; `null` where there is none.
    pub text: Option<String>,
    /// It is a number.
    pub number: bool,
}

impl PlotCell {
    /// A number, as it is written.
    #[must_use]
    pub fn number(text: impl Into<String>) -> PlotCell {
        PlotCell {
            text: Some(text.into()),
            number: true,
        }
    }

    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> PlotCell {
        PlotCell {
            text: Some(text.into()),
            number: false,
        }
    }

    /// Nothing.
    pub const NONE: PlotCell = PlotCell {
        text: None,
        number: false,
    };

    /// The cell as it is printed: a number with its digits in groups; `–` for nothing.
    ///
    /// ```
    /// use annals_core::chart::PlotCell;
    /// assert_eq!(PlotCell::number("45678.90").shown(), "45,678.90");
    /// assert_eq!(PlotCell::NONE.shown(), "–");
    /// ```
    #[must_use]
    pub fn shown(&self) -> String {
        match (&self.text, self.number) {
            (Some(text), true) => grouped_text(text),
            (Some(text), false) => text.clone(),
            (None, _) => "–".to_owned(),
        }
    }

    /// Where it can be drawn; `None` for what is no number of at most 28 digits.
    pub(crate) fn decimal(&self) -> Option<rust_decimal::Decimal> {
        match (&self.text, self.number) {
            (Some(text), true) => scale::decimal(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
