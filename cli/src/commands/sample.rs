//! `annals sample`: a store with known events.

use std::path::PathBuf;

use annals_core::sample;
use annals_core::store::Log;

use crate::failure::{Exit, Failure};
use crate::output::Output;
use crate::text::{counted, shell_quoted, visible};

/// Make a store with sample events and models.
#[derive(Debug, clap::Args)]
pub struct Sample {
    /// Which sample
    #[arg(value_enum)]
    which: Which,
    /// File to make; must not exist yet
    #[arg(long, value_name = "STORE")]
    out: PathBuf,
}

/// The samples there are.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Which {
    /// The event-sourcing guide's own examples, literally
    Guide,
}

/// Runs the command.
pub fn run(args: Sample, output: &mut Output) -> Result<Exit, Failure> {
    match args.which {
        Which::Guide => sample::guide(&args.out)?,
    }
    let info = Log::explore(&args.out)?.info()?;
    output.show(&info, |output| {
        let store = args.out.display().to_string();
        output.line(&visible(&format!(
            "made {store}: {} in {}",
            counted(info.events, "event"),
            counted(info.streams, "stream")
        )))?;
        output.line(&visible(&format!(
            "look around with: annals streams {0}, or annals state {0} account-12345",
            shell_quoted(&store)
        )))
    })
}
