//! `cargo xtask bench`: builds the harness for speed and runs it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Outcome, cargo, run, step, target_folder};
use crate::setup::{Needs, prepare};

/// Runs the harness; `arguments` are handed to it. Unless it is to be quick, the real window is measured too.
/// `--peers` installs and builds what is measured beside us, in folders of its own; with `--beside` nothing else is
/// measured.
pub fn bench(arguments: &[&str]) -> Outcome {
    let with_peers = arguments.contains(&"--peers");
    let arguments: Vec<&str> = arguments
        .iter()
        .copied()
        .filter(|argument| *argument != "--peers")
        .collect();
    let alone = ["--quick", "--beside"];
    let window = !arguments.iter().any(|a| alone.contains(a)) && cfg!(target_os = "linux");
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
    if with_peers {
        for (name, had) in [
            ("ANNALS_BENCH_DUCKDB", duckdb(&target)),
            ("ANNALS_BENCH_PEERS", peers(&target)),
        ] {
            match had {
                Ok(program) => drop(bench.env(name, program)),
                Err(why) => step(&format!("not to be had, so not measured beside: {why}")),
            }
        }
    }
    step("measuring");
    run(bench.args(arguments))
}

/// The program that does what the bench does with other event stores; a workspace of its own, built here only.
fn peers(target: &Path) -> Outcome<PathBuf> {
    step("building other event stores, to be measured beside");
    let built = target.join("peers-build");
    let mut build = cargo(&["build", "--locked", "--release"]);
    build.args(["--manifest-path", "tests/peers/Cargo.toml", "--target-dir"]);
    run(build.arg(&built))?;
    let file = format!("annals-peers{}", std::env::consts::EXE_SUFFIX);
    Ok(built.join("release").join(file))
}

/// A Python with DuckDB in it, in the target folder; installed once.
fn duckdb(target: &Path) -> Outcome<PathBuf> {
    let folder = target.join("peers");
    let python = match cfg!(windows) {
        true => folder.join("Scripts").join("python.exe"),
        false => folder.join("bin").join("python"),
    };
    let has = |python: &Path| {
        let tried = Command::new(python).args(["-c", "import duckdb"]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    if !has(&python) {
        step("installing DuckDB from PyPI, to be measured beside");
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "duckdb"]))?;
    }
    Ok(python)
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
