//! The bodies of the fuzz targets as ordinary tests: each over its committed corpus, over real files of the project, and
//! over random changes of both. The changes come of a fixed seed, so that a failure is found again.
//!
//! Left out: coverage, which only `cargo fuzz` has.

#![allow(
    clippy::duplicate_mod,
    clippy::unwrap_used,
    reason = "the body of a fuzz target is a file by itself"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

#[path = "../../fuzz/bodies/evidence.rs"]
mod evidence;
#[path = "../../fuzz/bodies/expression.rs"]
mod expression;
#[path = "../../fuzz/bodies/fold.rs"]
mod fold;
#[path = "../../fuzz/bodies/import.rs"]
mod import;
#[path = "../../fuzz/bodies/import_csv.rs"]
mod import_csv;
#[path = "../../fuzz/bodies/import_lines.rs"]
mod import_lines;
#[path = "../../fuzz/bodies/import_ocel.rs"]
mod import_ocel;
#[path = "../../fuzz/bodies/import_xes.rs"]
mod import_xes;
#[path = "../../fuzz/bodies/key_file.rs"]
mod key_file;
#[path = "../../fuzz/bodies/model.rs"]
mod model;
#[path = "../../fuzz/bodies/note.rs"]
mod note;
#[path = "../../fuzz/bodies/path.rs"]
mod path;
#[path = "../../fuzz/bodies/preset.rs"]
mod preset;
#[path = "../../fuzz/bodies/proof.rs"]
mod proof;
#[path = "../../fuzz/bodies/question.rs"]
mod question;
#[path = "../../fuzz/bodies/report_template.rs"]
mod report_template;
#[path = "../../fuzz/bodies/search.rs"]
mod search;
#[path = "../../fuzz/bodies/sql.rs"]
mod sql;
#[path = "../../fuzz/bodies/store.rs"]
mod store;
#[path = "../../fuzz/bodies/table.rs"]
mod table;
#[path = "../../fuzz/bodies/time.rs"]
mod time;
#[path = "../../fuzz/bodies/time_stamp.rs"]
mod time_stamp;

/// A test of a target: every file of its corpus and these of the project, each as it is and changed so many times.
macro_rules! target {
    ($test:ident, $body:ident, $changes:expr, $files:expr) => {
        #[test]
        fn $test() {
            drive(stringify!($body), $changes, &$files, $body::run);
        }
    };
}

target!(evidence_never_panics, evidence, 300, []);
target!(expression_never_panics, expression, 300, []);
target!(fold_never_panics, fold, 200, []);
target!(import_never_panics, import, 40, []);
target!(import_csv_never_panics, import_csv, 40, []);
target!(import_lines_never_panics, import_lines, 30, []);
target!(import_ocel_never_panics, import_ocel, 40, []);
target!(import_xes_never_panics, import_xes, 60, []);
target!(key_file_never_panics, key_file, 500, []);
target!(
    model_never_panics,
    model,
    200,
    [
        "core/src/sample/shop/order.toml",
        "core/src/sample/clinic/patient.toml",
    ]
);
target!(note_never_panics, note, 2000, []);
target!(path_never_panics, path, 2000, []);
target!(preset_never_panics, preset, 60, []);
target!(proof_never_panics, proof, 2000, []);
target!(question_never_panics, question, 150, []);
target!(
    report_template_never_panics,
    report_template,
    100,
    [
        "core/src/compliance/templates/audit-trail.toml",
        "core/src/compliance/templates/gdpr-subject.toml",
    ]
);
target!(search_never_panics, search, 1000, []);
target!(sql_never_panics, sql, 100, []);
target!(store_never_panics, store, 60, []);
target!(table_never_panics, table, 100, []);
target!(time_never_panics, time, 2000, []);
target!(
    time_stamp_never_panics,
    time_stamp,
    300,
    [
        "core/src/integrity/timestamp/vectors/elliptic.tsr",
        "core/src/integrity/timestamp/vectors/rsa.tsr",
        "core/src/integrity/timestamp/vectors/elliptic.pem",
    ]
);

/// Every target of the fuzzer is driven here.
#[test]
fn no_target_is_forgotten() {
    let targets = root().join("fuzz/targets");
    let driven = include_str!("fuzz.rs");
    for entry in std::fs::read_dir(targets).expect("the targets") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        let body = format!("fuzz/bodies/{name}");
        assert!(driven.contains(&body), "{name} is not driven");
        assert!(root().join(&body).is_file(), "{name} has no body");
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn drive(name: &str, changes: u64, files: &[&str], run: fn(&[u8])) {
    let corpus = std::fs::read_dir(root().join("fuzz/seeds").join(name)).expect("a corpus");
    let mut paths: Vec<PathBuf> = corpus
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.extend(files.iter().map(|file| root().join(file)));
    assert!(!paths.is_empty(), "the corpus is empty");
    for path in &paths {
        let seed = std::fs::read(path).expect("a file of the corpus");
        attempt(path, 0, &seed, run);
        for n in 1..=changes {
            let mut random = Random(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
            attempt(path, n, &changed(&seed, &mut random), run);
        }
    }
    attempt(Path::new("nothing"), 0, &[], run);
}

/// Runs the body; says which input made it panic.
fn attempt(path: &Path, n: u64, input: &[u8], run: fn(&[u8])) {
    if catch_unwind(AssertUnwindSafe(|| run(input))).is_err() {
        let text = String::from_utf8_lossy(input);
        panic!("change {n} of {} makes it panic:\n{text:?}", path.display());
    }
}

/// Bytes and words that parsers trip over.
const TRICKY: [&[u8]; 24] = [
    b"\0",
    b"\"",
    b"'",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"<",
    b">",
    b"&",
    b";",
    b",",
    b"\n",
    b"\r\n",
    b"-",
    b"9999999999999999999",
    b"1e999",
    b"null",
    b"\xff",
    b"\xf0\x9f\x9a\x9a",
    b"\\ud800",
    b"\xe2\x80\xae",
    b"0001-01-01T00:00:00Z",
];

/// The input with a few random changes: bits turned, bytes taken out, repeated, put in, parts swapped, the end cut off.
fn changed(seed: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len().max(1));
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => {
                let end = (at + 1 + random.below(8)).min(bytes.len());
                bytes.drain(at..end);
            }
            2 if at < bytes.len() => {
                let end = (at + 1 + random.below(40)).min(bytes.len());
                let part = bytes[at..end].to_vec();
                let times = 1 + random.below(3);
                for _ in 0..times {
                    bytes.splice(at..at, part.iter().copied());
                }
            }
            3 => bytes.truncate(at),
            4 if at < bytes.len() => {
                let other = random.below(bytes.len());
                bytes.swap(at, other);
            }
            _ => {
                let tricky = TRICKY[random.below(TRICKY.len())];
                bytes.splice(at..at, tricky.iter().copied());
            }
        }
    }
    bytes
}

/// xorshift64*: the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap_or(0) % end.max(1)
    }
}
