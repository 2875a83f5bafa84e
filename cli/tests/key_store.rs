//! The passphrase of a log's key in the key store of the system, through the command line. The store is a program that
//! is spoken to like `secret-tool`; where gnome-keyring and a bus are there, the real one as well.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use support::Sandbox;

/// A folder with a `secret-tool` that keeps each secret in a file named by the last word of the arguments.
fn tool(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.path().join("bin");
    std::fs::create_dir(&folder).unwrap();
    let program = folder.join("secret-tool");
    let script = "#!/bin/sh\nverb=$1\nfor last; do :; done\nfile=\"$(dirname \"$0\")/$(basename \"$last\")\"\n\
        case $verb in\nstore) cat > \"$file\";;\nlookup) [ -e \"$file\" ] && cat \"$file\";;\nesac\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    folder
}

fn run(mut command: Command, args: &[&str]) -> Output {
    command.args(args).output().unwrap()
}

/// Runs the command with a key store, or with one that cannot be asked.
fn annals(sandbox: &Sandbox, tools: Option<&PathBuf>, args: &[&str]) -> Output {
    let mut command = sandbox.command();
    let none = sandbox.path().join("none");
    let mut path = tools.unwrap_or(&none).clone().into_os_string();
    if tools.is_some() {
        path.push(":/usr/bin:/bin");
    }
    command.env("PATH", path);
    run(command, args)
}

const SIGN: [&str; 2] = ["checkpoint", "guide.annals"];

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

#[test]
fn a_key_is_made_and_opened_by_what_the_key_store_keeps() {
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox
            .run(&["sample", "guide", "--out", "guide.annals"])
            .code,
        0
    );
    let tools = tool(&sandbox);
    let made = annals(
        &sandbox,
        Some(&tools),
        &[&SIGN[..], &["--key-store"]].concat(),
    );
    assert!(made.status.success(), "{}", told(&made));
    let shown = annals(&sandbox, None, &["key", "show", "guide.annals"]);
    assert!(
        told(&shown).contains("protected by a passphrase"),
        "{}",
        told(&shown)
    );
    // It is found without being told.
    let again = annals(&sandbox, Some(&tools), &SIGN);
    assert!(again.status.success(), "{}", told(&again));
    // Without the key store the passphrase is asked for.
    let without = annals(&sandbox, None, &SIGN);
    assert_eq!(without.status.code(), Some(1));
    assert!(
        told(&without).contains("--passphrase-file"),
        "{}",
        told(&without)
    );
    let without = annals(&sandbox, None, &[&SIGN[..], &["--key-store"]].concat());
    let said = told(&without);
    assert!(said.contains("no key store that can be asked"), "{said}");
    assert!(said.contains("--passphrase-file"), "{said}");
}

#[test]
fn a_passphrase_that_opened_the_key_is_put_into_the_key_store() {
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox
            .run(&["sample", "guide", "--out", "guide.annals"])
            .code,
        0
    );
    sandbox.write("secret", "correct horse\n");
    sandbox.write("wrong", "battery staple\n");
    let tools = tool(&sandbox);
    let by = |file: &'static str| [&SIGN[..], &["--passphrase-file", file]].concat();
    assert!(
        annals(&sandbox, Some(&tools), &by("secret"))
            .status
            .success()
    );
    let unknown = annals(
        &sandbox,
        Some(&tools),
        &[&SIGN[..], &["--key-store"]].concat(),
    );
    assert!(
        told(&unknown).contains("keeps no passphrase"),
        "{}",
        told(&unknown)
    );
    let wrong = annals(
        &sandbox,
        Some(&tools),
        &[&by("wrong")[..], &["--key-store"]].concat(),
    );
    assert_eq!(wrong.status.code(), Some(1));
    let unknown = annals(&sandbox, Some(&tools), &SIGN);
    assert_eq!(unknown.status.code(), Some(1), "a wrong one is not kept");
    let right = annals(
        &sandbox,
        Some(&tools),
        &[&by("secret")[..], &["--key-store"]].concat(),
    );
    assert!(right.status.success(), "{}", told(&right));
    let again = annals(&sandbox, Some(&tools), &SIGN);
    assert!(again.status.success(), "{}", told(&again));
}

#[test]
fn the_secret_service_keeps_it() {
    let there = |program: &str| {
        let mut command = Command::new("which");
        command
            .arg(program)
            .output()
            .is_ok_and(|found| found.status.success())
    };
    let needed = ["dbus-run-session", "gnome-keyring-daemon", "secret-tool"];
    if let Some(missing) = needed.into_iter().find(|program| !there(program)) {
        let mut out = std::io::stderr();
        let _ = std::io::Write::write_all(
            &mut out,
            format!("skipped: there is no {missing}\n").as_bytes(),
        );
        return;
    }
    let sandbox = Sandbox::new();
    assert_eq!(
        sandbox
            .run(&["sample", "guide", "--out", "guide.annals"])
            .code,
        0
    );
    let ours = sandbox.command();
    let mut command = Command::new("dbus-run-session");
    command.current_dir(sandbox.path());
    for (name, value) in ours.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", sandbox.path());
    command
        .env("XDG_RUNTIME_DIR", sandbox.path())
        .env("XDG_DATA_HOME", sandbox.path());
    let script = "printf pw | gnome-keyring-daemon --unlock --components=secrets > /dev/null 2>&1\n\
        \"$0\" checkpoint guide.annals --key-store && \"$0\" checkpoint guide.annals";
    let program = ours.get_program().to_os_string();
    command.args(["--", "/bin/sh", "-c", script]).arg(program);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
    assert_eq!(
        told(&output)
            .matches("checkpoint 1, signed by key 1")
            .count(),
        2
    );
}
