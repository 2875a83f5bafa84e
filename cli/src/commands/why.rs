//! `annals why`: why a value is what it is.

use std::path::PathBuf;

use annals_core::id::StreamId;
use annals_core::model::FieldPath;
use annals_core::store::Log;
use annals_core::temporal::{
    self, Contribution, EarlierView, FieldRead, SetByView, ToldView, WhyKind, WhyView,
};
use serde_json::value::RawValue;

use crate::commands::state::{about_place, looked_at, model_text};
use crate::commands::{load_models, print_findings};
use crate::failure::{Exit, Failure};
use crate::instant::{MomentArgs, with_like_streams};
use crate::output::Output;
use crate::table::{Align, Table, pairs};
use crate::text::{MAX_DATA_COLUMNS, MAX_NAME_COLUMNS, counted, cut, visible};

/// Say why a value is what it is: which events it comes from, and what each added.
#[derive(Debug, clap::Args)]
pub struct Why {
    /// The store
    store: PathBuf,
    /// The stream
    stream: StreamId,
    /// Path of the value in the stream's state, such as total or items[0].price; '' is the whole state
    path: FieldPath,
    #[command(flatten)]
    moment: MomentArgs,
    /// List at most so many contributions, the newest; the others are counted and added up
    #[arg(long, value_name = "N", default_value_t = temporal::CONTRIBUTIONS)]
    limit: usize,
}

/// Runs the command.
pub fn run(args: Why, output: &mut Output) -> Result<Exit, Failure> {
    let asked = args.moment.read()?;
    let log = Log::explore(&args.store)?;
    let models = load_models(&args.store)?;
    let moment = asked.on(&log)?;
    let mut view = temporal::why(
        &log,
        &models,
        &args.stream,
        &args.path,
        &moment.moment,
        args.limit,
    )
    .map_err(|error| with_like_streams(error.into(), &log, &args.stream))?;
    view.reading = moment.reading;
    output.show(&view, |output| print(&view, output))
}

fn print(view: &WhyView, output: &mut Output) -> Result<(), Failure> {
    let mut rows = about_place(
        &view.stream,
        &view.path,
        &view.as_of,
        view.reading.as_ref(),
        looked_at(
            view.events_folded,
            view.events_failed,
            view.events_in_stream,
            view.version,
        ),
        model_text(&view.model, &view.category),
    );
    if view.incomplete {
        rows.push((
            "incomplete",
            "the model failed on an event; see the findings".to_owned(),
        ));
    }
    rows.push(("value", value_text(view.kind, view.value.as_deref())));
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    let last_confirmed = view.last_confirmed.map(|last| format!("version {last}"));
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
            is_document: false,
        },
        output,
    )?;
    print_findings(&view.findings, output)
}

/// What is printed of an explanation, whatever its state belongs to.
pub struct Explained<'v> {
    /// What kind of value it is.
    pub kind: WhyKind,
    /// Its path.
    pub path: &'v str,
    /// The last event that changed it.
    pub set_by: Option<&'v SetByView>,
    /// What its handler did.
    pub operation: &'v str,
    /// By which expression.
    pub expression: Option<&'v str>,
    /// Under which condition.
    pub guard: Option<&'v str>,
    /// What the two read.
    pub fields: &'v [FieldRead],
    /// How many events set it again to the same.
    pub confirmed: u64,
    /// The last of them, in words.
    pub last_confirmed: Option<String>,
    /// What it is made of.
    pub contributions: &'v [Contribution],
    /// How many there are.
    pub contributions_count: u64,
    /// Those that are not listed.
    pub earlier: Option<&'v EarlierView>,
    /// What they add up to.
    pub sum: Option<&'v RawValue>,
    /// Events are named by position, since they come from many streams.
    pub is_document: bool,
}

/// Prints which event set a value, and what it is made of.
pub fn print_explained(view: &Explained<'_>, output: &mut Output) -> Result<(), Failure> {
    if let Some(set_by) = view.set_by {
        print_set_by(view, set_by, output)?;
    }
    print_contributions(view, output)
}

/// The value, in a few words.
pub fn value_text(kind: WhyKind, value: Option<&RawValue>) -> String {
    match (kind, value) {
        (WhyKind::Nothing, _) => "none: nothing had happened by then".to_owned(),
        (WhyKind::Gone, _) => "none: it was taken away".to_owned(),
        (_, Some(value)) => short(value),
        (_, None) => String::new(),
    }
}

/// A value, cut where it is long.
pub fn short(value: &RawValue) -> String {
    cut(&visible(value.get()), MAX_DATA_COLUMNS)
}

fn print_set_by(
    view: &Explained<'_>,
    set_by: &SetByView,
    output: &mut Output,
) -> Result<(), Failure> {
    let told = |told: &Option<ToldView>| match told {
        None => "not recorded".to_owned(),
        Some(ToldView {
            value,
            from: Some(from),
        }) => format!("{value} ({from})"),
        Some(ToldView { value, from: None }) => value.clone(),
    };
    output.line("")?;
    output.line(if view.kind == WhyKind::Gone {
        "taken away by"
    } else {
        "last changed by"
    })?;
    let mut how = view.operation.to_owned();
    match view.expression {
        Some(expression) => how += &format!(" {expression}"),
        None => how += " (inferred)",
    }
    if let Some(guard) = view.guard {
        how += &format!(" when {guard}");
    }
    let mut rows = vec![
        (
            "  event",
            format!(
                "version {}, position {}, {}",
                set_by.version, set_by.position, set_by.event_type
            ),
        ),
        ("  who", told(&set_by.who)),
        ("  when", set_by.time.to_string()),
    ];
    let counts_from = set_by
        .counts_from
        .map(|from| ("  counts from", from.to_string()));
    rows.extend(counts_from);
    rows.extend([("  why", told(&set_by.why)), ("  how", how)]);
    for FieldRead {
        path,
        value,
        assumed,
    } in view.fields
    {
        let value = value
            .as_ref()
            .map_or_else(|| "not there".to_owned(), |value| short(value));
        let assumed = assumed
            .as_ref()
            .map(|by| format!(" (assumed by {by}, not recorded)"));
        let assumed = assumed.unwrap_or_default();
        rows.push(("  read", format!("{path} = {value}{assumed}")));
    }
    rows.extend(
        set_by
            .before
            .as_ref()
            .map(|before| ("  before", short(before))),
    );
    if let Some(last) = &view.last_confirmed {
        rows.push((
            "  since then",
            format!(
                "set again to the same by {}, last by {last}",
                counted(view.confirmed, "event")
            ),
        ));
    }
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    Ok(())
}

fn print_contributions(view: &Explained<'_>, output: &mut Output) -> Result<(), Failure> {
    if view.contributions.is_empty() && view.earlier.is_none() {
        return Ok(());
    }
    let number = view.kind == WhyKind::Number;
    output.line("")?;
    output.line(&match view.kind {
        WhyKind::List => format!(
            "where its {} come from",
            counted(view.contributions_count, "element")
        ),
        WhyKind::Object => format!(
            "where its {} come from",
            counted(view.contributions_count, "member")
        ),
        _ => counted(view.contributions_count, "contribution"),
    })?;
    let place = if view.is_document {
        "POSITION"
    } else {
        "VERSION"
    };
    let mut table = Table::new(&[
        (place, Align::Right, 12),
        ("TIME", Align::Left, 30),
        ("TYPE", Align::Left, MAX_NAME_COLUMNS),
        ("ACTOR", Align::Left, 24),
        ("REASON", Align::Left, 32),
        (
            if number { "DELTA" } else { "PATH" },
            if number { Align::Right } else { Align::Left },
            40,
        ),
        ("AFTER", if number { Align::Right } else { Align::Left }, 40),
    ]);
    if let Some(earlier) = view.earlier {
        let sum = earlier.sum.as_ref().map_or("", |sum| sum.get());
        table.row([
            "earlier".to_owned(),
            String::new(),
            counted(earlier.count, "contribution"),
            String::new(),
            String::new(),
            sum.to_owned(),
            String::new(),
        ]);
    }
    for Contribution {
        path,
        position,
        version,
        event_type,
        time,
        actor,
        reason,
        after,
        delta,
        ..
    } in view.contributions
    {
        let middle = match delta {
            Some(delta) => delta.get().to_owned(),
            None => path.clone().unwrap_or_else(|| view.path.to_owned()),
        };
        table.row([
            match view.is_document {
                true => position.to_string(),
                false => version.to_string(),
            },
            time.to_string(),
            event_type.clone(),
            actor.clone().unwrap_or_default(),
            reason.clone().unwrap_or_default(),
            middle,
            after.as_ref().map_or(String::new(), |after| short(after)),
        ]);
    }
    output.table(&table)?;
    if let Some(sum) = view.sum {
        output.line(&format!("sum of the deltas: {}", sum.get()))?;
    }
    Ok(())
}
