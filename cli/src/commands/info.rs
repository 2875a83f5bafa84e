//! `annals info`: what a store holds.

use std::path::PathBuf;

use annals_core::store::{Access, InfoView, Log};
use annals_core::time::Time;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::table::{Align, Table, pairs};
use crate::text::MAX_NAME_COLUMNS;

/// Rows of a list that are printed; `--json` has them all.
const MAX_ROWS: usize = 30;

/// Say what a store holds.
#[derive(Debug, clap::Args)]
pub struct Info {
    /// The store
    store: PathBuf,
}

/// Runs the command.
pub fn run(args: Info, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    let info = log.info()?;
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
        types,
        first_time,
        last_time,
        last_recorded_at,
        tree_size,
        root,
        access,
        file_bytes,
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
    let mut table = Table::new(&[
        ("CATEGORY", Align::Left, MAX_NAME_COLUMNS),
        ("STREAMS", Align::Right, 20),
        ("EVENTS", Align::Right, 20),
    ]);
    for row in categories.iter().take(MAX_ROWS) {
        table.row([
            row.name.clone(),
            row.streams.to_string(),
            row.events.to_string(),
        ]);
    }
    output.line("")?;
    output.table(&table)?;
    more(categories.len(), "categories", output)?;

    let mut table = Table::new(&[
        ("TYPE", Align::Left, MAX_NAME_COLUMNS),
        ("EVENTS", Align::Right, 20),
    ]);
    for row in types.iter().take(MAX_ROWS) {
        table.row([row.name.clone(), row.events.to_string()]);
    }
    output.line("")?;
    output.table(&table)?;
    more(types.len(), "types", output)
}

fn more(len: usize, what: &str, output: &mut Output) -> Result<(), Failure> {
    if len <= MAX_ROWS {
        return Ok(());
    }
    output.line(&format!(
        "{MAX_ROWS} of {len} {what}; --json lists them all"
    ))
}
