//! `annals state`: a stream's state now, at a version, or as of an instant.

use std::path::PathBuf;

use annals_core::finding::FindingKind;
use annals_core::id::StreamId;
use annals_core::model::ModelRef;
use annals_core::position::Version;
use annals_core::snapshot::Snapshots;
use annals_core::store::Log;
use annals_core::surroundings::Surroundings;
use annals_core::temporal::{self, AsOfView, Change, ChangeKind, StateView, StatesView};
use serde_json::value::RawValue;

use crate::commands::{load_models, print_findings};
use crate::failure::{Exit, Failure};
use crate::found::cache_folder;
use crate::instant::{MomentArgs, with_like_streams};
use crate::output::Output;
use crate::pretty;
use crate::table::pairs;
use crate::text::{MAX_DATA_COLUMNS, counted, cut, visible};

/// Show a stream's state now, at a version, or as of an instant.
#[derive(Debug, clap::Args)]
pub struct State {
    /// The store
    store: PathBuf,
    /// The stream; several for their states at one instant
    #[arg(required = true)]
    streams: Vec<StreamId>,
    #[command(flatten)]
    moment: MomentArgs,
}

/// Runs the command.
pub fn run(args: State, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.moment.read()?;
    let log = Log::explore(&args.store)?;
    let models = load_models(&args.store)?;
    let [stream] = &args.streams[..] else {
        let (as_of, reading) = asked.on_whole_log(&log)?;
        let mut view = temporal::states(&log, &models, &args.streams, as_of)?;
        for state in &mut view.states {
            state.reading.clone_from(&reading);
        }
        return output.show(&view, |output| print_all(&view, output));
    };
    let moment = asked.on(&log)?;
    let snapshots = Snapshots::open_for_reading(
        &log,
        cache_folder().as_deref(),
        Surroundings::system().clock,
    );
    let mut view = temporal::state_with(&log, &models, snapshots.as_ref(), stream, &moment.moment)
        .map_err(|error| with_like_streams(error.into(), &log, stream))?;
    view.reading = moment.reading;
    output.show(&view, |output| print(&view, output))
}

fn print_all(view: &StatesView, output: &mut Output) -> Result<(), Failure> {
    for (n, state) in view.states.iter().enumerate() {
        if n > 0 {
            output.line("")?;
        }
        print(state, output)?;
    }
    Ok(())
}

fn print(view: &StateView, output: &mut Output) -> Result<(), Failure> {
    for line in pairs(&heading(view)) {
        output.line(&line)?;
    }
    output.line("")?;
    if view.version == Version::NONE {
        output.line("no state: nothing had happened by then")?;
    } else {
        print_state(&view.state, &view.changed, output)?;
    }
    if let (Some(last), false) = (&view.last_event, view.changed.is_empty()) {
        output.line("")?;
        output.line(&visible(&format!(
            "changed by version {} ({}, {})",
            view.version, last.event_type, last.time
        )))?;
        print_changes(&view.changed, output)?;
    }
    print_findings(&view.findings, output)
}

/// Which state this is: what it answers for, what it was made of.
pub fn heading(view: &StateView) -> Vec<(&'static str, String)> {
    let as_of = as_of_text(&view.as_of);
    let broken = view
        .findings
        .iter()
        .any(|f| f.kind == FindingKind::ModelBroken);
    let model = if broken && view.model.inferred {
        "inferred from the payloads; a model file is broken, see the findings".to_owned()
    } else {
        model_text(&view.model, &view.category)
    };
    let mut rows = vec![("stream", view.stream.clone()), ("as of", as_of)];
    rows.extend(view.reading.clone().map(|reading| ("read as", reading)));
    rows.push((
        "version",
        format!("{} of {}", view.version, view.events_in_stream),
    ));
    let mut folded = counted(view.events_folded, "event");
    if view.events_failed > 0 {
        folded += &format!("; {} failed and changed nothing", view.events_failed);
    }
    if view.left_out_count > 0 {
        let versions: Vec<String> = view
            .left_out
            .iter()
            .take(10)
            .map(|v| v.to_string())
            .collect();
        let more = if view.left_out_count > 10 {
            ", …"
        } else {
            ""
        };
        folded += &format!(
            "; {} left out that happened later: version {}{more}",
            view.left_out_count,
            versions.join(", ")
        );
    }
    rows.push(("folded", folded));
    rows.push(("model", model));
    if view.incomplete {
        let why = match view.events_failed {
            0 => "a model file is broken; see the findings",
            _ => "events could not be folded; see the findings",
        };
        rows.push(("incomplete", why.to_owned()));
    }
    rows
}

/// The first lines of an answer about one place of a state: what was asked, and what was looked at for it.
pub fn about_place(
    stream: &str,
    path: &str,
    as_of: &AsOfView,
    reading: Option<&String>,
    looked_at: String,
    model: String,
) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("stream", stream.to_owned()),
        ("path", path_text(path)),
        ("as of", as_of_text(as_of)),
    ];
    rows.extend(reading.map(|reading| ("read as", reading.clone())));
    rows.push(("looked at", looked_at));
    rows.push(("model", model));
    rows
}

/// A path for a reader: the empty one is the whole state.
fn path_text(path: &str) -> String {
    if path.is_empty() {
        "(the whole state)".to_owned()
    } else {
        path.to_owned()
    }
}

/// An as-of in words.
pub fn as_of_text(as_of: &AsOfView) -> String {
    let AsOfView { at, known } = as_of;
    match (at, known) {
        (None, None) => "now: all that has happened and is known".to_owned(),
        (Some(at), None) => format!("happened by {at}"),
        (None, Some(known)) => format!("known at position {known}"),
        (Some(at), Some(known)) => format!("happened by {at}, known at position {known}"),
    }
}

/// How much of a stream was looked at, in words.
pub fn looked_at(folded: u64, failed: u64, in_stream: u64, version: Version) -> String {
    let looked_at = folded + failed;
    let mut text = format!("{looked_at} of {in_stream} events, to version {version}");
    if failed > 0 {
        text += &format!("; {failed} could not be folded");
    }
    text
}

/// Which model was used, in words.
pub fn model_text(model: &ModelRef, category: &str) -> String {
    let ModelRef {
        name,
        hash,
        inferred,
        version,
        time,
    } = model;
    let mut text = match (inferred, hash) {
        (true, None) => {
            return format!(
                "inferred from the payloads; no model is declared for category {category}"
            );
        }
        (_, Some(hash)) => {
            let version = version.as_ref().map(|v| format!("version {v}, "));
            let version = version.unwrap_or_default();
            format!("{name} ({version}sha256 {}…)", &hash.to_string()[..12])
        }
        (false, None) => name.clone(),
    };
    if *inferred {
        text += ", inferred from the payloads";
    }
    if let Some(time) = time {
        text += &format!("; events count from {time}");
    }
    text
}

/// Prints the state; lines whose value the last event added or changed begin with `+` or `~`.
fn print_state(state: &RawValue, changed: &[Change], output: &mut Output) -> Result<(), Failure> {
    for line in pretty::lines(state.get()) {
        let change = line
            .path
            .and_then(|path| changed.iter().find(|change| change.path == path));
        let mark = change.map_or(' ', |change| mark(change.kind));
        output.line(&format!("{mark} {}", line.text))?;
    }
    Ok(())
}

fn mark(kind: ChangeKind) -> char {
    match kind {
        ChangeKind::Added => '+',
        ChangeKind::Removed => '-',
        ChangeKind::Changed => '~',
    }
}

/// Prints changes, one a line: path, value before, value after.
pub fn print_changes(changes: &[Change], output: &mut Output) -> Result<(), Failure> {
    let text = |value: &Option<Box<RawValue>>| {
        let text = value.as_ref().map_or("", |value| value.get());
        cut(&visible(text), MAX_DATA_COLUMNS)
    };
    for change in changes {
        let Change {
            path,
            kind,
            before,
            after,
        } = change;
        let path = if path.is_empty() {
            "(the whole state)"
        } else {
            path
        };
        let values = match kind {
            ChangeKind::Added => text(after),
            ChangeKind::Removed => text(before),
            ChangeKind::Changed => format!("{} -> {}", text(before), text(after)),
        };
        output.line(&format!("  {} {}: {values}", mark(*kind), visible(path)))?;
    }
    Ok(())
}
