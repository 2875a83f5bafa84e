//! `annals append`: one event, or a file of events all or nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use annals_core::event::{NewEvent, Payload, SourceFields};
use annals_core::id::{Category, EventId, EventType, StreamId};
use annals_core::position::{Position, Version};
use annals_core::privacy::{ERASURES, HOLDS};
use annals_core::store::{Appended, ExpectedVersion, Head, LogWriter, StreamAppend};
use annals_core::surroundings::Surroundings;
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::failure::{Code, Exit, Failure};
use crate::instant;
use crate::output::Output;
use crate::table::{Align, Table};
use crate::text::{MAX_NAME_COLUMNS, counted, visible};

/// Append one event, or many at once, to a store.
#[derive(Debug, clap::Args)]
pub struct Append {
    /// The store
    store: PathBuf,
    /// The stream, for example order-789
    #[arg(required_unless_present = "batch")]
    stream: Option<StreamId>,
    /// What happened, for example OrderPlaced
    #[arg(long = "type", value_name = "T", required_unless_present = "batch")]
    event_type: Option<EventType>,
    /// What the event says: one JSON value, kept as it is
    #[arg(long, value_name = "JSON", required_unless_present = "batch")]
    data: Option<String>,
    /// Context: one JSON value, for example {"userId":"user-789"}
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
    /// When it happened; now where it is left out
    #[arg(long, value_name = "TIME")]
    time: Option<String>,
    /// Identity; made where it is left out. Appending the same event with the same id again changes nothing
    #[arg(long, value_name = "ID")]
    id: Option<EventId>,
    /// What the stream must look like: any, none (no event yet), or the version of its last event
    #[arg(long, value_name = "any|none|N")]
    expect: Option<Expect>,
    /// File of events, one JSON object a line with stream, type, data and, where wanted, metadata, time, id,
    /// expect; all of them are appended or none. - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["stream", "event_type", "data", "metadata", "time", "id", "expect"])]
    batch: Option<PathBuf>,
    /// Zone of times that name none: UTC, or an IANA name such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC", value_parser = instant::zone)]
    zone: Tz,
}

/// An expected version as users write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Expect(ExpectedVersion);

impl std::str::FromStr for Expect {
    type Err = String;
    fn from_str(text: &str) -> Result<Expect, String> {
        match text {
            "any" => Ok(Expect(ExpectedVersion::Any)),
            "none" => Ok(Expect(ExpectedVersion::NoStream)),
            text => match text.parse() {
                Ok(0) => Ok(Expect(ExpectedVersion::NoStream)),
                Ok(n) => Ok(Expect(ExpectedVersion::Exact(Version(n)))),
                Err(_) => Err(format!("{text:?} is not any, none or a version")),
            },
        }
    }
}

impl<'de> Deserialize<'de> for Expect {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Expect, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// One event to append, and to which stream.
#[derive(Debug)]
struct Wanted {
    stream: StreamId,
    category: Option<Category>,
    expect: ExpectedVersion,
    event: NewEvent,
    /// Line of the batch it stands in; 0 where there is none.
    line: usize,
}

/// Runs the command.
pub fn run(args: Append, output: &mut Output) -> Result<Exit, Failure> {
    let Append {
        store,
        stream,
        event_type,
        data,
        metadata,
        time,
        id,
        expect,
        batch,
        zone,
    } = args;
    if let Some(file) = batch {
        let mut wanted = read_batch(&file, zone)?;
        settle_expectations(&mut wanted)
            .map_err(|(line, reason)| bad_line(&file, line, &reason))?;
        let (view, _) = append(&store, wanted)?;
        return output.show(&view, |output| print_batch(&view, output));
    }
    // Clap lets none of the three be missing without --batch.
    let (Some(stream), Some(event_type), Some(data)) = (stream, event_type, data) else {
        return Err(Failure::usage("STREAM, --type and --data are needed"));
    };
    let json = |option: &str, text: String| {
        Payload::json(text)
            .map_err(|error| Failure::usage(format!("{option} is not one JSON value: {error}")))
    };
    let time = time
        .map(|text| instant::source_time("--time", &text, zone))
        .transpose()?;
    let event = NewEvent {
        id,
        event_type,
        time,
        schema_version: None,
        data: json("--data", data)?,
        metadata: metadata.map(|text| json("--metadata", text)).transpose()?,
        source: SourceFields::default(),
        links: Vec::new(),
    };
    let wanted = Wanted {
        stream,
        category: None,
        expect: expect.map_or(ExpectedVersion::Any, |e| e.0),
        event,
        line: 0,
    };
    let (view, id) = append(&store, vec![wanted])?;
    let AppendView { mut events, head } = view;
    let place = events.remove(0);
    let one = AppendOneView { place, id, head };
    output.show(&one, |output| print_one(&one, output))
}

/// Where one appended event stands.
#[derive(Debug, Serialize)]
struct PlaceView {
    stream: String,
    position: Position,
    version: Version,
    duplicate: bool,
}

/// What an append of one event did: `annals append --json`.
#[derive(Debug, Serialize)]
struct AppendOneView {
    #[serde(flatten)]
    place: PlaceView,
    id: Option<String>,
    head: Head,
}

/// What an append of many did: `annals append --batch --json`.
#[derive(Debug, Serialize)]
struct AppendView {
    events: Vec<PlaceView>,
    head: Head,
}

/// Appends all or nothing; returns also the id of the last event.
fn append(store: &Path, wanted: Vec<Wanted>) -> Result<(AppendView, Option<String>), Failure> {
    let own = |wanted: &&Wanted| [ERASURES, HOLDS].contains(&wanted.stream.as_str());
    if let Some(wanted) = wanted.iter().find(own) {
        let what = format!(
            "{} is Annals' own stream: nothing is appended to it by hand",
            wanted.stream
        );
        return Err(
            Failure::usage(what).hint("annals privacy erase and annals privacy hold write it")
        );
    }
    let writer = LogWriter::open(store, Surroundings::system())?;
    let names: Vec<String> = wanted.iter().map(|w| w.stream.to_string()).collect();
    let before = writer.log().head()?.size;
    let Appended { events, head } = writer.append(by_stream(wanted))?;
    let last = events
        .last()
        .map(|event| writer.log().event(event.position));
    let id = last.transpose()?.flatten().and_then(|event| event.id);
    super::follow(store, &writer.log())?;
    super::snapshot_since(&writer.log(), before);
    writer.close()?;
    let events = events
        .into_iter()
        .zip(names)
        .map(|(event, stream)| PlaceView {
            stream,
            position: event.position,
            version: event.version,
            duplicate: event.duplicate,
        })
        .collect();
    Ok((AppendView { events, head }, id.map(|id| id.to_string())))
}

fn by_stream(wanted: Vec<Wanted>) -> Vec<StreamAppend> {
    wanted
        .into_iter()
        .map(|wanted| StreamAppend {
            stream: wanted.stream,
            category: wanted.category,
            expected: wanted.expect,
            events: vec![wanted.event],
        })
        .collect()
}

/// One line of a batch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchLine {
    stream: StreamId,
    #[serde(rename = "type")]
    event_type: EventType,
    data: Box<RawValue>,
    metadata: Option<Box<RawValue>>,
    time: Option<String>,
    id: Option<EventId>,
    expect: Option<Expect>,
    category: Option<Category>,
}

fn read_batch(file: &Path, zone: Tz) -> Result<Vec<Wanted>, Failure> {
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin())
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|error| Failure::file(file, &error))?;
    let mut wanted = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let mut read = read_line(line, zone).map_err(|reason| bad_line(file, i + 1, &reason))?;
        read.line = i + 1;
        wanted.push(read);
    }
    if wanted.is_empty() {
        return Err(Failure::new(
            Code::MalformedFile,
            format!("{} holds no event", file.display()),
        ));
    }
    Ok(wanted)
}

fn bad_line(file: &Path, line: usize, reason: &str) -> Failure {
    Failure::new(
        Code::MalformedFile,
        format!("{}:{line}: {reason}", file.display()),
    )
    .hint("nothing was appended; each line is one object such as {\"stream\":\"order-1\",\"type\":\"OrderPlaced\",\"data\":{}}")
}

/// Turns what each line expects of its stream into what is expected before the batch, which is when the log
/// looks: the lines of a batch see those before them, so the second event for a stream at version 3 may
/// expect 4. Returns the line that contradicts an earlier one.
fn settle_expectations(wanted: &mut [Wanted]) -> Result<(), (usize, String)> {
    // Of each stream: its lines so far, and the version it must have before the batch if a line says so.
    let mut streams: HashMap<StreamId, (u64, Option<u64>)> = HashMap::new();
    for one in wanted.iter_mut() {
        let (lines, base) = streams.entry(one.stream.clone()).or_default();
        let here = match one.expect {
            ExpectedVersion::Any => None,
            ExpectedVersion::NoStream => Some(0),
            ExpectedVersion::Exact(Version(n)) => Some(n),
        };
        if let Some(here) = here {
            let before = here
                .checked_sub(*lines)
                .filter(|b| base.is_none_or(|base| base == *b));
            *base = Some(before.ok_or_else(|| {
                let expected = one.expect;
                (
                    one.line,
                    format!(
                        "{} cannot be at {expected} after the lines before it",
                        one.stream
                    ),
                )
            })?);
        }
        *lines += 1;
    }
    for one in wanted {
        one.expect = match streams.get(&one.stream).and_then(|(_, base)| *base) {
            None => ExpectedVersion::Any,
            Some(0) => ExpectedVersion::NoStream,
            Some(n) => ExpectedVersion::Exact(Version(n)),
        };
    }
    Ok(())
}

fn read_line(line: &str, zone: Tz) -> Result<Wanted, String> {
    let line: BatchLine = serde_json::from_str(line).map_err(|error| {
        // The parser counts from the start of the line it was given, which is always its line 1.
        error
            .to_string()
            .replace(" at line 1 column ", " at column ")
    })?;
    let BatchLine {
        stream,
        event_type,
        data,
        metadata,
        time,
        id,
        expect,
        category,
    } = line;
    let payload = |raw: Box<RawValue>| Payload::json(raw.get()).map_err(|e| e.to_string());
    let time = time.map(|text| instant::source_time("time", &text, zone));
    let event = NewEvent {
        id,
        event_type,
        time: time.transpose().map_err(|failure| failure.message)?,
        schema_version: None,
        data: payload(data)?,
        metadata: metadata.map(payload).transpose()?,
        source: SourceFields::default(),
        links: Vec::new(),
    };
    Ok(Wanted {
        stream,
        category,
        expect: expect.map_or(ExpectedVersion::Any, |e| e.0),
        event,
        line: 0,
    })
}

fn print_one(view: &AppendOneView, output: &mut Output) -> Result<(), Failure> {
    let AppendOneView { place, id, head } = view;
    let verb = if place.duplicate {
        "the log already holds it:"
    } else {
        "appended:"
    };
    output.line(&visible(&format!(
        "{verb} position {}, version {} of {}, id {}",
        place.position,
        place.version,
        place.stream,
        id.as_deref().unwrap_or("(erased)")
    )))?;
    output.line(&format!(
        "root {} of {}",
        head.root,
        counted(head.size.0, "event")
    ))
}

fn print_batch(view: &AppendView, output: &mut Output) -> Result<(), Failure> {
    let AppendView { events, head } = view;
    let mut table = Table::new(&[
        ("POSITION", Align::Right, 20),
        ("STREAM", Align::Left, MAX_NAME_COLUMNS),
        ("VERSION", Align::Right, 20),
        ("", Align::Left, 10),
    ]);
    for event in events {
        table.row([
            event.position.to_string(),
            event.stream.clone(),
            event.version.to_string(),
            if event.duplicate { "duplicate" } else { "" }.to_owned(),
        ]);
    }
    output.table(&table)?;
    let duplicates = events.iter().filter(|event| event.duplicate).count();
    output.line("")?;
    output.line(&format!(
        "{} appended, {} held already",
        counted((events.len() - duplicates) as u64, "event"),
        duplicates
    ))?;
    output.line(&format!(
        "root {} of {}",
        head.root,
        counted(head.size.0, "event")
    ))
}
