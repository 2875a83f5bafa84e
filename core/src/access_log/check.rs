//! Reading an access log and following its chain from the first line to the last.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use std::collections::VecDeque;

use serde::Serialize;
use ts_rs::TS;

use super::{AccessEntry, AccessLog, AccessLogError, hash_line, origin};
use crate::id::LogId;
use crate::integrity::Hash;
use crate::time::Time;

/// Longest line that is read, in bytes. The writer's are shorter.
const MAX_LINE_BYTES: u64 = 16 << 20;

/// Most faults that are listed; the others are counted.
const MAX_FAULTS: usize = 100;

/// What is wrong with an access log at one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum AccessFaultKind {
    /// A line is not the one that the next line, or the file beside, was chained to.
    Changed,
    /// Lines are missing between two.
    Missing,
    /// Lines stand where none should: put in, doubled, or from elsewhere.
    Inserted,
    /// Lines are missing at the end.
    CutOff,
    /// A line cannot be read: a crash while it was written, or a change.
    Unreadable,
    /// The file that says where the last line ends is missing or says nothing.
    NoHead,
    /// A line is older than the one before: the clock was set back, or a change.
    TimeRunsBackwards,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AccessFault {
    /// What it is.
    pub kind: AccessFaultKind,
    /// Line of the file where it shows, first is 1.
    #[ts(type = "number")]
    pub line: u64,
    /// One sentence for the reader.
    pub detail: String,
}

/// An access log and whether its chain holds: `annals access-log --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AccessLogView {
    /// The log that was looked at.
    pub log: LogId,
    /// The file.
    pub file: String,
    /// Lines in it.
    #[ts(type = "number")]
    pub lines: u64,
    /// Number of the last line, as the line says it; 0 where there is none.
    #[ts(type = "number")]
    pub last: u64,
    /// SHA-256 of the last line.
    pub head: Hash,
    /// No fault was found.
    pub intact: bool,
    /// What is wrong, in order of the file; at most 100.
    pub faults: Vec<AccessFault>,
    /// Number of faults.
    #[ts(type = "number")]
    pub faults_count: u64,
    /// What this cannot find, in sentences.
    pub not_checked: Vec<String>,
    /// The last entries that were asked for, oldest first.
    pub entries: Vec<AccessEntry>,
}

/// An entry and its hash, noted elsewhere (a report prints them).
pub type Noted = (u64, Hash);

/// Reads an access log, follows its chain, and returns the last `last` entries. `against` is a line that was noted
/// elsewhere: the file must hold it. A log that nobody has looked at has an empty one.
///
/// # Errors
/// [`AccessLogError`] where the file is there and cannot be read.
pub fn check(
    log: &AccessLog,
    against: Option<Noted>,
    last: usize,
) -> Result<AccessLogView, AccessLogError> {
    let read = || -> std::io::Result<AccessLogView> {
        let head = log.head()?;
        let mut chain = Chain {
            log: log.log(),
            hash: origin(log.log()),
            n: 0,
            line: 0,
            at: None,
            faults: Vec::new(),
            faults_count: 0,
            wanted: [head.map(|tail| (tail.n, tail.hash)), against],
            seen: [false; 2],
            entries: VecDeque::new(),
            last,
        };
        match File::open(log.path()) {
            Ok(file) => chain.follow(file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        chain.hold_against_notes();
        if head.is_none() && chain.line > 0 {
            chain.fault(AccessFaultKind::NoHead, "the file beside it that says where the last entry ends is missing or spoilt, so lines cut off at the end would not show".to_owned());
        }
        Ok(AccessLogView {
            log: log.log(),
            file: log.path().display().to_string(),
            lines: chain.line,
            last: chain.n,
            head: chain.hash,
            intact: chain.faults_count == 0,
            faults: chain.faults,
            faults_count: chain.faults_count,
            not_checked: not_checked(against.is_some()),
            entries: chain.entries.into(),
        })
    };
    read().map_err(|source| log.io(source))
}

fn not_checked(is_against: bool) -> Vec<String> {
    let mut all = Vec::new();
    if !is_against {
        all.push("no entry noted elsewhere was given (--against N:HASH, as reports print them), so an access log written anew as a whole, with the file beside it, would not show".to_owned());
    }
    all.push("looks with --no-access-log, with another program, on a copy of the file, by another user or on another machine are not in it".to_owned());
    all.push("the user is who the system said was running the program; purposes are the user's own words".to_owned());
    all
}

struct Chain {
    log: LogId,
    /// Of the line before.
    hash: Hash,
    /// Number of the line before.
    n: u64,
    line: u64,
    at: Option<Time>,
    faults: Vec<AccessFault>,
    faults_count: u64,
    /// Lines that must be there: from the file beside, and from the user.
    wanted: [Option<Noted>; 2],
    seen: [bool; 2],
    entries: VecDeque<AccessEntry>,
    last: usize,
}

impl Chain {
    fn fault(&mut self, kind: AccessFaultKind, detail: String) {
        self.faults_count += 1;
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(AccessFault {
                kind,
                line: self.line,
                detail,
            });
        }
    }

    fn follow(&mut self, file: File) -> std::io::Result<()> {
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        loop {
            line.clear();
            let len = reader
                .by_ref()
                .take(MAX_LINE_BYTES)
                .read_until(b'\n', &mut line)?;
            if len == 0 {
                return Ok(());
            }
            self.line += 1;
            let ended = line.last() == Some(&b'\n');
            if ended {
                line.pop();
            }
            self.take(&line, ended);
        }
    }

    fn take(&mut self, line: &[u8], ended: bool) {
        let hash = hash_line(line);
        match serde_json::from_slice::<AccessEntry>(line) {
            Ok(entry) => {
                if !ended {
                    self.fault(
                        AccessFaultKind::Unreadable,
                        format!("the line of entry {} has no end", entry.n),
                    );
                }
                self.hold(&entry);
                self.n = entry.n;
                if self.at.is_some_and(|at| entry.at < at) {
                    self.fault(
                        AccessFaultKind::TimeRunsBackwards,
                        format!(
                            "entry {} says {}, which is before the entry before it",
                            entry.n, entry.at
                        ),
                    );
                }
                self.at = Some(entry.at);
                if self.last > 0 {
                    if self.entries.len() == self.last {
                        self.entries.pop_front();
                    }
                    self.entries.push_back(entry);
                }
            }
            Err(error) => {
                self.n += 1;
                let what = if ended {
                    "a crash or a full disk while it was written, or a change"
                } else {
                    "its end is missing"
                };
                self.fault(
                    AccessFaultKind::Unreadable,
                    format!("this line is no entry ({error}): {what}"),
                );
            }
        }
        self.hash = hash;
        for (wanted, seen) in self.wanted.iter().zip(&mut self.seen) {
            *seen |= *wanted == Some((self.n, hash));
        }
    }

    /// Holds an entry against the line before it.
    fn hold(&mut self, entry: &AccessEntry) {
        let next = self.n + 1;
        if entry.prev == self.hash && entry.n == next {
            return;
        }
        let before = self.n;
        if entry.n > next {
            let missing = match entry.n - next {
                1 => format!("entry {next} is missing"),
                _ => format!("entries {next} to {} are missing", entry.n - 1),
            };
            self.fault(AccessFaultKind::Missing, missing);
        } else if entry.n < next {
            self.fault(
                AccessFaultKind::Inserted,
                format!(
                    "entry {} comes after entry {before}: lines were put in, doubled or moved",
                    entry.n
                ),
            );
        } else if before == 0 {
            let log = self.log;
            self.fault(
                AccessFaultKind::Changed,
                format!("the first entry does not begin the access log of {log}: it is another log's, or lines before it are gone"),
            );
        } else {
            self.fault(
                AccessFaultKind::Changed,
                format!(
                    "entry {before} is not what it was when entry {} was written",
                    entry.n
                ),
            );
        }
    }

    /// Holds the last line against what the file beside says, and the lines against the one noted elsewhere.
    fn hold_against_notes(&mut self) {
        let says = [
            "the file beside it says",
            "the entry that was noted elsewhere says",
        ];
        for (at, says) in says.into_iter().enumerate() {
            let (Some((n, hash)), false) = (self.wanted[at], self.seen[at]) else {
                continue;
            };
            if n > self.n {
                let last = self.n;
                let detail = format!(
                    "{says} that there were {n} entries; the last one here is {last}: the end was cut off"
                );
                self.fault(AccessFaultKind::CutOff, detail);
            } else {
                let detail = format!(
                    "{says} that entry {n} has the hash {hash}; no entry here has that number and hash: it was changed, or the access log written anew"
                );
                self.fault(AccessFaultKind::Changed, detail);
            }
        }
    }
}
