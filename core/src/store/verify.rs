//! What verification of a log says: findings with their grade, what was checked, and what was not.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::position::Position;

/// How much a finding of verification weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// Something was changed after it was recorded or signed, or damaged so that it looks like it.
    Manipulation,
    /// Something that was there is not there.
    Gap,
    /// Worth knowing; nothing is wrong with the events.
    Notice,
}

/// What a finding of verification is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum VerifyKind {
    /// An event's bytes do not give the leaf hash recorded with it.
    ContentChanged,
    /// The leaf hash recorded with an event is not the one that the tree holds at its position.
    LeafReplaced,
    /// There is no event at a position of the log.
    EventMissing,
    /// There are events after the log's end.
    EventAdded,
    /// The leaves do not give the root, the frontier or the number of events that the head holds.
    HeadDiffers,
    /// A stored tile is missing, or is not what lies under it.
    TileDiffers,
    /// An event's recording time lies before that of the event at the position before it.
    RecordedOrder,
    /// Versions of a stream are not 1, 2, 3…, or not in the order of positions.
    VersionOrder,
    /// An event does not stand in its stream at its version, or something else stands there.
    LinkDiffers,
    /// A name that an event refers to is missing, or stands twice.
    NameDiffers,
    /// Two events have one id.
    IdTwice,
    /// Actor, correlation or causation beside an event is not what its payload says.
    ColumnDiffers,
    /// A table that finds events does not hold what the events say.
    IndexDiffers,
    /// A stored number or limit (of events, of streams, of times) is not what the events say.
    CounterDiffers,
    /// The list of imports does not agree with itself, or with the events.
    ImportsDiffer,
    /// A part is gone and no recorded erasure says so; or an erasure names an event that is not there.
    ErasureDiffers,
    /// A table, index or trigger of the file is missing or changed.
    SchemaDiffers,
    /// Something could not be read; the file is damaged there.
    Unreadable,
    /// A signature is not the key's.
    SignatureForged,
    /// A checkpoint has another root than the log at that size.
    CheckpointDiffers,
    /// A checkpoint is of more events than the log holds: its end was cut off.
    TailCutOff,
    /// Checkpoints that the log kept are gone.
    CheckpointMissing,
    /// A checkpoint is of another log.
    OtherLog,
    /// A checkpoint is signed by a key that is not this log's.
    KeyUnknown,
    /// A key did not come into force by the signature of the key before it.
    KeyReplaced,
    /// A time stamp is not of this checkpoint, or not by the authority that was named.
    TimestampDiffers,
    /// A proof is not of this log.
    ProofDiffers,
    /// A snapshot that is kept is not what a replay gives, or is damaged.
    SnapshotDiffers,
    /// Nothing was ever signed, so a log rewritten as a whole would not show.
    Unsigned,
}

/// One finding of verification: one place, or the first of many alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct VerifyFinding {
    /// How much it weighs.
    pub grade: Grade,
    /// What it is about.
    pub kind: VerifyKind,
    /// The event it is at, or the first of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub position: Option<Position>,
    /// How many times it was found; `position` is the first.
    #[ts(type = "number")]
    pub count: u64,
    /// One sentence for the reader, with the values that matter.
    pub detail: String,
}

/// One thing that was checked, and how many of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[ts(export)]
pub struct Checked {
    /// What, in words.
    pub what: String,
    /// How many.
    #[ts(type = "number")]
    pub count: u64,
}

/// Findings of one grade, kind and detail that are listed one by one; more are counted.
const MAX_OF_A_KIND: usize = 100;

/// Findings of verification, in the order of their places; of a kind, 100 are listed, the rest counted in the last.
#[derive(Debug, Clone, Default)]
pub struct VerifyFindings {
    list: Vec<VerifyFinding>,
}

impl VerifyFindings {
    /// Adds one.
    pub fn add(
        &mut self,
        grade: Grade,
        kind: VerifyKind,
        position: impl Into<Option<Position>>,
        detail: impl Into<String>,
    ) {
        self.add_many(grade, kind, position, 1, detail);
    }

    /// Adds so many alike, of which the place is the first.
    pub fn add_many(
        &mut self,
        grade: Grade,
        kind: VerifyKind,
        position: impl Into<Option<Position>>,
        count: u64,
        detail: impl Into<String>,
    ) {
        self.list.push(VerifyFinding {
            grade,
            kind,
            position: position.into(),
            count,
            detail: detail.into(),
        });
        // A log of which everything is wrong must not fill the memory.
        if self.list.len() > 64 * MAX_OF_A_KIND {
            self.shorten();
        }
    }

    /// Takes those of another gathering.
    pub fn append(&mut self, other: VerifyFindings) {
        for f in other.list {
            self.add_many(f.grade, f.kind, f.position, f.count, f.detail);
        }
    }

    /// Whether there is one of this kind.
    #[must_use]
    pub fn has(&self, kind: VerifyKind) -> bool {
        self.list.iter().any(|f| f.kind == kind)
    }

    /// The findings: the gravest first, then by kind and place.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<VerifyFinding> {
        self.shorten();
        self.list
    }

    fn shorten(&mut self) {
        // Stable, so that what has no place stays in its order.
        self.list.sort_by_key(|f| (f.grade, f.kind, f.position));
        let mut kept: Vec<VerifyFinding> = Vec::new();
        let mut alike = 0;
        for finding in std::mem::take(&mut self.list) {
            let same = kept
                .last()
                .is_some_and(|last| (last.grade, last.kind) == (finding.grade, finding.kind));
            alike = if same { alike + 1 } else { 1 };
            if alike <= MAX_OF_A_KIND {
                kept.push(finding);
            } else if let Some(last) = kept.last_mut() {
                last.count += finding.count;
            }
        }
        self.list = kept;
    }
}
