//! The project's tasks: `cargo xtask run | test | check | bindings | bench | soak | package`. Uses the standard library only,
//! so that a newcomer's first command does not begin with compiling helpers.
//!
//! | module | what it holds |
//! |---|---|
//! | [`setup`] | what must be there before anything is built: system packages, npm packages, the built UI |
//! | [`app`] | the desktop program: build it, open it, walk through it |
//! | [`test`] | every test, counted |
//! | [`check`] | format, lints, generated bindings |
//! | [`package`] | .deb and .rpm |
//! | [`bench`] | measuring, and half an hour of everything |
//! | [`command`] | running other programs |
#![forbid(unsafe_code)]
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a terminal is all this program talks to"
)]

mod app;
mod bench;
mod check;
mod command;
mod package;
mod setup;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask TASK

  run [STORE]       build everything and open the window, on the guide's sample where no store is named;
                    without a display: walk through the main views and save screenshots
  test [--fast]     every test: Rust, UI, command line, the real window (--fast: all but the window)
  check             format, lints, generated bindings: what must hold before a change is sent
  bindings          generate the UI's types from core's and the host's
  bench [--quick] [--peers [--beside]]
                    measure against plain SQLite, and --peers against PostgreSQL (where it is installed), cqrs-es,
                    UmaDB and DuckDB too (as packages), with --beside against nothing else; writes
                    target/bench/report.md
  soak [--minutes N] [--events N]
                    half an hour of everything at once on one store; writes target/soak/report.md
  package [--debug] packages of this system: .deb and .rpm (--debug: of the unoptimised programs)";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["run"] => app::run(None),
        ["run", store] if !store.starts_with('-') => app::run(Some(store)),
        ["test"] => test::test(true),
        ["test", "--fast"] => test::test(false),
        ["check"] => check::check(),
        ["bindings"] => check::bindings(),
        ["bench", ref rest @ ..] => bench::bench(rest),
        ["soak", ref rest @ ..] => bench::soak(rest),
        ["package", ref rest @ ..] => package::package(rest),
        ["help" | "-h" | "--help"] => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("\nxtask: {message}");
            ExitCode::FAILURE
        }
    }
}
