//! Events: lists, counts, one whole, and the histogram over time.

use annals_core::position::Position;
use annals_core::store::{CountView, EventDetailView, EventsView, Log, ReadError, RowView};
use tauri::State;

use crate::host::{Answer, Host};
use crate::wire::{
    DensityArgs, EventArgs, EventByIdArgs, EventRowArgs, EventsArgs, EventsCountArgs,
    NeighboursArgs, NeighboursView,
};

/// One page of events.
#[tauri::command]
pub async fn events(host: State<'_, Host>, args: EventsArgs) -> Answer {
    host.ask(move |store| {
        let page = store
            .log
            .events_from(&args.query, args.skip, args.limit as usize)?;
        Ok::<_, ReadError>(EventsView {
            events: page.events.into_iter().map(Into::into).collect(),
            next: page.next,
        })
    })
    .await
}

/// How many events match.
#[tauri::command]
pub async fn events_count(host: State<'_, Host>, args: EventsCountArgs) -> Answer {
    host.ask(move |store| {
        let count = store.log.count(&args.query)?;
        Ok::<_, ReadError>(CountView { count })
    })
    .await
}

/// Where an event stands in a list.
#[tauri::command]
pub async fn event_row(host: State<'_, Host>, args: EventRowArgs) -> Answer {
    host.ask(move |store| {
        let row = store.log.row_of(&args.query, args.position)?;
        Ok::<_, ReadError>(RowView { row })
    })
    .await
}

/// One event whole.
#[tauri::command]
pub async fn event(host: State<'_, Host>, args: EventArgs) -> Answer {
    host.ask(move |store| detail(&store.log, args.position))
        .await
}

/// One event whole, found by its id.
#[tauri::command]
pub async fn event_by_id(host: State<'_, Host>, args: EventByIdArgs) -> Answer {
    host.ask(move |store| {
        let event = store.log.event_by_id(&args.id)?;
        let event = event.ok_or_else(|| ReadError::NoEvent(format!("with id {}", args.id)))?;
        detail(&store.log, event.position)
    })
    .await
}

/// Number of events per slice of time.
#[tauri::command]
pub async fn density(host: State<'_, Host>, args: DensityArgs) -> Answer {
    host.ask(move |store| store.log.density(&args.query, args.slices as usize))
        .await
}

/// The distinct instants around one, for stepping.
#[tauri::command]
pub async fn neighbours(host: State<'_, Host>, args: NeighboursArgs) -> Answer {
    host.ask(move |store| {
        let (before, after) = store.log.neighbours(args.time, &args.query)?;
        Ok::<_, ReadError>(NeighboursView { before, after })
    })
    .await
}

fn detail(log: &Log, position: Position) -> Result<EventDetailView, ReadError> {
    log.detail(position)?
        .ok_or_else(|| ReadError::NoEvent(format!("at position {position}")))
}
