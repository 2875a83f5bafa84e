//! `annals history`: every value that a place of a state had.

use std::path::PathBuf;

use annals_core::id::StreamId;
use annals_core::model::FieldPath;
use annals_core::store::Log;
use annals_core::temporal::{self, HistoryView, ValueSpan};

use crate::commands::state::{about_place, looked_at, model_text};
use crate::commands::{counting, load_models, print_findings};
use crate::failure::{Exit, Failure};
use crate::instant::{MomentArgs, with_like_streams};
use crate::output::Output;
use crate::table::{Align, Table, pairs};
use crate::text::{MAX_DATA_COLUMNS, MAX_NAME_COLUMNS, counted};

/// List every value that a place of a stream's state had: from, to, and set by which event.
#[derive(Debug, clap::Args)]
pub struct History {
    /// The store
    store: PathBuf,
    /// The stream
    stream: StreamId,
    /// Path of the value in the stream's state, such as total or items[0].price; '' is the whole state
    path: FieldPath,
    #[command(flatten)]
    moment: MomentArgs,
    /// List at most so many values, the newest; the others are counted
    #[arg(long, value_name = "N", default_value_t = temporal::VALUES)]
    limit: usize,
}

/// Runs the command.
pub fn run(args: History, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.moment.read()?;
    let log = Log::explore(&args.store)?;
    let models = load_models(&args.store)?;
    let moment = asked.on(&log)?;
    let mut view = counting(|go_on| {
        temporal::history(
            &log,
            &models,
            &args.stream,
            &args.path,
            &moment.moment,
            args.limit,
            go_on,
        )
    })
    .map_err(|error| with_like_streams(error.into(), &log, &args.stream))?;
    view.reading = moment.reading;
    output.show(&view, |output| print(&view, output))
}

fn print(view: &HistoryView, output: &mut Output) -> Result<(), Failure> {
    let mut rows = about_place(
        &view.stream,
        &view.path,
        &view.as_of,
        view.reading.as_ref(),
        looked_at(
            view.events_folded,
            view.events_failed,
            view.events_in_stream,
            view.version,
        ),
        model_text(&view.model, &view.category),
    );
    if view.incomplete {
        rows.push((
            "incomplete",
            "the model failed on an event, or the history is not told to the end; see the findings"
                .to_owned(),
        ));
    }
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    output.line("")?;
    if view.values.is_empty() {
        output.line("no value: nothing had happened by then")?;
    } else {
        print_values(&view.values, view.values_count, false, output)?;
    }
    print_findings(&view.findings, output)
}

/// Prints values and how long each held; events of a document are named by position.
pub fn print_values(
    values: &[ValueSpan],
    count: u64,
    is_document: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let place = if is_document { "POSITION" } else { "VERSION" };
    let mut table = Table::new(&[
        ("FROM", Align::Left, 30),
        ("TO", Align::Left, 30),
        (place, Align::Right, 12),
        ("TYPE", Align::Left, MAX_NAME_COLUMNS),
        ("ACTOR", Align::Left, 24),
        ("REASON", Align::Left, 32),
        ("SET AGAIN", Align::Right, 10),
        ("VALUE", Align::Left, MAX_DATA_COLUMNS),
    ]);
    for ValueSpan {
        value,
        present: _,
        from,
        to,
        position,
        version,
        to_version: _,
        event_type,
        actor,
        reason,
        confirmed,
        last_confirmed: _,
    } in values
    {
        table.row([
            from.to_string(),
            to.map_or_else(|| "…".to_owned(), |to| to.to_string()),
            match is_document {
                true => position.to_string(),
                false => version.to_string(),
            },
            event_type.clone(),
            actor.clone().unwrap_or_default(),
            reason.clone().unwrap_or_default(),
            if *confirmed == 0 {
                String::new()
            } else {
                confirmed.to_string()
            },
            value
                .as_ref()
                .map_or_else(|| "(gone)".to_owned(), |value| value.get().to_owned()),
        ]);
    }
    output.table(&table)?;
    output.line("")?;
    let listed = values.len() as u64;
    output.line(&if listed == count {
        counted(listed, "value")
    } else {
        format!("the last {listed} of {}", counted(count, "value"))
    })
}
