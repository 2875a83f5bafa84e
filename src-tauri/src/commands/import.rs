//! Import into the open store.

use std::path::PathBuf;
use std::sync::atomic::Ordering::Relaxed;

use annals_core::import::{
    self, ImportError, ImportRequest, Mapping, Presence, Presets, PreviewRequest, Progress,
};
use annals_core::store::{ImportsView, ReadError};
use annals_core::surroundings::data_folder;
use annals_core::time::parse_zone;
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::start::make_folder_of;
use super::work::{begin, with_ticks};
use crate::error::HostError;
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{ImportArgs, ImportLinesArgs, ImportProgressView, PresetSaveArgs, PreviewArgs};

/// Most records of a file that are looked at.
const MAX_PREVIEW: u32 = 1_000;

/// Most lines around one that are shown.
const MAX_CONTEXT: u32 = 100;

/// Imports files into the open store, or into a new one, which is not opened; answers when it is done.
#[tauri::command]
pub async fn import_start(webview: Webview, host: State<'_, Host>, args: ImportArgs) -> Answer {
    let host = host.inner().clone();
    let (store, presence, grown) = match &args.into_new {
        Some(new) => (host.typed_path(new)?, Presence::New, None),
        None => {
            let open = host.open_store()?;
            let before = open.log.head()?.size;
            (open.path.clone(), Presence::Either, Some((open, before)))
        }
    };
    let channel: Channel<ImportProgressView> = args.channel.channel_on(webview);
    let typed = |text: &String| host.typed_path(text);
    let request = ImportRequest {
        paths: args.paths.iter().map(typed).collect::<Result<_, _>>()?,
        format: args.format,
        encoding: args.encoding,
        mapping: args.mapping,
        presets: Presets::of_store(
            Some(&store),
            data_folder().as_deref(),
            args.preset.as_deref(),
        )?,
        category: args.category,
        zone: parse_zone(&args.zone)?,
        dry_run: args.dry_run,
        rejects: args.rejects.as_ref().map(typed).transpose()?,
    };
    blocking(move || {
        let running = begin(host.import(), "an import is running already")?;
        let progress = &*running.progress;
        if presence == Presence::New && !request.dry_run {
            make_folder_of(&store, host.default_folder())?;
        }
        // A window that has gone away needs no progress.
        let tick = move || drop(channel.send(view(progress)));
        // The store is held only for the import: whoever looks at one does not keep others from writing to it.
        let done = with_ticks(tick, || {
            import::import_into(&store, presence, &request, host.surroundings(), progress)
        })?;
        // A state is folded as well without; that the policies cannot be read it says itself.
        if let Some((open, before)) = grown
            && !request.dry_run
        {
            let _ = open.snapshot_since(before);
        }
        json(&done.report)
    })
    .await
}

/// Looks at the first records of files. Needs no open store.
#[tauri::command]
pub async fn import_preview(host: State<'_, Host>, args: PreviewArgs) -> Answer {
    let host = host.inner().clone();
    let (request, _) = look(&host, args)?;
    blocking(move || json(&import::preview(&request, host.surroundings())?)).await
}

/// Keeps how a file is read as a preset beside the store that it is meant for.
#[tauri::command]
pub async fn preset_save(host: State<'_, Host>, args: PresetSaveArgs) -> Answer {
    let host = host.inner().clone();
    let (request, store) = look(&host, args.look)?;
    blocking(move || {
        let (store, surroundings) = (store?, host.surroundings());
        let (name, title) = (&args.name, &args.title);
        let replace = args.replace;
        json(&import::save_preset(
            &store,
            name,
            title,
            &request,
            replace,
            surroundings,
        )?)
    })
    .await
}

/// What is to be looked at, and the store that it is meant for.
fn look(
    host: &Host,
    args: PreviewArgs,
) -> Result<(PreviewRequest, Result<PathBuf, HostError>), HostError> {
    let typed = |text: &String| host.typed_path(text);
    let store = match &args.into_new {
        Some(new) => typed(new),
        None => host.open_store().map(|store| store.path.clone()),
    };
    let mapping = match (args.mapping, args.mapping_toml) {
        (None, Some(toml)) => Some(
            Mapping::from_toml("the mapping of that import", &toml).map_err(ImportError::Preset)?,
        ),
        (mapping, _) => mapping,
    };
    let request = PreviewRequest {
        paths: args.paths.iter().map(typed).collect::<Result<_, _>>()?,
        format: args.format,
        encoding: args.encoding,
        mapping,
        presets: Presets::of_store(
            store.as_deref().ok(),
            data_folder().as_deref(),
            args.preset.as_deref(),
        )?,
        category: args.category,
        zone: parse_zone(&args.zone)?,
        records: args.records.min(MAX_PREVIEW) as usize,
    };
    Ok((request, store))
}

/// What can be imported. Needs no open store.
#[tauri::command]
pub async fn import_formats(host: State<'_, Host>) -> Answer {
    let store = host.open_store().ok().map(|store| store.path.clone());
    blocking(move || {
        let presets = Presets::of_store(store.as_deref(), data_folder().as_deref(), None)?;
        json(&import::formats(&presets.own))
    })
    .await
}

/// The imports into the open store, oldest first.
#[tauri::command]
pub async fn imports(host: State<'_, Host>) -> Answer {
    host.ask(|store| {
        let imports = store.log.imports()?;
        Ok::<_, ReadError>(ImportsView { imports })
    })
    .await
}

/// Lines of a file that is or was imported, around one.
#[tauri::command]
pub async fn import_lines(host: State<'_, Host>, args: ImportLinesArgs) -> Answer {
    let path = host.typed_path(&args.file)?;
    blocking(move || {
        let context = args.context.min(MAX_CONTEXT);
        json(&import::lines(&path, args.line, context, args.encoding)?)
    })
    .await
}

/// Cancels the running import: nothing of it is stored.
#[tauri::command]
pub async fn import_cancel(host: State<'_, Host>) -> Answer {
    if let Some(progress) = host.import().running() {
        progress.cancel.store(true, Relaxed);
    }
    json(&())
}

fn view(progress: &Progress) -> ImportProgressView {
    ImportProgressView {
        bytes_total: progress.bytes_total.load(Relaxed),
        bytes_read: progress.bytes_read.load(Relaxed),
        records_read: progress.records_read.load(Relaxed),
        phase: progress.phase(),
        events_total: progress.events_total.load(Relaxed),
        events_done: progress.events_done.load(Relaxed),
        events_stored: progress.events_stored.load(Relaxed),
    }
}
