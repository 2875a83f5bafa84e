//! Paths that the user names, as files: folders become the files in them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::ImportError;
use super::sources::names_of;

/// Deepest nesting of folders that is gone into.
const MAX_FOLDERS: usize = 64;

/// One file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub path: PathBuf,
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

/// Finds the files: of folders all that are not hidden, by name, folders in their place among them. Links to
/// folders are not followed.
///
/// # Errors
/// [`ImportError::Io`] where a path that the user named is not there.
pub(super) fn expand(paths: &[PathBuf]) -> Result<(Vec<Source>, Vec<Skip>), ImportError> {
    let (mut sources, mut skips) = (Vec::new(), Vec::new());
    for path in paths {
        let metadata = std::fs::metadata(path).map_err(|source| ImportError::Io {
            file: path.display().to_string(),
            source,
        })?;
        if metadata.is_dir() {
            walk(path, "", 0, &mut sources, &mut skips);
        } else {
            sources.push(Source {
                path: path.clone(),
                name: String::new(),
                in_folder: None,
                bytes: metadata.len(),
            });
        }
    }
    name(&mut sources);
    Ok((sources, skips))
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
        let (sources, skips) = expand(&[root.to_owned(), root.join("z.csv")]).unwrap();
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
        assert!(expand(&[root.join("missing")]).is_err());
    }
}
