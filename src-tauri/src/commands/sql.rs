//! SQL over the open store: one reading statement, exports of its rows, saved queries.

use std::sync::Arc;

use annals_core::access_log::LookKind;
use annals_core::model::ModelSet;
use annals_core::pages::Pages;
use annals_core::progress::WorkProgress;
use annals_core::sql::{self, Question, SqlError, SqlForm};
use annals_core::store::Log;
use annals_core::time::parse_zone;
use tauri::State;

use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host, OpenStore};
use crate::wire::{NameArgs, PagedSql, QuerySaveArgs, SqlArgs, SqlExportArgs};

/// What there is to ask.
#[tauri::command]
pub async fn sql_schema(host: State<'_, Host>) -> Answer {
    host.ask_long(move |store, log, _| sql::schema(log, &store.models().set))
        .await
}

/// Answers a statement.
#[tauri::command]
pub async fn sql_ask(host: State<'_, Host>, args: SqlArgs) -> Answer {
    let own = host.inner().clone();
    host.ask(move |store| answered(&own, store, &args, sql::ask))
        .await
}

/// Answers a statement, and keeps all its rows to be read page by page.
#[tauri::command]
pub async fn sql_all(host: State<'_, Host>, args: SqlArgs) -> Answer {
    let own = host.inner().clone();
    host.ask(move |store| {
        let mut pages = Pages::default();
        let answer = answered(&own, store, &args, |log, models, question, progress| {
            sql::ask_paged(log, models, question, progress, &mut pages)
        })?;
        let pages = own.keep_pages(pages);
        Ok::<_, HostError>(PagedSql { answer, pages })
    })
    .await
}

/// Writes all rows of a statement to a file, whose ending says the form.
#[tauri::command]
pub async fn sql_export(host: State<'_, Host>, args: SqlExportArgs) -> Answer {
    let own = host.inner().clone();
    host.ask(move |store| {
        let SqlExportArgs { ask, file } = args;
        let file = own.typed_path(&file)?;
        let out = file.display().to_string();
        let form = SqlForm::of(&file).ok_or_else(|| {
            let message = format!("{out} names no form");
            HostError::new(ErrorCode::BadInput, message)
                .hint("End the file's name with .csv, .jsonl or .xlsx.")
        })?;
        let asked = vec![
            ("sql".to_owned(), vec![ask.sql.clone()]),
            ("out".to_owned(), vec![out]),
        ];
        own.note_look(&store.log, LookKind::Export, "sql", asked)?;
        let question = question(store, &ask)?;
        let models = &store.models().set;
        let written =
            own.long(|progress| sql::export(&store.log, models, &question, form, &file, progress));
        Ok::<_, HostError>(written?)
    })
    .await
}

/// The queries saved beside the store.
#[tauri::command]
pub async fn sql_saved(host: State<'_, Host>) -> Answer {
    host.ask(move |store| sql::list(&store.path)).await
}

/// Saves a query beside the store.
#[tauri::command]
pub async fn sql_save(host: State<'_, Host>, args: QuerySaveArgs) -> Answer {
    host.ask(move |store| sql::save(&store.path, &args.name, &args.sql, args.replace))
        .await
}

/// Deletes a saved query.
#[tauri::command]
pub async fn sql_delete(host: State<'_, Host>, args: NameArgs) -> Answer {
    host.ask(move |store| sql::delete(&store.path, &args.name))
        .await
}

/// Notes the look, and has the statement answered under watch.
fn answered<V>(
    own: &Host,
    store: &OpenStore,
    args: &SqlArgs,
    answer: impl FnOnce(&Log, &Arc<ModelSet>, &Question<'_>, &Arc<WorkProgress>) -> Result<V, SqlError>,
) -> Result<V, HostError> {
    let asked = vec![("sql".to_owned(), vec![args.sql.clone()])];
    own.note_look(&store.log, LookKind::View, "sql", asked)?;
    let question = question(store, args)?;
    let models = store.models();
    Ok(own.long(|progress| answer(&store.log, &models.set, &question, progress))?)
}

fn question<'a>(store: &'a OpenStore, args: &'a SqlArgs) -> Result<Question<'a>, HostError> {
    Ok(Question {
        at: args.at.as_deref(),
        known: args.known.as_deref(),
        zone: parse_zone(&args.zone)?,
        index: Some(&store.intervals),
        rows: args.limit.map_or(sql::ROWS, |limit| limit as usize),
        ..Question::new(&args.sql)
    })
}
