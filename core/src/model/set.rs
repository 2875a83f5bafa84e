//! The models beside a log.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Model, ModelError, definition};

/// The models of a store: at most one a category, the inferred fold for the rest.
#[derive(Debug, Clone, Default)]
pub struct ModelSet {
    by_category: BTreeMap<String, Arc<Model>>,
    broken: Vec<BrokenModel>,
    inferred: std::sync::OnceLock<Arc<Model>>,
}

/// A model file that is left out because it is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenModel {
    /// What is wrong, and where.
    pub error: ModelError,
    /// Category that the file names; `None` if that cannot be read.
    pub category: Option<String>,
}

impl ModelSet {
    /// Reads `models/*.toml` in the store's folder (`X.annals.d`), by file name. Files that are wrong are left out
    /// and listed, so is the second model for a category; the set remembers them as [`broken_for`](Self::broken_for)
    /// their category. Where there is no folder there are no models.
    ///
    /// # Errors
    /// The system's error if the folder is there and cannot be read.
    pub fn load(store: &Path) -> std::io::Result<(ModelSet, Vec<ModelError>)> {
        let mut set = ModelSet::default();
        let mut errors = Vec::new();
        for file in toml_files(&folder(store).join("models"))? {
            let stem = file
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_default();
            let name = file
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let leave_out = |error: ModelError, category: Option<String>| {
                let error = ModelError { name, ..error };
                errors.push(error.clone());
                set.broken.push(BrokenModel { error, category });
            };
            let text = match std::fs::read_to_string(&file) {
                Ok(text) => text,
                Err(error) => {
                    leave_out(whole("", format!("the file cannot be read: {error}")), None);
                    continue;
                }
            };
            match Model::parse(&stem, &text) {
                Ok(model) => {
                    let category = model.category().map(str::to_owned);
                    match set.by_category.get(category.as_deref().unwrap_or_default()) {
                        Some(first) => leave_out(second("", first), category),
                        None => {
                            set.by_category
                                .insert(category.unwrap_or_default(), Arc::new(model));
                        }
                    }
                }
                Err(error) => leave_out(error, definition::category_in(&text)),
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
            return Err(second(&name, first));
        }
        self.by_category.insert(category, Arc::new(model));
        Ok(())
    }

    /// Takes a model for a category whatever category it names itself, in place of any other.
    ///
    /// # Errors
    /// [`ModelError`] if it is for none.
    pub fn try_on(&mut self, category: &str, model: Model) -> Result<(), ModelError> {
        if model.category().is_none() {
            let name = model.reference().name;
            return Err(whole(
                &name,
                "the inferred fold is for no category".to_owned(),
            ));
        }
        self.by_category
            .insert(category.to_owned(), Arc::new(model));
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

    /// The files that are wrong and may be why a category has not the model that was meant for it: those that name the
    /// category, and, where it has no model, those whose category cannot be read.
    pub fn broken_for(&self, category: &str) -> impl Iterator<Item = &BrokenModel> {
        let declared = self.by_category.contains_key(category);
        self.broken
            .iter()
            .filter(move |broken| match &broken.category {
                Some(named) => named == category,
                None => !declared,
            })
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

/// The TOML files of a folder, by name; none where there is no folder.
pub(crate) fn toml_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
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

fn second(name: &str, first: &Model) -> ModelError {
    whole(
        name,
        format!(
            "model {} is for category {:?} already; there is one model a category",
            first.reference().name,
            first.category().unwrap_or_default()
        ),
    )
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
        let broken = |category: &str| -> Vec<String> {
            let files = set.broken_for(category);
            files.map(|broken| broken.error.name.clone()).collect()
        };
        // e.toml may be for any category that has no model.
        assert_eq!(broken("order"), ["c.toml"]);
        assert_eq!(broken("item"), ["d.toml", "e.toml"]);
        assert_eq!(broken("other"), ["e.toml"]);
    }

    #[test]
    fn a_broken_file_names_its_category_where_that_can_be_read() {
        for (text, category) in [
            ("category = 'order'\n[on.A]\nx = 'dta'", Some("order")),
            ("category = 'order'\n[on.A]\nx = ", Some("order")),
            ("category = 'order'\n[on.A\nx = '1'", Some("order")),
            ("category = 'order'\nx = '1'\n", Some("order")),
            ("[on.A]\nx = '1'", None),
            ("category = ''", None),
            ("category = 7", None),
            ("category = \"order\n[on.A]\nx = '1'", None),
            ("category = \"order", None),
            ("category = 'order' 'x'", None),
            ("[on.A]\nx = '1'\ncategory = 'order'", None),
            ("", None),
        ] {
            assert_eq!(definition::category_in(text).as_deref(), category, "{text}");
        }
    }
}
