//! What the charts of a report count.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;

use super::plural;
use super::seen::Seen;
use super::template::ChartRule;
use crate::chart::{ChartForm, ChartPoint, ChartSpec};

/// Most names that a chart draws by themselves.
const MAX_NAMES: usize = 12;
/// Most columns of a chart along time.
const MAX_COLUMNS: usize = 120;

/// Name of the column that a day belongs to.
type Label = fn(&NaiveDate) -> String;
/// First day of the column after that of a day.
type Next = fn(NaiveDate) -> Option<NaiveDate>;

/// Events in scope, counted.
#[derive(Default)]
pub(super) struct Counts {
    by_day: BTreeMap<NaiveDate, u64>,
    by_actor: HashMap<Option<String>, u64>,
    pub(super) by_type: HashMap<String, u64>,
}

impl Counts {
    /// Counts an event, on its day in the zone.
    pub(super) fn take(&mut self, seen: &Seen<'_>, zone: Tz) {
        let utc = seen.event.event.time.time.to_utc().naive_utc();
        let day = zone.from_utc_datetime(&utc).date_naive();
        *self.by_day.entry(day).or_default() += 1;
        *self
            .by_type
            .entry(seen.event_type().to_owned())
            .or_default() += 1;
        *self
            .by_actor
            .entry(seen.who().map(str::to_owned))
            .or_default() += 1;
    }

    /// The charts, in the order of [`ChartRule`]; none of them over nothing.
    pub(super) fn charts(&self, zone: &str) -> [Option<ChartSpec>; 3] {
        let events: u64 = self.by_type.values().sum();
        if events == 0 {
            return [None, None, None];
        }
        let chart = |id: &str, title: &str, form, points: Vec<ChartPoint>, rest, rest_names| {
            let alt = alt_text(form, &points, rest, rest_names, events, zone);
            Some(ChartSpec {
                id: id.to_owned(),
                title: title.to_owned(),
                form,
                unit: "events".to_owned(),
                zone: zone.to_owned(),
                points,
                rest,
                rest_names,
                alt,
            })
        };
        let by_name = |id: &str, title: &str, counts: Vec<(String, u64)>| {
            let (points, rest, rest_names) = most(counts);
            chart(id, title, ChartForm::ByName, points, rest, rest_names)
        };
        let actors = self.by_actor.iter().map(|(actor, count)| {
            let name = actor.as_deref().unwrap_or("not recorded");
            (name.to_owned(), *count)
        });
        let types = self
            .by_type
            .iter()
            .map(|(name, count)| (name.clone(), *count));
        let over_time = along_time(&self.by_day);
        let mut charts = [None, None, None];
        charts[ChartRule::OverTime as usize] = chart(
            "over_time",
            "Events over time",
            ChartForm::OverTime,
            over_time,
            0,
            0,
        );
        charts[ChartRule::ByActor as usize] =
            by_name("by_actor", "Events by actor", actors.collect());
        charts[ChartRule::ByType as usize] = by_name("by_type", "Events by type", types.collect());
        charts
    }
}

/// Counts of days as columns: days, or months or years where there would be too many.
fn along_time(by_day: &BTreeMap<NaiveDate, u64>) -> Vec<ChartPoint> {
    let Some((first, last)) = by_day.keys().next().zip(by_day.keys().next_back()) else {
        return Vec::new();
    };
    let months = |day: &NaiveDate| i64::from(day.year()) * 12 + i64::from(day.month0());
    let days = (*last - *first).num_days() + 1;
    let columns = MAX_COLUMNS as i64;
    let (label, next): (Label, Next) = if days <= columns {
        (
            |day| day.format("%Y-%m-%d").to_string(),
            |day| day.succ_opt(),
        )
    } else if months(last) - months(first) < columns {
        (
            |day| day.format("%Y-%m").to_string(),
            |day| day.with_day(1)?.checked_add_months(chrono::Months::new(1)),
        )
    } else {
        (
            |day| day.format("%Y").to_string(),
            |day| NaiveDate::from_ymd_opt(day.year() + 1, 1, 1),
        )
    };
    let mut points: Vec<ChartPoint> = Vec::new();
    let mut at = Some(*first);
    // Columns of nothing are part of the picture; where years are too many, only those with events are.
    let all = i64::from(last.year()) - i64::from(first.year()) < columns;
    while let Some(day) = at.filter(|day| all && *day <= *last || points.is_empty()) {
        points.push(ChartPoint {
            label: label(&day),
            count: 0,
        });
        at = if all { next(day) } else { None };
    }
    for (day, count) in by_day {
        let label = label(day);
        match points.binary_search_by(|point| point.label.cmp(&label)) {
            Ok(at) => points[at].count += count,
            Err(at) => points.insert(
                at,
                ChartPoint {
                    label,
                    count: *count,
                },
            ),
        }
    }
    points
}

/// The names with the highest counts, and what the others come to.
fn most(mut counts: Vec<(String, u64)>) -> (Vec<ChartPoint>, u64, u64) {
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let rest = counts.split_off(counts.len().min(MAX_NAMES));
    let points = counts
        .into_iter()
        .map(|(label, count)| ChartPoint { label, count });
    let sum = rest.iter().map(|(_, count)| count).sum();
    (points.collect(), sum, rest.len() as u64)
}

fn alt_text(
    form: ChartForm,
    points: &[ChartPoint],
    rest: u64,
    rest_names: u64,
    events: u64,
    zone: &str,
) -> String {
    let all = plural(events, "event");
    let highest = points.iter().rev().max_by_key(|point| point.count);
    let (Some(highest), Some(first), Some(last)) = (highest, points.first(), points.last()) else {
        return all;
    };
    match form {
        ChartForm::OverTime => format!(
            "{all} from {} to {} ({zone}); most in {}: {}.",
            first.label, last.label, highest.label, highest.count
        ),
        ChartForm::ByName => {
            let named: Vec<String> = points
                .iter()
                .map(|point| format!("{} {}", point.label, point.count))
                .collect();
            let others = match rest_names {
                0 => String::new(),
                n => format!("; {rest} of {}", plural(n, "other")),
            };
            format!("{all}: {}{others}.", named.join(", "))
        }
    }
}
