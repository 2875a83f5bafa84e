//! `annals diff`: what differs between two moments of a stream.

use std::path::PathBuf;

use annals_core::id::StreamId;
use annals_core::store::Log;
use annals_core::temporal::{self, DiffView};
use chrono_tz::Tz;

use crate::commands::state::{heading, print_changes};
use crate::commands::{load_models, print_findings};
use crate::failure::{Exit, Failure};
use crate::instant::{self, MomentReading, with_like_streams};
use crate::output::Output;
use crate::table::pairs;
use crate::text::visible;

/// Show what differs between two moments of a stream.
#[derive(Debug, clap::Args)]
pub struct Diff {
    /// The store
    store: PathBuf,
    /// The stream
    stream: StreamId,
    /// The one side: a version such as v3, or a time; a date means the end of that day
    #[arg(long, value_name = "vN|TIME")]
    from: String,
    /// The other side
    #[arg(long, value_name = "vN|TIME")]
    to: String,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = instant::zone)]
    zone: Tz,
}

/// Runs the command.
pub fn run(args: Diff, output: &mut Output) -> Result<Exit, Failure> {
    let from = MomentReading::parse("--from", &args.from, args.zone)?;
    let to = MomentReading::parse("--to", &args.to, args.zone)?;
    let log = Log::explore(&args.store)?;
    let models = load_models(&args.store)?;
    let mut view = temporal::diff(&log, &models, &args.stream, &from.moment, &to.moment)
        .map_err(|error| with_like_streams(error.into(), &log, &args.stream))?;
    view.from.reading = from.reading;
    view.to.reading = to.reading;
    output.show(&view, |output| print(&view, output))
}

fn print(view: &DiffView, output: &mut Output) -> Result<(), Failure> {
    let DiffView {
        stream,
        from,
        to,
        changes,
    } = view;
    output.line(&visible(&format!("stream {stream}")))?;
    for (name, side) in [("from", from), ("to", to)] {
        output.line("")?;
        output.line(name)?;
        // The stream's name stands above both sides.
        for line in pairs(&heading(side)[1..]) {
            output.line(&format!("  {line}"))?;
        }
    }
    output.line("")?;
    if changes.is_empty() {
        output.line("no difference")?;
    } else {
        output.line(&format!("changes: {}", changes.len()))?;
        print_changes(changes, output)?;
    }
    let mut findings = to.findings.clone();
    let only_from = from.findings.iter().filter(|f| !to.findings.contains(f));
    findings.extend(only_from.cloned());
    print_findings(&findings, output)
}
