//! `annals init`: a new, empty store.

use std::path::PathBuf;

use annals_core::store::LogWriter;
use annals_core::surroundings::Surroundings;

use crate::failure::{Exit, Failure};
use crate::output::Output;

/// Make a new, empty store.
#[derive(Debug, clap::Args)]
pub struct Init {
    /// File to make, for example shop.annals; must not exist yet
    store: PathBuf,
}

/// Runs the command.
pub fn run(args: Init, output: &mut Output) -> Result<Exit, Failure> {
    let writer = LogWriter::create(&args.store, Surroundings::system())?;
    let info = writer.log().info()?;
    writer.close()?;
    output.show(&info, |output| {
        output.line(&crate::text::visible(&format!(
            "made the empty store {}",
            args.store.display()
        )))?;
        output.line(&format!("log {}", info.id))
    })
}
