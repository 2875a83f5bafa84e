//! Questions that the user keeps: one TOML file each, in `X.annals.d/questions/` and in folders under it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::grammar::Question;
use super::parse::ParseError;
use crate::model::{folder, is_file_name, toml_files, write_whole};

/// Deepest folder under `questions/`.
const MAX_FOLDERS: usize = 4;

/// The questions beside a store: `annals ask --list --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SavedQuestionsView {
    /// Folder that they lie in.
    pub folder: String,
    /// The questions, by name.
    pub questions: Vec<SavedQuestion>,
}

/// A question that was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SavedQuestion {
    /// Its name: the file's without `.toml`, after its folders: `month-end/pending`.
    pub name: String,
    /// The question; empty if the file cannot be read as one.
    pub question: String,
    /// Zone that it is asked in; `null`: the zone of whoever asks.
    pub zone: Option<String>,
    /// What is wrong with it.
    pub error: Option<String>,
}

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    question: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    zone: Option<String>,
}

/// Why a question was not kept, or not found.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// The text is no question.
    #[error(transparent)]
    Parse(#[from] ParseError),
    /// The name cannot be one of a file.
    #[error(
        "{name:?} cannot name a question: names and folders take letters, digits, `-`, `_` and `.`, and begin with none of the last"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A question of that name is there.
    #[error("there is a question {name} already")]
    Exists {
        /// Its name.
        name: String,
    },
    /// There is none of that name.
    #[error("there is no question {name}{}", if all.is_empty() { String::new() } else { format!("; there are {}", all.join(", ")) })]
    NotFound {
        /// The name.
        name: String,
        /// Names that there are.
        all: Vec<String>,
    },
    /// The system refused.
    #[error("{path}: {source}")]
    Io {
        /// File or folder.
        path: String,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Lists the questions beside a store, broken ones included.
///
/// # Errors
/// [`SavedError::Io`] if a folder is there and cannot be read.
pub fn list(store: &Path) -> Result<SavedQuestionsView, SavedError> {
    let root = questions_folder(store);
    let mut questions = Vec::new();
    gather(&root, "", MAX_FOLDERS, &mut questions)?;
    questions.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(SavedQuestionsView {
        folder: root.display().to_string(),
        questions,
    })
}

/// The question of a name.
///
/// # Errors
/// [`SavedError::NotFound`], [`SavedError::Io`].
pub fn find(store: &Path, name: &str) -> Result<SavedQuestion, SavedError> {
    let all = list(store)?.questions;
    match all.iter().find(|question| question.name == name) {
        Some(question) => Ok(question.clone()),
        None => Err(SavedError::NotFound {
            name: name.to_owned(),
            all: all.into_iter().map(|question| question.name).collect(),
        }),
    }
}

/// Keeps a question under a name, in its plainest form; in place of one of that name only if `replace` says so.
///
/// # Errors
/// [`SavedError`]; nothing is changed then.
///
/// ```
/// use annals_core::question::saved;
/// let folder = tempfile::tempdir()?;
/// let store = folder.path().join("x.annals");
/// saved::save(&store, "month-end/pending", "COUNT order at end of 2024-01", None, false)?;
/// assert_eq!(saved::find(&store, "month-end/pending")?.question, "count order at end of 2024-01");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save(
    store: &Path,
    name: &str,
    question: &str,
    zone: Option<&str>,
    replace: bool,
) -> Result<SavedQuestion, SavedError> {
    let path = path_of(store, name)?;
    let question = Question::parse(question)?.to_string();
    if path.exists() && !replace {
        return Err(SavedError::Exists {
            name: name.to_owned(),
        });
    }
    let file = File {
        question: question.clone(),
        zone: zone.map(str::to_owned),
    };
    // Two texts are always a table.
    let text = toml::to_string(&file).unwrap_or_default();
    write_whole(&path, &text).map_err(|source| io(&path, source))?;
    Ok(SavedQuestion {
        name: name.to_owned(),
        question,
        zone: file.zone,
        error: None,
    })
}

/// Throws a question away.
///
/// # Errors
/// [`SavedError::NotFound`], [`SavedError::Io`].
pub fn remove(store: &Path, name: &str) -> Result<(), SavedError> {
    let path = path_of(store, name)?;
    find(store, name)?;
    std::fs::remove_file(&path).map_err(|source| io(&path, source))
}

fn questions_folder(store: &Path) -> PathBuf {
    folder(store).join("questions")
}

fn path_of(store: &Path, name: &str) -> Result<PathBuf, SavedError> {
    let parts: Vec<&str> = name.split('/').collect();
    if parts.len() > MAX_FOLDERS + 1 || !parts.iter().all(|part| is_file_name(part)) {
        return Err(SavedError::Name {
            name: name.to_owned(),
        });
    }
    Ok(questions_folder(store).join(format!("{name}.toml")))
}

fn io(path: &Path, source: std::io::Error) -> SavedError {
    SavedError::Io {
        path: path.display().to_string(),
        source,
    }
}

fn gather(
    folder: &Path,
    before: &str,
    folders: usize,
    into: &mut Vec<SavedQuestion>,
) -> Result<(), SavedError> {
    for path in toml_files(folder).map_err(|source| io(folder, source))? {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        let name = format!("{before}{}", stem.unwrap_or_default());
        into.push(row(name, &path));
    }
    let Some(folders) = folders.checked_sub(1) else {
        return Ok(());
    };
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry.map_err(|source| io(folder, source))?.path();
        if path.is_dir() && !path.is_symlink() {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            let before = format!("{before}{}/", name.unwrap_or_default());
            gather(&path, &before, folders, into)?;
        }
    }
    Ok(())
}

fn row(name: String, path: &Path) -> SavedQuestion {
    let broken = |name: String, error: String| SavedQuestion {
        name,
        question: String::new(),
        zone: None,
        error: Some(error),
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return broken(name, format!("the file cannot be read: {error}")),
    };
    match toml::from_str::<File>(&text) {
        Err(error) => broken(name, error.message().to_owned()),
        Ok(file) => SavedQuestion {
            name,
            error: Question::parse(&file.question)
                .err()
                .map(|error| error.to_string()),
            question: file.question,
            zone: file.zone,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_kept_by_name_and_broken_ones_are_listed() {
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join("x.annals");
        assert_eq!(list(&store).unwrap().questions, []);
        save(&store, "all", "count order", None, false).unwrap();
        save(
            &store,
            "month/end",
            "count order at 2024-01",
            Some("Europe/Berlin"),
            false,
        )
        .unwrap();
        let refused = |name: &str, text: &str| {
            save(&store, name, text, None, false)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(
            refused("all", "count user"),
            "there is a question all already"
        );
        assert!(refused("../x", "count user").contains("cannot name a question"));
        assert!(refused("x", "cuont user").contains("character 1"));
        save(&store, "all", "count user", None, true).unwrap();
        let file = questions_folder(&store).join("broken.toml");
        std::fs::write(&file, "question = 'cuont order'").unwrap();
        std::fs::write(questions_folder(&store).join("other.toml"), "x = 1").unwrap();
        let rows: Vec<(String, String, bool)> = list(&store)
            .unwrap()
            .questions
            .into_iter()
            .map(|row| (row.name, row.question, row.error.is_some()))
            .collect();
        let row = |name: &str, question: &str, error| (name.to_owned(), question.to_owned(), error);
        assert_eq!(
            rows,
            [
                row("all", "count user", false),
                row("broken", "cuont order", true),
                row("month/end", "count order at 2024-01", false),
                row("other", "", true),
            ]
        );
        remove(&store, "all").unwrap();
        assert_eq!(
            find(&store, "all").unwrap_err().to_string(),
            "there is no question all; there are broken, month/end, other"
        );
    }
}
