//! `annals export`: every event that matches, to a file.

use std::path::{Path, PathBuf};

use annals_core::export::fixture::{FixtureReport, fixture};
use annals_core::export::{
    ExportFormat, ExportProgress, ExportReport, export, export_found, export_found_to_file,
    export_to_file,
};
use annals_core::store::Log;

use crate::commands::print_findings;
use crate::failure::{Code, Exit, Failure};
use crate::filters::{FilterReading, Filters};
use crate::found::{Text, open_index};
use crate::output::{Output, complain};
use crate::text::{counted, visible};

/// Write every event that matches to a file.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The store
    store: PathBuf,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    text: Text,
    /// Form of the file
    #[arg(long, value_enum, required_unless_present = "fixture")]
    format: Option<Form>,
    /// Write a slice of a stream (--stream S --from vN --to vN) as a test fixture: a new folder with the
    /// events, the model, the state and a Rust test
    #[arg(long, conflicts_with = "format", requires = "stream")]
    fixture: bool,
    /// File to write, replaced if it exists; - is standard output (the report then goes to standard error)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Form of the file.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Form {
    /// One JSON object a line; imports back to the same events
    Jsonl,
    /// CloudEvents 1.0, one a line
    #[value(name = "cloudevents")]
    CloudEvents,
    /// One row an event, payloads as JSON text
    Csv,
    /// The same as a workbook
    Xlsx,
    /// XES (IEEE 1849): a stream is a trace
    Xes,
    /// OCEL 2.0 as JSON: a stream is an object
    OcelJson,
    /// OCEL 2.0 as a SQLite database
    OcelSqlite,
    /// Apache Parquet, in builds with the feature `parquet`
    Parquet,
}

/// Runs the command.
pub fn run(args: Export, output: &mut Output) -> Result<Exit, Failure> {
    let format = match args.format {
        Some(Form::Jsonl) => ExportFormat::Jsonl,
        Some(Form::CloudEvents) => ExportFormat::CloudEvents,
        Some(Form::Csv) => ExportFormat::Csv,
        Some(Form::Xlsx) => ExportFormat::Xlsx,
        Some(Form::Xes) => ExportFormat::Xes,
        Some(Form::OcelJson) => ExportFormat::OcelJson,
        Some(Form::OcelSqlite) => ExportFormat::OcelSqlite,
        Some(Form::Parquet) => ExportFormat::Parquet,
        None => return write_fixture(args, output),
    };
    let FilterReading { query, readings } = args.filters.read()?;
    let text = args.text.read()?;
    let log = Log::explore(&args.store)?;
    let index = text.is_some().then(|| open_index(&log, true)).transpose()?;
    let found = index.as_ref().zip(text.as_ref());
    let progress = ExportProgress::default();
    if args.out == Path::new("-") {
        let mut report = match found {
            None => export(&log, &query, format, output.raw(), &progress)?,
            Some((index, text)) => {
                export_found(index, text, &query, format, output.raw(), &progress)?
            }
        };
        report.file = "-".to_owned();
        output.finish()?;
        if output.is_json() {
            complain(&serde_json::to_string(&report).map_err(std::io::Error::from)?);
        } else {
            readings.iter().for_each(|reading| complain(reading));
            complain(&summary(&report));
            for finding in &report.findings {
                complain(&visible(&format!(
                    "warning: {} ({} events)",
                    finding.detail, finding.count
                )));
            }
        }
        return Ok(Exit::Done);
    }
    let folder = args
        .out
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let message = format!("there is no folder {}", folder.display());
        return Err(Failure::new(Code::NotFound, message));
    }
    let mut report = match found {
        None => export_to_file(&log, &query, format, &args.out, &progress)?,
        Some((index, text)) => {
            export_found_to_file(index, text, &query, format, &args.out, &progress)?
        }
    };
    report.file = args.out.display().to_string();
    output.show(&report, |output| {
        readings
            .iter()
            .try_for_each(|reading| output.line(reading))?;
        output.line(&summary(&report))?;
        output.line(&format!("sha256 {}", report.sha256))?;
        print_findings(&report.findings, output)
    })
}

fn write_fixture(args: Export, output: &mut Output) -> Result<Exit, Failure> {
    if args.text.read()?.is_some() {
        return Err(Failure::usage("--fixture takes a whole slice of a stream")
            .hint("it goes with --stream, --from vN and --to vN"));
    }
    let request = args.filters.slice()?;
    let log = Log::explore(&args.store)?;
    let report = fixture(&log, &request, &args.out)?;
    output.show(&report, |output| {
        let FixtureReport {
            folder,
            stream,
            first,
            last,
            events,
            erased,
            model,
            as_in_log,
            files,
        } = &report;
        output.line(&visible(&format!(
            "wrote {folder}: {} of {stream}, versions {first} to {last}",
            counted(*events, "event")
        )))?;
        if *erased > 0 {
            let erased = counted(*erased, "event");
            output.line(&format!("left out {erased}, because their data was erased"))?;
        }
        let model = match model {
            Some(name) => format!("the model {name}"),
            None => "the inferred fold".to_owned(),
        };
        let state = match as_in_log {
            true => "the state that the log has there",
            false => "a state of its own, not the log's",
        };
        output.line(&visible(&format!("with {model} it folds to {state}")))?;
        output.line(&files.join("  "))
    })
}

fn summary(report: &ExportReport) -> String {
    let file = if report.file == "-" {
        "standard output"
    } else {
        &report.file
    };
    visible(&format!(
        "wrote {} to {file} ({} bytes)",
        counted(report.events, "event"),
        report.bytes
    ))
}
