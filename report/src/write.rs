//! A report as a PDF file, its rows and its question inside.

use std::path::Path;

use annals_core::chart::grouped;
use annals_core::compliance::{
    MadeReport, ReportError, ReportForm, ReportRequest, ReportView, Table, write_csv, write_html,
    write_jsonl, write_report, write_whole,
};
use annals_core::progress::WorkProgress;
use annals_core::store::Log;

use crate::{Attachment, Error, PdfOptions, pdf};

/// Tables that are attached as CSV, one file each; the lines of JSON hold every table.
const CSV_MAX: usize = 24;

/// Form of a report's file: PDF, or one of those that core writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Pages.
    Pdf,
    /// JSON Lines, CSV, XLSX or HTML.
    Other(ReportForm),
}

impl Form {
    /// The form that a file's name asks for by its ending; `None` for any other.
    ///
    /// ```
    /// use annals_report::Form;
    /// assert_eq!(Form::of("a/b.PDF".as_ref()), Some(Form::Pdf));
    /// assert!(matches!(Form::of("b.csv".as_ref()), Some(Form::Other(_))));
    /// assert_eq!(Form::of("b.doc".as_ref()), None);
    /// ```
    #[must_use]
    pub fn of(file: &Path) -> Option<Form> {
        let is_pdf = file
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"));
        match is_pdf {
            true => Some(Form::Pdf),
            false => ReportForm::of(file).map(Form::Other),
        }
    }
}

/// Writes a report to `file` in any form. The progress counts rows.
///
/// # Errors
/// As [`write_pdf`] and core's `write_report`.
pub fn write(
    log: &Log,
    made: &MadeReport,
    request: &ReportRequest,
    form: Form,
    file: &Path,
    progress: &WorkProgress,
) -> Result<ReportView, Error> {
    match form {
        Form::Pdf => write_pdf(log, made, request, file, &PdfOptions::default(), progress),
        Form::Other(form) => Ok(write_report(log, made, form, file, progress)?),
    }
}

/// The files that a report puts into an evidence package: pages, a page for browsers, and every row. The progress
/// counts rows.
///
/// # Errors
/// [`Error::Report`] if the rows cannot be read or the user cancelled; [`Error::Typeset`].
pub fn package_files(
    made: &MadeReport,
    request: &ReportRequest,
    progress: &WorkProgress,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let attachments = evidence(made, request, progress)?;
    let options = PdfOptions {
        layout: made.layout.clone(),
        ..PdfOptions::default()
    };
    let pages = pdf(&made.report, &made.rows, attachments, &options, progress)?;
    let (mut page, mut rows) = (Vec::new(), Vec::new());
    write_html(made, &mut page, progress)?;
    write_jsonl(made, &mut rows, progress)?;
    let name = |ending: &str| format!("{}.{ending}", request.template);
    Ok(vec![
        (name("pdf"), pages),
        (name("html"), page),
        (name("jsonl"), rows),
    ])
}

/// Writes a report as PDF to `file`, under a temporary name first: a cancelled or failed report leaves no half file.
/// The progress counts rows, those that are attached first and then those that are printed.
///
/// # Errors
/// [`Error::Report`] as of core's other forms; [`Error::Typeset`].
pub fn write_pdf(
    log: &Log,
    made: &MadeReport,
    request: &ReportRequest,
    file: &Path,
    options: &PdfOptions,
    progress: &WorkProgress,
) -> Result<ReportView, Error> {
    let attachments = evidence(made, request, progress)?;
    let options = &PdfOptions {
        layout: made.layout.clone(),
        ..options.clone()
    };
    let bytes = pdf(&made.report, &made.rows, attachments, options, progress)?;
    let written = write_whole(
        log,
        file,
        "pages, with the rows and the question inside",
        &mut |out| Ok(out.write_all(&bytes)?),
    )?;
    let rows = made.report.row_count();
    let mut left_out = Vec::new();
    let printed = options.printed(&made.report);
    if printed < rows {
        let (printed, all) = (grouped(printed), grouped(rows));
        left_out.push(format!(
            "{printed} of {all} rows are on the pages; all of them are in the files inside the PDF."
        ));
    }
    Ok(ReportView {
        hash: made.report.hash(),
        report: made.report.clone(),
        files: vec![written],
        left_out,
    })
}

/// The rows as lines of JSON and as tables, and the question that the report answers.
///
/// # Errors
/// [`Error::Report`] if the rows cannot be read or the user cancelled.
pub fn evidence(
    made: &MadeReport,
    request: &ReportRequest,
    progress: &WorkProgress,
) -> Result<Vec<Attachment>, Error> {
    let tables: Vec<&Table> = made
        .report
        .tables()
        .filter(|table| table.rows > 0)
        .collect();
    progress.expect(made.report.row_count() * 2);
    let mut lines = Vec::new();
    write_jsonl(made, &mut lines, progress)?;
    let mut files = vec![Attachment {
        name: "rows.jsonl".to_owned(),
        mime: "application/jsonl",
        description: "The report and every row, one JSON object a line".to_owned(),
        bytes: lines,
    }];
    for (index, table) in tables.iter().take(CSV_MAX).enumerate() {
        let mut bytes = Vec::new();
        write_csv(made, table, &mut bytes, progress)?;
        files.push(Attachment {
            // The typesetter keeps every name for good, so they are numbers, not names from the template.
            name: format!("table-{:02}.csv", index + 1),
            mime: "text/csv",
            description: format!("Every row of the table {:?}", table.title),
            bytes,
        });
    }
    let mut question = serde_json::to_vec_pretty(request)
        .map_err(|error| Error::Report(ReportError::Io(error.into())))?;
    question.push(b'\n');
    files.push(Attachment {
        name: "query.json".to_owned(),
        mime: "application/json",
        description: "The question that this report answers".to_owned(),
        bytes: question,
    });
    Ok(files)
}
