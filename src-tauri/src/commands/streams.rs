//! What the store holds, and its streams.

use annals_core::store::{CountView, ReadError};
use annals_core::temporal;
use tauri::State;

use crate::host::{Answer, Host};
use crate::wire::{
    ActorsView, LimitArgs, StreamArgs, StreamLinesArgs, StreamsArgs, StreamsCountArgs,
};

/// What the store holds.
#[tauri::command]
pub async fn store_info(host: State<'_, Host>) -> Answer {
    host.ask(|store| store.log.info()).await
}

/// Who acted, most events first.
#[tauri::command]
pub async fn store_actors(host: State<'_, Host>, args: LimitArgs) -> Answer {
    host.ask(move |store| {
        let actors = store.log.actors(args.limit as usize)?;
        Ok::<_, ReadError>(ActorsView { actors })
    })
    .await
}

/// One page of streams, by name.
#[tauri::command]
pub async fn streams(host: State<'_, Host>, args: StreamsArgs) -> Answer {
    host.ask(move |store| store.log.streams(&args.query, args.limit as usize))
        .await
}

/// How many streams match.
#[tauri::command]
pub async fn streams_count(host: State<'_, Host>, args: StreamsCountArgs) -> Answer {
    host.ask(move |store| {
        let count = store.log.count_streams(&args.query)?;
        Ok::<_, ReadError>(CountView { count })
    })
    .await
}

/// One stream's row.
#[tauri::command]
pub async fn stream(host: State<'_, Host>, args: StreamArgs) -> Answer {
    host.ask(move |store| {
        let row = store.log.stream(&args.stream)?;
        row.ok_or(ReadError::NoStream(args.stream))
    })
    .await
}

/// Events of one stream, in one line each.
#[tauri::command]
pub async fn stream_lines(host: State<'_, Host>, args: StreamLinesArgs) -> Answer {
    host.ask(move |store| {
        temporal::stream_lines(&store.log, &args.stream, args.from, args.limit as usize)
    })
    .await
}
