//! Names of a package's files, in the order in which they stand.

/// For a person.
pub const README: &str = "README.txt";
/// What is claimed.
pub const MANIFEST: &str = "manifest.json";
/// Who signed it.
pub const MANIFEST_NOTE: &str = "manifest.note";
/// The rows, one a line.
pub const ROWS_JSONL: &str = "rows.jsonl";
/// The rows as a table.
pub const ROWS_CSV: &str = "rows.csv";
/// The question in full.
pub const QUERY: &str = "query.json";
/// What was found, and what was not checked.
pub const EXCEPTIONS: &str = "exceptions.json";
/// Who had it.
pub const CUSTODY: &str = "custody.jsonl";
/// From the events to the root.
pub const RANGE: &str = "proof/range.bin";
/// The log's signed size and root.
pub const CHECKPOINT: &str = "proof/checkpoint.note";
/// An earlier one.
pub const EARLIER: &str = "proof/earlier.note";
/// That the log only grew since.
pub const CONSISTENCY: &str = "proof/consistency.txt";
/// The log's keys, where it has had more than one.
pub const KEYS: &str = "proof/keys.json";
/// The second verifier.
pub const VERIFIER: &str = "verifier.html";
/// Folder of the report.
pub const REPORT: &str = "report/";
/// Folder of the maker's own files.
pub const ATTACHMENTS: &str = "attachments/";

/// Files that every package lists.
pub(super) const REQUIRED: &[&str] = &[
    README, ROWS_JSONL, ROWS_CSV, QUERY, EXCEPTIONS, CUSTODY, RANGE, CHECKPOINT, VERIFIER,
];

/// Files that a verifier reads beyond their hash.
pub(super) const READ: &[&str] = &[
    ROWS_JSONL,
    ROWS_CSV,
    CUSTODY,
    RANGE,
    CHECKPOINT,
    EARLIER,
    CONSISTENCY,
    KEYS,
];

/// Whether a file is a time stamp of one of the checkpoints.
pub(super) fn is_stamp(name: &str) -> bool {
    let of_proof = name.starts_with("proof/checkpoint") || name.starts_with("proof/earlier");
    of_proof && name.ends_with(".tsr")
}
