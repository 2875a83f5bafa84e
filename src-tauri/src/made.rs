//! The reports made last, kept in the user's configuration folder.

use std::path::{Path, PathBuf};

use annals_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::settings::replace;
use crate::wire::RecentReport;

/// How many are kept.
const KEPT: usize = 20;

/// One entry of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    file: PathBuf,
    title: String,
    template: String,
    store: String,
    made_at: Time,
}

/// Reads the list, newest first; a file that is missing or not readable is an empty list.
pub(crate) fn list(folder: &Path) -> Vec<RecentReport> {
    let shown = |entry: Entry| {
        let Entry {
            file,
            title,
            template,
            store,
            made_at,
        } = entry;
        RecentReport {
            exists: file.is_file(),
            file: file.display().to_string(),
            title,
            template,
            store,
            made_at,
        }
    };
    read(folder).into_iter().map(shown).collect()
}

/// Puts a report at the head of the list; whether its file exists is looked up again when the list is read.
pub(crate) fn add(folder: &Path, report: RecentReport) -> std::io::Result<()> {
    let RecentReport {
        file,
        title,
        template,
        store,
        made_at,
        exists: _,
    } = report;
    let file = std::path::absolute(file)?;
    let mut entries = read(folder);
    entries.retain(|entry| entry.file != file);
    entries.insert(
        0,
        Entry {
            file,
            title,
            template,
            store,
            made_at,
        },
    );
    entries.truncate(KEPT);
    replace(&path(folder), &serde_json::to_vec_pretty(&entries)?)
}

fn path(folder: &Path) -> PathBuf {
    folder.join("reports.json")
}

fn read(folder: &Path) -> Vec<Entry> {
    std::fs::read(path(folder))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(file: &str, second: u8) -> RecentReport {
        RecentReport {
            file: file.into(),
            title: "Audit trail".into(),
            template: "audit-trail".into(),
            store: "shop.annals".into(),
            made_at: Time::parse_rfc3339(&format!("2024-01-10T00:00:{second:02}Z")).unwrap(),
            exists: true,
        }
    }

    #[test]
    fn the_newest_comes_first_and_a_file_made_again_is_listed_once() {
        let folder = tempfile::tempdir().unwrap();
        for (file, second) in [("/r/a.pdf", 1), ("/r/b.pdf", 2), ("/r/a.pdf", 3)] {
            add(folder.path(), report(file, second)).unwrap();
        }
        let listed = list(folder.path());
        let files: Vec<_> = listed.iter().map(|report| report.file.as_str()).collect();
        assert_eq!(files, ["/r/a.pdf", "/r/b.pdf"]);
        assert!(!listed[0].exists, "the file is not there");
    }

    #[test]
    fn the_list_stays_short_and_a_spoilt_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..30 {
            add(folder.path(), report(&format!("/r/{n}.pdf"), n)).unwrap();
        }
        assert_eq!(list(folder.path()).len(), KEPT);
        std::fs::write(path(folder.path()), "{").unwrap();
        assert!(list(folder.path()).is_empty());
    }
}
