//! Why a value is what it is, what it was before, and what it would be.

use annals_core::temporal::{self, Changes, Start};
use tauri::State;

use super::state::{as_of, moment};
use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host, json};
use crate::wire::{
    HistoryArgs, LateArgs, ObjectArgs, RelatedArgs, StatesArgs, WhatIfArgs, WhyArgs,
    WorkProgressView,
};

/// Why the value at a path is what it is.
#[tauri::command]
pub async fn why(host: State<'_, Host>, args: WhyArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let (moment, reading) = moment(log, &args.moment)?;
        let path = args.path.parse()?;
        let limit = args.limit.map_or(temporal::CONTRIBUTIONS, |n| n as usize);
        let models = &store.models().set;
        let mut view = temporal::why(log, models, &args.stream, &path, &moment, limit)?;
        view.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// Every value that a path had.
#[tauri::command]
pub async fn history(host: State<'_, Host>, args: HistoryArgs) -> Answer {
    host.ask_long(move |store, log, go_on| {
        let (moment, reading) = moment(log, &args.moment)?;
        let path = args.path.parse()?;
        let limit = args.limit.map_or(temporal::VALUES, |n| n as usize);
        let models = &store.models().set;
        let stream = &args.stream;
        let mut view = temporal::history(log, models, stream, &path, &moment, limit, go_on)?;
        view.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// The state with some events left out or changed, and what differs. Nothing is written.
#[tauri::command]
pub async fn what_if(host: State<'_, Host>, args: WhatIfArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let (moment, reading) = moment(log, &args.moment)?;
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
        let models = &store.models().set;
        let mut view = temporal::what_if(log, models, &args.stream, &moment, &changes)?;
        view.diff.from.reading.clone_from(&reading);
        view.diff.to.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// What belongs to a stream or an event, at one instant.
#[tauri::command]
pub async fn related(host: State<'_, Host>, args: RelatedArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let (as_of, reading) = as_of(log, args.at, args.known)?;
        let start = match (args.position, args.stream) {
            (Some(position), _) => Start::Event(position),
            (None, Some(stream)) => Start::Stream(stream),
            (None, None) => {
                let message = "neither a stream nor an event is named";
                return Err(HostError::new(ErrorCode::BadInput, message));
            }
        };
        let mut view = temporal::related(log, &store.index, &store.models().set, &start, as_of)?;
        view.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// One object with its attributes and a page of its events.
#[tauri::command]
pub async fn object(host: State<'_, Host>, args: ObjectArgs) -> Answer {
    host.ask_long(move |_, log, _| {
        let (as_of, reading) = as_of(log, args.at, args.known)?;
        let limit = args.limit as usize;
        let mut view = temporal::object(log, &args.object, as_of, args.after, limit)?;
        view.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// Late, back-dated and out-of-order events.
#[tauri::command]
pub async fn late(host: State<'_, Host>, args: LateArgs) -> Answer {
    host.ask_long(move |_, log, go_on| {
        let limit = args.limit.map_or(temporal::LATE, |n| n as usize);
        temporal::late(log, args.stream.as_ref(), limit, go_on)
    })
    .await
}

/// How far all is that goes through a whole stream or the whole log.
#[tauri::command]
pub async fn long_progress(host: State<'_, Host>) -> Answer {
    let (done, total) = host.long_progress();
    json(&WorkProgressView { done, total })
}

/// Stops all that goes through a whole stream or the whole log.
#[tauri::command]
pub async fn long_cancel(host: State<'_, Host>) -> Answer {
    host.cancel_long();
    json(&())
}

/// The states of several streams at one instant.
#[tauri::command]
pub async fn states(host: State<'_, Host>, args: StatesArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let (as_of, reading) = as_of(log, args.at, args.known)?;
        let mut view = temporal::states(log, &store.models().set, &args.streams, as_of)?;
        for state in &mut view.states {
            state.reading.clone_from(&reading);
        }
        Ok::<_, HostError>(view)
    })
    .await
}
