//! Snapshots of the open store: listed, taken, checked by replay, advised; and by which policy.

use annals_core::snapshot::claimed::ClaimError;
use annals_core::snapshot::{Policies, SnapshotError};
use annals_core::temporal::{self, TakeScope};
use tauri::State;

use crate::error::HostError;
use crate::host::{Answer, Host};
use crate::wire::{PolicyArgs, PolicyRow, SnapshotImportArgs};

/// The snapshots that are kept: the first 1,000.
#[tauri::command]
pub async fn snapshots(host: State<'_, Host>) -> Answer {
    host.ask(move |store| {
        let (models, kept) = (store.models(), store.snapshots()?);
        let limit = temporal::SNAPSHOT_ROWS;
        Ok::<_, HostError>(temporal::list_snapshots(
            &store.log,
            &models.set,
            &kept,
            None,
            limit,
        )?)
    })
    .await
}

/// Takes snapshots where the policies want them.
#[tauri::command]
pub async fn snapshots_take(host: State<'_, Host>) -> Answer {
    host.ask_long(move |store, log, go_on| {
        let (models, kept) = (store.models(), store.snapshots()?);
        let scope = TakeScope::Policies;
        Ok::<_, HostError>(temporal::take_snapshots(
            log,
            &models.set,
            &kept,
            &scope,
            go_on,
        )?)
    })
    .await
}

/// Replays every stream that has snapshots, and compares.
#[tauri::command]
pub async fn snapshots_verify(host: State<'_, Host>) -> Answer {
    host.ask_long(move |store, log, go_on| {
        let (models, kept) = (store.models(), store.snapshots()?);
        let limit = temporal::CLAIMS;
        let view = temporal::verify_snapshots(log, &models.set, &kept, None, limit, go_on)?;
        Ok::<_, HostError>(view)
    })
    .await
}

/// Keeps another system's snapshots beside the store and holds them against a replay.
#[tauri::command]
pub async fn snapshots_import(host: State<'_, Host>, args: SnapshotImportArgs) -> Answer {
    let file = host.typed_path(&args.file)?;
    host.ask_long(move |store, log, go_on| {
        let (models, name) = (store.models(), args.name.as_deref());
        let (replace, limit) = (args.replace, temporal::CLAIMS);
        let models = &models.set;
        let view = temporal::import_snapshots(log, models, &file, name, replace, limit, go_on)?;
        Ok::<_, HostError>(view)
    })
    .await
}

/// Measures replays and says which policy each category wants.
#[tauri::command]
pub async fn snapshots_advise(host: State<'_, Host>) -> Answer {
    host.ask_long(move |store, log, go_on| {
        let (models, kept) = (store.models(), store.snapshots()?);
        Ok::<_, HostError>(temporal::advise_snapshots(log, &models.set, &kept, go_on)?)
    })
    .await
}

/// The policies beside the open store, by category.
#[tauri::command]
pub async fn snapshot_policies(host: State<'_, Host>) -> Answer {
    host.ask(move |store| {
        let policies = Policies::load(&store.path)?;
        Ok::<_, HostError>(rows(&policies))
    })
    .await
}

/// Writes the policy of a category beside the open store.
#[tauri::command]
pub async fn snapshot_policy_set(host: State<'_, Host>, args: PolicyArgs) -> Answer {
    host.ask(move |store| {
        let policies = Policies::set(&store.path, &args.category, args.policy)?;
        // Whoever answers from snapshots goes by the policies as they were read.
        store.reload_models()?;
        Ok::<_, HostError>(rows(&policies))
    })
    .await
}

fn rows(policies: &Policies) -> Vec<PolicyRow> {
    let rows = policies.iter().map(|(category, policy)| PolicyRow {
        category: category.to_owned(),
        policy: policy.clone(),
    });
    rows.collect()
}

impl From<SnapshotError> for HostError {
    fn from(error: SnapshotError) -> HostError {
        let told = HostError::of(&error);
        match error {
            SnapshotError::Read(error) => error.into(),
            SnapshotError::Policy(_) => {
                told.hint("snapshots.toml lies in the store's folder; docs/snapshots.md says what may stand in it.")
            }
            SnapshotError::Claimed(ClaimError::Exists { .. }) => {
                told.hint("Another name keeps both, Replace takes their place.")
            }
            SnapshotError::Cache(_)
            | SnapshotError::Claimed(_)
            | SnapshotError::NoVersion { .. }
            | SnapshotError::OwnTime { .. }
            | SnapshotError::Io(_) => told,
        }
    }
}
