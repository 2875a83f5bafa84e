//! `annals late`: events whose order by time is not their order by version.

use std::path::PathBuf;

use annals_core::id::StreamId;
use annals_core::store::Log;
use annals_core::temporal::{self, LateEvent, LateView};

use crate::commands::counting;
use crate::failure::{Exit, Failure};
use crate::instant::with_like_streams;
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted};

/// List events that happened before an event of their stream with a lower version: late, back-dated or out of order.
#[derive(Debug, clap::Args)]
pub struct Late {
    /// The store
    store: PathBuf,
    /// Only this stream
    #[arg(long)]
    stream: Option<StreamId>,
    /// List at most so many; the others are counted
    #[arg(long, value_name = "N", default_value_t = temporal::LATE)]
    limit: usize,
}

/// Runs the command.
pub fn run(args: Late, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    let view = counting(|go_on| temporal::late(&log, args.stream.as_ref(), args.limit, go_on))
        .map_err(|error| {
            let failure = Failure::from(error);
            match &args.stream {
                Some(stream) => with_like_streams(failure, &log, stream),
                None => failure,
            }
        })?;
    output.show(&view, |output| print(&view, output))
}

fn print(view: &LateView, output: &mut Output) -> Result<(), Failure> {
    if !view.events.is_empty() {
        let mut table = Table::new(&[
            ("POSITION", Align::Right, 12),
            ("STREAM", Align::Left, MAX_NAME_COLUMNS),
            ("VERSION", Align::Right, 12),
            ("TYPE", Align::Left, MAX_NAME_COLUMNS),
            ("TIME", Align::Left, 30),
            ("AFTER VERSION", Align::Right, 13),
            ("OF", Align::Left, 30),
            ("RECORDED", Align::Left, 30),
            ("BACK-DATED", Align::Left, 10),
        ]);
        for LateEvent {
            event,
            recorded_at,
            source_recorded_at,
            before,
            back_dated,
        } in &view.events
        {
            table.row([
                event.position.to_string(),
                event.stream.clone().unwrap_or_default(),
                event.version.to_string(),
                event.event_type.clone(),
                event.time.to_string(),
                before.version.to_string(),
                before.time.to_string(),
                source_recorded_at.unwrap_or(*recorded_at).to_string(),
                if *back_dated { "yes" } else { "" }.to_owned(),
            ]);
        }
        output.table(&table)?;
        output.line("")?;
    }
    let mut text = match view.events_count {
        0 => "every event happened after those of its stream with lower versions".to_owned(),
        n => format!(
            "{} happened before one with a lower version, {} of them recorded after that one was",
            counted(n, "event"),
            view.back_dated_count
        ),
    };
    let listed = view.events.len() as u64;
    if listed < view.events_count {
        text += &format!("; the first {listed} are listed");
    }
    let looked_at = counted(view.looked_at, "event");
    output.line(&format!("{text}; looked at {looked_at}"))
}
