//! One file a command: parse, call core, print.

pub mod access_log;
pub mod append;
pub mod ask;
pub mod backup;
pub mod checkpoint;
pub mod command;
pub mod dashboard;
pub mod diff;
pub mod events;
pub mod evidence;
pub mod export;
pub mod formats;
pub mod history;
pub mod import;
pub mod imports;
pub mod info;
pub mod init;
pub mod key;
pub mod late;
pub mod model;
pub mod objects;
pub mod open;
pub mod privacy;
pub mod process;
pub mod projection;
pub mod query;
pub mod related;
pub mod report;
pub mod restore;
pub mod rules;
pub mod sample;
pub mod show;
pub mod snapshot;
pub mod sql;
pub mod state;
pub mod streams;
pub mod tail;
pub mod timestamp;
pub mod verify;
pub mod whatif;
pub mod why;

use std::path::Path;

use annals_core::finding::{Finding, Place};
use annals_core::model::ModelSet;
use annals_core::position::Position;
use annals_core::projection::{ProjectionSet, Projections, Strategy};
use annals_core::store::Log;
use annals_core::surroundings::Surroundings;
use annals_core::temporal;

use crate::args::Command;
use crate::failure::{Exit, Failure};
use crate::found::cache_folder;
use crate::output::{Output, complain};
use crate::text::{counted, visible};

/// Runs one command.
pub fn run(command: Command, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::run(args, output),
        Command::Sample(args) => sample::run(args, output),
        Command::Append(args) => append::run(*args, output),
        Command::Import(args) => import::run(*args, output),
        Command::Formats(args) => formats::run(args, output),
        Command::Imports(args) => imports::run(args, output),
        Command::Info(args) => info::run(args, output),
        Command::Streams(args) => streams::run(args, output),
        Command::Objects(args) => objects::run(args, output),
        Command::Events(args) => events::run(args, output),
        Command::Show(args) => show::run(args, output),
        Command::State(args) => state::run(args, output),
        Command::Diff(args) => diff::run(args, output),
        Command::Why(args) => why::run(args, output),
        Command::History(args) => history::run(args, output),
        Command::Whatif(args) => whatif::run(args, output),
        Command::Related(args) => related::run(args, output),
        Command::Late(args) => late::run(args, output),
        Command::Tail(args) => tail::run(args, output),
        Command::Model(args) => model::run(args, output),
        Command::Projection(args) => projection::run(args, output),
        Command::Dashboard(args) => dashboard::run(args, output),
        Command::Rules(args) => rules::run(args, output),
        Command::Snapshot(args) => snapshot::run(args, output),
        Command::Ask(args) => command::run(args, output),
        Command::Process(args) => process::run(args, output),
        Command::Question(args) => ask::run(args, output),
        Command::Query(args) => query::run(args, output),
        Command::Sql(args) => sql::run(args, output),
        Command::Export(args) => export::run(args, output),
        Command::Open(args) => open::run(args),
        Command::Backup(args) => backup::run(args, output),
        Command::Report(args) => report::run(args, output),
        Command::Restore(args) => restore::run(args, output),
        Command::Evidence(args) => evidence::run(args, output),
        Command::AccessLog(args) => access_log::run(args, output),
        Command::Verify(args) => verify::run(args, output),
        Command::Privacy(args) => privacy::run(args, output),
        Command::Checkpoint(args) => checkpoint::run(args, output),
        Command::Prove(args) => checkpoint::run_prove(args, output),
        Command::Timestamp(args) => timestamp::run(args, output),
        Command::Key(args) => key::run(args, output),
    }
}

/// Loads the store's models; one that is wrong is left out with a warning on standard error.
fn load_models(store: &Path) -> Result<ModelSet, Failure> {
    let (models, errors) = ModelSet::load(store)?;
    for error in errors {
        complain(&format!(
            "warning: model left out: {}",
            visible(&error.to_string())
        ));
    }
    Ok(models)
}

/// Loads the store's projections; one that is wrong is left out with a warning on standard error.
fn load_projections(store: &Path) -> Result<ProjectionSet, Failure> {
    let (projections, errors) = ProjectionSet::load(store)?;
    for error in errors {
        complain(&format!(
            "warning: projection left out: {}",
            visible(&error.to_string())
        ));
    }
    Ok(projections)
}

/// Catches the synchronous projections up after an append, before it is acknowledged.
///
/// # Errors
/// If one could not follow; the events are in the log all the same, and the next append catches it up.
fn follow(store: &Path, log: &Log) -> Result<(), Failure> {
    let (set, _) = ProjectionSet::load(store)?;
    if !set.iter().any(|one| one.strategy() == Strategy::Sync) {
        return Ok(());
    }
    let clock = Surroundings::system().clock;
    let all = Projections::open(log, set, cache_folder().as_deref(), clock);
    all.catch_up_synchronous().map_err(|error| {
        let mut failure = Failure::from(error);
        failure.message = format!(
            "the events were appended, and a synchronous projection could not follow: {}",
            failure.message
        );
        failure.hint("the next append, or annals projection run STORE --once, catches it up")
    })?;
    Ok(())
}

/// Takes the snapshots that the policies want of streams whose events came after a position. That it fails is a
/// warning: the events are in the log, and a state is folded as well without.
fn snapshot_since(log: &Log, since: Position) {
    let (folder, clock) = (cache_folder(), Surroundings::system().clock);
    if let Err(error) = temporal::take_after(log, since, folder.as_deref(), clock, &mut |_| true) {
        complain(&format!(
            "warning: no snapshot was taken: {}",
            visible(&error.to_string())
        ));
    }
}

/// Prints findings, one a line.
fn print_findings(findings: &[Finding], output: &mut Output) -> Result<(), Failure> {
    if findings.is_empty() {
        return Ok(());
    }
    output.line("")?;
    output.line("findings")?;
    for finding in findings {
        let Finding {
            kind: _,
            severity,
            count,
            place,
            detail,
        } = finding;
        let severity = severity.text().to_ascii_lowercase();
        let times = if *count == 1 {
            String::new()
        } else {
            format!("{count} times, first ")
        };
        let line = format!("  {severity}: {detail} ({times}{})", place_text(place));
        output.line(&visible(line.trim_end_matches(" ()")))?;
    }
    Ok(())
}

fn place_text(place: &Place) -> String {
    let Place {
        file,
        line,
        stream,
        version,
        position,
        path,
    } = place;
    let mut parts = Vec::new();
    match (file, line) {
        (Some(file), Some(line)) => parts.push(format!("{file}:{line}")),
        (Some(file), None) => parts.push(file.clone()),
        (None, Some(line)) => parts.push(format!("line {line}")),
        (None, None) => {}
    }
    parts.extend(stream.clone());
    parts.extend(version.map(|v| format!("version {v}")));
    parts.extend(position.map(|p| format!("position {p}")));
    parts.extend(path.clone().filter(|p| !p.is_empty()));
    parts.join(", ")
}

/// Runs work that tells how many events it looked at, with a count on standard error where that is a terminal.
pub(crate) fn counting<T>(work: impl FnOnce(&mut dyn FnMut(u64) -> bool) -> T) -> T {
    let spinner = indicatif::ProgressBar::new_spinner();
    let outcome = work(&mut |events| {
        spinner.set_message(counted(events, "event"));
        spinner.tick();
        true
    });
    spinner.finish_and_clear();
    outcome
}
