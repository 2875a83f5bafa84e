//! `annals privacy erase`: the plan, its confirmation, the erasure.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use annals_core::privacy::{
    self, CachesCleared, EraseRequest, ErasurePlan, ErasureReport, HeldEvent, PlannedEvent,
    StayingValue,
};
use annals_core::search::IndexProgress;
use annals_core::store::{Log, LogWriter};
use annals_core::surroundings::{OsUser, Surroundings};
use serde::Serialize;

use super::{mentions, word};
use crate::commands::{counting, load_models};
use crate::failure::{Exit, Failure};
use crate::found::cache_folder;
use crate::output::{Output, complain};
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};
use crate::watch::cancel_on_interrupt;

/// Events of a plan that are printed; `--json` has all.
const MAX_PRINTED: usize = 50;

/// Erase a subject's payloads for good, and say so in the log.
///
/// Shows the plan and asks: type the subject again. Without a terminal nothing is erased unless --yes is given.
#[derive(Debug, clap::Args)]
pub struct Erase {
    /// The store
    store: PathBuf,
    /// The subject, as the model's [personal] gives it
    #[arg(required_unless_present = "finish", allow_hyphen_values = true)]
    subject: Option<String>,
    /// Also erase payloads that only name the subject and are nobody's or another's by a model
    #[arg(long)]
    mentions: bool,
    /// Why; stands in the log for good, so it should not name the subject
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Erase without asking
    #[arg(long)]
    yes: bool,
    /// Finish what an earlier erasure left: bytes in the log's file and in caches
    #[arg(long, conflicts_with_all = ["subject", "mentions", "reason", "yes"])]
    finish: bool,
}

/// What the command prints with `--json`.
#[derive(Serialize)]
struct Erased<'e> {
    plan: &'e ErasurePlan,
    /// `null` where it was not confirmed.
    done: Option<&'e ErasureReport>,
}

/// Runs the command.
pub fn run(args: Erase, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    let plan = match &args.subject {
        Some(subject) => {
            let models = load_models(&args.store)?;
            let request = EraseRequest {
                subject: subject.clone(),
                mentions: args.mentions,
                reason: args.reason.clone(),
            };
            counting(|go_on| privacy::plan(&log, &models, &request, go_on))?
        }
        None => ErasurePlan::nothing(&log)?,
    };
    let unfinished = log.has_unfinished_erasure()?;
    drop(log);
    if !args.finish {
        if !output.is_json() {
            print_plan(&plan, output)?;
            output.finish()?;
        }
        if plan.events.is_empty() && !unfinished {
            return show(&plan, None, output);
        }
        if !args.yes && !confirmed(&plan)? {
            complain("nothing was erased; --yes erases without asking");
            return show(&plan, None, output);
        }
    }
    let writer = LogWriter::open(&args.store, Surroundings::system())?;
    let progress = Arc::new(IndexProgress::default());
    let on_interrupt = Arc::clone(&progress);
    cancel_on_interrupt(move || on_interrupt.cancel.swap(true, Ordering::Relaxed));
    let user = OsUser::system();
    let report = privacy::erase(&writer, &plan, &user, cache_folder().as_deref(), &progress)?;
    writer.close()?;
    show(&plan, Some(&report), output)?;
    // What is not finished is not done.
    Ok(if report.left.is_empty() {
        Exit::Done
    } else {
        Exit::NotDone
    })
}

/// Asks for the subject, on a terminal only.
fn confirmed(plan: &ErasurePlan) -> Result<bool, Failure> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    complain(&visible(&format!(
        "This cannot be undone. To erase, type the subject again: {}",
        plan.subject
    )));
    let mut typed = String::new();
    std::io::stdin().read_line(&mut typed)?;
    Ok(typed.trim() == plan.subject)
}

fn show(
    plan: &ErasurePlan,
    done: Option<&ErasureReport>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    output.show(&Erased { plan, done }, |output| match done {
        Some(report) => print_report(report, output),
        None => Ok(()),
    })
}

fn print_plan(plan: &ErasurePlan, output: &mut Output) -> Result<(), Failure> {
    let ErasurePlan {
        subject,
        mentions: _,
        reason: _,
        head,
        events,
        held,
        named_and_stay,
        identity_stays,
        values_stay,
        values_looked_for,
        values_not_looked_for,
        not_reached,
    } = plan;
    if !events.is_empty() {
        let mut table = Table::new(&[
            ("POSITION", Align::Right, 12),
            ("STREAM", Align::Left, MAX_NAME_COLUMNS),
            ("VERSION", Align::Right, 12),
            ("TYPE", Align::Left, MAX_NAME_COLUMNS),
            ("GOES", Align::Left, 16),
            ("BECAUSE OF", Align::Left, 80),
        ]);
        for PlannedEvent {
            position,
            stream,
            version,
            event_type,
            parts,
            because,
        } in events.iter().take(MAX_PRINTED)
        {
            let parts: Vec<String> = parts.iter().map(word).collect();
            table.row([
                position.to_string(),
                stream.clone().unwrap_or_default(),
                version.to_string(),
                event_type.clone(),
                parts.join(", "),
                mentions(because),
            ]);
        }
        output.table(&table)?;
        if events.len() > MAX_PRINTED {
            output.line(&format!(
                "and {} more; --json lists all",
                events.len() - MAX_PRINTED
            ))?;
        }
        output.line("")?;
    }
    output.line(&visible(&format!(
        "to be erased for {subject}: {} of {} ({} events were looked at)",
        counted(plan.parts(), "payload"),
        counted(events.len() as u64, "event"),
        head.size
    )))?;
    for HeldEvent {
        position,
        stream,
        matters,
    } in held
    {
        output.line(&visible(&format!(
            "held and kept: position {position} of {}, by {}",
            stream.as_deref().unwrap_or("(no stream)"),
            matters.join(", ")
        )))?;
    }
    if *named_and_stay > 0 {
        output.line(&format!(
            "kept: {} that name the subject and are not theirs by a model; --mentions takes them in",
            counted(*named_and_stay, "event")
        ))?;
    }
    if !identity_stays.is_empty() {
        output.line(&visible(&format!(
            "names the subject and cannot be erased: {}",
            identity_stays.join(", ")
        )))?;
    }
    if !events.is_empty() {
        print_values(values_stay, output)?;
        output.line(&format!(
            "{} that go were looked for in the rest of the log: {}",
            counted(*values_looked_for, "value"),
            match values_stay.len() {
                0 => "none stands there".to_owned(),
                n => format!("{n} stay somewhere"),
            }
        ))?;
    }
    if *values_not_looked_for > 0 {
        output.line(&format!(
            "{} more were not looked for",
            counted(*values_not_looked_for, "value")
        ))?;
    }
    output.line("not reached:")?;
    for sentence in not_reached {
        output.line(&format!("  {sentence}"))?;
    }
    output.line("")
}

/// Values that go and also stand where the erasure does not reach.
fn print_values(values: &[StayingValue], output: &mut Output) -> Result<(), Failure> {
    for StayingValue {
        field,
        masked,
        events,
        first,
        places,
    } in values
    {
        output.line(&visible(&format!(
            "stays elsewhere: {field} {masked}, in {}, first at position {first}: {}",
            counted(*events, "event"),
            places.join(", ")
        )))?;
    }
    Ok(())
}

fn print_report(report: &ErasureReport, output: &mut Output) -> Result<(), Failure> {
    let ErasureReport {
        erasures,
        parts,
        events,
        head,
        finished,
        caches,
        values_stay,
        left,
    } = report;
    if !erasures.is_empty() {
        let positions: Vec<String> = erasures.iter().map(ToString::to_string).collect();
        output.line(&format!(
            "erased {} of {}; the log says so at position {}",
            counted(*parts, "payload"),
            counted(*events, "event"),
            positions.join(", ")
        ))?;
        output.line(&format!("root {} of {} events", head.root, head.size))?;
    }
    if *finished {
        output
            .line("nothing of what was erased is left in the log's file and its write-ahead log")?;
    }
    let CachesCleared { cleared, left: _ } = caches;
    for file in cleared {
        output.line(&visible(&format!("nothing of it is in the cache {file}")))?;
    }
    print_values(values_stay, output)?;
    for sentence in left {
        output.line(&visible(&format!("still to be done: {sentence}")))?;
    }
    Ok(())
}
