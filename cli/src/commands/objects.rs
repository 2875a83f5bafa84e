//! `annals objects`: objects of an object-centric log, or one of them with its attributes and events.

use std::path::PathBuf;

use annals_core::id::{Category, StreamId};
use annals_core::position::Version;
use annals_core::store::{Cursor, Log, StreamQuery};
use annals_core::temporal::{ObjectView, ObjectsView, object, objects};

use super::streams::next_page;
use crate::failure::{Exit, Failure};
use crate::instant::AsOfArgs;
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};

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
    #[command(flatten)]
    as_of: AsOfArgs,
    /// Objects, or events of the object, on a page
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Read on after this cursor, the `next` of the page before; of an object, after this version
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// Runs the command.
pub fn run(args: Objects, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.as_of.read()?;
    let log = Log::explore(&args.store)?;
    let (as_of, reading) = asked.on_whole_log(&log)?;
    let limit = args.limit as usize;
    let Some(id) = args.object else {
        let query = StreamQuery {
            category: args.object_type,
            contains: args.contains,
            at: as_of.at,
            known: as_of.known,
            after: args.after.map(Cursor),
        };
        let view = objects(&log, &query, limit)?;
        return output.show(&view, |output| {
            print_reading(reading.as_deref(), output)?;
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
    let mut view = object(&log, &id, as_of, after, limit)?;
    view.reading = reading;
    output.show(&view, |output| {
        print_reading(view.reading.as_deref(), output)?;
        print_one(&view, output)
    })
}

fn print_reading(reading: Option<&str>, output: &mut Output) -> Result<(), Failure> {
    match reading {
        Some(reading) => output.line(&format!("as of {reading}")),
        None => Ok(()),
    }
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
    if let Some(next) = next {
        summary += &next_page(next);
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
