//! `annals events`: the log, filtered, a page at a time; or how many there are.

use std::path::PathBuf;

use annals_core::position::Position;
use annals_core::store::{CountView, EventQuery, EventView, EventsView, Log};

use crate::failure::{Exit, Failure};
use crate::filters::{FilterReading, Filters};
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_DATA_COLUMNS, MAX_NAME_COLUMNS, counted};

/// List events in order of position, or count them.
#[derive(Debug, clap::Args)]
pub struct Events {
    /// The store
    store: PathBuf,
    #[command(flatten)]
    filters: Filters,
    /// Events on a page
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Read on after this position, the `next` of the page before
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// Only say how many there are in all
    #[arg(long, conflicts_with_all = ["limit", "after", "reverse"])]
    count: bool,
}

/// Runs the command.
pub fn run(args: Events, output: &mut Output) -> Result<Exit, Failure> {
    let FilterReading {
        mut query,
        readings,
    } = args.filters.read()?;
    let log = Log::explore(&args.store)?;
    if args.count {
        let count = log.count(&query)?;
        return output.show(&CountView { count }, |output| {
            print_readings(&readings, output)?;
            output.line(&counted(count, "event"))
        });
    }
    query.after = args.after.map(Position);
    let page = log.events(&query, args.limit as usize)?;
    let view = EventsView {
        events: page.events.into_iter().map(EventView::from).collect(),
        next: page.next,
    };
    output.show(&view, |output| {
        print_readings(&readings, output)?;
        print(&log, &view, query, output)
    })
}

fn print_readings(readings: &[String], output: &mut Output) -> Result<(), Failure> {
    readings.iter().try_for_each(|reading| output.line(reading))
}

fn print(
    log: &Log,
    view: &EventsView,
    query: EventQuery,
    output: &mut Output,
) -> Result<(), Failure> {
    let total = log.count(&EventQuery {
        after: None,
        ..query.clone()
    })?;
    if view.events.is_empty() {
        return output.line(&match (total, &query.stream) {
            (0, Some(stream)) if log.stream(stream)?.is_none() => {
                crate::text::visible(&format!("no event matches: there is no stream {stream}"))
            }
            (0, _) => "no event matches".to_owned(),
            (total, _) => format!("no more; {} in all", counted(total, "event")),
        });
    }
    let mut table = Table::new(&[
        ("POSITION", Align::Right, 20),
        ("TIME", Align::Left, 30),
        ("STREAM", Align::Left, MAX_NAME_COLUMNS),
        ("VERSION", Align::Right, 20),
        ("TYPE", Align::Left, MAX_NAME_COLUMNS),
        ("ACTOR", Align::Left, 24),
        ("DATA", Align::Left, MAX_DATA_COLUMNS),
    ]);
    for event in &view.events {
        let data = match &event.data {
            Some(data) => data.get().to_owned(),
            None if event.erased.is_empty() => "(not JSON)".to_owned(),
            None => "(erased)".to_owned(),
        };
        table.row([
            event.position.to_string(),
            event.time.to_string(),
            event
                .stream
                .clone()
                .unwrap_or_else(|| "(erased)".to_owned()),
            event.version.to_string(),
            event.event_type.clone(),
            event.actor.clone().unwrap_or_default(),
            data,
        ]);
    }
    output.table(&table)?;
    output.line("")?;
    let shown = view.events.len() as u64;
    let mut summary = if shown == total {
        counted(total, "event")
    } else {
        format!("{shown} of {}", counted(total, "event"))
    };
    if let Some(next) = view.next {
        summary += &format!("; next page: --after {next}");
    }
    output.line(&summary)
}
