//! `custody.jsonl`: who had the package, up to when it was signed.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::evidence::verify::{Findings, sha256};
use crate::evidence::view::EvidenceFindingKind as Kind;
use crate::integrity::Hash;
use crate::time::Time;

/// What happened to a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum CustodyStep {
    /// Its rows were read from the log.
    Created,
    /// Somebody looked at them.
    Reviewed,
    /// It was written as a file.
    Exported,
    /// Somebody got it.
    HandedTo,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustodyEntry {
    /// When.
    pub at: Time,
    /// What.
    pub what: CustodyStep,
    /// By whom, or to whom.
    #[serde(deserialize_with = "super::manifest::required")]
    pub who: Option<String>,
    /// Anything to say about it.
    #[serde(deserialize_with = "super::manifest::required")]
    pub note: Option<String>,
    /// SHA-256 of the line before with its newline.
    #[serde(deserialize_with = "super::manifest::required")]
    pub previous: Option<Hash>,
}

/// Writes the log; `previous` of the entries is filled here.
pub(super) fn write(entries: Vec<CustodyEntry>) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut previous = None;
    for entry in entries {
        let mut line = serde_json::to_vec(&CustodyEntry { previous, ..entry })?;
        line.push(b'\n');
        previous = Some(sha256(&line));
        out.extend_from_slice(&line);
    }
    Ok(out)
}

pub(super) fn check(bytes: Option<&Vec<u8>>, findings: &mut Findings) {
    let Some(bytes) = bytes else { return };
    let mut before: Option<(Time, Hash)> = None;
    let mut lines = 0;
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        lines += 1;
        let entry: CustodyEntry = match serde_json::from_slice(line) {
            Ok(entry) => entry,
            Err(error) => {
                let detail = format!("line {lines} of the custody log cannot be read: {error}");
                findings.wrong(Kind::CustodyBroken, detail);
                return;
            }
        };
        let follows = entry.previous == before.map(|(_, hash)| hash)
            && before.is_none_or(|(at, _)| at <= entry.at);
        if !follows {
            let detail = format!("line {lines} of the custody log does not follow the one before");
            findings.wrong(Kind::CustodyBroken, detail);
        }
        before = Some((entry.at, sha256(line)));
    }
    findings
        .checked
        .push(format!("the custody log, {lines} entries"));
}
