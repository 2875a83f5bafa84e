//! The dashboards beside a log.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use ts_rs::TS;

use super::{Dashboard, DashboardError, DashboardFault, SourceKind};
use crate::integrity::Hash;
use crate::model::{folder, toml_files};

/// The dashboards of a store, by name.
#[derive(Debug, Clone, Default)]
pub struct DashboardSet {
    by_name: BTreeMap<String, Arc<Dashboard>>,
    broken: Vec<DashboardFault>,
}

/// The dashboards beside a store: `annals dashboard STORE --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DashboardsView {
    /// Folder that they lie in.
    pub folder: String,
    /// The dashboards, by name.
    pub dashboards: Vec<DashboardRow>,
    /// Files that are wrong and were left out.
    pub broken: Vec<DashboardFault>,
}

/// One dashboard.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct DashboardRow {
    /// Name: that of its file.
    pub name: String,
    /// Title.
    pub title: String,
    /// What it is for.
    pub description: Option<String>,
    /// SHA-256 of the file's text.
    pub hash: Hash,
    /// Number of panels.
    #[ts(type = "number")]
    pub panels: usize,
    /// Projections that it reads.
    pub projections: Vec<String>,
    /// Kept questions that it asks.
    pub questions: Vec<String>,
    /// Kept queries that it asks.
    pub queries: Vec<String>,
}

impl DashboardSet {
    /// Reads `dashboards/*.toml` in the store's folder (`X.annals.d`), by file name. Files that are wrong are left out
    /// and listed. Where there is no folder there are no dashboards.
    ///
    /// # Errors
    /// The system's error if the folder is there and cannot be read.
    pub fn load(store: &Path) -> std::io::Result<DashboardSet> {
        let mut set = DashboardSet::default();
        for file in toml_files(&folder(store).join("dashboards"))? {
            let named = |part: Option<&std::ffi::OsStr>| {
                part.map(|part| part.to_string_lossy().into_owned())
                    .unwrap_or_default()
            };
            let (stem, name) = (named(file.file_stem()), named(file.file_name()));
            let read = std::fs::read_to_string(&file)
                .map_err(|error| DashboardFault {
                    name: name.clone(),
                    line: 1,
                    column: 1,
                    message: format!("the file cannot be read: {error}"),
                    hint: "it has to be a readable text in UTF-8".to_owned(),
                })
                .and_then(|text| Dashboard::parse(&stem, &text));
            match read {
                Ok(dashboard) => set.add(dashboard),
                Err(fault) => set.broken.push(DashboardFault { name, ..fault }),
            }
        }
        Ok(set)
    }

    /// Adds a dashboard, in place of one of its name.
    pub fn add(&mut self, dashboard: Dashboard) {
        self.by_name
            .insert(dashboard.name().to_owned(), Arc::new(dashboard));
    }

    /// The dashboard of a name.
    ///
    /// # Errors
    /// [`DashboardError::Broken`] if its file is wrong, [`DashboardError::NoDashboard`] if there is none.
    pub fn get(&self, name: &str) -> Result<Arc<Dashboard>, DashboardError> {
        if let Some(dashboard) = self.by_name.get(name) {
            return Ok(Arc::clone(dashboard));
        }
        let is_named = |fault: &&DashboardFault| fault.name.strip_suffix(".toml") == Some(name);
        match self.broken.iter().find(is_named) {
            Some(fault) => Err(DashboardError::Broken(fault.clone())),
            None => Err(DashboardError::NoDashboard {
                name: name.to_owned(),
                known: self.by_name.keys().cloned().collect(),
            }),
        }
    }

    /// The dashboards, as hosts list them.
    #[must_use]
    pub fn view(&self, store: &Path) -> DashboardsView {
        let names = |dashboard: &Dashboard, kind: SourceKind| {
            let names = dashboard.sources(kind).into_iter();
            names.map(str::to_owned).collect()
        };
        let row = |dashboard: &Arc<Dashboard>| DashboardRow {
            name: dashboard.name().to_owned(),
            title: dashboard.title().to_owned(),
            description: dashboard.description().map(str::to_owned),
            hash: dashboard.hash(),
            panels: dashboard.panels_count(),
            projections: names(dashboard, SourceKind::Projection),
            questions: names(dashboard, SourceKind::Question),
            queries: names(dashboard, SourceKind::Query),
        };
        DashboardsView {
            folder: folder(store).join("dashboards").display().to_string(),
            dashboards: self.by_name.values().map(row).collect(),
            broken: self.broken.clone(),
        }
    }
}
