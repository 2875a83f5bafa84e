//! Saved queries: one statement a file, `X.annals.d/queries/NAME.sql`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use ts_rs::TS;

use super::SqlError;
use crate::model::{folder, is_file_name, write_whole};

/// The saved queries of a store: `annals sql --saved --json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SavedQueriesView {
    /// The folder that they are in.
    pub folder: String,
    /// The queries, by name.
    pub queries: Vec<SavedQuery>,
}

/// A saved query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SavedQuery {
    /// Its name: the file's, without `.sql`.
    pub name: String,
    /// The statement; empty where the file cannot be read as text.
    pub sql: String,
}

/// Lists the saved queries of a store.
///
/// # Errors
/// [`SqlError::Io`] if the folder is there and cannot be read.
pub fn list(store: &Path) -> Result<SavedQueriesView, SqlError> {
    let folder = queries(store);
    let mut found = Vec::new();
    match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
        Ok(entries) => {
            for entry in entries {
                let path = entry?.path();
                let stem = path.file_stem().and_then(|stem| stem.to_str());
                let is_sql = path.extension().is_some_and(|ending| ending == "sql");
                if let (Some(name), true, true) = (stem, is_sql, path.is_file()) {
                    found.push(SavedQuery {
                        name: name.to_owned(),
                        sql: std::fs::read_to_string(&path).unwrap_or_default(),
                    });
                }
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(SavedQueriesView {
        folder: folder.display().to_string(),
        queries: found,
    })
}

/// A saved query by its name.
///
/// # Errors
/// [`SqlError::NoQuery`] if there is none, [`SqlError::Io`].
pub fn show(store: &Path, name: &str) -> Result<SavedQuery, SqlError> {
    let queries = list(store)?.queries;
    let found = queries.into_iter().find(|query| query.name == name);
    found.ok_or_else(|| SqlError::NoQuery {
        name: name.to_owned(),
    })
}

/// Saves a query; in place of one of that name only if `replace` says so.
///
/// # Errors
/// [`SqlError::Name`], [`SqlError::Exists`], [`SqlError::Io`]. Nothing is changed then.
pub fn save(store: &Path, name: &str, sql: &str, replace: bool) -> Result<SavedQuery, SqlError> {
    let file = file(store, name)?;
    if file.exists() && !replace {
        let name = name.to_owned();
        return Err(SqlError::Exists { name });
    }
    write_whole(&file, &format!("{}\n", sql.trim_end()))?;
    Ok(SavedQuery {
        name: name.to_owned(),
        sql: sql.to_owned(),
    })
}

/// Deletes a saved query.
///
/// # Errors
/// [`SqlError::NoQuery`] if there is none, [`SqlError::Name`], [`SqlError::Io`].
pub fn delete(store: &Path, name: &str) -> Result<(), SqlError> {
    match std::fs::remove_file(file(store, name)?) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(SqlError::NoQuery {
            name: name.to_owned(),
        }),
        outcome => Ok(outcome?),
    }
}

fn queries(store: &Path) -> PathBuf {
    folder(store).join("queries")
}

fn file(store: &Path, name: &str) -> Result<PathBuf, SqlError> {
    if !is_file_name(name) {
        let name = name.to_owned();
        return Err(SqlError::Name { name });
    }
    Ok(queries(store).join(format!("{name}.sql")))
}
