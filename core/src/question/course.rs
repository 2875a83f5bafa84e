//! How what was asked about went along time, or is spread: what a picture of an answer shows.

use chrono_tz::Tz;
use serde_json::Value;

use super::amount::{raw, raw_count};
use super::grammar::{Ask, Comparison, Condition, Literal, Question, That, Unit, When};
use super::reading::Over;
use super::stamp::{Interval, Period, Stamp, stretch_of};
use super::track::{Run, Track};
use super::view::{CoursePoint, CourseShape, CourseView};
use crate::time::Time;

/// Points that a course holds; of more, the last.
const POINTS: usize = 2_000;
/// Most days, and most months, that a period is told by; a longer one is told by the next larger unit.
const STRETCHES: i128 = 400;
const DAY_NS: i128 = 86_400_000_000_000;
const SECOND_NS: i128 = 1_000_000_000;

/// Lengths that stays are sorted by: the end of each, exclusive, in seconds.
const LADDER: [(i128, &str); 14] = [
    (1, "under 1 s"),
    (10, "1 to 10 s"),
    (60, "10 to 60 s"),
    (600, "1 to 10 min"),
    (3_600, "10 to 60 min"),
    (21_600, "1 to 6 h"),
    (86_400, "6 to 24 h"),
    (172_800, "1 to 2 d"),
    (604_800, "2 to 7 d"),
    (1_209_600, "7 to 14 d"),
    (2_592_000, "14 to 30 d"),
    (7_776_000, "30 to 90 d"),
    (31_536_000, "90 to 365 d"),
    (i128::MAX, "365 d and more"),
];

/// A stretch of the calendar: a day, a month or a year of a zone.
struct Stretch {
    label: String,
    from: Time,
    /// Exclusive.
    to: Time,
}

/// The stretches of an interval; the first and the last may be cut short.
fn stretches(interval: Interval, zone: Tz) -> (Unit, Vec<Stretch>) {
    let days = interval.ns() / DAY_NS;
    let unit = if days <= STRETCHES {
        Unit::Day
    } else if days <= STRETCHES * 30 {
        Unit::Month
    } else {
        Unit::Year
    };
    let mut all = Vec::new();
    let mut from = interval.from;
    while from < interval.to && all.len() < POINTS {
        let label = stretch_of(from, unit, zone);
        let end = Stamp::parse(&label).map_or(Time::MAX, |stamp| stamp.end(zone));
        // A zone may leave a whole day out, and the calendar ends.
        let to = end.min(interval.to);
        if to <= from {
            break;
        }
        all.push(Stretch { label, from, to });
        from = to;
    }
    (unit, all)
}

/// Numbers of streams along a period, gathered stream by stream.
pub(super) struct Along {
    over: Over,
    unit: Unit,
    stretches: Vec<Stretch>,
    /// What each stretch has; of levels, how much more than the one before it.
    steps: Vec<i64>,
}

impl Along {
    /// For the reading that is chosen, where it is about a period.
    pub(super) fn new(over: Over, zone: Tz) -> Option<Along> {
        let (unit, stretches) = stretches(over.interval()?, zone);
        Some(Along {
            over,
            unit,
            steps: vec![0; stretches.len() + 1],
            stretches,
        })
    }

    /// Takes a stream, and when it was so.
    pub(super) fn take(&mut self, track: &Track, runs: &[Run]) {
        match self.over {
            Over::At(_) => {}
            Over::AnyTime(_) | Over::Throughout(_) | Over::Average(_) => {
                // At the last instant of a stretch it is so if it was so before its end, and has not ended by then.
                let ending_after =
                    |time: Time| self.stretches.partition_point(|stretch| stretch.to <= time);
                for run in runs {
                    let first = ending_after(run.from);
                    let past = run.to.map_or(self.stretches.len(), ending_after);
                    if first < past {
                        self.steps[first] += 1;
                        self.steps[past] -= 1;
                    }
                }
            }
            Over::Entered(_) => self.count(runs.iter().map(|run| run.from)),
            Over::Left(_) => self.count(runs.iter().filter_map(|run| run.to)),
            Over::Event(_) => self.count(track.happened.iter().map(|event| event.time)),
        }
    }

    /// Counts a stream once in each stretch that one of these is in.
    fn count(&mut self, times: impl Iterator<Item = Time>) {
        let mut last = None;
        for time in times {
            let at = self.stretches.partition_point(|stretch| stretch.to <= time);
            let is_in = self
                .stretches
                .get(at)
                .is_some_and(|stretch| stretch.from <= time);
            if is_in && last != Some(at) {
                self.steps[at] += 1;
                last = Some(at);
            }
        }
    }

    /// The course, as far as things are known to have lasted.
    pub(super) fn view(self, question: &Question, zone: Tz, now: Option<Time>) -> CourseView {
        let is_level = matches!(
            self.over,
            Over::At(_) | Over::AnyTime(_) | Over::Throughout(_) | Over::Average(_)
        );
        let word = self.unit.word();
        let (shape, of) = match self.over {
            Over::Entered(_) => (
                CourseShape::Happened,
                format!("streams that came to be so, by {word}"),
            ),
            Over::Left(_) => (
                CourseShape::Happened,
                format!("streams that ceased to be so, by {word}"),
            ),
            Over::Event(_) => (
                CourseShape::Happened,
                format!("streams that had an event, by {word}"),
            ),
            _ => (
                CourseShape::Level,
                format!("streams that were so at the end of each {word}"),
            ),
        };
        let mut level = 0;
        let mut points = Vec::new();
        for (stretch, step) in self.stretches.into_iter().zip(self.steps) {
            level = if is_level { level + step } else { step };
            if now.is_some_and(|now| now < stretch.from) {
                break;
            }
            let label = stretch.label;
            points.push(CoursePoint {
                from: Some(stretch.from),
                to: None,
                value: Some(raw_count(u64::try_from(level).unwrap_or(0))),
                position: None,
                version: None,
                question: question_at(question, shape, &label, zone),
                label,
            });
        }
        told(shape, of, points)
    }
}

/// Numbers of what happened at these times, by stretches of the calendar.
pub(super) fn happened(
    of: &str,
    question: &Question,
    times: &[Time],
    zone: Tz,
) -> Option<CourseView> {
    let (from, last) = (*times.iter().min()?, *times.iter().max()?);
    let to = last.next_ns();
    let (unit, stretches) = stretches(Interval { from, to }, zone);
    let mut counts = vec![0u64; stretches.len()];
    for time in times {
        let at = stretches.partition_point(|stretch| stretch.to <= *time);
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    let points = stretches
        .into_iter()
        .zip(counts)
        .map(|(stretch, count)| CoursePoint {
            question: question_at(question, CourseShape::Happened, &stretch.label, zone),
            label: stretch.label,
            from: Some(stretch.from),
            to: None,
            value: Some(raw_count(count)),
            position: None,
            version: None,
        });
    let of = format!("{of}, by {}", unit.word());
    Some(told(CourseShape::Happened, of, points.collect()))
}

/// How many stays were how long.
pub(super) fn lengths(of: impl Iterator<Item = i128>) -> Option<CourseView> {
    let mut counts = [0u64; LADDER.len()];
    for ns in of {
        let at = LADDER.partition_point(|(seconds, _)| seconds.saturating_mul(SECOND_NS) <= ns);
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    let first = counts.iter().position(|count| *count > 0)?;
    let last = counts.iter().rposition(|count| *count > 0)?;
    let steps = LADDER.iter().zip(counts).skip(first).take(last - first + 1);
    let points = steps.map(|((_, label), count)| CoursePoint {
        label: (*label).to_owned(),
        from: None,
        to: None,
        value: Some(raw_count(count)),
        position: None,
        version: None,
        question: None,
    });
    let of = "stays by how long they were".to_owned();
    Some(told(CourseShape::Lengths, of, points.collect()))
}

/// The values that a field of one stream had; `None` where there were none that can be shown.
pub(super) fn values(path: &str, track: &Track) -> Option<CourseView> {
    let points: Vec<CoursePoint> = track
        .points
        .iter()
        .enumerate()
        .map(|(n, point)| CoursePoint {
            label: point.from.to_string(),
            from: Some(point.from),
            to: track.points.get(n + 1).map(|next| next.from),
            value: point.values[0].as_ref().map(raw),
            position: Some(point.position),
            version: Some(point.version),
            question: None,
        })
        .collect();
    let is_shown = |point: &super::track::Point| {
        !matches!(
            point.values[0],
            None | Some(Value::Null | Value::Array(_) | Value::Object(_))
        )
    };
    let composed = track
        .points
        .iter()
        .any(|point| matches!(point.values[0], Some(Value::Array(_) | Value::Object(_))));
    if composed || !track.points.iter().any(is_shown) {
        return None;
    }
    Some(told(CourseShape::Value, path.to_owned(), points))
}

/// When something held of one stream.
pub(super) fn held(of: String, runs: &[Run]) -> Option<CourseView> {
    let points = runs.iter().map(|run| CoursePoint {
        label: run.from.to_string(),
        from: Some(run.from),
        to: run.to,
        value: None,
        position: Some(run.position),
        version: Some(run.version),
        question: None,
    });
    let points: Vec<CoursePoint> = points.collect();
    (!points.is_empty()).then(|| told(CourseShape::Held, of, points))
}

/// The question about one stretch of the calendar, in place of the period or all time; `None` where the stretch goes on
/// past the period, so that it would tell of more.
pub(super) fn question_at(
    question: &Question,
    shape: CourseShape,
    label: &str,
    zone: Tz,
) -> Option<String> {
    let stretch = Period {
        first: Stamp::parse(label).ok()?,
        last: None,
    };
    let own = stretch.interval(zone)?;
    let is_level = shape == CourseShape::Level;
    let holds_it = |period: &Period| {
        let all = period.interval(zone)?;
        ((is_level || all.from <= own.from) && own.to <= all.to).then_some(())
    };
    let mut question = question.clone();
    match &mut question.ask {
        Ask::Count { when, .. } | Ask::List { when, .. } => {
            let When::During(manner, period) = when else {
                return None;
            };
            holds_it(period)?;
            *when = match is_level {
                true => When::End(stretch),
                false => When::During(*manner, stretch),
            };
        }
        Ask::Stay { during, by, .. } => {
            during.as_ref().map_or(Some(()), holds_it)?;
            *by = None;
            *during = Some(stretch);
        }
        Ask::Followed { during, .. } => {
            during.as_ref().map_or(Some(()), holds_it)?;
            *during = Some(stretch);
        }
        Ask::Value { .. } | Ask::Measure { .. } | Ask::Moment { .. } => return None,
    }
    Some(question.to_string())
}

/// The question about one group alone: those with this value.
pub(super) fn question_of_group(question: &Question, group: Option<&Value>) -> Option<String> {
    let mut question = question.clone();
    let (Ask::Count {
        what, group: by, ..
    }
    | Ask::Measure {
        what, group: by, ..
    }) = &mut question.ask
    else {
        return None;
    };
    let path = by.take()?;
    let is = |value| Condition::Compare {
        path: path.clone(),
        comparison: Comparison::Equal,
        value,
    };
    let of_group = match group {
        None | Some(Value::Null) => Condition::Missing(path.clone()),
        Some(Value::String(text)) => is(Literal::Text(text.clone())),
        Some(Value::Number(number)) => is(Literal::Number(number.to_string())),
        Some(Value::Bool(value)) => is(Literal::Bool(*value)),
        Some(Value::Array(_) | Value::Object(_)) => return None,
    };
    what.that = match std::mem::replace(&mut what.that, That::Exists) {
        That::Where(condition) => {
            That::Where(Condition::And(Box::new(condition), Box::new(of_group)))
        }
        That::Exists => That::Where(of_group),
        That::Active => return None,
    };
    // What cannot be written cannot be asked.
    let text = question.to_string();
    Question::parse(&text).is_ok().then_some(text)
}

fn told(shape: CourseShape, of: String, mut points: Vec<CoursePoint>) -> CourseView {
    let points_count = points.len() as u64;
    points.drain(..points.len().saturating_sub(POINTS));
    CourseView {
        shape,
        of,
        points,
        points_count,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Time {
        Time::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn stretches_are_days_of_the_zone_and_cover_the_interval() {
        let zone: Tz = "Europe/Berlin".parse().unwrap();
        let interval = Interval {
            from: time("2024-03-30T12:00:00Z"),
            to: time("2024-04-01T10:00:00Z"),
        };
        let (unit, all) = stretches(interval, zone);
        assert_eq!(unit, Unit::Day);
        let told: Vec<(&str, String)> = all
            .iter()
            .map(|s| (s.label.as_str(), s.to.to_string()))
            .collect();
        // Clocks were put forward on the 31st, which had 23 hours.
        assert_eq!(
            told,
            [
                ("2024-03-30", "2024-03-30T23:00:00Z".to_owned()),
                ("2024-03-31", "2024-03-31T22:00:00Z".to_owned()),
                ("2024-04-01", "2024-04-01T10:00:00Z".to_owned()),
            ]
        );
        let years = Interval {
            from: Time::MIN,
            to: Time::MAX,
        };
        assert_eq!(stretches(years, zone).0, Unit::Year);
    }

    #[test]
    fn lengths_fall_between_the_rungs_of_the_ladder() {
        let seconds = |s: i128| s * SECOND_NS;
        let course = lengths([0, seconds(1), seconds(10) - 1, seconds(86_400)].into_iter());
        let told: Vec<(String, String)> = course
            .unwrap()
            .points
            .iter()
            .map(|p| (p.label.clone(), p.value.as_ref().unwrap().get().to_owned()))
            .filter(|(_, count)| count != "0")
            .collect();
        let want = [("under 1 s", "1"), ("1 to 10 s", "2"), ("1 to 2 d", "1")];
        assert_eq!(told, want.map(|(a, b)| (a.to_owned(), b.to_owned())));
        assert!(lengths(std::iter::empty()).is_none());
    }
}
