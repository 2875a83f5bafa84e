//! `cargo xtask test`: every test, counted.

use std::time::Instant;

use crate::command::{Outcome, cargo, npm, run_reading, step};
use crate::setup::{Needs, prepare};

/// What one part of the tests came to.
struct Part {
    name: &'static str,
    passed: u64,
    failed: u64,
    seconds: u64,
}

/// Runs every test, those in the real window included if `window`. The last line says how many passed and failed.
pub fn test(window: bool) -> Outcome {
    prepare(if window {
        Needs::BuildAndDrive
    } else {
        Needs::Build
    })?;
    let mut parts = Vec::new();

    // The programs first: tests of the command line and of the window start them.
    step("building the programs");
    let built = run_reading(&mut cargo(&["build", "--workspace", "--locked"]), |_| {})?;
    if built {
        let mut rust = cargo(&["test", "--workspace", "--locked", "--no-fail-fast"]);
        if window {
            rust.args(["--features", "annals-tests/window"]);
        }
        parts.push(part("Rust, command line, window", &mut rust, rust_counts)?);
    } else {
        parts.push(Part {
            name: "build",
            passed: 0,
            failed: 1,
            seconds: 0,
        });
    }
    let vitest = &mut npm(&["run", "--silent", "test"]);
    parts.push(part(
        "UI units (vitest)",
        vitest.env("NO_COLOR", "1"),
        vitest_counts,
    )?);
    parts.push(part(
        "UI types (svelte-check)",
        &mut npm(&["run", "--silent", "check"]),
        |_| None,
    )?);
    parts.push(part(
        "UI lints (eslint)",
        &mut npm(&["run", "--silent", "lint"]),
        |_| None,
    )?);

    step("summary");
    for Part {
        name,
        passed,
        failed,
        seconds,
    } in &parts
    {
        println!("{name:<28} {passed:>5} passed {failed:>4} failed {seconds:>5} s");
    }
    let passed: u64 = parts.iter().map(|part| part.passed).sum();
    let failed: u64 = parts.iter().map(|part| part.failed).sum();
    println!("\n{passed} passed, {failed} failed");
    match failed {
        0 => Ok(()),
        _ => std::process::exit(1),
    }
}

/// Runs one part. `counts` reads (passed, failed) from a line of its output; a part that counts nothing is
/// one test, and a part that fails without a failed test (it did not compile, say) has one failed.
fn part(
    name: &'static str,
    command: &mut std::process::Command,
    counts: fn(&str) -> Option<(u64, u64)>,
) -> Outcome<Part> {
    step(name);
    let start = Instant::now();
    let (mut passed, mut failed) = (0, 0);
    let succeeded = run_reading(command, |line| {
        if let Some((p, f)) = counts(line) {
            passed += p;
            failed += f;
        }
    })?;
    if succeeded && passed + failed == 0 {
        passed = 1;
    }
    if !succeeded && failed == 0 {
        failed = 1;
    }
    let seconds = start.elapsed().as_secs();
    Ok(Part {
        name,
        passed,
        failed,
        seconds,
    })
}

/// `test result: ok. 43 passed; 0 failed; 0 ignored; …`
fn rust_counts(line: &str) -> Option<(u64, u64)> {
    let rest = line.strip_prefix("test result: ")?;
    let (_, rest) = rest.split_once(". ")?;
    let mut numbers = rest.split(';').map(|part| {
        let (number, word) = part.trim().split_once(' ')?;
        Some((number.parse::<u64>().ok()?, word))
    });
    match (numbers.next()??, numbers.next()??) {
        ((passed, "passed"), (failed, "failed")) => Some((passed, failed)),
        _ => None,
    }
}

/// `Tests  1 failed | 12 passed (13)`
fn vitest_counts(line: &str) -> Option<(u64, u64)> {
    let rest = line.trim().strip_prefix("Tests ")?;
    let (rest, _) = rest.rsplit_once('(')?;
    let number = |word: &str| {
        let part = rest
            .split('|')
            .find_map(|part| part.trim().strip_suffix(word));
        part.and_then(|n| n.trim().parse().ok()).unwrap_or(0)
    };
    Some((number("passed"), number("failed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_from_what_the_runners_print() {
        assert_eq!(
            rust_counts(
                "test result: FAILED. 41 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.2s"
            ),
            Some((41, 2))
        );
        assert_eq!(rust_counts("test store::tests::a ... ok"), None);
        assert_eq!(vitest_counts("      Tests  12 passed (12)"), Some((12, 0)));
        assert_eq!(
            vitest_counts("      Tests  1 failed | 12 passed (13)"),
            Some((12, 1))
        );
        assert_eq!(vitest_counts(" Test Files  3 passed (3)"), None);
    }
}
