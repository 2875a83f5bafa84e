//! The model files beside a store, as the user keeps them: listed, shown, put there. The log itself is never touched.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use ts_rs::TS;

use super::set::{folder, toml_files};
use super::{Model, ModelError, ModelRef};

/// The model files beside a store: `annals model list --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ModelsView {
    /// Folder that they lie in.
    pub folder: String,
    /// The files, by name.
    pub models: Vec<ModelRow>,
}

/// One model file.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ModelRow {
    /// File name.
    pub file: String,
    /// Which model it is; `null` if it is none.
    pub model: Option<ModelRef>,
    /// Category that it is for.
    pub category: Option<String>,
    /// Types that it has a handler for.
    pub types: Vec<String>,
    /// What is wrong with it: file, line, column and what is wrong.
    pub error: Option<String>,
}

/// One model file with its text: `annals model show --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct ModelTextView {
    /// The file.
    pub row: ModelRow,
    /// Its text.
    pub text: String,
}

/// Why a model was not put beside a store.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// The text is no model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The name cannot be one of a file.
    #[error(
        "{name:?} cannot name a model file: it takes letters, digits, `-`, `_` and `.`, and begins with none of the last"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// A file of that name is there.
    #[error("there is a model file {file} already")]
    Exists {
        /// File name.
        file: String,
    },
    /// The category has a model in another file.
    #[error("category {category:?} has its model in {file} already; there is one model a category")]
    Category {
        /// Category.
        category: String,
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

/// Lists the model files beside a store, broken ones included.
///
/// # Errors
/// The system's error if the folder is there and cannot be read.
pub fn list(store: &Path) -> std::io::Result<ModelsView> {
    let folder = models_folder(store);
    let models = toml_files(&folder)?
        .iter()
        .map(|path| row(path, std::fs::read_to_string(path)))
        .collect();
    Ok(ModelsView {
        folder: folder.display().to_string(),
        models,
    })
}

/// A model file by the name of the file, of the model, or of its category; `None` if there is none.
///
/// # Errors
/// The system's error if it cannot be read.
pub fn show(store: &Path, name: &str) -> std::io::Result<Option<ModelTextView>> {
    let files = toml_files(&models_folder(store))?;
    let mut by_category = None;
    for path in files {
        let text = std::fs::read_to_string(&path);
        let row = row(&path, text.as_ref().map(Clone::clone).map_err(copy));
        let stem = path.file_stem().map(|stem| stem.to_string_lossy());
        let named = row.file == name
            || stem.as_deref() == Some(name)
            || row.model.as_ref().is_some_and(|model| model.name == name);
        if named {
            let text = text?;
            return Ok(Some(ModelTextView { row, text }));
        }
        if let (true, Ok(text)) = (row.category.as_deref() == Some(name), text) {
            by_category = Some(ModelTextView { row, text });
        }
    }
    Ok(by_category)
}

/// Puts a model beside a store, as `NAME.toml`; in place of a file of that name only if `replace` says so.
///
/// # Errors
/// [`SaveError`] if the text is no model, the name cannot be one, a file or another model is in the way, or the system
/// refuses. Nothing is changed then.
pub fn save(store: &Path, name: &str, text: &str, replace: bool) -> Result<ModelRow, SaveError> {
    if !is_file_name(name) {
        return Err(SaveError::Name {
            name: name.to_owned(),
        });
    }
    let model = Model::parse(name, text)?;
    let folder = models_folder(store);
    let file = format!("{name}.toml");
    let told = |path: &Path| {
        let path = path.display().to_string();
        move |source| SaveError::Io { path, source }
    };
    for other in list(store).map_err(told(&folder))?.models {
        if other.file == file {
            if !replace {
                return Err(SaveError::Exists { file });
            }
        } else if other.model.is_some() && other.category.as_deref() == model.category() {
            return Err(SaveError::Category {
                category: other.category.unwrap_or_default(),
                file: other.file,
            });
        }
    }
    let path = folder.join(&file);
    write_whole(&path, text).map_err(told(&path))?;
    Ok(row(&path, Ok(text.to_owned())))
}

/// Whether a name can be that of a definition's file, without `.toml`.
pub(crate) fn is_file_name(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name.len() <= 100 && name.chars().all(plain)
}

/// Writes a definition's file whole or not at all: a reader never sees half of one. The folder is made where it is not
/// there.
pub(crate) fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    fresh.as_file().sync_all()?;
    fresh.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn models_folder(store: &Path) -> PathBuf {
    folder(store).join("models")
}

fn copy(error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), error.to_string())
}

fn row(path: &Path, text: std::io::Result<String>) -> ModelRow {
    let of = |part: Option<&std::ffi::OsStr>| {
        part.map(|part| part.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    let file = of(path.file_name());
    let parsed = match &text {
        Ok(text) => Model::parse(&of(path.file_stem()), text).map_err(|error| {
            let name = file.clone();
            ModelError { name, ..error }.to_string()
        }),
        Err(error) => Err(format!("{file}: the file cannot be read: {error}")),
    };
    match parsed {
        Ok(model) => ModelRow {
            file,
            model: Some(model.reference()),
            category: model.category().map(str::to_owned),
            types: model.types().into_iter().map(str::to_owned).collect(),
            error: None,
        },
        Err(error) => ModelRow {
            file,
            model: None,
            category: text
                .ok()
                .and_then(|text| super::definition::category_in(&text)),
            types: Vec::new(),
            error: Some(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_put_beside_a_store_once() {
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join("shop.annals");
        let text = "category = 'order'\nversion = 2\n[on.Placed]\nx = '1'\n";
        assert!(list(&store).unwrap().models.is_empty());
        let row = save(&store, "order", text, false).unwrap();
        assert_eq!(
            (row.file.as_str(), row.types),
            ("order.toml", vec!["Placed".to_owned()])
        );
        assert_eq!(row.model.unwrap().version.as_deref(), Some("2"));
        let refused =
            |name: &str, text: &str| save(&store, name, text, false).unwrap_err().to_string();
        assert_eq!(
            refused("order", text),
            "there is a model file order.toml already"
        );
        assert_eq!(
            refused("other", text),
            "category \"order\" has its model in order.toml already; there is one model a category"
        );
        assert!(refused("../x", text).contains("cannot name a model file"));
        assert_eq!(
            refused("x", "category = 'x'\n[on.A]\ny = 'dta'"),
            "x:3:6: there is no variable `dta`; there is data, meta, state, event (and item in remove)"
        );
        let changed = text.replace('1', "3");
        save(&store, "order", &changed, true).unwrap();
        for name in ["order", "order.toml"] {
            assert_eq!(show(&store, name).unwrap().unwrap().text, changed);
        }
        assert!(show(&store, "nothing").unwrap().is_none());
        std::fs::write(
            folder(&store).join("models/broken.toml"),
            "category = 'b'\n[on.A]\n",
        )
        .unwrap();
        let listed = list(&store).unwrap().models;
        assert_eq!(listed.len(), 2);
        assert_eq!(listed[0].category.as_deref(), Some("b"));
        assert!(
            listed[0]
                .error
                .as_deref()
                .unwrap()
                .starts_with("broken.toml:2:5:")
        );
    }
}
