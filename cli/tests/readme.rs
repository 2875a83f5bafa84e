//! Every `annals` command in the README runs, in order, in an empty folder.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![cfg(unix)]

mod support;

use support::Sandbox;

/// The lines of all fenced `sh` blocks, without prompts and comments.
fn shell_lines(markdown: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut in_block = false;
    for line in markdown.lines() {
        match line.trim() {
            "```sh" => in_block = true,
            "```" => in_block = false,
            "" => {}
            line if in_block && !line.starts_with('#') => {
                lines.push(line.strip_prefix("$ ").unwrap_or(line).to_owned());
            }
            _ => {}
        }
    }
    lines
}

#[test]
fn every_command_in_the_readme_runs() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
    let lines = shell_lines(&std::fs::read_to_string(readme).unwrap());
    let sandbox = Sandbox::new();
    let annals = std::path::Path::new(env!("CARGO_BIN_EXE_annals"));
    let path = format!("{}:/usr/bin:/bin", annals.parent().unwrap().display());
    let mut ran = 0;
    for line in lines {
        if line.starts_with("cargo ") || line.starts_with("annals open") {
            // What builds the project or opens a window is tested by xtask and in the real window.
            continue;
        }
        assert!(line.starts_with("annals "), "not a command of ours: {line}");
        let output = std::process::Command::new("/bin/sh")
            .args(["-c", &line])
            .current_dir(sandbox.path())
            .env_clear()
            .env("PATH", &path)
            .env("HOME", sandbox.path())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{line}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        ran += 1;
    }
    assert!(ran > 0, "the README shows no command in a sh block");
}
