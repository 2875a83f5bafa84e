//! `annals restore`: a new store from a backup, or from a log as it was.

use std::path::PathBuf;

use annals_core::store::{Log, RestoreReport, restore};
use chrono_tz::Tz;

use super::backup::print_beside;
use crate::failure::{Exit, Failure};
use crate::instant;
use crate::output::Output;
use crate::text::{counted, visible};
use crate::watch::watched;

/// Make a new store from a backup, or from a log as it was.
///
/// With --to it holds the log's first events: the same places, hashes and log id, and the root that the log had
/// then. Every event of it is hashed again. It has its name only when it is whole.
#[derive(Debug, clap::Args)]
pub struct Restore {
    /// The backup, or any store
    file: PathBuf,
    /// Store to make; must not exist yet
    #[arg(long, value_name = "STORE")]
    out: PathBuf,
    /// Last position to restore, or a time of recording; everything where it is not given
    #[arg(long, value_name = "POSITION|TIME")]
    to: Option<String>,
    /// Zone of a time that names none
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = instant::zone)]
    zone: Tz,
}

/// Runs the command.
pub fn run(args: Restore, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.file)?;
    let (to, reading) = match &args.to {
        None => (None, None),
        Some(text) => {
            let (position, reading) = instant::known_by("--to", &log, text, args.zone)?;
            (Some(position), reading)
        }
    };
    let report = watched("steps", |progress| restore(&log, to, &args.out, progress))?;
    output.show(&report, |output| {
        let RestoreReport {
            file,
            store,
            id: _,
            size,
            root,
            left_out,
            tied,
            beside,
        } = &report;
        if let Some(reading) = &reading {
            output.line(reading)?;
        }
        output.line(&visible(&format!(
            "made {store} from {file}: {}, {left_out} left out",
            counted(size.0, "event")
        )))?;
        output.line(&format!("root {root}, computed again from every event"))?;
        if !tied {
            output.line("warning: the events left out do not make the root of the file; what was restored is not tied to it")?;
        }
        print_beside(*beside, output)
    })
}
