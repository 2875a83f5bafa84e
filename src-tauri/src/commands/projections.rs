//! Projections of the open store: how they stand, what can be done about them, why a value in a document is what it is.

use annals_core::projection::{ProjectionError, Projections};
use annals_core::temporal::{CONTRIBUTIONS, VALUES};
use tauri::State;

use super::state::as_of;
use crate::error::HostError;
use crate::host::{Answer, Host};
use crate::wire::{BehindArgs, ProjectionDeed, ProjectionDoArgs, RebuildArgs};

/// How the projections beside the store stand.
#[tauri::command]
pub async fn projections_status(host: State<'_, Host>) -> Answer {
    host.ask(move |store| Ok::<_, HostError>(store.projections(&store.log)?.status()?))
        .await
}

/// Does something about one of them; how they stand then.
#[tauri::command]
pub async fn projection_do(host: State<'_, Host>, args: ProjectionDoArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let all = store.projections(log)?;
        act(&all, &args.name, args.deed)?;
        Ok::<_, HostError>(all.status()?)
    })
    .await
}

/// Makes the documents of one anew beside those in use, compares, and puts them in use where that is asked for.
#[tauri::command]
pub async fn projection_rebuild(host: State<'_, Host>, args: RebuildArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let all = store.projections(log)?;
        all.catch_up(&[&args.name])?;
        Ok::<_, HostError>(all.rebuild(&args.name, args.switch)?)
    })
    .await
}

/// Why a value in a document is what it is.
#[tauri::command]
pub async fn projection_why(host: State<'_, Host>, args: BehindArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let (as_of, reading) = as_of(log, args.at, args.known)?;
        let path = args.path.parse()?;
        let all = store.projections(log)?;
        let mut view = all.why(&args.name, &args.document, &path, &as_of, CONTRIBUTIONS)?;
        view.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

/// Every value that a place in a document had.
#[tauri::command]
pub async fn projection_history(host: State<'_, Host>, args: BehindArgs) -> Answer {
    host.ask_long(move |store, log, go_on| {
        let (as_of, reading) = as_of(log, args.at, args.known)?;
        let path = args.path.parse()?;
        let all = store.projections(log)?;
        let (name, key) = (&args.name, &args.document);
        let mut view = all.history(name, key, &path, &as_of, VALUES, go_on)?;
        view.reading = reading;
        Ok::<_, HostError>(view)
    })
    .await
}

fn act(all: &Projections, name: &str, deed: ProjectionDeed) -> Result<(), ProjectionError> {
    match deed {
        ProjectionDeed::CatchUp => drop(all.catch_up(&[name])?),
        ProjectionDeed::Pause => drop(all.set_paused(name, true)?),
        ProjectionDeed::Resume => {
            all.set_paused(name, false)?;
            all.catch_up(&[name])?;
        }
        ProjectionDeed::Retry => {
            all.retry(name)?;
            all.catch_up(&[name])?;
        }
        ProjectionDeed::Reset => drop(all.reset(name)?),
        ProjectionDeed::RollBack => drop(all.roll_back(name)?),
    }
    Ok(())
}
