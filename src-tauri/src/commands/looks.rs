//! Who looked at the open store, and what an erasure in it would take.

use annals_core::access_log::{self, AccessState, LookKind};
use annals_core::privacy::{self, EraseRequest};
use tauri::State;

use crate::host::{Answer, Host, blocking, json};
use crate::wire::{AccessLogArgs, ErasurePlanArgs, LookArgs};

/// Writes down that a view of the open store stayed.
#[tauri::command]
pub async fn look_note(host: State<'_, Host>, args: LookArgs) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    blocking(move || {
        let LookArgs { view, asked } = args;
        let state: AccessState = host.note_look(&store.log, LookKind::View, &view, asked)?;
        json(&state)
    })
    .await
}

/// The access log of the open store, its chain followed.
#[tauri::command]
pub async fn access_log(host: State<'_, Host>, args: AccessLogArgs) -> Answer {
    let host_of = host.inner().clone();
    host.ask(move |store| {
        let file = host_of.access_log(&store.log)?;
        access_log::check(&file, None, args.last as usize).map_err(crate::error::HostError::from)
    })
    .await
}

/// What an erasure of a subject's data would take. The command line carries it out.
#[tauri::command]
pub async fn erasure_plan(host: State<'_, Host>, args: ErasurePlanArgs) -> Answer {
    host.ask_long(move |store, log, go_on| {
        let request = EraseRequest {
            subject: args.subject,
            mentions: args.mentions,
            reason: None,
        };
        privacy::plan(log, &store.models().set, &request, go_on)
    })
    .await
}
