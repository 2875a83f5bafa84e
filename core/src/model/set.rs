//! The models beside a log.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Model, ModelError};

/// The models of a store: at most one a category, the inferred fold for the rest.
#[derive(Debug, Default)]
pub struct ModelSet {
    by_category: BTreeMap<String, Arc<Model>>,
    inferred: std::sync::OnceLock<Arc<Model>>,
}

impl ModelSet {
    /// Reads `models/*.toml` in the store's folder (`X.annals.d`), by file name. Files that are wrong are left out
    /// and listed, so is the second model for a category. Where there is no folder there are no models.
    ///
    /// # Errors
    /// The system's error if the folder is there and cannot be read.
    pub fn load(store: &Path) -> std::io::Result<(ModelSet, Vec<ModelError>)> {
        let mut set = ModelSet::default();
        let mut errors = Vec::new();
        for file in model_files(&folder(store).join("models"))? {
            let stem = file
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            let name = file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let text = match std::fs::read_to_string(&file) {
                Ok(text) => text,
                Err(error) => {
                    errors.push(whole(&name, format!("the file cannot be read: {error}")));
                    continue;
                }
            };
            match Model::parse(&stem, &text) {
                Ok(model) => {
                    if let Err(error) = set.add(model) {
                        errors.push(ModelError { name, ..error });
                    }
                }
                Err(error) => errors.push(ModelError { name, ..error }),
            }
        }
        Ok((set, errors))
    }

    /// Adds a model.
    ///
    /// # Errors
    /// [`ModelError`] if there is one for its category already, or it is for none.
    pub fn add(&mut self, model: Model) -> Result<(), ModelError> {
        let name = model.reference().name;
        let Some(category) = model.category().map(str::to_owned) else {
            return Err(whole(
                &name,
                "the inferred fold is for no category".to_owned(),
            ));
        };
        if let Some(first) = self.by_category.get(&category) {
            return Err(whole(
                &name,
                format!(
                    "model {} is for category {category:?} already; there is one model a category",
                    first.reference().name
                ),
            ));
        }
        self.by_category.insert(category, Arc::new(model));
        Ok(())
    }

    /// The model for a category; the inferred fold where none is declared.
    #[must_use]
    pub fn for_category(&self, category: &str) -> Arc<Model> {
        match self.by_category.get(category) {
            Some(model) => Arc::clone(model),
            None => Arc::clone(self.inferred.get_or_init(|| Arc::new(Model::inferred()))),
        }
    }

    /// The declared models, by category.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Model>> {
        self.by_category.values()
    }
}

/// The user's own folder beside a store: `X.annals.d`.
#[must_use]
pub fn folder(store: &Path) -> PathBuf {
    let mut name = OsString::from(store.as_os_str());
    name.push(".d");
    PathBuf::from(name)
}

fn model_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
            && path.is_file()
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn whole(name: &str, message: String) -> ModelError {
    ModelError {
        name: name.to_owned(),
        line: 1,
        column: 1,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_are_read_by_name_and_wrong_ones_are_listed() {
        let home = tempfile::tempdir().unwrap();
        let store = home.path().join("shop.annals");
        let models = folder(&store).join("models");
        assert_eq!(ModelSet::load(&store).unwrap().1, []);
        std::fs::create_dir_all(&models).unwrap();
        let write = |name: &str, text: &[u8]| std::fs::write(models.join(name), text).unwrap();
        write("b.toml", b"category = 'order'\n[on.A]\nx = '1'");
        write("c.toml", b"category = 'order'\n[on.A]\nx = '2'");
        write("d.toml", b"category = 'item'\n[on.A]\nx = 'dta'");
        write("e.toml", b"\xff");
        write("notes.txt", b"no model");
        let (set, errors) = ModelSet::load(&store).unwrap();
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "c.toml:1:1: model b is for category \"order\" already; there is one model a category",
                "d.toml:3:6: there is no variable `dta`; there is data, meta, state, event (and item in remove)",
                "e.toml:1:1: the file cannot be read: stream did not contain valid UTF-8",
            ]
        );
        let order = set.for_category("order").reference();
        assert_eq!((order.name.as_str(), order.inferred), ("b", false));
        assert_eq!(
            order.hash.unwrap().to_string(),
            "2b3e764f41cc7296c8b80eb9c5b9313ebd615170b7afd0795a6b54348102f812"
        );
        assert!(set.for_category("item").reference().inferred);
    }
}
