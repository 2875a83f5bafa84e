//! What must be there before anything is built: system packages, npm packages, the built UI.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use crate::command::{Outcome, npm, on_path, output, root, run, step};

/// What a task needs of the system beside Rust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// To build the desktop program.
    Build,
    /// To build it and to drive it on a display of its own.
    BuildAndDrive,
}

/// Makes sure that the system has what is needed, and that the UI is built.
pub fn prepare(needs: Needs) -> Outcome {
    system_packages(needs)?;
    node()?;
    npm_packages()?;
    build_ui()
}

/// A thing that the system must have, and the Debian package that brings it.
struct Requirement {
    there: fn() -> bool,
    package: &'static str,
}

const TO_BUILD: &[Requirement] = &[
    Requirement {
        there: || on_path("cc"),
        package: "build-essential",
    },
    Requirement {
        there: || on_path("pkg-config"),
        package: "pkg-config",
    },
    Requirement {
        there: || output("pkg-config", &["--exists", "webkit2gtk-4.1"]).is_some(),
        package: "libwebkit2gtk-4.1-dev",
    },
];
const TO_DRIVE: &[Requirement] = &[
    Requirement {
        there: || on_path("Xvfb"),
        package: "xvfb",
    },
    Requirement {
        there: || on_path("WebKitWebDriver"),
        package: "webkit2gtk-driver",
    },
];

fn system_packages(needs: Needs) -> Outcome {
    if !cfg!(target_os = "linux") {
        // Windows and macOS bring their web view.
        return match needs {
            Needs::Build => Ok(()),
            Needs::BuildAndDrive => {
                Err("the real window can only be driven on Linux; `cargo xtask test --fast` runs the other tests".into())
            }
        };
    }
    let to_drive = match needs {
        Needs::Build => &[],
        Needs::BuildAndDrive => TO_DRIVE,
    };
    let missing: Vec<_> = TO_BUILD
        .iter()
        .chain(to_drive)
        .filter(|requirement| !(requirement.there)())
        .map(|requirement| requirement.package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    if !on_path("apt-get") {
        return Err(format!(
            "missing here: what Debian calls {names}. Install your system's packages of that kind and try again \
             (https://tauri.app/start/prerequisites/ lists their names)"
        ));
    }
    step(&format!("installing {names}"));
    apt(&["update"])?;
    let install = ["install", "--yes", "--no-install-recommends"];
    apt(&[&install[..], &missing[..]].concat())?;
    let still: Vec<_> = TO_BUILD
        .iter()
        .chain(to_drive)
        .filter(|requirement| !(requirement.there)())
        .map(|requirement| requirement.package)
        .collect();
    match still.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "installed {}, yet it does not work",
            still.join(" ")
        )),
    }
}

/// apt-get as root, waiting for another one that runs.
fn apt(arguments: &[&str]) -> Outcome {
    let is_root = output("id", &["-u"]).as_deref() == Some("0");
    let mut command = if is_root {
        Command::new("env")
    } else if on_path("sudo") {
        let mut sudo = Command::new("sudo");
        sudo.arg("env");
        sudo
    } else {
        return Err(format!("run as root: apt-get {}", arguments.join(" ")));
    };
    command
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"])
        .args(["-o", "DPkg::Lock::Timeout=300"])
        .args(arguments);
    let mut outcome = run(&mut command);
    // `update` takes a lock that the timeout does not cover.
    for _ in 0..20 {
        if outcome.is_ok() || arguments != ["update"] {
            break;
        }
        println!("apt-get update failed (another one may be running); once more in 15 s");
        std::thread::sleep(std::time::Duration::from_secs(15));
        outcome = run(&mut command);
    }
    outcome
}

fn node() -> Outcome {
    const WANTED: &str = "Node.js 20.19 or newer is needed (https://nodejs.org)";
    let found =
        output("node", &["--version"]).ok_or(format!("{WANTED}; there is none on the path"))?;
    match node_is_new_enough(&found) {
        true => Ok(()),
        false => Err(format!("{WANTED}; this is {found}")),
    }
}

fn node_is_new_enough(version: &str) -> bool {
    let mut numbers = version.trim_start_matches('v').split('.');
    let mut next = || numbers.next().and_then(|n| n.parse::<u32>().ok());
    match (next(), next()) {
        (Some(20), Some(minor)) => minor >= 19,
        (Some(major), _) => major > 20,
        (None, _) => false,
    }
}

/// Installs npm packages where the lock file is another than that of the last installation.
fn npm_packages() -> Outcome {
    let ui = root().join("ui");
    let lock = std::fs::read(ui.join("package-lock.json"))
        .map_err(|error| format!("ui/package-lock.json: {error}"))?;
    let installed = ui.join("node_modules/.installed-lock.json");
    if std::fs::read(&installed).is_ok_and(|last| last == lock) {
        return Ok(());
    }
    step("npm ci");
    run(&mut npm(&["ci", "--no-audit", "--no-fund"]))?;
    std::fs::write(&installed, lock).map_err(|error| format!("{}: {error}", installed.display()))
}

/// Builds the UI where something of it is newer than what was built last.
pub fn build_ui() -> Outcome {
    let ui = root().join("ui");
    let built = modified(&ui.join("dist/.built"));
    let sources = [
        "src",
        "index.html",
        "public",
        "package-lock.json",
        "vite.config.ts",
        "svelte.config.js",
        "tsconfig.json",
    ];
    let newest = sources
        .iter()
        .filter_map(|name| newest(&ui.join(name)))
        .max();
    if built.is_some() && newest <= built {
        return Ok(());
    }
    step("building the UI");
    run(&mut npm(&[
        "run",
        "--silent",
        "build",
        "--",
        "--logLevel",
        "warn",
    ]))?;
    std::fs::write(ui.join("dist/.built"), "").map_err(|error| format!("ui/dist/.built: {error}"))
}

fn modified(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().ok()?.modified().ok()
}

/// When anything in a folder changed last; a folder itself changes when something in it goes.
fn newest(path: &Path) -> Option<SystemTime> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let inside = entries.filter_map(|entry| newest(&entry.path()));
    inside.chain(modified(path)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_of_node_are_refused() {
        assert!(node_is_new_enough("v20.19.0") && node_is_new_enough("v22.1.0"));
        assert!(!node_is_new_enough("v20.18.9") && !node_is_new_enough("v18.20.0"));
        assert!(!node_is_new_enough("nonsense"));
    }
}
