//! The page in the package against the verifier here: two programs that share no code must find the same.

use std::io::Write;
use std::path::Path;
use std::process::Command;

use super::*;

/// Packages, each with what the verifier here said.
#[derive(Default)]
pub(super) struct Packages {
    list: Vec<(String, Vec<u8>, EvidenceVerification)>,
}

impl Packages {
    pub(super) fn add(&mut self, name: &str, bytes: &[u8], answer: &EvidenceVerification) {
        self.list
            .push((name.to_owned(), bytes.to_vec(), answer.clone()));
    }

    pub(super) fn count(&self) -> usize {
        self.list.len()
    }

    /// Runs the page on all of them, in Node; says so where there is none.
    pub(super) fn agree(&self, log: &Log) {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes, _) in &self.list {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/evidence");
        let run = Command::new("node")
            .arg(here.join("tests/page.mjs"))
            .arg(here.join("verifier.html"))
            .arg(folder.path())
            .arg(key(log).verifying_key().to_string())
            .output();
        let Ok(run) = run else {
            let _ = writeln!(
                std::io::stderr(),
                "skipped: there is no node to run the page with"
            );
            return;
        };
        let errors = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "the page failed: {errors}");
        let page: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        for (name, _, ours) in &self.list {
            let theirs = &page[name];
            let ours = {
                let outcome = serde_json::to_value(ours.outcome).unwrap();
                let mut kinds: Vec<String> = kinds(ours)
                    .into_iter()
                    .map(|kind| {
                        serde_json::to_value(kind)
                            .unwrap()
                            .as_str()
                            .unwrap()
                            .to_owned()
                    })
                    .collect();
                kinds.sort();
                kinds.dedup();
                let unproven = ours.facts.as_ref().map(|facts| facts.unproven);
                serde_json::json!({"outcome": outcome, "kinds": kinds, "unproven": unproven})
            };
            assert_eq!(&ours, theirs, "{name}: here, and in the page");
        }
    }
}
