//! `annals report`: compliance reports by template.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use annals_core::access_log::AccessLog;
use annals_core::compliance::{
    AccessLogState, CheckResult, CheckedTemplateView, Completeness, LayoutFile, MadeReport,
    ReportRequest, ReportView, TemplateError, TemplateRow, TemplateSet, TemplatesView, check, make,
    read_layout,
};
use annals_core::progress::WorkProgress;
use annals_core::store::{Direction, EventQuery, Log};
use annals_core::surroundings::{OsUser, Surroundings, data_folder};
use annals_core::time::Time;
use annals_report::Form;

use crate::commands::load_models;
use crate::commands::report::schedule::Every;
use crate::failure::{Code, Exit, Failure};
use crate::filters::{FilterReading, Filters};
use crate::instant;
use crate::output::{Output, complain};
use crate::table::{Align, Table, pairs};
use crate::text::{counted, visible};
use crate::watch::watched;

mod schedule;

/// Make compliance reports, list and check their templates.
#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// What to do.
    #[command(subcommand)]
    command: ReportCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ReportCommand {
    /// List the templates: those that come with Annals, and those beside a store
    List {
        /// The store, for the templates beside it
        store: Option<PathBuf>,
        /// Print the text of one that comes with Annals, to begin one's own with
        #[arg(long, value_name = "NAME")]
        text: Option<String>,
        /// Print the layout of the pages after the first one, to begin one's own with
        #[arg(long, conflicts_with_all = ["store", "text"])]
        layout: bool,
    },
    /// Make a report
    Make(Box<Make>),
    /// Check a template file, and the layout beside it (NAME.typ): every fault with line, column and what to write instead
    Check {
        /// The template file
        file: PathBuf,
    },
}

/// Make a report.
#[derive(Debug, clap::Args)]
struct Make {
    /// The store
    store: PathBuf,
    /// The template: a name that `annals report list` lists
    template: String,
    #[command(flatten)]
    filters: Filters,
    /// Whom the report is about: an id that events hold, an actor, or a stream
    #[arg(long, value_name = "S")]
    subject: Option<String>,
    /// What had happened by then; a date means the end of that day
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// What was known by then: a position of the log, or a time of recording
    #[arg(long, value_name = "POSITION|TIME")]
    known: Option<String>,
    /// A setting of the template, for example --set tier=hft; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Who makes the report; the user of this system by default
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// When it is made, to be printed: a time, or now. By default it is not printed, so that the same question gives
    /// the same bytes
    #[arg(long, value_name = "TIME|now")]
    made_at: Option<String>,
    /// File to write, replaced if it exists; its ending says the form: .pdf, .xlsx, .csv, .jsonl, .html
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Make nothing; print a crontab and a systemd line that make it so often
    #[arg(long, value_name = "HOW_OFTEN", num_args = 0..=1, default_missing_value = "daily")]
    schedule: Option<Every>,
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or("write a name, an equals sign and a value: tier=hft")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Runs the command.
pub fn run(args: ReportArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.command {
        ReportCommand::List { layout: true, .. } => {
            annals_report::LAYOUT
                .lines()
                .try_for_each(|line| output.line(line))?;
            Ok(Exit::Done)
        }
        ReportCommand::List { store, text, .. } => list(store.as_deref(), text.as_deref(), output),
        ReportCommand::Make(args) => run_make(*args, output),
        ReportCommand::Check { file } => run_check(&file, output),
    }
}

fn list(store: Option<&Path>, text: Option<&str>, output: &mut Output) -> Result<Exit, Failure> {
    if let Some(name) = text {
        let text = TemplateSet::shipped_text(name).ok_or_else(|| {
            Failure::new(
                Code::BadInput,
                format!("no template {name:?} comes with Annals"),
            )
            .hint("annals report list names them")
        })?;
        text.lines().try_for_each(|line| output.line(line))?;
        return Ok(Exit::Done);
    }
    let set = match store {
        Some(store) => {
            Log::explore(store)?;
            TemplateSet::load(store)?
        }
        None => TemplateSet::shipped(),
    };
    let view = set.view();
    output.show(&view, |output| print_list(&view, output))
}

fn print_list(view: &TemplatesView, output: &mut Output) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("TEMPLATE", Align::Left, 28),
        ("VERSION", Align::Left, 10),
        ("NEEDS", Align::Left, 20),
        ("ABOUT", Align::Left, 100),
    ]);
    for row in &view.templates {
        let mut needs = row.needs.clone();
        if row.subject == "required" {
            needs.insert(0, "subject".to_owned());
        }
        table.row([
            row.template.name.clone(),
            row.template.version.clone(),
            needs.join(", "),
            row.about.clone(),
        ]);
    }
    output.table(&table)?;
    tell_left_out(&view.broken);
    Ok(())
}

/// Says on standard error which template files are wrong.
fn tell_left_out(broken: &[TemplateError]) {
    for error in broken {
        complain(&visible(&format!("warning: template left out: {error}")));
    }
}

fn run_check(file: &Path, output: &mut Output) -> Result<Exit, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    let mut view = check(&file.display().to_string(), &text);
    if let (Some(row), Some(stem)) = (&mut view.template, file.file_stem()) {
        row.template.name = stem.to_string_lossy().into_owned();
    }
    if let (None, Some(error)) = (&view.error, layout_fault(file, &mut view.template)?) {
        view.error = Some(error);
        view.template = None;
    }
    output.show(&view, |output| print_check(&view, output))?;
    Ok(match view.error {
        Some(_) => Exit::Problems,
        None => Exit::Done,
    })
}

/// What is wrong with the layout beside a template file; one that is right is named in the template.
fn layout_fault(
    file: &Path,
    template: &mut Option<TemplateRow>,
) -> Result<Option<TemplateError>, Failure> {
    let folder = file.parent().unwrap_or(Path::new(""));
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let layout = match read_layout(folder, &stem) {
        Ok(layout) => layout,
        Err(error) => return Ok(Some(error)),
    };
    match annals_report::check_layout(&layout) {
        Ok(()) => {}
        Err(annals_report::Error::Layout(error)) => return Ok(Some(error)),
        Err(error) => return Err(error.into()),
    }
    if let Some(row) = template.as_mut().filter(|_| !layout.is_empty()) {
        let files = layout.iter().map(LayoutFile::reference);
        row.template.own_layout = Some(files.collect());
    }
    Ok(None)
}

fn print_check(view: &CheckedTemplateView, output: &mut Output) -> Result<(), Failure> {
    if let Some(error) = &view.error {
        let TemplateError { hint, .. } = error;
        output.line(&visible(&error.to_string()))?;
        output.line(&visible(&format!("hint: {hint}")))?;
    }
    if let Some(TemplateRow {
        template,
        title,
        regime,
        about: _,
        layout,
        subject,
        needs,
        settings,
    }) = &view.template
    {
        let settings = settings.iter().map(|setting| setting.name.name.clone());
        let mut rows = vec![
            (
                "template",
                format!("{} version {}", template.name, template.version),
            ),
            ("title", title.clone()),
            ("regime", regime.clone()),
            ("layout", layout.name().to_owned()),
            ("subject", subject.clone()),
        ];
        if !needs.is_empty() {
            rows.push(("needs", needs.join(", ")));
        }
        let settings: Vec<String> = settings.collect();
        if !settings.is_empty() {
            rows.push(("settings", settings.join(", ")));
        }
        rows.push(("sha256", template.hash.to_string()));
        let own = template.own_layout.iter().flatten();
        rows.extend(own.map(|file| ("own layout", format!("{} {}", file.name, file.hash))));
        for line in pairs(&rows) {
            output.line(&line)?;
        }
    }
    Ok(())
}

fn run_make(args: Make, output: &mut Output) -> Result<Exit, Failure> {
    let form = form(&args.out)?;
    let store = args.store.clone();
    let out = args.out.clone();
    let every = args.schedule;
    let asked = Asked::read(args)?;
    if let Some(every) = every {
        return schedule::print(&asked.request.template, every, output);
    }
    let log = Log::explore(&store)?;
    let request = asked.on(&log, output)?;
    let models = load_models(&store)?;
    let templates = TemplateSet::load(&store)?;
    tell_left_out(templates.broken());
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let message = format!("there is no folder {}", folder.display());
        return Err(Failure::new(Code::NotFound, message));
    }
    let view = watched(
        "events or rows",
        |progress: &WorkProgress| -> Result<ReportView, annals_report::Error> {
            let made: MadeReport = make(&log, &models, &templates, &request, progress)?;
            annals_report::write(&log, &made, &request, form, &out, progress)
        },
    )?;
    output.show(&view, |output| print_made(&view, output))
}

/// The form that the file's name asks for.
fn form(out: &Path) -> Result<Form, Failure> {
    Form::of(out).ok_or_else(|| {
        Failure::usage(format!("--out: {} names no form", out.display()))
            .hint("end the name in .pdf, .xlsx, .csv, .jsonl or .html")
    })
}

/// A request as far as it can be read without a log.
struct Asked {
    request: ReportRequest,
    known: Option<String>,
    zone: chrono_tz::Tz,
}

impl Asked {
    fn read(args: Make) -> Result<Asked, Failure> {
        let Make {
            store: _,
            template,
            filters,
            subject,
            at,
            known,
            set,
            operator,
            made_at,
            out: _,
            schedule: _,
        } = args;
        let zone = filters.zone();
        let FilterReading {
            query,
            mut readings,
        } = filters.read()?;
        if query.direction == Direction::Backwards {
            return Err(
                Failure::usage("a report lists events in the order of the log")
                    .hint("leave --reverse out"),
            );
        }
        let at = at
            .map(|text| instant::at("--at", &text, zone))
            .transpose()?;
        let reading = at.as_ref().and_then(|at| at.reading.as_ref());
        readings.extend(reading.map(|reading| format!("at: {reading}")));
        let clock = Surroundings::system().clock;
        let made_at: Option<Time> = match made_at.as_deref() {
            None => None,
            Some("now") => Some(clock()),
            Some(text) => Some(instant::from("--made-at", text, zone)?.at),
        };
        Ok(Asked {
            request: ReportRequest {
                query,
                subject,
                at: at.map(|at| at.at),
                zone: zone.to_string(),
                readings,
                settings: BTreeMap::from_iter(set),
                operator: Some(operator.unwrap_or_else(|| OsUser::system().name)),
                made_at,
                ..ReportRequest::of(&template)
            },
            known,
            zone,
        })
    }

    /// The request on a log.
    fn on(self, log: &Log, output: &Output) -> Result<ReportRequest, Failure> {
        let Asked {
            mut request,
            known,
            zone,
        } = self;
        if let Some(text) = known {
            let (position, reading) = instant::known(log, &text, zone)?;
            request.query = EventQuery {
                known: Some(position),
                ..request.query
            };
            request.readings.extend(reading);
        }
        request.purpose.clone_from(&output.purpose);
        request.access_log = access_log_state(log, output)?;
        Ok(request)
    }
}

/// Where this report stands in the store's access log, and whether that is whole.
///
/// # Errors
/// If it cannot be read.
pub fn access_log_state(log: &Log, output: &Output) -> Result<AccessLogState, Failure> {
    let file = AccessLog::of(log.id(), &data_folder().unwrap_or_default());
    Ok(AccessLogState::of(&output.access, &file)?)
}

fn print_made(view: &ReportView, output: &mut Output) -> Result<(), Failure> {
    let ReportView {
        report,
        hash,
        files,
        left_out,
    } = view;
    let Completeness {
        events_in_log,
        events_in_scope,
        streams_in_scope,
        tables,
        ..
    } = &report.first_page.completeness;
    let template = &report.template;
    let mut rows = vec![
        ("report", report.title.clone()),
        ("regime", report.regime.clone()),
        (
            "template",
            format!("{} version {}", template.name, template.version),
        ),
        (
            "scope",
            format!(
                "{} of {events_in_log}, in {}",
                counted(*events_in_scope, "event"),
                counted(*streams_in_scope, "stream")
            ),
        ),
    ];
    let readings = report.first_page.scope.readings.iter();
    rows.extend(readings.map(|reading| ("read as", reading.clone())));
    let rows_of = tables
        .iter()
        .map(|table| format!("{} {}", table.table, counted(table.rows, "row")));
    rows.push(("tables", rows_of.collect::<Vec<_>>().join(", ")));
    rows.push(("hash", hash.to_string()));
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    print_checks(report.checks(), output)?;
    crate::commands::print_findings(&report.first_page.findings, output)?;
    output.line("")?;
    output.line("not checked")?;
    for text in &report.first_page.not_checked {
        output.line(&visible(&format!("  {text}")))?;
    }
    output.line("")?;
    for file in files {
        output.line(&visible(&format!(
            "wrote {}: {} ({} bytes, sha256 {})",
            file.file, file.holds, file.bytes, file.sha256
        )))?;
    }
    for text in left_out {
        output.line(&visible(&format!("warning: {text}")))?;
    }
    output.line(&report.first_page.statement)
}

fn print_checks(results: &[CheckResult], output: &mut Output) -> Result<(), Failure> {
    if results.is_empty() {
        return Ok(());
    }
    output.line("")?;
    let mut table = Table::new(&[
        ("CHECK", Align::Left, 24),
        ("OUTCOME", Align::Left, 18),
        ("NUMBERS", Align::Left, 90),
    ]);
    for result in results {
        table.row([
            result.id.clone(),
            result.outcome.text().to_owned(),
            result.detail.clone(),
        ]);
    }
    output.table(&table)
}
