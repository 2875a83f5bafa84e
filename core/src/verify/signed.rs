//! What was signed over a log, compared with what its events are.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Kept, VerifyPlan};
use crate::id::LogId;
use crate::integrity::Hash;
use crate::integrity::checkpoint::{CheckpointError, SignedCheckpoint};
use crate::integrity::leaf::hash_bytes;
use crate::integrity::note::{KeyKind, Note, NoteError, VerifyingKey};
use crate::integrity::proof::{LogProof, MAGIC};
use crate::integrity::timestamp::{Authority, TimeStamp, TimeStampError};
use crate::position::Position;
use crate::signing::{Examined, examine};
use crate::store::ledger::{AttestationKind, Ledger};
use crate::store::verify::{Checked, Grade, VerifyFindings, VerifyKind};
use crate::store::{Log, ReadError};

/// What was signed, as it was loaded before the log was verified.
pub(super) struct Signatures<'p> {
    plan: &'p VerifyPlan,
    log: Option<Log>,
    ledger: Result<Ledger, ReadError>,
    /// What was kept elsewhere, by name.
    against: Vec<(&'p str, Result<Read, String>)>,
}

/// What came of comparing.
#[derive(Default)]
pub(super) struct Compared {
    /// Size of the last checkpoint that is good.
    pub(super) signed_size: Option<Position>,
    pub(super) checked: Vec<Checked>,
    pub(super) not_checked: Vec<String>,
    /// Things from elsewhere that cannot be read as what they should be.
    pub(super) unusable: usize,
}

/// Something that was kept elsewhere, read.
enum Read {
    Checkpoint(SignedCheckpoint),
    Proof(Box<LogProof>),
}

impl Read {
    fn of(kept: &Kept) -> Result<Read, String> {
        if kept.text.starts_with(MAGIC) {
            return LogProof::parse(&kept.text)
                .map(|proof| Read::Proof(Box::new(proof)))
                .map_err(|e| e.to_string());
        }
        SignedCheckpoint::parse(&kept.text)
            .map(Read::Checkpoint)
            .map_err(|e| e.to_string())
    }

    fn signed(&self) -> &SignedCheckpoint {
        match self {
            Read::Checkpoint(signed) => signed,
            Read::Proof(proof) => &proof.checkpoint,
        }
    }
}

impl Signatures<'_> {
    pub(super) fn load<'p>(store: &Path, plan: &'p VerifyPlan) -> Signatures<'p> {
        let log = Log::explore_cut(store).ok();
        let ledger = log.as_ref().map_or(Ok(Ledger::default()), Log::ledger);
        Signatures {
            plan,
            log,
            ledger,
            against: plan
                .against
                .iter()
                .map(|kept| (kept.name.as_str(), Read::of(kept)))
                .collect(),
        }
    }

    /// Sizes whose roots are needed.
    pub(super) fn sizes(&self) -> Vec<u64> {
        let kept = self.ledger.iter().flat_map(|ledger| &ledger.checkpoints);
        let kept = kept.filter_map(|kept| SignedCheckpoint::parse(&kept.note).ok());
        let given = self.against.iter().flat_map(|(_, read)| read);
        kept.map(|signed| signed.checkpoint.size)
            .chain(given.map(|read| read.signed().checkpoint.size))
            .collect()
    }

    /// Compares everything.
    pub(super) fn examine(
        &self,
        id: LogId,
        size: Position,
        roots: &[(u64, Hash)],
        findings: &mut VerifyFindings,
    ) -> Compared {
        let origin = id.origin();
        let roots: BTreeMap<u64, Hash> = roots.iter().copied().collect();
        let root = |size| roots.get(&size).copied();
        let ledger = match &self.ledger {
            Ok(ledger) => ledger,
            Err(error) => {
                let detail = format!("what was signed over the log could not be read: {error}");
                findings.add(Grade::Gap, VerifyKind::Unreadable, None, detail);
                return Compared::default();
            }
        };
        let examined = examine(ledger, &origin, size.0, &root, findings);
        let mut checked = vec![Checked {
            what: "checkpoints in the log: signature, key, tie to the one before, root".into(),
            count: ledger.checkpoints.len() as u64,
        }];
        let known = known_keys(self.plan, &examined, ledger, &origin, findings);
        let mut unusable = 0;
        let mut last = examined.last_good;
        for (name, read) in &self.against {
            match read {
                Ok(read) if read.signed().checkpoint.origin != origin => {
                    unusable += 1;
                    let theirs = &read.signed().checkpoint.origin;
                    let detail = format!(
                        "{name} is of {theirs}, and this log is {origin}: another log's file was given, or another log was put in the place of that one"
                    );
                    findings.add(Grade::Gap, VerifyKind::OtherLog, None, detail);
                }
                Ok(read) => {
                    let good =
                        self.against(name, read, &origin, size, &known, ledger, &root, findings);
                    last = last.max(good);
                }
                Err(error) => {
                    unusable += 1;
                    let detail = format!("{name} is no checkpoint and no proof: {error}");
                    findings.add(Grade::Gap, VerifyKind::Unreadable, None, detail);
                }
            }
        }
        if !self.against.is_empty() {
            checked.push(Checked {
                what: "checkpoints and proofs from elsewhere".into(),
                count: self.against.len() as u64,
            });
        }
        let mut not_checked = Vec::new();
        attested(self.plan, ledger, findings, &mut checked, &mut not_checked);
        match last {
            None if ledger.checkpoints.is_empty() => findings.add(
                Grade::Notice,
                VerifyKind::Unsigned,
                None,
                "no checkpoint is in this file: a log rewritten as a whole would not show; a checkpoint that is kept elsewhere makes it show",
            ),
            Some(signed) if signed < size.0 => not_checked.push(match size.0 - signed {
                1 => "whether the last event was another once: no checkpoint covers it".into(),
                more => format!(
                    "whether the last {more} events were others once: no checkpoint covers them"
                ),
            }),
            _ => {}
        }
        if last.is_some() && self.against.is_empty() && self.plan.keys.is_empty() {
            not_checked.push(
                "whether file, key and checkpoints were replaced together: compare with a checkpoint or a key that was kept elsewhere".into(),
            );
        }
        Compared {
            signed_size: last.map(Position),
            checked,
            not_checked,
            unusable,
        }
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "everything that a kept thing is compared with"
    )]
    fn against(
        &self,
        name: &str,
        read: &Read,
        origin: &str,
        size: Position,
        known: &[VerifyingKey],
        ledger: &Ledger,
        root: &dyn Fn(u64) -> Option<Hash>,
        findings: &mut VerifyFindings,
    ) -> Option<u64> {
        let signed = read.signed();
        if let Err(error) = signed.verify(origin, known) {
            let (kind, why) = match &error {
                CheckpointError::OtherLog { .. } => (VerifyKind::OtherLog, String::new()),
                CheckpointError::Note(NoteError::Unsigned) => (
                    VerifyKind::KeyUnknown,
                    ": the key of this log was replaced, or it is not of this log".to_owned(),
                ),
                CheckpointError::Note(_) => (VerifyKind::SignatureForged, String::new()),
            };
            let detail = format!("{name}: {error}{why}");
            findings.add(Grade::Manipulation, kind, None, detail);
            return None;
        }
        if !crate::signing::against(signed, name, size.0, root, findings) {
            return None;
        }
        if let Read::Proof(proof) = read {
            self.prove(name, proof, origin, known, findings);
        }
        let text = signed.note.text();
        let keeps = ledger
            .checkpoints
            .iter()
            .any(|kept| Note::parse(&kept.note).is_ok_and(|kept| kept.text() == text));
        if !keeps {
            findings.add(
                Grade::Gap,
                VerifyKind::CheckpointMissing,
                None,
                format!(
                    "{name} is a checkpoint of this log over {} events, and the log does not keep it: it was taken out, or signed on another copy",
                    signed.checkpoint.size
                ),
            );
        }
        Some(signed.checkpoint.size)
    }

    /// Compares a proof with the event that stands at its place.
    fn prove(
        &self,
        name: &str,
        proof: &LogProof,
        origin: &str,
        known: &[VerifyingKey],
        findings: &mut VerifyFindings,
    ) {
        let position = Position(proof.index.saturating_add(1));
        let event = self
            .log
            .as_ref()
            .and_then(|log| log.event(position).ok().flatten());
        let wrong = match event {
            None => Some("there is no event at its place".to_owned()),
            Some(event) => {
                let leaf = proof.extra.as_deref().map(hash_bytes);
                if leaf.is_some_and(|leaf| leaf != event.leaf) {
                    Some("its leaf is not that of the event at its place".to_owned())
                } else {
                    proof
                        .verify(&event.leaf, origin, known)
                        .err()
                        .map(|e| e.to_string())
                }
            }
        };
        if let Some(wrong) = wrong {
            let detail = format!("{name}: {wrong}");
            findings.add(
                Grade::Manipulation,
                VerifyKind::ProofDiffers,
                position,
                detail,
            );
        }
    }
}

/// Keys of the log: those that its file brings into force, and those that are known from elsewhere.
fn known_keys(
    plan: &VerifyPlan,
    examined: &Examined,
    ledger: &Ledger,
    origin: &str,
    findings: &mut VerifyFindings,
) -> Vec<VerifyingKey> {
    let trusted: Vec<&VerifyingKey> = plan
        .keys
        .iter()
        .filter(|key| key.kind() == KeyKind::Log)
        .collect();
    for key in &trusted {
        if !ledger.keys.is_empty() && !examined.keys.contains(key) {
            findings.add(
                Grade::Manipulation,
                VerifyKind::KeyReplaced,
                None,
                format!("{key} is not among the keys of this log: its key was replaced, or this is another log ({origin})"),
            );
        }
    }
    // Who names the log's keys trusts these, and what they brought into force.
    let trusted = trusted.into_iter().cloned();
    examined.keys.iter().cloned().chain(trusted).collect()
}

/// Cosignatures whose witness was named; says what else there is.
fn attested(
    plan: &VerifyPlan,
    ledger: &Ledger,
    findings: &mut VerifyFindings,
    checked: &mut Vec<Checked>,
    not_checked: &mut Vec<String>,
) {
    let witnesses: Vec<VerifyingKey> = plan
        .keys
        .iter()
        .filter(|key| key.kind() == KeyKind::Witness)
        .cloned()
        .collect();
    let (mut good, mut unknown) = (0u64, 0u64);
    let (mut stamped_by_named, mut stamps) = (0u64, 0u64);
    for attestation in &ledger.attestations {
        let number = attestation.checkpoint;
        let Some(kept) = ledger.checkpoints.iter().find(|kept| kept.number == number) else {
            continue;
        };
        if attestation.kind == AttestationKind::Timestamp {
            match stamped(&plan.authorities, &attestation.content, &kept.note) {
                Ok(true) => stamped_by_named += 1,
                Ok(false) => stamps += 1,
                Err(error) => findings.add(
                    Grade::Manipulation,
                    VerifyKind::TimestampDiffers,
                    None,
                    format!("a time stamp of checkpoint {number}: {error}"),
                ),
            }
            continue;
        }
        let line = String::from_utf8_lossy(&attestation.content);
        match Note::parse(&format!("{}{line}\n", kept.note)).and_then(|n| n.verify(&witnesses)) {
            Ok(_) => good += 1,
            Err(NoteError::Unsigned) => unknown += 1,
            Err(error) => findings.add(
                Grade::Manipulation,
                VerifyKind::SignatureForged,
                None,
                format!("a cosignature of checkpoint {number}: {error}"),
            ),
        }
    }
    if good > 0 {
        checked.push(Checked {
            what: "cosignatures of witnesses that were named".into(),
            count: good,
        });
    }
    if unknown > 0 {
        not_checked.push(format!(
            "{unknown} cosignatures, whose witnesses were not named"
        ));
    }
    if stamped_by_named > 0 {
        checked.push(Checked {
            what: "time stamps by authorities that were named, but for revocation of their certificates".into(),
            count: stamped_by_named,
        });
    }
    if stamps > 0 {
        not_checked.push(format!(
            "{stamps} time stamps beyond that they are of these checkpoints: their authorities were not named"
        ));
    }
}

/// Whether one of the authorities made the stamp; `false` where none was named.
fn stamped(authorities: &[Authority], stamp: &[u8], note: &str) -> Result<bool, TimeStampError> {
    let stamp = TimeStamp::parse(stamp)?;
    stamp.is_of(note.as_bytes())?;
    let mut wrong = None;
    for authority in authorities {
        match authority.verify(&stamp, note.as_bytes()) {
            Ok(_) => return Ok(true),
            Err(error) => wrong = Some(error),
        }
    }
    wrong.map_or(Ok(false), Err)
}
