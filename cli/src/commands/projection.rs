//! `annals projection`: read models over many streams, defined beside a store.

use std::path::{Path, PathBuf};

use annals_core::projection::{
    self, DocumentQuery, DocumentRow, DocumentsView, ProjectionRow, ProjectionTextView,
    ProjectionsView,
};
use annals_core::store::Log;

use crate::commands::state::as_of_text;
use crate::commands::{load_projections, print_findings};
use crate::failure::{Code, Exit, Failure};
use crate::instant::AsOfArgs;
use crate::output::Output;
use crate::pretty;
use crate::table::pairs;
use crate::text::{counted, visible};
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
    }
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
        projection::documents(log, &set, &args.name, &as_of, &query)
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
            categories => format!(" of category {}", categories.join(", ")),
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
