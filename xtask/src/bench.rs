//! `cargo xtask bench`: builds the harness for speed and runs it.

use std::process::Command;

use crate::command::{Outcome, cargo, run, step, target_folder};
use crate::setup::{Needs, prepare};

/// Runs the harness; `arguments` are handed to it. Unless it is to be quick, the real window is measured too.
pub fn bench(arguments: &[&str]) -> Outcome {
    let window = !arguments.contains(&"--quick") && cfg!(target_os = "linux");
    step("building for speed (profile fast)");
    let mut build = cargo(&["build", "--locked", "--profile", "fast"]);
    build.args(["--package", "annals-tests", "--bin", "annals-bench"]);
    if window {
        prepare(Needs::BuildAndDrive)?;
        build.args(["--package", "annals-desktop", "--bin", "annals-desktop"]);
    }
    run(&mut build)?;
    let target = target_folder()?;
    let program = |name: &str| {
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        target.join("fast").join(file)
    };
    let mut bench = Command::new(program("annals-bench"));
    bench.arg("--out").arg(target.join("bench"));
    if window {
        bench.arg("--app").arg(program("annals-desktop"));
    }
    step("measuring");
    run(bench.args(arguments))
}

/// Lets everything work on one store for a long time and checks what is there at the end.
pub fn soak(arguments: &[&str]) -> Outcome {
    step("building for speed (profile fast)");
    let mut build = cargo(&["build", "--locked", "--profile", "fast"]);
    run(build.args(["--package", "annals-tests", "--bin", "annals-soak"]))?;
    let target = target_folder()?;
    let file = format!("annals-soak{}", std::env::consts::EXE_SUFFIX);
    let mut soak = Command::new(target.join("fast").join(file));
    step("working");
    run(soak.arg("--out").arg(target.join("soak")).args(arguments))
}
