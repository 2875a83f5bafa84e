//! `annals events`: the log, filtered, a page at a time; or how many there are.

use std::path::PathBuf;

use annals_core::position::Position;
use annals_core::search::{SearchView, TextIndex, TextQuery};
use annals_core::store::{CountView, EventQuery, EventView, EventsView, Log, RowView};

use crate::failure::{Exit, Failure};
use crate::filters::{FilterReading, Filters};
use crate::found::{self, Text};
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
    #[command(flatten)]
    text: Text,
    /// With --text: do not bring the text index up to date first, and say how far it is
    #[arg(long, requires = "text")]
    no_wait: bool,
    /// Events on a page
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Read on after this position, the `next` of the page before
    #[arg(long, value_name = "POSITION")]
    after: Option<u64>,
    /// Begin so many matching events further on
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with_all = ["text", "count"])]
    skip: u64,
    /// Only say at which row of the list the event at this position stands: what --skip takes
    #[arg(long, value_name = "POSITION", conflicts_with_all = ["text", "count", "limit", "after", "skip"])]
    row_of: Option<u64>,
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
    let text = args.text.read()?;
    let log = Log::explore(&args.store)?;
    if let Some(text) = text {
        let index = found::open_index(&log, !args.no_wait)?;
        if args.count {
            return count_found(&index, &text, &query, &readings, output);
        }
        query.after = args.after.map(Position);
        return find(&index, &text, query, args.limit as usize, &readings, output);
    }
    if query.from.is_some() || query.to.is_some() {
        annals_core::times::know(&log, found::cache_folder().as_deref())?;
    }
    if args.count {
        let count = log.count(&query)?;
        return output.show(&CountView { count }, |output| {
            print_readings(&readings, output)?;
            output.line(&counted(count, "event"))
        });
    }
    if let Some(position) = args.row_of {
        let row = log.row_of(&query, Position(position))?;
        return output.show(&RowView { row }, |output| {
            print_readings(&readings, output)?;
            output.line(&match row {
                Some(row) => format!("row {row}: --skip {row} begins with it"),
                None => format!("no event at position {position} matches"),
            })
        });
    }
    query.after = args.after.map(Position);
    let page = log.events_from(&query, args.skip, args.limit as usize)?;
    let view = EventsView {
        events: page.events.into_iter().map(EventView::from).collect(),
        next: page.next,
    };
    output.show(&view, |output| {
        print_readings(&readings, output)?;
        print(&log, &view, query, output)
    })
}

fn count_found(
    index: &TextIndex,
    text: &TextQuery,
    query: &EventQuery,
    readings: &[String],
    output: &mut Output,
) -> Result<Exit, Failure> {
    let view = index.count(text, query)?;
    let reach = found::tell_reach(&view.reach);
    output.show(&view, |output| {
        print_readings(readings, output)?;
        reach.iter().try_for_each(|line| output.line(line))?;
        output.line(&counted(view.count, "event"))
    })
}

fn find(
    index: &TextIndex,
    text: &TextQuery,
    mut query: EventQuery,
    limit: usize,
    readings: &[String],
    output: &mut Output,
) -> Result<Exit, Failure> {
    let mut view = index.search(text, &query, limit)?;
    // Core ends a page early where it had to look at much; here it is waited for.
    while let Some(next) = view.next
        && view.hits.len() < limit
    {
        query.after = Some(next);
        let more = index.search(text, &query, limit - view.hits.len())?;
        view.hits.extend(more.hits);
        view.next = more.next;
    }
    let reach = found::tell_reach(&view.reach);
    output.show(&view, |output| {
        print_readings(readings, output)?;
        reach.iter().try_for_each(|line| output.line(line))?;
        print_found(index, text, &view, &query, output)
    })
}

fn print_found(
    index: &TextIndex,
    text: &TextQuery,
    view: &SearchView,
    query: &EventQuery,
    output: &mut Output,
) -> Result<(), Failure> {
    let total = index.count(text, query)?.count;
    if view.hits.is_empty() {
        let reading = crate::text::visible(&view.reading);
        return output.line(&match total {
            0 => format!("no event matches {reading}"),
            total => format!("no more; {} in all", counted(total, "event")),
        });
    }
    let mut table = Table::new(&[
        ("POSITION", Align::Right, 20),
        ("TIME", Align::Left, 30),
        ("STREAM", Align::Left, MAX_NAME_COLUMNS),
        ("VERSION", Align::Right, 20),
        ("TYPE", Align::Left, MAX_NAME_COLUMNS),
        ("ACTOR", Align::Left, 24),
        ("FOUND IN", Align::Left, 2 * MAX_DATA_COLUMNS),
    ]);
    for hit in &view.hits {
        table.row([
            hit.event.position.to_string(),
            hit.event.time.to_string(),
            hit.event
                .stream
                .clone()
                .unwrap_or_else(|| "(erased)".to_owned()),
            hit.event.version.to_string(),
            hit.event.event_type.clone(),
            hit.actor
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            found::places(hit),
        ]);
    }
    output.table(&table)?;
    output.line("")?;
    output.line(&summary(view.hits.len() as u64, total, view.next))
}

/// How many of how many are shown, and where the next page begins.
fn summary(shown: u64, total: u64, next: Option<Position>) -> String {
    let mut summary = if shown == total {
        counted(total, "event")
    } else {
        format!("{shown} of {}", counted(total, "event"))
    };
    if let Some(next) = next {
        summary += &format!("; next page: --after {next}");
    }
    summary
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
    output.line(&summary(view.events.len() as u64, total, view.next))
}
