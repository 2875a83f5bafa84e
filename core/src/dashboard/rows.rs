//! From documents to a plot: which parts of them are rows, what their cells hold, in which order, how many.

use std::cmp::Ordering;

use chrono_tz::Tz;
use rust_decimal::Decimal;
use serde_json::Value;

use super::definition::{Order, Panel, SourceKind, Total, last_name};
use crate::chart::{Plot, PlotAxis, PlotCell, PlotKind, PlotRow, PlotSeries};
use crate::model::{FieldPath, Step};
use crate::time::{SourceTime, Time};

/// Most columns of a heat map, and of a table whose columns are not named.
const MAX_COLUMNS: usize = 60;
const MAX_UNNAMED_COLUMNS: usize = 12;

/// A plot, and what has to be said about it.
pub(super) struct Made {
    pub(super) plot: Plot,
    pub(super) notes: Vec<String>,
    pub(super) empty: Option<String>,
}

/// A part of a document that is a row.
struct Found<'d> {
    label: String,
    document: &'d str,
    path: FieldPath,
    value: &'d Value,
}

/// Makes the plot of a panel from the documents that it is about.
pub(super) fn plot(panel: &Panel, zone: Tz, documents: &[(String, Value)]) -> Made {
    let mut notes = Vec::new();
    let found = found(panel, documents, &mut notes);
    let (series, mut rows) = match panel.kind {
        PlotKind::HeatMap => heat_rows(panel, &found, &mut notes),
        PlotKind::Timeline => timeline_rows(panel, zone, &found, &mut notes),
        _ if values_are_rows(panel) => value_rows(panel, &found),
        _ => plain_rows(panel, &found, &mut notes),
    };
    let mut heading = match (&panel.label, &panel.rows) {
        (Some(label), _) => last_name(label),
        (None, Some(rows)) => last_name(rows),
        (None, None) if values_are_rows(panel) => "name".to_owned(),
        (None, None) => "document".to_owned(),
    };
    if panel.axis == PlotAxis::Time && panel.kind != PlotKind::Timeline {
        place_in_time(&mut rows, zone, &mut notes);
        heading = format!("{heading} ({zone})");
    }
    let found_none = rows.is_empty();
    let rows_count = rows.len() as u64;
    let mut rest = None;
    if let Some(total) = panel.total {
        rows = total_of(total, &series, rows, &mut notes)
            .into_iter()
            .collect();
    } else {
        in_order(panel, &mut rows);
        rest = cut(panel, &mut rows, rows_count, &mut notes);
    }
    let draws_numbers = !matches!(
        panel.kind,
        PlotKind::Table | PlotKind::Timeline | PlotKind::Number
    );
    let undrawn = undrawn(&rows);
    if draws_numbers && undrawn > 0 {
        notes.push(format!(
            "{undrawn} values are no numbers of at most 28 digits and are not drawn; the table shows them"
        ));
    }
    let mut plot = Plot {
        kind: panel.kind,
        title: panel.title.clone(),
        axis: panel.axis,
        steps: panel.steps,
        zone: zone.to_string(),
        heading,
        series,
        rows,
        rest,
        rows_count,
        alt: String::new(),
    };
    plot.alt = alt(&plot);
    let empty = found_none.then(|| nothing(panel, documents));
    Made { plot, notes, empty }
}

/// Why there is nothing to show.
fn nothing(panel: &Panel, documents: &[(String, Value)]) -> String {
    let projection = &panel.name;
    match (panel.from_kind, &panel.rows) {
        (SourceKind::Projection, _) => {}
        (SourceKind::Question, None) => {
            return format!("The question {projection} has no answer at this instant.");
        }
        (kind, Some(_)) | (kind, None) => {
            return format!(
                "The {} {projection} has no rows at this instant.",
                kind.name()
            );
        }
    }
    match (&panel.document, &panel.rows, documents.is_empty()) {
        (Some(key), _, true) => format!(
            "The projection {projection} has no document {key} at this instant: none of its events had made one."
        ),
        (None, _, true) => format!(
            "The projection {projection} has no documents at this instant: none of the events that it reads had happened."
        ),
        (Some(key), Some(rows), false) => {
            format!("{rows} of the document {key} holds nothing at this instant.")
        }
        (None, Some(rows), false) => {
            format!(
                "{rows} holds nothing at this instant, in any of the {} documents.",
                documents.len()
            )
        }
        (_, None, false) => "Nothing in the documents can be placed: the notes say why.".to_owned(),
    }
}

/// Whether each value of the one document is a row of its own.
fn values_are_rows(panel: &Panel) -> bool {
    panel.document.is_some()
        && panel.rows.is_none()
        && panel.axis == PlotAxis::Names
        && matches!(panel.kind, PlotKind::Bar | PlotKind::Funnel)
}

fn found<'d>(
    panel: &Panel,
    documents: &'d [(String, Value)],
    notes: &mut Vec<String>,
) -> Vec<Found<'d>> {
    let mut found = Vec::new();
    let mut strange = 0u64;
    for (key, document) in documents {
        let Some(rows) = &panel.rows else {
            found.push(Found {
                label: labelled(panel, document, || key.clone()),
                document: key,
                path: FieldPath::default(),
                value: document,
            });
            continue;
        };
        match rows.get(document) {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) => {
                found.extend(entries.iter().map(|(name, value)| Found {
                    label: labelled(panel, value, || name.clone()),
                    document: key,
                    path: rows.then(Step::Key(name.clone())),
                    value,
                }));
            }
            Some(Value::Array(items)) => {
                found.extend(items.iter().enumerate().map(|(index, value)| Found {
                    label: labelled(panel, value, || (index + 1).to_string()),
                    document: key,
                    path: rows.then(Step::Index(index)),
                    value,
                }));
            }
            Some(_) => strange += 1,
        }
    }
    if let (Some(rows), 1..) = (&panel.rows, strange) {
        notes.push(format!(
            "{rows} is neither a list nor an object in {strange} documents, which are left out"
        ));
    }
    found
}

fn labelled(panel: &Panel, value: &Value, usual: impl FnOnce() -> String) -> String {
    let path = panel.label.as_ref();
    match path.and_then(|path| path.get(value)) {
        Some(found) => text_of(found),
        None => usual(),
    }
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn cell(value: Option<&Value>) -> PlotCell {
    match value {
        None | Some(Value::Null) => PlotCell::NONE,
        Some(Value::Number(number)) => PlotCell::number(number.as_str()),
        Some(other) => PlotCell::text(text_of(other)),
    }
}

fn row(found: &Found<'_>, cells: Vec<PlotCell>) -> PlotRow {
    PlotRow {
        label: found.label.clone(),
        document: Some(found.document.to_owned()),
        path: found.path.to_string(),
        cells,
        from: None,
        to: None,
    }
}

/// A row for each part found, a cell for each value.
fn plain_rows(
    panel: &Panel,
    found: &[Found<'_>],
    notes: &mut Vec<String>,
) -> (Vec<PlotSeries>, Vec<PlotRow>) {
    if !panel.values.is_empty() {
        let series = panel
            .values
            .iter()
            .map(|(_, series)| series.clone())
            .collect();
        let cells = |found: &Found<'_>| {
            let values = panel.values.iter();
            values
                .map(|(path, _)| cell(path.get(found.value)))
                .collect()
        };
        let rows = found.iter().map(|found| row(found, cells(found))).collect();
        return (series, rows);
    }
    let is_wide = found.iter().any(|found| found.value.is_object());
    if panel.kind == PlotKind::Table && is_wide {
        return unnamed_columns(panel, found, notes);
    }
    let name = panel
        .rows
        .as_ref()
        .map_or_else(|| "value".to_owned(), last_name);
    let series = PlotSeries {
        name,
        unit: panel.unit.clone(),
    };
    let rows = found
        .iter()
        .map(|found| row(found, vec![cell(Some(found.value))]));
    (vec![series], rows.collect())
}

/// A table whose columns are the fields that its rows have.
fn unnamed_columns(
    panel: &Panel,
    found: &[Found<'_>],
    notes: &mut Vec<String>,
) -> (Vec<PlotSeries>, Vec<PlotRow>) {
    let mut names: Vec<&String> = Vec::new();
    for found in found {
        for name in found
            .value
            .as_object()
            .into_iter()
            .flat_map(|object| object.keys())
        {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if names.len() > MAX_UNNAMED_COLUMNS {
        notes.push(format!(
            "the first {MAX_UNNAMED_COLUMNS} of {} fields are shown; values = [\"…\"] chooses them",
            names.len()
        ));
        names.truncate(MAX_UNNAMED_COLUMNS);
    }
    let series = names.iter().map(|name| PlotSeries {
        name: (*name).clone(),
        unit: panel.unit.clone(),
    });
    let cells = |found: &Found<'_>| {
        let values = names.iter();
        values
            .map(|name| cell(found.value.get(name.as_str())))
            .collect()
    };
    let rows = found.iter().map(|found| row(found, cells(found))).collect();
    (series.collect(), rows)
}

/// A row for each value of the one document.
fn value_rows(panel: &Panel, found: &[Found<'_>]) -> (Vec<PlotSeries>, Vec<PlotRow>) {
    let series = PlotSeries {
        name: "value".to_owned(),
        unit: panel.unit.clone(),
    };
    let rows = found.iter().flat_map(|found| {
        panel.values.iter().map(|(path, series)| PlotRow {
            label: series.name.clone(),
            document: Some(found.document.to_owned()),
            path: path.to_string(),
            cells: vec![cell(path.get(found.value))],
            from: None,
            to: None,
        })
    });
    (vec![series], rows.collect())
}

/// A row for each label, a cell for each column.
fn heat_rows(
    panel: &Panel,
    found: &[Found<'_>],
    notes: &mut Vec<String>,
) -> (Vec<PlotSeries>, Vec<PlotRow>) {
    let mut columns: Vec<String> = Vec::new();
    // Row, column and cell, as they are found.
    let mut cells: Vec<(usize, String, PlotCell)> = Vec::new();
    let mut rows: Vec<PlotRow> = Vec::new();
    for found in found {
        let at = match rows.iter().position(|row| row.label == found.label) {
            Some(at) => at,
            None => {
                rows.push(row(found, Vec::new()));
                rows.len() - 1
            }
        };
        let value = panel.values.first().map(|(path, _)| path);
        let mut take = |column: String, cell: PlotCell| {
            if !columns.contains(&column) {
                columns.push(column.clone());
            }
            cells.push((at, column, cell));
        };
        match (&panel.across, found.value) {
            (Some(across), _) => {
                let column = across
                    .get(found.value)
                    .map_or_else(|| "–".to_owned(), text_of);
                let value = value.map_or(Some(found.value), |path| path.get(found.value));
                take(column, cell(value));
            }
            (None, whole) => match value.map_or(Some(whole), |path| path.get(whole)) {
                Some(Value::Object(fields)) => {
                    for (name, field) in fields {
                        take(name.clone(), cell(Some(field)));
                    }
                }
                None | Some(Value::Null) => {}
                other => take("value".to_owned(), cell(other)),
            },
        }
    }
    columns.sort_by(|a, b| match (a.parse::<Decimal>(), b.parse::<Decimal>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    });
    if columns.len() > MAX_COLUMNS {
        notes.push(format!(
            "the first {MAX_COLUMNS} of {} columns are shown",
            columns.len()
        ));
        columns.truncate(MAX_COLUMNS);
    }
    for row in &mut rows {
        row.cells = vec![PlotCell::NONE; columns.len()];
    }
    let mut again = 0u64;
    for (row, column, cell) in cells {
        if let Some(at) = columns.iter().position(|name| *name == column) {
            let place = &mut rows[row].cells[at];
            again += u64::from(*place != PlotCell::NONE);
            *place = cell;
        }
    }
    if again > 0 {
        notes.push(format!(
            "{again} cells were given more than once; the last is shown"
        ));
    }
    let series = columns.into_iter().map(|name| PlotSeries {
        name,
        unit: panel.unit.clone(),
    });
    (series.collect(), rows)
}

/// A row for each part that says when it begins, its lane as its cell.
fn timeline_rows(
    panel: &Panel,
    zone: Tz,
    found: &[Found<'_>],
    notes: &mut Vec<String>,
) -> (Vec<PlotSeries>, Vec<PlotRow>) {
    let mut unplaced = 0u64;
    let time = |path: &Option<FieldPath>, value: &Value| {
        let text = path.as_ref()?.get(value)?.as_str()?.to_owned();
        instant(&text, zone)
    };
    let mut rows = Vec::new();
    for found in found {
        let Some(from) = time(&panel.from, found.value) else {
            unplaced += 1;
            continue;
        };
        let lane = match &panel.lane {
            Some(lane) => lane.get(found.value).map_or_else(String::new, text_of),
            None => found.document.to_owned(),
        };
        rows.push(PlotRow {
            from: Some(from),
            to: time(&panel.to, found.value),
            ..row(found, vec![PlotCell::text(lane)])
        });
    }
    if let (Some(from), 1..) = (&panel.from, unplaced) {
        notes.push(format!(
            "{unplaced} rows have no time at {from} and are left out"
        ));
    }
    rows.sort_by_key(|row| row.from);
    let name = panel
        .lane
        .as_ref()
        .map_or_else(|| "document".to_owned(), last_name);
    let series = PlotSeries {
        name,
        unit: String::new(),
    };
    (vec![series], rows)
}

fn instant(text: &str, zone: Tz) -> Option<Time> {
    SourceTime::parse(text, zone).ok().map(|read| read.time)
}

/// Reads the labels as times; what is none is left out, and said.
fn place_in_time(rows: &mut Vec<PlotRow>, zone: Tz, notes: &mut Vec<String>) {
    let before = rows.len();
    rows.retain_mut(|row| {
        row.from = instant(&row.label, zone).or_else(|| month(&row.label, zone));
        row.from.is_some()
    });
    let lost = before - rows.len();
    if lost > 0 {
        notes.push(format!(
            "{lost} rows are left out: their labels are no times"
        ));
    }
    rows.sort_by_key(|row| row.from);
}

/// A month or a year is its first day: `2024-01`, `2024`.
fn month(label: &str, zone: Tz) -> Option<Time> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    match label.split_once('-') {
        None if label.len() == 4 && digits(label) => instant(&format!("{label}-01-01"), zone),
        Some((year, month))
            if year.len() == 4 && month.len() == 2 && digits(year) && digits(month) =>
        {
            instant(&format!("{label}-01"), zone)
        }
        _ => None,
    }
}

fn in_order(panel: &Panel, rows: &mut [PlotRow]) {
    let usual = (panel.kind == PlotKind::TopK).then_some(Order {
        cell: Some(0),
        descending: true,
    });
    let Some(Order { cell, descending }) = panel.order.or(usual) else {
        return;
    };
    rows.sort_by(|a, b| {
        let order = match cell {
            None => a.label.cmp(&b.label),
            Some(at) => return compared(a.cells.get(at), b.cells.get(at), descending),
        };
        if descending { order.reverse() } else { order }
    });
}

/// Numbers by value, then texts, then what is not there.
fn compared(a: Option<&PlotCell>, b: Option<&PlotCell>, descending: bool) -> Ordering {
    let turned = |order: Ordering| if descending { order.reverse() } else { order };
    let decimal = |cell: Option<&PlotCell>| cell.and_then(PlotCell::decimal);
    let text = |cell: Option<&PlotCell>| cell.and_then(|cell| cell.text.clone());
    match (decimal(a), decimal(b)) {
        (Some(a), Some(b)) => turned(a.cmp(&b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => match (text(a), text(b)) {
            (Some(a), Some(b)) => turned(a.cmp(&b)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        },
    }
}

/// Keeps as many rows as the panel shows; along time the last ones. Of the largest few, sums up the rest.
fn cut(
    panel: &Panel,
    rows: &mut Vec<PlotRow>,
    count: u64,
    notes: &mut Vec<String>,
) -> Option<PlotRow> {
    if rows.len() <= panel.limit {
        return None;
    }
    let along_time = panel.axis == PlotAxis::Time && panel.order.is_none();
    let left_out: Vec<PlotRow> = match along_time {
        true => rows.drain(..rows.len() - panel.limit).collect(),
        false => rows.drain(panel.limit..).collect(),
    };
    let which = if along_time { "last" } else { "first" };
    if panel.kind != PlotKind::TopK {
        notes.push(format!(
            "the {which} {} of {count} rows are shown",
            panel.limit
        ));
        return None;
    }
    let sum = sum(left_out.iter().filter_map(|row| row.cells.first()));
    Some(PlotRow {
        label: format!("{} others", left_out.len()),
        document: None,
        path: String::new(),
        cells: vec![sum.map_or(PlotCell::NONE, |sum| PlotCell::number(sum.to_string()))],
        from: None,
        to: None,
    })
}

/// The exact sum of the numbers among cells; `None` where it does not fit 28 digits.
fn sum<'c>(cells: impl Iterator<Item = &'c PlotCell>) -> Option<Decimal> {
    let mut numbers = cells.filter_map(PlotCell::decimal);
    numbers.try_fold(Decimal::ZERO, exact_sum)
}

/// A sum whose digits are all there: a decimal that is full would round.
fn exact_sum(a: Decimal, b: Decimal) -> Option<Decimal> {
    let sum = a.checked_add(b)?;
    (sum.scale() == a.scale().max(b.scale())).then_some(sum)
}

/// One row in place of all: how many, or what they come to.
fn total_of(
    total: Total,
    series: &[PlotSeries],
    rows: Vec<PlotRow>,
    notes: &mut Vec<String>,
) -> Option<PlotRow> {
    if rows.is_empty() {
        return None;
    }
    let count = rows.len();
    let cells = (0..series.len()).map(|at| {
        let cells = rows.iter().filter_map(|row| row.cells.get(at));
        let numbers = || cells.clone().filter(|cell| cell.decimal().is_some());
        match total {
            Total::Count => PlotCell::number(count.to_string()),
            Total::Sum => match sum(numbers()) {
                Some(sum) => PlotCell::number(sum.to_string()),
                None => {
                    notes.push(format!(
                        "the sum of {} does not fit 28 digits",
                        series[at].name
                    ));
                    PlotCell::NONE
                }
            },
            Total::Min => numbers()
                .min_by_key(|cell| cell.decimal())
                .cloned()
                .unwrap_or(PlotCell::NONE),
            Total::Max => numbers()
                .max_by_key(|cell| cell.decimal())
                .cloned()
                .unwrap_or(PlotCell::NONE),
        }
    });
    let cells: Vec<PlotCell> = cells.collect();
    let undrawn = undrawn(&rows);
    if total != Total::Count && undrawn > 0 {
        notes.push(format!(
            "{undrawn} values are no numbers and are not counted in"
        ));
    }
    let word = match total {
        Total::Count => "number of",
        Total::Sum => "sum of",
        Total::Min => "least of",
        Total::Max => "greatest of",
    };
    Some(PlotRow {
        label: match count {
            1 => format!("{word} 1 row"),
            _ => format!("{word} {count} rows"),
        },
        document: None,
        path: String::new(),
        cells,
        from: None,
        to: None,
    })
}

fn undrawn(rows: &[PlotRow]) -> usize {
    let cells = rows.iter().flat_map(|row| &row.cells);
    cells
        .filter(|cell| cell.text.is_some() && cell.decimal().is_none())
        .count()
}

/// What the picture says, in a sentence.
fn alt(plot: &Plot) -> String {
    let first: Vec<String> = (0..plot.rows.len().min(3))
        .map(|row| plot.says(row, 0))
        .collect();
    let more = plot.rows.len().saturating_sub(first.len());
    let more = match more {
        0 => String::new(),
        1 => ", and one more".to_owned(),
        more => format!(", and {more} more"),
    };
    match first.is_empty() {
        true => format!("{}: nothing to show", plot.title),
        false => format!("{}: {}{more}", plot.title, first.join("; ")),
    }
}
