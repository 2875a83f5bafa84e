//! Compliance reports: templates, pages to look at, files to file.

use std::path::Path;

use annals_core::access_log::{AccessState, LookKind};
use annals_core::compliance::{
    AccessLogState, Block, MadeReport, Report, ReportRequest, ReportView, TemplateSet, make,
};
use annals_core::progress::WorkProgress;
use annals_report::{Form, PdfOptions};
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::work::{begin, told, with_ticks};
use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host, OpenStore, blocking, json};
use crate::wire::{
    PathArgs, RecentReport, RecentReportsView, ReportMakeArgs, ReportPageArgs, ReportPageView,
    ReportPagesView, ReportPreviewArgs, WorkProgressView,
};

/// Rows on the pages of a preview, of all tables together.
const PREVIEW_ROWS: u64 = 160;
/// Rows of one table on the pages of a preview, so that each is seen.
const PREVIEW_TABLE_ROWS: u64 = 40;

/// The templates that come with Annals, and the user's own beside the store.
#[tauri::command]
pub async fn report_templates(host: State<'_, Host>) -> Answer {
    host.ask(|store| templates(store).map(|set| set.view()))
        .await
}

/// Makes a report and sets its first pages; a newer preview takes its place.
#[tauri::command]
pub async fn report_preview(
    webview: Webview,
    host: State<'_, Host>,
    args: ReportPreviewArgs,
) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    blocking(move || {
        let (preview, progress) = host.preview().begin();
        let (pages, view) = with_ticks(told(&channel, &progress), || {
            let made = made(&store, &args.request, &progress)?;
            let options = PdfOptions {
                rows_max: PREVIEW_ROWS,
                table_max: PREVIEW_TABLE_ROWS,
                preview: true,
                layout: made.layout.clone(),
                ..PdfOptions::default()
            };
            let pages = annals_report::pages(&made.report, &made.rows, &options, &progress)?;
            let view = pages_view(preview, &made.report, &pages, options.printed(&made.report));
            Ok::<_, HostError>((pages, view))
        })?;
        host.preview().keep(preview, pages);
        json(&view)
    })
    .await
}

/// Draws one page of a preview.
#[tauri::command]
pub async fn report_page(host: State<'_, Host>, args: ReportPageArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        let svg = host.preview().svg(args.preview, args.page);
        json(&ReportPageView {
            svg: svg.unwrap_or_default(),
        })
    })
    .await
}

/// Makes a report as a file; answers when it is done.
#[tauri::command]
pub async fn report_make(webview: Webview, host: State<'_, Host>, args: ReportMakeArgs) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let file = host.typed_path(&args.file)?;
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    blocking(move || {
        let running = begin(host.report(), "a report is being made already")?;
        let progress = &*running.progress;
        let mut request = args.request;
        let now = (host.surroundings().clock)();
        request.made_at.get_or_insert(now);
        let asked = [
            ("template", request.template.clone()),
            ("out", file.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), vec![value]));
        let look = host.note_look(&store.log, LookKind::Report, "report", asked.to_vec())?;
        request.access_log = match look {
            AccessState::Off => AccessLogState::Off,
            logged => AccessLogState::of(&logged, &host.access_log(&store.log)?)?,
        };
        let view = with_ticks(told(&channel, progress), || {
            write(&store, &request, &file, progress)
        })?;
        host.remember_report(RecentReport {
            file: file.display().to_string(),
            title: view.report.title.clone(),
            template: request.template,
            store: store.path.display().to_string(),
            made_at: now,
            exists: true,
        });
        json(&view)
    })
    .await
}

/// Cancels the report that is being made, and the preview: no half file stays.
#[tauri::command]
pub async fn report_cancel(host: State<'_, Host>) -> Answer {
    if let Some(progress) = host.report().running() {
        progress.cancel();
    }
    host.preview().end();
    json(&())
}

/// Reports made last, newest first.
#[tauri::command]
pub async fn reports_recent(host: State<'_, Host>) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        json(&RecentReportsView {
            reports: host.recent_reports(),
        })
    })
    .await
}

/// Shows the folder of a report that was made, in the system's own program for folders.
#[tauri::command]
pub async fn report_reveal(host: State<'_, Host>, args: PathArgs) -> Answer {
    let host = host.inner().clone();
    blocking(move || {
        // The window may show what Annals wrote, and no other place.
        let known = host.recent_reports();
        if !known.iter().any(|report| report.file == args.path) {
            return Err(HostError::new(
                ErrorCode::BadInput,
                format!("{} is no report that was made here", args.path),
            ));
        }
        let folder = Path::new(&args.path).parent().unwrap_or(Path::new("."));
        let program = if cfg!(target_os = "macos") {
            "open"
        } else if cfg!(windows) {
            "explorer"
        } else {
            "xdg-open"
        };
        let started = std::process::Command::new(program).arg(folder).spawn();
        started.map_err(|error| {
            HostError::new(
                ErrorCode::Io,
                format!("{program} cannot show folders: {error}"),
            )
            .hint("The path can be copied.")
        })?;
        json(&())
    })
    .await
}

fn templates(store: &OpenStore) -> Result<TemplateSet, HostError> {
    TemplateSet::load(&store.path).map_err(|error| {
        let message = format!("the report templates beside the store could not be read: {error}");
        crate::error::io_error(&error, message)
    })
}

pub(super) fn made(
    store: &OpenStore,
    request: &ReportRequest,
    progress: &WorkProgress,
) -> Result<MadeReport, HostError> {
    let models = store.models();
    Ok(make(
        &store.log,
        &models.set,
        &templates(store)?,
        request,
        progress,
    )?)
}

fn write(
    store: &OpenStore,
    request: &ReportRequest,
    file: &Path,
    progress: &WorkProgress,
) -> Result<ReportView, HostError> {
    let form = Form::of(file).ok_or_else(|| {
        let message = format!("the name of {} says no form", file.display());
        HostError::new(ErrorCode::BadInput, message)
            .hint("Let it end in .pdf, .xlsx, .csv, .jsonl or .html.")
    })?;
    let made = made(store, request, progress)?;
    Ok(annals_report::write(
        &store.log, &made, request, form, file, progress,
    )?)
}

fn pages_view(
    preview: u64,
    report: &Report,
    pages: &annals_report::Pages,
    shown: u64,
) -> ReportPagesView {
    let rows = report.row_count();
    let blocks = report.sections.iter().flat_map(|section| &section.blocks);
    let exceptions = blocks.map(|block| match block {
        Block::Checks { results } => results.iter().map(|result| result.exceptions).sum::<u64>(),
        Block::Prose { .. }
        | Block::Entries { .. }
        | Block::Table(_)
        | Block::Chart(_)
        | Block::Exceptions(_) => 0,
    });
    ReportPagesView {
        preview,
        title: report.title.clone(),
        hash: report.hash(),
        pages: (0..pages.count())
            .filter_map(|page| pages.size_pt(page))
            .map(|(width, height)| [width, height])
            .collect(),
        rows,
        shown,
        events: report.first_page.completeness.events_in_scope,
        exceptions: exceptions.sum(),
        findings: report.first_page.findings.iter().map(|f| f.count).sum(),
    }
}
