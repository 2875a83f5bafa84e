//! `annals open`: the desktop app, on a store or on its first page.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use annals_core::store::Log;

use crate::failure::{Code, Exit, Failure};

/// Name of the desktop app's program.
const PROGRAM: &str = "annals-desktop";

/// Open a store in the desktop app.
#[derive(Debug, clap::Args)]
pub struct Open {
    /// The store; the app's first page where it is left out
    store: Option<PathBuf>,
}

/// Runs the command: starts the app and returns.
pub fn run(args: Open) -> Result<Exit, Failure> {
    let store = args.store.map(|store| {
        // Opened here first, so that what is wrong with it is said where the command was given.
        Log::explore(&store)?;
        std::path::absolute(&store).map_err(|error| Failure::file(&store, &error))
    });
    let store = store.transpose()?;
    let program = find().ok_or_else(|| {
        Failure::new(Code::NotFound, format!("the desktop app {PROGRAM} was not found"))
            .hint("it is looked for beside this program and on PATH; in the source folder, cargo xtask run builds and starts it")
    })?;
    if cfg!(target_os = "linux") && !has_display() {
        return Err(Failure::new(
            Code::Io,
            "there is no display to open a window on (neither DISPLAY nor WAYLAND_DISPLAY is set)",
        )
        .hint("annals info, streams, events and state show the same in the terminal"));
    }
    Command::new(&program)
        .args(store)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| Failure::file(&program, &error))?;
    Ok(Exit::Done)
}

fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// The app beside this program, else on PATH.
fn find() -> Option<PathBuf> {
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_path_buf));
    let path = std::env::var_os("PATH").unwrap_or_default();
    beside
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(&name))
        .find(|program| program.is_file())
}
