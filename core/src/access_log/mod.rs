//! Who looked: one line for each command, export, report and settled view of a log, with who asked what and why.
//!
//! It is not the log. The log says who *acted* in the data; this says who *looked* at it. It is a file of JSON Lines
//! in the user's own data folder, in a folder named by the log's id, and each line holds the SHA-256 of the one
//! before: a line that was changed, taken out or put in between is found, and so is a tail cut off as long as the
//! file beside it, which says where the last line ends, is there. `docs/access-log.md` draws it byte by byte.
//!
//! Left out: what was answered, and payloads that a question holds.

mod check;
mod file;

pub use check::{AccessFault, AccessFaultKind, AccessLogView, Noted, check};
pub use file::AccessLog;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ts_rs::TS;

use crate::id::LogId;
use crate::integrity::Hash;
use crate::position::Position;
use crate::surroundings::OsUser;
use crate::time::Time;

/// First bytes of what stands for the line before the first one.
const ORIGIN: &[u8] = b"annals-access-log/1\n";

/// Longest value of a question that is kept whole, in bytes. A cut one ends with how long it was.
const MAX_VALUE_BYTES: usize = 4 << 10;

/// What kind of look it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum LookKind {
    /// A command of the command line.
    Command,
    /// A view of the app that stayed.
    View,
    /// Events written to a file.
    Export,
    /// A report or an evidence package.
    Report,
}

/// What is to be written down before an answer is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Who asks, as the system knows them.
    pub user: OsUser,
    /// Why, in the user's own words.
    pub purpose: Option<String>,
    /// Which program asks, with its version.
    pub program: String,
    /// What kind of look it is.
    pub kind: LookKind,
    /// What is asked: the command, or the view.
    pub action: String,
    /// With what: names and values as the user gave them (stream, filters, as-of), in order.
    pub asked: Vec<(String, Vec<String>)>,
    /// How many events the log had.
    pub size: Position,
}

/// One line of an access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct AccessEntry {
    /// Its number: first is 1, dense.
    #[ts(type = "number")]
    pub n: u64,
    /// When it was written, before the answer; UTC.
    pub at: Time,
    /// Login name of who looked. Not the actor of an event: that is who acted in the data.
    pub user: String,
    /// Their number, where the system has numbers for users.
    pub uid: Option<u32>,
    /// Why, in their own words.
    pub purpose: Option<String>,
    /// Program and version.
    pub program: String,
    /// What kind of look it was.
    pub kind: LookKind,
    /// The command, or the view.
    pub action: String,
    /// What was asked: names and values as they were given, in order.
    pub asked: Vec<(String, Vec<String>)>,
    /// Number of events that the log had.
    pub size: Position,
    /// SHA-256 of the line before, without its end; of the origin and the log's id for the first.
    pub prev: Hash,
}

/// Where a look was written down: what a report prints of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum AccessState {
    /// It is in the access log.
    Logged {
        /// Number of its line.
        #[ts(type = "number")]
        entry: u64,
        /// SHA-256 of its line: with it, `annals access-log --against` finds a log that was cut or written anew.
        hash: Hash,
    },
    /// The user asked for none (`--no-access-log`).
    Off,
}

/// Why a look could not be written down, or an access log not be read.
#[derive(Debug, thiserror::Error)]
pub enum AccessLogError {
    /// The file or its folder could not be used.
    #[error("the access log {path} could not be used: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another program holds it for longer than a line takes to write.
    #[error("the access log {path} is held by another program")]
    Locked {
        /// The file.
        path: PathBuf,
    },
}

/// Returns what stands for the line before the first.
fn origin(log: LogId) -> Hash {
    let digest = Sha256::new()
        .chain_update(ORIGIN)
        .chain_update(log.0.to_string());
    Hash(digest.finalize().into())
}

fn hash_line(line: &[u8]) -> Hash {
    Hash(Sha256::digest(line).into())
}

/// A value as it is kept: whole, or its beginning and how long it was.
fn kept(value: &str) -> String {
    if value.len() <= MAX_VALUE_BYTES {
        return value.to_owned();
    }
    let mut end = MAX_VALUE_BYTES;
    while !value.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}… ({} bytes)", &value[..end], value.len())
}

#[cfg(test)]
mod tests;
