//! `annals projection`: read models over many streams, defined beside a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use annals_core::model::FieldPath;
use annals_core::progress::WorkProgress;
use annals_core::projection::{
    self, CaughtUp, CompareView, DifferenceKind, DocumentHistoryView, DocumentQuery, DocumentRow,
    DocumentWhyView, DocumentsView, ProjectionError, ProjectionRow, ProjectionTextView,
    Projections, ProjectionsView, RebuildView, Runner, StatusView, Strategy, Theirs,
};
use annals_core::store::{EventBrief, Log};
use annals_core::surroundings::Surroundings;
use annals_core::temporal::{self, AsOfView};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::commands::history::print_values;
use crate::commands::state::as_of_text;
use crate::commands::why::{Explained, print_explained, short, value_text};
use crate::commands::{load_projections, print_findings};
use crate::failure::{Code, Exit, Failure};
use crate::found::cache_folder;
use crate::instant::AsOfArgs;
use crate::output::Output;
use crate::pretty;
use crate::table::{Align, Table, pairs};
use crate::text::{MAX_NAME_COLUMNS, counted, lasting, visible};
use crate::watch;

/// Add, list and show the projections beside a store, and their documents at any instant.
#[derive(Debug, clap::Args)]
pub struct ProjectionArgs {
    /// What to do.
    #[command(subcommand)]
    command: ProjectionCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ProjectionCommand {
    /// Put a projection beside a store
    Add {
        /// The store
        store: PathBuf,
        /// The projection file
        file: PathBuf,
        /// Name of the file beside the store, without .toml; that of FILE by default
        #[arg(long)]
        name: Option<String>,
        /// Take the place of a projection file of that name
        #[arg(long)]
        replace: bool,
    },
    /// List the projections beside a store
    List {
        /// The store
        store: PathBuf,
    },
    /// Show the documents of a projection, now or as of an instant
    Show(Show),
    /// Say how the projections stand: how far they are behind, what failed, what they are doing
    Status {
        /// The store
        store: PathBuf,
    },
    /// Catch projections up, and follow the log until Ctrl-C; each change is a line
    Run {
        /// The store
        store: PathBuf,
        /// The projections; all by default
        names: Vec<String>,
        /// Catch up and end; batches are caught up whether they are due or not
        #[arg(long)]
        once: bool,
    },
    /// Let a projection stay where it is
    Pause(One),
    /// Let a paused projection go on
    Resume(One),
    /// Let a projection that stopped at an event try it again
    Retry(One),
    /// Take away what is kept of a projection, so that it begins anew
    Reset(One),
    /// Make the documents anew beside those in use, compare, and put them in their place
    Rebuild {
        #[command(flatten)]
        one: One,
        /// Only compare
        #[arg(long)]
        no_switch: bool,
    },
    /// Put the documents from before the last rebuild in use again
    Rollback(One),
    /// Say why a value in a document is what it is: which events it comes from, and what each added
    Why(Place),
    /// List every value that a place in a document had
    History(Place),
    /// Compare a read model of your own with what comes out of the log; exit code 3 where they differ
    Compare(Compare),
}

#[derive(Debug, clap::Args)]
struct Place {
    /// The store
    store: PathBuf,
    /// Name of the projection
    name: String,
    /// Key of the document
    key: String,
    /// Path of the value in the document, such as total or items[0].price; '' is the whole document
    path: FieldPath,
    #[command(flatten)]
    as_of: AsOfArgs,
    /// List at most so many contributions or values, the newest; the others are counted
    #[arg(long, value_name = "N", default_value_t = temporal::CONTRIBUTIONS)]
    limit: usize,
}

#[derive(Debug, clap::Args)]
struct Compare {
    /// The store
    store: PathBuf,
    /// Name of the projection
    name: String,
    /// Your rows: FILE.csv, FILE.json or FILE.sqlite:TABLE
    file: String,
    /// The column that holds the key; the first one by default
    #[arg(long, value_name = "COLUMN")]
    key: Option<String>,
    /// List at most so many rows that differ; the others are counted
    #[arg(long, value_name = "N", default_value_t = projection::DIFFERENCES)]
    limit: usize,
    #[command(flatten)]
    as_of: AsOfArgs,
}

#[derive(Debug, clap::Args)]
struct One {
    /// The store
    store: PathBuf,
    /// Name of the projection
    name: String,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// The store
    store: PathBuf,
    /// Name of the projection
    name: String,
    /// Only the document of this key
    #[arg(long)]
    key: Option<String>,
    /// Only documents whose key begins with this text
    #[arg(long, value_name = "TEXT", conflicts_with = "key")]
    prefix: Option<String>,
    /// Read on after this key
    #[arg(long, value_name = "KEY", conflicts_with = "key")]
    after: Option<String>,
    /// At most so many documents
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: u32,
    #[command(flatten)]
    as_of: AsOfArgs,
    /// Show the text of the definition instead
    #[arg(long, conflicts_with_all = ["key", "prefix", "after", "at", "known"])]
    definition: bool,
}

/// Runs the command.
pub fn run(args: ProjectionArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.command {
        ProjectionCommand::Add {
            store,
            file,
            name,
            replace,
        } => add(&store, &file, name, replace, output),
        ProjectionCommand::List { store } => {
            Log::explore(&store)?;
            let view = projection::list(&store)?;
            output.show(&view, |output| print_list(&view, output))
        }
        ProjectionCommand::Show(args) if args.definition => show_text(&args, output),
        ProjectionCommand::Show(args) => show(args, output),
        ProjectionCommand::Status { store } => {
            let view = projections(&Log::explore(&store)?, &store)?.status()?;
            output.show(&view, |output| print_status(&view, output))
        }
        ProjectionCommand::Run { store, names, once } => follow(&store, names, once, output),
        ProjectionCommand::Pause(one) => control(one, output, |all, name| {
            Ok(match all.set_paused(name, true)? {
                true => "paused",
                false => "it was paused already",
            })
        }),
        ProjectionCommand::Resume(one) => control(one, output, |all, name| {
            Ok(match all.set_paused(name, false)? {
                true => "resumed",
                false => "it was not paused",
            })
        }),
        ProjectionCommand::Retry(one) => control(one, output, |all, name| {
            if !all.retry(name)? {
                return Ok("it had not stopped");
            }
            let done = all.catch_up(&[name])?;
            let stopped = done.iter().any(|done| done.stopped_at.is_some());
            Ok(if stopped {
                "it tried again and stopped"
            } else {
                "it tried again and went on"
            })
        }),
        ProjectionCommand::Reset(one) => control(one, output, |all, name| {
            Ok(match all.reset(name)? {
                true => "what was kept is taken away",
                false => "nothing was kept",
            })
        }),
        ProjectionCommand::Rebuild { one, no_switch } => rebuild(&one, !no_switch, output),
        ProjectionCommand::Compare(args) => compare(args, output),
        ProjectionCommand::Why(args) => why(args, output),
        ProjectionCommand::History(args) => history(args, output),
        ProjectionCommand::Rollback(one) => control(one, output, |all, name| {
            Ok(match all.roll_back(name)? {
                true => "the documents from before are in use again",
                false => "no documents from before are kept",
            })
        }),
    }
}

/// The projections of a store, with what is kept of them.
fn projections(log: &Log, store: &Path) -> Result<Projections, Failure> {
    let set = load_projections(store)?;
    let clock = Surroundings::system().clock;
    Ok(Projections::open(
        log,
        set,
        cache_folder().as_deref(),
        clock,
    ))
}

/// What was done to a projection: `annals projection pause --json`.
#[derive(Debug, Serialize)]
struct DoneView {
    projection: String,
    done: &'static str,
}

fn control(
    one: One,
    output: &mut Output,
    act: impl FnOnce(&Projections, &str) -> Result<&'static str, ProjectionError>,
) -> Result<Exit, Failure> {
    let log = Log::explore(&one.store)?;
    let all = projections(&log, &one.store)?;
    let done = act(&all, &one.name)?;
    let view = DoneView {
        projection: one.name,
        done,
    };
    output.show(&view, |output| {
        output.line(&visible(&format!("{}: {done}", view.projection)))
    })
}

fn rebuild(one: &One, switch: bool, output: &mut Output) -> Result<Exit, Failure> {
    let log = Log::explore(&one.store)?;
    let view = watch::reading(&log, |log| -> Result<_, Failure> {
        let all = projections(log, &one.store)?;
        all.catch_up(&[&one.name])?;
        Ok(all.rebuild(&one.name, switch)?)
    })?;
    output.show(&view, |output| print_rebuild(&view, output))?;
    Ok(if view.differences_count > 0 {
        Exit::Problems
    } else {
        Exit::Done
    })
}

fn compare(args: Compare, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.as_of.read()?;
    let log = Log::explore(&args.store)?;
    let set = load_projections(&args.store)?;
    let (as_of, reading) = asked.on_whole_log(&log)?;
    let theirs = Theirs::read(&args.file, args.key.as_deref())?;
    let mut view = watch::reading(&log, |log| {
        projection::compare(log, &set, &args.name, &as_of, &theirs, args.limit)
    })?;
    view.reading = reading;
    output.show(&view, |output| print_compare(&view, output))?;
    Ok(if view.differences_count > 0 {
        Exit::Problems
    } else {
        Exit::Done
    })
}

fn why(args: Place, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.as_of.read()?;
    let log = Log::explore(&args.store)?;
    let (as_of, reading) = asked.on_whole_log(&log)?;
    let mut view = watch::reading(&log, |log| -> Result<_, Failure> {
        let all = projections(log, &args.store)?;
        Ok(all.why(&args.name, &args.key, &args.path, &as_of, args.limit)?)
    })?;
    view.reading = reading;
    output.show(&view, |output| print_why(&view, output))
}

fn history(args: Place, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.as_of.read()?;
    let log = Log::explore(&args.store)?;
    let (as_of, reading) = asked.on_whole_log(&log)?;
    let mut view = watch::reading(&log, |log| -> Result<_, Failure> {
        let all = projections(log, &args.store)?;
        let (name, key, path) = (&args.name, &args.key, &args.path);
        Ok(all.history(name, key, path, &as_of, args.limit, &mut |_| true)?)
    })?;
    view.reading = reading;
    output.show(&view, |output| print_history(&view, output))
}

/// The head of what is said about a place in a document.
fn about_document(
    (projection, key, path): (&str, &str, &str),
    as_of: &AsOfView,
    reading: Option<&String>,
    (inputs, examined): (u64, u64),
    incomplete: bool,
) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("projection", projection.to_owned()),
        ("document", visible(key)),
        (
            "path",
            match path {
                "" => "(the whole document)".to_owned(),
                path => visible(path),
            },
        ),
        ("as of", as_of_text(as_of)),
    ];
    rows.extend(reading.cloned().map(|reading| ("read as", reading)));
    let found = match examined {
        0 => String::new(),
        examined => format!(", found among {}", counted(examined, "event")),
    };
    rows.push((
        "looked at",
        format!("{} of the document{found}", counted(inputs, "event")),
    ));
    if incomplete {
        rows.push(("incomplete", "see the findings".to_owned()));
    }
    rows
}

fn print_why(view: &DocumentWhyView, output: &mut Output) -> Result<(), Failure> {
    let mut rows = about_document(
        (&view.projection, &view.key, &view.path),
        &view.as_of,
        view.reading.as_ref(),
        (view.inputs, view.events_examined),
        view.incomplete,
    );
    rows.push(("value", value_text(view.kind, view.value.as_deref())));
    if let Some(derived) = &view.derived {
        rows.push((
            "derived",
            visible(&format!("{} = {}", derived.field, derived.expression)),
        ));
        for field in &derived.fields {
            let value = field.value.as_ref();
            let value = value.map_or_else(|| "not there".to_owned(), |value| short(value));
            rows.push(("read", visible(&format!("{} = {value}", field.path))));
        }
    }
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    let last_confirmed = view.last_confirmed.map(|last| format!("position {last}"));
    print_explained(
        &Explained {
            kind: view.kind,
            path: &view.path,
            set_by: view.set_by.as_ref(),
            operation: &view.operation,
            expression: view.expression.as_deref(),
            guard: view.guard.as_deref(),
            fields: &view.fields,
            confirmed: view.confirmed,
            last_confirmed,
            contributions: &view.contributions,
            contributions_count: view.contributions_count,
            earlier: view.earlier.as_ref(),
            sum: view.sum.as_deref(),
            is_document: true,
        },
        output,
    )?;
    print_findings(&view.findings, output)
}

fn print_history(view: &DocumentHistoryView, output: &mut Output) -> Result<(), Failure> {
    let rows = about_document(
        (&view.projection, &view.key, &view.path),
        &view.as_of,
        view.reading.as_ref(),
        (view.inputs, view.events_examined),
        view.incomplete,
    );
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    output.line("")?;
    print_values(&view.values, view.values_count, true, output)?;
    print_findings(&view.findings, output)
}

fn print_compare(view: &CompareView, output: &mut Output) -> Result<(), Failure> {
    let mut rows = vec![
        ("projection", view.projection.clone()),
        ("as of", as_of_text(&view.as_of)),
    ];
    rows.extend(view.reading.clone().map(|reading| ("read as", reading)));
    rows.push((
        "compared",
        format!(
            "{} of {} by {}, with {}",
            counted(view.rows, "row"),
            view.theirs,
            view.key,
            counted(view.documents, "document")
        ),
    ));
    rows.push(("columns", view.compared.join(", ")));
    if !view.not_compared.is_empty() {
        rows.push((
            "not compared",
            format!("{}: no document has them", view.not_compared.join(", ")),
        ));
    }
    if view.repeated > 0 {
        rows.push((
            "repeated",
            format!(
                "{} of a key that came before",
                counted(view.repeated, "row")
            ),
        ));
    }
    let listed = view.differences.len() as u64;
    let part = if listed < view.differences_count {
        format!("; the first {listed} are listed")
    } else {
        String::new()
    };
    rows.push((
        "outcome",
        format!(
            "{} the same, {} differ{part}",
            view.same, view.differences_count
        ),
    ));
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    let since = |event: &Option<EventBrief>| match event {
        Some(event) => format!(
            " since position {} ({}, {})",
            event.position, event.event_type, event.time
        ),
        None => String::new(),
    };
    if !view.differences.is_empty() {
        output.line("")?;
    }
    for difference in &view.differences {
        let word = match difference.kind {
            DifferenceKind::Differs => "differs",
            DifferenceKind::Missing => "is missing",
            DifferenceKind::Extra => "is in no document",
        };
        output.line(&visible(&format!(
            "{} {word}{}",
            difference.key,
            since(&difference.since)
        )))?;
        for field in &difference.fields {
            let since = match &field.since {
                Some(_) => since(&field.since),
                None => "; it never was what the row holds".to_owned(),
            };
            output.line(&visible(&format!(
                "  {}: {} in the row, {} in the log{since}",
                field.field, field.theirs, field.ours
            )))?;
        }
    }
    print_findings(&view.findings, output)
}

fn follow(
    store: &Path,
    names: Vec<String>,
    once: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let log = Log::explore(store)?;
    if once {
        let done = watch::reading(&log, |log| -> Result<_, Failure> {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Ok(projections(log, store)?.catch_up(&names)?)
        })?;
        for done in &done {
            print_caught_up(done, output)?;
        }
        return Ok(Exit::Done);
    }
    let all = projections(&log, store)?;
    let progress = Arc::new(WorkProgress::default());
    let on_interrupt = Arc::clone(&progress);
    watch::cancel_on_interrupt(move || on_interrupt.cancel());
    let pid = std::process::id();
    let started = (Surroundings::system().clock)();
    let runner = Runner {
        id: format!("{pid} {started}"),
        pid,
        names,
    };
    let mut failed = None;
    all.run(&runner, &progress, &mut |done| {
        // Whoever reads along waits for it.
        let printed = print_caught_up(done, output).and_then(|_| output.finish());
        if let Err(failure) = printed {
            failed = Some(failure);
            progress.cancel();
        }
    })?;
    failed.map_or(Ok(Exit::Done), Err)
}

fn print_caught_up(done: &CaughtUp, output: &mut Output) -> Result<(), Failure> {
    output.show(done, |output| {
        let CaughtUp {
            projection,
            from,
            to,
            changed,
            faults,
            stopped_at,
            is_paused,
            notes,
        } = done;
        for note in notes {
            output.line(&visible(&format!("{projection}: {note}")))?;
        }
        let mut line = format!(
            "{projection}: position {from} to {to}, {} changed",
            counted(changed.len() as u64, "document")
        );
        if *faults > 0 {
            line += &format!(", {} could not be folded", counted(*faults, "event"));
        }
        if let Some(at) = stopped_at {
            line += &format!(", stopped before position {at}");
        }
        if *is_paused {
            line += ", paused";
        }
        output.line(&visible(&line))
    })?;
    Ok(())
}

fn print_status(view: &StatusView, output: &mut Output) -> Result<(), Failure> {
    if view.projections.is_empty() {
        return output
            .line("there is no projection; annals projection add STORE FILE puts one there");
    }
    let mut table = Table::new(&[
        ("PROJECTION", Align::Left, MAX_NAME_COLUMNS),
        ("STRATEGY", Align::Left, 8),
        ("STATE", Align::Left, 8),
        ("CHECKPOINT", Align::Right, 14),
        ("HEAD", Align::Right, 14),
        ("LAG", Align::Right, 14),
        ("STALE", Align::Right, 14),
        ("FAULTS", Align::Right, 8),
        ("EVENTS/S", Align::Right, 10),
        ("DOCUMENTS", Align::Right, 12),
    ]);
    for status in &view.projections {
        table.row([
            status.name.clone(),
            status
                .strategy
                .map_or("-", |strategy| strategy.name())
                .to_owned(),
            status.state.name().to_owned(),
            status.checkpoint.to_string(),
            status.head.to_string(),
            status
                .lag_events
                .map_or("-".to_owned(), |lag| lag.to_string()),
            status.stale_for_ms.map_or("-".to_owned(), lasting),
            status.faults.to_string(),
            status.events_per_second.to_string(),
            status.documents.to_string(),
        ]);
    }
    output.table(&table)?;
    for status in &view.projections {
        for fault in &status.fault_list {
            let key = fault.key.as_deref().map(|key| format!(", document {key}"));
            output.line(&visible(&format!(
                "{}: position {}{}: {}",
                status.name,
                fault.position,
                key.unwrap_or_default(),
                fault.detail
            )))?;
        }
        if let Some(note) = &status.note {
            output.line(&visible(&format!("{}: {note}", status.name)))?;
        }
    }
    for note in &view.notes {
        output.line(&visible(note))?;
    }
    Ok(())
}

fn print_rebuild(view: &RebuildView, output: &mut Output) -> Result<(), Failure> {
    let before = match view.documents_before {
        Some(before) => format!("{} before", counted(before, "document")),
        None => "nothing to compare with".to_owned(),
    };
    let switched = if view.switched {
        "in use now; annals projection rollback puts the old ones back"
    } else {
        "not put in use"
    };
    output.line(&visible(&format!(
        "{}: {} made anew up to position {}, {before}, {} differ; {switched}",
        view.projection,
        counted(view.documents, "document"),
        view.position,
        view.differences_count,
    )))?;
    for difference in &view.differences {
        let text = |state: &Option<Box<RawValue>>| {
            state
                .as_ref()
                .map_or("not there".to_owned(), |state| state.to_string())
        };
        output.line(&visible(&format!(
            "  {}: {} became {}",
            difference.key,
            text(&difference.before),
            text(&difference.after)
        )))?;
    }
    Ok(())
}

fn add(
    store: &Path,
    file: &Path,
    name: Option<String>,
    replace: bool,
    output: &mut Output,
) -> Result<Exit, Failure> {
    Log::explore(store)?;
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    let stem = || {
        file.file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
    };
    let name = name.or_else(stem).unwrap_or_default();
    let row = projection::save(store, &name, &text, replace)?;
    output.show(&row, |output| {
        let strategy = row.strategy.map(|strategy| strategy.name());
        output.line(&visible(&format!(
            "added {} ({})",
            row.file,
            strategy.unwrap_or_default()
        )))
    })
}

fn show_text(args: &Show, output: &mut Output) -> Result<Exit, Failure> {
    Log::explore(&args.store)?;
    let Some(view) = projection::show(&args.store, &args.name)? else {
        return Err(Failure::new(
            Code::NotFound,
            format!("there is no projection {}", args.name),
        )
        .hint("annals projection list STORE lists them"));
    };
    output.show(&view, |output| {
        let ProjectionTextView { row, text } = &view;
        print_row(row, output)?;
        output.line("")?;
        text.lines()
            .try_for_each(|line| output.line(&visible(line)))
    })
}

fn show(args: Show, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.as_of.read()?;
    let log = Log::explore(&args.store)?;
    let set = load_projections(&args.store)?;
    let (as_of, reading) = asked.on_whole_log(&log)?;
    let query = DocumentQuery {
        key: args.key.clone(),
        prefix: args.prefix,
        after: args.after,
        limit: Some(args.limit as usize),
    };
    let mut view = watch::reading(&log, |log| {
        let clock = Surroundings::system().clock;
        let all = Projections::open(log, set, cache_folder().as_deref(), clock);
        let strategy = all.set().get(&args.name)?.strategy();
        if strategy != Strategy::Batch {
            match all.catch_up(&[&args.name]) {
                // Without a cache the answer folds the log.
                Ok(_) | Err(ProjectionError::NoCache(_) | ProjectionError::Cache(_)) => {}
                Err(error) => return Err(error),
            }
        }
        all.documents(&args.name, &as_of, &query)
    })?;
    view.reading = reading;
    if let (Some(key), true) = (&args.key, view.documents.is_empty()) {
        return Err(Failure::new(
            Code::NotFound,
            format!(
                "{} has no document {} {}",
                view.projection,
                visible(key),
                as_of_text(&view.as_of)
            ),
        )
        .hint("annals projection show STORE NAME lists the documents; --prefix TEXT those whose key begins so"));
    }
    output.show(&view, |output| print_documents(&view, output))
}

fn print_list(view: &ProjectionsView, output: &mut Output) -> Result<(), Failure> {
    if view.projections.is_empty() {
        output.line(&format!("no projection in {}", visible(&view.folder)))?;
        return output.line("annals projection add STORE FILE puts one there");
    }
    for (n, row) in view.projections.iter().enumerate() {
        if n > 0 {
            output.line("")?;
        }
        print_row(row, output)?;
    }
    Ok(())
}

fn print_row(row: &ProjectionRow, output: &mut Output) -> Result<(), Failure> {
    let ProjectionRow {
        file,
        model,
        description,
        strategy,
        every_seconds,
        on_fault: _,
        from,
        types,
        error,
    } = row;
    let mut rows = vec![("file", file.clone())];
    if let Some(model) = model {
        rows.push(("name", model.name.clone()));
        rows.extend(model.version.clone().map(|version| ("version", version)));
        rows.extend(model.hash.map(|hash| ("sha256", hash.to_string())));
    }
    rows.extend(description.clone().map(|text| ("about", text)));
    if let Some(strategy) = strategy {
        let every = every_seconds.map(|seconds| format!(", every {seconds} s"));
        rows.push((
            "strategy",
            format!("{}{}", strategy.promise(), every.unwrap_or_default()),
        ));
        let from = match &from[..] {
            [] => String::new(),
            names => format!(" from {}", names.join(", ")),
        };
        rows.push(("reads", format!("{}{from}", types.join(", "))));
    }
    rows.extend(error.clone().map(|error| ("broken", error)));
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    Ok(())
}

fn print_documents(view: &DocumentsView, output: &mut Output) -> Result<(), Failure> {
    let mut rows = vec![
        ("projection", view.projection.clone()),
        ("as of", as_of_text(&view.as_of)),
    ];
    rows.extend(view.reading.clone().map(|reading| ("read as", reading)));
    rows.push(("strategy", view.strategy.promise().to_owned()));
    rows.push((
        "looked at",
        format!(
            "{}, up to position {}",
            counted(view.events_examined, "event"),
            view.position
        ),
    ));
    let shown = view.documents.len() as u64;
    let part = if shown < view.documents_count {
        format!("; {shown} are shown")
    } else {
        String::new()
    };
    rows.push((
        "documents",
        format!("{}{part}", counted(view.documents_count, "document")),
    ));
    if let Some(at) = view.stopped_at {
        rows.push((
            "stopped",
            format!("before position {at}, which could not be folded; see the findings"),
        ));
    } else if view.incomplete {
        rows.push((
            "incomplete",
            "events could not be folded or fields not derived; see the findings".to_owned(),
        ));
    }
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    for document in &view.documents {
        let DocumentRow {
            key,
            state,
            inputs,
            last_position,
            last_time,
            incomplete,
        } = document;
        output.line("")?;
        let incomplete = if *incomplete { ", incomplete" } else { "" };
        output.line(&visible(&format!(
            "{key}  ({}, the last at position {last_position}, {last_time}{incomplete})",
            counted(*inputs, "event")
        )))?;
        for line in pretty::lines(state.get()) {
            output.line(&line.text)?;
        }
    }
    if let Some(next) = &view.next {
        output.line("")?;
        output.line(&visible(&format!("read on with --after {next}")))?;
    }
    print_findings(&view.findings, output)
}
