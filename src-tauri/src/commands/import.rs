//! Import into the open store.

use std::sync::atomic::Ordering::Relaxed;

use annals_core::import::{self, ImportRequest, Progress};
use annals_core::store::LogWriter;
use annals_core::time::parse_zone;
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::ticks::with_ticks;
use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{ImportArgs, ImportProgressView};

/// Imports files into the open store; answers when it is done.
#[tauri::command]
pub async fn import_start(webview: Webview, host: State<'_, Host>, args: ImportArgs) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let channel: Channel<ImportProgressView> = args.channel.channel_on(webview);
    let typed = |text: &String| host.typed_path(text);
    let request = ImportRequest {
        paths: args.paths.iter().map(typed).collect::<Result<_, _>>()?,
        format: args.format,
        category: args.category,
        zone: parse_zone(&args.zone)?,
        dry_run: args.dry_run,
        rejects: args.rejects.as_ref().map(typed).transpose()?,
    };
    blocking(move || {
        let running = host.import().begin().ok_or_else(|| {
            HostError::new(ErrorCode::Conflict, "an import is running already")
                .hint("Wait until it is done, or cancel it.")
        })?;
        let progress = &*running.progress;
        // Held only for the import: whoever looks at a store does not keep others from writing to it.
        let writer = LogWriter::open(&store.path, host.surroundings().clone())?;
        // A window that has gone away needs no progress.
        let tick = move || drop(channel.send(view(progress)));
        let report = with_ticks(tick, || {
            import::import(&writer, &request, host.surroundings(), progress)
        })?;
        // The import is durable already; a write-ahead log that stays is read with the store.
        let _ = writer.close();
        json(&report)
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
        events_stored: progress.events_stored.load(Relaxed),
    }
}
