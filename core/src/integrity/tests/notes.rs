//! Notes, checkpoints and proofs against other people's, and each refused in every way in which it can be wrong.
//!
//! A mutation is named after what is done to the good text; the name is in the message where one is taken.

use super::{datasets, leaf, leaves};
use crate::integrity::checkpoint::*;
use crate::integrity::note::*;
use crate::integrity::proof::*;
use crate::integrity::{Hash, tree};

/// The example of golang.org/x/mod/sumdb/note.
const GO_KEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const GO_SEED: &str = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
const GO_NOTE: &str = "If you think cryptography is the answer to your problem,\n\
    then you don't know what your problem is.\n\n\
    \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

/// The key of Tessera's test data.
const TESSERA: &str =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

const ORIGIN: &str = "annals/6f9619ff-8b86-d011-b42d-00c04fc964ff";

fn decode(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD
        .decode(text)
        .unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(ORIGIN, [seed; 32]).unwrap()
}

fn witness() -> SigningKey {
    SigningKey::from_seed("witness.example/w1", [9; 32]).unwrap()
}

/// A text with one thing done to it.
type Mutation = (&'static str, fn(&str) -> String);

#[test]
fn gos_example_note_is_made_and_read() {
    let seed: [u8; 32] = decode(GO_SEED)[1..].try_into().unwrap();
    let peter = SigningKey::from_seed("PeterNeumann", seed).unwrap();
    assert_eq!(peter.verifying_key().to_string(), GO_KEY);
    let read = Note::parse(GO_NOTE).unwrap();
    let mut made = Note::new(read.text()).unwrap();
    made.sign(&peter);
    assert_eq!(made.to_text(), GO_NOTE, "Ed25519 signs the same text alike");
    let signed = read.verify(&[GO_KEY.parse().unwrap()]).unwrap();
    assert_eq!((signed.len(), signed[0].id), (1, 0xc74f_20a3));
}

const NOTE_MUTATIONS: [Mutation; 14] = [
    ("a letter changed", |t| {
        t.replacen("cryptography", "cryptographY", 1)
    }),
    ("a line added", |t| t.replacen("\n\n", "\nmore\n\n", 1)),
    ("a line taken away", |t| {
        t.split_once('\n').unwrap().1.to_owned()
    }),
    ("an empty line before the text's end", |t| {
        t.replacen("\n\n", "\n\n\n", 1)
    }),
    ("no signature", |t| {
        t.split_once('\u{2014}').unwrap().0.to_owned()
    }),
    ("the signature cut off", |t| t.replacen("BwJnAM=", "", 1)),
    ("a bit of the signature turned", |t| {
        t.replacen("x08go/ZJ", "x08go/ZI", 1)
    }),
    ("another key id", |t| t.replacen("x08go/", "y08go/", 1)),
    ("another key name", |t| {
        t.replacen("\u{2014} PeterNeumann", "\u{2014} PeterNeuman", 1)
    }),
    ("a hyphen for the dash", |t| t.replacen('\u{2014}', "-", 1)),
    ("a space more", |t| t.replacen("\u{2014} ", "\u{2014}  ", 1)),
    ("no newline at the end", |t| t.trim_end().to_owned()),
    ("a carriage return", |t| t.replace('\n', "\r\n")),
    ("the signature without its padding", |t| {
        t.replacen("nAM=", "nAM", 1)
    }),
];

#[test]
fn a_note_is_refused_in_each_way_in_which_it_can_be_wrong() {
    let known = [GO_KEY.parse().unwrap()];
    for (name, mutate) in NOTE_MUTATIONS {
        let text = mutate(GO_NOTE);
        assert_ne!(text, GO_NOTE, "{name} does something");
        let taken = Note::parse(&text).and_then(|note| note.verify(&known));
        assert!(taken.is_err(), "{name}: {taken:?}");
    }
    let forged = Note::parse(&GO_NOTE.replacen("If", "Of", 1)).unwrap();
    assert!(forged.verify(&known).unwrap_err().is_forgery());
    let stranger = Note::parse(GO_NOTE)
        .unwrap()
        .verify(&[key(1).verifying_key()]);
    assert_eq!(stranger, Err(NoteError::Unsigned));
}

#[test]
fn a_key_is_refused_in_each_way_in_which_it_can_be_wrong() {
    let mutations: [Mutation; 11] = [
        ("another name", |t| t.replacen("Peter", "peter", 1)),
        ("a space in the name", |t| t.replacen("Peter", "Peter ", 1)),
        ("no name", |t| t.replacen("PeterNeumann", "", 1)),
        ("another id", |t| t.replacen("c74f20a3", "c74f20a4", 1)),
        ("a short id", |t| t.replacen("c74f20a3", "74f20a3", 1)),
        ("no id", |t| t.replacen("+c74f20a3", "", 1)),
        ("another algorithm", |t| t.replacen("+AR", "+Ah", 1)),
        ("a witness's algorithm under a log's id", |t| {
            t.replacen("+AR", "+BB", 1)
        }),
        ("the key cut off", |t| t.replacen("10TW", "", 1)),
        ("a letter of the key changed", |t| {
            t.replacen("10TW", "10TX", 1)
        }),
        ("not base64", |t| t.replacen("pc2", "p*2", 1)),
    ];
    for (name, mutate) in mutations {
        let text = mutate(GO_KEY);
        assert_ne!(text, GO_KEY, "{name} does something");
        let taken = text.parse::<VerifyingKey>();
        assert!(taken.is_err(), "{name}: {taken:?}");
    }
    for odd in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\u{7f}b"] {
        let made = SigningKey::from_seed(odd, [1; 32]);
        assert_eq!(made.err(), Some(NoteError::Name(odd.to_owned())));
    }
}

#[test]
fn tesseras_checkpoints_are_read_and_their_roots_are_those_of_its_leaves() {
    let folder = datasets().join("tlog/tessera-testdata/log");
    if !folder.exists() {
        use std::io::Write;
        let _ = writeln!(
            std::io::stderr(),
            "skipped: Tessera's test data are not here"
        );
        return;
    }
    let known = [TESSERA.parse().unwrap()];
    let tile = std::fs::read(folder.join("tile/0/000.p/15")).unwrap();
    let (hashes, []) = tile.as_chunks::<32>() else {
        panic!("a tile of whole hashes");
    };
    let all: Vec<Hash> = hashes.iter().map(|hash| Hash(*hash)).collect();
    for size in 0..=15u64 {
        let text = std::fs::read_to_string(folder.join(format!("checkpoint.{size}"))).unwrap();
        let read = SignedCheckpoint::parse(&text).unwrap();
        let signed = read.verify("example.com/log/testdata", &known);
        assert!(signed.is_ok(), "{size}: {signed:?}");
        assert_eq!(read.checkpoint.size, size);
        assert_eq!(
            read.checkpoint.root,
            tree::root(&all[..size as usize]),
            "{size}"
        );
        assert_eq!(read.note.to_text(), text, "written as it was read");
    }
}

/// A checkpoint of five leaves, signed by the log and seen by a witness.
fn checkpoint() -> SignedCheckpoint {
    let all = leaves(5);
    let mut signed = Checkpoint {
        origin: ORIGIN.into(),
        size: 5,
        root: tree::root(&all),
    }
    .sign(&key(1))
    .unwrap();
    signed.note.cosign(&witness(), 1_706_000_000);
    signed
}

const CHECKPOINT_MUTATIONS: [Mutation; 14] = [
    ("another log", |t| t.replacen("6f9619ff", "6f9619fe", 1)),
    ("another log everywhere", |t| {
        t.replace("6f9619ff", "6f9619fe")
    }),
    ("a larger size", |t| t.replacen("\n5\n", "\n6\n", 1)),
    ("a zero before the size", |t| {
        t.replacen("\n5\n", "\n05\n", 1)
    }),
    ("a sign before the size", |t| {
        t.replacen("\n5\n", "\n+5\n", 1)
    }),
    ("a space after the size", |t| {
        t.replacen("\n5\n", "\n5 \n", 1)
    }),
    ("no size", |t| t.replacen("\n5\n", "\n", 1)),
    ("a size beyond all", |t| {
        t.replacen("\n5\n", "\n99999999999999999999\n", 1)
    }),
    ("another root", |t| {
        let root = t.split('\n').nth(2).unwrap();
        t.replacen(root, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", 1)
    }),
    ("the root in hexadecimal", |t| {
        let root = t.split('\n').nth(2).unwrap();
        t.replacen(root, &"00".repeat(32), 1)
    }),
    ("an unknown line", |t| t.replacen("\n\n", "\nmore 1\n\n", 1)),
    ("an unknown line that is empty", |t| {
        t.replacen("\n\n", "\n\n\n", 1)
    }),
    ("no origin", |t| t.split_once('\n').unwrap().1.to_owned()),
    ("only the witness's signature", |t| {
        let mut lines: Vec<&str> = t.split('\n').collect();
        lines.remove(4);
        lines.join("\n")
    }),
];

#[test]
fn a_checkpoint_is_refused_in_each_way_in_which_it_can_be_wrong() {
    let known = [key(1).verifying_key(), witness().witness_key()];
    let good = checkpoint().note.to_text();
    let take = |text: &str, keys: &[VerifyingKey]| {
        SignedCheckpoint::parse(text)
            .map_err(CheckpointError::from)
            .and_then(|read| read.verify(ORIGIN, keys))
    };
    let signed = take(&good, &known).unwrap();
    assert_eq!(signed[1].cosigned_at_s, Some(1_706_000_000));
    for (name, mutate) in CHECKPOINT_MUTATIONS {
        let text = mutate(&good);
        assert_ne!(text, good, "{name} does something");
        let taken = take(&text, &known);
        assert!(taken.is_err(), "{name}: {taken:?}");
    }
    let log = checkpoint();
    let other = log.checkpoint.clone().sign(&key(2)).unwrap();
    let replaced = take(&other.note.to_text(), &known);
    assert_eq!(replaced, Err(NoteError::Unsigned.into()), "key replaced");
    // The key's 32 bytes under the witness's algorithm are another key.
    let as_witness = [key(1).witness_key()];
    assert!(take(&good, &as_witness).is_err(), "another algorithm");
}

#[test]
fn a_cosignature_is_refused_in_each_way_in_which_it_can_be_wrong() {
    let known = [key(1).verifying_key(), witness().witness_key()];
    let good = checkpoint();
    let cosigned = good.note.signatures()[1].bytes.clone();
    for (name, at) in [("its time", 7), ("its signature", 12), ("its end", 71)] {
        let mut bytes = cosigned.clone();
        bytes[at] ^= 1;
        let taken = replaced(&good, bytes).verify(ORIGIN, &known);
        assert!(
            matches!(taken, Err(CheckpointError::Note(NoteError::Forged { .. }))),
            "{name}: {taken:?}"
        );
    }
    for (name, bytes) in [
        ("no time", cosigned[8..].to_vec()),
        ("cut off", cosigned[..71].to_vec()),
        ("one byte more", [&cosigned[..], &[0]].concat()),
        ("only a time", cosigned[..8].to_vec()),
        ("a time beyond all", [&[0xff; 8], &cosigned[8..]].concat()),
    ] {
        let taken = replaced(&good, bytes).verify(ORIGIN, &known);
        assert!(taken.is_err(), "{name}: {taken:?}");
    }
    // The witness signs the text as a log would: another kind of signature.
    let mut plain = good.clone();
    plain.note = Note::new(good.note.text()).unwrap();
    plain.note.sign(&key(1));
    plain.note.sign(&witness());
    let signed = plain.verify(ORIGIN, &known).unwrap();
    assert_eq!(signed.len(), 1, "it counts as unknown");
    // A log that cosigns its own checkpoint has not signed it.
    let mut own = good.clone();
    own.note = Note::new(good.note.text()).unwrap();
    own.note.cosign(&key(1), 1);
    let taken = own.verify(ORIGIN, &[key(1).witness_key()]);
    assert!(taken.is_err(), "{taken:?}");
}

/// The checkpoint with other bytes in its second signature.
fn replaced(good: &SignedCheckpoint, bytes: Vec<u8>) -> SignedCheckpoint {
    use base64::Engine;
    let old = &good.note.signatures()[1];
    let encode = |bytes: &[u8]| {
        let signed = [&old.id.to_be_bytes(), bytes].concat();
        base64::engine::general_purpose::STANDARD.encode(signed)
    };
    let text = good.note.to_text();
    let text = text.replacen(&encode(&old.bytes), &encode(&bytes), 1);
    SignedCheckpoint::parse(&text).unwrap()
}

#[test]
fn signatures_are_gathered_from_copies_of_one_text() {
    let mut log = checkpoint();
    let known = [key(1).verifying_key(), witness().witness_key()];
    let mut second = log.clone();
    second.note.cosign(&witness(), 1_706_000_100);
    log.note.take_signatures(&second.note).unwrap();
    log.note.take_signatures(&second.note).unwrap();
    assert_eq!(log.verify(ORIGIN, &known).unwrap().len(), 3, "each once");
    let mut other = Checkpoint {
        size: 4,
        ..log.checkpoint.clone()
    }
    .sign(&key(1))
    .unwrap();
    assert!(log.note.take_signatures(&other.note).is_err());
    assert!(other.note.take_signatures(&log.note).is_err());
}

fn proof() -> LogProof {
    LogProof {
        extra: None,
        index: 3,
        hashes: tree::inclusion_proof(&leaves(5), 3).unwrap(),
        checkpoint: checkpoint(),
    }
}

const PROOF_MUTATIONS: [Mutation; 15] = [
    ("another first line", |t| t.replacen("@v1", "@v2", 1)),
    ("another index", |t| t.replacen("index 3", "index 2", 1)),
    ("an index outside", |t| t.replacen("index 3", "index 5", 1)),
    ("a zero before the index", |t| {
        t.replacen("index 3", "index 03", 1)
    }),
    ("no index", |t| t.replacen("index 3\n", "", 1)),
    ("an index twice", |t| {
        t.replacen("index 3\n", "index 3\nindex 3\n", 1)
    }),
    ("an unknown line", |t| {
        t.replacen("index 3\n", "index 3\nmore 1\n", 1)
    }),
    ("extra after the index", |t| {
        t.replacen("index 3\n", "index 3\nextra AAAA\n", 1)
    }),
    ("extra that is not base64", |t| {
        t.replacen("index 3\n", "extra A\nindex 3\n", 1)
    }),
    ("a hash left out", |t| {
        let mut lines: Vec<&str> = t.split('\n').collect();
        lines.remove(2);
        lines.join("\n")
    }),
    ("a hash doubled", |t| {
        let mut lines: Vec<&str> = t.split('\n').collect();
        lines.insert(2, lines[2]);
        lines.join("\n")
    }),
    ("hashes swapped", |t| {
        let mut lines: Vec<&str> = t.split('\n').collect();
        lines.swap(2, 3);
        lines.join("\n")
    }),
    ("no empty line", |t| t.replacen("\n\n", "\n", 1)),
    ("another log's checkpoint", |t| {
        t.replacen("6f9619ff", "6f9619fe", 1)
    }),
    ("bytes after its end", |t| format!("{t}more\n")),
];

#[test]
fn a_proof_is_refused_in_each_way_in_which_it_can_be_wrong() {
    let known = [key(1).verifying_key()];
    let take = |text: &str, leaf: &Hash| {
        LogProof::parse(text).and_then(|proof| proof.verify(leaf, ORIGIN, &known))
    };
    let good = proof().to_text();
    assert_eq!(LogProof::parse(&good).unwrap(), proof());
    assert!(take(&good, &leaf(3)).is_ok());
    assert!(take(&good, &leaf(2)).is_err(), "another event");
    for (name, mutate) in PROOF_MUTATIONS {
        let text = mutate(&good);
        assert_ne!(text, good, "{name} does something");
        let taken = take(&text, &leaf(3));
        assert!(taken.is_err(), "{name}: {taken:?}");
    }
    let with_leaf = LogProof {
        extra: Some(b"leaf".to_vec()),
        ..proof()
    };
    assert_eq!(LogProof::parse(&with_leaf.to_text()).unwrap(), with_leaf);
    let long = good.replacen(
        "index 3\n",
        &format!(
            "index 3\n{}",
            format!("{}\n", "A".repeat(43) + "=").repeat(65)
        ),
        1,
    );
    assert_eq!(
        LogProof::parse(&long),
        Err(ProofError::Malformed("it has more than 64 hashes"))
    );
}

mod any_bytes {
    use super::*;
    use proptest::prelude::*;

    /// Texts made of what notes are made of, so that some of them get far.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("annals/x\n".to_owned()),
            Just("\n".to_owned()),
            Just("7\n".to_owned()),
            Just(format!("{MAGIC}\n")),
            Just("index 0\n".to_owned()),
            Just("extra AA==\n".to_owned()),
            Just("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n".to_owned()),
            Just("\u{2014} annals/x AAAAAAAA\n".to_owned()),
            Just(GO_NOTE.to_owned()),
            ".{0,12}",
        ];
        proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_text_is_answered_and_what_is_read_is_written_as_it_was(text in pieces()) {
            if let Ok(note) = Note::parse(&text) {
                prop_assert_eq!(note.to_text(), text.as_str());
                prop_assert!(note.verify(&[]).is_err());
            }
            if let Ok(signed) = SignedCheckpoint::parse(&text) {
                prop_assert_eq!(signed.checkpoint.to_text(), signed.note.text());
                prop_assert!(signed.verify("annals/x", &[]).is_err());
            }
            if let Ok(proof) = LogProof::parse(&text) {
                prop_assert_eq!(LogProof::parse(&proof.to_text()), Ok(proof.clone()));
                prop_assert!(proof.verify(&leaf(0), "annals/x", &[]).is_err());
            }
            if let Ok(key) = text.parse::<VerifyingKey>() {
                prop_assert_eq!(key.to_string().parse(), Ok(key));
            }
        }

        #[test]
        fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = String::from_utf8_lossy(&bytes);
            let _ = (Note::parse(&text), SignedCheckpoint::parse(&text), LogProof::parse(&text));
            let _ = text.parse::<VerifyingKey>();
        }

        #[test]
        fn one_changed_character_of_a_note_is_never_signed_by_its_key(at in 0usize..200, with in any::<char>()) {
            let mut text: Vec<char> = GO_NOTE.chars().collect();
            let at = at % text.len();
            prop_assume!(text[at] != with);
            text[at] = with;
            let text: String = text.into_iter().collect();
            let key: VerifyingKey = GO_KEY.parse().unwrap();
            let good = Note::parse(&text).and_then(|note| note.verify(&[key]));
            prop_assert!(good.is_err(), "{text}");
        }
    }
}
