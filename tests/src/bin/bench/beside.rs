//! Other event stores beside Annals, round by round in one run: PostgreSQL with a plain table of events, cqrs-es on
//! SQLite, UmaDB. They are a program of their own (`tests/peers`), which `cargo xtask bench --peers` builds and
//! `ANNALS_BENCH_PEERS` names; `--beside` measures nothing else.
//!
//! All take the same file, append the same payloads and read the same streams. Annals does it as in the other rows.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use annals_core::id::StreamId;
use annals_core::model::{Model, ModelSet};
use annals_core::position::Version;
use annals_core::question::{AnswerSource, Asking, IntervalIndex, Question, ask};
use annals_core::store::{Direction, Log, StreamQuery};
use annals_core::temporal::AsOf;

use crate::report::{median, number};
use crate::{Outcome, Plan, append, generate, import, read};

/// The peers, as their program and as people call them.
const PEERS: [(&str, &str); 3] = [
    ("postgres", "PostgreSQL, plain table"),
    ("cqrs-es", "cqrs-es on SQLite"),
    ("umadb", "UmaDB in process"),
];

/// What is counted at an instant: orders of which this was the last event by then.
const LAST: &str = "OrderShipped";
const AT: &str = "2024-07-01T00:00:00Z";

/// Figures by measure, one a round.
type Figures = BTreeMap<String, Vec<f64>>;

/// Measures all of them and says it as a section of the report; where the program is not there, how it is had.
pub fn measure(plan: &Plan) -> Outcome<String> {
    let Some(program) = std::env::var_os("ANNALS_BENCH_PEERS") else {
        return Ok(
            "\n## Beside peers\n\nSkipped: `cargo xtask bench --peers` builds them.\n".into(),
        );
    };
    let file = generate::file(plan)?;
    let store = import::at_hand(plan)?.store;
    let streams = streams(&store)?;
    let mut ours = Figures::new();
    let mut theirs: [Figures; PEERS.len()] = Default::default();
    let mut notes: Vec<String> = Vec::new();
    let mut counted = None;
    for round in 0..plan.rounds {
        for (name, figure) in own(plan, &file, &store, &streams)? {
            if name == "counted" {
                counted = Some(figure);
            } else {
                ours.entry(name).or_default().push(figure);
            }
        }
        for (at, (peer, called)) in PEERS.into_iter().enumerate() {
            println!("round {}: {called}", round + 1);
            let output = Command::new(&program)
                .args([peer.as_ref(), plan.folder.as_os_str(), file.as_os_str()])
                .args([&plan.append_seconds.to_string(), LAST, AT])
                .args(streams.iter().map(|(name, _)| name))
                .output()?;
            let text = String::from_utf8_lossy(&output.stdout);
            for line in text.lines() {
                let words: Vec<&str> = line.splitn(3, ' ').collect();
                match words[..] {
                    ["#", ..] => notes.push(format!("{called}: {}", &line[1..])),
                    ["=", "counted", figure] if figure.parse().ok() != counted => {
                        return Err(format!("{called} counts {figure}, Annals {counted:?}").into());
                    }
                    ["=", name, figure] => {
                        let figures = theirs[at].entry(name.to_owned()).or_default();
                        figures.push(figure.parse()?);
                    }
                    // What a peer says of itself.
                    _ => {}
                }
            }
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                notes.push(format!("{called} was skipped or stopped: {}", said.trim()));
            }
        }
    }
    notes.dedup();
    Ok(section(plan, &streams, &ours, &theirs, &notes))
}

/// The streams whose lengths are nearest to 10, 1,000 and 10,000 events.
fn streams(store: &Path) -> Outcome<Vec<(String, u64)>> {
    let log = Log::explore(store)?;
    let all = log.streams(&StreamQuery::default(), usize::MAX)?.streams;
    let nearest = |len: u64| all.iter().min_by_key(|row| row.events.abs_diff(len));
    let mut found = Vec::new();
    for len in [10, 1_000, 10_000] {
        let row = nearest(len).ok_or("a stream is there")?;
        found.push((row.stream.clone(), row.events));
    }
    // A small log has no long ones.
    found.dedup();
    Ok(found)
}

/// One round of Annals.
fn own(
    plan: &Plan,
    file: &Path,
    store: &Path,
    streams: &[(String, u64)],
) -> Outcome<Vec<(String, f64)>> {
    println!("Annals");
    let mut figures = Vec::new();
    for writers in [1, 8, 32] {
        figures.push((format!("append-{writers}"), append::ours(plan, writers)?));
    }
    let (load, bytes) = import::once(plan, file)?;
    figures.extend([("load".to_owned(), load), ("bytes".to_owned(), bytes)]);
    let log = Log::explore(store)?;
    for (name, events) in streams {
        let (id, versions) = (StreamId::new(name.clone())?, Version(1)..=Version(*events));
        let limit = usize::try_from(*events)?;
        let calls = (200_000 / limit).clamp(5, 400);
        let figure = read::time(calls, || {
            let page = log.read_stream(&id, versions.clone(), Direction::Forwards, limit)?;
            Ok(page.len() as u64)
        })?;
        figures.push((format!("stream-{name}"), figure));
    }
    figures.push(("all".to_owned(), read::everything(store)?));
    let mut model = "category = \"order\"\n".to_owned();
    for event_type in generate::TYPES {
        model += &format!("[on.{event_type}]\nlatest = \"'{event_type}'\"\n");
    }
    let mut models = ModelSet::default();
    models.add(Model::parse("order", &model)?)?;
    let index = IntervalIndex::open(&log, None);
    let question = Question::parse(&format!("count order where latest = \"{LAST}\" at {AT}"))?;
    let mut seconds = Vec::new();
    let mut value = None;
    for (n, index) in [None, Some(&index)]
        .into_iter()
        .chain([Some(&index); 20])
        .enumerate()
    {
        let asking = Asking {
            log: &log,
            models: &models,
            zone: chrono_tz::UTC,
            limit: 0,
            index,
            as_of: AsOf::default(),
        };
        let start = Instant::now();
        let answer = ask(&asking, &question, &mut |_| true)?;
        let taken = start.elapsed().as_secs_f64() * 1e3;
        let counted: f64 = answer.value.as_ref().ok_or("a count")?.get().parse()?;
        if *value.get_or_insert(counted) != counted {
            return Err("the index and the replay differ".into());
        }
        match (n, answer.source) {
            (0, AnswerSource::Replay) => figures.push(("replay".to_owned(), taken)),
            // The first one may make the index.
            (1, AnswerSource::Index) => {}
            (_, AnswerSource::Index) => seconds.push(taken),
            _ => return Err("the index does not answer".into()),
        }
    }
    figures.push(("count".to_owned(), median(&seconds)));
    figures.push(("counted".to_owned(), value.unwrap_or_default()));
    Ok(figures)
}

fn section(
    plan: &Plan,
    streams: &[(String, u64)],
    ours: &Figures,
    theirs: &[Figures],
    notes: &[String],
) -> String {
    let mut text = format!(
        "\n## Beside peers\n\nMedians of {} rounds of the same run, each peer after Annals; in brackets Annals to the peer, so that more is better everywhere.\n\n| measure | Annals |",
        plan.rounds
    );
    for (_, called) in PEERS {
        text += &format!(" {called} |");
    }
    text += &format!("\n|---|---|{}\n", "---|".repeat(PEERS.len()));
    let mut measures: Vec<(String, String, bool)> = Vec::new();
    for writers in [1, 8, 32] {
        let what = format!("durable append, one event a call, {writers} at once (events/s)");
        measures.push((format!("append-{writers}"), what, true));
    }
    let what = format!("load of {} events from JSON Lines (events/s)", plan.events);
    measures.push(("load".to_owned(), what, true));
    measures.push((
        "bytes".to_owned(),
        "size after it (bytes)".to_owned(),
        false,
    ));
    for (name, events) in streams {
        let what = format!("read a stream of {events} events (µs)");
        measures.push((format!("stream-{name}"), what, false));
    }
    measures.push((
        "all".to_owned(),
        "read everything (events/s)".to_owned(),
        true,
    ));
    let what = "count of streams by their last event at an instant (ms)".to_owned();
    measures.push(("count".to_owned(), what, false));
    for (name, what, more_is_better) in measures {
        let Some(own) = ours.get(&name).map(|figures| median(figures)) else {
            continue;
        };
        text += &format!("| {what} | {} |", number(own));
        for peer in theirs {
            text += &match peer.get(&name).map(|figures| median(figures)) {
                None => " – |".to_owned(),
                Some(figure) => {
                    let times = match more_is_better {
                        true => own / figure,
                        false => figure / own,
                    };
                    format!(" {} ({}x) |", number(figure), number(times))
                }
            };
        }
        text.push('\n');
    }
    if let Some(replay) = ours.get("replay") {
        text += &format!(
            "\nThe count is Annals' from its interval index, warm; by replay of everything it is {} ms. Peers without a figure have no such question: their users read everything and fold.\n",
            number(median(replay))
        );
    }
    for note in notes {
        text += &format!("\n- {note}");
    }
    text + "\n"
}
