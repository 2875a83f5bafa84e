//! The projections beside a log.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Projection, ProjectionError};
use crate::model::{ModelError, ModelSet, folder, toml_files};

/// The projections of a store, by name.
#[derive(Debug, Clone, Default)]
pub struct ProjectionSet {
    by_name: BTreeMap<String, Arc<Projection>>,
    broken: Vec<ModelError>,
}

/// The folder of a store's projections: `X.annals.d/projections`.
pub(super) fn projections_folder(store: &Path) -> PathBuf {
    folder(store).join("projections")
}

impl ProjectionSet {
    /// Reads `projections/*.toml` in the store's folder (`X.annals.d`), by file name. Files that are wrong are left
    /// out and listed, so is the second one of a name. Where there is no folder there are no projections. What they
    /// read goes through the upcasters of the store's models first.
    ///
    /// # Errors
    /// The system's error if the folder is there and cannot be read.
    pub fn load(store: &Path) -> std::io::Result<(ProjectionSet, Vec<ModelError>)> {
        let mut set = ProjectionSet::default();
        // Whoever shows models says what is wrong with them.
        let (models, _) = ModelSet::load(store)?;
        for file in toml_files(&projections_folder(store))? {
            let named = |part: Option<&std::ffi::OsStr>| {
                part.map(|part| part.to_string_lossy().into_owned())
                    .unwrap_or_default()
            };
            let (stem, name) = (named(file.file_stem()), named(file.file_name()));
            let whole = |message: String| ModelError {
                name: name.clone(),
                line: 1,
                column: 1,
                message,
            };
            let read = std::fs::read_to_string(&file)
                .map_err(|error| whole(format!("the file cannot be read: {error}")))
                .and_then(|text| {
                    Projection::parse(&stem, &text).map_err(|error| ModelError {
                        name: name.clone(),
                        ..error
                    })
                });
            match read {
                Ok(projection) => {
                    if let Err(error) = set.add(projection.with_upcasters(&models)) {
                        set.broken.push(whole(error.message));
                    }
                }
                Err(error) => set.broken.push(error),
            }
        }
        let broken = set.broken.clone();
        Ok((set, broken))
    }

    /// Adds a projection.
    ///
    /// # Errors
    /// [`ModelError`] if there is one of its name already.
    pub fn add(&mut self, projection: Projection) -> Result<(), ModelError> {
        let name = projection.name().to_owned();
        if self.by_name.contains_key(&name) {
            return Err(ModelError {
                message: format!("there is a projection {name} already"),
                name,
                line: 1,
                column: 1,
            });
        }
        self.by_name.insert(name, Arc::new(projection));
        Ok(())
    }

    /// The projection of a name; the name of its file does as well.
    ///
    /// # Errors
    /// [`ProjectionError::Broken`] if its file is wrong, [`ProjectionError::NoProjection`] if there is none.
    pub fn get(&self, name: &str) -> Result<Arc<Projection>, ProjectionError> {
        if let Some(projection) = self.by_name.get(name) {
            return Ok(Arc::clone(projection));
        }
        let is_named = |error: &&ModelError| error.name.strip_suffix(".toml") == Some(name);
        match self.broken.iter().find(is_named) {
            Some(error) => Err(ProjectionError::Broken(error.clone())),
            None => Err(ProjectionError::NoProjection {
                name: name.to_owned(),
                known: self.by_name.keys().cloned().collect(),
            }),
        }
    }

    /// The projections, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Projection>> {
        self.by_name.values()
    }

    /// The files that were left out because they are wrong, by file name.
    #[must_use]
    pub fn broken(&self) -> &[ModelError] {
        &self.broken
    }
}
