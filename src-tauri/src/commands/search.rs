//! Text search in the open store.

use annals_core::search::TextQuery;
use tauri::State;

use crate::error::HostError;
use crate::host::{Answer, Host};
use crate::wire::{SearchArgs, SearchCountArgs};

/// One page of what a text finds.
#[tauri::command]
pub async fn search(host: State<'_, Host>, args: SearchArgs) -> Answer {
    host.ask_index(move |store| {
        let text = TextQuery::parse(&args.text)?;
        let page = store
            .index
            .search(&text, &args.query, args.limit as usize)?;
        Ok::<_, HostError>(page)
    })
    .await
}

/// How many events a text finds.
#[tauri::command]
pub async fn search_count(host: State<'_, Host>, args: SearchCountArgs) -> Answer {
    host.ask_index(move |store| {
        let text = TextQuery::parse(&args.text)?;
        Ok::<_, HostError>(store.index.count(&text, &args.query)?)
    })
    .await
}

/// How far the text index is.
#[tauri::command]
pub async fn text_index(host: State<'_, Host>) -> Answer {
    host.ask_index(|store| store.index.view()).await
}
