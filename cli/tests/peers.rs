//! Other people's code reads what Annals writes: Go's `golang.org/x/mod/sumdb`, where Go is installed and has the module
//! already. Nothing is fetched; where one is not there the test says that it was skipped.
//!
//! To have it: `go mod download golang.org/x/mod@v0.29.0` in any module.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::io::Write;
use std::path::Path;
use std::process::Command;

use support::Sandbox;

const MODULE: &str = "module peers\n\ngo 1.24.0\n\nrequire golang.org/x/mod v0.29.0\n";
const SUM: &str = include_str!("peers/go.sum");
const CHECK: &str = include_str!("peers/check.go");

/// Builds the checker; `None` where Go or its module is not there.
fn checker(folder: &Path) -> Option<std::path::PathBuf> {
    let go = ["go", "/usr/local/go/bin/go"]
        .into_iter()
        .find(|go| Command::new(go).arg("version").output().is_ok())?;
    for (name, text) in [("go.mod", MODULE), ("go.sum", SUM), ("check.go", CHECK)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let built = Command::new(go)
        .args(["build", "-o", "check", "."])
        .current_dir(folder)
        .env("GOFLAGS", "-mod=mod")
        .env("GOPROXY", "off")
        .env("GOTOOLCHAIN", "local")
        .output()
        .unwrap();
    if !built.status.success() {
        let text = String::from_utf8_lossy(&built.stderr).into_owned();
        assert!(
            text.contains("GOPROXY=off"),
            "the checker does not build: {text}"
        );
        return None;
    }
    Some(folder.join("check"))
}

#[test]
fn go_reads_checkpoints_and_proofs_and_refuses_changed_ones() {
    let folder = tempfile::tempdir().unwrap();
    let Some(checker) = checker(folder.path()) else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: Go or its module golang.org/x/mod is not here"
        );
        return;
    };
    let sandbox = Sandbox::new();
    let done = |args: &[&str]| {
        let run = sandbox.run(args);
        assert_eq!(run.code, 0, "{args:?}: {}", run.stderr);
        run.stdout
    };
    done(&["sample", "shop", "--events", "900", "--out", "shop.annals"]);
    done(&[
        "checkpoint",
        "shop.annals",
        "--unprotected",
        "--out",
        "head.note",
    ]);
    sandbox.write("log.key", done(&["key", "export", "shop.annals"]));
    let check = |proof: &str| {
        let answer = Command::new(&checker)
            .args(["log.key", "head.note", proof])
            .current_dir(sandbox.path())
            .output()
            .unwrap();
        (
            answer.status.success(),
            String::from_utf8_lossy(&answer.stdout).into_owned(),
        )
    };
    for position in ["1", "256", "257", "900"] {
        let out = format!("{position}.tlog-proof");
        done(&["prove", "shop.annals", position, "--out", &out]);
        let (good, said) = check(&out);
        assert!(good, "{position}: {said}");
        let text = std::fs::read_to_string(sandbox.path().join(&out)).unwrap();
        let index: u64 = position.parse::<u64>().unwrap() - 1;
        let other = (index + 1).to_string();
        sandbox.write(
            "bad",
            text.replace(&format!("index {index}\n"), &format!("index {other}\n")),
        );
        assert!(!check("bad").0, "another index than {index}");
    }
}
