//! `annals privacy`: personal data, its erasure, and legal holds against that.

mod erase;
mod hold;

use std::path::PathBuf;

use annals_core::event::Part;
use annals_core::privacy::{self, How, LikelyRow, Mention, PrivacyScanView, SubjectView};
use annals_core::store::Log;
use serde::Serialize;

use crate::commands::{counting, load_models};
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};

/// Find personal data, erase a subject's, and hold events for a matter.
#[derive(Debug, clap::Args)]
pub struct PrivacyArgs {
    /// What to do.
    #[command(subcommand)]
    command: PrivacyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum PrivacyCommand {
    /// List fields that seem to hold personal data: by the form of values, and by names
    Scan {
        /// The store
        store: PathBuf,
    },
    /// Say where a subject's data is: events that are theirs by a model, and events that name them
    Subject {
        /// The store
        store: PathBuf,
        /// The subject, as the model's [personal] gives it
        #[arg(allow_hyphen_values = true)]
        subject: String,
    },
    /// Erase a subject's payloads for good, and say so in the log; shows the plan first
    Erase(erase::Erase),
    /// Place, list and release legal holds: a held event is not erased
    Hold {
        /// What to do.
        #[command(subcommand)]
        command: hold::HoldCommand,
    },
}

/// Runs the command.
pub fn run(args: PrivacyArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.command {
        PrivacyCommand::Scan { store } => {
            let log = Log::explore(&store)?;
            let models = load_models(&store)?;
            let view = counting(|go_on| privacy::scan(&log, &models, go_on))?;
            output.show(&view, |output| print_scan(&view, output))
        }
        PrivacyCommand::Subject { store, subject } => {
            let log = Log::explore(&store)?;
            let models = load_models(&store)?;
            let view = counting(|go_on| privacy::subject(&log, &models, &subject, go_on))?;
            output.show(&view, |output| print_subject(&view, output))
        }
        PrivacyCommand::Erase(args) => erase::run(args, output),
        PrivacyCommand::Hold { command } => hold::run(command, output),
    }
}

fn print_scan(view: &PrivacyScanView, output: &mut Output) -> Result<(), Failure> {
    let PrivacyScanView {
        events,
        events_with,
        events_erased,
        rows,
        rows_left_out,
    } = view;
    if !rows.is_empty() {
        let mut table = Table::new(&[
            ("TYPE", Align::Left, MAX_NAME_COLUMNS),
            ("FIELD", Align::Left, MAX_NAME_COLUMNS),
            ("LOOKS LIKE", Align::Left, 16),
            ("BY", Align::Left, 6),
            ("EVENTS", Align::Right, 12),
            ("FIRST", Align::Right, 12),
            ("MODEL", Align::Left, 8),
            ("EXAMPLE", Align::Left, 40),
        ]);
        for LikelyRow {
            event_type,
            part,
            path,
            kind,
            by_value,
            events,
            first,
            marked,
            examples,
        } in rows
        {
            table.row([
                event_type.clone(),
                place(*part, path),
                word(kind),
                if *by_value { "value" } else { "name" }.to_owned(),
                events.to_string(),
                first.to_string(),
                match (part, marked) {
                    (Part::Identity, _) => "stays",
                    (_, true) => "marked",
                    (_, false) => "-",
                }
                .to_owned(),
                examples.first().cloned().unwrap_or_default(),
            ]);
        }
        output.table(&table)?;
        output.line("")?;
    }
    if *rows_left_out > 0 {
        output.line(&format!("{rows_left_out} further fields are not listed"))?;
    }
    output.line(&format!(
        "looked at {}: {events_with} with something that looks personal, {events_erased} with an erased part",
        counted(*events, "event")
    ))?;
    output.line("this is a guess: it misses what has no telling form or name, and errs; examples are masked")
}

fn print_subject(view: &SubjectView, output: &mut Output) -> Result<(), Failure> {
    let SubjectView {
        subject,
        looked_at,
        erased,
        theirs,
        named,
        unmarked,
        events,
    } = view;
    if !events.is_empty() {
        let mut table = Table::new(&[
            ("POSITION", Align::Right, 12),
            ("STREAM", Align::Left, MAX_NAME_COLUMNS),
            ("VERSION", Align::Right, 12),
            ("TYPE", Align::Left, MAX_NAME_COLUMNS),
            ("THEIRS", Align::Left, 6),
            ("WHERE", Align::Left, 80),
            ("HELD BY", Align::Left, 30),
        ]);
        for event in events {
            table.row([
                event.position.to_string(),
                event.stream.clone().unwrap_or_default(),
                event.version.to_string(),
                event.event_type.clone(),
                if event.theirs { "yes" } else { "-" }.to_owned(),
                mentions(&event.mentions),
                event.held_by.join(", "),
            ]);
        }
        output.table(&table)?;
        output.line("")?;
    }
    output.line(&visible(&format!(
        "looked at {} for {subject}: {theirs} theirs by a model, {named} that name them",
        counted(*looked_at, "event")
    )))?;
    if *erased > 0 {
        output.line(&format!(
            "{} had a part erased: what it held cannot be told",
            counted(*erased, "event")
        ))?;
    }
    if !unmarked.is_empty() {
        output.line(&visible(&format!(
            "no model says whose the events of these categories are: {}",
            unmarked.join(", ")
        )))?;
    }
    Ok(())
}

/// The name of a choice as the wire has it.
fn word(choice: &impl Serialize) -> String {
    let value = serde_json::to_value(choice).unwrap_or_default();
    value.as_str().unwrap_or_default().replace('_', " ")
}

fn place(part: Part, path: &str) -> String {
    match (part, path) {
        (Part::Identity, path) => path.to_owned(),
        (part, "") => word(&part),
        (part, path) => format!("{}.{path}", word(&part)),
    }
}

/// Places of an event, each once, in one line.
fn mentions(all: &[Mention]) -> String {
    let mut places: Vec<String> = Vec::new();
    for Mention { part, path, how } in all {
        let text = match how {
            How::Actor => "actor".to_owned(),
            How::Marked | How::Value | How::Text | How::Stream | How::Id => place(*part, path),
        };
        if !places.contains(&text) {
            places.push(text);
        }
    }
    places.join(", ")
}
