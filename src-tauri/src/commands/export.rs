//! Export from the open store.

use std::sync::atomic::Ordering::Relaxed;

use annals_core::access_log::LookKind;
use annals_core::export;
use annals_core::search::TextQuery;
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::work::{begin, with_ticks};
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{ExportArgs, ExportProgressView};

/// Exports every event that matches; answers when it is done.
#[tauri::command]
pub async fn export_start(webview: Webview, host: State<'_, Host>, args: ExportArgs) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let channel: Channel<ExportProgressView> = args.channel.channel_on(webview);
    let file = host.typed_path(&args.file)?;
    blocking(move || {
        let mut asked = vec![("out".to_owned(), vec![file.display().to_string()])];
        asked.extend(
            args.text
                .iter()
                .map(|text| ("text".to_owned(), vec![text.clone()])),
        );
        if let Ok(query) = serde_json::to_string(&args.query) {
            asked.push(("query".to_owned(), vec![query]));
        }
        host.note_look(&store.log, LookKind::Export, "export", asked)?;
        let running = begin(host.export(), "an export is running already")?;
        let progress = &*running.progress;
        // A window that has gone away needs no progress.
        let tick = move || {
            let events = progress.events.load(Relaxed);
            drop(channel.send(ExportProgressView { events }));
        };
        let text = args.text.as_deref().map(TextQuery::parse).transpose()?;
        let (query, format) = (&args.query, args.format);
        let mut report = with_ticks(tick, || match &text {
            None => export::export_to_file(&store.log, query, format, &file, progress),
            Some(text) => {
                export::export_found_to_file(&store.index, text, query, format, &file, progress)
            }
        })?;
        report.file = file.display().to_string();
        json(&report)
    })
    .await
}

/// Cancels the running export: no half file stays.
#[tauri::command]
pub async fn export_cancel(host: State<'_, Host>) -> Answer {
    if let Some(progress) = host.export().running() {
        progress.cancel.store(true, Relaxed);
    }
    json(&())
}
