//! Proofs from a log's stored tiles are those of the definition.

use super::{reference_root, root};
use crate::event::NewEvent;
use crate::id::StreamId;
use crate::integrity::Hash;
use crate::integrity::tree::*;
use crate::position::Position;
use crate::store::{ExpectedVersion, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::Time;

/// A log of so many events, and their leaves.
fn log(events: u64) -> (tempfile::TempDir, LogWriter, Vec<Hash>) {
    let folder = tempfile::tempdir().unwrap();
    let now = Time::parse_rfc3339("2024-01-15T00:00:00Z").unwrap();
    let path = folder.path().join("a.annals");
    let writer = LogWriter::create(&path, Surroundings::fixed(now, 1)).unwrap();
    let event = |n: u64| NewEvent::json("Counted", &format!(r#"{{"n":{n}}}"#)).unwrap();
    writer
        .append(vec![StreamAppend {
            stream: StreamId::new("count-1").unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: (0..events).map(event).collect(),
        }])
        .unwrap();
    let leaves = writer.log().leaves(Position(1), Position(events)).unwrap();
    (folder, writer, leaves)
}

#[test]
fn proofs_from_tiles_agree_with_the_definition() {
    // Three full tiles and a part of one; the tile above them is not full.
    let (_folder, writer, leaves) = log(900);
    let log = writer.log();
    for size in [1, 2, 255, 256, 257, 511, 512, 700, 768, 899, 900u64] {
        let tree = &leaves[..size as usize];
        let head = root(tree);
        assert_eq!(head, reference_root(tree));
        assert_eq!(log.root_at(Position(size)).unwrap(), Some(head));
        for index in [0, 1, 2, 254, 255, 256, 300, 511, 512, 767, 768, 898, 899u64] {
            let proof = log.inclusion_proof(Position(index + 1), Position(size));
            match inclusion_proof(tree, index) {
                Some(want) => assert_eq!(proof.unwrap(), want, "{index} of {size}"),
                None => assert!(proof.is_err(), "{index} of {size}"),
            }
            let proof = log.consistency_proof(Position(index), Position(size));
            match consistency_proof(tree, index) {
                Some(want) => assert_eq!(proof.unwrap(), want, "{index} to {size}"),
                None => assert!(proof.is_err(), "{index} to {size}"),
            }
            let last = (index + 40).min(size);
            let proof = log.range_proof(Position(index + 1), Position(last), Position(size));
            match range_proof(tree, index..last) {
                Some(want) => assert_eq!(proof.unwrap(), want, "{index}..{last} of {size}"),
                None => assert!(proof.is_err(), "{index}..{last} of {size}"),
            }
        }
    }
    assert!(
        log.inclusion_proof(Position(1), Position(901)).is_err(),
        "beyond the end"
    );
    assert!(
        log.inclusion_proof(Position(0), Position(900)).is_err(),
        "no position 0"
    );
    assert!(
        log.leaves(Position(890), Position(901)).is_err(),
        "beyond the end"
    );
}
