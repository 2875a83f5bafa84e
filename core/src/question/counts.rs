//! Questions over the streams of a category: how many, which, and a number over them.

use std::collections::HashMap;

use serde_json::Value;

use super::amount::{Gathered, group_order, quotient, raw, same_text, seconds};
use super::answer::{QuestionError, Work, distinct, mixed_text};
use super::course::{Along, question_of_group};
use super::grammar::{Ask, Comparison, Condition, Literal, Measure, Subject, That};
use super::holds::{Values, holds, kind};
use super::reading::{Over, Reading, at_instants, of_streams};
use super::single::question_of;
use super::track::{Run, Track};
use super::view::{AnswerGroup, AnswerRow, AnswerView, PeriodView, ReadingView};
use crate::id::Category;
use crate::model::FieldPath;
use crate::time::Time;

/// Digits after the point of an average over time.
const PLACES: u32 = 6;

/// What is asked of the streams of a category.
struct Asked<'q> {
    category: &'q Category,
    that: &'q That,
    measure: Option<(Measure, &'q FieldPath)>,
    group: Option<&'q FieldPath>,
    fields: Vec<FieldPath>,
}

/// What a reading has come to so far.
#[derive(Default)]
struct Tally {
    count: u64,
    ns: i128,
    numbers: Gathered,
}

/// Answers a count, a list or a measure.
pub(super) fn answer(
    work: &mut Work<'_>,
    mut view: AnswerView,
) -> Result<AnswerView, QuestionError> {
    let zone = work.asking.zone;
    let (what, measure, group, when, verb) = match &work.question.ask {
        Ask::Count { what, group, when } => (what, None, group.as_ref(), when, "the number of"),
        Ask::List { what, when } => (what, None, None, when, "the"),
        Ask::Measure {
            measure,
            path,
            what,
            group,
            when,
        } => (what, Some((*measure, path)), group.as_ref(), when, ""),
        Ask::Value { .. } | Ask::Moment { .. } | Ask::Stay { .. } | Ask::Followed { .. } => {
            return Ok(view);
        }
    };
    let readings = match measure {
        Some(_) => at_instants(when, zone),
        None => of_streams(&what.that, when, zone),
    }
    .map_err(|period| work.empty(period))?;
    let condition = match &what.that {
        That::Where(condition) => condition.paths(),
        That::Exists | That::Active => Vec::new(),
    };
    let others = measure.map(|(_, path)| path).into_iter().chain(group);
    let asked = Asked {
        category: &what.category,
        that: &what.that,
        measure,
        group,
        fields: distinct(condition.into_iter().chain(others)),
    };
    if let Some(told) = told_at_once(work, &asked, &readings)? {
        view.rows = told.rows;
        view.rows_count = told.counts.first().copied().unwrap_or(0);
        for (reading, count) in readings.iter().zip(told.counts) {
            view.readings.push(ReadingView {
                name: reading.name.clone(),
                value: Some(raw(&Value::from(count))),
                question: question_of(work.question, reading),
            });
        }
        return Ok(finish(work, view, &asked, &readings, verb));
    }
    let mut tallies: Vec<Tally> = readings.iter().map(|_| Tally::default()).collect();
    let mut groups: HashMap<String, (Option<Value>, Tally)> = HashMap::new();
    let mut ever = vec![false; asked.fields.len()];
    let subject = Subject::Category(asked.category.clone());
    let with_events = *asked.that == That::Active;
    let mut rows = Vec::new();
    let mut along = readings
        .first()
        .and_then(|first| Along::new(first.over, zone));
    work.each_track(&subject, &asked.fields, with_events, &mut |work, track| {
        for (n, ever) in ever.iter_mut().enumerate() {
            *ever |= track.ever_had(n);
        }
        let runs = runs(work, &asked, track);
        let begun = track.runs(|_| true);
        for (n, reading) in readings.iter().enumerate() {
            if !is_told(work, track, reading) {
                continue;
            }
            let runs = if reading.any_stream { &begun } else { &runs };
            if let (0, Some(along)) = (n, &mut along) {
                along.take(track, runs);
            }
            let Some(found) = looked_at(track, runs, reading.over) else {
                continue;
            };
            let tally = &mut tallies[n];
            tally.take(&found);
            let point = track.at(match reading.over {
                Over::At(at) => at,
                over => over.interval().map_or(Time::MAX, |i| i.last_instant()),
            });
            let field = |path: Option<&FieldPath>| {
                let at = path.and_then(|path| asked.fields.iter().position(|f| f == path));
                let value = point
                    .zip(at)
                    .and_then(|(point, at)| point.values[at].as_ref());
                value.filter(|value| !value.is_null())
            };
            let value = field(asked.measure.map(|(_, path)| path));
            let group = field(asked.group);
            let number = match value {
                Some(Value::Number(number)) => Some(number),
                _ => None,
            };
            if let Some(number) = number {
                tally.numbers.take(number);
            }
            if n > 0 {
                continue;
            }
            if let Some((_, path)) = asked.measure
                && number.is_none()
            {
                let why = match value {
                    None => format!("they match, and have no {path}"),
                    Some(value) => format!("they match, and {path} is {}", kind(value)),
                };
                work.skip(&why, &track.stream);
            }
            if asked.group.is_some() {
                let (_, tally) = groups
                    .entry(same_text(group))
                    .or_insert_with(|| (group.cloned(), Tally::default()));
                tally.count += 1;
                if let Some(number) = number {
                    tally.numbers.take(number);
                }
            }
            view.rows_count += 1;
            if rows.len() < work.asking.limit {
                let since = asked.since(track, reading.over, &found);
                rows.push(AnswerRow {
                    stream: track.stream.clone(),
                    from: Some(since.from),
                    to: found.to,
                    position: Some(since.position),
                    version: Some(since.version),
                    value: match reading.over {
                        Over::Average(_) => Some(raw(&seconds(found.ns))),
                        _ => value.map(raw),
                    },
                    group: group.map(raw),
                });
            }
        }
        Ok(())
    })?;
    work.note_missing_fields(asked.category, &asked.fields, &ever)?;
    for (reading, tally) in readings.iter().zip(&tallies) {
        let value = tally.value(work, &asked, reading);
        view.readings.push(ReadingView {
            name: reading.name.clone(),
            value: value.as_ref().map(raw),
            question: question_of(work.question, reading),
        });
    }
    let mut groups: Vec<(Option<Value>, Tally)> = groups.into_values().collect();
    groups.sort_by(|(a, _), (b, _)| group_order(a.as_ref(), b.as_ref()));
    for (group, tally) in groups {
        view.groups.push(AnswerGroup {
            value: match &readings[..] {
                [first, ..] => tally.value(work, &asked, first).as_ref().map(raw),
                [] => None,
            },
            question: question_of_group(work.question, group.as_ref()),
            group: group.as_ref().map(raw),
            count: tally.count,
        });
    }
    view.rows = rows;
    view.course = along.map(|along| along.view(work.question, zone, work.now()));
    Ok(finish(work, view, &asked, &readings, verb))
}

/// What answers of this kind have in common.
fn finish(
    work: &mut Work<'_>,
    mut view: AnswerView,
    asked: &Asked<'_>,
    readings: &[Reading],
    verb: &str,
) -> AnswerView {
    view.unit = asked.measure.is_none().then(|| "streams".to_owned());
    view.path = asked.measure.map(|(_, path)| path.to_string());
    let mut name = String::new();
    if let Some(first) = readings.first() {
        name.clone_from(&first.name);
        match first.over {
            Over::At(at) => view.as_of.at = (at != Time::MAX).then_some(at),
            over => {
                view.period = over.interval().map(|interval| PeriodView {
                    from: interval.from,
                    to: interval.to,
                });
                view.as_of.at = over.interval().map(|interval| interval.last_instant());
            }
        }
        if let (Some(interval), Some(now)) = (first.over.interval(), work.now())
            && interval.to > now
        {
            let what = match work.cut() {
                Some(_) => "the instant it is asked as of",
                None => "the last event of these streams",
            };
            work.note(format!(
                "the period goes on after {what} ({now}); what was so then is taken to stay so"
            ));
        }
    }
    view.understood = asked.sentence(verb, &name, work);
    view
}

/// What the index tells without looking at every stream.
struct Told {
    counts: Vec<u64>,
    rows: Vec<AnswerRow>,
}

/// Counts at instants of streams with one text in a field, where the index can tell them; `None` where it cannot, or
/// where there is more to say.
fn told_at_once(
    work: &mut Work<'_>,
    asked: &Asked<'_>,
    readings: &[Reading],
) -> Result<Option<Told>, QuestionError> {
    let That::Where(Condition::Compare {
        comparison: Comparison::Equal,
        value: Literal::Text(text),
        ..
    }) = asked.that
    else {
        return Ok(None);
    };
    let mut instants = Vec::with_capacity(readings.len());
    for reading in readings {
        match reading.over {
            Over::At(at) => instants.push(work.cut().map_or(at, |cut| at.min(cut))),
            _ => return Ok(None),
        }
    }
    let (Some(first), false) = (
        instants.first().copied(),
        asked.measure.is_some() || asked.group.is_some(),
    ) else {
        return Ok(None);
    };
    let Some((index, need)) = work.indexed(asked.category, &asked.fields)? else {
        return Ok(None);
    };
    let value = Value::from(text.as_str());
    // What the cache cannot say now, the events can.
    let Ok(totals) = index.totals(asked.category) else {
        return Ok(None);
    };
    if totals.untold > 0 || totals.streams == 0 {
        return Ok(None);
    }
    let Ok(Some(counts)) = index.counts_at(&need, &value, &instants) else {
        return Ok(None);
    };
    let expected = counts.first().copied().unwrap_or(0);
    let expected = usize::try_from(expected).unwrap_or(usize::MAX);
    let mut rows = match work.asking.limit {
        0 => Vec::new(),
        limit => match index.streams_at(&need, &value, first, (limit, expected)) {
            Ok(rows) => rows,
            Err(_) => return Ok(None),
        },
    };
    // What ended later than the instant that it is asked as of had not ended then.
    let cut = work.cut();
    for row in &mut rows {
        row.to = row.to.filter(|to| cut.is_none_or(|cut| *to <= cut));
    }
    work.take_totals(totals);
    Ok(Some(Told { counts, rows }))
}

impl Asked<'_> {
    fn sentence(&self, verb: &str, name: &str, work: &Work<'_>) -> String {
        let verb = match self.measure {
            None => verb.to_owned(),
            Some((measure, path)) => {
                let measure = match measure {
                    Measure::Sum => "the sum",
                    Measure::Average => "the average",
                    Measure::Least => "the least",
                    Measure::Greatest => "the greatest",
                };
                format!("{measure} of {path} over the")
            }
        };
        let that = match self.that {
            That::Exists => String::new(),
            That::Where(condition) => format!(" of which {condition} holds,"),
            That::Active => " that were active,".to_owned(),
        };
        let group = match self.group {
            Some(path) => format!(", one for each {path}"),
            None => String::new(),
        };
        let when = match &work.question.ask {
            Ask::Count { when, .. } | Ask::List { when, .. } => match when {
                super::grammar::When::During(_, period) => {
                    format!("{name}; the period is {period}")
                }
                _ => name.to_owned(),
            },
            _ => name.to_owned(),
        };
        format!(
            "{verb} streams of category {}{that} {when}{group} ({})",
            self.category, work.asking.zone
        )
    }

    /// Since when a stream is in the answer as it is: its value and group included.
    fn since(&self, track: &Track, over: Over, found: &Found) -> Run {
        let run = found.run;
        let (Over::At(at), true) = (over, self.measure.is_some() || self.group.is_some()) else {
            return run;
        };
        let shown: Vec<usize> = (self
            .measure
            .map(|(_, path)| path)
            .into_iter()
            .chain(self.group))
        .filter_map(|path| self.fields.iter().position(|field| field == path))
        .collect();
        let last = track.points.partition_point(|point| point.from <= at);
        let mut since = run;
        for pair in track.points[..last].windows(2) {
            let changed = shown
                .iter()
                .any(|n| pair[0].values[*n] != pair[1].values[*n]);
            if changed && pair[1].from > run.from {
                since.from = pair[1].from;
                since.position = pair[1].position;
                since.version = pair[1].version;
            }
        }
        since
    }
}

/// When what was asked holds of a stream. What is mixed is noted once a stream.
fn runs(work: &mut Work<'_>, asked: &Asked<'_>, track: &Track) -> Vec<Run> {
    let That::Where(condition) = asked.that else {
        return track.runs(|_| true);
    };
    let mut mixed: Vec<String> = Vec::new();
    let runs = track.runs(|point| {
        let values = Values {
            fields: &asked.fields,
            values: &point.values,
        };
        holds(condition, values, &mut |path, value, literal| {
            let text = mixed_text(path, value, literal);
            if !mixed.contains(&text) {
                mixed.push(text);
            }
        })
    });
    for text in mixed {
        work.skip(&text, &track.stream);
    }
    runs
}

/// Whether a stream's history is told as far as a reading looks; a stream that is not is skipped.
fn is_told(work: &mut Work<'_>, track: &Track, reading: &Reading) -> bool {
    let last = match reading.over {
        Over::At(at) => at,
        over => over.interval().map_or(Time::MAX, |i| i.last_instant()),
    };
    if track.is_told_at(last) {
        return true;
    }
    let reason = format!(
        "too many of their events are out of order to tell what was {}",
        reading.name
    );
    work.skip(&reason, &track.stream);
    false
}

/// How a stream is in the answer by a reading.
struct Found {
    /// The run that makes it so.
    run: Run,
    /// Until when.
    to: Option<Time>,
    /// How long, in nanoseconds, where that is asked.
    ns: i128,
}

/// Whether, and how, a stream is in the answer by a reading.
fn looked_at(track: &Track, runs: &[Run], over: Over) -> Option<Found> {
    let found = |run: &Run| Found {
        run: *run,
        to: run.to,
        ns: 0,
    };
    match over {
        Over::At(at) => runs.iter().find(|run| run.covers(at)).map(found),
        Over::AnyTime(i) => runs
            .iter()
            .find(|run| run.from < i.to && run.to.is_none_or(|to| to > i.from))
            .map(found),
        Over::Throughout(i) => runs
            .iter()
            .find(|run| run.from <= i.from && run.to.is_none_or(|to| to >= i.to))
            .map(found),
        Over::Entered(i) => runs
            .iter()
            .find(|run| i.from <= run.from && run.from < i.to)
            .map(found),
        Over::Left(i) => runs.iter().find_map(|run| {
            let to = run.to.filter(|to| i.from <= *to && *to < i.to)?;
            let (position, version) = run.ended_by?;
            Some(Found {
                run: Run {
                    from: run.from,
                    position,
                    version,
                    ..*run
                },
                to: Some(to),
                ns: 0,
            })
        }),
        Over::Average(i) => {
            let ns: i128 = runs.iter().map(|run| run.within_ns(i)).sum();
            let first = runs.iter().find(|run| run.within_ns(i) > 0)?;
            Some(Found { ns, ..found(first) })
        }
        Over::Event(i) => {
            let event = track
                .happened
                .iter()
                .find(|event| i.from <= event.time && event.time < i.to)?;
            Some(found(&Run {
                from: event.time,
                to: None,
                position: event.position,
                version: event.version,
                ended_by: None,
            }))
        }
    }
}

impl Tally {
    fn take(&mut self, found: &Found) {
        self.count += 1;
        self.ns += found.ns;
    }

    /// The number that it has come to.
    fn value(&self, work: &mut Work<'_>, asked: &Asked<'_>, reading: &Reading) -> Option<Value> {
        if let Some((measure, path)) = asked.measure {
            return match self.numbers.measure(measure) {
                Ok(None) => {
                    work.note(format!("{}: no stream has a number there", reading.name));
                    None
                }
                Ok(Some(number)) => {
                    if measure == Measure::Average {
                        work.note(
                            "an average is rounded, half to even, at its 28th digit where it has more"
                                .to_owned(),
                        );
                    }
                    Some(Value::Number(number))
                }
                Err(fault) => {
                    work.note(format!("{}: {path} cannot be told: {fault}", reading.name));
                    None
                }
            };
        }
        match reading.over {
            Over::Average(interval) => {
                let (value, rounded) = quotient(self.ns, interval.ns(), PLACES);
                if rounded {
                    work.note(format!(
                        "the average over time is rounded to {PLACES} digits after the point, half to even"
                    ));
                }
                Some(value)
            }
            Over::At(_)
            | Over::AnyTime(_)
            | Over::Throughout(_)
            | Over::Entered(_)
            | Over::Left(_)
            | Over::Event(_) => Some(Value::from(self.count)),
        }
    }
}
