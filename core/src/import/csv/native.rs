//! Annals' own CSV export, read back.

use std::borrow::Cow;

use crate::export::{CSV_COLUMNS, unguarded};
use crate::import::mapping::Draft;
use crate::time::SourceTime;

/// Whether these are the columns of an export.
pub(super) fn is_native(columns: &[String]) -> bool {
    columns.iter().map(String::as_str).eq(CSV_COLUMNS)
}

/// Maps a row to the event that was exported, as lines of a JSON Lines export are.
///
/// # Errors
/// Why it cannot be taken, in a sentence for the user.
pub(super) fn map<'a>(text: &'a str, ends: &[usize]) -> Result<Draft<'a>, String> {
    let cells: Vec<&str> = super::texts(text, ends);
    let cell = |name: &str| {
        let index = CSV_COLUMNS.iter().position(|column| *column == name);
        let cell = index.and_then(|index| cells.get(index)).copied();
        unguarded(cell.unwrap_or_default())
    };
    let filled = |name: &str| Some(cell(name)).filter(|cell| !cell.is_empty());
    let own = |text: &'a str| Cow::Borrowed(text);
    if !cell("erased").is_empty() {
        return Err("a part of the event was erased, so that it cannot be imported".into());
    }
    let needed = |name: &str| filled(name).ok_or_else(|| format!("the cell {name:?} is empty"));
    let time = |name: &str| {
        let text = needed(name)?;
        // A cell of a workbook that is a date has no zone: exports write UTC.
        let read = SourceTime::parse(text, chrono_tz::UTC);
        read.map(|time| time.time)
            .map_err(|e| format!("{name}: {e}"))
    };
    let json = |name: &str, text: &'a str| {
        if super::plan::is_json(text) {
            Ok(own(text))
        } else {
            Err(format!("the cell {name:?} is not JSON"))
        }
    };
    let time_text = filled("time_text");
    let zone_assumed = time_text
        .is_some_and(|text| SourceTime::parse(text, chrono_tz::UTC).is_ok_and(|t| t.zone_assumed));
    let appended_there = filled("source").is_none();
    let there = |name: &str| filled(name).filter(|_| appended_there);
    let source_recorded_at = match filled("source_recorded_at") {
        Some(_) => Some(time("source_recorded_at")?),
        None if appended_there => Some(time("recorded_at")?),
        None => None,
    };
    Ok(Draft {
        stream: own(needed("stream")?),
        category: filled("category").map(own),
        event_type: filled("type").map(own),
        time: Some(SourceTime {
            time: time("time")?,
            text: time_text.map(str::to_owned),
            date_only: cell("date_only") == "true",
            zone_assumed,
            ambiguous: false,
        }),
        id: filled("id").map(own),
        schema_version: filled("schema_version").map(own),
        source: filled("source").map(own),
        source_id: filled("source_id").map(own),
        source_version: filled("source_version").or(there("version")).map(own),
        source_position: filled("source_position").or(there("position")).map(own),
        source_recorded_at,
        data: json("data", needed("data")?)?,
        metadata: filled("metadata")
            .map(|text| json("metadata", text))
            .transpose()?,
        in_log_order: true,
        ..Draft::default()
    })
}
