//! What is measured in a process of its own, so that its peak memory is its own.

use std::ffi::OsStr;
use std::path::Path;

use annals_tests::memory;

use crate::Outcome;

/// What such a process came to.
pub struct Figures {
    pub seconds: f64,
    pub peak_kb: f64,
    /// Events or rows that it made.
    pub count: f64,
}

/// Prints the figures of this process, for [`run`] to read.
pub fn told(seconds: f64, count: u64) {
    let peak_kb = memory::peak_kb().unwrap_or(0.0);
    println!("{seconds} {peak_kb} {count}");
}

/// Runs the bench again in one of its `--child-…` modes.
pub fn run<A: AsRef<OsStr>>(mode: &str, args: impl IntoIterator<Item = A>) -> Outcome<Figures> {
    let output = std::process::Command::new(std::env::current_exe()?)
        .arg(mode)
        .args(args)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let [seconds, peak_kb, count] = figures[..] else {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{mode} failed: {text}{said}").into());
    };
    Ok(Figures {
        seconds,
        peak_kb,
        count,
    })
}

/// Removes a database that an earlier round left.
pub fn remove(database: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{suffix}", database.display()));
    }
}
