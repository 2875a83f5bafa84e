//! All rows of an answer to a file: CSV, JSON Lines, or a workbook.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use ts_rs::TS;

use super::SqlError;
use super::ask::{Question, Ran, run};
use super::view::{SqlColumn, SqlReading};
use crate::export::{guarded, whole, write_csv_record};
use crate::finding::Finding;
use crate::hidden;
use crate::integrity::Hash;
use crate::model::ModelSet;
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::Log;

/// Rows that a sheet has room for, its heading left aside.
const MAX_SHEET_ROWS: u64 = 1_048_575;
/// Columns that a sheet has room for.
const MAX_SHEET_COLUMNS: usize = 16_384;
/// Most characters of a cell of a workbook, in UTF-16 as the format counts them.
const MAX_CELL: usize = 32_767;
/// Most digits of a number that a workbook keeps.
const MAX_DIGITS: usize = 15;

/// Form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum SqlForm {
    /// One line a row, names of the columns first; cells that a spreadsheet would run have an apostrophe before them.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// A workbook: the rows, and the question on a sheet of its own.
    Xlsx,
}

impl SqlForm {
    /// The form that a file's name asks for by its ending; `None` for any other.
    #[must_use]
    pub fn of(file: &Path) -> Option<SqlForm> {
        let ending = file.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "csv" => Some(SqlForm::Csv),
            "jsonl" => Some(SqlForm::Jsonl),
            "xlsx" => Some(SqlForm::Xlsx),
            _ => None,
        }
    }
}

/// What was written: `annals sql --out FILE --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SqlExportView {
    /// The file.
    pub file: String,
    /// Its form.
    pub form: SqlForm,
    /// Its length in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// SHA-256 of it.
    pub sha256: Hash,
    /// The statement, as it was asked.
    pub sql: String,
    /// The columns.
    pub columns: Vec<SqlColumn>,
    /// Number of rows: all of them.
    #[ts(type = "number")]
    pub rows: u64,
    /// The log as it was read: its first events up to here.
    pub known: Position,
    /// Zone of times that name none.
    pub zone: String,
    /// The instants that tables were asked for, as they were understood: the first 100.
    pub readings: Vec<SqlReading>,
    /// How many there were.
    #[ts(type = "number")]
    pub readings_count: u64,
    /// Number of events read from the log.
    #[ts(type = "number")]
    pub events_examined: u64,
    /// Tables of states whose rows came from the interval index and not from the events. Findings of single states are
    /// not among the findings then.
    pub from_index: Vec<String>,
    /// Faults in the data, and where numbers may not be exact.
    pub findings: Vec<Finding>,
    /// What the form has no place for, in one sentence each.
    pub left_out: Vec<String>,
}

/// Answers a statement with all its rows, whatever the question's limit, to a file: whole or not at all.
///
/// # Errors
/// As [`super::ask`]; [`SqlError::Io`] also where the file is the log's own, any other database, or no regular file;
/// [`SqlError::TooManyRows`] if a workbook cannot hold them.
pub fn export(
    log: &Log,
    models: &Arc<ModelSet>,
    question: &Question<'_>,
    form: SqlForm,
    file: &Path,
    progress: &Arc<WorkProgress>,
) -> Result<SqlExportView, SqlError> {
    whole::may_write(log, file)?;
    let temporary = whole::new_file(file)?;
    let mut rows = 0;
    let mut left_out = Vec::new();
    let (ran, (sha256, bytes)) = {
        let buffered = std::io::BufWriter::with_capacity(1 << 18, temporary.as_file());
        let mut out = whole::Hashed::new(buffered);
        let ran = match form {
            SqlForm::Csv => csv(log, models, question, progress, &mut out, &mut rows)?,
            SqlForm::Jsonl => jsonl(log, models, question, progress, &mut out, &mut rows)?,
            SqlForm::Xlsx => {
                let mut book = Book::new(question.sql)?;
                let ran = run(log, models, question, progress, &mut |columns, row| {
                    rows += 1;
                    book.row(columns, &row)?;
                    Ok(true)
                })?;
                left_out = book.finish(&ran, question, rows, &mut out)?;
                ran
            }
        };
        out.flush()?;
        (ran, out.told())
    };
    temporary.as_file().sync_all()?;
    whole::put(temporary, file)?;
    let Ran { columns, scene } = ran;
    let (readings, readings_count, findings, events_examined) = scene.told();
    Ok(SqlExportView {
        file: file.display().to_string(),
        form,
        bytes,
        sha256,
        sql: question.sql.to_owned(),
        columns,
        rows,
        known: scene.known,
        zone: question.zone.to_string(),
        readings,
        readings_count,
        events_examined,
        from_index: scene.of_index(),
        findings,
        left_out,
    })
}

fn csv(
    log: &Log,
    models: &Arc<ModelSet>,
    question: &Question<'_>,
    progress: &Arc<WorkProgress>,
    out: &mut dyn Write,
    rows: &mut u64,
) -> Result<Ran, SqlError> {
    let mut line = Vec::new();
    let heading = |columns: &[SqlColumn], line: &mut Vec<u8>| {
        let names = columns.iter().map(|column| guarded(column.name.clone()));
        write_csv_record(line, &names.collect::<Vec<_>>())
    };
    let ran = run(log, models, question, progress, &mut |columns, row| {
        line.clear();
        if *rows == 0 {
            heading(columns, &mut line)?;
        }
        *rows += 1;
        let cells: Vec<String> = row.iter().map(csv_cell).collect();
        write_csv_record(&mut line, &cells)?;
        out.write_all(&line)?;
        Ok(true)
    })?;
    if *rows == 0 {
        line.clear();
        heading(&ran.columns, &mut line)?;
        out.write_all(&line)?;
    }
    Ok(ran)
}

fn csv_cell(cell: &Value) -> String {
    match cell {
        Value::Number(number) => number.to_string(),
        cell => {
            let text = printed(cell);
            // A plain number runs nothing in a spreadsheet, its sign neither.
            let number = crate::model::compare_written(&text, "0").is_some();
            if number { text } else { guarded(text) }
        }
    }
}

/// A cell as text: nothing for NULL, `x'…'` for bytes.
#[must_use]
pub fn printed(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(fields) => match fields.get("hex") {
            Some(Value::String(hex)) => format!("x'{hex}'"),
            _ => cell.to_string(),
        },
        other => other.to_string(),
    }
}

fn jsonl(
    log: &Log,
    models: &Arc<ModelSet>,
    question: &Question<'_>,
    progress: &Arc<WorkProgress>,
    out: &mut dyn Write,
    rows: &mut u64,
) -> Result<Ran, SqlError> {
    let mut names: Vec<String> = Vec::new();
    run(log, models, question, progress, &mut |columns, row| {
        if *rows == 0 {
            names = column_keys(columns);
        }
        *rows += 1;
        let object: Map<String, Value> = names.iter().cloned().zip(row).collect();
        serde_json::to_writer(&mut *out, &object).map_err(std::io::Error::from)?;
        out.write_all(b"\n")?;
        Ok(true)
    })
}

/// Names of the columns, each once: the second `n` is `n_2`.
pub(crate) fn column_keys(columns: &[SqlColumn]) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        let mut name = column.name.clone();
        let mut n = 2;
        while names.contains(&name) {
            name = format!("{}_{n}", column.name);
            n += 1;
        }
        names.push(name);
    }
    names
}

impl From<XlsxError> for SqlError {
    fn from(error: XlsxError) -> SqlError {
        match error {
            XlsxError::IoError(error) => SqlError::Io(error),
            other => SqlError::Io(std::io::Error::other(format!("workbook: {other}"))),
        }
    }
}

/// A workbook on its way.
struct Book {
    book: Workbook,
    heading: Format,
    rows: u32,
    cut: u64,
}

impl Book {
    fn new(sql: &str) -> Result<Book, SqlError> {
        let mut book = Workbook::new();
        // A workbook names its making; the beginning of its container's calendar, so that the same question gives
        // the same bytes.
        let stamp = ExcelDateTime::from_ymd(1980, 1, 1)?;
        let properties = DocProperties::new()
            .set_title("SQL")
            .set_comment(fitting(sql).0)
            .set_creation_datetime(&stamp);
        book.set_properties(&properties);
        // Written to disk while it is made, so that one of any size needs little memory.
        book.add_worksheet_with_constant_memory()?
            .set_name("rows")?;
        Ok(Book {
            book,
            heading: Format::new().set_bold(),
            rows: 0,
            cut: 0,
        })
    }

    fn heading(&mut self, columns: &[SqlColumn]) -> Result<(), SqlError> {
        if columns.len() > MAX_SHEET_COLUMNS {
            return Err(SqlError::Failed {
                message: format!("a sheet has room for {MAX_SHEET_COLUMNS} columns"),
            });
        }
        let sheet = self.book.worksheet_from_index(0)?;
        for (at, column) in columns.iter().enumerate() {
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            sheet.write_string_with_format(0, at, fitting(&column.name).0, &self.heading)?;
        }
        Ok(())
    }

    fn row(&mut self, columns: &[SqlColumn], cells: &[Value]) -> Result<(), SqlError> {
        if self.rows == 0 {
            self.heading(columns)?;
        }
        self.rows += 1;
        if u64::from(self.rows) > MAX_SHEET_ROWS {
            return Err(SqlError::TooManyRows {
                limit: MAX_SHEET_ROWS,
            });
        }
        let sheet = self.book.worksheet_from_index(0)?;
        for (at, cell) in cells.iter().enumerate() {
            let at = u16::try_from(at).unwrap_or(u16::MAX);
            if put(sheet, self.rows, at, cell)? {
                self.cut += 1;
            }
        }
        Ok(())
    }

    /// Adds the question and writes the workbook; says what it has no place for.
    fn finish(
        mut self,
        ran: &Ran,
        question: &Question<'_>,
        rows: u64,
        out: &mut dyn Write,
    ) -> Result<Vec<String>, SqlError> {
        if self.rows == 0 {
            self.heading(&ran.columns)?;
        }
        let (readings, count, findings, events) = ran.scene.told();
        let mut lines = vec![
            ("statement".to_owned(), question.sql.to_owned()),
            ("rows".to_owned(), rows.to_string()),
            ("log up to position".to_owned(), ran.scene.known.to_string()),
            ("zone".to_owned(), question.zone.to_string()),
            ("events read".to_owned(), events.to_string()),
            ("instants".to_owned(), count.to_string()),
        ];
        for reading in readings {
            let at = reading.at.map_or("now".to_owned(), |at| at.to_string());
            let how = reading
                .reading
                .map_or(String::new(), |how| format!(" ({how})"));
            let known = reading.known;
            lines.push((reading.table, format!("at {at}, known {known}{how}")));
        }
        for finding in findings {
            let times = finding.count;
            let text = format!("{} ({times} times)", finding.detail);
            lines.push((finding.severity.text().to_owned(), text));
        }
        let sheet = self.book.add_worksheet();
        sheet.set_name("question")?;
        sheet.set_column_width_pixels(0, 160)?;
        sheet.set_column_width_pixels(1, 640)?;
        for (at, (name, value)) in lines.iter().enumerate() {
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            sheet.write_string_with_format(at, 0, fitting(name).0, &self.heading)?;
            sheet.write_string(at, 1, fitting(value).0)?;
        }
        // A file without a name, so that a workbook of any size needs little memory.
        let mut file = tempfile::tempfile()?;
        self.book.save_to_writer(&mut file)?;
        file.seek(SeekFrom::Start(0))?;
        std::io::copy(&mut file, out)?;
        Ok(match self.cut {
            0 => Vec::new(),
            1 => vec![format!(
                "1 cell is longer than {MAX_CELL} characters and cut there"
            )],
            n => vec![format!(
                "{n} cells are longer than {MAX_CELL} characters and cut there"
            )],
        })
    }
}

/// Writes a cell: as a number where none of its digits is lost. Says whether it was cut.
fn put(sheet: &mut Worksheet, row: u32, column: u16, cell: &Value) -> Result<bool, SqlError> {
    match cell {
        Value::Null => return Ok(false),
        Value::Bool(is) => {
            sheet.write_boolean(row, column, *is)?;
            return Ok(false);
        }
        Value::Number(number) => {
            let text = number.to_string();
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let plain = !text.contains(['e', 'E']) && digits <= MAX_DIGITS;
            let scale = text.split_once('.').map_or(0, |(_, part)| part.len());
            if let Some(decimal) = rust_decimal::Decimal::from_str_exact(&text)
                .ok()
                .filter(|_| plain)
                && let Some(value) = rust_decimal::prelude::ToPrimitive::to_f64(&decimal)
            {
                let format = match scale {
                    0 => "0".to_owned(),
                    scale => format!("0.{}", "0".repeat(scale)),
                };
                let format = Format::new().set_num_format(format);
                sheet.write_number_with_format(row, column, value, &format)?;
                return Ok(false);
            }
        }
        Value::String(_) | Value::Array(_) | Value::Object(_) => {}
    }
    let text = printed(cell);
    let (text, cut) = fitting(&text);
    if !text.is_empty() {
        sheet.write_string(row, column, text)?;
    }
    Ok(cut)
}

/// A text as a cell can hold it, its hidden characters shown; whether it was cut.
fn fitting(text: &str) -> (String, bool) {
    let shown: String = text
        .chars()
        .map(|c| match c {
            '\n' | '\t' => c.to_string(),
            c if hidden::is_hidden(c) => format!("\\u{{{:x}}}", u32::from(c)),
            c => c.to_string(),
        })
        .collect();
    let mut units = 0;
    let end = shown.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units > MAX_CELL
    });
    match end {
        Some((end, _)) => (shown[..end].to_owned(), true),
        None => (shown, false),
    }
}
