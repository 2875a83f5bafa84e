//! `annals objects`: objects of an object-centric log, or one of them with its attributes and events.

use std::path::PathBuf;

use annals_core::id::{Category, StreamId};
use annals_core::position::Version;
use annals_core::store::{Cursor, Log, StreamQuery};
use annals_core::temporal::{AsOf, ObjectView, ObjectsView, object, objects};
use chrono_tz::Tz;

use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, shell_quoted, visible};

/// List objects by name with their types, or show one: its attributes over time and the events that it took part in
///
/// Every stream is an object; in object-centric logs (OCEL) an event belongs to many of them, each with a qualifier.
#[derive(Debug, clap::Args)]
pub struct Objects {
    /// The store
    store: PathBuf,
    /// Show this object
    #[arg(long, value_name = "ID", conflicts_with_all = ["object_type", "contains"])]
    object: Option<StreamId>,
    /// Only objects of this type
    #[arg(long = "type", value_name = "T")]
    object_type: Option<Category>,
    /// Only objects whose id contains this text; ASCII letters match in either case
    #[arg(long = "match", value_name = "TEXT")]
    contains: Option<String>,
    /// As of this time; a date means the end of that day
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// As it was known then: a position, or a time of recording
    #[arg(long, value_name = "POSITION|TIME")]
    known: Option<String>,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = instant::zone)]
    zone: Tz,
    /// Objects, or events of the object, on a page
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Read on after this cursor, the `next` of the page before; of an object, after this version
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// Runs the command.
pub fn run(args: Objects, output: &mut Output) -> Result<Exit, Failure> {
    let at = args
        .at
        .map(|text| instant::at("--at", &text, args.zone))
        .transpose()?;
    let log = Log::explore(&args.store)?;
    let known = args
        .known
        .map(|text| instant::known(&log, &text, args.zone))
        .transpose()?;
    let mut readings: Vec<String> = Vec::new();
    readings.extend(
        at.as_ref()
            .and_then(|at| at.reading.clone())
            .map(|reading| format!("at: {reading}")),
    );
    readings.extend(known.as_ref().and_then(|(_, reading)| reading.clone()));
    let (at, known) = (at.map(|at| at.at), known.map(|(position, _)| position));
    let limit = args.limit as usize;
    let Some(id) = args.object else {
        let query = StreamQuery {
            category: args.object_type,
            contains: args.contains,
            at,
            known,
            after: args.after.map(Cursor),
        };
        let view = objects(&log, &query, limit)?;
        return output.show(&view, |output| {
            readings
                .iter()
                .try_for_each(|reading| output.line(reading))?;
            print_list(&view, output)
        });
    };
    let after = match args.after {
        None => Version::NONE,
        Some(text) => Version(text.parse().map_err(|_| {
            Failure::usage(format!("--after {text:?} is no version"))
                .hint("of an object, --after takes the `next` of the page before, a number")
        })?),
    };
    let mut view = object(&log, &id, AsOf { at, known }, after, limit)?;
    view.reading = (!readings.is_empty()).then(|| readings.join("; "));
    output.show(&view, |output| {
        readings
            .iter()
            .try_for_each(|reading| output.line(reading))?;
        print_one(&view, output)
    })
}

fn print_list(view: &ObjectsView, output: &mut Output) -> Result<(), Failure> {
    let ObjectsView {
        types,
        objects,
        count,
        next,
    } = view;
    let types: Vec<String> = types
        .iter()
        .map(|of| format!("{} ({})", of.name, of.objects))
        .collect();
    output.line(&visible(&format!("types: {}", types.join(", "))))?;
    output.line("")?;
    let mut table = Table::new(&[
        ("OBJECT", Align::Left, MAX_NAME_COLUMNS),
        ("TYPE", Align::Left, 24),
        ("EVENTS", Align::Right, 20),
        ("FIRST", Align::Left, 30),
        ("LAST", Align::Left, 30),
    ]);
    for row in objects {
        table.row([
            row.stream.clone(),
            row.category.clone(),
            row.events.to_string(),
            row.first_time.to_string(),
            row.last_time.to_string(),
        ]);
    }
    if !objects.is_empty() {
        output.table(&table)?;
        output.line("")?;
    }
    let mut summary = match objects.len() as u64 == *count {
        true => counted(*count, "object"),
        false => format!("{} of {}", objects.len(), counted(*count, "object")),
    };
    if let Some(Cursor(next)) = next {
        summary += &format!("; next page: --after {}", shell_quoted(next));
    }
    output.line(&visible(&summary))
}

fn print_one(view: &ObjectView, output: &mut Output) -> Result<(), Failure> {
    let ObjectView {
        object,
        object_type,
        as_of: _,
        reading: _,
        relationships,
        attributes,
        events,
        events_count,
        next,
        events_in_stream: _,
    } = view;
    output.line(&visible(&format!("{object}  {object_type}")))?;
    for tie in relationships {
        let qualifier = match tie.qualifier.as_str() {
            "" => String::new(),
            qualifier => format!(" ({qualifier})"),
        };
        output.line(&visible(&format!("    with {}{qualifier}", tie.object)))?;
    }
    if !attributes.is_empty() {
        output.line("")?;
        let mut table = Table::new(&[
            ("ATTRIBUTE", Align::Left, 32),
            ("VALUE", Align::Left, 48),
            ("SINCE", Align::Left, 30),
            ("POSITION", Align::Right, 20),
        ]);
        for attribute in attributes {
            for value in &attribute.values {
                table.row([
                    attribute.name.clone(),
                    value.value.get().to_owned(),
                    value
                        .since
                        .map_or_else(|| "the beginning".to_owned(), |time| time.to_string()),
                    value.position.to_string(),
                ]);
            }
            let earlier = attribute.values_count - attribute.values.len() as u64;
            if earlier > 0 {
                table.row([
                    attribute.name.clone(),
                    format!("({} before)", counted(earlier, "value")),
                    String::new(),
                    String::new(),
                ]);
            }
        }
        output.table(&table)?;
    }
    output.line("")?;
    if !events.is_empty() {
        let mut table = Table::new(&[
            ("VERSION", Align::Right, 12),
            ("POSITION", Align::Right, 20),
            ("TIME", Align::Left, 30),
            ("TYPE", Align::Left, 40),
            ("AS", Align::Left, 32),
            ("AT HOME IN", Align::Left, MAX_NAME_COLUMNS),
        ]);
        for event in events {
            let home = event.stream.clone().unwrap_or_default();
            table.row([
                event.version.to_string(),
                event.position.to_string(),
                event.time.to_string(),
                event.event_type.clone(),
                event.qualifier.clone(),
                if home == *object { String::new() } else { home },
            ]);
        }
        output.table(&table)?;
        output.line("")?;
    }
    let mut summary = match events.len() as u64 == *events_count {
        true => counted(*events_count, "event"),
        false => format!("{} of {}", events.len(), counted(*events_count, "event")),
    };
    if let Some(next) = next {
        summary += &format!("; next page: --after {next}");
    }
    output.line(&summary)
}
