//! `annals streams`: streams by name, a page at a time.

use std::path::PathBuf;

use annals_core::id::Category;
use annals_core::store::{Cursor, Log, StreamPage, StreamQuery};
use annals_core::time::Time;
use chrono_tz::Tz;

use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, shell_quoted, visible};

/// List streams by name.
#[derive(Debug, clap::Args)]
pub struct Streams {
    /// The store
    store: PathBuf,
    /// Only streams of this category
    #[arg(long, value_name = "C")]
    category: Option<Category>,
    /// Only streams whose name contains this text; ASCII letters match in either case
    #[arg(long = "match", value_name = "TEXT")]
    contains: Option<String>,
    /// Only streams that had begun by this time, with their events by then; a date means the end of that day
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Only streams that were known then, as the log had them: a position, or a time of recording
    #[arg(long, value_name = "POSITION|TIME")]
    known: Option<String>,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = instant::zone)]
    zone: Tz,
    /// Streams on a page
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Read on after this cursor, the `next` of the page before
    #[arg(long, value_name = "CURSOR")]
    after: Option<String>,
}

/// Runs the command.
pub fn run(args: Streams, output: &mut Output) -> Result<Exit, Failure> {
    let at = args
        .at
        .map(|text| instant::at("--at", &text, args.zone))
        .transpose()?;
    let log = Log::explore(&args.store)?;
    let known = args
        .known
        .map(|text| instant::known(&log, &text, args.zone))
        .transpose()?;
    let query = StreamQuery {
        category: args.category,
        contains: args.contains,
        at: at.as_ref().map(|reading| reading.at),
        known: known.as_ref().map(|(position, _)| *position),
        after: args.after.map(Cursor),
    };
    let page = log.streams(&query, args.limit as usize)?;
    output.show(&page, |output| {
        if let Some(reading) = at.and_then(|at| at.reading) {
            output.line(&format!("at: {reading}"))?;
        }
        if let Some(reading) = known.and_then(|(_, reading)| reading) {
            output.line(&reading)?;
        }
        let total = log.count_streams(&StreamQuery {
            after: None,
            ..query.clone()
        })?;
        print(&page, query.at, total, output)
    })
}

fn print(
    page: &StreamPage,
    at: Option<Time>,
    total: u64,
    output: &mut Output,
) -> Result<(), Failure> {
    if page.streams.is_empty() {
        return output.line(&match total {
            0 => "no stream matches".to_owned(),
            total => format!("no more; {} in all", counted(total, "stream")),
        });
    }
    let mut table = Table::new(&[
        ("STREAM", Align::Left, MAX_NAME_COLUMNS),
        ("CATEGORY", Align::Left, 24),
        ("EVENTS", Align::Right, 20),
        ("FIRST", Align::Left, 30),
        ("LAST", Align::Left, 40),
    ]);
    for row in &page.streams {
        table.row([
            row.stream.clone(),
            row.category.clone(),
            row.events.to_string(),
            row.first_time.to_string(),
            match at {
                Some(at) if row.last_time > at => format!("{} (later)", row.last_time),
                _ => row.last_time.to_string(),
            },
        ]);
    }
    output.table(&table)?;
    output.line("")?;
    let shown = page.streams.len() as u64;
    let mut summary = if shown == total {
        counted(total, "stream")
    } else {
        format!("{shown} of {}", counted(total, "stream"))
    };
    if let Some(next) = &page.next {
        summary += &next_page(next);
    }
    output.line(&visible(&summary))
}

/// How the page behind a cursor is asked for.
pub(super) fn next_page(Cursor(next): &Cursor) -> String {
    // A name with hidden characters cannot be copied from the screen.
    if visible(next) == *next {
        format!("; next page: --after {}", shell_quoted(next))
    } else {
        "; next page: --after with the `next` that --json prints".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_that_cannot_be_copied_is_not_printed() {
        let next = |text: &str| next_page(&Cursor(text.to_owned()));
        assert_eq!(next("order-1"), "; next page: --after order-1");
        assert_eq!(
            next("order-\u{202e}1"),
            "; next page: --after with the `next` that --json prints"
        );
    }
}
