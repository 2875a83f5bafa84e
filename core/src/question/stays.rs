//! How long streams stayed in a value.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::amount::{quotient, raw, seconds};
use super::answer::{QuestionError, Work};
use super::course;
use super::grammar::{Ask, Comparison, Condition, Statistic, Subject};
use super::holds::{Values, holds};
use super::stamp::{between_ns, stretch_of};
use super::track::Run;
use super::view::{AnswerGroup, AnswerRow, AnswerView, CourseShape, PeriodView, ReadingView};
use crate::time::Time;

/// Answers how long streams stayed in a value.
pub(super) fn answer(
    work: &mut Work<'_>,
    mut view: AnswerView,
) -> Result<AnswerView, QuestionError> {
    let zone = work.asking.zone;
    let Ask::Stay {
        of,
        path,
        value,
        statistics,
        by,
        during,
    } = &work.question.ask
    else {
        return Ok(view);
    };
    let interval = work.interval(during.as_ref())?;
    let condition = Condition::Compare {
        path: path.clone(),
        comparison: Comparison::Equal,
        value: value.clone(),
    };
    let fields = [path.clone()];
    let mut stays: Vec<(String, Run)> = Vec::new();
    let mut ever = [false];
    work.each_track(of, &fields, false, &mut |work, track| {
        ever[0] |= track.ever_had(0);
        if track.told_until.is_some() {
            let reason = "too many of their events are out of order to tell how long they stayed";
            work.skip(reason, &track.stream);
            return Ok(());
        }
        let runs = track.runs(|point| {
            let values = Values {
                fields: &fields,
                values: &point.values,
            };
            holds(&condition, values, &mut |_, _, _| {})
        });
        let within = |run: &Run| interval.is_none_or(|i| i.from <= run.from && run.from < i.to);
        stays.extend(
            runs.into_iter()
                .filter(within)
                .map(|run| (track.stream.clone(), run)),
        );
        Ok(())
    })?;
    if let Subject::Category(category) = of {
        work.note_missing_fields(category, &fields, &ever)?;
    } else if !ever[0] {
        work.note(format!("the stream never had {path}"));
    }
    // Without a clock, what is under way has lasted until the last thing that is known to have happened.
    let now = work.now();
    let length = |run: &Run, open: bool| match run.to {
        Some(to) => Some(between_ns(run.from, to)),
        None if open => now.map(|now| between_ns(run.from, now).max(0)),
        None => None,
    };
    let mut rounded = false;
    let readings = [
        ("stays that ended", false),
        (
            "also those under way, as long as they are known to have lasted",
            true,
        ),
    ];
    for (name, open) in readings {
        let lengths = stays.iter().filter_map(|(_, run)| length(run, open));
        let value = told(lengths.collect(), statistics, &mut rounded);
        view.readings.push(ReadingView {
            name: name.to_owned(),
            value: value.as_ref().map(raw),
            question: None,
        });
    }
    if let Some(unit) = by {
        let mut groups: BTreeMap<String, Vec<i128>> = BTreeMap::new();
        for (_, run) in &stays {
            if let Some(ns) = length(run, false) {
                let group = stretch_of(run.from, *unit, zone);
                groups.entry(group).or_default().push(ns);
            }
        }
        view.groups = groups
            .into_iter()
            .map(|(group, lengths)| AnswerGroup {
                question: course::question_at(work.question, CourseShape::Happened, &group, zone),
                group: Some(raw(&Value::from(group))),
                count: lengths.len() as u64,
                value: told(lengths, statistics, &mut rounded).as_ref().map(raw),
            })
            .collect();
    }
    if rounded {
        work.note("averages are rounded to the nanosecond, half to even".to_owned());
    }
    let open = stays.iter().filter(|(_, run)| run.to.is_none()).count();
    if open > 0 {
        let until = now.map_or_else(String::new, |now: Time| format!(", at {now}"));
        let when = match work.cut() {
            Some(_) => "at the instant that they are asked as of",
            None => "when the last event of these streams happened",
        };
        work.note(format!("{open} stays had not ended {when}{until}"));
    }
    if by.is_none() {
        view.course = course::lengths(stays.iter().filter_map(|(_, run)| length(run, false)));
    }
    let ended = stays.iter().filter(|(_, run)| run.to.is_some());
    view.rows_count = ended.clone().count() as u64;
    view.rows = ended
        .take(work.asking.limit)
        .map(|(stream, run)| AnswerRow {
            stream: stream.clone(),
            from: Some(run.from),
            to: run.to,
            position: Some(run.position),
            version: Some(run.version),
            value: length(run, false).map(|ns| raw(&seconds(ns))),
            group: by.map(|unit| raw(&Value::from(stretch_of(run.from, unit, zone)))),
        })
        .collect();
    view.period = interval.map(|interval| PeriodView {
        from: interval.from,
        to: interval.to,
    });
    view.unit = Some("seconds".to_owned());
    view.path = Some(path.to_string());
    let statistics: Vec<String> = statistics.iter().map(ToString::to_string).collect();
    let of = match of {
        Subject::Category(category) => format!("streams of category {category}"),
        Subject::Stream(stream) => stream.to_string(),
    };
    let began = match during {
        Some(period) => format!(" and began during {period}"),
        None => String::new(),
    };
    let by = match by {
        Some(unit) => format!(", by the {} in which a stay began", unit.word()),
        None => String::new(),
    };
    view.understood = format!(
        "the {} of how long {of} stayed in {path} = {value}, in seconds, of stays that ended{began}{by} ({zone})",
        statistics.join(", ")
    );
    Ok(view)
}

/// What the statistics say of lengths: a number, or one for each where there are several. Percentiles are by nearest
/// rank, so that each is a length that there was.
fn told(mut lengths: Vec<i128>, statistics: &[Statistic], rounded: &mut bool) -> Option<Value> {
    lengths.sort_unstable();
    let mut one = |statistic: Statistic| -> Option<Value> {
        let total: i128 = lengths.iter().sum();
        match statistic {
            Statistic::Count => Some(Value::from(lengths.len() as u64)),
            Statistic::Total => Some(seconds(total)),
            Statistic::Least => lengths.first().map(|ns| seconds(*ns)),
            Statistic::Greatest => lengths.last().map(|ns| seconds(*ns)),
            Statistic::Average if lengths.is_empty() => None,
            Statistic::Average => {
                let divisor = lengths.len() as i128 * 1_000_000_000;
                let (value, is_rounded) = quotient(total, divisor, 9);
                *rounded |= is_rounded;
                Some(value)
            }
            Statistic::Percentile(n) => {
                let rank = (lengths.len() * usize::from(n)).div_ceil(100);
                rank.checked_sub(1).map(|at| seconds(lengths[at]))
            }
        }
    };
    match statistics {
        [statistic] => one(*statistic),
        several => {
            let mut values = Map::new();
            for statistic in several {
                let value = one(*statistic).unwrap_or(Value::Null);
                values.insert(statistic.to_string(), value);
            }
            Some(Value::Object(values))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_lengths_that_there_were() {
        let lengths = |n: i128| (1..=n).map(|s| s * 1_000_000_000).collect::<Vec<_>>();
        let told = |n, statistic| {
            told(lengths(n), &[statistic], &mut false).map(|value| value.to_string())
        };
        assert_eq!(told(20, Statistic::Percentile(95)).as_deref(), Some("19"));
        assert_eq!(told(21, Statistic::Percentile(95)).as_deref(), Some("20"));
        assert_eq!(told(1, Statistic::Percentile(1)).as_deref(), Some("1"));
        assert_eq!(told(3, Statistic::Percentile(50)).as_deref(), Some("2"));
        assert_eq!(told(0, Statistic::Percentile(50)), None);
        assert_eq!(told(4, Statistic::Average).as_deref(), Some("2.5"));
    }
}
