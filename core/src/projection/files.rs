//! The projection files beside a store, as the user keeps them: listed, shown, put there. The log is never touched.

use std::path::Path;

use super::set::projections_folder;
use super::{Projection, ProjectionRow, ProjectionTextView, ProjectionsView};
use crate::model::{ModelError, is_file_name, toml_files, write_whole};

/// Why a projection was not put beside a store.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The text is no projection.
    #[error(transparent)]
    Definition(#[from] ModelError),
    /// The name cannot be one of a file.
    #[error(
        "{name:?} cannot name a projection file: it takes letters, digits, `-`, `_` and `.`, and begins with none of the last"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A file of that name is there.
    #[error("there is a projection file {file} already")]
    Exists {
        /// File name.
        file: String,
    },
    /// Another file holds a projection of that name.
    #[error("{file} holds a projection {name} already")]
    Taken {
        /// Name of the projection.
        name: String,
        /// File name.
        file: String,
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

/// Lists the projection files beside a store, broken ones included.
///
/// # Errors
/// The system's error if the folder is there and cannot be read.
pub fn list(store: &Path) -> std::io::Result<ProjectionsView> {
    let folder = projections_folder(store);
    let projections = toml_files(&folder)?
        .iter()
        .map(|path| row(path, &std::fs::read_to_string(path)))
        .collect();
    Ok(ProjectionsView {
        folder: folder.display().to_string(),
        projections,
    })
}

/// A projection file by the name of the file or of the projection; `None` if there is none.
///
/// # Errors
/// The system's error if it cannot be read.
pub fn show(store: &Path, name: &str) -> std::io::Result<Option<ProjectionTextView>> {
    for path in toml_files(&projections_folder(store))? {
        let text = std::fs::read_to_string(&path);
        let row = row(&path, &text);
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        let model_name = row.model.as_ref().map(|model| model.name.as_str());
        if row.file == name || stem.as_deref() == Some(name) || model_name == Some(name) {
            let text = text?;
            return Ok(Some(ProjectionTextView { row, text }));
        }
    }
    Ok(None)
}

/// Puts a projection beside a store, as `NAME.toml`; in place of a file of that name only if `replace` says so.
///
/// # Errors
/// [`SaveError`] if the text is no projection, the name cannot be one, a file or another projection is in the way, or
/// the system refuses. Nothing is changed then.
pub fn save(
    store: &Path,
    name: &str,
    text: &str,
    replace: bool,
) -> Result<ProjectionRow, SaveError> {
    if !is_file_name(name) {
        return Err(SaveError::Name {
            name: name.to_owned(),
        });
    }
    let projection = Projection::parse(name, text)?;
    let folder = projections_folder(store);
    let file = format!("{name}.toml");
    let told = |path: &Path| {
        let path = path.display().to_string();
        move |source| SaveError::Io { path, source }
    };
    for other in list(store).map_err(told(&folder))?.projections {
        let other_name = other.model.map(|model| model.name);
        if other.file == file {
            if !replace {
                return Err(SaveError::Exists { file });
            }
        } else if other_name.as_deref() == Some(projection.name()) {
            return Err(SaveError::Taken {
                name: projection.name().to_owned(),
                file: other.file,
            });
        }
    }
    let path = folder.join(&file);
    write_whole(&path, text).map_err(told(&path))?;
    Ok(row(&path, &Ok(text.to_owned())))
}

fn row(path: &Path, text: &std::io::Result<String>) -> ProjectionRow {
    let named = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let (stem, file) = (named(path.file_stem()), named(path.file_name()));
    let read = match text {
        Ok(text) => Projection::parse(&stem, text).map_err(|error| {
            let name = file.clone();
            ModelError { name, ..error }.to_string()
        }),
        Err(error) => Err(format!("{file}: the file cannot be read: {error}")),
    };
    let (projection, error) = match read {
        Ok(projection) => (Some(projection), None),
        Err(error) => (None, Some(error)),
    };
    let projection = projection.as_ref();
    ProjectionRow {
        file,
        model: projection.map(Projection::reference),
        description: projection.and_then(|p| p.description().map(str::to_owned)),
        strategy: projection.map(Projection::strategy),
        every_seconds: projection.and_then(Projection::every_seconds),
        on_fault: projection.map(Projection::on_fault),
        from: projection.map_or_else(Vec::new, |p| p.from().to_vec()),
        types: projection.map_or_else(Vec::new, |p| {
            p.types().into_iter().map(str::to_owned).collect()
        }),
        error,
    }
}
