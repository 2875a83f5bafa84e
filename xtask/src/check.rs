//! `cargo xtask check`: what must hold before a change is sent; and `bindings`.

use std::collections::BTreeMap;
use std::path::Path;

use crate::command::{Outcome, cargo, line, npm, root, run, step, target_folder};
use crate::setup::{Needs, prepare};

/// Format, lints, generated bindings. Goes on after a failure, so that one run tells all.
pub fn check() -> Outcome {
    prepare(Needs::Build)?;
    let mut failed = Vec::new();
    let mut part = |name: &str, outcome: Outcome| {
        if let Err(message) = outcome {
            println!("{message}");
            failed.push(name.to_owned());
        }
    };
    step("format");
    part("format", run(&mut cargo(&["fmt", "--all", "--check"])));
    step("lints");
    let clippy = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
    ];
    let window = ["--features", "annals-tests/window", "--", "-D", "warnings"];
    part("clippy", run(cargo(&clippy).args(window)));
    step("bindings");
    part("bindings", bindings_are_fresh());
    step("UI");
    part("svelte-check", run(&mut npm(&["run", "--silent", "check"])));
    part("eslint", run(&mut npm(&["run", "--silent", "lint"])));
    match failed.is_empty() {
        true => {
            println!("\nall is well");
            Ok(())
        }
        false => Err(format!("to be mended: {}", failed.join(", "))),
    }
}

const BINDINGS: &str = "ui/src/lib/bindings";

/// Generates the UI's types into the UI.
pub fn bindings() -> Outcome {
    prepare(Needs::Build)?;
    let folder = root().join(BINDINGS);
    // Emptied first, so that a type that is gone leaves no file.
    let _ = std::fs::remove_dir_all(&folder);
    generate(&folder)?;
    println!("{} types in {BINDINGS}", files(&folder)?.len());
    Ok(())
}

/// Compares the committed types with freshly generated ones.
fn bindings_are_fresh() -> Outcome {
    let folder = target_folder()?.join("fresh-bindings");
    let _ = std::fs::remove_dir_all(&folder);
    generate(&folder)?;
    let (fresh, committed) = (files(&folder)?, files(&root().join(BINDINGS))?);
    let differ = |name: &&String| fresh.get(*name) != committed.get(*name);
    let mut stale: Vec<_> = fresh
        .keys()
        .chain(committed.keys())
        .filter(differ)
        .collect();
    stale.sort();
    stale.dedup();
    match stale[..] {
        [] => Ok(()),
        _ => Err(format!(
            "stale in {BINDINGS}: {stale:?}; run cargo xtask bindings"
        )),
    }
}

/// ts-rs writes a type's file in a test that it adds to the crate.
fn generate(folder: &Path) -> Outcome {
    // The whole workspace, as everywhere: another selection would have the typesetter and the web view compiled
    // again with other features.
    let mut tests = cargo(&["test", "--workspace", "--locked", "--quiet", "--lib"]);
    tests.arg("export_bindings");
    tests.env("TS_RS_EXPORT_DIR", folder);
    let output = tests.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{}\n{}",
            line(&tests),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}

/// Every file of a folder and of those inside it, by name.
fn files(folder: &Path) -> Outcome<BTreeMap<String, Vec<u8>>> {
    let told = |error| format!("{}: {error}", folder.display());
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(told)? {
        let path = entry.map_err(told)?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            let inside = files(&path)?.into_iter();
            found.extend(inside.map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else {
            found.insert(name, std::fs::read(&path).map_err(told)?);
        }
    }
    Ok(found)
}
