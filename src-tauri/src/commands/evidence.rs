//! Evidence packages in the window: verifying one. Making one needs the log's key, which the command line holds.

use annals_core::evidence::verify::{Trust, verify_file};
use annals_core::integrity::note::VerifyingKey;
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::work::watched;
use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{EvidenceVerifyArgs, WorkProgressView};

/// Verifies a package; needs no open store.
#[tauri::command]
pub async fn evidence_verify(
    webview: Webview,
    host: State<'_, Host>,
    args: EvidenceVerifyArgs,
) -> Answer {
    let host = host.inner().clone();
    let file = host.typed_path(&args.file)?;
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    let key = args
        .key
        .as_deref()
        .map(str::trim)
        .filter(|key| !key.is_empty());
    let keys: Vec<VerifyingKey> = key
        .map(|key| key.parse())
        .transpose()
        .map_err(|error: annals_core::integrity::note::NoteError| {
            HostError::new(ErrorCode::BadInput, error.to_string())
                .hint("A verifier key is name+id+key, as annals prints it.")
        })?
        .into_iter()
        .collect();
    blocking(move || {
        let trust = Trust {
            keys,
            ..Trust::default()
        };
        let answer = watched(&host, &channel, |progress| {
            Ok(verify_file(&file, &trust, progress)?)
        })?;
        json(&answer)
    })
    .await
}

/// Lets the user pick a package.
#[tauri::command]
pub async fn pick_package(app: tauri::AppHandle) -> Answer {
    super::dialogs::pick(app, |dialog| {
        let dialog = dialog.set_title("Verify a package");
        let dialog = dialog.add_filter("Evidence packages", &["zip"]);
        dialog.blocking_pick_file().into_iter().collect()
    })
    .await
}
