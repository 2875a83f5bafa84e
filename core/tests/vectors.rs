//! The leaf and the tree against `docs/formats/vectors.json`, which an independent script computes.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use annals_core::event::{NewEvent, NewLink, Part, Payload, SourceFields};
use annals_core::id::{Category, EventId, EventType, StreamId};
use annals_core::integrity::leaf::{Identity, Leaf, NO_METADATA, TimeFlags, hash_part};
use annals_core::integrity::{Hash, tree};
use annals_core::store::{EventQuery, ExpectedVersion, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use annals_core::time::{SourceTime, Time};
use serde_json::Value;

fn formats() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/formats")
}

fn vectors() -> Value {
    serde_json::from_slice(&std::fs::read(formats().join("vectors.json")).unwrap()).unwrap()
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().unwrap();
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(pair).collect()
}

fn hash(hex: &Value) -> Hash {
    hex.as_str().unwrap().parse().unwrap()
}

fn time(pair: &Value) -> Time {
    let (us, ns) = (pair[0].as_i64().unwrap(), pair[1].as_u64().unwrap());
    Time::from_parts(us, u16::try_from(ns).unwrap()).unwrap()
}

fn optional(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[test]
fn leaves_have_the_bytes_that_the_script_computes() {
    let vectors = vectors();
    for vector in vectors["leaves"].as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        let event = &vector["event"];
        let text = |key: &str| event[key].as_str();
        let mut links: Vec<(&str, u64, &str)> = event["links"]
            .as_array()
            .unwrap()
            .iter()
            .map(|l| {
                (
                    l[0].as_str().unwrap(),
                    l[1].as_u64().unwrap(),
                    l[2].as_str().unwrap(),
                )
            })
            .collect();
        links.sort_unstable();
        let recorded = &event["source_recorded_at"];
        let mut identity = Vec::new();
        Identity {
            id: text("id").unwrap(),
            stream: text("stream").unwrap(),
            category: text("category").unwrap(),
            links: &links,
            source: text("source"),
            source_id: text("source_id"),
            source_version: text("source_version"),
            source_position: text("source_position"),
            source_recorded_at: (!recorded.is_null()).then(|| time(recorded)),
        }
        .encode(&mut identity);
        assert_eq!(
            identity,
            bytes(&vector["identity_bytes"]),
            "identity of {name}"
        );
        let salt = |at: usize| <[u8; 16]>::try_from(bytes(&vector["salts"][at])).unwrap();
        let leaf = Leaf {
            event_type: text("type").unwrap(),
            version: event["version"].as_u64().unwrap(),
            time: time(&event["time"]),
            time_flags: TimeFlags(u8::try_from(event["time_flags"].as_u64().unwrap()).unwrap()),
            time_text: text("time_text"),
            recorded_us: event["recorded_us"].as_i64().unwrap(),
            schema_version: text("schema_version"),
            data_type: text("data_type").unwrap(),
            metadata_type: text("metadata_type"),
            identity: hash_part(Part::Identity, &salt(0), &identity),
            data: hash_part(Part::Data, &salt(1), text("data").unwrap().as_bytes()),
            metadata: match text("metadata") {
                None => NO_METADATA,
                Some(metadata) => hash_part(Part::Metadata, &salt(2), metadata.as_bytes()),
            },
        };
        assert_eq!(
            leaf.identity,
            hash(&vector["identity_hash"]),
            "identity of {name}"
        );
        assert_eq!(leaf.data, hash(&vector["data_hash"]), "data of {name}");
        assert_eq!(
            leaf.metadata,
            hash(&vector["metadata_hash"]),
            "metadata of {name}"
        );
        let mut encoded = Vec::new();
        leaf.encode(&mut encoded);
        assert_eq!(encoded, bytes(&vector["leaf_bytes"]), "leaf of {name}");
        assert_eq!(
            leaf.hash(),
            hash(&vector["leaf_hash"]),
            "leaf hash of {name}"
        );
    }
}

#[test]
fn roots_are_those_that_the_script_computes() {
    use sha2::{Digest, Sha256};
    let leaf = |n: u64| {
        let hash = Sha256::new().chain_update([0]).chain_update(n.to_string());
        Hash(hash.finalize().into())
    };
    for vector in vectors()["roots"]["of"].as_array().unwrap() {
        let size = vector["size"].as_u64().unwrap();
        let leaves: Vec<Hash> = (0..size).map(leaf).collect();
        assert_eq!(tree::root(&leaves), hash(&vector["root"]), "size {size}");
    }
}

/// Surroundings that hand out the seeds of the vectors, after 16 bytes for the log's id.
fn with_seeds(events: &[Value]) -> Surroundings {
    let mut seeds: Vec<u8> = vec![0; 16];
    for event in events {
        seeds.extend(bytes(&event["seed"]));
    }
    let left = Mutex::new(seeds);
    Surroundings {
        clock: Arc::new(|| Time::from_parts(1_705_276_800_000_000, 0).unwrap()),
        random: Arc::new(move |out| {
            let mut left = left.lock().unwrap();
            let rest = left.split_off(out.len());
            out.copy_from_slice(&left);
            *left = rest;
        }),
    }
}

#[test]
fn a_log_has_the_root_that_the_script_computes() {
    let vectors = vectors();
    let log = vectors["log"]["events"].as_array().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.annals");
    let writer = LogWriter::create(&path, with_seeds(log)).unwrap();
    for vector in log {
        let event = &vector["event"];
        let payload = |text: &str, kind: &str| {
            event[text].as_str().map(|bytes| Payload {
                content_type: event[kind].as_str().unwrap().into(),
                bytes: bytes.into(),
            })
        };
        let new = NewEvent {
            id: Some(EventId::new(event["id"].as_str().unwrap()).unwrap()),
            event_type: EventType::new(event["type"].as_str().unwrap()).unwrap(),
            time: Some(SourceTime {
                text: optional(&event["time_text"]),
                ..SourceTime::unwritten(time(&event["time"]))
            }),
            schema_version: optional(&event["schema_version"]),
            data: payload("data", "data_type").unwrap(),
            metadata: payload("metadata", "metadata_type"),
            source: SourceFields::default(),
            links: event["links"]
                .as_array()
                .unwrap()
                .iter()
                .map(|link| NewLink {
                    stream: StreamId::new(link[0].as_str().unwrap()).unwrap(),
                    qualifier: link[2].as_str().unwrap().into(),
                })
                .collect(),
        };
        let appended = writer
            .append(vec![StreamAppend {
                stream: StreamId::new(event["stream"].as_str().unwrap()).unwrap(),
                category: Some(Category::new(event["category"].as_str().unwrap()).unwrap()),
                expected: ExpectedVersion::Any,
                events: vec![new],
            }])
            .unwrap();
        assert_eq!(
            appended.events[0].version.0,
            event["version"].as_u64().unwrap()
        );
    }
    let log_read = writer.log();
    for (event, vector) in log_read
        .events(&EventQuery::default(), 99)
        .unwrap()
        .events
        .iter()
        .zip(log)
    {
        assert_eq!(
            event.leaf,
            hash(&vector["leaf_hash"]),
            "position {}",
            event.position
        );
    }
    assert_eq!(log_read.head().unwrap().root, hash(&vectors["log"]["root"]));
    writer.close().unwrap();
    assert_eq!(python(&[path.to_str().unwrap()]).unwrap_or_default(), "");
}

#[test]
fn the_script_computes_the_vectors_and_verifies_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.annals");
    let writer = LogWriter::create(&path, Surroundings::system()).unwrap();
    let mut bulk = writer
        .bulk("file", &annals_core::store::Extraction::standard())
        .unwrap();
    for n in 0..700 {
        let mut event = NewEvent::json("Größe", &format!("{{\"n\":{n}.0}}")).unwrap();
        event.metadata = (n % 3 == 0).then(|| Payload::json(r#"{"by":"x"}"#).unwrap());
        let times = [
            "1999-12-31",
            "1969-12-31T23:59:59.999999999Z",
            "0999-01-02T03:04:05Z",
            "2024-02-29T00:00:00.120Z",
            "2024-02-29T00:00:00.12+00:00",
        ];
        let text = times.get(n % 7);
        event.time = text.map(|text| SourceTime::parse(text, chrono_tz::UTC).unwrap());
        if n % 4 == 0 {
            let own = format!("018d0c2a-7e1f-7abc-8def-{n:012x}");
            event.source.source_id = Some(own.clone());
            event.id = Some(EventId::new(own).unwrap());
        }
        event.links = (n % 5 == 0)
            .then(|| NewLink {
                stream: StreamId::new("z").unwrap(),
                qualifier: "q".into(),
            })
            .into_iter()
            .collect();
        bulk.add(&StreamId::new(format!("s-{}", n % 9)).unwrap(), None, event)
            .unwrap();
    }
    bulk.commit().unwrap();
    writer.close().unwrap();
    let Some(wrong) = python(&["--check"]) else {
        return;
    };
    assert_eq!(wrong, "");
    assert_eq!(python(&[path.to_str().unwrap()]).unwrap(), "");
    // And it does see a change.
    let editor = rusqlite::Connection::open(&path).unwrap();
    editor
        .execute_batch(
            "DROP TRIGGER events_update; UPDATE events SET data = '{}' WHERE position = 300",
        )
        .unwrap_err();
    editor
        .execute_batch("UPDATE events SET data = x'7b7d' WHERE position = 300")
        .unwrap();
    drop(editor);
    let wrong = python(&[path.to_str().unwrap()]).unwrap();
    assert!(wrong.starts_with("position 300: "), "{wrong}");
}

/// Runs the script; what it complains of, or `None` where there is no python3.
fn python(arguments: &[&str]) -> Option<String> {
    let script = formats().join("vectors.py");
    match Command::new("python3").arg(script).args(arguments).output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(_) => {
            #[allow(clippy::print_stderr, reason = "a skipped test says so")]
            {
                eprintln!("skipped: no python3");
            }
            None
        }
    }
}
