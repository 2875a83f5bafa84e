//! Time stamps of a log's checkpoints: asking for one, and keeping what came back. Sending and receiving are the
//! user's, so nothing here needs a network.

use std::path::Path;

use super::CheckpointRow;
use super::make::{SigningError, row};
use crate::integrity::timestamp::{self, Authority, Stamped, TimeStamp, TimeStampError};
use crate::store::ledger::{Attestation, AttestationKind, LedgerCheckpoint};
use crate::store::{LedgerAddition, Log, add_to_ledger};

/// The request for a time stamp (RFC 3161) over a checkpoint that the log keeps: the one of this number, or the last.
/// What is stamped is its signed note with the log's own signature alone, so that cosignatures may come later.
///
/// # Errors
/// [`SigningError::NoCheckpoint`]; [`SigningError`] of the file.
pub fn request_time_stamp(
    log: &Log,
    number: Option<u64>,
) -> Result<(CheckpointRow, Vec<u8>), SigningError> {
    let ledger = log.ledger()?;
    let kept = match number {
        None => ledger.checkpoints.last(),
        Some(number) => ledger.checkpoints.iter().find(|kept| kept.number == number),
    };
    let kept = kept.ok_or_else(|| {
        SigningError::NoCheckpoint(number.map_or("yet".to_owned(), |number| number.to_string()))
    })?;
    Ok((
        row(&ledger, kept)?,
        timestamp::request(kept.note.as_bytes()),
    ))
}

/// Takes a time stamp that came back, and keeps it beside the checkpoint that it is of, if `authority` made it. Returns
/// that checkpoint, what the stamp says, and whether it is new.
///
/// # Errors
/// [`SigningError::TimeStamp`] where it is none, or not by this authority; [`SigningError::NoCheckpoint`] where it is
/// of no checkpoint of the log.
pub fn add_time_stamp(
    store: &Path,
    response: &[u8],
    authority: &Authority,
) -> Result<(CheckpointRow, Stamped, bool), SigningError> {
    let stamp = TimeStamp::parse(response)?;
    Ok(add_to_ledger(store, |now| {
        let of = |kept: &&LedgerCheckpoint| stamp.is_of(kept.note.as_bytes()).is_ok();
        let Some(kept) = now.ledger.checkpoints.iter().find(of) else {
            let last = now.ledger.checkpoints.last();
            let note = last.ok_or_else(|| SigningError::NoCheckpoint("yet".into()))?;
            // Says which hash was expected of the last one, the likeliest.
            let other = stamp.is_of(note.note.as_bytes()).err();
            return Err(match other {
                Some(TimeStampError::OtherContent {
                    found, algorithm, ..
                }) => SigningError::NoCheckpoint(format!(
                    "with the {algorithm} {found} that was stamped"
                )),
                _ => SigningError::NoCheckpoint("that was stamped".into()),
            });
        };
        let stamped = authority.verify(&stamp, kept.note.as_bytes())?;
        let attestation = Attestation {
            checkpoint: kept.number,
            kind: AttestationKind::Timestamp,
            content: response.to_vec(),
        };
        let mut ledger = now.ledger.clone();
        let mut addition = LedgerAddition::default();
        let new = !ledger.attestations.contains(&attestation);
        if new {
            ledger.attestations.push(attestation.clone());
            addition.attestations.push(attestation);
        }
        Ok((addition, (row(&ledger, kept)?, stamped, new)))
    })?)
}
