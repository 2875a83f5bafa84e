//! The forms of a report: JSON Lines, CSV, XLSX, HTML. `docs/reports.md` draws them. PDF is typeset by a crate of its
//! own from the same model.
//!
//! The same report gives the same bytes in every form.

mod csv;
mod html;
mod jsonl;
mod xlsx;

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::report::{Report, Table};
use super::{MadeReport, ReportError};
use crate::export::whole::{self, Hashed};
use crate::integrity::Hash;
use crate::progress::WorkProgress;
use crate::store::Log;

/// Form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum ReportForm {
    /// The report as its first line, each row as one more, and a line that ends it.
    Jsonl,
    /// One table a file, and the report as JSON beside them.
    Csv,
    /// A workbook: the first page, the checks and each table on a sheet of its own.
    Xlsx,
    /// One page that opens from the disk, without scripts.
    Html,
}

impl ReportForm {
    /// The form that a file's name asks for by its ending; `None` for any other.
    ///
    /// ```
    /// use annals_core::compliance::ReportForm;
    /// assert_eq!(ReportForm::of("a/b.XLSX".as_ref()), Some(ReportForm::Xlsx));
    /// assert_eq!(ReportForm::of("b.pdf".as_ref()), None);
    /// ```
    #[must_use]
    pub fn of(file: &Path) -> Option<ReportForm> {
        let ending = file.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "jsonl" => Some(ReportForm::Jsonl),
            "csv" => Some(ReportForm::Csv),
            "xlsx" => Some(ReportForm::Xlsx),
            "html" => Some(ReportForm::Html),
            _ => None,
        }
    }
}

/// What was written: `annals report make --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ReportView {
    /// The report without its rows.
    pub report: Report,
    /// Names it with all its rows: SHA-256 of `report` as JSON text, in which the hash of each table stands.
    pub hash: Hash,
    /// The files, the one asked for first.
    pub files: Vec<WrittenFile>,
    /// What the form has no place for, in one sentence each.
    pub left_out: Vec<String>,
}

/// One file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct WrittenFile {
    /// Its path.
    pub file: String,
    /// What it holds.
    pub holds: String,
    /// Its length in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// SHA-256 of it.
    pub sha256: Hash,
}

/// Writes the report as JSON Lines: the attachment of other forms, and a form of its own.
///
/// # Errors
/// [`ReportError::Io`] if it cannot be written, [`ReportError::Cancelled`].
pub fn write_jsonl(
    made: &MadeReport,
    out: &mut dyn Write,
    progress: &WorkProgress,
) -> Result<(), ReportError> {
    jsonl::write(made, out, progress)
}

/// Writes one table of the report as CSV (RFC 4180), cells that a spreadsheet would run with an apostrophe before them.
///
/// # Errors
/// As [`write_jsonl`].
pub fn write_csv(
    made: &MadeReport,
    table: &Table,
    out: &mut dyn Write,
    progress: &WorkProgress,
) -> Result<(), ReportError> {
    csv::write(made, table, out, progress)
}

/// Writes the report as a page of HTML without scripts.
///
/// # Errors
/// As [`write_jsonl`].
pub fn write_html(
    made: &MadeReport,
    out: &mut dyn Write,
    progress: &WorkProgress,
) -> Result<(), ReportError> {
    html::write(made, out, progress)
}

/// Writes a report in a form to `file`, and what belongs beside it. Each file is written under a temporary name first and
/// renamed when all of them are whole: a cancelled or failed report leaves no half file and existing ones as they were.
/// Progress counts rows.
///
/// # Errors
/// [`ReportError::Io`] also where a file is the log's own, any other database, or no regular file.
pub fn write_report(
    log: &Log,
    made: &MadeReport,
    form: ReportForm,
    file: &Path,
    progress: &WorkProgress,
) -> Result<ReportView, ReportError> {
    progress.expect(made.report.row_count());
    let mut files = Files::default();
    let mut left_out = Vec::new();
    match form {
        ReportForm::Jsonl => files.add(log, file, "first page and rows", &mut |out| {
            jsonl::write(made, out, progress)
        })?,
        ReportForm::Html => files.add(log, file, "first page and rows", &mut |out| {
            html::write(made, out, progress)
        })?,
        ReportForm::Xlsx => files.add(log, file, "first page and rows", &mut |out| {
            left_out = xlsx::write(made, out, progress)?;
            Ok(())
        })?,
        ReportForm::Csv => {
            for (at, table) in main_first(&made.report).into_iter().enumerate() {
                let path = match at {
                    0 => file.to_owned(),
                    _ => beside(file, &table.id, "csv"),
                };
                files.add(log, &path, &table.title, &mut |out| {
                    csv::write(made, table, out, progress)
                })?;
            }
            files.add(
                log,
                &beside(file, "report", "json"),
                "first page",
                &mut |out| {
                    serde_json::to_writer_pretty(&mut *out, &made.report)
                        .map_err(std::io::Error::from)?;
                    Ok(out.write_all(b"\n")?)
                },
            )?;
        }
    }
    Ok(ReportView {
        hash: made.report.hash(),
        report: made.report.clone(),
        files: files.keep()?,
        left_out,
    })
}

/// Writes one file under a temporary name, renamed when it is whole; for forms that are made elsewhere.
///
/// # Errors
/// As [`write_report`]; what `write` returns.
pub fn write_whole(
    log: &Log,
    file: &Path,
    holds: &str,
    write: &mut dyn FnMut(&mut dyn Write) -> Result<(), ReportError>,
) -> Result<WrittenFile, ReportError> {
    let mut files = Files::default();
    files.add(log, file, holds, write)?;
    let mut kept = files.keep()?;
    kept.pop()
        .ok_or_else(|| std::io::Error::other("no file was written").into())
}

/// The tables, the main one first.
fn main_first(report: &Report) -> Vec<&Table> {
    let mut tables: Vec<&Table> = report.tables().collect();
    let main = report.main_table().map(|table| table.id.clone());
    tables.sort_by_key(|table| Some(&table.id) != main.as_ref());
    tables
}

/// `a.csv` and `types` give `a.types.csv`.
fn beside(file: &Path, name: &str, ending: &str) -> PathBuf {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    file.with_file_name(format!("{stem}.{name}.{ending}"))
}

/// Files on their way, none of them in its place yet.
#[derive(Default)]
struct Files {
    waiting: Vec<(tempfile::NamedTempFile, PathBuf, WrittenFile)>,
}

impl Files {
    fn add(
        &mut self,
        log: &Log,
        file: &Path,
        holds: &str,
        write: &mut dyn FnMut(&mut dyn Write) -> Result<(), ReportError>,
    ) -> Result<(), ReportError> {
        whole::may_write(log, file)?;
        let temporary = whole::new_file(file)?;
        let (sha256, bytes) = {
            let buffered = std::io::BufWriter::with_capacity(1 << 18, temporary.as_file());
            let mut out = Hashed::new(buffered);
            write(&mut out)?;
            out.flush()?;
            out.told()
        };
        temporary.as_file().sync_all()?;
        let written = WrittenFile {
            file: file.display().to_string(),
            holds: holds.to_owned(),
            bytes,
            sha256,
        };
        self.waiting.push((temporary, file.to_owned(), written));
        Ok(())
    }

    /// Puts all in their places, the one asked for last: where it is, the others are.
    fn keep(self) -> Result<Vec<WrittenFile>, ReportError> {
        let mut written = Vec::new();
        for (temporary, path, file) in self.waiting.into_iter().rev() {
            whole::put(temporary, &path)?;
            written.push(file);
        }
        written.reverse();
        Ok(written)
    }
}

/// Counts a row that was written; an error once the user cancelled.
fn step(progress: &WorkProgress) -> Result<(), ReportError> {
    progress.advance(1);
    match progress.is_cancelled() {
        true => Err(ReportError::Cancelled),
        false => Ok(()),
    }
}
