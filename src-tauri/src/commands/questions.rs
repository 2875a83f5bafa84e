//! Questions over time.

use annals_core::answers::PicturedAnswer;
use annals_core::chart::Look;
use annals_core::pages::Pages;
use annals_core::question::{self, Asking, Question, QuestionTextView, saved};
use annals_core::store::Log;
use annals_core::time::parse_zone;
use tauri::State;

use super::dashboards::palette;
use super::state::as_of;
use crate::error::{HostError, io_error};
use crate::host::{Answer, Host, OpenStore, json};
use crate::wire::{AskArgs, NameArgs, PageArgs, PagedAnswer, QuestionSaveArgs, TextArgs};

/// Width of a picture, in pixels; the window scales it.
const PICTURE_PX: u32 = 760;

/// Answers a question, and draws its picture.
#[tauri::command]
pub async fn ask(host: State<'_, Host>, args: AskArgs) -> Answer {
    host.ask_long(move |store, log, go_on| answered(store, log, go_on, &args))
        .await
}

/// Answers a question, and keeps all its rows to be read page by page.
#[tauri::command]
pub async fn ask_all(host: State<'_, Host>, args: AskArgs) -> Answer {
    let own = host.inner().clone();
    host.ask_long(move |store, log, go_on| {
        let all = AskArgs {
            limit: Some(u32::MAX),
            ..args
        };
        let mut answer = answered(store, log, go_on, &all)?;
        let mut pages = Pages::default();
        for row in &answer.answer.rows {
            let kept = pages.push(row);
            if !kept.map_err(|error| io_error(&error, error.to_string()))? {
                break;
            }
        }
        answer.answer.rows.truncate(question::ROWS);
        let pages = own.keep_pages(pages);
        Ok::<_, HostError>(PagedAnswer { answer, pages })
    })
    .await
}

/// Rows of an answer that were kept.
#[tauri::command]
pub async fn rows_page(host: State<'_, Host>, args: PageArgs) -> Answer {
    let own = host.inner().clone();
    host.ask(move |_| own.page(&args)).await
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

fn answered(
    store: &OpenStore,
    log: &Log,
    go_on: &mut dyn FnMut(u64) -> bool,
    args: &AskArgs,
) -> Result<PicturedAnswer, HostError> {
    let question = Question::parse(&args.text).map_err(question::QuestionError::from)?;
    let (as_of, _) = as_of(log, args.at.clone(), args.known.clone())?;
    let asking = Asking {
        log,
        models: &store.models().set,
        zone: parse_zone(&args.zone)?,
        limit: args.limit.map_or(question::ROWS, |n| n as usize),
        index: Some(&store.intervals),
        as_of,
    };
    let answer = question::ask(&asking, &question, go_on)?;
    let look = Look {
        palette: palette(args.dark),
        width_px: PICTURE_PX,
    };
    Ok(PicturedAnswer::of(answer, &look))
}
