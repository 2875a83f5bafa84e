//! Runs the built `annals` in an empty folder and a clean environment.

// Each test binary uses a part of this module.
#![allow(dead_code)]

pub mod known;
pub mod transcript;
pub mod zip;

use std::path::Path;
use std::process::{Command, Stdio};

/// What one run of `annals` did.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Run {
    /// Standard output as one JSON document.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: not one JSON document: {self:?}"))
    }
}

/// A folder of its own to run in; every path on the command line is relative to it.
pub struct Sandbox {
    folder: tempfile::TempDir,
    /// The user's data folder: access logs.
    data: tempfile::TempDir,
}

impl Sandbox {
    pub fn new() -> Sandbox {
        Sandbox {
            folder: tempfile::tempdir().unwrap(),
            data: tempfile::tempdir().unwrap(),
        }
    }

    /// Where access logs go.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let file = self.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }

    /// `annals` with nothing of this process's environment, to be given arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_annals"));
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("ANNALS_DATA_DIR", self.data())
            .stdin(Stdio::null());
        command
    }

    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, args: &[S]) -> Run {
        let output = self.command().args(args).output().unwrap();
        Run {
            code: output.status.code().expect("ended by itself"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs with `--json`, expects success and returns the document.
    pub fn json(&self, args: &[&str]) -> serde_json::Value {
        let run = self.run(&[args, &["--json"]].concat());
        assert_eq!(run.code, 0, "annals {args:?}: {}", run.stderr);
        run.json()
    }
}
