//! `annals tail`: events as they come.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use annals_core::event::Event;
use annals_core::position::Position;
use annals_core::search::TextQuery;
use annals_core::store::{Access, Direction, EventQuery, EventView, Log};

use crate::failure::{Exit, Failure};
use crate::filters::Filters;
use crate::found::Text;
use crate::output::{Output, complain};
use crate::text::{MAX_DATA_COLUMNS, cut, visible};

/// How long a wait for events lasts before it is looked whether to stop.
const WAIT_MS: u64 = 200;

/// Events taken at once.
const PAGE: usize = 500;

/// Print events as they come, whoever appends them, until Ctrl-C.
///
/// Each event is printed once, in order of position. With --json each is a line of its own.
#[derive(Debug, clap::Args)]
pub struct Tail {
    /// The store
    store: PathBuf,
    #[command(flatten)]
    filters: Filters,
    #[command(flatten)]
    text: Text,
    /// Print so many of the events that are there already, the last ones
    #[arg(long, value_name = "N", default_value_t = 10)]
    lines: u32,
    /// Print the events after this position, those that are there already first
    #[arg(long, value_name = "POSITION", conflicts_with = "lines")]
    after: Option<u64>,
}

/// Runs the command.
pub fn run(args: Tail, output: &mut Output) -> Result<Exit, Failure> {
    let text = args.text.read()?;
    let reading = args.filters.read()?;
    reading.readings.iter().for_each(|line| complain(line));
    if reading.query.direction == Direction::Backwards {
        let message = "tail prints events in the order in which they come; --reverse is not for it";
        return Err(Failure::usage(message));
    }
    let log = Log::explore(&args.store)?;
    let stop = stop_on_interrupt();
    let mut query = reading.query;
    match args.after {
        Some(after) => query.after = Some(Position(after)),
        None => {
            let head = log.head()?.size;
            let last = last(&log, &query, text.as_ref(), head, args.lines as usize)?;
            print(&last, output)?;
            query.after = Some(head);
        }
    }
    let mut coming = log.subscribe_to(query);
    while !stop.load(Ordering::Relaxed) {
        let live = log.access() == Access::ReadOnly;
        let events = coming.next(PAGE, if live { WAIT_MS } else { 0 })?;
        if events.is_empty() && !live {
            complain(
                "note: the file is read as one that does not change, so nothing more can come",
            );
            break;
        }
        let wanted: Vec<Event> = events
            .into_iter()
            .filter(|event| text.as_ref().is_none_or(|text| text.matches(event)))
            .collect();
        print(&wanted, output)?;
    }
    Ok(Exit::Done)
}

/// The last events that match, in order of position.
fn last(
    log: &Log,
    query: &EventQuery,
    text: Option<&TextQuery>,
    head: Position,
    limit: usize,
) -> Result<Vec<Event>, Failure> {
    let mut backwards = EventQuery {
        direction: Direction::Backwards,
        known: Some(head),
        ..query.clone()
    };
    let mut last = Vec::new();
    while last.len() < limit {
        let wanted = match text {
            None => limit - last.len(),
            Some(_) => PAGE,
        };
        let page = log.events(&backwards, wanted)?;
        let matching = |event: &Event| text.is_none_or(|text| text.matches(event));
        last.extend(page.events.into_iter().filter(matching));
        backwards.after = page.next;
        if page.next.is_none() {
            break;
        }
    }
    last.truncate(limit);
    last.reverse();
    Ok(last)
}

fn print(events: &[Event], output: &mut Output) -> Result<(), Failure> {
    for event in events {
        let view = EventView::from(event.clone());
        output.show(&view, |output| line(&view, output))?;
    }
    // Whoever reads along waits for it.
    output.finish()
}

fn line(event: &EventView, output: &mut Output) -> Result<(), Failure> {
    let data = match &event.data {
        Some(data) => cut(&visible(data.get()), MAX_DATA_COLUMNS),
        None if event.erased.is_empty() => "(not JSON)".to_owned(),
        None => "(erased)".to_owned(),
    };
    let name = |text: &Option<String>, none: &str| visible(text.as_deref().unwrap_or(none));
    output.line(&format!(
        "{}  {}  {} {}  {}  {}  {data}",
        event.position,
        event.time,
        name(&event.stream, "(erased)"),
        event.version,
        visible(&event.event_type),
        name(&event.actor, "-"),
    ))
}

/// Set by Ctrl-C; a second one ends the program at once.
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let for_interrupt = Arc::clone(&stop);
    let installed = ctrlc::set_handler(move || {
        if for_interrupt.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = installed {
        complain(&format!(
            "warning: Ctrl-C will end the program at once: {error}"
        ));
    }
    stop
}
