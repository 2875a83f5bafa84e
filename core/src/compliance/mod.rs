//! Compliance reports: a template says what a regulation wants to see, a report is the answer of one log to it.
//!
//! [`Report`] is what every form prints; [`ReportRows`] holds the rows of its tables. Left out: how a page looks,
//! which is each form's own.

mod report;
mod rows;

pub use crate::chart::{ChartForm, ChartPoint, ChartSpec};
pub use report::{
    AccessLogState, Block, Cell, CellKind, CheckOutcome, CheckResult, Column, Completeness,
    ControlTotal, Entry, FirstPage, Report, ReportAsOf, ReportScope, ReportSource, Row, RowEvent,
    STATEMENT, Section, SubjectScope, Table, TableCount, TemplateOrigin, TemplateRef,
};
pub use rows::ReportRows;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::store::{EventQuery, ReadError};
use crate::time::Time;

/// A report with its rows, ready to be printed in any form.
#[derive(Debug)]
pub struct MadeReport {
    /// Everything but the rows.
    pub report: Report,
    /// The rows of its tables.
    pub rows: ReportRows,
}

/// What a report is to be made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ReportRequest {
    /// Name of the template.
    pub template: String,
    /// Which events; `direction` and `after` are left aside. `known` is the second coordinate of the as-of.
    #[serde(default)]
    pub query: EventQuery,
    /// Whom the report is about, where the template asks for a subject or takes one.
    #[serde(default)]
    pub subject: Option<String>,
    /// Events that had happened by then; all if `null`.
    #[serde(default)]
    pub at: Option<Time>,
    /// Zone that days are counted in: an IANA name.
    pub zone: String,
    /// How dates and times that left a choice were read; printed on the first page.
    #[serde(default)]
    pub readings: Vec<String>,
    /// Settings of the template that are not to be its defaults.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// What for.
    #[serde(default)]
    pub purpose: Option<String>,
    /// Who makes it.
    #[serde(default)]
    pub operator: Option<String>,
    /// When it is made: printed where it is given. Core reads no clock.
    #[serde(default)]
    pub made_at: Option<Time>,
    /// Whether this report was entered in the access log. Filled by hosts.
    pub access_log: AccessLogState,
}

/// Why a report was not made or not written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file could not be written, or the rows kept beside could not be.
    #[error("the report could not be written: {0}")]
    Io(#[from] std::io::Error),
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}
