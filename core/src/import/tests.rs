//! Tests of the first pass, which need no log.

use std::path::Path;

use super::detect::FileNames;

/// Names of a file that is none.
pub(super) fn names() -> FileNames {
    FileNames {
        file: "dir/test.jsonl".into(),
        source: "test.jsonl".into(),
        stem: "test".into(),
        packed: false,
    }
}

/// The folder of real data sets, where it lies beside the project; says so where it does not.
pub(super) fn datasets() -> Option<std::path::PathBuf> {
    let folder = match std::env::var_os("ANNALS_DATASETS") {
        Some(folder) => folder.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    #[allow(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("skipped: no data sets at {}", folder.display());
    }
    None
}
