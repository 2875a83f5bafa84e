//! Models: listed, shown, tried while they are written, saved beside the store.

use annals_core::model::{list, save, show};
use annals_core::temporal;
use tauri::State;

use super::state::moment;
use crate::error::{ErrorCode, HostError, io_error};
use crate::host::{Answer, Host};
use crate::wire::{
    CategoryArgs, DraftView, ModelNameArgs, ModelPreviewArgs, ModelSaveArgs, ShapesArgs, TextArgs,
};

/// The model files beside the store.
#[tauri::command]
pub async fn models(host: State<'_, Host>) -> Answer {
    host.ask(move |store| list(&store.path).map_err(|error| io_error(&error, error.to_string())))
        .await
}

/// One model file with its text.
#[tauri::command]
pub async fn model_text(host: State<'_, Host>, args: ModelNameArgs) -> Answer {
    host.ask(move |store| {
        let found =
            show(&store.path, &args.name).map_err(|error| io_error(&error, error.to_string()))?;
        found.ok_or_else(|| {
            HostError::new(
                ErrorCode::NotFound,
                format!("there is no model {}", args.name),
            )
        })
    })
    .await
}

/// Puts a model beside the store, and reads the models again. The store stays open: whoever follows it goes on.
#[tauri::command]
pub async fn model_save(host: State<'_, Host>, args: ModelSaveArgs) -> Answer {
    host.ask(move |store| {
        let row = save(&store.path, &args.name, &args.text, args.replace)?;
        store.reload_models()?;
        Ok::<_, HostError>(row)
    })
    .await
}

/// The state of a stream with a model that is still being written.
#[tauri::command]
pub async fn model_preview(host: State<'_, Host>, args: ModelPreviewArgs) -> Answer {
    host.ask_long(move |_, log, _| {
        let (moment, reading) = moment(log, &args.moment)?;
        let mut view = temporal::preview(log, &args.text, &args.stream, &moment)?;
        if let Some(state) = &mut view.state {
            state.reading = reading;
        }
        Ok::<_, HostError>(view)
    })
    .await
}

/// A model tried on every event of its category.
#[tauri::command]
pub async fn model_check(host: State<'_, Host>, args: TextArgs) -> Answer {
    host.ask_long(move |_, log, go_on| temporal::check(log, "draft", &args.text, go_on))
        .await
}

/// A first model for a category; `null` if that has no event.
#[tauri::command]
pub async fn model_draft(host: State<'_, Host>, args: CategoryArgs) -> Answer {
    host.ask_long(move |_, log, go_on| {
        let text = temporal::draft(log, &args.category, go_on)?;
        Ok::<_, HostError>(DraftView { text })
    })
    .await
}

/// How the payloads of each type looked over time.
#[tauri::command]
pub async fn model_shapes(host: State<'_, Host>, args: ShapesArgs) -> Answer {
    host.ask_long(move |_, log, go_on| temporal::shapes(log, args.category.as_ref(), go_on))
        .await
}

/// The rules of the models asked about the whole history.
#[tauri::command]
pub async fn rules_check(host: State<'_, Host>) -> Answer {
    host.ask_long(move |store, log, go_on| {
        let models = &store.models().set;
        temporal::check_rules(log, models, None, temporal::VIOLATIONS, go_on)
    })
    .await
}
