//! `annals show`: one event whole.

use std::path::PathBuf;

use annals_core::id::EventId;
use annals_core::position::Position;
use annals_core::store::{EventBrief, EventDetailView, EventView, Log};

use crate::commands::print_findings;
use crate::failure::{Code, Exit, Failure};
use crate::instant::is_digits;
use crate::output::Output;
use crate::pretty;
use crate::table::{Align, Table, pairs};
use crate::text::{MAX_NAME_COLUMNS, visible};

/// Show one event whole.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// The store
    store: PathBuf,
    /// Position or id of the event; digits are a position unless there is none and an id matches
    event: EventId,
}

/// Runs the command.
pub fn run(args: Show, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    let detail = find(&log, &args.event)?;
    output.show(&detail, |output| print(&detail, output))
}

fn find(log: &Log, event: &EventId) -> Result<EventDetailView, Failure> {
    if is_digits(event.as_str()) {
        let position = event.as_str().parse().ok().map(Position);
        if let Some(detail) = position.map(|p| log.detail(p)).transpose()?.flatten() {
            return Ok(detail);
        }
    }
    let found = match log.event_by_id(event)? {
        Some(found) => log.detail(found.position)?,
        None => None,
    };
    found.ok_or_else(|| {
        let what = if is_digits(event.as_str()) {
            "at position or with id"
        } else {
            "with id"
        };
        Failure::new(Code::NoEvent, format!("there is no event {what} {event}"))
            .hint("annals events STORE lists events; --json prints their ids")
    })
}

fn print(detail: &EventDetailView, output: &mut Output) -> Result<(), Failure> {
    let EventDetailView {
        event,
        leaf,
        data_type,
        data_text,
        data_hex,
        data_len,
        metadata_type,
        metadata_text,
        links: _,
        objects,
        previous_in_stream,
        next_in_stream,
        correlated,
        correlated_count,
        findings,
    } = detail;
    let mut rows = anatomy(event);
    for object in objects {
        let qualifier = match object.qualifier.as_str() {
            "" if object.home => continue,
            "" => String::new(),
            qualifier => format!(" as {qualifier}"),
        };
        let name = if object.home { "object" } else { "linked into" };
        rows.push((
            name,
            format!("{}, version {}{qualifier}", object.object, object.version),
        ));
    }
    rows.push(("leaf hash", leaf.to_string()));
    rows.push((
        "before it",
        previous_in_stream.as_ref().map_or("-".to_owned(), brief),
    ));
    rows.push((
        "after it",
        next_in_stream.as_ref().map_or("-".to_owned(), brief),
    ));
    for line in pairs(&rows) {
        output.line(&line)?;
    }

    output.line("")?;
    match data_type {
        None => output.line("data  (erased)")?,
        Some(kind) => output.line(&visible(&format!("data  {kind}, {data_len} bytes")))?,
    }
    if let Some(text) = data_text {
        payload(text, output)?;
    } else if let Some(hex) = data_hex {
        output.line(hex)?;
    }
    if let Some(text) = metadata_text {
        output.line("")?;
        let kind = metadata_type.as_deref().unwrap_or_default();
        output.line(&visible(&format!("metadata  {kind}")))?;
        payload(text, output)?;
    }

    if *correlated_count > 1 {
        output.line("")?;
        output.line(&format!(
            "{correlated_count} events have this correlation id, itself included"
        ))?;
        let mut table = Table::new(&[
            ("POSITION", Align::Right, 20),
            ("TIME", Align::Left, 30),
            ("STREAM", Align::Left, MAX_NAME_COLUMNS),
            ("VERSION", Align::Right, 20),
            ("TYPE", Align::Left, MAX_NAME_COLUMNS),
        ]);
        for other in correlated {
            table.row([
                other.position.to_string(),
                other.time.to_string(),
                other.stream.clone().unwrap_or_default(),
                other.version.to_string(),
                other.event_type.clone(),
            ]);
        }
        output.table(&table)?;
    }
    print_findings(findings, output)
}

/// The event's own properties, those that it has.
fn anatomy(event: &EventView) -> Vec<(&'static str, String)> {
    let EventView {
        position,
        stream,
        category,
        version,
        event_type,
        time,
        time_text,
        date_only,
        recorded_at,
        id,
        actor,
        correlation,
        causation,
        schema_version,
        source,
        source_id,
        source_version,
        source_position,
        source_recorded_at,
        data: _,
        metadata: _,
        erased,
    } = event;
    let erased_or = |text: &Option<String>| text.clone().unwrap_or_else(|| "(erased)".to_owned());
    let written = match time_text {
        Some(text) if *date_only => format!(" (written {text}: a day only)"),
        Some(text) if *text != time.to_string() => format!(" (written {text})"),
        _ => String::new(),
    };
    let mut rows = vec![
        ("position", position.to_string()),
        ("id", erased_or(id)),
        ("stream", erased_or(stream)),
        ("category", erased_or(category)),
        ("version", version.to_string()),
        ("type", event_type.clone()),
        ("time", format!("{time}{written}")),
        ("recorded at", recorded_at.to_string()),
    ];
    let optional = [
        ("actor", actor.clone()),
        ("correlation", correlation.clone()),
        ("causation", causation.clone()),
        ("schema version", schema_version.clone()),
        ("source", source.clone()),
        ("source id", source_id.clone()),
        ("source version", source_version.clone()),
        ("source position", source_position.clone()),
        ("source recorded", source_recorded_at.map(|t| t.to_string())),
    ];
    rows.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    if !erased.is_empty() {
        let parts: Vec<String> = erased
            .iter()
            .map(|part| format!("{part:?}").to_lowercase())
            .collect();
        rows.push(("erased", parts.join(", ")));
    }
    rows
}

fn brief(event: &EventBrief) -> String {
    format!(
        "position {}, version {}, {}, {}",
        event.position, event.version, event.event_type, event.time
    )
}

fn payload(text: &str, output: &mut Output) -> Result<(), Failure> {
    pretty::lines(text)
        .iter()
        .try_for_each(|line| output.line(&line.text))
}
