//! `annals model`: the models beside a store.

use std::path::{Path, PathBuf};

use annals_core::id::Category;
use annals_core::model::{ModelRow, ModelTextView, ModelsView, list, save, show};
use annals_core::store::Log;
use annals_core::temporal::{self, CheckedType, ModelCheckView, Seen, ShapesView};

use crate::commands::{counting, print_findings};
use crate::failure::{Code, Exit, Failure};
use crate::output::Output;
use crate::table::{Align, Table, pairs};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};

/// Draft, check, add, list and show the models beside a store.
#[derive(Debug, clap::Args)]
pub struct ModelArgs {
    /// What to do.
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, clap::Subcommand)]
enum ModelCommand {
    /// Write a first model for a category from its data, to be edited
    Draft {
        /// The store
        store: PathBuf,
        /// The category
        category: Category,
        /// Write it to this file; an existing one is not overwritten
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Try a model on every stored event of its category; nothing is written
    Check {
        /// The store
        store: PathBuf,
        /// The model file
        file: PathBuf,
    },
    /// Put a model beside a store
    Add {
        /// The store
        store: PathBuf,
        /// The model file
        file: PathBuf,
        /// Name of the file beside the store, without .toml; that of FILE by default
        #[arg(long)]
        name: Option<String>,
        /// Take the place of a model file of that name
        #[arg(long)]
        replace: bool,
    },
    /// List the models beside a store
    List {
        /// The store
        store: PathBuf,
    },
    /// Show a model's text
    Show {
        /// The store
        store: PathBuf,
        /// Name of the model, its file or its category
        name: String,
    },
    /// Show how the payloads of each type looked over time
    Shapes {
        /// The store
        store: PathBuf,
        /// The category; all by default
        category: Option<Category>,
    },
}

/// Runs the command.
pub fn run(args: ModelArgs, output: &mut Output) -> Result<Exit, Failure> {
    match args.command {
        ModelCommand::Draft {
            store,
            category,
            out,
        } => draft(&store, &category, out.as_deref(), output),
        ModelCommand::Check { store, file } => check(&store, &file, output),
        ModelCommand::Add {
            store,
            file,
            name,
            replace,
        } => add(&store, &file, name, replace, output),
        ModelCommand::List { store } => {
            Log::explore(&store)?;
            let view = list(&store)?;
            output.show(&view, |output| print_list(&view, output))
        }
        ModelCommand::Show { store, name } => show_one(&store, &name, output),
        ModelCommand::Shapes { store, category } => {
            let log = Log::explore(&store)?;
            let view = counting(|go_on| temporal::shapes(&log, category.as_ref(), go_on))?;
            output.show(&view, |output| print_shapes(&view, output))
        }
    }
}

fn draft(
    store: &Path,
    category: &Category,
    out: Option<&Path>,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let log = Log::explore(store)?;
    let Some(text) = counting(|go_on| temporal::draft(&log, category, go_on))? else {
        return Err(Failure::new(
            Code::BadInput,
            format!("there is no event in category {category}"),
        )
        .hint("annals info STORE lists the categories"));
    };
    let Some(out) = out else {
        for line in text.lines() {
            output.line(&visible(line))?;
        }
        return Ok(Exit::Done);
    };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(out)
        .map_err(|error| Failure::file(out, &error))?;
    std::io::Write::write_all(&mut file, text.as_bytes())
        .map_err(|error| Failure::file(out, &error))?;
    output.line(&format!("wrote {}", out.display()))?;
    Ok(Exit::Done)
}

fn check(store: &Path, file: &Path, output: &mut Output) -> Result<Exit, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, &error))?;
    let log = Log::explore(store)?;
    let name = stem(file);
    let view = counting(|go_on| temporal::check(&log, &name, &text, go_on))?;
    output.show(&view, |output| print_check(&view, output))?;
    Ok(if view.problems {
        Exit::Problems
    } else {
        Exit::Done
    })
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
    let name = name.unwrap_or_else(|| stem(file));
    let row = save(store, &name, &text, replace)?;
    output.show(&row, |output| {
        let category = row.category.as_deref().unwrap_or_default();
        output.line(&visible(&format!(
            "added {} for category {category}",
            row.file
        )))
    })
}

fn show_one(store: &Path, name: &str, output: &mut Output) -> Result<Exit, Failure> {
    Log::explore(store)?;
    let Some(view) = show(store, name)? else {
        return Err(
            Failure::new(Code::NotFound, format!("there is no model {name}"))
                .hint("annals model list STORE lists them"),
        );
    };
    output.show(&view, |output| {
        let ModelTextView { row, text } = &view;
        print_row(row, output)?;
        output.line("")?;
        text.lines()
            .try_for_each(|line| output.line(&visible(line)))
    })
}

fn stem(file: &Path) -> String {
    file.file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn print_list(view: &ModelsView, output: &mut Output) -> Result<(), Failure> {
    if view.models.is_empty() {
        output.line(&format!("no model in {}", visible(&view.folder)))?;
        return output.line("annals model draft STORE CATEGORY writes a first one");
    }
    for (n, row) in view.models.iter().enumerate() {
        if n > 0 {
            output.line("")?;
        }
        print_row(row, output)?;
    }
    Ok(())
}

fn print_row(row: &ModelRow, output: &mut Output) -> Result<(), Failure> {
    let ModelRow {
        file,
        model,
        category,
        types,
        error,
    } = row;
    let mut rows = vec![("file", file.clone())];
    rows.extend(category.clone().map(|category| ("category", category)));
    if let Some(model) = model {
        rows.push(("name", model.name.clone()));
        rows.extend(model.version.clone().map(|version| ("version", version)));
        rows.extend(model.hash.map(|hash| ("sha256", hash.to_string())));
        rows.extend(model.time.clone().map(|time| ("time", time)));
        rows.push(("handles", types.join(", ")));
    }
    rows.extend(error.clone().map(|error| ("broken", error)));
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    Ok(())
}

fn print_check(view: &ModelCheckView, output: &mut Output) -> Result<(), Failure> {
    if let Some(error) = &view.error {
        return output.line(&visible(&format!(
            "{}:{}:{}: {}",
            view.name, error.line, error.column, error.message
        )));
    }
    let mut table = Table::new(&[
        ("TYPE", Align::Left, MAX_NAME_COLUMNS),
        ("SCHEMA", Align::Left, 12),
        ("EVENTS", Align::Right, 14),
        ("FAILED", Align::Right, 14),
        ("HANDLER", Align::Left, 8),
        ("UPCAST", Align::Left, 30),
    ]);
    for CheckedType {
        event_type,
        schema_version,
        events,
        failed,
        handled,
        upcast,
    } in &view.types
    {
        table.row([
            event_type.clone(),
            schema_version.clone().unwrap_or_default(),
            events.to_string(),
            failed.to_string(),
            if *handled { "yes" } else { "no" }.to_owned(),
            upcast.join(", "),
        ]);
    }
    output.table(&table)?;
    output.line("")?;
    let category = view.category.as_deref().unwrap_or_default();
    output.line(&visible(&format!(
        "{} of category {category} in {}: {} could not be folded",
        counted(view.events, "event"),
        counted(view.streams, "stream"),
        view.failed
    )))?;
    if !view.unused.is_empty() {
        let types = view.unused.join(", ");
        output.line(&visible(&format!("no event has the type {types}")))?;
    }
    print_findings(&view.findings, output)
}

fn print_shapes(view: &ShapesView, output: &mut Output) -> Result<(), Failure> {
    let range = |seen: &Seen| format!("{} to {}", seen.first, seen.last);
    for shape in &view.types {
        let versions: Vec<String> = shape
            .versions
            .iter()
            .filter_map(|row| {
                let version = row.schema_version.as_ref()?;
                Some(format!("schema {version}: {}", row.seen.count))
            })
            .collect();
        let versions = if versions.is_empty() {
            String::new()
        } else {
            format!(" ({})", versions.join(", "))
        };
        output.line(&visible(&format!(
            "{}: {}{versions}",
            shape.event_type,
            counted(shape.events, "event")
        )))?;
        let mut table = Table::new(&[
            ("  FIELD", Align::Left, MAX_NAME_COLUMNS),
            ("IN", Align::Right, 14),
            ("POSITIONS", Align::Left, 24),
            ("KINDS", Align::Left, 48),
        ]);
        for field in &shape.fields {
            let kinds: Vec<&str> = field.kinds.iter().map(|kind| &*kind.kind).collect();
            table.row([
                format!("  {}", field.path),
                field.seen.count.to_string(),
                range(&field.seen),
                kinds.join(", "),
            ]);
        }
        output.table(&table)?;
        if shape.unreadable > 0 {
            let count = counted(shape.unreadable, "payload");
            output.line(&format!("  {count} not JSON or erased"))?;
        }
        output.line("")?;
    }
    output.line(&format!("looked at {}", counted(view.looked_at, "event")))?;
    print_findings(&view.findings, output)
}
