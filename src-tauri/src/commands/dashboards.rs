//! Dashboards: listed, shown at an instant, what stands behind their marks, written to files.

use std::sync::Arc;

use annals_core::access_log::LookKind;
use annals_core::answers::Asker;
use annals_core::chart::{INK, Look, PAPER, Palette};
use annals_core::dashboard::{self, BehindPlace, DashboardSet, DashboardView};
use annals_core::model::ModelSet;
use annals_core::store::Log;
use annals_core::time::parse_zone;
use tauri::State;

use super::state::as_of;
use crate::error::{ErrorCode, HostError, io_error};
use crate::host::{Answer, Host, OpenStore};
use crate::wire::{BehindArgs, DashboardArgs, DashboardWriteArgs};

/// The dashboards beside the store.
#[tauri::command]
pub async fn dashboards(host: State<'_, Host>) -> Answer {
    host.ask(move |store| Ok::<_, HostError>(set(store)?.view(&store.path)))
        .await
}

/// A dashboard as of an instant, drawn.
#[tauri::command]
pub async fn dashboard(host: State<'_, Host>, args: DashboardArgs) -> Answer {
    host.ask_long(move |store, log, _| look_at(store, log, &args))
        .await
}

/// The events behind a value of a document.
#[tauri::command]
pub async fn dashboard_behind(host: State<'_, Host>, args: BehindArgs) -> Answer {
    host.ask_long(move |store, log, _| {
        let (as_of, _) = as_of(log, args.at, args.known)?;
        let path = args.path.parse()?;
        let place = BehindPlace {
            kind: args.kind,
            name: &args.name,
            document: &args.document,
            path: &path,
            zone: parse_zone(&args.zone)?,
        };
        let projections = store.projections(log)?;
        let models = store.models();
        let asker = asker(store, log, &models.set);
        let limit = dashboard::BEHIND;
        let view = dashboard::behind(&asker, &projections, &place, &as_of, limit)?;
        Ok::<_, HostError>(view)
    })
    .await
}

/// Writes a dashboard to a file: a picture or a table, by the ending of its name.
#[tauri::command]
pub async fn dashboard_write(host: State<'_, Host>, args: DashboardWriteArgs) -> Answer {
    let DashboardWriteArgs { dashboard, file } = args;
    let file = host.typed_path(&file)?;
    let noting = host.inner().clone();
    host.ask_long(move |store, log, _| {
        let asked = vec![
            ("dashboard".to_owned(), vec![dashboard.name.clone()]),
            ("out".to_owned(), vec![file.display().to_string()]),
        ];
        noting.note_look(&store.log, LookKind::Export, "dashboard", asked)?;
        let view = look_at(store, log, &dashboard)?;
        let picture = || dashboard::svg(&view, palette(dashboard.dark), dashboard.width_px);
        let ending = file
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let bytes = match ending.as_deref() {
            Some("svg") => picture().into_bytes(),
            Some("png") => annals_report::png(&picture())
                .map_err(|error| HostError::new(ErrorCode::BadInput, error.to_string()))?,
            Some("csv") => dashboard::csv(&view).into_bytes(),
            _ => {
                let message = "the name of the file says what to write: .svg, .png or .csv";
                return Err(HostError::new(ErrorCode::BadInput, message));
            }
        };
        dashboard::write(&store.log, &file, &bytes)
            .map_err(|error| io_error(&error, format!("{}: {error}", file.display())))?;
        Ok(file.display().to_string())
    })
    .await
}

fn look_at(store: &OpenStore, log: &Log, args: &DashboardArgs) -> Result<DashboardView, HostError> {
    let (as_of, reading) = as_of(log, args.at.clone(), args.known.clone())?;
    let projections = store.projections(log)?;
    let look = Look {
        palette: palette(args.dark),
        width_px: args.width_px,
    };
    let dashboard = set(store)?.get(&args.name)?;
    let models = store.models();
    let asker = asker(store, log, &models.set);
    let mut view = dashboard::look_at_kept(&dashboard, &projections, &as_of, Some(&look), &asker)?;
    view.reading = reading;
    Ok(view)
}

fn asker<'a>(store: &'a OpenStore, log: &'a Log, models: &'a Arc<ModelSet>) -> Asker<'a> {
    Asker {
        store: &store.path,
        log,
        models,
        index: Some(&store.intervals),
    }
}

/// The colours of a picture.
pub(super) fn palette(dark: bool) -> &'static Palette {
    if dark { &INK } else { &PAPER }
}

/// Read for each answer: files beside the store may be edited while it is open.
fn set(store: &OpenStore) -> Result<DashboardSet, HostError> {
    DashboardSet::load(&store.path).map_err(|error| io_error(&error, error.to_string()))
}
