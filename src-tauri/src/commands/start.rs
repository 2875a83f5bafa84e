//! Starting, and opening a store.

use std::path::Path;

use annals_core::sample::{self, SampleError, World, WorldRequest};
use annals_core::store::LogWriter;
use tauri::State;

use crate::error::{HostError, io_error};
use crate::host::{Answer, Host, OpenStore, blocking, json};
use crate::wire::{OpenView, PathArgs, SampleArgs, SampleKind, StartView, TextArgs};

/// What the window needs to know first.
#[tauri::command]
pub async fn app_start(host: State<'_, Host>) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        let open = host.open_store().ok();
        let launch = host.launch();
        let asked = launch.store.as_deref();
        if let (None, true, Some(path)) = (&open, launch.sample, asked) {
            make_sample(path)?;
        }
        let open_path = open.as_ref().map(|store| store.path.as_path()).or(asked);
        json(&StartView {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            recent: host.recent(),
            open: open.as_ref().map(|store| store.log.info()).transpose()?,
            open_path: open_path.map(|path| path.display().to_string()),
            default_folder: host.default_folder().display().to_string(),
            home: host.home().display().to_string(),
            hash: launch.hash.clone(),
            settings: host.settings(),
        })
    })
    .await
}

/// Opens a store to explore it.
#[tauri::command]
pub async fn store_open(host: State<'_, Host>, args: PathArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        let path = host.typed_path(&args.path)?;
        answer(&*host.open(path)?)
    })
    .await
}

/// Makes an empty store and opens it.
#[tauri::command]
pub async fn store_create(host: State<'_, Host>, args: PathArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        let path = host.typed_path(&args.path)?;
        make_folder_of(&path, host.default_folder())?;
        LogWriter::create(&path, host.surroundings().clone())?.close()?;
        answer(&*host.open(path)?)
    })
    .await
}

/// Opens a sample, which is made where it is not there yet.
#[tauri::command]
pub async fn store_sample(host: State<'_, Host>, args: SampleArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        let events = args.events.unwrap_or(sample::WORLD_EVENTS);
        let fixed = |name: &str, make| (name.to_owned(), Sample::Fixed(make));
        let world = |world: World| {
            let name = match events == sample::WORLD_EVENTS {
                true => format!("{}.annals", world.name()),
                false => format!("{}-{events}.annals", world.name()),
            };
            (name, Sample::World(world))
        };
        let (name, sample) = match args.kind {
            SampleKind::Guide => fixed("guide.annals", sample::guide),
            SampleKind::Questions => fixed("questions.annals", sample::questions),
            SampleKind::ReadModels => fixed("read-models.annals", sample::read_models),
            SampleKind::Shop => world(World::Shop),
            SampleKind::Trading => world(World::Trading),
            SampleKind::Clinic => world(World::Clinic),
        };
        let path = match &args.path {
            Some(text) => host.typed_path(text)?,
            None => host.default_folder().join(name),
        };
        make_folder_of(&path, host.default_folder())?;
        match sample {
            _ if path.exists() => {}
            Sample::Fixed(make) => make(&path)?,
            Sample::World(world) => {
                let request = WorldRequest {
                    events,
                    ..WorldRequest::of(world)
                };
                host.long(|progress| sample::make_world(&path, &request, progress))?;
            }
        }
        answer(&*host.open(path)?)
    })
    .await
}

/// Puts text on the clipboard.
#[tauri::command]
pub async fn copy_text(host: State<'_, Host>, args: TextArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        host.copy(args.text)?;
        json(&())
    })
    .await
}

/// How a sample is made.
enum Sample {
    /// The same each time.
    Fixed(fn(&Path) -> Result<(), SampleError>),
    /// Of any size.
    World(World),
}

fn make_sample(path: &Path) -> Result<(), HostError> {
    if !path.exists() {
        sample::guide(path)?;
    }
    Ok(())
}

/// Makes the folder for new stores where a store is to go there. Other folders must exist, so that a
/// mistyped path is an error and no new folder.
pub(super) fn make_folder_of(path: &Path, default_folder: &Path) -> Result<(), HostError> {
    if path.parent() == Some(default_folder) {
        std::fs::create_dir_all(default_folder).map_err(|error| {
            let message = format!("{} could not be made: {error}", default_folder.display());
            io_error(&error, message)
        })?;
    }
    Ok(())
}

fn answer(store: &OpenStore) -> Answer {
    let info = store.log.info()?;
    let models = store.models();
    let declared = |category: &String| models.set.for_category(category).category().is_some();
    let names = info.categories.iter().map(|row| row.name.clone());
    json(&OpenView {
        path: store.path.display().to_string(),
        models: names.filter(declared).collect(),
        model_errors: models.errors.iter().map(ToString::to_string).collect(),
        info,
    })
}
