//! `annals backup`: a consistent, verified copy of a store.

use std::path::{Path, PathBuf};

use annals_core::store::{BackupReport, BesideReport, Log, backup, left_in_the_making};

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::text::{counted, visible};
use crate::watch::watched;

/// Make a verified copy of a store, while others may write to it.
///
/// The copy is a store like any other, with the same log id. Every event of it is hashed again, and their root
/// compared with the store's. It has its name only when it is whole.
#[derive(Debug, clap::Args)]
pub struct Backup {
    /// The store
    store: PathBuf,
    /// File to make; must not exist yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: Backup, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    let report = watched("steps", |progress| backup(&log, &args.out, progress))?;
    output.show(&report, |output| {
        let BackupReport {
            store,
            file,
            id: _,
            size,
            root,
            file_bytes: _,
            beside,
        } = &report;
        output.line(&visible(&format!(
            "copied {store} to {file}: {}",
            counted(size.0, "event")
        )))?;
        output.line(&format!("root {root}, computed again from every event"))?;
        print_beside(*beside, output)?;
        print_left(&args.out, output)
    })
}

/// Tells of files that runs which were stopped left of making a store of this name.
pub fn print_left(store: &Path, output: &mut Output) -> Result<(), Failure> {
    for file in left_in_the_making(store) {
        output.line(&visible(&format!(
            "{} is left of a run that was stopped, or another is making it: if none is, remove it",
            file.display()
        )))?;
    }
    Ok(())
}

/// Says what became of the user's own files.
pub fn print_beside(beside: BesideReport, output: &mut Output) -> Result<(), Failure> {
    let BesideReport { copied, kept } = beside;
    if copied > 0 {
        output.line(&format!(
            "models and other files of yours: {} copied",
            counted(copied, "file")
        ))?;
    }
    if kept > 0 {
        output.line(&format!(
            "{} not copied, because one of that name was there",
            counted(kept, "file")
        ))?;
    }
    Ok(())
}
