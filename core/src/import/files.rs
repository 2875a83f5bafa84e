//! Paths that the user names, as files: folders become the files in them, archives their members, workbooks their
//! sheets.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::archive::{self, Archive};
use super::sources::names_of;
use super::xlsx::{self, Workbook};
use super::{Format, ImportError, git};

/// Deepest nesting of folders that is gone into.
const MAX_FOLDERS: usize = 64;

/// Where the bytes of a source are.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// In a file of its own.
    File,
    /// A member of an archive.
    Member(Arc<Archive>, usize),
    /// A sheet of a workbook, read as the table of text that it is.
    Sheet(Arc<Workbook>, usize),
    /// In a git repository: its history.
    Git,
}

/// One file to read.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// The file; of a member of an archive the archive's with the member's name behind it.
    pub path: PathBuf,
    pub origin: Origin,
    /// What it is called as a source.
    pub name: String,
    /// Its place in the folder that the user named, folders joined by `/`; `None` for a file named by itself.
    pub in_folder: Option<String>,
    pub bytes: u64,
}

/// Something in a folder that is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Skip {
    pub file: String,
    pub why: String,
}

/// Finds the files: of a git repository its history, unless a format says that its files are meant; of folders all that are not hidden, by name, folders in their place among them. Links to
/// folders are not followed.
///
/// # Errors
/// [`ImportError::Io`] where a path that the user named is not there.
pub(super) fn expand(
    paths: &[PathBuf],
    format: Format,
) -> Result<(Vec<Source>, Vec<Skip>), ImportError> {
    let (mut sources, mut skips) = (Vec::new(), Vec::new());
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|source| ImportError::Io {
            file: path.display().to_string(),
            source,
        })?;
        let is_history = matches!(format, Format::Auto | Format::Git)
            && metadata.is_dir()
            && git::is_repository(path);
        if is_history {
            sources.push(Source {
                path: path.clone(),
                origin: Origin::Git,
                name: String::new(),
                in_folder: None,
                bytes: 0,
            });
        } else if format == Format::Git {
            return Err(ImportError::Malformed {
                file: path.display().to_string(),
                line: 1,
                message: "this is no git repository: there is no .git in it".to_owned(),
            });
        } else if metadata.is_dir() {
            walk(path, "", 0, &mut sources, &mut skips);
        } else if !metadata.is_file() {
            return Err(ImportError::Malformed {
                file: path.display().to_string(),
                line: 1,
                message: "this is a pipe or a device and no file, and an import reads its files more than once: write what comes out of it into a file first".to_owned(),
            });
        } else {
            sources.push(Source {
                path: path.clone(),
                origin: Origin::File,
                name: String::new(),
                in_folder: None,
                bytes: metadata.len(),
            });
        }
    }
    name(&mut sources);
    let mut opened = Vec::new();
    for source in sources {
        let before = opened.len();
        let is_named = source.in_folder.is_none();
        let name = source.name.clone();
        let path = source.path.clone();
        if let Err(error) = open_up(source, 0, &mut opened, &mut skips) {
            let (file, message) = (path.display().to_string(), error.to_string());
            if is_named {
                return Err(ImportError::Malformed {
                    file,
                    line: 1,
                    message,
                });
            }
            skips.push(Skip { file, why: message });
        }
        // What a file named by itself holds alone is asked for as it is.
        if let [only] = &mut opened[before..]
            && is_named
            && only.name != name
        {
            only.in_folder = None;
        }
    }
    Ok((opened, skips))
}

/// The source whose path is shown so: a file, or a member of an archive.
pub(super) fn find(path: &Path) -> Option<Source> {
    let is_file = |path: &&Path| path.is_file();
    let file = path.ancestors().find(is_file)?.to_owned();
    let (sources, _) = expand(&[file], Format::Jsonl).ok()?;
    sources.into_iter().find(|source| source.path == path)
}

/// The files that a source holds: itself, or where it is an archive its members.
fn open_up(
    source: Source,
    depth: usize,
    sources: &mut Vec<Source>,
    skips: &mut Vec<Skip>,
) -> std::io::Result<()> {
    let head = match &source.origin {
        Origin::File => {
            let mut head = Vec::new();
            // What cannot be read is told where it is read.
            let Ok(file) = std::fs::File::open(&source.path) else {
                sources.push(source);
                return Ok(());
            };
            file.take(4).read_to_end(&mut head)?;
            head
        }
        Origin::Member(archive, index) => archive.head(*index, 4)?,
        Origin::Sheet(..) | Origin::Git => Vec::new(),
    };
    if head != archive::MAGIC && head != archive::EMPTY {
        sources.push(source);
        return Ok(());
    }
    if depth > archive::MAX_ARCHIVES {
        return Err(std::io::Error::other(format!(
            "archives are nested over {} deep; unpack it yourself",
            archive::MAX_ARCHIVES
        )));
    }
    let opened = match &source.origin {
        Origin::Member(archive, index) => archive.nested(*index)?,
        Origin::File | Origin::Sheet(..) | Origin::Git => Archive::open(&source.path)?,
    };
    let archive = Arc::new(opened);
    if xlsx::is_workbook(&archive) {
        return sheets_of(&source, archive, sources);
    }
    let before = sources.len();
    let mut seen = HashSet::new();
    for (index, member) in archive.members.iter().enumerate() {
        let is_hidden = |part: &str| part.starts_with('.') || part == "__MACOSX";
        let inside = inside(
            &source,
            &member.name,
            Origin::Member(Arc::clone(&archive), index),
        );
        let refused = match member.refused {
            None if member.is_folder || member.name.split('/').any(is_hidden) => continue,
            None if !seen.insert(&member.name) => Some("the archive holds two of this name"),
            refused => refused,
        };
        let file = inside.path.display().to_string();
        let result = match refused {
            Some(why) => Err(std::io::Error::other(why)),
            None => open_up(
                Source {
                    bytes: member.unpacked,
                    ..inside
                },
                depth + 1,
                sources,
                skips,
            ),
        };
        if let Err(error) = result {
            let why = error.to_string();
            skips.push(Skip { file, why });
        }
    }
    if sources.len() == before && archive.members.is_empty() {
        skips.push(Skip {
            file: source.path.display().to_string(),
            why: "the archive is empty".into(),
        });
    }
    Ok(())
}

/// A source in another one.
fn inside(source: &Source, name: &str, origin: Origin) -> Source {
    let place = source.in_folder.as_ref().unwrap_or(&source.name);
    Source {
        path: source.path.join(name.trim_start_matches('/')),
        origin,
        name: format!("{}/{name}", source.name),
        in_folder: Some(format!("{place}/{name}")),
        bytes: source.bytes,
    }
}

fn sheets_of(
    source: &Source,
    archive: Arc<Archive>,
    sources: &mut Vec<Source>,
) -> std::io::Result<()> {
    let workbook = Arc::new(Workbook::open(archive)?);
    for (index, sheet) in workbook.sheets.iter().enumerate() {
        let origin = Origin::Sheet(Arc::clone(&workbook), index);
        sources.push(Source {
            bytes: 0,
            ..inside(source, &sheet.name, origin)
        });
    }
    Ok(())
}

/// Gives each its name as a source: the file's. Where that does not tell files apart, one in a folder is called by
/// its place in it, so that the folder can be moved; only where two folders agree in that, too, by more.
fn name(sources: &mut [Source]) {
    let paths: Vec<PathBuf> = sources.iter().map(|source| source.path.clone()).collect();
    let told_apart = names_of(&paths);
    let mut taken: HashMap<String, usize> = HashMap::new();
    for (source, name) in sources.iter_mut().zip(&told_apart) {
        let place = source.in_folder.as_ref().filter(|_| name.contains('/'));
        source.name = place.unwrap_or(name).clone();
        *taken.entry(source.name.clone()).or_default() += 1;
    }
    for (source, name) in sources.iter_mut().zip(told_apart) {
        if taken[&source.name] > 1 {
            source.name = name;
        }
    }
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    sources: &mut Vec<Source>,
    skips: &mut Vec<Skip>,
) {
    let mut skip = |path: &Path, why: String| {
        skips.push(Skip {
            file: path.display().to_string(),
            why,
        });
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return skip(folder, format!("the folder cannot be read: {error}")),
    };
    if depth > MAX_FOLDERS {
        return skip(
            folder,
            format!("folders are nested over {MAX_FOLDERS} deep"),
        );
    }
    let mut names = Vec::new();
    for entry in entries {
        match entry {
            Ok(entry) => names.push(entry.file_name()),
            Err(error) => skip(
                folder,
                format!("the folder cannot be read to its end: {error}"),
            ),
        }
    }
    names.sort();
    for name in names {
        let path = folder.join(&name);
        let name = name.to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        let metadata = std::fs::symlink_metadata(&path);
        let is_link = metadata.as_ref().is_ok_and(std::fs::Metadata::is_symlink);
        let metadata = if is_link {
            std::fs::metadata(&path)
        } else {
            metadata
        };
        match metadata {
            Ok(found) if found.is_dir() && is_link => {
                skips.push(Skip {
                    file: path.display().to_string(),
                    why: "a link to a folder is not followed; name the folder itself".into(),
                });
            }
            Ok(found) if found.is_dir() => {
                walk(
                    &path,
                    &format!("{prefix}{name}/"),
                    depth + 1,
                    sources,
                    skips,
                );
            }
            Ok(found) if found.is_file() => sources.push(Source {
                path,
                origin: Origin::File,
                name: String::new(),
                in_folder: Some(format!("{prefix}{name}")),
                bytes: found.len(),
            }),
            Ok(_) => skips.push(Skip {
                file: path.display().to_string(),
                why: "it is no regular file".into(),
            }),
            Err(error) => skips.push(Skip {
                file: path.display().to_string(),
                why: error.to_string(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_become_their_files_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/deep")).unwrap();
        std::fs::create_dir(root.join(".git")).unwrap();
        for name in [
            "z.csv",
            "a.jsonl",
            "b/deep/x.json",
            "b/1.xes",
            ".hidden",
            ".git/config",
        ] {
            std::fs::write(root.join(name), "12").unwrap();
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root, root.join("c-loop")).unwrap();
            std::os::unix::fs::symlink(root.join("nowhere"), root.join("d-broken")).unwrap();
        }
        let (sources, skips) =
            expand(&[root.to_owned(), root.join("z.csv")], Format::Jsonl).unwrap();
        let names: Vec<_> = sources
            .iter()
            .map(|s| (s.name.as_str(), s.in_folder.is_some()))
            .collect();
        assert_eq!(
            names,
            [
                ("a.jsonl", true),
                ("1.xes", true),
                ("x.json", true),
                ("z.csv", true),
                ("z.csv", false)
            ],
            "the same file is the same source"
        );
        assert_eq!(sources[0].bytes, 2);
        assert_eq!(skips.len(), if cfg!(unix) { 2 } else { 0 });
        assert!(expand(&[root.join("missing")], Format::Auto).is_err());
    }
}
