//! The desktop program: build it, open it, walk through it.

use std::path::Path;
use std::process::Command;

use crate::command::{Outcome, cargo, program, root, run as run_command, step, target_folder};
use crate::setup::{Needs, prepare};

/// `cargo xtask run [STORE]`.
pub fn run(store: Option<&str>) -> Outcome {
    // The store is named from where the user stands; everything else runs in the project's folder.
    let store = store
        .map(std::path::absolute)
        .transpose()
        .map_err(|error| format!("the store's path: {error}"))?;
    if has_display() {
        prepare(Needs::Build)?;
        build()?;
        open_window(store.as_deref())
    } else {
        println!("There is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set),");
        println!(
            "so a virtual one is used: the main views are visited and a screenshot of each is saved."
        );
        prepare(Needs::BuildAndDrive)?;
        build()?;
        tour(store.as_deref())
    }
}

/// Builds all programs of the project. Always the whole workspace: another selection would choose other
/// features for shared crates and build them again.
pub fn build() -> Outcome {
    step("building Annals (the first time takes some minutes)");
    run_command(&mut cargo(&["build", "--workspace", "--locked"]))
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !cfg!(target_os = "linux") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn open_window(store: Option<&Path>) -> Outcome {
    let mut app = Command::new(program("annals-desktop")?);
    match store {
        Some(store) => {
            step(&format!("opening {}", store.display()));
            app.arg("--").arg(store);
        }
        None => {
            let sample = target_folder()?.join("sample/guide.annals");
            let folder = sample.parent().expect("the path has a folder");
            std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
            step(&format!("opening the guide's sample, {}", sample.display()));
            app.arg("--sample").arg(sample);
        }
    }
    run_command(app.current_dir(root()))
}

fn tour(store: Option<&Path>) -> Outcome {
    let folder = target_folder()?.join("tour");
    step("walking through the app");
    let mut tour = Command::new(program("tour")?);
    tour.arg("--app").arg(program("annals-desktop")?);
    tour.arg("--out").arg(&folder);
    if let Some(store) = store {
        tour.arg("--store").arg(store);
    }
    run_command(&mut tour)
}
