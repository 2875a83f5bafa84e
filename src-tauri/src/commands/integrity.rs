//! The open store verified, its checkpoints, signing one, and what others say of it: time stamps and cosignatures.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use annals_core::integrity::note::{SigningKey, VerifyingKey};
use annals_core::integrity::timestamp::Authority;
use annals_core::key_store::KeyStore;
use annals_core::signing::{
    Protection, SigningError, TimeStampRequestView, add_cosignatures, add_time_stamp,
    checkpoints as kept_checkpoints, held, kept_passphrase, keys as log_keys, known_passphrase,
    open_or_make, request_time_stamp, sign_checkpoint,
};
use annals_core::store::Log;
use annals_core::surroundings::{Random, Surroundings, data_folder};
use annals_core::verify::{Kept, VerifyPlan, verify};
use tauri::ipc::Channel;
use tauri::{AppHandle, State, Webview};

use super::work::watched;
use crate::error::{ErrorCode, HostError, io_error};
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{
    CosignArgs, NameArgs, SignArgs, StampAttachArgs, StampRequestArgs, VerifyArgs, WorkProgressView,
};

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

/// Writes the request for a time stamp over a checkpoint; nothing is sent.
#[tauri::command]
pub async fn timestamp_request(host: State<'_, Host>, args: StampRequestArgs) -> Answer {
    let file = host.typed_path(&args.file)?;
    host.ask(move |store| {
        let (row, bytes) = request_time_stamp(&store.log, Some(args.checkpoint))?;
        let written = File::create_new(&file).and_then(|mut new| new.write_all(&bytes));
        written.map_err(|source| io_error(&source, format!("{}: {source}", file.display())))?;
        Ok::<_, HostError>(TimeStampRequestView::of(&row, &file))
    })
    .await
}

/// Keeps a time stamp that came back, if the authority that is named made it.
#[tauri::command]
pub async fn timestamp_attach(host: State<'_, Host>, args: StampAttachArgs) -> Answer {
    let response = host.typed_path(&args.response)?;
    let authority = host.typed_path(&args.authority)?;
    host.ask(move |store| {
        let name = authority.display().to_string();
        let authority = Authority::from_pem(&name, &small_file(&authority)?).map_err(|error| {
            HostError::new(ErrorCode::BadInput, format!("{name}: {error}"))
                .hint("Give the authority's certificates in PEM, up to its root.")
        })?;
        let response = small_file(&response)?;
        let (row, _, _) = add_time_stamp(store.log.path(), &response, &authority)?;
        Ok::<_, HostError>(row)
    })
    .await
}

/// Keeps the cosignatures that witnesses gave to a checkpoint.
#[tauri::command]
pub async fn checkpoint_cosign(host: State<'_, Host>, args: CosignArgs) -> Answer {
    let file = host.typed_path(&args.cosigned)?;
    let witnesses = args.witnesses.split_whitespace().map(|key| {
        let wrong = |error| {
            HostError::new(ErrorCode::BadInput, format!("{key}: {error}"))
                .hint("Give the witness's verifier key as it prints it: name+id+key.")
        };
        key.parse::<VerifyingKey>().map_err(wrong)
    });
    let witnesses: Vec<VerifyingKey> = witnesses.collect::<Result<_, _>>()?;
    host.ask(move |store| {
        let note = String::from_utf8_lossy(&small_file(&file)?).into_owned();
        let (row, _) = add_cosignatures(store.log.path(), &note, &witnesses)?;
        Ok::<_, HostError>(row)
    })
    .await
}

/// Lets the user say where a request for a time stamp goes.
#[tauri::command]
pub async fn pick_stamp_request(app: AppHandle, args: NameArgs) -> Answer {
    super::dialogs::pick(app, move |dialog| {
        let dialog = dialog.set_title("Ask for a time stamp");
        let dialog = dialog.set_file_name(args.name);
        dialog.blocking_save_file().into_iter().collect()
    })
    .await
}

/// Lets the user pick what came back from an authority or a witness, or an authority's certificates.
#[tauri::command]
pub async fn pick_stamp_file(app: AppHandle, args: NameArgs) -> Answer {
    super::dialogs::pick(app, move |dialog| {
        let dialog = dialog.set_title(args.name);
        dialog.blocking_pick_file().into_iter().collect()
    })
    .await
}

/// Reads a file that has a few thousand bytes, if it is what it should be.
fn small_file(path: &Path) -> Result<Vec<u8>, HostError> {
    const MAX_LEN: u64 = 1 << 20;
    let failed =
        |source: std::io::Error| io_error(&source, format!("{}: {source}", path.display()));
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_LEN {
        let long = format!("{} is longer than 1 MiB", path.display());
        return Err(HostError::new(ErrorCode::BadInput, long));
    }
    std::fs::read(path).map_err(failed)
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
    let store = args.key_store.then(KeyStore::system).transpose();
    let store = store.map_err(SigningError::KeyStore)?;
    let given = args.passphrase.as_deref().filter(|text| !text.is_empty());
    let known = match (given, &store) {
        (Some(_), _) => None,
        _ if args.unprotected => None,
        (None, Some(store)) => Some(kept_passphrase(log, &folder, store, random)?),
        (None, None) => known_passphrase(log, &folder)?,
    };
    let protection = match given.or(known.as_deref()) {
        Some(text) => Protection::Passphrase(text),
        _ if args.unprotected => Protection::Nothing,
        None => Protection::Unsaid,
    };
    let key = open_or_make(log, &folder, protection, random)?;
    // One that opened the key is worth keeping.
    if let (Some(given), Some(store)) = (given, &store) {
        let kept = store.keep(&log.id().origin(), given);
        kept.map_err(SigningError::KeyStore)?;
    }
    Ok(key)
}

/// The folder of private keys; `None` where the environment names no home.
fn key_folder() -> Option<PathBuf> {
    data_folder().map(|folder| folder.join("keys"))
}
