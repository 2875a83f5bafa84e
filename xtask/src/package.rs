//! Packages: .deb and .rpm with the app, the command line, the file type and the documentation.
//!
//! Tauri's bundler lays them out. It comes from npm into the target folder, so that nobody who only builds or
//! tests needs it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{Outcome, cargo, output, root, run, step, target_folder};
use crate::setup::{Needs, prepare};

/// The bundler, to the digit, for the same packages from the same source.
const BUNDLER: &str = "@tauri-apps/cli@2.12.5";

/// `cargo xtask package [--debug]`: `--debug` packs the unoptimised programs, to look at packages without the
/// long wait.
pub fn package(rest: &[&str]) -> Outcome {
    let debug = match rest {
        [] => false,
        ["--debug"] => true,
        _ => return Err("package takes nothing or --debug".to_owned()),
    };
    prepare(Needs::Build)?;
    step("building the programs");
    let mut build = cargo(&["build", "--locked"]);
    build.args(["--package", "annals-desktop", "--package", "annals-cli"]);
    if !debug {
        build.arg("--release");
    }
    run(&mut build)?;
    let profile = if debug { "debug" } else { "release" };
    let built = target_folder()?.join(profile);
    let bundler = bundler()?;
    let folder = target_folder()?.join("package");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let config = folder.join("bundle.json");
    let files = files(&built)?;
    let text = format!(
        r#"{{"bundle":{{"linux":{{"deb":{{"files":{files}}},"rpm":{{"files":{files}}}}}}}}}"#
    );
    std::fs::write(&config, text).map_err(|e| format!("{}: {e}", config.display()))?;
    step("packing");
    let mut bundle = Command::new(bundler);
    bundle.current_dir(root()).arg("bundle");
    if debug {
        bundle.arg("--debug");
    }
    if cfg!(target_os = "linux") {
        bundle.args(["--bundles", "deb,rpm"]);
    }
    bundle.arg("--config").arg(&config).env("CI", "true");
    let time = source_time();
    run(bundle.env("SOURCE_DATE_EPOCH", &time))?;
    for package in packages(&built.join("bundle"))? {
        if package.extension().is_some_and(|ending| ending == "deb") {
            repack(&package, &folder, &time)?;
        }
        println!("{}", package.display());
    }
    Ok(())
}

/// Packs a .deb again with Debian's own tool, where it is there: smaller, and the same bytes from the same
/// programs, since no file is newer than `time`.
fn repack(package: &Path, folder: &Path, time: &str) -> Outcome {
    if output("dpkg-deb", &["--version"]).is_none() {
        return Ok(());
    }
    let unpacked = folder.join("deb");
    let _ = std::fs::remove_dir_all(&unpacked);
    let mut unpack = Command::new("dpkg-deb");
    run(unpack.arg("--raw-extract").arg(package).arg(&unpacked))?;
    let mut pack = Command::new("dpkg-deb");
    pack.env("SOURCE_DATE_EPOCH", time);
    // xz says nothing of the machine only where it uses one thread.
    pack.args(["--root-owner-group", "-Zxz", "--threads-max=1", "--build"]);
    run(pack.arg(&unpacked).arg(package))
}

/// Seconds since 1970 of the source: what the environment says, else the last commit.
fn source_time() -> String {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .or_else(|| output("git", &["log", "-1", "--format=%ct"]))
        .map_or_else(|| "0".to_owned(), |time| time.trim().to_owned())
}

/// Installs the bundler into the target folder, if it is not there; returns its path.
fn bundler() -> Outcome<PathBuf> {
    let folder = target_folder()?
        .join("package-tools")
        .join(BUNDLER.replace('/', "-"));
    let name = if cfg!(windows) { "tauri.cmd" } else { "tauri" };
    let program = folder.join("node_modules/.bin").join(name);
    if !program.exists() {
        step("fetching Tauri's bundler");
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut npm = crate::command::npm(&[
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
        ]);
        run(npm.arg(&folder).arg(BUNDLER).current_dir(&folder))?;
    }
    Ok(program)
}

/// What goes into the packages beside the app, as a JSON object: path in the system, path here.
fn files(built: &Path) -> Outcome<String> {
    let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut put = |to: &str, from: PathBuf| files.insert(to.to_owned(), from);
    put("/usr/bin/annals", built.join("annals"));
    put(
        "/usr/share/man/man1/annals.1",
        root().join("packaging/annals.1"),
    );
    put(
        "/usr/share/mime/packages/annals.xml",
        root().join("packaging/annals-mime.xml"),
    );
    put(
        "/usr/share/doc/annals/copyright",
        root().join("packaging/copyright"),
    );
    for name in ["LICENSE-MIT", "LICENSE-APACHE", "README.md", "CHANGELOG.md"] {
        put(&format!("/usr/share/doc/annals/{name}"), root().join(name));
    }
    // They link to each other: all of them, and none of what is for those who change Annals.
    for document in documents()? {
        let name = document.file_name().unwrap_or_default().to_string_lossy();
        put(
            &format!("/usr/share/doc/annals/docs/{name}"),
            document.clone(),
        );
    }
    let mut pairs = Vec::new();
    for (to, from) in files {
        if !from.is_file() {
            return Err(format!("{} is not there", from.display()));
        }
        pairs.push(format!("{to:?}:{:?}", from.display().to_string()));
    }
    Ok(format!("{{{}}}", pairs.join(",")))
}

/// The pages right in `docs/`, by name.
fn documents() -> Outcome<Vec<PathBuf>> {
    let folder = root().join("docs");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut pages = Vec::new();
    for entry in entries {
        let page = entry
            .map_err(|e| format!("{}: {e}", folder.display()))?
            .path();
        if page.extension().is_some_and(|ending| ending == "md") {
            pages.push(page);
        }
    }
    pages.sort();
    Ok(pages)
}

/// Packages below a folder, by name.
fn packages(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            std::fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        for entry in entries {
            let path = entry
                .map_err(|e| format!("{}: {e}", folder.display()))?
                .path();
            let is_package = ["deb", "rpm", "exe", "dmg"]
                .iter()
                .any(|ending| path.extension().is_some_and(|e| e == *ending));
            if is_package {
                found.push(path);
            } else if path
                .file_name()
                .is_some_and(|n| n == "deb" || n == "rpm" || n == "nsis" || n == "dmg")
            {
                folders.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
