//! Questions by the thousand over random models and logs, each answer compared with an evaluator that knows nothing
//! but `state`: it asks for the state of every stream at every instant at which anything happened.
//!
//! Long, because a second evaluator of the whole grammar is one thing, and must share nothing with the first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::*;
use crate::event::NewEvent;
use crate::id::StreamId;
use crate::model::{FieldPath, Model, ModelSet};
use crate::position::Position;
use crate::store::{ExpectedVersion, Log, LogWriter, StreamAppend};
use crate::surroundings::Surroundings;
use crate::temporal::{AsOf, Moment, state};
use crate::time::{SourceTime, Time};

/// Questions in a run where `ANNALS_QUESTIONS` does not say how many; 10,000 take a quiet machine some 15 seconds.
const QUESTIONS: usize = 2_500;
/// Questions about one category.
const EACH: usize = 50;
const CATEGORIES: usize = 10;

const TYPES: [&str; 4] = ["Began", "Moved", "Paid", "Closed"];
/// Days and times of them at which things happen: ties, starts of days, and the last nanosecond of one.
const INSTANTS: [&str; 9] = [
    "2024-01-01",
    "2024-01-01T12:00:00Z",
    "2024-01-02",
    "2024-01-02T23:59:59.999999999Z",
    "2024-01-03T06:00:00Z",
    "2024-01-31T23:59:59Z",
    "2024-02-01",
    "2024-02-10T10:30:00.5Z",
    "2024-03-01",
];
const STAMPS: [&str; 9] = [
    "2024",
    "2024-01",
    "2024-02",
    "2024-01-02",
    "2024-01-31",
    "2024-02-01",
    "2024-01-03T06:00:00Z",
    "2024-02-10T10:30:00.500000001Z",
    "2023-12-31",
];

/// A small generator of numbers; the same seed gives the same run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 20) % n as u64) as usize
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// A model of a category, or none, so that the fold is inferred.
fn model(dice: &mut Dice, category: &str) -> Option<Model> {
    if dice.chance(25) {
        return None;
    }
    let mut text = format!("category = \"{category}\"\n");
    for event_type in TYPES {
        text += &format!("[on.{event_type}]\n");
        let lines = [
            ["s = \"data.s\"", "s = \"'P'\"", "s = \"'Q'\""],
            ["n = \"data.n\"", "\"n.add\" = \"data.n\"", ""],
            ["g = \"data.g\"", "", ""],
            ["t = \"data.t\"", "t = \"data.t\"", ""],
            ["b = \"data.n > 1\"", "", "b = \"'text'\""],
        ];
        for line in lines {
            let line = dice.one(&line);
            text += line;
            text += "\n";
        }
    }
    Some(Model::parse(category, &text).unwrap())
}

struct World {
    log: Log,
    models: ModelSet,
    index: IntervalIndex,
    categories: Vec<CategoryEvents>,
    _folder: tempfile::TempDir,
}

#[derive(Default)]
struct CategoryEvents {
    name: String,
    events: Vec<Happening>,
}

struct Happening {
    stream: String,
    event_type: &'static str,
    time: Time,
    position: u64,
}

fn world(seed: u64) -> World {
    let mut dice = Dice(seed);
    let folder = tempfile::tempdir().unwrap();
    let surroundings =
        Surroundings::fixed(Time::parse_rfc3339("2025-01-01T00:00:00Z").unwrap(), seed);
    let writer = LogWriter::create(&folder.path().join("x.annals"), surroundings).unwrap();
    let mut models = ModelSet::default();
    let mut categories: Vec<CategoryEvents> = Vec::new();
    for n in 0..CATEGORIES {
        let name = format!("c{n}");
        if let Some(model) = model(&mut dice, &name) {
            models.add(model).unwrap();
        }
        categories.push(CategoryEvents {
            name,
            events: Vec::new(),
        });
    }
    let mut appends = Vec::new();
    for position in 1..=(CATEGORIES * 12) as u64 {
        let at = dice.below(CATEGORIES);
        let category = &mut categories[at];
        let stream = format!("{}-{}", category.name, dice.below(4));
        let event_type = TYPES[dice.below(4)];
        // Nearly all in order, as logs are; the rest late.
        let first = if dice.chance(75) {
            position as usize / 14
        } else {
            0
        };
        let time = INSTANTS[(first + dice.below(2)).min(INSTANTS.len() - 1)];
        let n = dice.one(&["1", "2.50", "-3", "0.1", "1.0", "\"text\"", "null"]);
        let s = dice.one(&["\"P\"", "\"Q\"", "\"R\"", "5", "null"]);
        let g = dice.one(&["\"x\"", "\"y\"", "1", "1.0", "true"]);
        let t = dice.one(&["\"P\"", "\"Q\""]);
        let data = match dice.below(8) {
            0 => format!("{{\"s\":{s},\"t\":{t}}}"),
            1 => format!("{{\"n\":{n},\"g\":{g},\"t\":{t}}}"),
            _ => format!("{{\"s\":{s},\"n\":{n},\"g\":{g},\"t\":{t}}}"),
        };
        let mut event = NewEvent::json(event_type, &data).unwrap();
        let source = SourceTime::parse(time, chrono_tz::UTC).unwrap();
        category.events.push(Happening {
            stream: stream.clone(),
            event_type,
            time: source.time,
            position,
        });
        event.time = Some(source);
        appends.push(StreamAppend {
            stream: StreamId::new(stream).unwrap(),
            category: None,
            expected: ExpectedVersion::Any,
            events: vec![event],
        });
    }
    writer.append(appends).unwrap();
    World {
        index: IntervalIndex::open(&writer.log(), None),
        log: writer.log(),
        models,
        categories,
        _folder: folder,
    }
}

/// A question about a category.
fn question(dice: &mut Dice, category: &str) -> String {
    let stream = format!("{category}-{}", dice.below(4));
    let text = match dice.below(10) {
        0 => format!(
            "{} of {stream}{}",
            dice.one(&["s", "n", "g", "b"]),
            instant(dice)
        ),
        1 | 2 => format!("count {}{}", selection(dice, category), when(dice)),
        3 => format!("list {}{}", selection(dice, category), when(dice)),
        4 => format!(
            "count {} group by {}{}",
            selection(dice, category),
            dice.one(&["g", "s"]),
            instant(dice)
        ),
        5 | 6 => {
            let group = dice.one(&["", "", " group by g", " group by s"]);
            let measure = dice.one(&["sum", "avg", "min", "max"]);
            format!(
                "{measure} n of {}{group}{}",
                selection(dice, category),
                instant(dice)
            )
        }
        7 => format!(
            "{} time {} of {stream}",
            dice.one(&["first", "last"]),
            condition(dice, 2)
        ),
        8 => {
            let of = if dice.chance(70) {
                category.to_owned()
            } else {
                format!("stream {stream}")
            };
            let statistics = dice.one(&[
                "",
                ", count",
                ", average, p95, max",
                ", min, total, median",
                ", p1",
            ]);
            let by = dice.one(&["", ", by month", ", by day"]);
            let during = if dice.chance(30) {
                format!(" during {}", period(dice))
            } else {
                String::new()
            };
            format!(
                "how long was {of} in s {}{statistics}{by}{during}",
                dice.one(&["'P'", "'Q'", "5"])
            )
        }
        _ => {
            let not = dice.one(&["", " not"]);
            let within = dice.one(&[
                "",
                " within 1 day",
                " within 12 hours",
                " within 30 days",
                " within 0 seconds",
            ]);
            let during = if dice.chance(30) {
                format!(" during {}", period(dice))
            } else {
                String::new()
            };
            let (a, b) = (dice.one(&TYPES), dice.one(&TYPES));
            format!("{category} where {a}{not} followed by {b}{within}{during}")
        }
    };
    if dice.chance(20) {
        return format!("{text} known {}", dice.below(CATEGORIES * 12 + 1));
    }
    text
}

fn selection(dice: &mut Dice, category: &str) -> String {
    if dice.chance(20) {
        return category.to_owned();
    }
    format!("{category} where {}", condition(dice, 0))
}

fn condition(dice: &mut Dice, depth: usize) -> String {
    // What the index tells without looking at every stream.
    if depth == 0 && dice.chance(15) {
        return format!("t = {}", dice.one(&["'P'", "'Q'"]));
    }
    if depth < 2 && dice.chance(35) {
        let (a, b) = (condition(dice, depth + 1), condition(dice, depth + 1));
        return match dice.below(3) {
            0 => format!("({a}) and ({b})"),
            1 => format!("({a}) or ({b})"),
            _ => format!("not ({a})"),
        };
    }
    let path = dice.one(&["s", "t", "t", "n", "g", "b", "nowhere"]);
    match dice.below(8) {
        0 => format!("{path} is missing"),
        1 => format!("{path} is present"),
        2 => format!("{path} in ('P', 1, true)"),
        _ => {
            let sign = dice.one(&["=", "=", "!=", "<", "<=", ">", ">="]);
            let value = dice.one(&["'P'", "'Q'", "'P'", "1", "1.00", "2.5", "5", "true", "'x'"]);
            format!("{path} {sign} {value}")
        }
    }
}

fn instant(dice: &mut Dice) -> String {
    match dice.below(5) {
        0 => String::new(),
        1 => format!(" on {}", dice.one(&STAMPS[3..6])),
        2 => format!(" at start of {}", period(dice)),
        3 => format!(" at end of {}", period(dice)),
        _ => format!(" at {}", dice.one(&STAMPS)),
    }
}

fn period(dice: &mut Dice) -> String {
    if dice.chance(60) {
        return dice.one(&STAMPS[..6]).to_owned();
    }
    let (a, b) = (dice.one(&STAMPS[1..6]), dice.one(&STAMPS[1..8]));
    format!("{a}..{b}")
}

fn when(dice: &mut Dice) -> String {
    match dice.below(9) {
        0..=2 => instant(dice),
        3..=4 => format!(" during {}", period(dice)),
        5 => format!(" at any time during {}", period(dice)),
        6 => format!(" throughout {}", period(dice)),
        7 => format!(" on average during {}", period(dice)),
        _ => format!(
            " {} during {}",
            dice.one(&["entered", "left"]),
            period(dice)
        ),
    }
}

/// As of when a question is asked: mostly all of it.
fn as_of(dice: &mut Dice) -> AsOf {
    let at = dice.chance(35).then(|| dice.one(&INSTANTS));
    let known = dice
        .chance(10)
        .then(|| Position(dice.below(CATEGORIES * 12 + 1) as u64));
    AsOf {
        at: at.map(|at| SourceTime::parse(at, chrono_tz::UTC).unwrap().time),
        known,
    }
}

/// States of the streams of a world, each asked for once.
struct Slow<'w> {
    world: &'w World,
    states: HashMap<(String, Time, u64), Option<Value>>,
}

impl Slow<'_> {
    /// The state, `None` before the stream began.
    fn at(&mut self, stream: &str, at: Time, known: u64) -> Option<Value> {
        let world = self.world;
        self.states
            .entry((stream.to_owned(), at, known))
            .or_insert_with(|| {
                let as_of = AsOf {
                    at: Some(at),
                    known: Some(Position(known)),
                };
                let stream = StreamId::new(stream).unwrap();
                let view = state(&world.log, &world.models, &stream, &Moment::AsOf(as_of)).unwrap();
                (view.version.0 > 0).then(|| view.value().unwrap())
            })
            .clone()
    }
}

/// A number of at most two digits after the point, in hundredths.
fn hundredths(text: &str) -> i64 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let fraction: i64 = format!("{fraction:0<2}").parse().unwrap();
    whole.parse::<i64>().unwrap() * 100 + sign * fraction
}

fn field<'v>(state: &'v Value, path: &FieldPath) -> Option<&'v Value> {
    path.get(state).filter(|value| !value.is_null())
}

fn slow_holds(condition: &Condition, state: &Value) -> bool {
    // -1, 0, 1, or nothing where kinds differ.
    let compared = |value: &Value, literal: &Literal| -> Option<i64> {
        match (value, literal) {
            (Value::Number(a), Literal::Number(b)) => {
                Some((hundredths(a.as_str()) - hundredths(b)).signum())
            }
            (Value::String(a), Literal::Text(b)) => Some(match a.cmp(b) {
                std::cmp::Ordering::Less => -1,
                std::cmp::Ordering::Equal => 0,
                std::cmp::Ordering::Greater => 1,
            }),
            (Value::Bool(a), Literal::Bool(b)) => Some(i64::from(*a) - i64::from(*b)),
            _ => None,
        }
    };
    match condition {
        Condition::Missing(path) => field(state, path).is_none(),
        Condition::Present(path) => field(state, path).is_some(),
        Condition::Not(inner) => !slow_holds(inner, state),
        Condition::And(a, b) => slow_holds(a, state) && slow_holds(b, state),
        Condition::Or(a, b) => slow_holds(a, state) || slow_holds(b, state),
        Condition::In { path, values } => field(state, path)
            .is_some_and(|found| values.iter().any(|v| compared(found, v) == Some(0))),
        Condition::Compare {
            path,
            comparison,
            value,
        } => field(state, path).is_some_and(|found| {
            let order = compared(found, value);
            match comparison {
                Comparison::Equal => order == Some(0),
                Comparison::Differs => order != Some(0),
                Comparison::Less => order == Some(-1),
                Comparison::AtMost => order.is_some_and(|o| o <= 0),
                Comparison::More => order == Some(1),
                Comparison::AtLeast => order.is_some_and(|o| o >= 0),
            }
        }),
    }
}

/// One question, worked out the slow way.
struct Truth<'s, 'w> {
    slow: &'s mut Slow<'w>,
    category: &'w CategoryEvents,
    known: u64,
    /// What happened later is not there.
    cut: Option<Time>,
}

impl Truth<'_, '_> {
    fn at(&mut self, stream: &str, at: Time) -> Option<Value> {
        let at = self.cut.map_or(at, |cut| at.min(cut));
        self.slow.at(stream, at, self.known)
    }

    fn has_happened(&self, event: &Happening) -> bool {
        event.position <= self.known && self.cut.is_none_or(|cut| event.time <= cut)
    }

    fn streams(&self) -> Vec<String> {
        let events = self.category.events.iter();
        let streams: BTreeSet<&String> = events.map(|e| &e.stream).collect();
        streams.into_iter().cloned().collect()
    }

    /// Instants at which something of a stream changes, within an interval.
    fn instants(&self, stream: &str, i: Interval) -> Vec<Time> {
        let events = self.category.events.iter();
        let times: BTreeSet<Time> = events
            .filter(|e| e.stream == stream && self.has_happened(e))
            .map(|e| e.time)
            .filter(|time| i.from <= *time && *time < i.to)
            .collect();
        times.into_iter().collect()
    }

    fn that(&mut self, stream: &str, at: Time, that: &That) -> bool {
        match (self.at(stream, at), that) {
            (None, _) => false,
            (Some(state), That::Where(condition)) => slow_holds(condition, &state),
            (Some(_), That::Exists | That::Active) => true,
        }
    }

    /// How many nanoseconds of the interval it holds.
    fn held(&mut self, stream: &str, i: Interval, that: &That) -> i128 {
        let mut cuts = vec![i.from];
        cuts.extend(self.instants(stream, i));
        cuts.push(i.to);
        let mut ns = 0;
        for pair in cuts.windows(2) {
            if self.that(stream, pair[0], that) {
                ns += Interval {
                    from: pair[0],
                    to: pair[1],
                }
                .ns();
            }
        }
        ns
    }

    /// Streams of which a reading holds.
    fn matching(&mut self, over: super::super::reading::Over, that: &That) -> Vec<String> {
        use super::super::reading::Over;
        let mut found = Vec::new();
        for stream in self.streams() {
            let is = match over {
                Over::At(at) => self.that(&stream, at, that),
                Over::AnyTime(i) => self.held(&stream, i, that) > 0,
                Over::Throughout(i) => self.held(&stream, i, that) == i.ns(),
                Over::Average(i) => self.held(&stream, i, that) > 0,
                Over::Entered(i) => self.instants(&stream, i).into_iter().any(|at| {
                    self.that(&stream, at, that) && !self.that(&stream, at.previous_ns(), that)
                }),
                Over::Left(i) => self.instants(&stream, i).into_iter().any(|at| {
                    !self.that(&stream, at, that) && self.that(&stream, at.previous_ns(), that)
                }),
                Over::Event(i) => !self.instants(&stream, i).is_empty(),
            };
            if is {
                found.push(stream);
            }
        }
        found
    }

    fn measured(
        &mut self,
        streams: &[String],
        at: Time,
        path: &FieldPath,
        measure: Measure,
    ) -> String {
        let numbers: Vec<i64> = streams
            .iter()
            .filter_map(|stream| self.at(stream, at))
            .filter_map(|state| match path.get(&state) {
                Some(Value::Number(number)) => Some(hundredths(number.as_str())),
                _ => None,
            })
            .collect();
        let sum: i64 = numbers.iter().sum();
        let decimal =
            |hundredths: i64| format!("{}", rust_decimal::Decimal::new(hundredths, 2).normalize());
        match measure {
            Measure::Sum => decimal(sum),
            _ if numbers.is_empty() => "none".to_owned(),
            Measure::Least => decimal(*numbers.iter().min().unwrap()),
            Measure::Greatest => decimal(*numbers.iter().max().unwrap()),
            Measure::Average => {
                // To 20 digits: the answer's other digits are rounding.
                let average =
                    rust_decimal::Decimal::new(sum, 2) / rust_decimal::Decimal::from(numbers.len());
                average.round_dp(20).normalize().to_string()
            }
        }
    }

    /// From when to when a value was so in a stream: all of it, from what is known.
    fn stays(&mut self, stream: &str, that: &That) -> Vec<(Time, Option<Time>)> {
        let all = Interval {
            from: Time::MIN,
            to: Time::MAX,
        };
        let mut stays: Vec<(Time, Option<Time>)> = Vec::new();
        for at in self.instants(stream, all) {
            let now = self.that(stream, at, that);
            let before = self.that(stream, at.previous_ns(), that);
            if now && !before {
                stays.push((at, None));
            } else if before
                && !now
                && let Some(last) = stays.last_mut()
            {
                last.1 = Some(at);
            }
        }
        stays
    }
}

/// A number's text without zeros that say nothing.
fn normal(value: Option<&serde_json::value::RawValue>) -> String {
    match value {
        None => "none".to_owned(),
        Some(raw) => match raw.get().parse::<rust_decimal::Decimal>() {
            Ok(number) => number.round_dp(20).normalize().to_string(),
            Err(_) => raw.get().to_owned(),
        },
    }
}

/// Whether the index gives the answer that the replay gave, but for where it comes from.
fn same_from_index(
    world: &World,
    asking: &Asking<'_>,
    question: &Question,
    replayed: &Result<AnswerView, QuestionError>,
) -> Result<(), String> {
    let asking = Asking {
        index: Some(&world.index),
        ..*asking
    };
    let text = |answer: &Result<AnswerView, QuestionError>| match answer {
        Ok(view) => {
            let view = AnswerView {
                source: AnswerSource::Replay,
                ..view.clone()
            };
            serde_json::to_string(&view).unwrap()
        }
        Err(error) => error.to_string(),
    };
    let indexed = ask(&asking, question, &mut |_| true);
    let of_states = matches!(
        question.ask,
        Ask::Count { .. } | Ask::List { .. } | Ask::Measure { .. }
    );
    let served = matches!(&indexed, Ok(view) if view.source == AnswerSource::Index);
    if of_states
        && indexed.is_ok()
        && question.known.is_none()
        && asking.as_of.known.is_none()
        && !served
    {
        return Err("the index did not answer".to_owned());
    }
    let (from_index, by_replay) = (text(&indexed), text(replayed));
    if from_index == by_replay {
        return Ok(());
    }
    Err(format!(
        "from the index: {from_index}\nby replay: {by_replay}"
    ))
}

/// Compares an answer with what the slow way finds; gives what differs.
fn differs<'w>(
    world: &'w World,
    slow: &mut Slow<'w>,
    category: usize,
    text: &str,
    as_of: AsOf,
) -> Result<(), String> {
    let question = match Question::parse(text) {
        Ok(question) => question,
        // A period that is written the wrong way round.
        Err(error) if error.message.contains("ends before it begins") => return Ok(()),
        Err(error) => return Err(error.to_string()),
    };
    let asking = Asking {
        log: &world.log,
        models: &world.models,
        zone: chrono_tz::UTC,
        limit: ROWS,
        index: None,
        as_of,
    };
    let answer = ask(&asking, &question, &mut |_| true);
    same_from_index(world, &asking, &question, &answer)?;
    let category = &world.categories[category];
    let known = match question.known {
        Some(Known::Position(position)) => position.0,
        _ => (CATEGORIES * 12) as u64,
    };
    let known = as_of.known.map_or(known, |asked| asked.0.min(known));
    let mut truth = Truth {
        slow,
        category,
        known,
        cut: as_of.at,
    };
    let utc = chrono_tz::UTC;
    let answer = match answer {
        Ok(answer) => answer,
        // What cannot be asked cannot be asked the slow way either.
        Err(QuestionError::EmptyPeriod { .. } | QuestionError::NoCategory { .. }) => return Ok(()),
        Err(QuestionError::Temporal(error)) => {
            let streams = truth.streams();
            let excused = match &question.ask {
                Ask::Value { path, stream, .. } => {
                    !streams.contains(&stream.to_string())
                        || truth
                            .instants(
                                stream.as_str(),
                                Interval {
                                    from: Time::MIN,
                                    to: Time::MAX,
                                },
                            )
                            .into_iter()
                            .all(|at| {
                                truth
                                    .at(stream.as_str(), at)
                                    .is_none_or(|s| path.get(&s).is_none())
                            })
                }
                Ask::Moment { stream, .. }
                | Ask::Stay {
                    of: Subject::Stream(stream),
                    ..
                } => !streams.contains(&stream.to_string()),
                _ => false,
            };
            return if excused {
                Ok(())
            } else {
                Err(error.to_string())
            };
        }
        Err(error) => return Err(error.to_string()),
    };
    let got: Vec<String> = answer
        .readings
        .iter()
        .map(|r| normal(r.value.as_deref()))
        .collect();
    let rows: Vec<&str> = answer.rows.iter().map(|row| row.stream.as_str()).collect();
    let groups: Vec<(String, String, u64)> = answer
        .groups
        .iter()
        .map(|g| {
            (
                normal(g.group.as_deref()),
                normal(g.value.as_deref()),
                g.count,
            )
        })
        .collect();
    let check = |what: &str, got: &dyn std::fmt::Debug, want: &dyn std::fmt::Debug| {
        let (got, want) = (format!("{got:?}"), format!("{want:?}"));
        if got == want {
            Ok(())
        } else {
            Err(format!("{what}: got {got}, want {want}"))
        }
    };
    use super::super::reading::{Over, at_instants, of_streams};
    match &question.ask {
        Ask::Value { path, stream, when } => {
            let mut want = Vec::new();
            for reading in at_instants(when, utc).map_err(|_| "empty")? {
                let Over::At(at) = reading.over else { continue };
                let state = truth.at(stream.as_str(), at);
                let value = state
                    .as_ref()
                    .and_then(|state| path.get(state))
                    .map(super::super::amount::raw);
                want.push(normal(value.as_deref()));
            }
            check("readings", &got, &want)
        }
        Ask::Count { what, when, .. } | Ask::List { what, when } => {
            let readings = of_streams(&what.that, when, utc).map_err(|_| "empty")?;
            let mut want = Vec::new();
            for reading in &readings {
                let matching = truth.matching(reading.over, &what.that);
                want.push(match reading.over {
                    Over::Average(i) => {
                        let ns: i128 = truth
                            .streams()
                            .iter()
                            .map(|s| truth.held(s, i, &what.that))
                            .sum();
                        // In millionths: half to even.
                        let (whole, rest) = (ns * 1_000_000 / i.ns(), ns * 1_000_000 % i.ns());
                        let up = rest * 2 > i.ns() || (rest * 2 == i.ns() && whole % 2 == 1);
                        rust_decimal::Decimal::from_i128_with_scale(whole + i128::from(up), 6)
                            .normalize()
                            .to_string()
                    }
                    _ => matching.len().to_string(),
                });
            }
            check("readings", &got, &want)?;
            let matching = truth.matching(readings[0].over, &what.that);
            check("rows", &rows, &matching)?;
            let Ask::Count {
                group: Some(group), ..
            } = &question.ask
            else {
                return Ok(());
            };
            let Over::At(at) = readings[0].over else {
                return Ok(());
            };
            check(
                "groups",
                &groups,
                &grouped(&mut truth, &matching, at, group, None),
            )
        }
        Ask::Measure {
            measure,
            path,
            what,
            group,
            when,
        } => {
            let readings = at_instants(when, utc).map_err(|_| "empty")?;
            let mut want = Vec::new();
            for reading in &readings {
                let Over::At(at) = reading.over else { continue };
                let matching = truth.matching(reading.over, &what.that);
                want.push(truth.measured(&matching, at, path, *measure));
            }
            check("readings", &got, &want)?;
            let matching = truth.matching(readings[0].over, &what.that);
            check("rows", &rows, &matching)?;
            let (Some(group), Over::At(at)) = (group, readings[0].over) else {
                return Ok(());
            };
            check(
                "groups",
                &groups,
                &grouped(&mut truth, &matching, at, group, Some((path, *measure))),
            )
        }
        Ask::Moment {
            last,
            condition,
            stream,
        } => {
            let stays = truth.stays(stream.as_str(), &That::Where(condition.clone()));
            let (first, other) = if *last {
                (stays.last(), stays.first())
            } else {
                (stays.first(), stays.last())
            };
            let text = |stay: Option<&(Time, Option<Time>)>| {
                stay.map_or_else(|| "none".to_owned(), |(from, _)| format!("\"{from}\""))
            };
            check("readings", &got, &[text(first), text(other)])
        }
        Ask::Stay {
            of,
            path,
            value,
            statistics,
            during,
            by,
        } => {
            let that = That::Where(Condition::Compare {
                path: path.clone(),
                comparison: Comparison::Equal,
                value: value.clone(),
            });
            let within = during.as_ref().and_then(|period| period.interval(utc));
            let streams = match of {
                Subject::Category(_) => truth.streams(),
                Subject::Stream(stream) => vec![stream.to_string()],
            };
            let mut lengths: Vec<i128> = Vec::new();
            let mut by_month: BTreeMap<String, u64> = BTreeMap::new();
            let mut want_rows = Vec::new();
            for stream in &streams {
                for (from, to) in truth.stays(stream, &that) {
                    if within.is_none_or(|i| i.from <= from && from < i.to)
                        && let Some(to) = to
                    {
                        lengths.push(Interval { from, to }.ns());
                        let day = from.to_string();
                        let len = if *by == Some(Unit::Month) { 7 } else { 10 };
                        *by_month.entry(format!("\"{}\"", &day[..len])).or_default() += 1;
                        want_rows.push(stream.as_str());
                    }
                }
            }
            check("rows", &rows, &want_rows)?;
            if by.is_some() {
                let got: Vec<(String, u64)> = groups
                    .iter()
                    .map(|(group, _, n)| (group.clone(), *n))
                    .collect();
                check("groups", &got, &by_month.into_iter().collect::<Vec<_>>())?;
            }
            lengths.sort_unstable();
            let told: Vec<String> = statistics
                .iter()
                .map(|statistic| {
                    let total: i128 = lengths.iter().sum();
                    let ns = match statistic {
                        Statistic::Count => return lengths.len().to_string(),
                        Statistic::Total => Some(total),
                        Statistic::Least => lengths.first().copied(),
                        Statistic::Greatest => lengths.last().copied(),
                        Statistic::Percentile(n) => {
                            // The least length that at least n of a hundred do not exceed.
                            lengths.iter().copied().find(|length| {
                                let upto = lengths.iter().filter(|l| *l <= length).count();
                                upto * 100 >= lengths.len() * usize::from(*n)
                            })
                        }
                        Statistic::Average if lengths.is_empty() => None,
                        Statistic::Average => {
                            let n = lengths.len() as i128;
                            let (whole, rest) = (total / n, total % n);
                            let up = rest * 2 > n || (rest * 2 == n && whole % 2 == 1);
                            Some(whole + i128::from(up))
                        }
                    };
                    ns.map_or_else(
                        || "null".to_owned(),
                        |ns| {
                            rust_decimal::Decimal::from_i128_with_scale(ns, 9)
                                .normalize()
                                .to_string()
                        },
                    )
                })
                .collect();
            let want = match (&statistics[..], &told[..]) {
                ([_], [one]) if one == "null" => "none".to_owned(),
                ([_], [one]) => one.clone(),
                _ => {
                    let all: Vec<String> = statistics
                        .iter()
                        .zip(&told)
                        .map(|(s, v)| format!("\"{s}\":{v}"))
                        .collect();
                    format!("{{{}}}", all.join(","))
                }
            };
            check("first reading", &got[0], &want)
        }
        Ask::Followed {
            first,
            not,
            then,
            within,
            during,
            ..
        } => {
            let interval = during.as_ref().and_then(|period| period.interval(utc));
            let known_events: Vec<&Happening> = category
                .events
                .iter()
                .filter(|e| truth.has_happened(e))
                .collect();
            let latest = as_of.at.or(known_events.iter().map(|e| e.time).max());
            let mut want_rows: Vec<String> = Vec::new();
            let mut firsts: Vec<&&Happening> = known_events
                .iter()
                .filter(|e| e.event_type == first.as_str())
                .collect();
            firsts.sort_by_key(|e| (e.stream.clone(), e.time, e.position));
            for event in firsts {
                if !interval.is_none_or(|i| i.from <= event.time && event.time < i.to) {
                    continue;
                }
                let after = known_events.iter().filter(|other| {
                    other.stream == event.stream
                        && other.event_type == then.as_str()
                        && (other.time, other.position) > (event.time, event.position)
                });
                let limit = |span: &Span| span.ns();
                let followed = after
                    .map(|other| {
                        Interval {
                            from: event.time,
                            to: other.time,
                        }
                        .ns()
                    })
                    .min();
                let in_time =
                    followed.is_some_and(|ns| within.as_ref().is_none_or(|span| ns <= limit(span)));
                let over = within.as_ref().is_none_or(|span| {
                    latest.is_some_and(|latest| {
                        Interval {
                            from: event.time,
                            to: latest,
                        }
                        .ns()
                            > limit(span)
                    })
                });
                if in_time != *not && (!*not || over || within.is_none()) {
                    want_rows.push(event.stream.clone());
                }
            }
            check("rows", &rows, &want_rows)?;
            check("first reading", &got[0], &want_rows.len().to_string())
        }
    }
}

/// Groups the slow way: by what their values mean.
fn grouped(
    truth: &mut Truth<'_, '_>,
    matching: &[String],
    at: Time,
    group: &FieldPath,
    measure: Option<(&FieldPath, Measure)>,
) -> Vec<(String, String, u64)> {
    let mut members: BTreeMap<(u8, i64, String), Vec<String>> = BTreeMap::new();
    for stream in matching {
        let state = truth.at(stream, at).unwrap();
        let key = match field(&state, group) {
            None => (0, 0, "none".to_owned()),
            Some(Value::Bool(value)) => (1, i64::from(*value), value.to_string()),
            Some(Value::Number(n)) => {
                let n = hundredths(n.as_str());
                (
                    2,
                    n,
                    rust_decimal::Decimal::new(n, 2).normalize().to_string(),
                )
            }
            Some(other) => (3, 0, other.to_string()),
        };
        members.entry(key).or_default().push(stream.clone());
    }
    members
        .into_iter()
        .map(|((_, _, name), streams)| {
            let value = match measure {
                None => streams.len().to_string(),
                Some((path, measure)) => truth.measured(&streams, at, path, measure),
            };
            (name, value, streams.len() as u64)
        })
        .collect()
}

/// How many questions of a run are compared.
fn run(questions: usize) -> usize {
    let mut compared = 0;
    for seed in 1.. {
        let world = world(seed * 7_919);
        let mut slow = Slow {
            world: &world,
            states: HashMap::new(),
        };
        let mut dice = Dice(seed * 104_729);
        for category in 0..CATEGORIES {
            for _ in 0..EACH {
                if compared == questions {
                    return compared;
                }
                let text = question(&mut dice, &world.categories[category].name);
                let as_of = as_of(&mut dice);
                if let Err(difference) = differs(&world, &mut slow, category, &text, as_of) {
                    panic!("world {seed}: {text}, {as_of:?}\n{difference}");
                }
                compared += 1;
            }
        }
    }
    compared
}

#[test]
fn every_answer_is_what_the_states_at_every_instant_say() {
    let questions = std::env::var("ANNALS_QUESTIONS").ok();
    let questions = questions.map_or(QUESTIONS, |n| n.parse().unwrap());
    assert_eq!(run(questions), questions);
}
