//! `annals verify`: whether a store still holds what was recorded and signed.

use std::path::{Path, PathBuf};

use annals_core::integrity::timestamp::Authority;
use annals_core::store::verify::{Grade, VerifyFinding};
use annals_core::surroundings::Surroundings;
use annals_core::verify::{Kept, VerifyOutcome, VerifyPlan, VerifyView, verify};

use super::checkpoint::verifier_key;
use crate::failure::{Exit, Failure};
use crate::found::cache_folder;
use crate::output::Output;
use crate::text::{counted, visible};
use crate::watch::watched;

/// Hash every event again, make the tree anew, and compare everything in the store with the events.
///
/// Nothing is written. Findings are graded: manipulation (changed after it was recorded or signed), gap (something
/// that was there is not), notice (worth knowing). What was not checked is said.
///
/// Exit codes: 0 intact, 3 problems, 4 not readable as a store, 1 not verified.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The store
    store: PathBuf,
    /// Compare with a checkpoint or a proof that was kept elsewhere; may be given again
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Verifier key of the log or of a witness, known from elsewhere, or a file with it; may be given again
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// Certificates of an authority in PEM, whose time stamps are believed; may be given again
    #[arg(long, value_name = "CERTS.pem")]
    authority: Vec<PathBuf>,
    /// Also replay streams against the snapshots that are kept of them; what does not hold is dropped from the cache
    #[arg(long)]
    replay: bool,
}

/// Runs the command.
pub fn run(args: Verify, output: &mut Output) -> Result<Exit, Failure> {
    let against = args.against.iter().map(|path| {
        Ok(Kept {
            name: path.display().to_string(),
            // What is no text is no checkpoint either, and is told as such.
            text: String::from_utf8_lossy(&bytes_of(path)?).into_owned(),
        })
    });
    let keys = args.key.iter().map(|key| verifier_key("--key", key));
    let plan = VerifyPlan {
        against: against.collect::<Result<_, Failure>>()?,
        keys: keys.collect::<Result<_, _>>()?,
        authorities: authorities(&args.authority)?,
        replay: args.replay,
        cache_folder: cache_folder(),
        threads: threads(),
    };
    let surroundings = Surroundings::system();
    let view = watched("events", |progress| {
        verify(&args.store, &plan, &surroundings, progress)
    })?;
    output.show(&view, |output| print(&view, output))?;
    Ok(exit(view.outcome))
}

/// The authorities that certificates name.
pub fn authorities(files: &[PathBuf]) -> Result<Vec<Authority>, Failure> {
    let authorities = files.iter().map(|file| super::timestamp::authority(file));
    authorities.collect()
}

fn bytes_of(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path).map_err(|error| Failure::file(path, &error))
}

/// Text of a file.
pub fn text_of(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes_of(path)?).map_err(|_| {
        Failure::new(
            crate::failure::Code::BadInput,
            format!("{} is no text", path.display()),
        )
    })
}

/// Threads that verification shares its work among: what the machine has, between 2 and 8.
fn threads() -> usize {
    std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8))
}

/// Exit code of an outcome.
pub fn exit(outcome: VerifyOutcome) -> Exit {
    match outcome {
        VerifyOutcome::Intact => Exit::Done,
        VerifyOutcome::Problems => Exit::Problems,
        VerifyOutcome::Unreadable => Exit::Unreadable,
    }
}

fn print(view: &VerifyView, output: &mut Output) -> Result<(), Failure> {
    let VerifyView {
        outcome,
        file,
        id,
        events_checked,
        tree_size,
        root,
        signed_size,
        checked,
        findings,
        not_checked,
    } = view;
    let word = match outcome {
        VerifyOutcome::Intact => "intact, as far as it was checked",
        VerifyOutcome::Problems => "PROBLEMS FOUND",
        VerifyOutcome::Unreadable if id.is_some() => "what it was compared with cannot be used",
        VerifyOutcome::Unreadable => "cannot be read as a store",
    };
    output.line(&visible(&format!("{file}: {word}")))?;
    if let Some(id) = id {
        output.line(&format!("log        annals/{id}"))?;
        output.line(&format!(
            "checked    {} of {tree_size}",
            counted(*events_checked, "event")
        ))?;
    }
    match root {
        Some(root) => output.line(&format!("root       {root}"))?,
        None if *outcome != VerifyOutcome::Unreadable => {
            output.line("root       none: leaves are missing")?;
        }
        None => {}
    }
    match signed_size {
        Some(size) => output.line(&format!("signed     up to {}", counted(size.0, "event")))?,
        None if *outcome != VerifyOutcome::Unreadable => output.line("signed     nothing")?,
        None => {}
    }
    print_findings(findings, output)?;
    if !checked.is_empty() {
        output.line("")?;
        output.line("what was checked")?;
        for checked in checked {
            output.line(&format!("  {:>9}  {}", checked.count, checked.what))?;
        }
    }
    print_list("what was not checked", not_checked, output)
}

/// Prints sentences under a title, one a line; nothing where there are none.
pub fn print_list(title: &str, list: &[String], output: &mut Output) -> Result<(), Failure> {
    if !list.is_empty() {
        output.line("")?;
        output.line(title)?;
    }
    for line in list {
        output.line(&visible(&format!("  {line}")))?;
    }
    Ok(())
}

/// How much a finding weighs, in a word.
pub fn word_of(grade: Grade) -> &'static str {
    match grade {
        Grade::Manipulation => "manipulation",
        Grade::Gap => "gap",
        Grade::Notice => "notice",
    }
}

/// Prints graded findings, one a line.
pub fn print_findings(findings: &[VerifyFinding], output: &mut Output) -> Result<(), Failure> {
    if findings.is_empty() {
        return Ok(());
    }
    output.line("")?;
    output.line("findings")?;
    for finding in findings {
        let VerifyFinding {
            grade,
            kind: _,
            position,
            count,
            detail,
        } = finding;
        let grade = word_of(*grade);
        let place = match (position, count) {
            (None, 1) => String::new(),
            (None, count) => format!(" ({count} times)"),
            (Some(at), 1) => format!(" (position {at})"),
            (Some(at), count) => format!(" ({count} times, first at position {at})"),
        };
        output.line(&visible(&format!("  {grade}: {detail}{place}")))?;
    }
    Ok(())
}
