//! The stores opened last, kept in the user's configuration folder.

use std::path::{Path, PathBuf};

use annals_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::settings::replace;
use crate::wire::RecentStore;

/// How many are kept beside the pinned ones.
const KEPT: usize = 12;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    path: PathBuf,
    last_opened: Time,
    #[serde(default)]
    pinned: bool,
}

/// Reads the list, pinned ones first, then newest first; a file that is missing or not readable is an empty list.
pub(crate) fn list(folder: &Path) -> Vec<RecentStore> {
    let mut entries = read(folder);
    entries.sort_by_key(|entry| !entry.pinned);
    entries
        .into_iter()
        .map(|entry| {
            let Entry {
                path,
                last_opened,
                pinned,
            } = entry;
            RecentStore {
                name: name(&path),
                exists: path.is_file(),
                path: path.display().to_string(),
                last_opened,
                pinned,
            }
        })
        .collect()
}

/// Puts a store at the head of the list.
pub(crate) fn add(folder: &Path, path: &Path, now: Time) -> std::io::Result<()> {
    let path = std::path::absolute(path)?;
    let mut entries = read(folder);
    let pinned = entries
        .iter()
        .any(|entry| entry.path == path && entry.pinned);
    entries.retain(|entry| entry.path != path);
    entries.insert(
        0,
        Entry {
            path,
            last_opened: now,
            pinned,
        },
    );
    let mut others = 0;
    entries.retain(|entry| {
        others += usize::from(!entry.pinned);
        entry.pinned || others <= KEPT
    });
    write(folder, &entries)
}

/// Takes a store off the list.
pub(crate) fn remove(folder: &Path, path: &Path) -> std::io::Result<()> {
    let mut entries = read(folder);
    entries.retain(|entry| entry.path != path);
    write(folder, &entries)
}

/// Pins a store of the list, or lets go of it.
pub(crate) fn pin(folder: &Path, path: &Path, pinned: bool) -> std::io::Result<()> {
    let mut entries = read(folder);
    for entry in entries.iter_mut().filter(|entry| entry.path == path) {
        entry.pinned = pinned;
    }
    write(folder, &entries)
}

fn write(folder: &Path, entries: &[Entry]) -> std::io::Result<()> {
    replace(&file(folder), &serde_json::to_vec_pretty(entries)?)
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
    fn a_pinned_store_stays_first_however_many_come_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        add(here, Path::new("/s/pinned.annals"), at(1)).unwrap();
        pin(here, Path::new("/s/pinned.annals"), true).unwrap();
        for n in 2..20 {
            add(here, Path::new(&format!("/s/{n}.annals")), at(n)).unwrap();
        }
        let names: Vec<_> = list(here).into_iter().map(|store| store.name).collect();
        assert_eq!((names[0].as_str(), names.len()), ("pinned", KEPT + 1));
        add(here, Path::new("/s/pinned.annals"), at(30)).unwrap();
        assert!(list(here)[0].pinned, "opening it does not unpin it");
    }

    #[test]
    fn a_store_can_be_taken_off_the_list() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for store in ["/s/a.annals", "/s/b.annals"] {
            add(here, Path::new(store), at(1)).unwrap();
        }
        remove(here, Path::new("/s/b.annals")).unwrap();
        let names: Vec<_> = list(here).into_iter().map(|store| store.name).collect();
        assert_eq!(names, ["a"]);
    }

    #[test]
    fn a_spoilt_list_is_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(file(folder.path()), "{").unwrap();
        assert!(list(folder.path()).is_empty());
    }
}
