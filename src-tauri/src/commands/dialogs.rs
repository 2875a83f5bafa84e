//! The system's own file dialogs. They run here, so that the window needs no permission for them.

use std::path::PathBuf;

use tauri::AppHandle;
use tauri_plugin_dialog::{DialogExt as _, FileDialogBuilder, FilePath};

use crate::host::{Answer, blocking, json};
use crate::wire::{NameArgs, PathsView};

/// Lets the user pick a store.
#[tauri::command]
pub async fn pick_store(app: AppHandle) -> Answer {
    pick(app, |dialog| {
        let dialog = dialog.set_title("Open a store");
        let dialog = dialog.add_filter("Annals stores", &["annals"]);
        dialog.blocking_pick_file().into_iter().collect()
    })
    .await
}

/// Lets the user say where a new store goes.
#[tauri::command]
pub async fn pick_new_store(app: AppHandle, args: NameArgs) -> Answer {
    pick(app, move |dialog| {
        let dialog = dialog.set_title("Make a new store");
        let dialog = dialog.set_file_name(args.name);
        dialog.blocking_save_file().into_iter().collect()
    })
    .await
}

/// How names of files end that an import usually reads; it goes by the content.
const EVENT_FILES: [&str; 9] = [
    "jsonl", "ndjson", "json", "xes", "csv", "tsv", "txt", "gz", "zst",
];

/// Lets the user pick files to import.
#[tauri::command]
pub async fn pick_import_files(app: AppHandle) -> Answer {
    pick(app, |dialog| {
        let dialog = dialog.set_title("Import files");
        let dialog = dialog.add_filter("Event files", &EVENT_FILES);
        let dialog = dialog.add_filter("All files", &["*"]);
        dialog.blocking_pick_files().unwrap_or_default()
    })
    .await
}

/// Lets the user pick a file of another system's snapshots.
#[tauri::command]
pub async fn pick_snapshots(app: AppHandle) -> Answer {
    pick(app, |dialog| {
        let dialog = dialog.set_title("Import snapshots of another system");
        dialog.blocking_pick_file().into_iter().collect()
    })
    .await
}

/// Lets the user say where an export goes.
#[tauri::command]
pub async fn pick_export_file(app: AppHandle, args: NameArgs) -> Answer {
    pick(app, move |dialog| {
        let dialog = dialog.set_title("Export").set_file_name(args.name);
        dialog.blocking_save_file().into_iter().collect()
    })
    .await
}

/// Lets the user say where a report goes.
#[tauri::command]
pub async fn pick_report_file(app: AppHandle, args: NameArgs) -> Answer {
    pick(app, move |dialog| {
        let dialog = dialog.set_title("Make a report").set_file_name(args.name);
        dialog.blocking_save_file().into_iter().collect()
    })
    .await
}

pub(super) async fn pick(
    app: AppHandle,
    ask: impl FnOnce(FileDialogBuilder<tauri::Wry>) -> Vec<FilePath> + Send + 'static,
) -> Answer {
    blocking(move || {
        let picked = ask(app.dialog().file()).into_iter();
        let paths = picked.filter_map(|path| path.into_path().ok());
        json(&PathsView {
            paths: paths
                .map(|path: PathBuf| path.display().to_string())
                .collect(),
        })
    })
    .await
}
