//! `annals sql`: one reading statement over the log as of any instant.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use annals_core::progress::WorkProgress;
use annals_core::question::IntervalIndex;
use annals_core::sql::{
    self, Question, SavedQueriesView, SavedQuery, SqlEnd, SqlError, SqlExportView, SqlForm,
    SqlReading, SqlSchemaView, SqlView, printed,
};
use annals_core::store::Log;
use chrono_tz::Tz;
use serde_json::Value;

use crate::commands::{load_models, print_findings};
use crate::failure::{Exit, Failure};
use crate::found::cache_folder;
use crate::instant::zone;
use crate::output::Output;
use crate::table::{Align, Table, pairs};
use crate::text::{MAX_DATA_COLUMNS, columns, counted, cut, visible};
use crate::watch::watched_events;

/// Answer a statement in SQL (SQLite's) over the events and the states as of any instant. It can only read.
#[derive(Debug, clap::Args)]
pub struct Sql {
    /// The store
    store: PathBuf,
    /// The statement, such as SELECT status, count(*) FROM order_at('2024-01-31') GROUP BY status
    #[arg(required_unless_present_any = ["schema", "saved", "list"], conflicts_with_all = ["schema", "list"])]
    sql: Option<String>,
    /// List the tables, their columns and the functions
    #[arg(long)]
    schema: bool,
    /// Answer a saved query: X.annals.d/queries/NAME.sql
    #[arg(long, value_name = "NAME", conflicts_with_all = ["sql", "schema", "list"])]
    saved: Option<String>,
    /// List the saved queries
    #[arg(long, conflicts_with = "schema")]
    list: bool,
    /// Save the statement under a name, and answer it
    #[arg(long, value_name = "NAME", requires = "sql")]
    save: Option<String>,
    /// Save it in place of one of that name
    #[arg(long, requires = "save")]
    replace: bool,
    /// What :at stands for in the statement, as in order_at(:at)
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What :known stands for in the statement: a position of the log, or a time of recording
    #[arg(long, value_name = "POSITION|TIME")]
    known: Option<String>,
    /// Give at most so many rows; with --out all are written
    #[arg(long, value_name = "N", default_value_t = sql::ROWS)]
    limit: usize,
    /// Stop after so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = sql::TIME.as_secs())]
    timeout: u64,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = zone)]
    zone: Tz,
    /// Fold the events for tables of states, whatever the interval index says
    #[arg(long, conflicts_with_all = ["schema", "list"])]
    replay: bool,
    /// Write every row to a file, replaced if it exists; its ending says the form: .csv, .jsonl, .xlsx
    #[arg(long, value_name = "FILE", conflicts_with_all = ["schema", "list"])]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: Sql, output: &mut Output) -> Result<Exit, Failure> {
    let form = args.out.as_deref().map(form).transpose()?;
    let log = Log::explore(&args.store)?;
    if args.list {
        let view = sql::list(&args.store)?;
        return output.show(&view, |output| print_saved(&view, output));
    }
    let models = Arc::new(load_models(&args.store)?);
    if args.schema {
        let view = sql::schema(&log, &models)?;
        return output.show(&view, |output| print_schema(&view, output));
    }
    let sql = match (args.sql, &args.saved) {
        (Some(sql), _) => sql,
        (None, Some(name)) => sql::show(&args.store, name)?.sql,
        (None, None) => return Err(SqlError::Empty.into()),
    };
    let index = Arc::new(IntervalIndex::open(&log, cache_folder().as_deref()));
    let question = Question {
        sql: &sql,
        at: args.at.as_deref(),
        known: args.known.as_deref(),
        zone: args.zone,
        rows: args.limit,
        time: Duration::from_secs(args.timeout),
        index: (!args.replay).then_some(&index),
    };
    let answer = |progress: &Arc<WorkProgress>| match (&args.out, form) {
        (Some(file), Some(form)) => {
            sql::export(&log, &models, &question, form, file, progress).map(Answer::Written)
        }
        _ => sql::ask(&log, &models, &question, progress).map(Answer::Rows),
    };
    let answer = watched_events(answer)?;
    // A statement that cannot be answered is not kept.
    if let Some(name) = &args.save {
        sql::save(&args.store, name, &sql, args.replace)?;
    }
    match answer {
        Answer::Rows(view) => output.show(&view, |output| print(&view, output)),
        Answer::Written(view) => output.show(&view, |output| print_written(&view, output)),
    }
}

enum Answer {
    Rows(SqlView),
    Written(SqlExportView),
}

fn form(file: &Path) -> Result<SqlForm, Failure> {
    SqlForm::of(file).ok_or_else(|| {
        Failure::usage(format!("--out: {} names no form", file.display()))
            .hint("end the file's name with .csv, .jsonl or .xlsx")
    })
}

fn print(view: &SqlView, output: &mut Output) -> Result<(), Failure> {
    let numbers = |at: usize| {
        let mut cells = view.rows.iter().map(|row| &row[at]);
        !view.rows.is_empty() && cells.all(|cell| matches!(cell, Value::Number(_) | Value::Null))
    };
    let cells = |row: &Vec<Value>| -> Vec<String> {
        row.iter()
            .map(|cell| cut(&visible(&printed(cell)), MAX_DATA_COLUMNS))
            .collect()
    };
    let headings: Vec<String> = view
        .columns
        .iter()
        .map(|column| cut(&visible(&column.name), MAX_DATA_COLUMNS))
        .collect();
    let rows: Vec<Vec<String>> = view.rows.iter().map(cells).collect();
    let right: Vec<bool> = (0..headings.len()).map(numbers).collect();
    let widths: Vec<usize> = (0..headings.len())
        .map(|at| {
            let cells = std::iter::once(&headings).chain(&rows);
            cells.map(|row| columns(&row[at])).max().unwrap_or(0)
        })
        .collect();
    for row in std::iter::once(&headings).chain(&rows) {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let gap = " ".repeat(widths[at] - columns(cell));
            let (before, after) = if right[at] {
                (gap.as_str(), "")
            } else {
                ("", gap.as_str())
            };
            line.extend([if at == 0 { "" } else { "  " }, before, cell, after]);
        }
        output.line(line.trim_end())?;
    }
    output.line("")?;
    let rows = view.rows.len() as u64;
    output.line(&match view.end {
        SqlEnd::Whole => counted(rows, "row"),
        SqlEnd::Rows => format!(
            "the first {}; there are more (--limit, --out)",
            counted(rows, "row")
        ),
        SqlEnd::Bytes => format!(
            "the first {}, which are as large as an answer may be; --out writes all",
            counted(rows, "row")
        ),
    })?;
    print_asked(
        &view.readings,
        view.readings_count,
        &view.from_index,
        view.events_examined,
        view.known.0,
        output,
    )?;
    print_findings(&view.findings, output)
}

/// What was asked, as it was understood, and what was looked at.
fn print_asked(
    readings: &[SqlReading],
    count: u64,
    from_index: &[String],
    events: u64,
    known: u64,
    output: &mut Output,
) -> Result<(), Failure> {
    for SqlReading {
        table,
        at,
        known,
        reading,
    } in readings
    {
        let at = at.map_or("now".to_owned(), |at| at.to_string());
        let how = reading
            .as_ref()
            .map_or(String::new(), |how| format!(" ({how})"));
        output.line(&visible(&format!("{table} as of {at}, known {known}{how}")))?;
    }
    let more = count - readings.len() as u64;
    if more > 0 {
        output.line(&format!("and as of {}", counted(more, "further instant")))?;
    }
    if !from_index.is_empty() {
        let tables = visible(&from_index.join(", "));
        output.line(&format!("{tables}: from the interval index"))?;
    }
    output.line(&format!(
        "read {} of a log of {known}",
        counted(events, "event")
    ))
}

fn print_written(view: &SqlExportView, output: &mut Output) -> Result<(), Failure> {
    let rows = counted(view.rows, "row");
    output.line(&visible(&format!(
        "wrote {rows} to {} ({} bytes)",
        view.file, view.bytes
    )))?;
    output.line(&format!("sha256 {}", view.sha256))?;
    print_asked(
        &view.readings,
        view.readings_count,
        &view.from_index,
        view.events_examined,
        view.known.0,
        output,
    )?;
    for left_out in &view.left_out {
        output.line(&visible(left_out))?;
    }
    print_findings(&view.findings, output)
}

fn print_schema(view: &SqlSchemaView, output: &mut Output) -> Result<(), Failure> {
    for table in &view.tables {
        let arguments = match table.arguments.is_empty() {
            true => String::new(),
            false => format!("({})", table.arguments.join(", ")),
        };
        output.line(&visible(&format!(
            "{}{arguments}: {}",
            table.name, table.holds
        )))?;
        if let (Some(model), Some(sampled), Some(streams)) =
            (&table.model, table.sampled, table.streams)
        {
            output.line(&visible(&format!(
                "  model {model}; columns from the model and the states of {sampled} of {}",
                counted(streams, "stream")
            )))?;
        }
        let columns: Vec<(&str, String)> = table
            .columns
            .iter()
            .map(|column| (column.name.as_str(), column.kind.clone()))
            .collect();
        for line in pairs(&columns) {
            output.line(&format!("  {}", visible(&line)))?;
        }
        output.line("")?;
    }
    if view.more_categories > 0 {
        output.line(&format!(
            "and a table for each of {} more categories",
            view.more_categories
        ))?;
        output.line("")?;
    }
    let mut table = Table::new(&[("FUNCTION", Align::Left, 40), ("GIVES", Align::Left, 120)]);
    for function in &view.functions {
        table.row([function.call.clone(), function.gives.clone()]);
    }
    output.table(&table)
}

fn print_saved(view: &SavedQueriesView, output: &mut Output) -> Result<(), Failure> {
    if view.queries.is_empty() {
        return output.line(&visible(&format!("no saved queries in {}", view.folder)));
    }
    let mut table = Table::new(&[
        ("NAME", Align::Left, 100),
        ("STATEMENT", Align::Left, MAX_DATA_COLUMNS),
    ]);
    for SavedQuery { name, sql } in &view.queries {
        let words: Vec<&str> = sql.split_whitespace().collect();
        table.row([name.clone(), words.join(" ")]);
    }
    output.table(&table)
}
