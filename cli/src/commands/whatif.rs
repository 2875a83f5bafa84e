//! `annals whatif`: the state without some events, or with other payloads.

use std::path::PathBuf;

use annals_core::id::StreamId;
use annals_core::position::Position;
use annals_core::store::Log;
use annals_core::temporal::{self, Changes, TriedView, WhatIfView};

use crate::commands::state::{heading, print_changes};
use crate::commands::{load_models, print_findings};
use crate::failure::{Exit, Failure};
use crate::instant::{MomentArgs, with_like_streams};
use crate::output::Output;
use crate::table::pairs;
use crate::text::{MAX_DATA_COLUMNS, counted, cut, visible};

/// Leave events of a stream out, or give them another payload, and see what differs; nothing is written.
#[derive(Debug, clap::Args)]
pub struct WhatIf {
    /// The store
    store: PathBuf,
    /// The stream
    stream: StreamId,
    /// Leave out the events at these positions of the log
    #[arg(
        long,
        value_name = "P[,P…]",
        value_delimiter = ',',
        required_unless_present = "edit"
    )]
    without: Vec<u64>,
    /// Give the event at this position another payload; may be given several times
    #[arg(long, value_name = "P=JSON", value_parser = edit)]
    edit: Vec<(u64, String)>,
    #[command(flatten)]
    moment: MomentArgs,
}

/// Reads `8={"amount": 5}`.
fn edit(text: &str) -> Result<(u64, String), String> {
    let (position, json) = text
        .split_once('=')
        .ok_or("write the position, =, and the payload: 8={\"amount\": 5}")?;
    let position = position
        .trim()
        .parse()
        .map_err(|_| format!("{position:?} is no position"))?;
    Ok((position, json.to_owned()))
}

/// Runs the command.
pub fn run(args: WhatIf, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.moment.read()?;
    let mut changes = Changes::default();
    for position in args.without {
        changes = changes.without(Position(position));
    }
    for (position, json) in args.edit {
        changes = changes.edit(Position(position), &json).map_err(|error| {
            Failure::usage(format!(
                "--edit {position}: the payload is not JSON: {error}"
            ))
        })?;
    }
    let log = Log::explore(&args.store)?;
    let models = load_models(&args.store)?;
    let moment = asked.on(&log)?;
    let mut view = temporal::what_if(&log, &models, &args.stream, &moment.moment, &changes)
        .map_err(|error| with_like_streams(error.into(), &log, &args.stream))?;
    view.diff.from.reading.clone_from(&moment.reading);
    view.diff.to.reading = moment.reading;
    output.show(&view, |output| print(&view, output))
}

fn print(view: &WhatIfView, output: &mut Output) -> Result<(), Failure> {
    let WhatIfView {
        tried,
        diff,
        follow_on,
        follow_on_count,
        mended,
    } = view;
    for line in pairs(&heading(&diff.from)) {
        output.line(&line)?;
    }
    output.line("")?;
    output.line("tried; nothing is written")?;
    for TriedView { event, data } in tried {
        let what = match data {
            None => "left out".to_owned(),
            Some(data) => format!("payload {}", cut(data.get(), MAX_DATA_COLUMNS)),
        };
        output.line(&visible(&format!(
            "  version {}, position {}, {}: {what}",
            event.version, event.position, event.event_type
        )))?;
    }
    output.line("")?;
    if diff.changes.is_empty() {
        output.line("the state would be the same")?;
    } else {
        output.line("the state would differ")?;
        print_changes(&diff.changes, output)?;
    }
    if *follow_on_count > 0 {
        output.line("")?;
        output.line(&format!(
            "{} could then not be folded",
            counted(*follow_on_count, "more event")
        ))?;
    }
    print_findings(follow_on, output)?;
    if !mended.is_empty() {
        let versions: Vec<String> = mended.iter().map(ToString::to_string).collect();
        output.line("")?;
        output.line(&format!(
            "could then be folded: version {}",
            versions.join(", ")
        ))?;
    }
    Ok(())
}
