//! `cargo xtask bench`: builds the harness for speed and runs it.

use crate::command::{Outcome, cargo, run, step, target_folder};

/// Runs the harness; `arguments` are handed to it.
pub fn bench(arguments: &[&str]) -> Outcome {
    step("building for speed (profile fast)");
    run(&mut cargo(&[
        "build",
        "--locked",
        "--profile",
        "fast",
        "--package",
        "annals-bench",
    ]))?;
    let target = target_folder()?;
    let program = format!("annals-bench{}", std::env::consts::EXE_SUFFIX);
    let mut bench = std::process::Command::new(target.join("fast").join(program));
    bench.arg("--out").arg(target.join("bench")).args(arguments);
    step("measuring");
    run(&mut bench)
}
