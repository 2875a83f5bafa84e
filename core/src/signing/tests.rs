//! Checkpoints are kept and tied to each other, keys come into force by the ones before them, and nothing is signed over
//! a log that does not agree with what was signed.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::keyfile::{self, KeyFile, KeyFileError};
use super::*;
use crate::event::NewEvent;
use crate::id::StreamId;
use crate::integrity::note::SigningKey;
use crate::integrity::proof::LogProof;
use crate::store::verify::{VerifyFindings, VerifyKind};
use crate::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::Time;

struct Signed {
    folder: tempfile::TempDir,
    store: PathBuf,
    surroundings: Surroundings,
}

impl Signed {
    fn new() -> Signed {
        let folder = tempfile::tempdir().unwrap();
        let now = Time::parse_rfc3339("2024-01-15T00:00:00Z").unwrap();
        let surroundings = Surroundings::fixed(now, 5);
        let store = folder.path().join("a.annals");
        LogWriter::create(&store, surroundings.clone()).unwrap();
        Signed {
            folder,
            store,
            surroundings,
        }
    }

    fn append(&self, events: u64) {
        let writer = LogWriter::open(&self.store, self.surroundings.clone()).unwrap();
        let event = |n: u64| NewEvent::json("Counted", &format!(r#"{{"n":{n}}}"#)).unwrap();
        writer
            .append(vec![StreamAppend {
                stream: StreamId::new("count-1").unwrap(),
                category: None,
                expected: ExpectedVersion::Any,
                events: (0..events).map(event).collect(),
            }])
            .unwrap();
    }

    fn log(&self) -> Log {
        Log::explore(&self.store).unwrap()
    }

    fn key(&self, seed: u8) -> SigningKey {
        SigningKey::from_seed(&self.log().id().origin(), [seed; 32]).unwrap()
    }

    fn sign(&self, key: &SigningKey) -> Result<CheckpointRow, SigningError> {
        sign_checkpoint(&self.store, key, &self.surroundings.clock)
    }

    /// Kinds of what is found wrong.
    fn examine(&self) -> Vec<VerifyKind> {
        let log = self.log();
        let mut findings = VerifyFindings::default();
        let root = |size| log.root_at(Position(size)).unwrap();
        examine(
            &log.ledger().unwrap(),
            &log.id().origin(),
            log.head().unwrap().size.0,
            &root,
            &mut findings,
        );
        findings.into_vec().into_iter().map(|f| f.kind).collect()
    }

    fn tamper(&self, statements: &str) {
        let conn = Connection::open(&self.store).unwrap();
        for table in ["keys", "checkpoints", "attestations"] {
            for what in ["update", "delete", "insert"] {
                conn.execute_batch(&format!("DROP TRIGGER IF EXISTS {table}_{what}"))
                    .unwrap();
            }
        }
        conn.execute_batch(statements).unwrap();
    }
}

#[test]
fn checkpoints_are_kept_and_a_head_is_signed_once() {
    let signed = Signed::new();
    let key = signed.key(1);
    let empty = signed.sign(&key).unwrap();
    assert_eq!((empty.number, empty.size), (1, Position::ZERO));
    signed.append(3);
    let first = signed.sign(&key).unwrap();
    let again = signed.sign(&key).unwrap();
    assert_eq!(first, again, "the same head");
    assert_eq!(first.made_at, "2024-01-15T00:00:00Z");
    signed.append(1);
    let view = checkpoints(&signed.log()).unwrap();
    assert_eq!((view.checkpoints.len(), view.unsigned), (2, 1));
    assert_eq!(view.checkpoints[1], first);
    assert_eq!(signed.examine(), []);
    let head = first.note.lines().nth(1).unwrap();
    assert_eq!(head, "3");
}

#[test]
fn only_the_key_in_force_signs_and_it_hands_on_by_its_signature() {
    let signed = Signed::new();
    let (one, two) = (signed.key(1), signed.key(2));
    signed.sign(&one).unwrap();
    signed.append(2);
    assert!(matches!(
        signed.sign(&two),
        Err(SigningError::OtherKey { .. })
    ));
    let row = rotate(&signed.store, &one, &two).unwrap();
    assert_eq!((row.number, row.since), (2, 2));
    assert!(matches!(
        signed.sign(&one),
        Err(SigningError::OtherKey { .. })
    ));
    let second = signed.sign(&two).unwrap();
    assert_eq!((second.number, second.key), (2, 2));
    assert_eq!(signed.examine(), []);
    let view = keys(&signed.log(), None).unwrap();
    assert_eq!(
        view.keys.iter().map(|k| k.in_force).collect::<Vec<_>>(),
        [false, true]
    );
    assert!(matches!(
        rotate(&signed.store, &one, &two),
        Err(SigningError::OtherKey { .. })
    ));
}

#[test]
fn what_is_taken_out_or_put_in_among_the_checkpoints_is_found() {
    let attacks: [(&str, &str, VerifyKind); 9] = [
        (
            "two in the middle gone",
            "DELETE FROM checkpoints WHERE number IN (2, 3)",
            VerifyKind::CheckpointMissing,
        ),
        (
            "the first gone",
            "DELETE FROM checkpoints WHERE number = 1",
            VerifyKind::CheckpointMissing,
        ),
        (
            "two in the middle gone and the rest numbered anew",
            "DELETE FROM checkpoints WHERE number IN (2, 3); UPDATE checkpoints SET number = number - 2 WHERE number > 3",
            VerifyKind::SignatureForged,
        ),
        (
            "the last two gone after a rotation",
            "DELETE FROM checkpoints WHERE number >= 4",
            VerifyKind::CheckpointMissing,
        ),
        (
            "a size",
            "UPDATE checkpoints SET size = size + 1 WHERE number = 2",
            VerifyKind::SignatureForged,
        ),
        (
            "a note of another",
            "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE number = 1) WHERE number = 2",
            VerifyKind::SignatureForged,
        ),
        (
            "an entry of another",
            "UPDATE checkpoints SET entry = (SELECT entry FROM checkpoints WHERE number = 1) WHERE number = 2",
            VerifyKind::SignatureForged,
        ),
        (
            "a key's beginning",
            "UPDATE keys SET since = 2 WHERE number = 2",
            VerifyKind::KeyReplaced,
        ),
        (
            "no signature for the second key",
            "UPDATE keys SET introduced = NULL WHERE number = 2",
            VerifyKind::KeyReplaced,
        ),
    ];
    for (name, statements, kind) in attacks {
        let signed = Signed::new();
        let (one, two) = (signed.key(1), signed.key(2));
        for _ in 0..5 {
            signed.append(2);
            signed.sign(&one).unwrap();
        }
        rotate(&signed.store, &one, &two).unwrap();
        signed.append(2);
        signed.sign(&two).unwrap();
        assert_eq!(signed.examine(), [], "before: {name}");
        signed.tamper(statements);
        let found = signed.examine();
        assert!(found.contains(&kind), "{name}: {found:?}");
        assert!(
            matches!(signed.sign(&two), Err(SigningError::Inconsistent(_))),
            "{name}: nothing more is signed"
        );
    }
}

#[test]
fn a_replaced_key_is_found() {
    let signed = Signed::new();
    signed.append(2);
    signed.sign(&signed.key(1)).unwrap();
    let other = signed.key(9).verifying_key();
    signed.tamper(&format!("UPDATE keys SET vkey = '{other}'"));
    assert!(signed.examine().contains(&VerifyKind::SignatureForged));
}

#[test]
fn witnesses_cosign_and_others_do_not() {
    let signed = Signed::new();
    signed.append(2);
    let row = signed.sign(&signed.key(1)).unwrap();
    let witness = SigningKey::from_seed("witness.example/w1", [7; 32]).unwrap();
    let stranger = SigningKey::from_seed("stranger.example/w1", [8; 32]).unwrap();
    let mut back = crate::integrity::note::Note::parse(&row.note).unwrap();
    back.cosign(&witness, 1_706_000_000);
    back.cosign(&stranger, 1_706_000_000);
    let named = [witness.witness_key()];
    let (row, new) = add_cosignatures(&signed.store, &back.to_text(), &named).unwrap();
    assert_eq!((row.cosignatures, new), (1, 1));
    let (_, again) = add_cosignatures(&signed.store, &back.to_text(), &named).unwrap();
    assert_eq!(again, 0);
    assert!(row.note.contains("witness.example") && !row.note.contains("stranger"));
    let other = Signed::new();
    other.append(1);
    assert!(matches!(
        add_cosignatures(&other.store, &back.to_text(), &named),
        Err(SigningError::NoCheckpoint(_))
    ));
    assert_eq!(signed.examine(), []);
}

#[test]
fn a_proof_stands_on_the_first_checkpoint_that_covers_it() {
    let signed = Signed::new();
    let key = signed.key(1);
    signed.append(5);
    assert!(matches!(
        prove(&signed.log(), Position(2)),
        Err(SigningError::NoCheckpoint(_))
    ));
    signed.sign(&key).unwrap();
    signed.append(300);
    signed.sign(&key).unwrap();
    let log = signed.log();
    let known = [key.verifying_key()];
    for (position, size) in [(2, 5), (5, 5), (6, 305), (305, 305)] {
        let proof = prove(&log, Position(position)).unwrap();
        let read = LogProof::parse(&proof.to_text()).unwrap();
        assert_eq!(read.checkpoint.checkpoint.size, size);
        let leaf = log.event(Position(position)).unwrap().unwrap().leaf;
        assert!(read.verify(&leaf, &log.id().origin(), &known).is_ok());
        let elsewhere = read.verify(&leaf, "annals/other", &known);
        assert!(elsewhere.is_err(), "another log");
        let extra = read.extra.unwrap();
        use sha2::Digest;
        let hash: [u8; 32] = sha2::Sha256::new()
            .chain_update([0])
            .chain_update(extra)
            .finalize()
            .into();
        assert_eq!(hash, leaf.0, "the leaf goes along");
    }
    assert!(prove(&log, Position(306)).is_err());
}

fn file(folder: &Path) -> PathBuf {
    folder.join("keys/x-1.key")
}

#[test]
fn a_key_file_opens_with_its_passphrase_only_and_shows_any_change() {
    let signed = Signed::new();
    let path = file(signed.folder.path());
    let key = keyfile::create(
        &path,
        "annals/x",
        Some("correct horse"),
        &signed.surroundings.random,
    )
    .unwrap();
    let read = KeyFile::read(&path).unwrap();
    assert!(read.is_protected());
    assert_eq!(read.open(Some("correct horse")).unwrap().seed(), key.seed());
    assert!(matches!(
        read.open(Some("wrong")),
        Err(KeyFileError::WrongPassphrase { .. })
    ));
    assert!(matches!(
        read.open(None),
        Err(KeyFileError::NeedsPassphrase { .. })
    ));
    let again = keyfile::create(&path, "annals/x", None, &signed.surroundings.random);
    assert!(matches!(again, Err(KeyFileError::Exists { .. })));
    let good = std::fs::read_to_string(&path).unwrap();
    let other = SigningKey::from_seed("annals/x", [3; 32])
        .unwrap()
        .verifying_key()
        .to_string();
    let lines: Vec<&str> = good.lines().collect();
    let mutations: Vec<(&str, String)> = vec![
        ("another key", good.replacen(&lines[1][4..], &other, 1)),
        ("less work", good.replacen("19456 2 1", "19456 1 1", 1)),
        (
            "endless work",
            good.replacen("19456 2 1", "99999999 2 1", 1),
        ),
        ("no salt", good.replacen(lines[3], "salt", 1)),
        ("no nonce", good.replacen(lines[4], "nonce AAAA", 1)),
        ("another version", good.replacen("key/1", "key/2", 1)),
        ("cut off", good[..good.len() - 10].to_owned()),
        ("empty", String::new()),
        (
            "opened without a passphrase",
            format!(
                "{}\n{}\nopen {}\n",
                lines[0],
                lines[1],
                "A".repeat(43) + "="
            ),
        ),
        ("an unknown line", good.replacen("salt", "pepper", 1)),
    ];
    for (name, text) in mutations {
        assert_ne!(text, good, "{name} does something");
        std::fs::write(&path, text).unwrap();
        let opened = KeyFile::read(&path).and_then(|file| file.open(Some("correct horse")));
        assert!(opened.is_err(), "{name}");
    }
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    let binary = KeyFile::read(&path);
    assert!(matches!(binary, Err(KeyFileError::Malformed { .. })));
    let plain = signed.folder.path().join("plain.key");
    let key = keyfile::create(&plain, "annals/x", None, &signed.surroundings.random).unwrap();
    let read = KeyFile::read(&plain).unwrap();
    assert!(!read.is_protected());
    assert_eq!(read.open(None).unwrap().seed(), key.seed());
}

mod any_key_file {
    use std::path::Path;

    use proptest::prelude::*;

    use crate::signing::keyfile::KeyFile;

    /// Texts made of what key files are made of, so that some of them get far.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("annals-key/1\n".to_owned()),
            Just("key annals/x+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n".to_owned()),
            Just("open AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".to_owned()),
            Just("argon2id 4294967295 4294967295 1\n".to_owned()),
            Just("argon2id 8 1 1\n".to_owned()),
            Just("salt AA==\n".to_owned()),
            Just("sealed \n".to_owned()),
            ".{0,20}",
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn is_answered_and_never_asks_for_more_work_than_any(text in pieces()) {
            if let Ok(file) = KeyFile::parse(Path::new("x.key"), &text) {
                let _ = file.open(None);
            }
        }

        #[test]
        fn of_bytes_is_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("x.key");
            std::fs::write(&path, bytes).unwrap();
            prop_assert!(KeyFile::read(&path).is_err());
        }
    }
}
