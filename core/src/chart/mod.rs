//! Pictures of counts: the same in a report and in the app.
//!
//! A [`ChartSpec`] says what is drawn, [`svg()`] draws it. Left out: what is counted, and the table that stands beside
//! every picture, which are the caller's.

mod draw;
mod spec;

pub use draw::{INK, PAPER, Palette, grouped, svg};
pub use spec::{ChartForm, ChartPoint, ChartSpec};
