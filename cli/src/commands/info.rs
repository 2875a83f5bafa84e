//! `annals info`: what a store holds.

use std::path::PathBuf;

use annals_core::store::{Access, InfoView, Log};
use annals_core::time::Time;

use crate::commands::print_findings;
use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::table::{Align, Table, pairs};
use crate::text::MAX_NAME_COLUMNS;

/// Rows of a list that are printed where no limit is named; `--json` has them all.
const MAX_ROWS: usize = 30;

/// Say what a store holds.
#[derive(Debug, clap::Args)]
pub struct Info {
    /// The store
    store: PathBuf,
    /// At most so many categories and types, those with most events; the counts say how many there are
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// Runs the command.
pub fn run(args: Info, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    let mut info = log.info()?;
    if let Some(limit) = args.limit {
        info.categories.truncate(limit);
        info.types.truncate(limit);
    }
    output.show(&info, |output| print(&args, &info, output))
}

fn print(args: &Info, info: &InfoView, output: &mut Output) -> Result<(), Failure> {
    let InfoView {
        id,
        format,
        events,
        streams,
        actors,
        categories,
        categories_count,
        types,
        types_count,
        first_time,
        last_time,
        last_recorded_at,
        tree_size,
        root,
        access,
        file_bytes,
        findings,
    } = info;
    let time = |t: &Option<Time>| t.map_or("-".to_owned(), |t| t.to_string());
    let access = match access {
        Access::ReadOnly => "read-only",
        Access::Immutable => "read-only, as a file that does not change",
        Access::TemporaryCopy => "from a temporary copy, because its medium cannot be written",
    };
    for line in pairs(&[
        ("store", args.store.display().to_string()),
        ("log", id.origin()),
        ("events", events.to_string()),
        ("streams", streams.to_string()),
        ("actors", actors.to_string()),
        ("first event", time(first_time)),
        ("last event", time(last_time)),
        ("last recorded", time(last_recorded_at)),
        ("tree", format!("{tree_size} leaves, root {root}")),
        (
            "file",
            format!("{file_bytes} bytes, format {format}, opened {access}"),
        ),
    ]) {
        output.line(&line)?;
    }
    if *events == 0 {
        output.line("")?;
        return output.line(
            "The store is empty. annals import FILE --into STORE, or annals append, fills it.",
        );
    }
    let most = args.limit.unwrap_or(MAX_ROWS);
    let mut table = Table::new(&[
        ("CATEGORY", Align::Left, MAX_NAME_COLUMNS),
        ("STREAMS", Align::Right, 20),
        ("EVENTS", Align::Right, 20),
    ]);
    for row in categories.iter().take(most) {
        table.row([
            row.name.clone(),
            row.streams.to_string(),
            row.events.to_string(),
        ]);
    }
    output.line("")?;
    output.table(&table)?;
    more(most, *categories_count, "categories", output)?;

    let mut table = Table::new(&[
        ("TYPE", Align::Left, MAX_NAME_COLUMNS),
        ("EVENTS", Align::Right, 20),
    ]);
    for row in types.iter().take(most) {
        table.row([row.name.clone(), row.events.to_string()]);
    }
    output.line("")?;
    output.table(&table)?;
    more(most, *types_count, "types", output)?;
    print_findings(findings, output)
}

fn more(most: usize, count: u64, what: &str, output: &mut Output) -> Result<(), Failure> {
    if count <= most as u64 {
        return Ok(());
    }
    output.line(&format!(
        "{most} of {count} {what}; --limit lists more, --json all"
    ))
}
