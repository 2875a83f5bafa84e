//! Snapshots of another system, imported: held against a replay, and kept beside the store.

use std::path::Path;

use serde::Serialize;
use ts_rs::TS;

use super::{SnapshotVerifyView, verify_claims};
use crate::model::ModelSet;
use crate::snapshot::SnapshotError;
use crate::snapshot::claimed::{self, Foreign};
use crate::store::Log;

/// Snapshots of another system that were imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct ForeignRow {
    /// Their name: that of the file beside the store, without its ending.
    pub name: String,
    /// How many there are; `null` where the file cannot be read.
    #[ts(type = "number | null")]
    pub snapshots: Option<u64>,
    /// Length of the file, in bytes.
    #[ts(type = "number")]
    pub bytes: u64,
    /// What is wrong with the file, in a sentence; `null` where nothing is.
    pub fault: Option<String>,
}

impl ForeignRow {
    /// A row for each set of snapshots that was imported.
    pub(super) fn all(store: &Path) -> std::io::Result<Vec<ForeignRow>> {
        let row = |foreign: Foreign| {
            let Foreign {
                name,
                bytes,
                content,
            } = foreign;
            let (snapshots, fault) = match content {
                Ok(found) => {
                    let refused = found.refused.first();
                    let fault = refused.map(|one| format!("record {}: {}", one.record, one.reason));
                    (Some(found.claims.len() as u64), fault)
                }
                Err(error) => (None, Some(error.to_string())),
            };
            ForeignRow {
                name,
                snapshots,
                bytes,
                fault,
            }
        };
        Ok(claimed::imported(store)?.into_iter().map(row).collect())
    }
}

/// What an import of another system's snapshots did: `annals snapshot import --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SnapshotImportView {
    /// Their name from now on.
    pub name: String,
    /// Where they are kept, a line each.
    pub kept: String,
    /// How many there are. Records that are no snapshots are not kept; the check tells of them.
    #[ts(type = "number")]
    pub imported: u64,
    /// What a replay says of them.
    pub check: SnapshotVerifyView,
}

/// Imports the snapshots of another system from a file, and holds them against a replay by the models. They are kept
/// beside the store, whatever that says, under `name`, else that of the file; in place of others of that name only if
/// `replace` says so. At most `limit` checks are listed. `go_on` is told the number of events replayed and stops the
/// work by saying no; nothing is kept then.
///
/// # Errors
/// [`SnapshotError::Claimed`] if the file cannot be read, holds no snapshot, or the name is taken or cannot be one; as
/// [`verify_claims`] else.
pub fn import_snapshots(
    log: &Log,
    models: &ModelSet,
    file: &Path,
    name: Option<&str>,
    replace: bool,
    limit: usize,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<SnapshotImportView, SnapshotError> {
    let stem = file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let name = name.map(str::to_owned).or(stem).unwrap_or_default();
    let found = claimed::read(file)?;
    let place = claimed::place(log.path(), &name, replace)?;
    let told = file.display().to_string();
    let check = verify_claims(log, models, &told, &found, limit, go_on)?;
    claimed::keep(&place, &found.claims)?;
    Ok(SnapshotImportView {
        name,
        kept: place.display().to_string(),
        imported: found.claims.len() as u64,
        check,
    })
}
