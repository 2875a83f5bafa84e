//! The open store verified, its checkpoints, and signing one.

use std::path::PathBuf;

use annals_core::integrity::note::SigningKey;
use annals_core::signing::{
    Protection, checkpoints as kept_checkpoints, held, keys as log_keys, open_or_make,
    sign_checkpoint,
};
use annals_core::store::Log;
use annals_core::surroundings::{Random, Surroundings, data_folder};
use annals_core::verify::{Kept, VerifyPlan, verify};
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::work::watched;
use crate::error::{ErrorCode, HostError, io_error};
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{SignArgs, VerifyArgs, WorkProgressView};

/// Verifies the open store, and compares it with a checkpoint or proof that was kept elsewhere.
#[tauri::command]
pub async fn verify_start(webview: Webview, host: State<'_, Host>, args: VerifyArgs) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    let against = args.against.as_deref().map(str::trim);
    let against = against.filter(|file| !file.is_empty());
    let against = against.map(|file| host.typed_path(file)).transpose()?;
    blocking(move || {
        let mut plan = VerifyPlan {
            threads: std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 8)),
            ..VerifyPlan::default()
        };
        if let Some(file) = against {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(&file)
                .map_err(|source| io_error(&source, format!("{name}: {source}")))?;
            plan.against.push(Kept { name, text });
        }
        let view = watched(&host, &channel, |progress| {
            let path = store.log.path();
            Ok(verify(path, &plan, host.surroundings(), progress)?)
        })?;
        json(&view)
    })
    .await
}

/// The checkpoints that the open log keeps.
#[tauri::command]
pub async fn checkpoints(host: State<'_, Host>) -> Answer {
    host.ask(move |store| kept_checkpoints(&store.log)).await
}

/// The keys of the open log, and where the private one lies.
#[tauri::command]
pub async fn log_keys_list(host: State<'_, Host>) -> Answer {
    host.ask(move |store| {
        let held = match key_folder() {
            Some(folder) => held(&store.log, &folder)?,
            None => None,
        };
        let held = held.as_ref().map(|(path, file)| (path.as_path(), file));
        Ok::<_, HostError>(log_keys(&store.log, held)?)
    })
    .await
}

/// Signs what the open log is now.
#[tauri::command]
pub async fn checkpoint_sign(host: State<'_, Host>, args: SignArgs) -> Answer {
    let Surroundings { clock, random } = host.surroundings().clone();
    host.ask(move |store| {
        let key = signing_key(&store.log, &args, &random)?;
        Ok::<_, HostError>(sign_checkpoint(store.log.path(), &key, &clock)?)
    })
    .await
}

/// The private key of a log, opened; made where it has none yet.
pub(super) fn signing_key(
    log: &Log,
    args: &SignArgs,
    random: &Random,
) -> Result<SigningKey, HostError> {
    let folder = key_folder().ok_or_else(|| {
        let message = "there is no folder for keys: the environment names no home";
        HostError::new(ErrorCode::NotFound, message).hint("ANNALS_DATA_DIR names one.")
    })?;
    let protection = match args.passphrase.as_deref() {
        Some(text) if !text.is_empty() => Protection::Passphrase(text),
        _ if args.unprotected => Protection::Nothing,
        _ => Protection::Unsaid,
    };
    Ok(open_or_make(log, &folder, protection, random)?)
}

/// The folder of private keys; `None` where the environment names no home.
fn key_folder() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("keys"))
}
