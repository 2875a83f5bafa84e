//! Packages that are right, and every way that we know of in which one can be wrong: by somebody who found it, and by
//! a maker who has the key and means harm.

mod page;

use std::path::Path;

use super::make::{EvidenceError, EvidenceRequest, make};
use super::manifest::{FileClaim, Manifest, Others, Withheld};
use super::names;
use super::opened::Opened;
use super::range::{PartShown, Range, RangeWriter};
use super::rows::Rows;
use super::verify::{Trust, sha256, signed_text, verify};
use super::view::{
    EvidenceFindingKind as Kind, EvidenceOutcome as Outcome, EvidenceReport, EvidenceVerification,
};
use super::zip::{Archive, Writer};
use crate::event::{NewEvent, NewLink, Part, Payload};
use crate::id::{Actor, Category, EventType, StreamId};
use crate::integrity::checkpoint::{Checkpoint, SignedCheckpoint};
use crate::integrity::note::{Note, SigningKey};
use crate::position::Position;
use crate::progress::WorkProgress;
use crate::store::{EventQuery, ExpectedVersion, Extraction, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::time::{SourceTime, Time};

fn guide(folder: &Path) -> Log {
    let store = folder.join("guide.annals");
    crate::sample::guide(&store).unwrap();
    Log::explore(&store).unwrap()
}

fn key(log: &Log) -> SigningKey {
    SigningKey::from_seed(&log.id().origin(), [7; 32]).unwrap()
}

fn at() -> Time {
    Time::parse_rfc3339("2024-02-01T00:00:00Z").unwrap()
}

fn of_stream(name: &str) -> EventQuery {
    EventQuery {
        stream: Some(StreamId::new(name).unwrap()),
        ..EventQuery::default()
    }
}

fn made(log: &Log, request: &EvidenceRequest) -> (Vec<u8>, EvidenceReport) {
    make(log, request, &key(log), &WorkProgress::default()).unwrap()
}

fn checked(bytes: &[u8], trust: &Trust) -> EvidenceVerification {
    verify(bytes, trust, &WorkProgress::default()).unwrap()
}

fn trusting(log: &Log) -> Trust {
    Trust {
        keys: vec![key(log).verifying_key()],
        ..Trust::default()
    }
}

fn kinds(answer: &EvidenceVerification) -> Vec<Kind> {
    answer.findings.iter().map(|finding| finding.kind).collect()
}

/// A package taken apart.
#[derive(Clone)]
struct Apart {
    files: Vec<(String, Vec<u8>)>,
}

impl Apart {
    fn take(package: &[u8]) -> Apart {
        let archive = Archive::read(package).unwrap();
        let names: Vec<String> = archive.names().map(str::to_owned).collect();
        let files = names
            .into_iter()
            .map(|name| {
                let bytes = archive.file(&name).unwrap().unwrap();
                (name, bytes)
            })
            .collect();
        Apart { files }
    }

    fn together(&self) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (name, bytes) in &self.files {
            writer.add(name, bytes).unwrap();
        }
        writer.finish().unwrap()
    }

    fn get(&mut self, name: &str) -> &mut Vec<u8> {
        let found = self.files.iter_mut().find(|(n, _)| n == name);
        &mut found.unwrap().1
    }

    fn text(&mut self, name: &str, from: &str, to: &str) {
        let bytes = self.get(name);
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from), "{from:?} is not in {name}: {text}");
        *bytes = text.replacen(from, to, 1).into_bytes();
    }

    fn manifest(&mut self) -> Manifest {
        Manifest::read(self.get(names::MANIFEST)).unwrap()
    }

    /// Writes and signs the manifest again, as a maker who has the key can, over the files as they are now.
    fn sign(&mut self, mut manifest: Manifest, key: &SigningKey) {
        manifest.files = self
            .files
            .iter()
            .filter(|(name, _)| name != names::MANIFEST && name != names::MANIFEST_NOTE)
            .map(|(name, bytes)| FileClaim {
                name: name.clone(),
                size: bytes.len() as u64,
                sha256: sha256(bytes),
            })
            .collect();
        let bytes = manifest.write().unwrap();
        self.sign_bytes(&manifest.log, bytes, key);
    }

    fn sign_bytes(&mut self, log: &str, manifest: Vec<u8>, key: &SigningKey) {
        let mut note = Note::new(&signed_text(log, &manifest)).unwrap();
        note.sign(key);
        *self.get(names::MANIFEST) = manifest;
        *self.get(names::MANIFEST_NOTE) = note.to_text().into_bytes();
    }

    /// Rewrites the range proof and everything that follows from it.
    fn rewrite(&mut self, key: &SigningKey, change: impl Fn(u64, &mut super::range::Shown<'_>)) {
        let bytes = self.get(names::RANGE).clone();
        let range = Range::read(&bytes).unwrap();
        let mut writer = RangeWriter::new(range.size, range.first, range.last);
        for shown in &range.shown {
            let mut shown = *shown;
            change(shown.position.0, &mut shown);
            writer.show(&shown);
        }
        let bytes = writer.finish(&range.hashes);
        let range = Range::read(&bytes).unwrap();
        let mut manifest = self.manifest();
        let rules: Vec<_> = manifest
            .extraction
            .iter()
            .map(|rule| Extraction::from(rule.clone()).prepare())
            .collect();
        let mut rows = Rows::begin().unwrap();
        (manifest.counts.rows, manifest.counts.opened) = (0, 0);
        for shown in &range.shown {
            match shown.row {
                true => manifest.counts.rows += 1,
                false => manifest.counts.opened += 1,
            }
            if shown.row
                && let Ok(opened) = Opened::read(shown, &rules)
            {
                rows.add(&opened).unwrap();
            }
        }
        manifest.counts.erased = rows.erased;
        (manifest.types, manifest.sums) = (rows.types(), rows.sums().0);
        manifest.rows = rows.ids;
        *self.get(names::ROWS_JSONL) = rows.jsonl;
        *self.get(names::ROWS_CSV) = rows.csv;
        *self.get(names::RANGE) = bytes.clone();
        self.sign(manifest, key);
    }
}

#[test]
fn packages_of_every_scope_verify_and_say_what_they_cannot_show() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let size = log.head().unwrap().size.0;
    let stream = "order-789";
    let all = EventQuery::default();
    let category = EventQuery {
        category: Some(Category::new("order").unwrap()),
        ..all.clone()
    };
    let typed = EventQuery {
        event_type: Some(EventType::new("OrderPlaced").unwrap()),
        ..all.clone()
    };
    let actor = log.actors(1).unwrap()[0].name.clone();
    let by = EventQuery {
        actor: Some(Actor::new(actor).unwrap()),
        ..all.clone()
    };
    let late = EventQuery {
        from: Some(Time::parse_rfc3339("2024-01-15T00:00:00Z").unwrap()),
        ..all.clone()
    };
    let mut packages = page::Packages::default();
    // Whether everything is shown: with what is opened by default.
    for (query, complete) in [
        (all, true),
        (of_stream(stream), true),
        (category, true),
        (typed, true),
        (late, true),
        (by, false),
        (of_stream("no-such"), true),
    ] {
        for others in [
            None,
            Some(Others::None),
            Some(Others::Leaf),
            Some(Others::Payload),
        ] {
            for withheld in [
                Withheld::default(),
                Withheld {
                    identity: true,
                    ..Withheld::default()
                },
                Withheld {
                    data: true,
                    metadata: true,
                    ..Withheld::default()
                },
                Withheld {
                    paths: vec!["data.customerId".into(), "metadata.userId".into()],
                    ..Withheld::default()
                },
            ] {
                let request = EvidenceRequest {
                    others,
                    withheld: withheld.clone(),
                    ..EvidenceRequest::of(query.clone(), at())
                };
                let (package, report) = made(&log, &request);
                let answer = checked(&package, &trusting(&log));
                assert_eq!(answer.findings, [], "{query:?} {others:?} {withheld:?}");
                assert_eq!(answer.outcome, Outcome::Intact);
                assert_eq!(answer.tree_size, size);
                packages.add(&format!("scope_{}", packages.count()), &package, &answer);
                let facts = answer.facts.unwrap();
                assert!(facts.key_known);
                assert_eq!(facts.counts.rows, log.count(&query).unwrap());
                assert_eq!(facts.counts.range, size);
                if others.is_none() && !withheld.identity {
                    assert_eq!(facts.unproven == 0, complete, "{query:?}");
                }
                if others == Some(Others::Payload) && !withheld.identity {
                    assert_eq!(facts.unproven, 0, "{query:?}");
                }
                if others == Some(Others::None) {
                    assert_eq!(facts.unproven, size - facts.counts.rows);
                    assert_eq!(report.identities_of_others, 0);
                }
                assert_eq!(
                    answer
                        .not_checked
                        .iter()
                        .any(|n| n.contains("in the range match")),
                    facts.unproven > 0
                );
                // What is withheld is nowhere in it.
                let mut apart = Apart::take(&package);
                for (name, bytes) in &mut apart.files {
                    let text = String::from_utf8_lossy(bytes);
                    if withheld.identity {
                        assert!(!text.contains("account-12345"), "{name}");
                    }
                    if !withheld.paths.is_empty()
                        && others != Some(Others::Payload)
                        && name != names::MANIFEST
                    {
                        assert!(!text.contains("\"customerId\":\""), "{name}");
                    }
                }
            }
        }
    }
    packages.agree(&log);
}

#[test]
fn a_range_has_ends_and_nothing_beyond_them_is_claimed() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    for (first, known, count) in [(1, 10, 10), (5, 10, 6), (52, 99, 1), (3, 2, 0)] {
        let query = EventQuery {
            known: Some(Position(known)),
            ..EventQuery::default()
        };
        let request = EvidenceRequest {
            first: Position(first),
            ..EvidenceRequest::of(query, at())
        };
        let (package, _) = made(&log, &request);
        let answer = checked(&package, &trusting(&log));
        assert_eq!(answer.findings, []);
        assert_eq!(answer.facts.unwrap().counts.rows, count);
    }
    for (first, known) in [(0, 5), (99, 99), (9, 7)] {
        let query = EventQuery {
            known: Some(Position(known)),
            ..EventQuery::default()
        };
        let request = EvidenceRequest {
            first: Position(first),
            ..EvidenceRequest::of(query, at())
        };
        let refused = make(&log, &request, &key(&log), &WorkProgress::default());
        assert!(
            matches!(refused, Err(EvidenceError::NoRange { .. })),
            "{first} {known}"
        );
    }
}

/// Ways in which somebody who found a package changes it; each with a finding that it must raise.
#[test]
fn whatever_is_changed_without_the_key_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let request = EvidenceRequest {
        attachments: vec![("letter.txt".into(), b"dear auditor".to_vec())],
        report: vec![("report.html".into(), b"<p>hello</p>".to_vec())],
        operator: Some("Ada".into()),
        ..EvidenceRequest::of(of_stream("order-789"), at())
    };
    let (package, _) = made(&log, &request);
    assert_eq!(checked(&package, &trusting(&log)).findings, []);
    let apart = Apart::take(&package);
    let other_key = SigningKey::from_seed(&log.id().origin(), [8; 32]).unwrap();
    type Change<'c> = &'c dyn Fn(&mut Apart);
    let changes: &[(&str, Kind, Change<'_>)] = &[
        ("row_left_out_of_rows", Kind::RowsDiffer, &|a| {
            let bytes = a.get(names::ROWS_JSONL);
            let end = bytes.iter().position(|b| *b == b'\n').unwrap();
            bytes.drain(..=end);
        }),
        ("row_doubled", Kind::RowsDiffer, &|a| {
            let bytes = a.get(names::ROWS_JSONL);
            let end = bytes.iter().position(|b| *b == b'\n').unwrap();
            let line = bytes[..=end].to_vec();
            bytes.extend_from_slice(&line);
        }),
        ("rows_swapped", Kind::RowsDiffer, &|a| {
            let text = String::from_utf8(a.get(names::ROWS_JSONL).clone()).unwrap();
            let mut lines: Vec<&str> = text.lines().collect();
            lines.swap(0, 1);
            *a.get(names::ROWS_JSONL) = (lines.join("\n") + "\n").into_bytes();
        }),
        ("row_in_csv_changed", Kind::RowsDiffer, &|a| {
            a.text(names::ROWS_CSV, "order-789", "order-788")
        }),
        ("total_changed", Kind::ManifestChanged, &|a| {
            a.text(names::MANIFEST, "\"sum\":\"", "\"sum\":\"1")
        }),
        ("count_changed", Kind::ManifestChanged, &|a| {
            a.text(names::MANIFEST, "\"rows\":", "\"rows\":1")
        }),
        ("filter_changed", Kind::ManifestChanged, &|a| {
            a.text(names::MANIFEST, "order-789", "order-788")
        }),
        ("reading_changed", Kind::ReadingDiffers, &|a| {
            a.text(names::MANIFEST, "of the stream", "of a stream");
        }),
        ("query_changed", Kind::FileChanged, &|a| {
            a.text(names::QUERY, "order-789", "order-788")
        }),
        ("operator_changed", Kind::ManifestChanged, &|a| {
            a.text(names::MANIFEST, "Ada", "Bob")
        }),
        ("custody_changed", Kind::CustodyBroken, &|a| {
            a.text(names::CUSTODY, "Ada", "Bob")
        }),
        ("exceptions_emptied", Kind::FileChanged, &|a| {
            a.get(names::EXCEPTIONS).clear()
        }),
        ("attachment_swapped", Kind::FileChanged, &|a| {
            a.text("attachments/letter.txt", "dear", "fear");
        }),
        ("report_changed", Kind::FileChanged, &|a| {
            a.text("report/report.html", "hello", "bye")
        }),
        ("verifier_changed", Kind::FileChanged, &|a| {
            a.get(names::VERIFIER).push(b' ')
        }),
        ("readme_changed", Kind::FileChanged, &|a| {
            a.text(names::README, "EVIDENCE", "PROOF")
        }),
        ("manifest_reserialised", Kind::ManifestChanged, &|a| {
            let value: serde_json::Value = serde_json::from_slice(a.get(names::MANIFEST)).unwrap();
            *a.get(names::MANIFEST) = serde_json::to_vec(&value).unwrap();
        }),
        ("manifest_with_a_blank_more", Kind::ManifestChanged, &|a| {
            a.get(names::MANIFEST).push(b' ')
        }),
        ("unknown_member", Kind::ManifestMalformed, &|a| {
            a.text(names::MANIFEST, "{\n", "{\n\"note\":\"verified\",\n");
        }),
        ("member_twice", Kind::ManifestMalformed, &|a| {
            a.text(
                names::MANIFEST,
                "{\n",
                "{\n\"format\":\"annals-evidence/1\",\n",
            );
        }),
        ("member_missing", Kind::ManifestMalformed, &|a| {
            a.text(names::MANIFEST, "\"sums_left_out\":0,", "");
        }),
        ("other_algorithm", Kind::OtherAlgorithm, &|a| {
            a.text(names::MANIFEST, "Ed25519", "none")
        }),
        ("other_hash", Kind::OtherAlgorithm, &|a| {
            a.text(names::MANIFEST, "SHA-256", "MD5")
        }),
        ("key_named_is_another", Kind::BadSignature, &|a| {
            let mut manifest = a.manifest();
            manifest.key = other_key.verifying_key().to_string();
            *a.get(names::MANIFEST) = manifest.write().unwrap();
        }),
        ("key_replaced", Kind::OtherKey, &|a| {
            let mut manifest = a.manifest();
            manifest.key = other_key.verifying_key().to_string();
            a.sign(manifest, &other_key);
        }),
        ("signature_missing", Kind::BadSignature, &|a| {
            a.files.retain(|(n, _)| n != names::MANIFEST_NOTE)
        }),
        ("signature_of_another_text", Kind::ManifestChanged, &|a| {
            let text = String::from_utf8(a.get(names::CHECKPOINT).clone()).unwrap();
            *a.get(names::MANIFEST_NOTE) = text.into_bytes();
        }),
        ("signature_bit", Kind::BadSignature, &|a| {
            let bytes = a.get(names::MANIFEST_NOTE);
            let last = bytes.len() - 20;
            bytes[last] = if bytes[last] == b'A' { b'B' } else { b'A' };
        }),
        ("checkpoint_size", Kind::BadSignature, &|a| {
            a.text(names::CHECKPOINT, "\n52\n", "\n53\n")
        }),
        ("file_missing", Kind::FileMissing, &|a| {
            a.files.retain(|(n, _)| n != "attachments/letter.txt")
        }),
        ("proof_missing", Kind::FileMissing, &|a| {
            a.files.retain(|(n, _)| n != names::RANGE)
        }),
        ("file_added", Kind::FileNotListed, &|a| {
            a.files.push(("extra.txt".into(), vec![]))
        }),
        ("files_in_another_order", Kind::Archive, &|a| {
            a.files.swap(4, 5)
        }),
        ("event_changed", Kind::EventChanged, &|a| {
            let bytes = a.get(names::RANGE);
            let at = bytes.windows(9).rposition(|w| w == b"order-789").unwrap();
            bytes[at + 8] = b'8';
        }),
        ("leaf_changed", Kind::RootDiffers, &|a| {
            let bytes = a.get(names::RANGE);
            let at = bytes.windows(11).position(|w| w == b"OrderPlaced").unwrap();
            bytes[at] = b'o';
        }),
        ("proof_cut", Kind::ProofMalformed, &|a| {
            a.get(names::RANGE).truncate(500)
        }),
        ("proof_longer", Kind::ProofMalformed, &|a| {
            a.get(names::RANGE).push(0)
        }),
    ];
    let mut packages = page::Packages::default();
    for (name, kind, change) in changes {
        let mut changed = apart.clone();
        change(&mut changed);
        let answer = checked(&changed.together(), &trusting(&log));
        assert_eq!(answer.outcome, Outcome::Problems, "{name}");
        assert!(
            kinds(&answer).contains(kind),
            "{name}: {:?}",
            answer.findings
        );
        packages.add(name, &changed.together(), &answer);
    }
    let longer = [&package[..], b"PK"].concat();
    let behind = checked(&longer, &trusting(&log));
    assert_eq!(kinds(&behind), [Kind::Archive]);
    packages.add("bytes_behind", &longer, &behind);
    packages.agree(&log);
}

/// What a maker with the key may try. The tree and the rules stand against it, not the signature.
#[test]
fn whatever_a_maker_with_the_key_claims_must_follow_from_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let key = key(&log);
    let (package, _) = made(&log, &EvidenceRequest::of(of_stream("order-789"), at()));
    let apart = Apart::take(&package);
    let mut first = apart.clone();
    let positions: Vec<u64> = first.manifest().rows.iter().map(|(p, _)| *p).collect();
    let (row, last) = (positions[1], positions[positions.len() - 1]);
    type Change<'c> = &'c dyn Fn(&mut Apart);
    let with = |a: &mut Apart, change: &dyn Fn(&mut Manifest)| {
        let mut manifest = a.manifest();
        change(&mut manifest);
        a.sign(manifest, &key);
    };
    let changes: &[(&str, Kind, Change<'_>)] = &[
        ("row_called_other", Kind::RowLeftOut, &|a| {
            a.rewrite(&key, |position, shown| shown.row &= position != row);
        }),
        ("last_row_called_other", Kind::RowLeftOut, &|a| {
            a.rewrite(&key, |position, shown| shown.row &= position != last);
        }),
        ("row_called_other_and_closed", Kind::VersionMissing, &|a| {
            a.rewrite(&key, |position, shown| {
                if position == positions[0] {
                    shown.row = false;
                    shown.parts[0] = PartShown::Closed;
                }
            });
        }),
        ("other_called_row", Kind::RowDoesNotMatch, &|a| {
            a.rewrite(&key, |position, shown| shown.row |= position == 1);
        }),
        (
            "erased_claimed_with_bytes_changed",
            Kind::EventChanged,
            &|a| {
                a.rewrite(&key, |position, shown| {
                    if position == row
                        && let PartShown::Open { salt, .. } = shown.parts[1]
                    {
                        shown.parts[1] = PartShown::Open { salt, bytes: b"{}" };
                    }
                });
            },
        ),
        ("metadata_claimed_none", Kind::EventChanged, &|a| {
            a.rewrite(&key, |position, shown| {
                if position == row {
                    shown.parts[2] = match shown.parts[2] {
                        PartShown::None => PartShown::Closed,
                        _ => PartShown::None,
                    };
                }
            });
        }),
        ("rule_of_extraction_missing", Kind::EventChanged, &|a| {
            with(a, &|m| m.extraction.clear());
        }),
        ("rows_differ", Kind::RowsDiffer, &|a| {
            a.text(names::ROWS_JSONL, "order-789", "order-780");
            with(a, &|_| {});
        }),
        ("total", Kind::TotalDiffers, &|a| {
            with(a, &|m| m.sums[0].sum.push('1'))
        }),
        ("total_left_out", Kind::TotalDiffers, &|a| {
            with(a, &|m| m.sums.clear())
        }),
        ("total_values", Kind::TotalDiffers, &|a| {
            with(a, &|m| m.sums[0].values += 1)
        }),
        ("count", Kind::CountDiffers, &|a| {
            with(a, &|m| m.counts.closed += 1)
        }),
        ("types", Kind::CountDiffers, &|a| {
            with(a, &|m| m.types[0].1 += 1)
        }),
        ("ids_swapped", Kind::IdsDiffer, &|a| {
            with(a, &|m| m.rows.swap(0, 1))
        }),
        ("id_left_out", Kind::IdsDiffer, &|a| {
            with(a, &|m| drop(m.rows.pop()))
        }),
        ("id_doubled", Kind::IdsDiffer, &|a| {
            with(a, &|m| m.rows.push(m.rows[0].clone()))
        }),
        ("reading", Kind::ReadingDiffers, &|a| {
            with(a, &|m| m.reading = "all events".into())
        }),
        ("scope", Kind::ProofMalformed, &|a| {
            with(a, &|m| m.scope.last -= 1)
        }),
        ("size", Kind::RootDiffers, &|a| {
            with(a, &|m| m.checkpoint.size -= 1)
        }),
        ("root", Kind::RootDiffers, &|a| {
            with(a, &|m| m.checkpoint.root.0[0] ^= 1)
        }),
        ("format", Kind::ManifestMalformed, &|a| {
            with(a, &|m| m.format = "annals-evidence/2".into())
        }),
        ("algorithm", Kind::OtherAlgorithm, &|a| {
            with(a, &|m| m.algorithms.signature = "HMAC".into())
        }),
        ("unknown_member", Kind::ManifestMalformed, &|a| {
            a.text(names::MANIFEST, "{\n", "{\n\"verified\":true,\n");
            let (log, bytes) = (log.id().origin(), a.get(names::MANIFEST).clone());
            a.sign_bytes(&log, bytes, &key);
        }),
        ("unknown_member_inside", Kind::ManifestMalformed, &|a| {
            a.text(
                names::MANIFEST,
                "\"made\":{",
                "\"made\":{\"place\":\"here\",",
            );
            let (log, bytes) = (log.id().origin(), a.get(names::MANIFEST).clone());
            a.sign_bytes(&log, bytes, &key);
        }),
        ("required_file", Kind::FileMissing, &|a| {
            a.files.retain(|(n, _)| n != names::EXCEPTIONS);
            with(a, &|_| {});
        }),
        ("custody_backwards", Kind::CustodyBroken, &|a| {
            let text = String::from_utf8(a.get(names::CUSTODY).clone()).unwrap();
            let lines: Vec<&str> = text.lines().rev().collect();
            *a.get(names::CUSTODY) = (lines.join("\n") + "\n").into_bytes();
            with(a, &|_| {});
        }),
        ("checkpoint_of_another_log", Kind::OtherLog, &|a| {
            let other = Checkpoint {
                origin: "annals/other".into(),
                size: 52,
                root: log.head().unwrap().root,
            };
            *a.get(names::CHECKPOINT) = other.sign(&key).unwrap().note.to_text().into_bytes();
            with(a, &|_| {});
        }),
        ("checkpoint_of_another_root", Kind::RootDiffers, &|a| {
            let other = Checkpoint {
                origin: log.id().origin(),
                size: 52,
                root: crate::integrity::Hash([9; 32]),
            };
            *a.get(names::CHECKPOINT) = other.sign(&key).unwrap().note.to_text().into_bytes();
            with(a, &|m| m.checkpoint.root = crate::integrity::Hash([9; 32]));
        }),
    ];
    let mut packages = page::Packages::default();
    for (name, kind, change) in changes {
        let mut changed = apart.clone();
        change(&mut changed);
        let answer = checked(&changed.together(), &trusting(&log));
        assert_eq!(answer.outcome, Outcome::Problems, "{name}");
        assert!(
            kinds(&answer).contains(kind),
            "{name}: {:?}",
            answer.findings
        );
        packages.add(name, &changed.together(), &answer);
    }
    packages.agree(&log);
}

#[test]
fn a_match_that_a_maker_closes_is_counted_among_what_cannot_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let (package, _) = made(&log, &EvidenceRequest::of(of_stream("order-789"), at()));
    let mut apart = Apart::take(&package);
    let last = apart.manifest().rows.last().unwrap().0;
    apart.rewrite(&key(&log), |position, shown| {
        if position == last {
            shown.row = false;
            shown.parts[0] = PartShown::Closed;
        }
    });
    let answer = checked(&apart.together(), &trusting(&log));
    assert_eq!(answer.findings, []);
    assert_eq!(answer.facts.unwrap().unproven, 1);
    assert!(answer.not_checked[0].starts_with("whether 1 of the 52 events in the range match"));
}

#[test]
fn a_range_proof_of_another_log_leads_to_another_root() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let other = folder.path().join("other.annals");
    let request = crate::sample::ShopRequest {
        events: 52,
        seed: 1,
    };
    crate::sample::shop(&other, &request, &WorkProgress::default()).unwrap();
    let other = Log::explore(&other).unwrap();
    let whole = EvidenceRequest::of(EventQuery::default(), at());
    let mut theirs = Apart::take(&made(&other, &whole).0);
    let mut ours = Apart::take(&made(&log, &whole).0);
    *ours.get(names::RANGE) = theirs.get(names::RANGE).clone();
    let answer = checked(&ours.together(), &trusting(&log));
    assert!(
        kinds(&answer).contains(&Kind::RootDiffers)
            || kinds(&answer).contains(&Kind::ProofMalformed),
        "{:?}",
        answer.findings
    );
    assert_eq!(answer.outcome, Outcome::Problems);
}

#[test]
fn what_is_no_package_is_unreadable_and_nothing_panics() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let (package, _) = made(&log, &EvidenceRequest::of(of_stream("order-789"), at()));
    let outcome = |bytes: &[u8]| checked(bytes, &Trust::default()).outcome;
    let mut packages = page::Packages::default();
    assert_eq!(outcome(b""), Outcome::Unreadable);
    assert_eq!(outcome(b"hello"), Outcome::Unreadable);
    for len in (0..package.len()).step_by(197) {
        let answer = checked(&package[..len], &trusting(&log));
        assert_eq!(answer.outcome, Outcome::Unreadable, "{len} bytes");
        packages.add(&format!("cut_{len}"), &package[..len], &answer);
    }
    let mut empty = Writer::new(Vec::new());
    empty.add("a", b"").unwrap();
    assert_eq!(outcome(&empty.finish().unwrap()), Outcome::Unreadable);
    // Any byte: both verifiers find the same.
    for at in (0..package.len()).step_by(161) {
        let mut changed = package.clone();
        changed[at] ^= 0x10;
        let answer = checked(&changed, &trusting(&log));
        packages.add(&format!("byte_{at}"), &changed, &answer);
    }
    packages.agree(&log);
}

#[test]
fn checkpoints_from_elsewhere_agree_contradict_or_are_beside_the_point() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let key = key(&log);
    let head = log.head().unwrap();
    let (package, _) = made(&log, &EvidenceRequest::of(of_stream("order-789"), at()));
    let signed = |origin: &str, size: u64, root| -> SignedCheckpoint {
        Checkpoint {
            origin: origin.into(),
            size,
            root,
        }
        .sign(&key)
        .unwrap()
    };
    let against = |checkpoint: SignedCheckpoint| {
        let trust = Trust {
            against: vec![checkpoint],
            ..trusting(&log)
        };
        checked(&package, &trust)
    };
    let origin = log.id().origin();
    let other = crate::integrity::Hash([1; 32]);
    assert_eq!(kinds(&against(signed(&origin, 52, head.root))), []);
    assert_eq!(
        kinds(&against(signed(&origin, 52, other))),
        [Kind::SplitView]
    );
    assert_eq!(
        kinds(&against(signed("annals/x", 52, head.root))),
        [Kind::OtherLog]
    );
    let beside = against(signed(&origin, 40, other));
    assert_eq!(kinds(&beside), []);
    assert!(
        beside
            .not_checked
            .iter()
            .any(|n| n.contains("40 events that you gave"))
    );
}

#[test]
fn what_was_erased_reads_erased_and_everything_else_still_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let order = StreamId::new("order-789").unwrap();
    let position = log.events(&of_stream("order-789"), 1).unwrap().events[0].position;
    let writer = LogWriter::open(log.path(), Surroundings::fixed(at(), 3)).unwrap();
    let note = |_: &[crate::store::ErasedPart]| NewEvent::json("Erased", "{}").unwrap();
    writer
        .erase(
            &[(position, Part::Data)],
            &StreamId::new("erasures").unwrap(),
            &note,
        )
        .unwrap()
        .unwrap();
    writer.close().unwrap();
    let mut packages = page::Packages::default();
    for query in [
        of_stream(order.as_str()),
        EventQuery {
            actor: Some(Actor::new("user-789").unwrap()),
            ..EventQuery::default()
        },
        EventQuery::default(),
    ] {
        let (package, _) = made(&log, &EvidenceRequest::of(query.clone(), at()));
        let answer = checked(&package, &trusting(&log));
        assert_eq!(answer.findings, [], "{query:?}");
        assert_eq!(answer.facts.as_ref().unwrap().counts.erased, 1, "{query:?}");
        let mut apart = Apart::take(&package);
        let rows = String::from_utf8(apart.get(names::ROWS_JSONL).clone()).unwrap();
        assert!(rows.contains(r#""erased":["data"]"#), "{rows}");
        assert!(!rows.contains("123 Main St"), "{rows}");
        packages.add(&format!("erased_{}", packages.count()), &package, &answer);
    }
    packages.agree(&log);
}

#[test]
fn both_verifiers_read_ugly_events_alike() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("ugly.annals");
    let writer = LogWriter::create(&store, Surroundings::fixed(at(), 5)).unwrap();
    let mut events: Vec<NewEvent> = [
        r#"{"x":"=1+1","q":"\"hi\", ok","nl":"a\nb\r\n","u":"\u2028\u202e","e":"\ud83d\ude00"}"#,
        "{\r\n \"neg\": -12.500,\n\"exp\":1e400,\"big\":12345678901234567890123,\"z\":-0}\n",
        r#"{"n":1,"n":2,"by":"first","by":"","by":null,"__proto__":5,"1":7,"a b":3,"":4}"#,
        r#"{"userId":{"deep":1},"user_id":77.10,"changedBy":["x"]}"#,
        "[1,2,3]",
        "null",
        "\"text\"",
        "17",
    ]
    .into_iter()
    .map(|data| NewEvent::json("=T\u{202e},\"x\"", data).unwrap())
    .collect();
    events.push(
        NewEvent::json(
            "Ünï 日本語",
            &format!("{}0{}", "[".repeat(120), "]".repeat(120)),
        )
        .unwrap(),
    );
    for (kind, bytes) in [
        ("text/plain", &b"plain, \"quoted\"\n=1"[..]),
        ("application/json", b"{broken"),
        ("application/vnd.x+json; charset=utf-8", b"{\"n\":0.1}"),
        ("application/octet-stream", b"\xff\x00\x01"),
    ] {
        let mut event = NewEvent::json("Bytes", "{}").unwrap();
        event.data = Payload {
            content_type: kind.into(),
            bytes: bytes.to_vec(),
        };
        event.metadata = Some(Payload {
            content_type: kind.into(),
            bytes: bytes.to_vec(),
        });
        event.links = vec![NewLink {
            stream: StreamId::new("other-1").unwrap(),
            qualifier: "zu \"x\"".into(),
        }];
        event.schema_version = Some("'2".into());
        event.time = Some(SourceTime::parse("0001-01-01", chrono_tz::UTC).unwrap());
        events.push(event);
    }
    for (n, time) in [
        "9999-12-31T23:59:59.999999999Z",
        "1969-12-31T23:59:59.999999999Z",
        "2024-01-15T10:30:00.120+05:30",
    ]
    .iter()
    .enumerate()
    {
        let mut event = NewEvent::json("Timed", &format!("{{\"n\":{n}}}")).unwrap();
        event.time = Some(SourceTime::parse(time, chrono_tz::UTC).unwrap());
        events.push(event);
    }
    let batch = StreamAppend {
        stream: StreamId::new("ugly-\u{1f1e9}").unwrap(),
        category: None,
        expected: ExpectedVersion::Any,
        events,
    };
    writer.append(vec![batch]).unwrap();
    let log = writer.log().clone();
    let mut packages = page::Packages::default();
    let withheld = |paths: &[&str]| Withheld {
        paths: paths.iter().map(|path| (*path).to_owned()).collect(),
        ..Withheld::default()
    };
    for (query, withheld) in [
        (EventQuery::default(), Withheld::default()),
        (
            EventQuery::default(),
            withheld(&["data.x", "data.n", "metadata.n"]),
        ),
        (of_stream("other-1"), Withheld::default()),
        (
            EventQuery {
                actor: Some(Actor::new("77.10").unwrap()),
                ..EventQuery::default()
            },
            Withheld::default(),
        ),
        (
            EventQuery {
                to: Some(Time::parse_rfc3339("1970-01-01T00:00:00Z").unwrap()),
                ..EventQuery::default()
            },
            Withheld {
                metadata: true,
                ..Withheld::default()
            },
        ),
    ] {
        let request = EvidenceRequest {
            withheld,
            ..EvidenceRequest::of(query.clone(), at())
        };
        let (package, _) = made(&log, &request);
        let answer = checked(&package, &trusting(&log));
        assert_eq!(answer.findings, [], "{query:?}");
        packages.add(&format!("ugly_{}", packages.count()), &package, &answer);
    }
    packages.agree(&log);
}

#[test]
fn an_earlier_checkpoint_shows_that_the_log_only_grew() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let key = key(&log);
    let then = folder.path().join("then.annals");
    crate::store::restore(&log, Some(Position(40)), &then, &WorkProgress::default()).unwrap();
    let root = Log::explore(&then).unwrap().head().unwrap().root;
    let earlier = |size, root| {
        let checkpoint = Checkpoint {
            origin: log.id().origin(),
            size,
            root,
        };
        Some(checkpoint.sign(&key).unwrap())
    };
    let with = |earlier| EvidenceRequest {
        earlier,
        ..EvidenceRequest::of(of_stream("order-789"), at())
    };
    let (package, _) = made(&log, &with(earlier(40, root)));
    let answer = checked(&package, &trusting(&log));
    assert_eq!(answer.findings, []);
    assert!(
        answer
            .checked
            .iter()
            .any(|c| c.contains("only grew since its 40 first events"))
    );
    let mut apart = Apart::take(&package);
    apart.text(names::CONSISTENCY, "\n", "0\n");
    assert!(kinds(&checked(&apart.together(), &trusting(&log))).contains(&Kind::Inconsistent));
    let refused = make(
        &log,
        &with(earlier(41, root)),
        &key,
        &WorkProgress::default(),
    );
    assert!(matches!(refused, Err(EvidenceError::Earlier { .. })));
}

#[test]
fn a_key_of_another_log_signs_nothing_and_bad_requests_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let log = guide(folder.path());
    let request = EvidenceRequest::of(EventQuery::default(), at());
    let other = SigningKey::from_seed("annals/other", [1; 32]).unwrap();
    let refused = make(&log, &request, &other, &WorkProgress::default());
    assert!(matches!(refused, Err(EvidenceError::OtherKey { .. })));
    let with = |change: &dyn Fn(&mut EvidenceRequest)| {
        let mut request = request.clone();
        change(&mut request);
        make(&log, &request, &key(&log), &WorkProgress::default()).unwrap_err()
    };
    assert!(matches!(
        with(&|r| r.withheld.paths = vec!["nonsense".into()]),
        EvidenceError::Path(_)
    ));
    assert!(matches!(
        with(&|r| r.attachments = vec![("../x".into(), vec![])]),
        EvidenceError::Name(_)
    ));
    let twice = vec![("a".to_owned(), vec![]), ("a".to_owned(), vec![])];
    assert!(matches!(
        with(&|r| r.attachments = twice.clone()),
        EvidenceError::Name(_)
    ));
    let progress = WorkProgress::default();
    progress.cancel();
    let cancelled = make(&log, &request, &key(&log), &progress);
    assert!(matches!(cancelled, Err(EvidenceError::Cancelled)));
}

mod any_bytes {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn are_no_package(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let answer = checked(&bytes, &Trust::default());
            prop_assert_eq!(answer.outcome, Outcome::Unreadable);
            let _ = Range::read(&bytes);
        }

        #[test]
        fn in_its_files_make_no_intact_package(
            manifest in proptest::collection::vec(any::<u8>(), 0..200), note in ".{0,60}",
        ) {
            let mut writer = Writer::new(Vec::new());
            writer.add(names::MANIFEST, &manifest).unwrap();
            writer.add(names::MANIFEST_NOTE, note.as_bytes()).unwrap();
            let answer = checked(&writer.finish().unwrap(), &Trust::default());
            prop_assert_ne!(answer.outcome, Outcome::Intact);
        }
    }
}
