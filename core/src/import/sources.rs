//! What each file of an import is called as a source, and whether its records are in the log under another name.
//!
//! A source is known by the file's name without folders, so that moving the file does not double its events.
//! Renaming it does: that is told, not guessed at, since two files may rightly begin alike.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::id::EventId;
use crate::store::{Log, ReadError};

/// Records at the beginning of a file that are looked for.
const FIRST_RECORDS: usize = 3;
/// Longest record that is looked for, in bytes.
const MAX_BYTES: usize = 64 << 10;

/// The sources of the files, in order: each file's name. Different files of one name have as many of their folders
/// before it as tell them apart.
pub(super) fn names_of(paths: &[PathBuf]) -> Vec<String> {
    let places: Vec<PathBuf> = paths
        .iter()
        .map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()))
        .collect();
    let mut by_name: HashMap<String, Vec<&Path>> = HashMap::new();
    for place in &places {
        let alike = by_name.entry(last(place, 1)).or_default();
        if !alike.contains(&place.as_path()) {
            alike.push(place);
        }
    }
    let named = paths.iter().zip(&places).map(|(path, place)| {
        let alike = &by_name[&last(place, 1)];
        let deepest = alike.iter().map(|other| other.components().count()).max();
        let told_apart = |len: &usize| {
            let name = last(place, *len);
            alike
                .iter()
                .all(|other| *other == place || last(other, *len) != name)
        };
        let len = (1..=deepest.unwrap_or(1)).find(told_apart).unwrap_or(1);
        match len {
            // The name as the user wrote it, which may be that of a link.
            1 => last(path, 1),
            len => last(place, len),
        }
    });
    named.collect()
}

/// The last names of a path, with `/` between them.
fn last(path: &Path, len: usize) -> String {
    let names: Vec<_> = path
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy()),
            Component::ParentDir => Some("..".into()),
            Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
        })
        .collect();
    match &names[names.len().saturating_sub(len)..] {
        [] => path.to_string_lossy().into_owned(),
        last => last.join("/"),
    }
}

/// The id of a record that has none: a hash of its source and bytes, and of the how-manieth of its kind it is there.
pub(super) fn made_id(digest: [u8; 32], occurrence: u64) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut bytes = digest;
    if occurrence > 1 {
        bytes = Sha256::new()
            .chain_update(bytes)
            .chain_update(occurrence.to_le_bytes())
            .finalize()
            .into();
    }
    let mut id = String::with_capacity(32);
    for byte in &bytes[..16] {
        id.push(DIGITS[usize::from(byte >> 4)].into());
        id.push(DIGITS[usize::from(byte & 15)].into());
    }
    id
}

/// Hash of a record that has no id, and of its source.
pub(super) fn digest(source: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new()
        .chain_update((source.len() as u64).to_le_bytes())
        .chain_update(source);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// The first records of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FirstRecords(Vec<FirstRecord>);

#[derive(Debug, PartialEq, Eq)]
struct FirstRecord {
    /// The id that it has itself.
    id: Option<String>,
    /// Its payload where it has an id, else all that its made id is of.
    bytes: Vec<u8>,
    occurrence: u64,
}

impl FirstRecords {
    /// Notes a record, if it is one of the first.
    pub(super) fn note(&mut self, id: Option<&str>, parts: &[&[u8]], occurrence: u64) {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        if self.0.len() < FIRST_RECORDS && len <= MAX_BYTES {
            self.0.push(FirstRecord {
                id: id.map(str::to_owned),
                bytes: parts.concat(),
                occurrence,
            });
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Another source under which the log holds all of them.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub(super) fn held_as(&self, log: &Log, source: &str) -> Result<Option<String>, ReadError> {
        let Some((first, rest)) = self.0.split_first() else {
            return Ok(None);
        };
        let candidates = match &first.id {
            Some(_) => first.source_in(log, source)?.into_iter().collect(),
            None => log.sources()?,
        };
        for other in candidates {
            if other != source
                && first.is_held(log, &other)?
                && rest.iter().try_fold(true, |all, record| {
                    Ok::<_, ReadError>(all && record.is_held(log, &other)?)
                })?
            {
                return Ok(Some(other));
            }
        }
        Ok(None)
    }
}

impl FirstRecord {
    /// The source of the event that the log holds under the record's own id.
    fn source_in(&self, log: &Log, source: &str) -> Result<Option<String>, ReadError> {
        let id = self.id.clone().and_then(|id| EventId::new(id).ok());
        let found = id.map(|id| log.event_by_id(&id)).transpose()?.flatten();
        let other = found.and_then(|event| event.source.source);
        Ok(other
            .filter(|other| **other != *source)
            .map(|other| other.to_string()))
    }

    fn is_held(&self, log: &Log, source: &str) -> Result<bool, ReadError> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => made_id(digest(source, &[&self.bytes]), self.occurrence),
        };
        let Ok(id) = EventId::new(id) else {
            return Ok(false);
        };
        Ok(log.event_by_id(&id)?.is_some_and(|event| {
            let same_data = || event.data.is_some_and(|data| data.bytes == self.bytes);
            event.source.source.as_deref() == Some(source) && (self.id.is_none() || same_data())
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_name_are_told_apart_by_their_folders() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            path
        };
        let (a, b) = (make("a/x.jsonl"), make("b/x.jsonl"));
        let (deep, y) = (make("b/c/a/x.jsonl"), make("y.jsonl"));
        let names =
            |paths: &[&PathBuf]| names_of(&paths.iter().map(|p| (*p).clone()).collect::<Vec<_>>());
        assert_eq!(names(&[&a, &y]), ["x.jsonl", "y.jsonl"]);
        assert_eq!(names(&[&a, &b]), ["a/x.jsonl", "b/x.jsonl"]);
        let folder_name = last(folder.path(), 1);
        assert_eq!(
            names(&[&a, &deep]),
            [format!("{folder_name}/a/x.jsonl"), "c/a/x.jsonl".into()]
        );
        let again = folder.path().join("b/../a/x.jsonl");
        assert_eq!(names(&[&a, &again, &y]), ["x.jsonl", "x.jsonl", "y.jsonl"]);
    }
}
