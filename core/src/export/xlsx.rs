//! A workbook: one event a row, in as many sheets as the rows need, and a sheet that says what it is.
//!
//! Numbers and instants are cells of that kind wherever none of their digits is lost, and texts elsewhere.

use rust_decimal::prelude::ToPrimitive;
use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, Workbook, Worksheet, XlsxError,
};

use super::cells::{MAX_CELL, MAX_ROWS, fitting, number, serial};
use super::csv::{CSV_COLUMNS, row};
use super::{Events, ExportError, Form, Taken, notes};
use crate::event::Event;
use crate::store::{LinkView, Log};
use crate::time::Time;

impl From<XlsxError> for ExportError {
    fn from(error: XlsxError) -> ExportError {
        ExportError::Io(match error {
            XlsxError::IoError(error) => error,
            other => std::io::Error::other(format!("workbook: {other}")),
        })
    }
}

/// Writes a workbook.
pub(super) struct Xlsx {
    book: Workbook,
    sheet: Option<Worksheet>,
    /// Sheets begun, and rows of the last one.
    sheets: u32,
    line: u32,
    rows: u64,
    /// Most rows of a sheet.
    rows_max: u32,
    heading: Format,
    whole: Format,
    time: Format,
    log: String,
}

impl Xlsx {
    pub(super) fn begin(log: &Log) -> Result<Xlsx, ExportError> {
        let mut book = Workbook::new();
        // A workbook names its making; the beginning of its container's calendar, so that the same log gives the
        // same bytes.
        let stamp = ExcelDateTime::from_ymd(1980, 1, 1)?;
        let properties = DocProperties::new()
            .set_title("Events")
            .set_creation_datetime(&stamp);
        book.set_properties(&properties);
        let mut xlsx = Xlsx {
            book,
            sheet: None,
            sheets: 0,
            line: 0,
            rows: 0,
            rows_max: MAX_ROWS,
            heading: Format::new().set_bold(),
            whole: Format::new().set_num_format("0"),
            time: Format::new()
                .set_num_format("yyyy-mm-dd hh:mm:ss.000")
                .set_align(FormatAlign::Left),
            log: log.id().to_string(),
        };
        xlsx.begin_sheet()?;
        Ok(xlsx)
    }

    fn begin_sheet(&mut self) -> Result<(), ExportError> {
        self.sheets += 1;
        self.line = 0;
        // Written to disk while it is made, so that one of any size needs little memory.
        let mut sheet = self.book.new_worksheet_with_constant_memory()?;
        sheet.set_name(match self.sheets {
            1 => "Events".to_owned(),
            n => format!("Events ({n})"),
        })?;
        sheet.set_freeze_panes(1, 0)?;
        for (at, name) in (0..).zip(CSV_COLUMNS) {
            sheet.set_column_width_pixels(at, width_px(name))?;
        }
        for (at, name) in (0..).zip(CSV_COLUMNS) {
            sheet.write_string_with_format(0, at, name, &self.heading)?;
        }
        if let Some(full) = self.sheet.replace(sheet) {
            self.book.push_worksheet(full);
        }
        Ok(())
    }
}

fn width_px(column: &str) -> u32 {
    match column {
        "position" | "version" | "date_only" | "schema_version" => 70,
        "data" | "metadata" => 320,
        _ => 165,
    }
}

impl Form for Xlsx {
    fn take(&mut self, event: Event, links: &[LinkView], to: &mut Taken<'_>) -> Events {
        notes::of_a_row(&mut to.notes, &event, links);
        if self.line == self.rows_max {
            self.begin_sheet()?;
        }
        self.line += 1;
        self.rows += 1;
        let Some(sheet) = &mut self.sheet else {
            return Ok(());
        };
        let (mut cut, mut shown) = (false, false);
        let cells = row(event.clone());
        for ((at, column), text) in (0..).zip(CSV_COLUMNS).zip(&cells) {
            if text.is_empty() {
                continue;
            }
            let line = self.line;
            match column {
                "position" | "version" => {
                    if let Some(number) = number(text).and_then(|n| n.to_f64()) {
                        sheet.write_number_with_format(line, at, number, &self.whole)?;
                        continue;
                    }
                }
                "time" | "recorded_at" | "source_recorded_at" => {
                    let exact = Time::parse_rfc3339(text).ok();
                    if let Some(time) = exact.and_then(|time| serial(time, true)) {
                        sheet.write_datetime_with_format(line, at, &time, &self.time)?;
                        continue;
                    }
                }
                _ => {}
            }
            let (held, was_cut) = fitting(text);
            cut |= was_cut;
            shown |= !was_cut && held != *text;
            sheet.write_string(line, at, held)?;
        }
        if cut {
            let what =
                format!("texts longer than {MAX_CELL} characters (they are cut, as the cell says)");
            to.notes.left_out(&event, &what);
        }
        if shown {
            let how = "characters that a cell cannot hold or that nobody sees are written out, as ‹U+200B›";
            to.notes.held_otherwise(&event, how);
        }
        Ok(())
    }

    fn finish(&mut self, _log: &Log, to: &mut Taken<'_>) -> Events {
        if let Some(last) = self.sheet.take() {
            self.book.push_worksheet(last);
        }
        let about = self.book.add_worksheet();
        about.set_name("About")?;
        about.set_column_width_pixels(0, 160)?;
        about.set_column_width_pixels(1, 640)?;
        let lines = [
            ("log", self.log.clone()),
            ("events", self.rows.to_string()),
            (
                "sheets",
                match self.sheets {
                    1 => "1".to_owned(),
                    n => format!("{n}, since a sheet has room for {} rows", self.rows_max),
                },
            ),
            (
                "times",
                "UTC; as text where a cell would lose digits".to_owned(),
            ),
        ];
        for (at, (name, value)) in (0..).zip(lines) {
            about.write_string_with_format(at, 0, name, &self.heading)?;
            about.write_string(at, 1, value)?;
        }
        let mut file = tempfile::tempfile()?;
        self.book.save_to_writer(&mut file)?;
        to.copy(&mut file)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::event::NewEvent;
    use crate::export::notes::Notes;
    use crate::export::whole::Hashed;
    use crate::export::{ExportFormat, tests::TestLog};
    use crate::store::EventQuery;

    /// Rows beyond what a sheet has room for go into a further one, with its headings.
    #[test]
    fn rows_are_split_over_sheets() {
        let log = TestLog::new();
        for n in 0..5 {
            log.append(
                "order-1",
                NewEvent::json("Placed", &format!("{{\"n\":{n}}}")).unwrap(),
            );
        }
        let mut out = Vec::new();
        let cancel = AtomicBool::new(false);
        let mut to = Taken {
            out: Hashed::new(&mut out),
            buffer: Vec::new(),
            notes: Notes::of(ExportFormat::Xlsx),
            cancel: &cancel,
        };
        let mut xlsx = Xlsx::begin(&log.log()).unwrap();
        xlsx.rows_max = 2;
        let query = EventQuery::default();
        log.log()
            .for_each_event(&query, &mut |event, links| {
                xlsx.take(event, &links, &mut to).unwrap();
                true
            })
            .unwrap();
        xlsx.finish(&log.log(), &mut to).unwrap();
        assert_eq!(to.notes.into_vec(), []);
        let sheets = xlsx.book.worksheets().iter();
        let names: Vec<String> = sheets.map(Worksheet::name).collect();
        assert_eq!(names, ["Events", "Events (2)", "Events (3)", "About"]);
    }
}
