//! Making checkpoints, keys and proofs.

use std::path::Path;

use super::chain::{entry_text, examine, key_for, made_at, rotation_text};
use super::keyfile::{KeyFile, KeyFileError};
use super::{CheckpointRow, CheckpointsView, HeldKey, KeyRow, KeysView};
use crate::integrity::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::integrity::note::{KeyKind, Note, NoteError, SigningKey, VerifyingKey};
use crate::integrity::proof::LogProof;
use crate::integrity::timestamp::{StampView, TimeStampError};
use crate::key_store::KeyStoreError;
use crate::position::Position;
use crate::store::ledger::{Attestation, AttestationKind, Ledger, LedgerCheckpoint, LedgerKey};
use crate::store::verify::{Grade, VerifyFindings};
use crate::store::{
    AppendError, LedgerAddition, LedgerError, LedgerNow, Log, OpenError, ReadError, add_to_ledger,
};
use crate::surroundings::Clock;

/// Why nothing was signed or proven.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("{0}")]
    Write(AppendError),
    /// The private key could not be had.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// A private key would have to be made, and nobody said how it is protected.
    #[error("a new key would have to be made, and {path} would lie there without protection")]
    Unprotected {
        /// Where it would lie.
        path: std::path::PathBuf,
    },
    /// The system's key store could not be asked.
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
    /// The system's key store keeps no passphrase for the key that is there.
    #[error("the key store of this system keeps no passphrase for {0}")]
    NotKept(String),
    /// A key is another's than the log's.
    #[error("the key in force for this log is {in_force}, not {given}")]
    OtherKey {
        /// Verifier key in force.
        in_force: String,
        /// Verifier key given.
        given: String,
    },
    /// The log does not agree with what was signed over it.
    #[error("nothing is signed, because the log does not agree with what was signed before: {0}")]
    Inconsistent(String),
    /// There is no checkpoint to do it with.
    #[error("the log has no checkpoint {0}")]
    NoCheckpoint(String),
    /// A note is none, or is not what it should be.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A time stamp is not taken.
    #[error(transparent)]
    TimeStamp(#[from] TimeStampError),
}

impl From<NoteError> for SigningError {
    fn from(error: NoteError) -> SigningError {
        SigningError::Checkpoint(error.into())
    }
}

impl From<LedgerError<SigningError>> for SigningError {
    fn from(error: LedgerError<SigningError>) -> SigningError {
        match error {
            LedgerError::Open(error) => error.into(),
            LedgerError::Write(error) => SigningError::Write(error),
            LedgerError::Refused(error) => error,
        }
    }
}

/// Signs the log's head. The first key to sign becomes the log's first key. A head that the key in force has signed
/// already is not signed again; the checkpoint that is there is returned.
///
/// # Errors
/// [`SigningError::Inconsistent`] where an earlier checkpoint does not agree with the log by its stored tree;
/// [`SigningError::OtherKey`]; [`SigningError`] of the file.
pub fn sign_checkpoint(
    store: &Path,
    key: &SigningKey,
    clock: &Clock,
) -> Result<CheckpointRow, SigningError> {
    let log = Log::explore(store)?;
    Ok(add_to_ledger(store, |now| {
        let origin = now.id.origin();
        agree(&log, now)?;
        let mut addition = LedgerAddition::default();
        let mut ledger = now.ledger.clone();
        match now.ledger.keys.last() {
            None => {
                let first = LedgerKey {
                    number: 1,
                    vkey: key.verifying_key().to_string(),
                    since: 1,
                    introduced: None,
                };
                ledger.keys.push(first.clone());
                addition.key = Some(first);
            }
            Some(last) => in_force(last, &key.verifying_key())?,
        }
        let (size, root) = (now.head.size.0, now.head.root);
        let last = now.ledger.checkpoints.last();
        let since = ledger.keys.last().map_or(1, |key| key.since);
        if let Some(last) = last.filter(|last| last.size == size && last.number >= since) {
            return row(&now.ledger, last).map(|row| (LedgerAddition::default(), row));
        }
        let number = last.map_or(1, |last| last.number + 1);
        let signed = Checkpoint {
            origin: origin.clone(),
            size,
            root,
        }
        .sign(key)?;
        let before = last.map(|last| Note::parse(&last.entry)).transpose()?;
        let before = before.as_ref().map(Note::text);
        let made = clock().to_string();
        let text = entry_text(&origin, number, &made, before, signed.note.text());
        let mut entry = Note::new(&text)?;
        entry.sign(key);
        let checkpoint = LedgerCheckpoint {
            number,
            size,
            note: signed.note.to_text(),
            entry: entry.to_text(),
        };
        let row = row(&ledger, &checkpoint)?;
        addition.checkpoint = Some(checkpoint);
        Ok((addition, row))
    })?)
}

/// Brings a new key into force, by the signature of the one before.
///
/// # Errors
/// [`SigningError::OtherKey`] where `old` is not the key in force; [`SigningError`] of the file.
pub fn rotate(store: &Path, old: &SigningKey, new: &SigningKey) -> Result<KeyRow, SigningError> {
    let log = Log::explore(store)?;
    Ok(add_to_ledger(store, |now| {
        agree(&log, now)?;
        let last = now.ledger.keys.last().ok_or_else(|| {
            SigningError::NoCheckpoint("yet, so its key can still be chosen".into())
        })?;
        in_force(last, &old.verifying_key())?;
        let number = last.number + 1;
        let since = now.ledger.checkpoints.last().map_or(1, |c| c.number + 1);
        let key = new.verifying_key();
        let mut note = Note::new(&rotation_text(&now.id.origin(), number, since, &key))?;
        note.sign(old);
        let addition = LedgerAddition {
            key: Some(LedgerKey {
                number,
                vkey: key.to_string(),
                since,
                introduced: Some(note.to_text()),
            }),
            ..LedgerAddition::default()
        };
        let row = KeyRow {
            number,
            verifier_key: key.to_string(),
            since,
            in_force: true,
        };
        Ok((addition, row))
    })?)
}

/// Takes cosignatures that witnesses gave to one of the log's checkpoints; `note` is that checkpoint as it came back.
/// Only those of named witnesses are taken, and one that is not good refuses all. Returns the checkpoint, and how many
/// are new.
///
/// # Errors
/// [`SigningError::NoCheckpoint`] where the log keeps no such checkpoint; [`SigningError::Checkpoint`].
pub fn add_cosignatures(
    store: &Path,
    note: &str,
    witnesses: &[VerifyingKey],
) -> Result<(CheckpointRow, u64), SigningError> {
    let given = SignedCheckpoint::parse(note)?;
    Ok(add_to_ledger(store, |now| {
        let kept = now.ledger.checkpoints.iter().find(|kept| {
            Note::parse(&kept.note).is_ok_and(|kept| kept.text() == given.note.text())
        });
        let kept = kept.ok_or_else(|| {
            let of = &given.checkpoint;
            SigningError::NoCheckpoint(format!("over {} events with root {}", of.size, of.root))
        })?;
        let good = given.note.verify(witnesses)?;
        let mut addition = LedgerAddition::default();
        let signatures = given.note.signatures().iter();
        for signature in signatures.filter(|s| {
            good.iter()
                .any(|g| g.cosigned_at_s.is_some() && (&g.name, g.id) == (&s.name, s.id))
        }) {
            let attestation = Attestation {
                checkpoint: kept.number,
                kind: AttestationKind::Cosignature,
                content: signature.to_line().into_bytes(),
            };
            let known = now.ledger.attestations.contains(&attestation);
            if !known && !addition.attestations.contains(&attestation) {
                addition.attestations.push(attestation);
            }
        }
        let count = addition.attestations.len() as u64;
        let mut ledger = now.ledger.clone();
        ledger
            .attestations
            .extend(addition.attestations.iter().cloned());
        let row = row(&ledger, kept)?;
        Ok((addition, (row, count)))
    })?)
}

/// The checkpoints that the log keeps, with the cosignatures that came for them.
///
/// # Errors
/// [`ReadError`]; [`SigningError::Checkpoint`] where one cannot be read.
pub fn checkpoints(log: &Log) -> Result<CheckpointsView, SigningError> {
    let ledger = log.ledger()?;
    let size = log.head()?.size;
    let rows: Result<Vec<CheckpointRow>, SigningError> = ledger
        .checkpoints
        .iter()
        .map(|checkpoint| row(&ledger, checkpoint))
        .collect();
    let rows = rows?;
    let signed = rows.last().map_or(0, |last| last.size.0);
    Ok(CheckpointsView {
        origin: log.id().origin(),
        checkpoints: rows,
        unsigned: size.0.saturating_sub(signed),
    })
}

/// The keys of a log; `held` is a key file that was found for it.
///
/// # Errors
/// [`ReadError`].
pub fn keys(log: &Log, held: Option<(&Path, &KeyFile)>) -> Result<KeysView, ReadError> {
    let ledger = log.ledger()?;
    let last = ledger.keys.last().map(|key| key.vkey.clone());
    let rows = ledger.keys.iter().map(|key| KeyRow {
        number: key.number,
        verifier_key: key.vkey.clone(),
        since: key.since,
        in_force: Some(&key.vkey) == last.as_ref(),
    });
    Ok(KeysView {
        origin: log.id().origin(),
        keys: rows.collect(),
        held: held.map(|(path, file)| {
            let key = file.verifying_key().to_string();
            HeldKey {
                file: path.display().to_string(),
                protected: file.is_protected(),
                in_force: last.as_ref().is_none_or(|last| *last == key),
                verifier_key: key,
            }
        }),
    })
}

/// Proves that an event is in the log, under the first checkpoint that covers it. The leaf's bytes go along.
///
/// # Errors
/// [`SigningError::NoCheckpoint`] where none covers it; [`ReadError::NoEvent`] where there is no such event.
pub fn prove(log: &Log, position: Position) -> Result<LogProof, SigningError> {
    if log.event(position)?.is_none() {
        return Err(ReadError::NoEvent(format!("at position {position}")).into());
    }
    let ledger = log.ledger()?;
    let covers = ledger.checkpoints.iter().find(|c| c.size >= position.0);
    let kept = covers
        .ok_or_else(|| SigningError::NoCheckpoint(format!("that covers position {position}")))?;
    let checkpoint = whole(&ledger, kept)?;
    Ok(LogProof {
        extra: Some(log.leaf_bytes(position)?),
        index: position.0 - 1,
        hashes: log.inclusion_proof(position, Position(kept.size))?,
        checkpoint,
    })
}

/// A checkpoint with all signatures that the log keeps for it.
fn whole(ledger: &Ledger, kept: &LedgerCheckpoint) -> Result<SignedCheckpoint, SigningError> {
    let mut text = kept.note.clone();
    let of =
        |a: &&Attestation| a.checkpoint == kept.number && a.kind == AttestationKind::Cosignature;
    for cosignature in ledger.attestations.iter().filter(of) {
        text.push_str(&String::from_utf8_lossy(&cosignature.content));
        text.push('\n');
    }
    Ok(SignedCheckpoint::parse(&text)?)
}

/// The time stamps of a checkpoint, by its number.
pub(crate) fn stamps_of(ledger: &Ledger, checkpoint: u64) -> impl Iterator<Item = &[u8]> {
    let of =
        move |a: &&Attestation| a.checkpoint == checkpoint && a.kind == AttestationKind::Timestamp;
    ledger
        .attestations
        .iter()
        .filter(of)
        .map(|attestation| attestation.content.as_slice())
}

pub(super) fn row(ledger: &Ledger, kept: &LedgerCheckpoint) -> Result<CheckpointRow, SigningError> {
    let signed = whole(ledger, kept)?;
    let count = |kind| {
        let of = |a: &&Attestation| a.checkpoint == kept.number && a.kind == kind;
        ledger.attestations.iter().filter(of).count() as u64
    };
    Ok(CheckpointRow {
        number: kept.number,
        size: Position(signed.checkpoint.size),
        root: signed.checkpoint.root,
        made_at: made_at(&kept.entry).unwrap_or_default().to_owned(),
        key: key_for(ledger, kept.number).map_or(0, |key| key.number),
        cosignatures: count(AttestationKind::Cosignature),
        timestamps: count(AttestationKind::Timestamp),
        stamps: stamps_of(ledger, kept.number).map(StampView::of).collect(),
        note: signed.note.to_text(),
    })
}

/// Refuses to sign over a log that does not agree with what was signed.
fn agree(log: &Log, now: &LedgerNow) -> Result<(), SigningError> {
    let mut findings = VerifyFindings::default();
    let root = |size| log.root_at(Position(size)).ok().flatten();
    examine(
        &now.ledger,
        &now.id.origin(),
        now.head.size.0,
        &root,
        &mut findings,
    );
    let wrong = findings
        .into_vec()
        .into_iter()
        .find(|f| f.grade != Grade::Notice);
    match wrong {
        None => Ok(()),
        Some(wrong) => Err(SigningError::Inconsistent(wrong.detail)),
    }
}

fn in_force(last: &LedgerKey, key: &VerifyingKey) -> Result<(), SigningError> {
    debug_assert_eq!(key.kind(), KeyKind::Log, "logs sign with keys of logs");
    let given = key.to_string();
    if last.vkey == given {
        return Ok(());
    }
    Err(SigningError::OtherKey {
        in_force: last.vkey.clone(),
        given,
    })
}
