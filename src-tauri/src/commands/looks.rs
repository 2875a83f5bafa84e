//! Who looked at the open store, and what an erasure in it would take.

use annals_core::access_log::{self, AccessState, LookKind};
use annals_core::privacy::{self, EraseRequest};
use annals_core::search::IndexProgress;
use annals_core::store::LogWriter;
use annals_core::surroundings::OsUser;
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::work::watched;
use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{AccessLogArgs, EraseArgs, ErasurePlanArgs, LookArgs, WorkProgressView};

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

/// What an erasure of a subject's data would take.
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

/// Erases a subject's payloads for good: the plan is made again, and must be of the log that the user saw it of.
#[tauri::command]
pub async fn erase_start(webview: Webview, host: State<'_, Host>, args: EraseArgs) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    blocking(move || {
        if args.confirmed.trim() != args.subject.trim() {
            let message = "the subject that was typed is another";
            return Err(HostError::new(ErrorCode::BadInput, message)
                .hint("Type it as the plan has it; nothing was erased."));
        }
        let asked = vec![("mentions".to_owned(), vec![args.mentions.to_string()])];
        host.note_look(&store.log, LookKind::Command, "privacy erase", asked)?;
        let request = EraseRequest {
            subject: args.subject,
            mentions: args.mentions,
            reason: args.reason.filter(|text| !text.trim().is_empty()),
        };
        let report = watched(&host, &channel, |progress| {
            let mut go_on = |done| {
                progress.reach(done);
                !progress.is_cancelled()
            };
            let models = store.models();
            let plan = privacy::plan(&store.log, &models.set, &request, &mut go_on)?;
            if plan.head.size != args.planned_at {
                let message = "the log has grown since the plan was made";
                return Err(HostError::new(ErrorCode::Conflict, message)
                    .hint("Plan again and look at it; nothing was erased."));
            }
            let writer = LogWriter::open(&store.path, host.surroundings().clone())?;
            let (user, index) = (OsUser::system(), IndexProgress::default());
            let caches = Some(host.cache_folder());
            let report = privacy::erase(&writer, &plan, &user, caches, &index)?;
            writer.close()?;
            Ok(report)
        })?;
        json(&report)
    })
    .await
}
