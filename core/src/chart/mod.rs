//! Pictures: the same in a report, in the app and from the command line.
//!
//! A [`ChartSpec`] says what a picture of counts shows, [`svg()`] draws it; a [`Plot`] says what one of exact values
//! shows, [`draw()`] draws it. Left out: what is counted and where values come from, which are the caller's.

mod draw;
mod plot;
mod spec;

pub(crate) use draw::escaped;
pub use draw::{INK, PAPER, Palette, grouped, svg};
pub(crate) use plot::scale::fitted;
pub use plot::{
    Drawing, Look, Mark, Plot, PlotAxis, PlotCell, PlotKind, PlotRow, PlotSeries, draw,
    grouped_text,
};
pub use spec::{ChartForm, ChartPoint, ChartSpec};
