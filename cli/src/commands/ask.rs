//! `annals ask`: questions over time, and how they were understood.

use std::path::{Path, PathBuf};

use annals_core::answers;
use annals_core::chart::Look;
use annals_core::dashboard;
use annals_core::question::saved::{self, SavedQuestion, SavedQuestionsView};
use annals_core::question::{
    self, AnswerRow, AnswerSource, AnswerView, Asking, IntervalIndex, Question, QuestionError,
    ReadingView,
};
use annals_core::store::Log;
use annals_core::temporal::{AsOf, TemporalError};
use chrono_tz::Tz;
use serde_json::value::RawValue;

use crate::commands::dashboard::{Form, Theme};
use crate::commands::{counting, load_models};
use crate::failure::{Code, Exit, Failure};
use crate::found::cache_folder;
use crate::instant::{self, with_like_streams, zone};
use crate::output::{Output, complain};
use crate::table::{Align, Table, pairs};
use crate::text::{MAX_DATA_COLUMNS, MAX_NAME_COLUMNS, columns, counted, visible};

/// Width of a picture, in pixels.
const PICTURE_PX: u32 = 760;

/// Ask a question over time; the answer says how it was understood, and what the other readings give.
#[derive(Debug, clap::Args)]
pub struct Ask {
    /// The store
    store: PathBuf,
    /// The question: count order where status = "Pending" at end of 2024-01
    #[arg(required_unless_present_any = ["saved", "list", "remove"])]
    question: Option<String>,
    /// Ask the question that was kept under this name
    #[arg(long, value_name = "NAME", conflicts_with_all = ["question", "list", "remove", "save"])]
    saved: Option<String>,
    /// Keep the question under this name, as a file beside the store: pending, or month-end/pending
    #[arg(long, value_name = "NAME", requires = "question")]
    save: Option<String>,
    /// With --save: in place of a question of that name
    #[arg(long, requires = "save")]
    replace: bool,
    /// List the questions that were kept
    #[arg(long, conflicts_with_all = ["question", "remove"])]
    list: bool,
    /// Throw away the question that was kept under this name
    #[arg(long, value_name = "NAME", conflicts_with = "question")]
    remove: Option<String>,
    /// Zone of days and of times that name none: UTC, or an IANA name such as Europe/Berlin [default: UTC, or the one
    /// that the question was kept with]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    zone: Option<Tz>,
    /// Ask it as of this instant: what happened later is not there; a date means the end of that day
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Ask it by what was known by then: a position of the log, or a time of recording
    #[arg(long, value_name = "POSITION|TIME")]
    known: Option<String>,
    /// Draw the answer to this file, where a picture helps: .svg or .png
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Colours of the picture
    #[arg(long, value_enum, default_value = "light", requires = "out")]
    theme: Theme,
    /// List at most so many of the streams behind the answer; the others are counted
    #[arg(long, value_name = "N", default_value_t = question::ROWS)]
    limit: usize,
    /// Answer by folding the events, whatever the interval index says
    #[arg(long)]
    replay: bool,
}

/// Runs the command.
pub fn run(args: Ask, output: &mut Output) -> Result<Exit, Failure> {
    if args.list {
        let view = saved::list(&args.store)?;
        return output.show(&view, |output| print_saved(&view, output));
    }
    if let Some(name) = &args.remove {
        saved::remove(&args.store, name)?;
        let view = saved::list(&args.store)?;
        return output.show(&view, |output| {
            output.line(&visible(&format!("{name} is gone")))
        });
    }
    let (text, kept_zone) = match (&args.question, &args.saved) {
        (Some(text), _) => (text.clone(), None),
        (None, Some(name)) => {
            let found = saved::find(&args.store, name)?;
            (found.question, found.zone)
        }
        (None, None) => return Err(Failure::usage("there is no question")),
    };
    let question = read(&text, output)?;
    let kept_zone = kept_zone
        .map(|name| zone(&name).map_err(|error| Failure::usage(format!("its zone: {error}"))))
        .transpose()?;
    let asked_zone = args.zone.or(kept_zone).unwrap_or(Tz::UTC);
    if let Some(name) = &args.save {
        let zone = args.zone.map(|zone| zone.to_string());
        saved::save(&args.store, name, &text, zone.as_deref(), args.replace)?;
    }
    let at = args
        .at
        .map(|text| instant::at("--at", &text, asked_zone))
        .transpose()?;
    let log = Log::explore(&args.store)?;
    let known = args
        .known
        .map(|text| instant::known(&log, &text, asked_zone))
        .transpose()?;
    let models = load_models(&args.store)?;
    let index = IntervalIndex::open(&log, cache_folder().as_deref());
    let asking = Asking {
        log: &log,
        models: &models,
        zone: asked_zone,
        limit: args.limit,
        index: (!args.replay).then_some(&index),
        as_of: AsOf {
            at: at.map(|at| at.at),
            known: known.map(|(known, _)| known),
        },
    };
    let view = counting(|go_on| question::ask(&asking, &question, go_on)).map_err(|error| {
        use annals_core::store::ReadError;
        let stream = match &error {
            QuestionError::Temporal(TemporalError::Read(ReadError::NoStream(stream))) => {
                Some(stream.clone())
            }
            _ => None,
        };
        let failure = Failure::from(error);
        match stream {
            Some(stream) => with_like_streams(failure, &log, &stream),
            None => failure,
        }
    })?;
    if let Some(file) = &args.out {
        draw(&log, &view, file, args.theme)?;
    }
    output.show(&view, |output| {
        print(&view, output)?;
        match &args.out {
            Some(file) => {
                output.line("")?;
                output.line(&visible(&format!("wrote {}", file.display())))
            }
            None => Ok(()),
        }
    })
}

/// Writes the picture of an answer.
fn draw(log: &Log, view: &AnswerView, file: &Path, theme: Theme) -> Result<(), Failure> {
    let form = Form::of(file)?;
    let plot = answers::picture(view).ok_or_else(|| {
        Failure::new(
            Code::BadInput,
            "a picture of this answer would say no more than it does",
        )
        .hint("ask during a period, for one stream's value, or group by a field")
    })?;
    let look = Look {
        palette: theme.palette(),
        width_px: PICTURE_PX,
    };
    let svg = answers::svg(&plot, &look);
    let bytes = match form {
        Form::Svg => svg.into_bytes(),
        Form::Png => annals_report::png(&svg)
            .map_err(|error| Failure::new(Code::BadInput, error.to_string()))?,
        Form::Csv => {
            return Err(Failure::usage(
                "--out: the picture of an answer is .svg or .png",
            ));
        }
    };
    dashboard::write(log, file, &bytes).map_err(|error| Failure::file(file, &error))
}

/// Reads the question; where it is none, shows the place.
fn read(text: &str, output: &Output) -> Result<Question, Failure> {
    Question::parse(text).map_err(|error| {
        if !output.is_json() {
            let before: String = text.chars().take(error.at - 1).collect();
            complain(&format!("  {}", visible(text)));
            let indent = " ".repeat(columns(&visible(&before)));
            complain(&format!("  {indent}{}", "^".repeat(error.len.max(1))));
        }
        let mut failure = Failure::from(QuestionError::Parse(error));
        failure.exit = Exit::Usage;
        failure
    })
}

fn print_saved(view: &SavedQuestionsView, output: &mut Output) -> Result<(), Failure> {
    if view.questions.is_empty() {
        return output.line(&visible(&format!(
            "no question was kept in {}; annals ask STORE QUESTION --save NAME keeps one",
            view.folder
        )));
    }
    let mut table = Table::new(&[
        ("NAME", Align::Left, MAX_NAME_COLUMNS),
        ("QUESTION", Align::Left, 160),
        ("ZONE", Align::Left, 32),
    ]);
    // Those in no folder first; then folder by folder, under its name.
    let folder = |kept: &SavedQuestion| {
        kept.name
            .rsplit_once('/')
            .map(|(folder, _)| folder.to_owned())
    };
    let mut kept: Vec<&SavedQuestion> = view.questions.iter().collect();
    kept.sort_by_key(|kept| folder(kept));
    let mut last = None;
    for kept in kept {
        let own = folder(kept);
        if let Some(own) = own.as_ref().filter(|own| last.as_ref() != Some(*own)) {
            table.row([format!("{own}/"), String::new(), String::new()]);
        }
        let indent = if own.is_some() { "  " } else { "" };
        last = own;
        let question = match &kept.error {
            None => kept.question.clone(),
            Some(error) => format!("cannot be asked: {error}"),
        };
        table.row([
            format!("{indent}{}", kept.name),
            question,
            kept.zone.clone().unwrap_or_default(),
        ]);
    }
    output.table(&table)
}

fn print(view: &AnswerView, output: &mut Output) -> Result<(), Failure> {
    let mut rows = vec![
        ("question", view.question.clone()),
        ("understood", view.understood.clone()),
        ("zone", view.zone.clone()),
    ];
    if let Some(period) = view.period {
        rows.push(("from", period.from.to_string()));
        rows.push(("to", format!("{}, exclusive", period.to)));
    }
    let at = view
        .as_of
        .at
        .map_or_else(|| "all that had happened".to_owned(), |at| at.to_string());
    let known = match view.as_of.known {
        Some(known) => format!("known at position {known} of {}", view.head),
        None => format!("known at position {}, the last", view.head),
    };
    rows.push(("as of", format!("{at}; {known}")));
    let source = match view.source {
        AnswerSource::Index => "from the interval index of",
        AnswerSource::Replay => "by replay of",
    };
    rows.push((
        "looked at",
        format!(
            "{}, {source} {}",
            counted(view.streams_examined, "stream"),
            counted(view.events_examined, "event")
        ),
    ));
    if let Some(unit) = &view.unit {
        rows.push(("answer in", unit.clone()));
    }
    for line in pairs(&rows) {
        output.line(&line)?;
    }
    output.line("")?;
    let mut table = Table::new(&[
        ("", Align::Left, 1),
        ("ANSWER", Align::Right, MAX_DATA_COLUMNS),
        ("READING", Align::Left, 160),
    ]);
    for (n, ReadingView { name, value, .. }) in view.readings.iter().enumerate() {
        let chosen = if n == 0 { "*" } else { "" };
        let value = text(value.as_deref()).unwrap_or_else(|| "none".to_owned());
        table.row([chosen.to_owned(), value, name.clone()]);
    }
    output.table(&table)?;
    print_groups(view, output)?;
    print_rows(view, output)?;
    if !view.skipped.is_empty() || !view.notes.is_empty() {
        output.line("")?;
    }
    for skipped in &view.skipped {
        let first = match &skipped.stream {
            Some(stream) if skipped.count > 1 => {
                format!(" ({} times, first {stream})", skipped.count)
            }
            Some(stream) => format!(" ({stream})"),
            None => format!(" ({} times)", skipped.count),
        };
        output.line(&visible(&format!("skipped: {}{first}", skipped.reason)))?;
    }
    for note in &view.notes {
        output.line(&visible(&format!("note: {note}")))?;
    }
    Ok(())
}

fn print_groups(view: &AnswerView, output: &mut Output) -> Result<(), Failure> {
    if view.groups.is_empty() {
        return Ok(());
    }
    output.line("")?;
    let mut table = Table::new(&[
        ("GROUP", Align::Left, MAX_NAME_COLUMNS),
        ("ANSWER", Align::Right, MAX_DATA_COLUMNS),
        ("OF", Align::Right, 12),
    ]);
    for group in &view.groups {
        table.row([
            text(group.group.as_deref()).unwrap_or_else(|| "(none)".to_owned()),
            text(group.value.as_deref()).unwrap_or_else(|| "none".to_owned()),
            group.count.to_string(),
        ]);
    }
    output.table(&table)
}

fn print_rows(view: &AnswerView, output: &mut Output) -> Result<(), Failure> {
    if view.rows.is_empty() {
        return Ok(());
    }
    output.line("")?;
    let mut table = Table::new(&[
        ("STREAM", Align::Left, MAX_NAME_COLUMNS),
        ("FROM", Align::Left, 30),
        ("TO", Align::Left, 30),
        ("POSITION", Align::Right, 12),
        ("VERSION", Align::Right, 12),
        ("GROUP", Align::Left, MAX_NAME_COLUMNS),
        ("VALUE", Align::Right, MAX_DATA_COLUMNS),
    ]);
    for AnswerRow {
        stream,
        from,
        to,
        position,
        version,
        value,
        group,
    } in &view.rows
    {
        table.row([
            stream.clone(),
            from.map_or_else(String::new, |from| from.to_string()),
            to.map_or_else(|| "…".to_owned(), |to| to.to_string()),
            position.map_or_else(String::new, |position| position.to_string()),
            version.map_or_else(String::new, |version| version.to_string()),
            text(group.as_deref()).unwrap_or_default(),
            text(value.as_deref()).unwrap_or_default(),
        ]);
    }
    output.table(&table)?;
    let listed = view.rows.len() as u64;
    if listed < view.rows_count {
        output.line(&format!("the first {listed} of {} rows", view.rows_count))?;
    }
    Ok(())
}

/// A value as a person reads it: texts without quotes.
fn text(value: Option<&RawValue>) -> Option<String> {
    let value = value?;
    Some(match serde_json::from_str::<String>(value.get()) {
        Ok(text) => text,
        Err(_) => value.get().to_owned(),
    })
}
