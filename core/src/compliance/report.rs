//! The report model: what every form of a report (PDF, spreadsheet, page, lines) prints.
//!
//! A [`Report`] is small whatever it reports on: it holds the first page, the sections and what is to be known of each
//! table. The rows of the tables are in [`ReportRows`](super::ReportRows), read one by one.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::access_log::{self, AccessLog, AccessLogError, AccessState};
use crate::chart::ChartSpec;
use crate::finding::{Finding, FindingKind, Place, Severity};
use crate::integrity::Hash;
use crate::model::ModelRef;
use crate::position::{Position, Version};
use crate::store::Head;
use crate::temporal::AsOfView;
use crate::time::Time;

/// The line that stands on every first page.
pub const STATEMENT: &str = "Evidence, not a legal determination";

/// A report without its rows: `annals report make --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Report {
    /// What it is called.
    pub title: String,
    /// The rule that it answers to, as the template says it: `SOX 404 / ITGC`.
    pub regime: String,
    /// Template that it was made by.
    pub template: TemplateRef,
    /// How its pages lie.
    pub layout: Layout,
    /// The generated first page.
    pub first_page: FirstPage,
    /// Everything after the first page, in order.
    pub sections: Vec<Section>,
}

/// How the pages of a report lie: the form PDF, by what the template names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// A4, upright; a section whose table needs it lies on its side.
    #[default]
    Report,
    /// The same on paper of the format Letter.
    Letter,
    /// A4 on its side throughout, for wide tables.
    Ledger,
    /// A4 upright throughout: columns without room stand below each row.
    Portrait,
}

impl Layout {
    /// All of them.
    pub const ALL: [Layout; 4] = [
        Layout::Report,
        Layout::Letter,
        Layout::Ledger,
        Layout::Portrait,
    ];

    /// What templates call it.
    ///
    /// ```
    /// use annals_core::compliance::Layout;
    /// assert_eq!(Layout::ALL.map(Layout::name), ["report", "letter", "ledger", "portrait"]);
    /// ```
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Layout::Report => "report",
            Layout::Letter => "letter",
            Layout::Ledger => "ledger",
            Layout::Portrait => "portrait",
        }
    }
}

/// Names a template for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct TemplateRef {
    /// Name: `audit-trail`.
    pub name: String,
    /// The template's own version.
    pub version: String,
    /// SHA-256 of its text.
    pub hash: Hash,
    /// Whether it comes with Annals or is the user's own.
    pub origin: TemplateOrigin,
    /// The layout of the user's own that its pages are set by, with the files that it reads; none where they are set
    /// by the one that comes with Annals.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub own_layout: Option<Vec<LayoutFileRef>>,
}

/// Names a file of a layout for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LayoutFileRef {
    /// Its name as seen from the folder of templates: `mine.typ`, `mine/logo.svg`.
    pub name: String,
    /// SHA-256 of its bytes.
    pub hash: Hash,
}

/// Where a template comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum TemplateOrigin {
    /// It comes with Annals.
    Shipped,
    /// A file in the store's folder, of a name that none of the shipped ones has.
    Own,
    /// A file in the store's folder that stands in for the shipped one of the same name.
    Override,
}

/// What an auditor asks of any list before its first row: source, scope, completeness, accuracy, integrity. All of it
/// is generated, none of it typed.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct FirstPage {
    /// [`STATEMENT`].
    pub statement: String,
    /// How long such records are to be kept, as the template says it.
    pub retention: String,
    /// What was read.
    pub source: ReportSource,
    /// Which part of it.
    pub scope: ReportScope,
    /// Moment, zone and the data that zones are computed with.
    pub as_of: ReportAsOf,
    /// That nothing of the scope is missing.
    pub completeness: Completeness,
    /// Models that states in this report are folded with, by name; the inferred fold where none is declared.
    pub models: Vec<ModelRef>,
    /// Faults in the data that was read.
    pub findings: Vec<Finding>,
    /// What was checked, in one sentence each.
    pub checked: Vec<String>,
    /// What was not checked, in one sentence each.
    pub not_checked: Vec<String>,
    /// Whether this report is in the access log.
    pub access_log: AccessLogState,
    /// Who made the report; `null`: not stated.
    pub operator: Option<String>,
    /// What for; `null`: not stated.
    pub purpose: Option<String>,
    /// When it was made, as handed in; `null`: not stated, so that the same question gives the same bytes.
    pub made_at: Option<Time>,
    /// Version of Annals that made it.
    pub annals: String,
}

/// What a report was read from.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ReportSource {
    /// Name of the file, without its folder.
    pub file: String,
    /// Identity of the log: `annals/<uuid>` is its origin.
    pub log: String,
    /// Size and root of the log at the moment of reading.
    pub head: Head,
    /// Number of streams in the log.
    #[ts(type = "number")]
    pub streams: u64,
    /// Earliest time in the log; `null` if it is empty.
    pub first_time: Option<Time>,
    /// Latest time in the log; `null` if it is empty.
    pub last_time: Option<Time>,
    /// When the log took its last event; `null` if it is empty.
    pub last_recorded_at: Option<Time>,
    /// Sources that events were imported from, oldest first: at most 20.
    pub imported_from: Vec<String>,
    /// How many sources there are.
    #[ts(type = "number")]
    pub imported_from_count: u64,
}

/// Which events a report is about.
#[derive(Debug, Clone, Default, Serialize, TS)]
#[ts(export)]
pub struct ReportScope {
    /// Each condition, as `name` and `value`; empty: the whole log.
    pub filters: Vec<Entry>,
    /// The subject, and by which fields it was found; `null`: the report is about no subject.
    pub subject: Option<SubjectScope>,
    /// Settings of the template, with what was chosen.
    pub settings: Vec<Entry>,
    /// How dates and times that left a choice were read.
    pub readings: Vec<String>,
}

/// A person (or thing) that a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SubjectScope {
    /// Who.
    pub subject: String,
    /// An event is about the subject if one of these is it: `stream`, `actor`, `data.patientId`.
    pub found_by: Vec<String>,
}

/// The moment that a report answers for.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ReportAsOf {
    /// Both coordinates; `known` is always stated: where none was asked for, it is the log's size.
    #[serde(flatten)]
    pub as_of: AsOfView,
    /// Zone that days are counted in, an IANA name. Times are printed in UTC.
    pub zone: String,
    /// Version of the time-zone data: `2025b`.
    pub tz_data: String,
}

/// Counts and control totals: what the delivered rows can be compared with.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Completeness {
    /// Number of events in the log.
    #[ts(type = "number")]
    pub events_in_log: u64,
    /// Number of events in the scope.
    #[ts(type = "number")]
    pub events_in_scope: u64,
    /// Lowest position in the scope; `null` if it is empty.
    pub first: Option<Position>,
    /// Highest position in the scope; `null` if it is empty.
    pub last: Option<Position>,
    /// Number of streams that the scope's events are in.
    #[ts(type = "number")]
    pub streams_in_scope: u64,
    /// SHA-256 over the leaf hashes of the scope's events, in position order: one changed, missing or further event
    /// gives another.
    pub population: Hash,
    /// The events that the values of streams in this report are made of, in the scope or not; `null` if it tells no
    /// such values.
    pub lineage: Option<LineageCount>,
    /// Number of rows of each table.
    pub tables: Vec<TableCount>,
    /// Sums over the scope's events.
    pub totals: Vec<ControlTotal>,
}

/// The events that values are made of: a value counts every event of its stream up to the as-of, those that another
/// stream's event did to it and those that the filters leave out as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct LineageCount {
    /// Number of streams whose values are told: those of the scope's events, and those that they are linked into.
    #[ts(type = "number")]
    pub streams: u64,
    /// Number of events that the values are made of, each once.
    #[ts(type = "number")]
    pub events: u64,
    /// How many of them are not in the scope.
    #[ts(type = "number")]
    pub outside_scope: u64,
    /// SHA-256 over the leaf hashes of all of them, in position order.
    pub sha256: Hash,
}

/// How many rows a table has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct TableCount {
    /// Id of the table.
    pub table: String,
    /// Its title.
    pub title: String,
    /// Number of rows.
    #[ts(type = "number")]
    pub rows: u64,
}

/// An exact sum of a field over the events in the scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ControlTotal {
    /// What is added up: `data.amount of PaymentReceived`.
    pub what: String,
    /// The sum, every digit; `null` if it does not fit 28 digits.
    pub sum: Option<String>,
    /// How many events hold a number there.
    #[ts(type = "number")]
    pub events: u64,
}

/// Whether a report is in the access log of the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccessLogState {
    /// Whoever made the report keeps no access log.
    NotKept,
    /// The user switched it off for this report.
    Off,
    /// It was entered before the report was made.
    Kept {
        /// Which entry it is.
        entry: String,
        /// Number of faults that the access log has: its chain does not hold there.
        #[serde(default)]
        #[ts(type = "number")]
        faults: u64,
        /// The first of them, in a sentence; `null` if there is none.
        #[serde(default)]
        first_fault: Option<String>,
    },
}

impl AccessLogState {
    /// What a report says of its own entry in `file`, whose chain is followed from the first line to the last.
    ///
    /// # Errors
    /// [`AccessLogError`] if the file cannot be read.
    pub fn of(state: &AccessState, file: &AccessLog) -> Result<AccessLogState, AccessLogError> {
        let AccessState::Logged { entry, hash } = state else {
            return Ok(AccessLogState::Off);
        };
        let view = access_log::check(file, Some((*entry, *hash)), 0)?;
        Ok(AccessLogState::Kept {
            entry: format!("{entry}:{hash}"),
            faults: view.faults_count,
            first_fault: view.faults.into_iter().next().map(|fault| fault.detail),
        })
    }

    /// A fault of the access log as a finding: `None` where none was found.
    pub(super) fn finding(&self) -> Option<Finding> {
        let AccessLogState::Kept {
            entry: _,
            faults,
            first_fault: Some(first),
        } = self
        else {
            return None;
        };
        let faults = super::plural(*faults, "fault");
        Some(Finding {
            kind: FindingKind::AccessLogBroken,
            severity: Severity::Severe,
            count: 1,
            place: Place::default(),
            detail: format!(
                "the access log, which says who looked at this store, is not whole: {faults}, the first: {first}. annals access-log lists them"
            ),
        })
    }
}

/// A part of a report under one heading.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct Section {
    /// Name in the template; one of its kind in a report.
    pub id: String,
    /// Heading.
    pub title: String,
    /// What it holds, in order.
    pub blocks: Vec<Block>,
}

/// One piece of a section.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// Wording.
    Prose {
        /// Each paragraph, plain text.
        paragraphs: Vec<String>,
    },
    /// Names with values.
    Entries {
        /// In order.
        entries: Vec<Entry>,
    },
    /// Rows of cells.
    Table(Table),
    /// A picture of counts, with its table twin.
    Chart(ChartSpec),
    /// What the template checks, and what came out.
    Checks {
        /// In the order of the template.
        results: Vec<CheckResult>,
    },
    /// The table of everything that a check found.
    Exceptions(Table),
}

/// A name with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Entry {
    /// What it is.
    pub name: String,
    /// What it says; never empty: what the log does not hold reads `not recorded`.
    pub value: String,
}

impl Entry {
    /// A name with its value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Entry {
        Entry {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// What is to be known of a table; its rows are in [`ReportRows`](super::ReportRows) under its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Table {
    /// Id, one of its kind in a report.
    pub id: String,
    /// Title.
    pub title: String,
    /// Columns, left to right.
    pub columns: Vec<Column>,
    /// Number of rows.
    #[ts(type = "number")]
    pub rows: u64,
    /// SHA-256 over its rows as lines of JSON.
    pub sha256: Hash,
    /// What to print where it has no rows.
    pub empty: String,
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Column {
    /// Id, one of its kind in the table; a word.
    pub id: String,
    /// Heading.
    pub title: String,
    /// What its values are.
    pub kind: CellKind,
}

/// What the values of a column are. All of them are texts: the kind says how to align and type them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// Words, broken where the line ends.
    Text,
    /// A name that is short and looked for as a whole: a stream, an actor, a type, an id.
    Name,
    /// A number with every digit as recorded or computed exactly.
    Number,
    /// An instant, RFC 3339 with its offset, UTC.
    Time,
    /// A position in the log.
    Position,
    /// A version in a stream.
    Version,
    /// A value of a payload or a state, as JSON text; of a text, the text itself.
    Value,
    /// A hash in hexadecimal digits.
    Hash,
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Row {
    /// The event that it tells of, or the last one of those that it sums up; `null` only where it tells of none.
    pub event: Option<RowEvent>,
    /// One for each column.
    pub cells: Vec<Cell>,
}

/// Names the event of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct RowEvent {
    /// Position in the log.
    pub position: Position,
    /// Stream; `null` where the event's identity was erased.
    pub stream: Option<String>,
    /// Version in that stream.
    pub version: Version,
}

/// What a cell says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// This.
    Value(String),
    /// The log does not hold it.
    NotRecorded,
    /// It was erased.
    Erased,
    /// There is nothing to say: no value before the first one, none after the last.
    None,
}

impl Cell {
    /// What to print: never empty.
    ///
    /// ```
    /// use annals_core::compliance::Cell;
    /// assert_eq!(Cell::NotRecorded.text(), "not recorded");
    /// assert_eq!(Cell::Value("7".into()).text(), "7");
    /// assert_eq!(Cell::Value(String::new()).text(), "\"\"");
    /// ```
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Cell::Value(text) if text.is_empty() => "\"\"",
            Cell::Value(text) => text,
            Cell::NotRecorded => "not recorded",
            Cell::Erased => "erased",
            Cell::None => "none",
        }
    }

    /// The value; `None` where there is none to type as what its column holds.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match self {
            Cell::Value(text) => Some(text),
            Cell::NotRecorded | Cell::Erased | Cell::None => None,
        }
    }
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct CheckResult {
    /// Id, one of its kind in a report; the exceptions name it.
    pub id: String,
    /// What is checked, as the template says it.
    pub title: String,
    /// What came out.
    pub outcome: CheckOutcome,
    /// How many things were looked at.
    #[ts(type = "number")]
    pub checked: u64,
    /// How many could not be judged, since the log does not hold what it takes; the detail says what that is.
    #[ts(type = "number")]
    pub not_looked_at: u64,
    /// How many of those looked at are exceptions.
    #[ts(type = "number")]
    pub exceptions: u64,
    /// One sentence with the numbers.
    pub detail: String,
}

/// What came out of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum CheckOutcome {
    /// Everything looked at is as it should be.
    Passed,
    /// There are exceptions.
    Exceptions,
    /// The scope holds nothing that the check is about.
    NothingToCheck,
}

impl Report {
    /// Its tables, in the order in which they stand in it.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        blocks.filter_map(|block| match block {
            Block::Table(table) | Block::Exceptions(table) => Some(table),
            Block::Prose { .. }
            | Block::Entries { .. }
            | Block::Chart(_)
            | Block::Checks { .. } => None,
        })
    }

    /// Number of rows of its tables together.
    #[must_use]
    pub fn row_count(&self) -> u64 {
        self.tables().map(|table| table.rows).sum()
    }

    /// What came of its checks; empty if the template has none.
    #[must_use]
    pub fn checks(&self) -> &[CheckResult] {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        let mut checks = blocks.filter_map(|block| match block {
            Block::Checks { results } => Some(results.as_slice()),
            _ => None,
        });
        checks.next().unwrap_or_default()
    }

    /// The table that says most of each row: the one with the most columns that holds no exceptions, the first of
    /// several; `None` if the report has no table. The template alone decides which one it is.
    #[must_use]
    pub fn main_table(&self) -> Option<&Table> {
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        let mut main: Option<&Table> = None;
        for block in blocks {
            if let Block::Table(table) = block
                && main.is_none_or(|main| table.columns.len() > main.columns.len())
            {
                main = Some(table);
            }
        }
        main.or_else(|| self.tables().next())
    }

    /// Names the report with all its rows: SHA-256 of its JSON text, in which every table's own hash stands.
    ///
    /// # Panics
    /// Never: every part of a report can be written as JSON.
    #[must_use]
    pub fn hash(&self) -> Hash {
        use sha2::{Digest, Sha256};
        let text = serde_json::to_vec(self).expect("a report is texts, numbers and lists");
        Hash(Sha256::digest(text).into())
    }
}
