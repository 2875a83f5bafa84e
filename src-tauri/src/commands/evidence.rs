//! Evidence packages in the window: making and verifying them.

use annals_core::access_log::{AccessState, LookKind};
use annals_core::compliance::{AccessLogState, ReportRequest};
use annals_core::evidence::make::{EvidenceRequest, make_to_file};
use annals_core::evidence::manifest::Withheld;
use annals_core::evidence::verify::{Trust, verify_file};
use annals_core::integrity::note::VerifyingKey;
use annals_core::surroundings::{OsUser, Surroundings};
use tauri::ipc::Channel;
use tauri::{State, Webview};

use super::integrity::signing_key;
use super::work::watched;
use crate::error::{ErrorCode, HostError};
use crate::host::{Answer, Host, blocking, json};
use crate::wire::{EvidenceMakeArgs, EvidenceVerifyArgs, NameArgs, WorkProgressView};

/// Verifies a package; needs no open store.
#[tauri::command]
pub async fn evidence_verify(
    webview: Webview,
    host: State<'_, Host>,
    args: EvidenceVerifyArgs,
) -> Answer {
    let host = host.inner().clone();
    let file = host.typed_path(&args.file)?;
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    let key = args
        .key
        .as_deref()
        .map(str::trim)
        .filter(|key| !key.is_empty());
    let keys: Vec<VerifyingKey> = key
        .map(|key| key.parse())
        .transpose()
        .map_err(|error: annals_core::integrity::note::NoteError| {
            HostError::new(ErrorCode::BadInput, error.to_string())
                .hint("A verifier key is name+id+key, as annals prints it.")
        })?
        .into_iter()
        .collect();
    blocking(move || {
        let trust = Trust {
            keys,
            ..Trust::default()
        };
        let answer = watched(&host, &channel, |progress| {
            Ok(verify_file(&file, &trust, progress)?)
        })?;
        json(&answer)
    })
    .await
}

/// Makes a package of the open log; answers when it is written and verified.
#[tauri::command]
pub async fn evidence_make(
    webview: Webview,
    host: State<'_, Host>,
    args: EvidenceMakeArgs,
) -> Answer {
    let store = host.open_store()?;
    let host = host.inner().clone();
    let file = host.typed_path(&args.file)?;
    let channel: Channel<WorkProgressView> = args.channel.channel_on(webview);
    blocking(move || {
        let asked = [("out", file.display().to_string())]
            .map(|(name, value)| (name.to_owned(), vec![value]));
        let access = host.note_look(&store.log, LookKind::Report, "evidence make", asked.into())?;
        let Surroundings { clock, random } = host.surroundings().clone();
        let at = clock();
        let purpose = Some(host.settings().purpose).filter(|text| !text.trim().is_empty());
        let operator = OsUser::system().name;
        let key = signing_key(&store.log, &args.sign, &random)?;
        let mut request = EvidenceRequest {
            others: args.others,
            withheld: Withheld::of(args.withhold.iter().map(String::as_str)),
            operator: Some(operator.clone()),
            purpose: purpose.clone(),
            handed_to: args.handed_to,
            access: Some(access.clone()),
            ..EvidenceRequest::of(args.query, at)
        };
        let report = watched(&host, &channel, |progress| {
            if let Some(asked) = args.report {
                if request.withheld != Withheld::default() {
                    let message = "a report shows what is withheld";
                    return Err(HostError::new(ErrorCode::BadInput, message)
                        .hint("Make the package without a report, or withhold nothing."));
                }
                let asked = ReportRequest {
                    query: request.query.clone(),
                    purpose: asked.purpose.or(purpose),
                    operator: Some(operator),
                    made_at: Some(at),
                    access_log: match &access {
                        AccessState::Off => AccessLogState::Off,
                        logged => AccessLogState::of(logged, &host.access_log(&store.log)?)?,
                    },
                    ..asked
                };
                let made = super::reports::made(&store, &asked, progress)?;
                request.report = annals_report::package_files(&made, &asked, progress)?;
                request.template = Some(asked.template);
            }
            Ok(make_to_file(&store.log, &request, &key, &file, progress)?)
        })?;
        json(&report)
    })
    .await
}

/// Lets the user say where a package goes.
#[tauri::command]
pub async fn pick_new_package(app: tauri::AppHandle, args: NameArgs) -> Answer {
    super::dialogs::pick(app, move |dialog| {
        let dialog = dialog.set_title("Make an evidence package");
        let dialog = dialog.set_file_name(args.name);
        dialog.blocking_save_file().into_iter().collect()
    })
    .await
}

/// Lets the user pick a package.
#[tauri::command]
pub async fn pick_package(app: tauri::AppHandle) -> Answer {
    super::dialogs::pick(app, |dialog| {
        let dialog = dialog.set_title("Verify a package");
        let dialog = dialog.add_filter("Evidence packages", &["zip"]);
        dialog.blocking_pick_file().into_iter().collect()
    })
    .await
}
