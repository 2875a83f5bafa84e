//! Why a value is what it is, what it was before, and what it would be.

use annals_core::temporal::{self, Changes};
use tauri::State;

use super::state::moment;
use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host};
use crate::wire::{HistoryArgs, WhatIfArgs, WhyArgs};

/// Why the value at a path is what it is.
#[tauri::command]
pub async fn why(host: State<'_, Host>, args: WhyArgs) -> Answer {
    host.ask(move |store| {
        let (moment, reading) = moment(&store.log, &args.moment)?;
        let path = args.path.parse()?;
        let limit = args.limit.map_or(temporal::CONTRIBUTIONS, |n| n as usize);
        let (log, models) = (&store.log, &store.models);
        let mut view = temporal::why(log, models, &args.stream, &path, &moment, limit)?;
        view.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// Every value that a path had.
#[tauri::command]
pub async fn history(host: State<'_, Host>, args: HistoryArgs) -> Answer {
    host.ask(move |store| {
        let (moment, reading) = moment(&store.log, &args.moment)?;
        let path = args.path.parse()?;
        let limit = args.limit.map_or(temporal::VALUES, |n| n as usize);
        let (log, models) = (&store.log, &store.models);
        let mut view = temporal::history(log, models, &args.stream, &path, &moment, limit)?;
        view.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// The state with some events left out or changed, and what differs. Nothing is written.
#[tauri::command]
pub async fn what_if(host: State<'_, Host>, args: WhatIfArgs) -> Answer {
    host.ask(move |store| {
        let (moment, reading) = moment(&store.log, &args.moment)?;
        let mut changes = Changes::default();
        for position in args.without {
            changes = changes.without(position);
        }
        for edit in args.edits {
            changes = changes.edit(edit.position, &edit.json).map_err(|error| {
                let message = format!(
                    "the payload for position {} is not JSON: {error}",
                    edit.position
                );
                HostError::new(ErrorCode::BadInput, message)
            })?;
        }
        let (log, models) = (&store.log, &store.models);
        let mut view = temporal::what_if(log, models, &args.stream, &moment, &changes)?;
        view.diff.from.reading.clone_from(&reading);
        view.diff.to.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}
