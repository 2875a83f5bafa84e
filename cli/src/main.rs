//! Annals without a window: the same power, JSON out, exit codes.
//!
//! Each command is a file under `commands/`: it parses what the user wrote, calls core, and prints the
//! answer as a table ([`table`], [`pretty`]) or, with `--json`, as core's own view type. Results go to
//! standard output; errors, warnings and progress to standard error.
//!
//! Left out: every decision. State, filters, imports and exports are core's.

mod args;
mod commands;
mod failure;
mod filters;
mod found;
mod instant;
mod looks;
mod output;
mod pretty;
mod table;
mod text;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

use crate::failure::{Code, Exit, Failure};
use crate::output::Output;

/// Events are made by one thread and dropped by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        Failure::new(Code::Internal, format!("internal: {panic}"))
            .hint("this is a fault in Annals itself; please report it with the command that led to it")
            .report(wants_json());
    }));
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or(Exit::Internal)
        .into()
}

/// Parses the command line, runs the command and reports its failure.
fn run() -> Exit {
    let parsed = args::Args::command().try_get_matches().and_then(|matches| {
        let args = args::Args::from_arg_matches(&matches)?;
        Ok((matches, args))
    });
    let (matches, args) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return refuse_usage(&error),
    };
    let json = args.json;
    let mut output = Output::stdout(json);
    // Who asks what is written down before anything is answered.
    let result = looks::write_down(&args, &matches)
        .and_then(|access| {
            output.access = access;
            output.purpose = args.purpose.clone();
            commands::run(args.command, &mut output)
        })
        .and_then(|exit| output.finish().map(|()| exit));
    match result {
        Ok(exit) => exit,
        // The reader of our output has gone (`annals events … | head`): nobody is left to tell.
        Err(failure) if failure.is_broken_pipe() => Exit::Done,
        Err(failure) => {
            // What was printed before the failure belongs before its message.
            let _ = output.finish();
            failure.report(json);
            failure.exit
        }
    }
}

/// Prints help and version texts as they are, and a usage error in the form asked for.
fn refuse_usage(error: &clap::Error) -> Exit {
    if !error.use_stderr() {
        let _ = error.print();
        return Exit::Done;
    }
    if wants_json() {
        let text = error.render().to_string();
        let message = text.lines().next().unwrap_or_default();
        Failure::usage(message.strip_prefix("error: ").unwrap_or(message))
            .hint("annals --help lists the commands, annals COMMAND --help its options")
            .report(true);
    } else {
        let _ = error.print();
    }
    Exit::Usage
}

/// Whether the command line asks for JSON, read where it is not parsed yet or was refused.
fn wants_json() -> bool {
    std::env::args_os().any(|arg| arg == "--json")
}
