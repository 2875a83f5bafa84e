//! What a log's file keeps of what was signed, examined: keys that bring each other into force, checkpoints tied to
//! each other, and each of them compared with the log.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::integrity::Hash;
use crate::integrity::checkpoint::SignedCheckpoint;
use crate::integrity::note::{KeyKind, Note, VerifyingKey};
use crate::position::Position;
use crate::store::ledger::{Ledger, LedgerCheckpoint, LedgerKey};
use crate::store::verify::{Grade, VerifyFindings, VerifyKind};

/// What examining found good.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// Keys that came into force as they should, oldest first.
    pub keys: Vec<VerifyingKey>,
    /// Size of the last checkpoint whose signature is good and whose root is the log's.
    pub last_good: Option<u64>,
}

/// The text that brings a key into force.
pub(crate) fn rotation_text(origin: &str, number: u64, since: u64, key: &VerifyingKey) -> String {
    format!("{origin}\nkey {number} from checkpoint {since}\n{key}\n")
}

/// The text that ties a checkpoint to the one before it.
pub(super) fn entry_text(
    origin: &str,
    number: u64,
    made: &str,
    before: Option<&str>,
    checkpoint: &str,
) -> String {
    let before = before.map_or([0; 32], |text| Sha256::digest(text).into());
    let of: [u8; 32] = Sha256::digest(checkpoint).into();
    format!(
        "{origin}\ncheckpoint {number}\nmade {made}\nbefore {}\nof {}\n",
        STANDARD.encode(before),
        STANDARD.encode(of)
    )
}

/// When an entry says that its checkpoint was made.
pub(super) fn made_at(entry: &str) -> Option<&str> {
    entry.split('\n').nth(2)?.strip_prefix("made ")
}

/// Number of the key in force for a checkpoint.
pub(super) fn key_for(ledger: &Ledger, checkpoint: u64) -> Option<&LedgerKey> {
    ledger.keys.iter().rfind(|key| key.since <= checkpoint)
}

/// Examines keys and checkpoints. `root` returns the log's root at a size, from its events; `size` is the log's.
pub fn examine(
    ledger: &Ledger,
    origin: &str,
    size: u64,
    root: &dyn Fn(u64) -> Option<Hash>,
    findings: &mut VerifyFindings,
) -> Examined {
    let keys = examine_keys(ledger, origin, findings);
    let mut examined = Examined {
        keys: keys.iter().flatten().cloned().collect(),
        last_good: None,
    };
    let mut before: Option<&LedgerCheckpoint> = None;
    for checkpoint in &ledger.checkpoints {
        let number = checkpoint.number;
        let expected = before.map_or(1, |before| before.number + 1);
        if number > expected {
            let count = number - expected;
            let which = match count {
                1 => format!("checkpoint {expected} is"),
                _ => format!("checkpoints {expected} to {} are", number - 1),
            };
            let detail = format!(
                "{which} missing: the log keeps its checkpoints, and the next one is tied to it"
            );
            findings.add_many(
                Grade::Gap,
                VerifyKind::CheckpointMissing,
                None,
                count,
                detail,
            );
        }
        let key = ledger
            .keys
            .iter()
            .zip(&keys)
            .rfind(|(key, _)| key.since <= number)
            .and_then(|(_, key)| key.as_ref());
        match key {
            None => findings.add(
                Grade::Manipulation,
                VerifyKind::KeyUnknown,
                None,
                format!("checkpoint {number} was made before any key of this log, or its key is not good"),
            ),
            Some(key) => {
                let tied = before.filter(|before| before.number + 1 == number);
                let signed = examine_one(checkpoint, tied, key, origin, findings);
                let of = format!("checkpoint {number}");
                if signed.is_some_and(|signed| against(&signed, &of, size, root, findings)) {
                    examined.last_good = Some(checkpoint.size);
                }
            }
        }
        before = Some(checkpoint);
    }
    let last = ledger.checkpoints.last().map_or(0, |last| last.number);
    for attestation in &ledger.attestations {
        if attestation.checkpoint > last || attestation.checkpoint == 0 {
            findings.add(
                Grade::Gap,
                VerifyKind::CheckpointMissing,
                None,
                format!(
                    "a {} is of checkpoint {}, and the log keeps {last}",
                    attestation.kind.word(),
                    attestation.checkpoint
                ),
            );
        }
    }
    // A key that is in force from a checkpoint on that nobody could have numbered so: those between are gone.
    if let Some(key) = ledger.keys.last().filter(|key| key.since > last + 1) {
        findings.add_many(
            Grade::Gap,
            VerifyKind::CheckpointMissing,
            None,
            key.since - 1 - last,
            format!(
                "key {} is in force from checkpoint {} on, and the last that the log keeps is {last}",
                key.number, key.since
            ),
        );
    }
    examined
}

fn examine_keys(
    ledger: &Ledger,
    origin: &str,
    findings: &mut VerifyFindings,
) -> Vec<Option<VerifyingKey>> {
    let mut keys: Vec<Option<VerifyingKey>> = Vec::new();
    for (n, row) in ledger.keys.iter().enumerate() {
        let number = n as u64 + 1;
        let key: Option<VerifyingKey> = row.vkey.parse().ok();
        let key = key.filter(|key| key.name() == origin && key.kind() == KeyKind::Log);
        let introduced = match (n.checked_sub(1), &row.introduced, &key) {
            (None, None, Some(_)) => row.since == 1,
            (Some(before), Some(note), Some(key)) => {
                let text = rotation_text(origin, number, row.since, key);
                let before = keys[before].as_slice();
                Note::parse(note)
                    .is_ok_and(|note| note.text() == text && note.verify(before).is_ok())
            }
            _ => false,
        };
        let good = row.number == number && introduced;
        if !good {
            findings.add(
                Grade::Manipulation,
                VerifyKind::KeyReplaced,
                None,
                format!(
                    "key {} of this log did not come into force as it should: it is not this log's, or the key before it did not sign for it",
                    row.number
                ),
            );
        }
        keys.push(key.filter(|_| good));
    }
    keys
}

/// The checkpoint, if its note and entry are signed by its key and say what they should; a finding if not.
fn examine_one(
    checkpoint: &LedgerCheckpoint,
    before: Option<&LedgerCheckpoint>,
    key: &VerifyingKey,
    origin: &str,
    findings: &mut VerifyFindings,
) -> Option<SignedCheckpoint> {
    let number = checkpoint.number;
    let mut wrong = |detail: String| {
        findings.add(
            Grade::Manipulation,
            VerifyKind::SignatureForged,
            None,
            detail,
        );
        None
    };
    let known = std::slice::from_ref(key);
    let signed = match SignedCheckpoint::parse(&checkpoint.note) {
        Ok(signed) => signed,
        Err(error) => return wrong(format!("checkpoint {number} cannot be read: {error}")),
    };
    if let Err(error) = signed.verify(origin, known) {
        return wrong(format!(
            "checkpoint {number} is not signed by the key in force for it: {error}"
        ));
    }
    if signed.checkpoint.size != checkpoint.size {
        return wrong(format!(
            "checkpoint {number} is of {} events, and the log lists it with {}",
            signed.checkpoint.size, checkpoint.size
        ));
    }
    let entry = match Note::parse(&checkpoint.entry) {
        Ok(entry) if entry.verify(known).is_ok() => entry,
        _ => {
            return wrong(format!(
                "the entry of checkpoint {number} is not signed by its key"
            ));
        }
    };
    let made = made_at(entry.text()).unwrap_or_default();
    let before_text = before.and_then(|before| Note::parse(&before.entry).ok());
    // Where the one before is missing, which is told, nothing can be said of the tie.
    if number == 1 || before.is_some() {
        let before = before_text.as_ref().map(Note::text);
        let want = entry_text(origin, number, made, before, signed.note.text());
        if want != entry.text() {
            return wrong(format!(
                "checkpoint {number} is not tied to the one before it"
            ));
        }
    }
    Some(signed)
}

/// Compares a checkpoint, whose signature is good, with the log. `of` names it.
pub(crate) fn against(
    signed: &SignedCheckpoint,
    of: &str,
    size: u64,
    root: &dyn Fn(u64) -> Option<Hash>,
    findings: &mut VerifyFindings,
) -> bool {
    let said = &signed.checkpoint;
    if said.size > size {
        findings.add_many(
            Grade::Gap,
            VerifyKind::TailCutOff,
            Position(size + 1),
            said.size - size,
            format!("{of} was signed over {} events, and the log holds {size}: its end was cut off, or this is an older copy", said.size),
        );
        return false;
    }
    match root(said.size) {
        Some(root) if root == said.root => true,
        Some(root) => {
            findings.add(
                Grade::Manipulation,
                VerifyKind::CheckpointDiffers,
                None,
                format!(
                    "{of} was signed over {} events with root {}; they have root {root} now: the log was rewritten, or two copies of it went different ways (a split view)",
                    said.size, said.root
                ),
            );
            false
        }
        // Leaves are missing, which is told where they are.
        None => false,
    }
}
