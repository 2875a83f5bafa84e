//! What was signed over a log, as its file keeps it: keys, checkpoints, and what others said of these. Nothing here is
//! believed before [`crate::signing`] has examined it.

/// Everything that was signed, in the order of its numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Keys, the first one first.
    pub keys: Vec<LedgerKey>,
    /// Checkpoints, oldest first.
    pub checkpoints: Vec<LedgerCheckpoint>,
    /// Cosignatures and time stamps, in the order in which they came.
    pub attestations: Vec<Attestation>,
}

/// A key of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerKey {
    /// Its number, first is 1.
    pub number: u64,
    /// The key as a verifier key.
    pub vkey: String,
    /// Number of the first checkpoint that it may sign.
    pub since: u64,
    /// The note by which the key before it brought it into force; `None` for the first.
    pub introduced: Option<String>,
}

/// A checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCheckpoint {
    /// Its number, first is 1.
    pub number: u64,
    /// Number of events it is of.
    pub size: u64,
    /// The signed note.
    pub note: String,
    /// A signed note that ties it to the checkpoint before it.
    pub entry: String,
}

/// What somebody else said of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attestation {
    /// Number of the checkpoint.
    pub checkpoint: u64,
    /// What it is.
    pub kind: AttestationKind,
    /// Its bytes: a note's line, or a time stamp token.
    pub content: Vec<u8>,
}

/// Kinds of attestations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttestationKind {
    /// A line of a signed note by a witness.
    Cosignature,
    /// A time stamp response (RFC 3161).
    Timestamp,
}

impl AttestationKind {
    /// As the file writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            AttestationKind::Cosignature => "cosignature",
            AttestationKind::Timestamp => "timestamp",
        }
    }

    pub(crate) fn of(word: &str) -> Option<AttestationKind> {
        [AttestationKind::Cosignature, AttestationKind::Timestamp]
            .into_iter()
            .find(|kind| kind.word() == word)
    }
}
