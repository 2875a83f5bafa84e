//! Compliance reports: a template says what a regulation wants to see, a report is the answer of one log to it.
//!
//! [`Report`] is what every form prints; [`ReportRows`] holds the rows of its tables. Left out: how a page looks,
//! which is each form's own.

mod answers;
mod asked;
mod cells;
mod charts;
mod checks;
mod exceptions;
mod lineage;
mod make;
mod output;
mod page;
mod report;
mod rows;
mod seen;
mod states;
mod tables;
mod template;
mod unattributed;

pub use make::make;
pub use output::{
    ReportForm, ReportView, WrittenFile, write_csv, write_html, write_jsonl, write_report,
    write_whole,
};
pub use page::{PageGroup, PageGroupForm, first_page};

pub use crate::chart::{ChartForm, ChartPoint, ChartSpec};
pub use crate::hidden::visible;
pub use report::{
    AccessLogState, Block, Cell, CellKind, CheckOutcome, CheckResult, Column, Completeness,
    ControlTotal, Entry, FirstPage, Layout, LineageCount, Report, ReportAsOf, ReportScope,
    ReportSource, Row, RowEvent, STATEMENT, Section, SubjectScope, Table, TableCount,
    TemplateOrigin, TemplateRef,
};
pub use rows::ReportRows;
pub use template::{
    CheckedTemplateView, LayoutFile, Template, TemplateError, TemplateRow, TemplateSet,
    TemplatesView, check, read_layout,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::answers::AnswersError;
use crate::store::{EventQuery, ReadError};
use crate::temporal::TemporalError;
use crate::time::{Time, TimeError};

/// A report with its rows, ready to be printed in any form.
#[derive(Debug)]
pub struct MadeReport {
    /// Everything but the rows.
    pub report: Report,
    /// The rows of its tables.
    pub rows: ReportRows,
    /// The layout of the user's own that its pages are set by; empty where there is none.
    pub layout: Vec<LayoutFile>,
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

impl ReportRequest {
    /// The whole log, now, by the template of this name, days counted in UTC; nothing else stated.
    #[must_use]
    pub fn of(template: &str) -> ReportRequest {
        ReportRequest {
            template: template.to_owned(),
            query: EventQuery::default(),
            subject: None,
            at: None,
            zone: "UTC".to_owned(),
            readings: Vec::new(),
            settings: BTreeMap::new(),
            purpose: None,
            operator: None,
            made_at: None,
            access_log: AccessLogState::NotKept,
        }
    }
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
    /// A state could not be told.
    #[error(transparent)]
    State(#[from] TemporalError),
    /// There is no template of this name.
    #[error("there is no report template {name:?}; there is {}", known.join(", "))]
    NoTemplate {
        /// The name.
        name: String,
        /// Names that there are.
        known: Vec<String>,
    },
    /// A section's question or query was not answered.
    #[error("section {section}: {error}")]
    Answer {
        /// The section.
        section: String,
        /// Why.
        error: Box<AnswersError>,
    },
    /// The template needs a part of the scope that is not stated.
    #[error("a report by {template} needs {}", need_in_words(what))]
    Needs {
        /// The template.
        template: String,
        /// `subject`, `actor`, `stream`, `period`, `at`.
        what: &'static str,
    },
    /// The template is about no subject.
    #[error("a report by {template} is about no subject")]
    NoSubject {
        /// The template.
        template: String,
    },
    /// A setting is none of the template's, or has another value than it takes.
    #[error("setting {name} = {value:?} does not fit {template}: {expected}")]
    BadSetting {
        /// The template.
        template: String,
        /// The setting.
        name: String,
        /// What was chosen.
        value: String,
        /// What would fit.
        expected: String,
    },
    /// The zone is none.
    #[error(transparent)]
    Zone(#[from] TimeError),
    /// The user cancelled.
    #[error("cancelled")]
    Cancelled,
}

fn need_in_words(what: &str) -> &'static str {
    match what {
        "subject" => "a subject: whom it is about",
        "actor" => "an actor",
        "stream" => "a stream",
        "period" => "a period: from when to when",
        _ => "an instant: as of when",
    }
}

/// Heading and kind of a column.
fn column(template: &Template, col: template::Col) -> Column {
    let (id, title, kind) = match col {
        template::Col::Field(at) => match template.fields.get(at) {
            Some(field) => (field.id.as_str(), field.title.as_str(), field.kind),
            None => ("", "", CellKind::Text),
        },
        known => template::columns::named(known).unwrap_or(("", "", CellKind::Text)),
    };
    Column {
        id: id.to_owned(),
        title: title.to_owned(),
        kind,
    }
}

/// `1 event`, `2,000 events`.
fn plural(count: u64, word: &str) -> String {
    match count {
        1 => format!("1 {word}"),
        _ => format!("{} {word}s", crate::chart::grouped(count)),
    }
}

#[cfg(test)]
mod tests;
