//! What the reader has chosen, the list of recent stores, and files dropped on the window.

use tauri::ipc::Channel;
use tauri::{State, Webview};

use crate::host::{Answer, Host, blocking, json};
use crate::wire::{DropArgs, DropView, PathArgs, PinArgs, RecentView, SettingsArgs};

/// Keeps the settings.
#[tauri::command]
pub async fn settings_save(host: State<'_, Host>, args: SettingsArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        host.keep_settings(&args.settings)?;
        json(&args.settings)
    })
    .await
}

/// Takes a store off the list of recent ones. Its file stays.
#[tauri::command]
pub async fn recent_remove(host: State<'_, Host>, args: PathArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        host.forget_recent(&args.path)?;
        recent(&host)
    })
    .await
}

/// Pins a store to the head of the list of recent ones, or lets go of it.
#[tauri::command]
pub async fn recent_pin(host: State<'_, Host>, args: PinArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        host.pin_recent(&args.path, args.pinned)?;
        recent(&host)
    })
    .await
}

/// Tells of files dragged over the window and dropped on it, for as long as the page lives.
#[tauri::command]
pub async fn drop_watch(webview: Webview, host: State<'_, Host>, args: DropArgs) -> Answer {
    let channel: Channel<DropView> = args.channel.channel_on(webview);
    host.watch_drops(channel);
    json(&())
}

fn recent(host: &Host) -> Answer {
    json(&RecentView {
        recent: host.recent(),
    })
}
