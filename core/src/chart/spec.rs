//! What a picture shows.

use serde::Serialize;
use ts_rs::TS;

/// A picture of counts. The points are its table twin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ChartSpec {
    /// Id, one of its kind in a report.
    pub id: String,
    /// Title.
    pub title: String,
    /// What kind of picture.
    pub form: ChartForm,
    /// What is counted: `events`.
    pub unit: String,
    /// Zone that days, months and years are counted in.
    pub zone: String,
    /// What is drawn: in order of time, or most first.
    pub points: Vec<ChartPoint>,
    /// Sum of what is not drawn by itself, beside the points; 0 if everything is.
    #[ts(type = "number")]
    pub rest: u64,
    /// How many names the rest is made of.
    #[ts(type = "number")]
    pub rest_names: u64,
    /// What the picture says, for those who do not see it.
    pub alt: String,
}

impl ChartSpec {
    /// Heading of the names in the table twin: `Time (UTC)`, `Name`.
    #[must_use]
    pub fn heading(&self) -> String {
        match self.form {
            ChartForm::OverTime => format!("Time ({})", self.zone),
            ChartForm::ByName => "Name".to_owned(),
        }
    }
}

/// What kind of picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ChartForm {
    /// Columns along time; each point is a day, a month or a year.
    OverTime,
    /// Bars, one a name.
    ByName,
}

/// One column or bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ChartPoint {
    /// `2024-01-15`, `2024-01`, `2024`; a name.
    pub label: String,
    /// How many.
    #[ts(type = "number")]
    pub count: u64,
}
