//! `annals related`: what belongs to a stream or an event.

use std::path::PathBuf;

use annals_core::id::StreamId;
use annals_core::position::Position;
use annals_core::store::{EventBrief, Log, ReadError};
use annals_core::temporal::{
    self, CausationNode, EdgeKind, LanesView, RelatedStream, RelatedView, Start, TieKind, TieView,
};

use crate::commands::load_models;
use crate::commands::state::as_of_text;
use crate::failure::{Exit, Failure};
use crate::found;
use crate::instant::{AsOfArgs, is_digits, with_like_streams};
use crate::output::Output;
use crate::table::{Align, Table, pairs};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};

/// List what belongs to a stream or an event: streams that share a correlation or a cause or name each other, all at
/// one instant; what caused the event and what it caused.
#[derive(Debug, clap::Args)]
pub struct Related {
    /// The store
    store: PathBuf,
    /// The stream, or the position of an event
    start: String,
    #[command(flatten)]
    as_of: AsOfArgs,
    /// Do not bring the text index up to date first, and say how far it is
    #[arg(long)]
    no_wait: bool,
}

/// Runs the command.
pub fn run(args: Related, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.as_of.read()?;
    let log = Log::explore(&args.store)?;
    let (as_of, reading) = asked.on_whole_log(&log)?;
    let stream = StreamId::new(args.start.as_str())
        .map_err(|error| Failure::usage(format!("{}: {error}", args.start)))?;
    // A stream may be named by a number.
    let start = match args.start.parse() {
        Ok(n) if is_digits(&args.start) && log.stream(&stream)?.is_none() => {
            Start::Event(Position(n))
        }
        _ => Start::Stream(stream.clone()),
    };
    let models = load_models(&args.store)?;
    // What is not there does not wait for the index.
    let missing = match &start {
        Start::Stream(stream) if log.stream(stream)?.is_none() => {
            Some(ReadError::NoStream(stream.clone()))
        }
        Start::Event(position) if log.event(*position)?.is_none() => {
            Some(ReadError::NoEvent(format!("at position {position}")))
        }
        Start::Stream(_) | Start::Event(_) => None,
    };
    if let Some(missing) = missing {
        return Err(with_like_streams(missing.into(), &log, &stream));
    }
    let index = found::open_index(&log, !args.no_wait)?;
    let mut view = temporal::related(&log, &index, &models, &start, as_of)?;
    view.reading = reading;
    output.show(&view, |output| print(&view, output))
}

fn print(view: &RelatedView, output: &mut Output) -> Result<(), Failure> {
    let mut rows = vec![("stream", view.stream.clone())];
    rows.extend(
        view.event
            .as_ref()
            .map(|event| ("event", event_text(event))),
    );
    rows.push(("as of", as_of_text(&view.as_of)));
    rows.extend(view.reading.clone().map(|reading| ("read as", reading)));
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    output.line("")?;
    if view.streams.is_empty() {
        output.line("no stream was found that belongs to it")?;
    } else {
        print_streams(view, output)?;
    }
    if let Some(causation) = &view.causation {
        output.line("")?;
        output.line("causes and effects")?;
        let least = causation.nodes.iter().map(|node| node.depth).min();
        for node in &causation.nodes {
            print_node(node, least.unwrap_or(0), output)?;
        }
        if causation.not_looked_at > 0 {
            output.line(&format!(
                "  {} with the same correlation not looked at",
                counted(causation.not_looked_at, "event")
            ))?;
        }
    }
    for lanes in &view.correlations {
        print_lanes(lanes, output)?;
    }
    output.line("")?;
    output.line(&format!(
        "looked at {} of {} of its own, {} with its correlations, {} as names, {} that may name it",
        view.searched.own_events,
        counted(view.searched.own_events_count, "event"),
        counted(view.searched.correlated_events, "event"),
        counted(view.searched.values, "value"),
        counted(view.searched.naming_events, "event"),
    ))?;
    if let Some(reach) = found::tell_reach(&view.searched.naming_reach) {
        output.line(&reach)?;
    }
    output.line("not looked at:")?;
    for what in &view.searched.not_searched {
        output.line(&format!("  {what}"))?;
    }
    Ok(())
}

fn print_streams(view: &RelatedView, output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("STREAM", Align::Left, MAX_NAME_COLUMNS),
        ("VERSION", Align::Right, 12),
        ("EVENTS", Align::Right, 12),
        ("BECAUSE", Align::Left, 90),
    ]);
    for RelatedStream {
        stream,
        category: _,
        version,
        events,
        ties,
    } in &view.streams
    {
        let ties: Vec<String> = ties.iter().map(tie_text).collect();
        table.row([
            stream.clone(),
            version.to_string(),
            events.to_string(),
            ties.join("; "),
        ]);
    }
    output.table(&table)?;
    let listed = view.streams.len() as u64;
    if listed < view.streams_count {
        let all = counted(view.streams_count, "stream");
        output.line(&format!("{listed} of {all}"))?;
    }
    Ok(())
}

fn tie_text(tie: &TieView) -> String {
    let TieView {
        kind,
        value,
        path,
        position,
    } = tie;
    let path = path.as_deref().unwrap_or_default();
    match kind {
        TieKind::Correlation => format!("same correlation {value}"),
        TieKind::Cause => format!("caused position {position}"),
        TieKind::Effect => format!("position {position} was caused by {value}"),
        TieKind::RefersTo => format!("named in {path} = {value} of position {position}"),
        TieKind::ReferredBy => format!("names it in {path} of position {position}"),
    }
}

fn event_text(event: &EventBrief) -> String {
    format!(
        "position {}, {}, {}, {}",
        event.position,
        event.stream.as_deref().unwrap_or("(erased)"),
        event.event_type,
        event.time
    )
}

fn print_node(node: &CausationNode, least: i32, output: &mut Output) -> Result<(), Failure> {
    let indent = "  ".repeat(usize::try_from(node.depth - least).unwrap_or(0).min(40));
    let edge = match (node.edge, &node.causation) {
        (Some(EdgeKind::Recorded), _) => " (cause recorded)".to_owned(),
        (Some(EdgeKind::Inferred), _) => " (cause inferred from the order)".to_owned(),
        (Some(EdgeKind::Outside), Some(id)) => {
            format!(" (caused by {id}, which is no event here)")
        }
        _ => String::new(),
    };
    let mark = if node.depth == 0 { "> " } else { "  " };
    let event = event_text(&node.event);
    output.line(&visible(&format!("{mark}{indent}{event}{edge}")))
}

fn print_lanes(lanes: &LanesView, output: &mut Output) -> Result<(), Failure> {
    output.line("")?;
    output.line(&visible(&format!(
        "correlation {}: {}",
        lanes.correlation,
        counted(lanes.events_count, "event")
    )))?;
    for lane in &lanes.lanes {
        let events: Vec<String> = lane
            .events
            .iter()
            .map(|event| format!("{} {}", event.position, event.event_type))
            .collect();
        output.line(&visible(&format!(
            "  {}: {}",
            lane.stream,
            events.join(", ")
        )))?;
    }
    if lanes.shown < lanes.events_count {
        output.line(&format!("  the first {} are shown", lanes.shown))?;
    }
    Ok(())
}
