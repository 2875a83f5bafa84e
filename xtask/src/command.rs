//! Running other programs, and where things lie.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A task's outcome; the error is a sentence for the user.
pub type Outcome<T = ()> = Result<T, String>;

/// Folder of the project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask lies in the project's folder")
}

/// Folder that cargo builds into, wherever the user has put it: this program lies in it.
pub fn target_folder() -> Outcome<PathBuf> {
    let here = std::env::current_exe().map_err(|e| format!("where is this program? {e}"))?;
    let target = here.ancestors().nth(2).map(Path::to_path_buf);
    target.ok_or_else(|| format!("{} does not lie in a target folder", here.display()))
}

/// Path of a program of this project, as built by `cargo build`.
pub fn program(name: &str) -> Outcome<PathBuf> {
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Ok(target_folder()?.join("debug").join(file))
}

/// Cargo, in the project's folder.
pub fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(arguments);
    command
}

/// npm, in the UI's folder.
pub fn npm(arguments: &[&str]) -> Command {
    // npm is a script on Windows, which only the shell finds.
    let mut command = if cfg!(windows) {
        let mut shell = Command::new("cmd");
        shell.args(["/c", "npm"]);
        shell
    } else {
        Command::new("npm")
    };
    command.current_dir(root().join("ui")).args(arguments);
    command
}

/// Says what comes next.
pub fn step(what: &str) {
    println!("\n== {what}");
}

/// Runs a program to its end.
pub fn run(command: &mut Command) -> Outcome {
    let status = command
        .stdin(Stdio::null())
        .status()
        .map_err(|error| format!("{} could not be started: {error}", line(command)))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("{} ended with {status}", line(command))),
    }
}

/// Runs a program to its end, shows its standard output and hands each line of it to `each`. Returns
/// whether it succeeded.
pub fn run_reading(command: &mut Command, mut each: impl FnMut(&str)) -> Outcome<bool> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{} could not be started: {error}", line(command)))?;
    let output = child.stdout.take().expect("its standard output is piped");
    let mut output = BufReader::new(output);
    let mut bytes = Vec::new();
    while matches!(output.read_until(b'\n', &mut bytes), Ok(n) if n > 0) {
        let text = String::from_utf8_lossy(&bytes);
        print!("{text}");
        each(text.trim_end());
        bytes.clear();
    }
    let status = child
        .wait()
        .map_err(|e| format!("{}: {e}", line(command)))?;
    Ok(status.success())
}

/// Runs a program and returns what it prints; `None` if it is not there or fails.
pub fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether a program is on the path.
pub fn on_path(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(program).is_file())
}

/// A command as a user would type it.
pub fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}
