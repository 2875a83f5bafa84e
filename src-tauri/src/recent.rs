//! The stores opened last, kept in the user's configuration folder.

use std::path::{Path, PathBuf};

use annals_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::wire::RecentStore;

/// How many are kept.
const KEPT: usize = 12;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    last_opened: Time,
}

/// Reads the list, newest first; a file that is missing or not readable is an empty list.
pub(crate) fn list(folder: &Path) -> Vec<RecentStore> {
    read(folder)
        .into_iter()
        .map(|Entry { path, last_opened }| RecentStore {
            name: name(&path),
            exists: path.is_file(),
            path: path.display().to_string(),
            last_opened,
        })
        .collect()
}

/// Puts a store at the head of the list.
pub(crate) fn add(folder: &Path, path: &Path, now: Time) -> std::io::Result<()> {
    let path = std::path::absolute(path)?;
    let mut entries = read(folder);
    entries.retain(|entry| entry.path != path);
    entries.insert(
        0,
        Entry {
            path,
            last_opened: now,
        },
    );
    entries.truncate(KEPT);
    std::fs::create_dir_all(folder)?;
    // Renamed into place, so that a crash leaves the old list or the new one.
    let unfinished = file(folder).with_extension("json.new");
    std::fs::write(&unfinished, serde_json::to_vec_pretty(&entries)?)?;
    std::fs::rename(unfinished, file(folder))
}

/// What a store is called: its file's name without the ending.
pub(crate) fn name(path: &Path) -> String {
    path.file_stem()
        .unwrap_or(path.as_os_str())
        .to_string_lossy()
        .into_owned()
}

fn file(folder: &Path) -> PathBuf {
    folder.join("recent.json")
}

fn read(folder: &Path) -> Vec<Entry> {
    std::fs::read(file(folder))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u8) -> Time {
        Time::parse_rfc3339(&format!("2024-01-10T00:00:{second:02}Z")).unwrap()
    }

    #[test]
    fn a_store_opened_again_moves_to_the_head() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for (second, store) in [(1, "/s/a.annals"), (2, "/s/b.annals"), (3, "/s/a.annals")] {
            add(here, Path::new(store), at(second)).unwrap();
        }
        let found: Vec<_> = list(here)
            .into_iter()
            .map(|r| (r.name, r.last_opened, r.exists))
            .collect();
        assert_eq!(
            found,
            [("a".into(), at(3), false), ("b".into(), at(2), false)]
        );
    }

    #[test]
    fn the_list_stays_short() {
        let folder = tempfile::tempdir().unwrap();
        for n in 0..20 {
            add(folder.path(), Path::new(&format!("/s/{n}.annals")), at(n)).unwrap();
        }
        assert_eq!(list(folder.path()).len(), KEPT);
    }

    #[test]
    fn a_spoilt_list_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(folder.path()), "{").unwrap();
        assert!(list(folder.path()).is_empty());
    }
}
