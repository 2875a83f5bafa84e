//! Backups of the open store, and stores restored from them.

use annals_core::access_log::LookKind;
use annals_core::store::{Log, backup, restore};
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::state::known;
use super::work::watched;
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{BackupArgs, RestoreArgs, WorkProgressView};

/// Makes a verified copy of the open store; answers when it is done.
#[tauri::command]
pub async fn backup_start(webview: Webview, host: State<'_, Host>, args: BackupArgs) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let file = host.typed_path(&args.file)?;
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    blocking(move || {
        let asked = vec![("out".to_owned(), vec![file.display().to_string()])];
        host.note_look(&store.log, LookKind::Export, "backup", asked)?;
        let report = watched(&host, &channel, |progress| {
            Ok(backup(&store.log, &file, progress)?)
        })?;
        json(&report)
    })
    .await
}

/// Makes a new store from a backup, or from the open store as it was; answers when it is done.
#[tauri::command]
pub async fn restore_start(webview: Webview, host: State<'_, Host>, args: RestoreArgs) -> Answer {
    let host = host.inner().clone();
    let to_store = host.typed_path(&args.store)?;
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    blocking(move || {
        let log = match &args.file {
            Some(file) => Log::explore(&host.typed_path(file)?)?,
            None => host.open_store()?.log.clone(),
        };
        let to = match args.to.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(known(&log, text)?),
        };
        let asked = vec![("out".to_owned(), vec![to_store.display().to_string()])];
        host.note_look(&log, LookKind::Export, "restore", asked)?;
        let report = watched(&host, &channel, |progress| {
            Ok(restore(&log, to, &to_store, progress)?)
        })?;
        json(&report)
    })
    .await
}
