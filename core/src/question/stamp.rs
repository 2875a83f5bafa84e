//! Dates and times as questions write them, and the instants that they mean in a zone.

use std::fmt::{self, Display, Formatter};

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

use crate::time::{SourceTime, Time};

/// A year, month, day or instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Year(i32),
    Month(i32, u32),
    Day(NaiveDate),
    /// A clock on a wall: which instant that is, the zone says.
    Local(NaiveDateTime),
    Instant(Time),
}

/// From one stamp through another, or one alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// It begins where this does.
    pub first: Stamp,
    /// It ends where this does; where `first` does if `None`.
    pub last: Option<Stamp>,
}

/// Instants from one, inclusive, to another, exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// The first.
    pub from: Time,
    /// The first that is past it.
    pub to: Time,
}

/// What a local time is where clocks change: both instants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwoInstants {
    /// By the offset before the change.
    pub earlier: Time,
    /// By the offset after it.
    pub later: Time,
    /// No clock showed it; else clocks showed it twice.
    pub skipped: bool,
}

impl Stamp {
    /// Reads a year, a month, a day, or an instant with or without an offset.
    ///
    /// # Errors
    /// What is wrong, in words, and a stamp near it where there is one.
    pub fn parse(text: &str) -> Result<Stamp, (String, Option<String>)> {
        let kind = Kind::parse(text)?;
        Ok(Stamp {
            text: text.to_owned(),
            kind,
        })
    }

    /// Whether it is a stretch of time and not an instant.
    #[must_use]
    pub fn is_stretch(&self) -> bool {
        matches!(self.kind, Kind::Year(_) | Kind::Month(..) | Kind::Day(_))
    }

    /// Whether it is a day.
    #[must_use]
    pub fn is_day(&self) -> bool {
        matches!(self.kind, Kind::Day(_))
    }

    /// Where it begins: the first instant of a stretch, else the instant.
    #[must_use]
    pub fn start(&self, zone: Tz) -> Time {
        match self.kind {
            Kind::Year(year) => day_start(NaiveDate::from_ymd_opt(year, 1, 1), zone),
            Kind::Month(year, month) => day_start(NaiveDate::from_ymd_opt(year, month, 1), zone),
            Kind::Day(day) => day_start(Some(day), zone),
            Kind::Local(local) => instants(local, zone).0,
            Kind::Instant(time) => time,
        }
    }

    /// Where it ends, exclusive: the first instant after a stretch; for an instant, itself.
    #[must_use]
    pub fn end(&self, zone: Tz) -> Time {
        match self.kind {
            Kind::Year(year) => day_start(NaiveDate::from_ymd_opt(year + 1, 1, 1), zone),
            Kind::Month(year, 12) => day_start(NaiveDate::from_ymd_opt(year + 1, 1, 1), zone),
            Kind::Month(year, month) => {
                day_start(NaiveDate::from_ymd_opt(year, month + 1, 1), zone)
            }
            Kind::Day(day) => day_start(day.checked_add_days(Days::new(1)), zone),
            Kind::Local(_) | Kind::Instant(_) => self.start(zone),
        }
    }

    /// The last instant that belongs to it.
    #[must_use]
    pub fn last_instant(&self, zone: Tz) -> Time {
        if !self.is_stretch() {
            return self.start(zone);
        }
        match self.end(zone) {
            Time::MAX => Time::MAX,
            end => end.previous_ns(),
        }
    }

    /// Both instants of a local time that clocks of the zone showed twice, or never.
    #[must_use]
    pub fn two_instants(&self, zone: Tz) -> Option<TwoInstants> {
        match self.kind {
            Kind::Local(local) => instants(local, zone).1,
            _ => None,
        }
    }
}

impl Kind {
    fn parse(text: &str) -> Result<Kind, (String, Option<String>)> {
        let parts: Vec<&str> = text.split('-').collect();
        let digits = |part: &str, n: usize| {
            (part.len() == n && part.bytes().all(|b| b.is_ascii_digit()))
                .then(|| part.parse::<u32>().ok())?
        };
        let numbers: Option<Vec<u32>> = parts
            .iter()
            .zip([4, 2, 2])
            .map(|(part, n)| digits(part, n))
            .collect();
        let whole = match (parts.len(), numbers) {
            (1..=3, Some(numbers)) => numbers,
            _ => {
                let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
                if date.len() < text.len() {
                    // A day that does not exist is said to be so, whatever the clock.
                    Kind::parse(date)?;
                }
                let read =
                    SourceTime::parse(text, Tz::UTC).map_err(|error| (error.to_string(), None))?;
                return Ok(if read.zone_assumed {
                    Kind::Local(read.time.to_utc().naive_utc())
                } else {
                    Kind::Instant(read.time)
                });
            }
        };
        let year = whole[0] as i32;
        if year == 0 {
            return Err((
                format!("{text} is outside the years 0001 to 9999"),
                Some(format!("0001{}", &text[4..])),
            ));
        }
        if let Some(month @ (0 | 13..)) = whole.get(1) {
            let near = (*month).clamp(1, 12);
            return Err((
                format!("there is no month {month:02}"),
                Some(format!("{year:04}-{near:02}{}", &text[7..])),
            ));
        }
        Ok(match whole[..] {
            [_, month, day] => {
                let date = NaiveDate::from_ymd_opt(year, month, day);
                Kind::Day(date.ok_or_else(|| {
                    let last = days_in(year, month);
                    (
                        format!("{text} does not exist: {year:04}-{month:02} has {last} days"),
                        Some(format!("{year:04}-{month:02}-{:02}", day.clamp(1, last))),
                    )
                })?)
            }
            [_, month] => Kind::Month(year, month),
            _ => Kind::Year(year),
        })
    }
}

impl Period {
    /// Its instants in a zone; `None` if it ends before it begins, or holds none.
    #[must_use]
    pub fn interval(&self, zone: Tz) -> Option<Interval> {
        let from = self.first.start(zone);
        let last = self.last.as_ref().unwrap_or(&self.first);
        let to = last.end(zone);
        (from < to).then_some(Interval { from, to })
    }

    /// Its instants where its last stretch does not belong to it; `None` where that is no other reading.
    #[must_use]
    pub fn interval_without_last(&self, zone: Tz) -> Option<Interval> {
        let last = self.last.as_ref().filter(|last| last.is_stretch())?;
        let (from, to) = (self.first.start(zone), last.start(zone));
        (from < to).then_some(Interval { from, to })
    }

    /// The stamps that it is written with.
    pub fn stamps(&self) -> impl Iterator<Item = &Stamp> {
        std::iter::once(&self.first).chain(&self.last)
    }
}

impl Interval {
    /// The last instant in it.
    #[must_use]
    pub fn last_instant(self) -> Time {
        match self.to {
            Time::MAX => Time::MAX,
            to => to.previous_ns(),
        }
    }

    /// Its length in nanoseconds.
    #[must_use]
    pub fn ns(self) -> i128 {
        between_ns(self.from, self.to)
    }
}

/// From one instant to another, in nanoseconds.
pub(super) fn between_ns(from: Time, to: Time) -> i128 {
    let ns = |time: Time| i128::from(time.us()) * 1_000 + i128::from(time.sub_ns());
    ns(to) - ns(from)
}

/// The stretch of the calendar that an instant lies in: `2024-01`.
pub(super) fn stretch_of(time: Time, unit: super::grammar::Unit, zone: Tz) -> String {
    let local = zone.from_utc_datetime(&time.to_utc().naive_utc());
    use super::grammar::Unit;
    match unit {
        Unit::Day => local.format("%Y-%m-%d").to_string(),
        Unit::Month => local.format("%Y-%m").to_string(),
        Unit::Year => local.format("%Y").to_string(),
    }
}

fn days_in(year: i32, month: u32) -> u32 {
    let next = if month == 12 {
        NaiveDate::from_ymd_opt(year + 1, 1, 1)
    } else {
        NaiveDate::from_ymd_opt(year, month + 1, 1)
    };
    next.and_then(|next| next.pred_opt())
        .map_or(31, |last| last.day())
}

/// The first instant of a day; the last that there is past the calendar's end.
fn day_start(day: Option<NaiveDate>, zone: Tz) -> Time {
    let Some(day) = day else { return Time::MAX };
    match SourceTime::parse(&day.format("%Y-%m-%d").to_string(), zone) {
        Ok(read) => read.time,
        Err(_) if day.year() > 5_000 => Time::MAX,
        Err(_) => Time::MIN,
    }
}

/// The instant of a local time (the earlier one, or by the offset before the change), and both where clocks change.
fn instants(local: NaiveDateTime, zone: Tz) -> (Time, Option<TwoInstants>) {
    let by = |offset: i32| {
        let utc = local.checked_sub_signed(chrono::TimeDelta::seconds(i64::from(offset)));
        utc.map_or(Time::MAX, |utc| Time::from_utc(utc.and_utc()))
    };
    match zone.from_local_datetime(&local) {
        chrono::LocalResult::Single(time) => (Time::from_utc(time.to_utc()), None),
        chrono::LocalResult::Ambiguous(a, b) => {
            let (a, b) = (Time::from_utc(a.to_utc()), Time::from_utc(b.to_utc()));
            let two = TwoInstants {
                earlier: a.min(b),
                later: a.max(b),
                skipped: false,
            };
            (two.earlier, Some(two))
        }
        chrono::LocalResult::None => {
            let day = chrono::TimeDelta::days(1);
            let offset =
                |near: NaiveDateTime| zone.offset_from_utc_datetime(&near).fix().local_minus_utc();
            let (before, after) = (by(offset(local - day)), by(offset(local + day)));
            let two = TwoInstants {
                earlier: before.min(after),
                later: before.max(after),
                skipped: true,
            };
            (before, Some(two))
        }
    }
}

impl Display for Stamp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.text.contains(' ') {
            write!(f, "\"{}\"", self.text)
        } else {
            f.write_str(&self.text)
        }
    }
}

impl Display for Period {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.first.fmt(f)?;
        match &self.last {
            Some(last) => write!(f, "..{last}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Europe::Berlin;

    fn interval(text: &str, zone: Tz) -> (String, String) {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let period = Period {
            first: Stamp::parse(first).unwrap(),
            last: Some(Stamp::parse(last).unwrap()),
        };
        let Interval { from, to } = period.interval(zone).unwrap();
        (from.to_string(), to.to_string())
    }

    #[test]
    fn stretches_end_where_the_next_begins_in_the_zone() {
        for (text, zone, from, to) in [
            (
                "2024",
                Tz::UTC,
                "2024-01-01T00:00:00Z",
                "2025-01-01T00:00:00Z",
            ),
            (
                "2024-12",
                Tz::UTC,
                "2024-12-01T00:00:00Z",
                "2025-01-01T00:00:00Z",
            ),
            (
                "2024-03",
                Berlin,
                "2024-02-29T23:00:00Z",
                "2024-03-31T22:00:00Z",
            ),
            (
                "2024-11-20..2024-12-01",
                Tz::UTC,
                "2024-11-20T00:00:00Z",
                "2024-12-02T00:00:00Z",
            ),
            (
                "9999-12-31",
                Tz::UTC,
                "9999-12-31T00:00:00Z",
                "9999-12-31T23:59:59.999999999Z",
            ),
        ] {
            assert_eq!(
                interval(text, zone),
                (from.to_owned(), to.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn days_that_do_not_exist_name_one_that_does() {
        for (text, near) in [
            ("2024-02-31", Some("2024-02-29")),
            ("2023-02-29", Some("2023-02-28")),
            ("2024-04-00", Some("2024-04-01")),
            ("2024-13-01", Some("2024-12-01")),
            ("2024-00", Some("2024-01")),
            ("0000-01-01", Some("0001-01-01")),
            ("2024-02-31T10:00:00Z", Some("2024-02-29")),
            ("yesterday", None),
            ("", None),
        ] {
            let (_, found) = Stamp::parse(text).unwrap_err();
            assert_eq!(found.as_deref(), near, "{text}");
        }
    }

    #[test]
    fn a_local_time_in_a_change_of_clocks_has_two_instants() {
        let two = |text: &str| Stamp::parse(text).unwrap().two_instants(Berlin);
        let shown = two("2024-10-27T02:30:00").unwrap();
        assert_eq!(
            (
                shown.earlier.to_string().as_str(),
                shown.later.to_string().as_str(),
                shown.skipped
            ),
            ("2024-10-27T00:30:00Z", "2024-10-27T01:30:00Z", false)
        );
        let shown = two("2024-03-31T02:30:00").unwrap();
        assert_eq!(
            (
                shown.earlier.to_string().as_str(),
                shown.later.to_string().as_str(),
                shown.skipped
            ),
            ("2024-03-31T00:30:00Z", "2024-03-31T01:30:00Z", true)
        );
        assert_eq!(two("2024-03-31T03:30:00"), None);
        assert_eq!(two("2024-10-27T02:30:00Z"), None);
    }
}
