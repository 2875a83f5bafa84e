//! A dashboard as a file: TOML, checked whole before it is used; every fault has its line and column.

use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use toml::Spanned;

use super::raw::{
    RawAxis, RawBetween, RawDashboard, RawKind, RawPanel, RawTotal, RawValue, RawWidth,
};
use crate::chart::{PlotAxis, PlotKind, PlotSeries};
use crate::integrity::Hash;
use crate::model::{FieldPath, Step};
use crate::time::parse_zone;
use crate::written::{line_and_column, wrong_and_right};

/// Largest file of a dashboard, in bytes.
const MAX_FILE_BYTES: usize = 1 << 20;
/// Most panels of a dashboard.
const MAX_PANELS: usize = 40;
/// Most rows of a panel that a file may ask for.
const MAX_LIMIT: u32 = 5_000;

/// Where a dashboard is wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, ts_rs::TS)]
#[ts(export)]
#[error("{name}:{line}:{column}: {message}")]
pub struct DashboardFault {
    /// File, or the dashboard's name.
    pub name: String,
    /// Line in the file, first is 1.
    #[ts(type = "number")]
    pub line: usize,
    /// Column in characters, first is 1.
    #[ts(type = "number")]
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

/// A dashboard, checked: panels over documents of projections.
///
/// ```
/// use annals_core::dashboard::Dashboard;
/// let text = "title = 'Sales'\n[[panels]]\nkind = 'number'\ntitle = 'Revenue'\nprojection = 'sales'\ndocument = 'all'\nvalue = 'totalRevenue'";
/// assert_eq!(Dashboard::parse("sales", text).unwrap().title(), "Sales");
/// let fault = Dashboard::parse("sales", &text.replace("number", "pie")).unwrap_err();
/// assert_eq!((fault.line, fault.column), (3, 8));
/// ```
#[derive(Debug, Clone)]
pub struct Dashboard {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) description: Option<String>,
    pub(super) hash: Hash,
    pub(super) zone: Tz,
    pub(super) panels: Vec<Panel>,
}

/// What a panel reads.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    ts_rs::TS,
)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// Documents of a projection.
    Projection,
    /// The answer to a question that is kept.
    Question,
    /// The rows of a query that is kept.
    Query,
}

impl SourceKind {
    /// Its word in a dashboard: `question`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            SourceKind::Projection => "projection",
            SourceKind::Question => "question",
            SourceKind::Query => "query",
        }
    }
}

/// One panel of a dashboard.
#[derive(Debug, Clone)]
pub(super) struct Panel {
    pub(super) kind: PlotKind,
    pub(super) title: String,
    pub(super) from_kind: SourceKind,
    /// Name of the projection, question or query.
    pub(super) name: String,
    pub(super) document: Option<String>,
    pub(super) rows: Option<FieldPath>,
    pub(super) label: Option<FieldPath>,
    pub(super) values: Vec<(FieldPath, PlotSeries)>,
    /// Unit of values that are not named one by one.
    pub(super) unit: String,
    pub(super) order: Option<Order>,
    pub(super) limit: usize,
    pub(super) total: Option<Total>,
    pub(super) axis: PlotAxis,
    pub(super) steps: bool,
    pub(super) across: Option<FieldPath>,
    pub(super) lane: Option<FieldPath>,
    pub(super) from: Option<FieldPath>,
    pub(super) to: Option<FieldPath>,
    pub(super) full: bool,
}

/// What rows are put in order by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Order {
    /// The cell, by its place; `None`: the label.
    pub(super) cell: Option<usize>,
    pub(super) descending: bool,
}

/// What a number over many rows is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Total {
    Count,
    Sum,
    Min,
    Max,
}

impl Dashboard {
    /// Reads and checks a dashboard.
    ///
    /// # Errors
    /// [`DashboardFault`] with the place of the first fault.
    pub fn parse(name: &str, text: &str) -> Result<Dashboard, DashboardFault> {
        let file = File { name, text };
        if text.len() > MAX_FILE_BYTES {
            let message = format!("a dashboard is at most {MAX_FILE_BYTES} bytes long");
            return Err(file.fault(0, message, "split it into two dashboards"));
        }
        let raw: RawDashboard = toml::from_str(text).map_err(|error| file.toml_fault(&error))?;
        file.dashboard(raw)
    }

    /// Name: the file's stem.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Title.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What it is for.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// SHA-256 of the file's text.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// Projections that it reads, each once, in order of the panels.
    #[must_use]
    pub fn projections(&self) -> Vec<&str> {
        self.sources(SourceKind::Projection)
    }

    /// Names of what it reads of a kind, each once, in order of the panels.
    #[must_use]
    pub fn sources(&self, kind: SourceKind) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for panel in self.panels.iter().filter(|panel| panel.from_kind == kind) {
            if !names.contains(&panel.name.as_str()) {
                names.push(&panel.name);
            }
        }
        names
    }

    /// Number of panels.
    #[must_use]
    pub fn panels_count(&self) -> usize {
        self.panels.len()
    }
}

/// The file being read, for its faults.
struct File<'f> {
    name: &'f str,
    text: &'f str,
}

impl File<'_> {
    fn fault(&self, at: usize, message: String, hint: &str) -> DashboardFault {
        let (line, column) = line_and_column(self.text, at);
        DashboardFault {
            name: self.name.to_owned(),
            line,
            column,
            message,
            hint: hint.to_owned(),
        }
    }

    /// A fault that the TOML reader found. Its own words list what would have been right.
    fn toml_fault(&self, error: &toml::de::Error) -> DashboardFault {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().trim().replace('\n', " ");
        let (message, hint) = match wrong_and_right(&message) {
            Some((wrong, right)) => (wrong.to_owned(), format!("expected {right}")),
            None if message.contains("untagged enum RawValue") => (
                "this is no value".to_owned(),
                "write a path, \"revenue\", or { path = \"revenue\", title = \"Revenue\", unit = \"USD\" }".to_owned(),
            ),
            None => (message, "docs/dashboards.md shows a whole dashboard".to_owned()),
        };
        self.fault(at, message, &hint)
    }

    fn dashboard(&self, raw: RawDashboard) -> Result<Dashboard, DashboardFault> {
        let RawDashboard {
            title,
            description,
            zone,
            panels,
        } = raw;
        let at = panels.span().start;
        let panels = panels.into_inner();
        if panels.is_empty() || panels.len() > MAX_PANELS {
            let message = format!(
                "a dashboard has 1 to {MAX_PANELS} panels, not {}",
                panels.len()
            );
            return Err(self.fault(
                at,
                message,
                "write [[panels]] for each, or split it into two",
            ));
        }
        let zone = match zone {
            None => Tz::UTC,
            Some(zone) => parse_zone(zone.get_ref()).map_err(|error| {
                let hint = "write the name of a zone: UTC, Europe/Berlin";
                self.fault(zone.span().start, error.to_string(), hint)
            })?,
        };
        Ok(Dashboard {
            name: self.name.to_owned(),
            title: self.filled(&title, "title")?,
            description,
            hash: Hash(Sha256::digest(self.text.as_bytes()).into()),
            zone,
            panels: panels
                .into_iter()
                .map(|panel| self.panel(panel))
                .collect::<Result<_, _>>()?,
        })
    }

    fn filled(&self, text: &Spanned<String>, what: &str) -> Result<String, DashboardFault> {
        match text.get_ref().trim().is_empty() {
            false => Ok(text.get_ref().clone()),
            true => Err(self.fault(
                text.span().start,
                format!("the {what} is empty"),
                &format!("write {what} = \"…\""),
            )),
        }
    }

    fn path(&self, text: &Spanned<String>) -> Result<FieldPath, DashboardFault> {
        self.path_of(text.get_ref(), text.span().start)
    }

    fn path_of(&self, text: &str, at: usize) -> Result<FieldPath, DashboardFault> {
        text.parse().map_err(|error: crate::model::PathError| {
            let hint =
                "write a path into the document: totals.revenue, items[0].price, case[\"a name\"]";
            self.fault(at, error.to_string(), hint)
        })
    }

    fn some_path(
        &self,
        text: &Option<Spanned<String>>,
    ) -> Result<Option<FieldPath>, DashboardFault> {
        text.as_ref().map(|text| self.path(text)).transpose()
    }

    fn panel(&self, raw: RawPanel) -> Result<Panel, DashboardFault> {
        self.fitting(&raw)?;
        let RawPanel {
            kind,
            title,
            projection,
            question,
            query,
            document,
            rows,
            label,
            value,
            values,
            unit,
            order,
            limit,
            total,
            axis,
            between,
            across,
            lane,
            from,
            to,
            width,
        } = raw;
        let unit = unit.unwrap_or_default();
        let (from_kind, name) = self.source(&title, [projection, question, query])?;
        if let (Some(document), true) = (&document, from_kind != SourceKind::Projection) {
            let message = format!("a panel of a {} takes no document", from_kind.name());
            let hint = "document is for panels of a projection";
            return Err(self.fault(document.span().start, message, hint));
        }
        let kind = kind_of(*kind.get_ref());
        let listed = value
            .into_iter()
            .chain(values.into_iter().flat_map(Spanned::into_inner));
        let values = listed
            .map(|value| self.value(value, &unit))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Panel {
            kind,
            title: self.filled(&title, "title")?,
            from_kind,
            name,
            document: document.map(Spanned::into_inner),
            rows: self.some_path(&rows)?,
            label: self.some_path(&label)?,
            order: order.map(|order| self.order(&order, &values)).transpose()?,
            limit: self.limit(limit, kind)?,
            total: total.map(|total| match total.get_ref() {
                RawTotal::Count => Total::Count,
                RawTotal::Sum => Total::Sum,
                RawTotal::Min => Total::Min,
                RawTotal::Max => Total::Max,
            }),
            axis: match axis.map(Spanned::into_inner) {
                Some(RawAxis::Names) => PlotAxis::Names,
                Some(RawAxis::Time) => PlotAxis::Time,
                None if matches!(kind, PlotKind::Line | PlotKind::Area | PlotKind::Timeline) => {
                    PlotAxis::Time
                }
                None => PlotAxis::Names,
            },
            steps: between.is_some_and(|between| *between.get_ref() == RawBetween::Steps),
            across: self.some_path(&across)?,
            lane: self.some_path(&lane)?,
            from: self.some_path(&from)?,
            to: self.some_path(&to)?,
            full: matches!(width, RawWidth::Full),
            values,
            unit,
        })
    }

    /// The one thing that a panel reads.
    fn source(
        &self,
        title: &Spanned<String>,
        named: [Option<Spanned<String>>; 3],
    ) -> Result<(SourceKind, String), DashboardFault> {
        const KINDS: [SourceKind; 3] = [
            SourceKind::Projection,
            SourceKind::Question,
            SourceKind::Query,
        ];
        let hint = "write one of projection = \"…\", question = \"…\" and query = \"…\"";
        let mut found = KINDS
            .into_iter()
            .zip(named)
            .filter_map(|(kind, name)| Some((kind, name?)));
        let Some((kind, name)) = found.next() else {
            let message = "the panel names nothing that it reads".to_owned();
            return Err(self.fault(title.span().start, message, hint));
        };
        if let Some((other, second)) = found.next() {
            let message = format!(
                "{} and {} stand beside each other",
                kind.name(),
                other.name()
            );
            return Err(self.fault(second.span().start, message, hint));
        }
        Ok((kind, self.filled(&name, kind.name())?))
    }

    /// Whether what a panel says goes with its kind.
    fn fitting(&self, raw: &RawPanel) -> Result<(), DashboardFault> {
        let kind = *raw.kind.get_ref();
        let name = kind_of(kind).name();
        let refuse = |at: usize, what: &str, hint: &str| {
            Err(self.fault(
                at,
                format!("a panel of the kind {name} takes no {what}"),
                hint,
            ))
        };
        if let (Some(value), Some(_)) = (&raw.value, &raw.values) {
            let message = "value and values stand beside each other".to_owned();
            return Err(self.fault(value.span().start, message, "keep one of them"));
        }
        if let Some(values) = &raw.values
            && matches!(kind, RawKind::TopK | RawKind::HeatMap | RawKind::Timeline)
        {
            return refuse(
                values.span().start,
                "values",
                "write value = \"…\", one path",
            );
        }
        if let (Some(total), true) = (&raw.total, kind != RawKind::Number) {
            return refuse(total.span().start, "total", "total is for the kind number");
        }
        if let (Some(across), true) = (&raw.across, kind != RawKind::HeatMap) {
            return refuse(
                across.span().start,
                "across",
                "across is for the kind heat_map",
            );
        }
        let axis_fits = matches!(kind, RawKind::Line | RawKind::Area | RawKind::Bar);
        if let (Some(axis), false) = (&raw.axis, axis_fits) {
            return refuse(
                axis.span().start,
                "axis",
                "axis is for the kinds line, area and bar",
            );
        }
        let between_fits = matches!(kind, RawKind::Line | RawKind::Area);
        if let (Some(between), false) = (&raw.between, between_fits) {
            let hint = "between is for the kinds line and area";
            return refuse(between.span().start, "between", hint);
        }
        for (word, path) in [("lane", &raw.lane), ("from", &raw.from), ("to", &raw.to)] {
            if let (Some(path), true) = (path, kind != RawKind::Timeline) {
                let hint = format!("{word} is for the kind timeline");
                return refuse(path.span().start, word, &hint);
            }
        }
        // An answer to a question says itself when its rows begin.
        if kind == RawKind::Timeline && raw.from.is_none() && raw.question.is_none() {
            let message = "a timeline needs to know when its rows begin".to_owned();
            let hint = "write from = \"path of a time in the row\"";
            return Err(self.fault(raw.kind.span().start, message, hint));
        }
        Ok(())
    }

    fn value(
        &self,
        value: Spanned<RawValue>,
        unit: &str,
    ) -> Result<(FieldPath, PlotSeries), DashboardFault> {
        let at = value.span().start;
        let (path, title, own) = match value.into_inner() {
            RawValue::Path(path) => (path, None, None),
            RawValue::Named { path, title, unit } => (path, title, unit),
        };
        let path = self.path_of(&path, at)?;
        let series = PlotSeries {
            name: title.unwrap_or_else(|| last_name(&path)),
            unit: own.unwrap_or_else(|| unit.to_owned()),
        };
        Ok((path, series))
    }

    fn order(
        &self,
        order: &Spanned<String>,
        values: &[(FieldPath, PlotSeries)],
    ) -> Result<Order, DashboardFault> {
        let text = order.get_ref();
        let (descending, by) = match text.strip_prefix('-') {
            Some(by) => (true, by),
            None => (false, text.as_str()),
        };
        let cell = match by {
            "label" => None,
            "value" if values.len() < 2 => Some(0),
            by => {
                let found = values.iter().position(|(path, _)| path.to_string() == by);
                Some(found.ok_or_else(|| {
                    let message = format!("{by:?} is none of the values of this panel");
                    let hint = "write label, -label, value, or the path of one of its values; - is largest first";
                    self.fault(order.span().start, message, hint)
                })?)
            }
        };
        Ok(Order { cell, descending })
    }

    fn limit(&self, limit: Option<Spanned<u32>>, kind: PlotKind) -> Result<usize, DashboardFault> {
        match limit {
            None => Ok(usual_limit(kind)),
            Some(limit) if (1..=MAX_LIMIT).contains(limit.get_ref()) => {
                Ok(*limit.get_ref() as usize)
            }
            Some(limit) => Err(self.fault(
                limit.span().start,
                format!("a panel has 1 to {MAX_LIMIT} rows, not {}", limit.get_ref()),
                "write a smaller limit; what is not drawn is counted",
            )),
        }
    }
}

/// The last name of a path: a heading.
pub(super) fn last_name(path: &FieldPath) -> String {
    match path.0.last() {
        Some(Step::Key(name)) => name.clone(),
        Some(Step::Index(index)) => format!("[{index}]"),
        None => "value".to_owned(),
    }
}

fn usual_limit(kind: PlotKind) -> usize {
    match kind {
        PlotKind::TopK => 10,
        PlotKind::Number | PlotKind::Funnel => 12,
        PlotKind::Table => 20,
        PlotKind::Bar | PlotKind::HeatMap => 60,
        PlotKind::Timeline => 200,
        PlotKind::Line | PlotKind::Area => 1_000,
    }
}

fn kind_of(kind: RawKind) -> PlotKind {
    match kind {
        RawKind::Number => PlotKind::Number,
        RawKind::Table => PlotKind::Table,
        RawKind::Line => PlotKind::Line,
        RawKind::Bar => PlotKind::Bar,
        RawKind::Area => PlotKind::Area,
        RawKind::HeatMap => PlotKind::HeatMap,
        RawKind::Timeline => PlotKind::Timeline,
        RawKind::Funnel => PlotKind::Funnel,
        RawKind::TopK => PlotKind::TopK,
    }
}
