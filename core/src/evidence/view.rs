//! What hosts show of packages: the wire types.

use serde::Serialize;
use ts_rs::TS;

use crate::evidence::manifest::{Counts, FileClaim, Filter, Made, Others, Scope, Sum, Withheld};
use crate::integrity::Hash;
use crate::integrity::timestamp::StampView;
use crate::position::Position;
use crate::store::verify::Grade;

/// What came of verifying a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "lowercase")]
pub enum EvidenceOutcome {
    /// Nothing is wrong with what was checked; what was not is said.
    Intact,
    /// Something is wrong.
    Problems,
    /// It is no package, is cut off, or is beyond the limits.
    Unreadable,
}

/// What a finding about a package is about. The wire name is the variant in `snake_case`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceFindingKind {
    /// It cannot be read as a package.
    Unreadable,
    /// The archive has what the archive of a package never has: bytes behind its end, a name twice, another path.
    Archive,
    /// A file is not what the manifest says.
    FileChanged,
    /// A file is missing.
    FileMissing,
    /// A file is not in the manifest.
    FileNotListed,
    /// The manifest is not what was signed.
    ManifestChanged,
    /// The manifest is not one of this format: a member is unknown, missing or there twice.
    ManifestMalformed,
    /// The manifest names an algorithm that packages do not use.
    OtherAlgorithm,
    /// A signature is missing, or not by the key that is named.
    BadSignature,
    /// It is signed by another key than those that were handed in.
    OtherKey,
    /// The checkpoint or the proof is another log's.
    OtherLog,
    /// The proof does not lead to the checkpoint's root.
    RootDiffers,
    /// Another checkpoint of the same log contradicts this one.
    SplitView,
    /// The proof cannot be read, or is not of the range that the manifest names.
    ProofMalformed,
    /// Something of an event is not what the log recorded.
    EventChanged,
    /// An event matches the filter and is no row.
    RowLeftOut,
    /// A row does not match the filter.
    RowDoesNotMatch,
    /// The rows are not those that the proof gives.
    RowsDiffer,
    /// The ordered ids are not those of the rows.
    IdsDiffer,
    /// A count is not that of the rows.
    CountDiffers,
    /// A control total is not that of the rows.
    TotalDiffers,
    /// The filter in words is not the filter.
    ReadingDiffers,
    /// A version of the stream is missing among the rows.
    VersionMissing,
    /// Two events have the same place in a stream.
    VersionTwice,
    /// An event was recorded before the one before it.
    TimeRunsBackwards,
    /// A time stamp is not of the package's checkpoint, or not by the authority that was named.
    TimestampDiffers,
    /// The custody log does not hold together.
    CustodyBroken,
    /// The log did not only grow since an earlier checkpoint.
    Inconsistent,
}

/// Something found in a package, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EvidenceFinding {
    /// How much it weighs.
    pub grade: Grade,
    /// What it is about.
    pub kind: EvidenceFindingKind,
    /// Position of the event, where it is about one.
    pub position: Option<Position>,
    /// One sentence, with what matters.
    pub detail: String,
}

/// What came of verifying a package: `annals evidence verify --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EvidenceVerification {
    /// The result in one word.
    pub outcome: EvidenceOutcome,
    /// Number of events whose leaf was hashed and found in the tree.
    #[ts(type = "number")]
    pub events_checked: u64,
    /// Number of events of the log, as its checkpoint says.
    #[ts(type = "number")]
    pub tree_size: u64,
    /// Root of the log, as its checkpoint says; `null` where that cannot be read.
    pub root: Option<Hash>,
    /// What was found, worst first.
    pub findings: Vec<EvidenceFinding>,
    /// What was checked, one sentence each.
    pub checked: Vec<String>,
    /// What was not, one sentence each.
    pub not_checked: Vec<String>,
    /// What the package says of itself; `null` where its manifest cannot be read. To be believed as far as nothing
    /// was found.
    pub facts: Option<EvidenceFacts>,
    /// The file as the user named it. Filled by hosts.
    pub file: String,
}

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EvidenceFacts {
    /// Origin of the log.
    pub log: String,
    /// Verifier key that signed.
    pub key: String,
    /// Whether that key was handed in by whoever verifies.
    pub key_known: bool,
    /// When, by whom, why.
    pub made: Made,
    /// Positions that are accounted for.
    pub scope: Scope,
    /// Which events are rows.
    pub filter: Filter,
    /// The same in words.
    pub reading: String,
    /// What is shown of other events.
    pub others: Others,
    /// What is withheld of rows.
    pub withheld: Withheld,
    /// How many.
    pub counts: Counts,
    /// Events of the range of which the package cannot show that they do not match.
    #[ts(type = "number")]
    pub unproven: u64,
    /// Rows of which it cannot show that they match.
    #[ts(type = "number")]
    pub unproven_rows: u64,
    /// Rows of each type, by type.
    #[ts(type = "Array<[string, number]>")]
    pub types: Vec<(String, u64)>,
    /// Control totals.
    pub sums: Vec<Sum>,
    /// Files.
    pub files: Vec<FileClaim>,
    /// Time stamps of its checkpoints.
    pub stamps: Vec<EvidenceStamp>,
}

/// A time stamp in a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EvidenceStamp {
    /// Number of events of the checkpoint that it is of.
    pub tree_size: Position,
    /// What it says of itself.
    pub stamp: StampView,
    /// Whether an authority that whoever verifies named made it.
    pub by_named: bool,
}

/// What a new package holds: `annals evidence make --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct EvidenceReport {
    /// The file as the user named it. Filled by hosts.
    pub file: String,
    /// Its length in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// SHA-256 of the file.
    pub sha256: Hash,
    /// Identities of events that are no rows, which the package gives away.
    #[ts(type = "number")]
    pub identities_of_others: u64,
    /// Payloads in which members were withheld.
    #[ts(type = "number")]
    pub in_part: u64,
    /// What verifying it says; it was verified before it got its name.
    pub verification: EvidenceVerification,
}
