//! `annals access-log`: who looked at a store, and whether that record is whole.

use std::path::PathBuf;

use annals_core::access_log::{self, AccessEntry, AccessFault, AccessLogView, LookKind, Noted};
use annals_core::store::Log;
use annals_core::surroundings::data_folder;

use crate::failure::{Code, Exit, Failure};
use crate::output::Output;
use crate::table::{Align, Table, pairs};
use crate::text::{counted, visible};

/// Show who looked at a store, and whether that record is whole.
///
/// The log says who acted in the data; this says who looked at it: one entry for each command, export, report and
/// settled view, written before the answer. Its chain of hashes is followed from the first entry to the last.
#[derive(Debug, clap::Args)]
pub struct AccessLog {
    /// The store
    store: PathBuf,
    /// Show the last N entries; the chain is followed through all of them
    #[arg(long, value_name = "N", default_value_t = 20)]
    last: usize,
    /// An entry that was noted elsewhere, as reports print it: number and SHA-256
    #[arg(long, value_name = "N:HASH", value_parser = noted)]
    against: Option<Noted>,
}

/// Reads `12:3f…`.
fn noted(text: &str) -> Result<Noted, String> {
    let (n, hash) = text
        .split_once(':')
        .ok_or("write the number of the entry, a colon and its hash")?;
    let n = n
        .trim()
        .parse()
        .map_err(|_| format!("{n:?} is no number of an entry"))?;
    Ok((n, hash.trim().parse()?))
}

/// Runs the command.
pub fn run(args: AccessLog, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&args.store)?;
    let folder = data_folder().ok_or_else(|| {
        Failure::new(
            Code::NotFound,
            "there is no folder for the access log: the environment names no home",
        )
        .hint("ANNALS_DATA_DIR names it")
    })?;
    let file = access_log::AccessLog::of(log.id(), &folder);
    let view = access_log::check(&file, args.against, args.last)?;
    output.show(&view, |output| print(&view, args.against, output))?;
    Ok(if view.intact {
        Exit::Done
    } else {
        Exit::Problems
    })
}

fn print(view: &AccessLogView, against: Option<Noted>, output: &mut Output) -> Result<(), Failure> {
    let AccessLogView {
        log: _,
        file,
        lines,
        last,
        head,
        intact,
        faults,
        faults_count,
        not_checked,
        entries,
    } = view;
    if !entries.is_empty() {
        let mut table = Table::new(&[
            ("ENTRY", Align::Right, 10),
            ("AT", Align::Left, 30),
            ("WHO LOOKED", Align::Left, 24),
            ("PURPOSE", Align::Left, 30),
            ("WHAT", Align::Left, 80),
            ("EVENTS", Align::Right, 12),
        ]);
        for entry in entries {
            table.row([
                entry.n.to_string(),
                entry.at.to_string(),
                who(entry),
                entry.purpose.clone().unwrap_or_else(|| "-".to_owned()),
                what(entry),
                entry.size.to_string(),
            ]);
        }
        output.table(&table)?;
        output.line("")?;
    }
    let shown = entries.len() as u64;
    if shown < *lines {
        output.line(&format!(
            "the last {shown} of {}; --last N shows more",
            counted(*lines, "look")
        ))?;
    }
    for line in pairs(&[("file", file.clone()), ("head", format!("{last}:{head}"))]) {
        output.line(&visible(&line))?;
    }
    output.line("")?;
    if *intact && *lines == 0 {
        output.line("there is no access log here: nobody looked with this program and user, or it was taken away")?;
    } else if *intact {
        output.line(&format!(
            "checked {}, the chain from the first to the last{}: no fault",
            counted(*lines, "look"),
            match against {
                Some((n, _)) => format!(", entry {n} as noted"),
                None => String::new(),
            }
        ))?;
    } else {
        output.line(&format!(
            "checked {}: {} found",
            counted(*lines, "look"),
            counted(*faults_count, "fault")
        ))?;
        for AccessFault {
            kind: _,
            line,
            detail,
        } in faults
        {
            output.line(&visible(&format!("  line {line}: {detail}")))?;
        }
    }
    output.line("not checked:")?;
    for sentence in not_checked {
        output.line(&format!("  {sentence}"))?;
    }
    Ok(())
}

fn who(entry: &AccessEntry) -> String {
    match entry.uid {
        Some(uid) => format!("{} ({uid})", entry.user),
        None => entry.user.clone(),
    }
}

/// The question in one line: the store itself left out, which is the same for all.
fn what(entry: &AccessEntry) -> String {
    let mut text = match entry.kind {
        LookKind::View => format!("view {}", entry.action),
        LookKind::Command | LookKind::Export | LookKind::Report => entry.action.clone(),
    };
    for (name, values) in &entry.asked {
        if name != "store" && name != "into" {
            text += &format!(" {name}={}", values.join(","));
        }
    }
    text
}
