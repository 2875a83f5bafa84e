//! Questions over time.

use annals_core::question::{self, Asking, Question, QuestionTextView, saved};
use annals_core::time::parse_zone;
use tauri::State;

use crate::error::HostError;
use crate::host::{Answer, Host, json};
use crate::wire::{AskArgs, NameArgs, QuestionSaveArgs, TextArgs};

/// Answers a question.
#[tauri::command]
pub async fn ask(host: State<'_, Host>, args: AskArgs) -> Answer {
    host.ask_long(move |store, log, go_on| {
        let question = Question::parse(&args.text).map_err(question::QuestionError::from)?;
        let asking = Asking {
            log,
            models: &store.models().set,
            zone: parse_zone(&args.zone)?,
            limit: args.limit.map_or(question::ROWS, |n| n as usize),
            index: Some(&store.intervals),
        };
        Ok::<_, HostError>(question::ask(&asking, &question, go_on)?)
    })
    .await
}

/// The questions that were kept beside the store.
#[tauri::command]
pub async fn questions_saved(host: State<'_, Host>) -> Answer {
    host.ask(move |store| saved::list(&store.path)).await
}

/// Keeps a question under a name.
#[tauri::command]
pub async fn question_save(host: State<'_, Host>, args: QuestionSaveArgs) -> Answer {
    host.ask(move |store| {
        let zone = args.zone.as_deref();
        saved::save(&store.path, &args.name, &args.text, zone, args.replace)?;
        saved::list(&store.path)
    })
    .await
}

/// Throws a question away that was kept.
#[tauri::command]
pub async fn question_remove(host: State<'_, Host>, args: NameArgs) -> Answer {
    host.ask(move |store| {
        saved::remove(&store.path, &args.name)?;
        saved::list(&store.path)
    })
    .await
}

/// Whether a text is a question, and where it stops being one.
#[tauri::command]
pub async fn question_read(args: TextArgs) -> Answer {
    json(&QuestionTextView::of(&args.text))
}
