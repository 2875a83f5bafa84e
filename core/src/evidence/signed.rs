//! What a package carries of what was signed before it: the keys that brought each other into force, and time stamps
//! of its checkpoints.

use serde::{Deserialize, Serialize};

use crate::evidence::names;
use crate::evidence::verify::{Files, Findings, Trust};
use crate::evidence::view::{EvidenceFindingKind as Kind, EvidenceStamp};
use crate::integrity::checkpoint::SignedCheckpoint;
use crate::integrity::note::{KeyKind, Note, SigningKey, VerifyingKey};
use crate::integrity::timestamp::{StampView, TimeStamp};
use crate::position::Position;
use crate::signing::{rotation_text, stamps_of};
use crate::store::ledger::{Ledger, LedgerCheckpoint};
use crate::store::verify::Grade;

/// Keys of a log that are read, at most.
const MAX_KEYS: usize = 1_000;

/// One key of `proof/keys.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyClaim {
    key: String,
    /// Number of the first checkpoint that it may sign.
    since: u64,
    /// The note by which the key before it brought it into force; `null` for the first.
    #[serde(deserialize_with = "super::manifest::required")]
    note: Option<String>,
}

/// What a new package carries.
#[derive(Debug, Default)]
pub(super) struct Carried {
    /// `proof/keys.json`, where the log has had more than one key.
    pub(super) keys: Option<Vec<u8>>,
    /// Stamps of the package's own checkpoint.
    pub(super) stamps: Vec<Vec<u8>>,
    /// A checkpoint before it, and its stamps.
    pub(super) earlier: Option<(SignedCheckpoint, Vec<Vec<u8>>)>,
}

impl Carried {
    /// Chooses from what the log keeps. `earlier` is the checkpoint that the maker asked for; where they asked for
    /// none, and nobody stamped the package's own, it is the last one that somebody did.
    pub(super) fn choose(
        ledger: &Ledger,
        own: &SignedCheckpoint,
        key: &SigningKey,
        earlier: Option<&SignedCheckpoint>,
    ) -> serde_json::Result<Carried> {
        let in_force = ledger.keys.last().map(|last| last.vkey.as_str());
        let by_log = in_force == Some(key.verifying_key().to_string().as_str());
        let mut carried = Carried::default();
        if by_log && ledger.keys.len() > 1 {
            let keys = ledger.keys.iter().map(|key| KeyClaim {
                key: key.vkey.clone(),
                since: key.since,
                note: key.introduced.clone(),
            });
            let keys: Vec<KeyClaim> = keys.collect();
            carried.keys = Some(serde_json::to_vec_pretty(&keys)?);
        }
        let stamps = |kept: &LedgerCheckpoint| -> Vec<Vec<u8>> {
            stamps_of(ledger, kept.number).map(<[u8]>::to_vec).collect()
        };
        let kept_as = |note: &str| ledger.checkpoints.iter().find(|kept| kept.note == note);
        if let Some(kept) = kept_as(&own.own_note()) {
            carried.stamps = stamps(kept);
        }
        carried.earlier = match earlier {
            Some(earlier) => {
                let kept = kept_as(&earlier.own_note());
                Some((earlier.clone(), kept.map(stamps).unwrap_or_default()))
            }
            None if by_log && carried.stamps.is_empty() => {
                let stamped = ledger.checkpoints.iter().rev().find(|kept| {
                    kept.size > 0
                        && kept.size <= own.checkpoint.size
                        && stamps_of(ledger, kept.number).next().is_some()
                });
                stamped.and_then(|kept| {
                    let signed = SignedCheckpoint::parse(&kept.note).ok()?;
                    Some((signed, stamps(kept)))
                })
            }
            None => None,
        };
        Ok(carried)
    }
}

/// Name of a stamp's file: of which note it is, and the how-manieth, from 0.
pub(super) fn stamp_name(note: &str, number: usize) -> String {
    let stem = note.trim_end_matches(".note");
    match number {
        0 => format!("{stem}.tsr"),
        n => format!("{stem}-{}.tsr", n + 1),
    }
}

/// The keys that led to the one that signed, oldest first; it alone where the package says of no others, or what it
/// says does not hold.
pub(super) fn keys(
    files: &Files,
    log: &str,
    signer: &str,
    findings: &mut Findings,
) -> Vec<VerifyingKey> {
    let own: Vec<VerifyingKey> = signer.parse().into_iter().collect();
    let Some(bytes) = files.get(names::KEYS) else {
        return own;
    };
    match chain(bytes, log) {
        Ok(chain) if chain.last() == own.first() => {
            findings.checked.push(format!(
                "that each of the log's {} keys came into force by the one before it",
                chain.len()
            ));
            chain
        }
        Ok(_) => {
            let detail = format!("proof/keys.json does not end with the key that signed, {signer}");
            findings.wrong(Kind::OtherKey, detail);
            own
        }
        Err(error) => {
            findings.wrong(Kind::OtherKey, format!("proof/keys.json: {error}"));
            own
        }
    }
}

fn chain(bytes: &[u8], log: &str) -> Result<Vec<VerifyingKey>, String> {
    let claims: Vec<KeyClaim> = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
    if claims.len() > MAX_KEYS {
        return Err(format!("it has more than {MAX_KEYS} keys"));
    }
    let mut keys: Vec<VerifyingKey> = Vec::new();
    for (n, KeyClaim { key, since, note }) in claims.iter().enumerate() {
        let number = n as u64 + 1;
        let key: VerifyingKey = key.parse().map_err(|e| format!("key {number}: {e}"))?;
        if key.kind() != KeyKind::Log || key.name() != log {
            return Err(format!("key {number} is not a key of {log}"));
        }
        let good = match (keys.last(), note) {
            (None, None) => *since == 1,
            (Some(before), Some(note)) => Note::parse(note).is_ok_and(|note| {
                note.text() == rotation_text(log, number, *since, &key)
                    && note.verify(std::slice::from_ref(before)).is_ok()
            }),
            _ => false,
        };
        if !good {
            return Err(format!(
                "key {number} did not come into force by the signature of the key before it"
            ));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// Checks the time stamps of a checkpoint in the package. `name` is the file of its note.
pub(super) fn stamps(
    files: &Files,
    name: &str,
    checkpoint: &SignedCheckpoint,
    trust: &Trust,
    findings: &mut Findings,
) -> Vec<EvidenceStamp> {
    let note = checkpoint.own_note();
    let size = checkpoint.checkpoint.size;
    let mut said = Vec::new();
    for number in 0.. {
        let file = stamp_name(name, number);
        let Some(bytes) = files.get(&file) else {
            break;
        };
        let mut view = EvidenceStamp {
            tree_size: Position(size),
            stamp: StampView::of(bytes),
            by_named: false,
        };
        let wrong = |findings: &mut Findings, error: &dyn std::fmt::Display| {
            findings.add(
                Grade::Manipulation,
                Kind::TimestampDiffers,
                None,
                format!("{file}: {error}"),
            );
        };
        let stamp = TimeStamp::parse(bytes).and_then(|stamp| {
            stamp.is_of(note.as_bytes())?;
            Ok(stamp)
        });
        match stamp {
            Err(error) => wrong(findings, &error),
            Ok(stamp) => {
                let mut refused = None;
                for authority in &trust.authorities {
                    match authority.verify(&stamp, note.as_bytes()) {
                        Ok(stamped) => {
                            findings.checked.push(format!(
                                "that the signed log of {size} events was there at {}, says the time stamp of {} (revocation was not looked at)",
                                stamped.time, stamped.signer
                            ));
                            view.by_named = true;
                            break;
                        }
                        Err(error) => refused = Some(error),
                    }
                }
                match refused.filter(|_| !view.by_named) {
                    Some(error) => wrong(findings, &error),
                    None if !view.by_named => findings.not_checked(format!(
                        "{file} beyond that it is a time stamp of that checkpoint: its authority was not named"
                    )),
                    None => {}
                }
            }
        }
        said.push(view);
    }
    said
}
