//! When things happen in a world: peaks of the day and the week, the season, working hours. Times are microseconds
//! since it began.

use super::random::Random;
use crate::time::Time;

pub(in crate::sample) const SECOND: i64 = 1_000_000;
pub(in crate::sample) const MINUTE: i64 = 60 * SECOND;
pub(in crate::sample) const HOUR: i64 = 60 * MINUTE;
pub(in crate::sample) const DAY: i64 = 24 * HOUR;

/// 2024-01-01T00:00:00Z, a Monday, in microseconds since 1970.
const OPENING_US: i64 = 1_704_067_200_000_000;

/// Visitors by hour of the day: few at night, a peak at noon, a higher one in the evening.
const BY_HOUR: [u64; 24] = [
    2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 15, 17, 22, 18, 14, 13, 14, 17, 22, 28, 34, 30, 18, 8,
];

/// Visitors by day of the week, Monday first.
const BY_WEEKDAY: [u64; 7] = [10, 10, 9, 10, 9, 8, 13];

/// Sum of [`BY_HOUR`] times the mean of [`BY_WEEKDAY`], times the 10 that an ordinary season counts.
const ORDINARY_DAY: u64 = 316 * 69 / 7 * 10;

/// When the shop opens.
pub(in crate::sample) fn opening() -> Time {
    time(0)
}

/// The instant so many microseconds after the opening.
pub(in crate::sample) fn time(us: i64) -> Time {
    Time::from_parts(OPENING_US + us, 0).expect("a shop closes long before the year 9999")
}

/// How long a world with so many events is to run, about, in days.
pub(in crate::sample) fn days(events: u64) -> u64 {
    match events {
        0..=1_000 => 21,
        1_001..=20_000 => 90,
        20_001..=200_000 => 250,
        200_001..=2_000_000 => 500,
        _ => 1_000,
    }
}

/// Those who come, hour by hour.
#[derive(Debug)]
pub(in crate::sample) struct Visitors {
    per_day: u64,
    /// What the hours before left over, in thousandths of a visitor.
    carried_milli: u64,
}

impl Visitors {
    /// So many on an ordinary day.
    pub(in crate::sample) fn new(per_day: u64) -> Visitors {
        Visitors {
            per_day,
            carried_milli: 0,
        }
    }

    /// How many come in an hour, where its share of the day is `times` the usual one.
    pub(in crate::sample) fn of_hour(&mut self, hour: i64, times: u64) -> u64 {
        let milli = visitors_milli(hour, self.per_day) * times + self.carried_milli;
        self.carried_milli = milli % 1_000;
        milli / 1_000
    }
}

/// Visitors of one hour where an ordinary day has `per_day`, in thousandths.
fn visitors_milli(hour: i64, per_day: u64) -> u64 {
    let day = hour / 24;
    let season = match day % 365 {
        // Before Christmas.
        325..=357 => 16,
        // Summer.
        181..=242 => 8,
        _ => 10,
    };
    let weight = BY_HOUR[(hour % 24) as usize] * BY_WEEKDAY[(day % 7) as usize] * season;
    per_day * 1_000 * weight / ORDINARY_DAY
}

/// Monday is 0.
fn weekday(us: i64) -> i64 {
    us / DAY % 7
}

/// The first instant from `us` on that is in the warehouse's hours (Monday to Saturday, 7 to 18 o'clock); where
/// it has to wait for the next morning, it takes its turn within the first four hours.
pub(in crate::sample) fn working(us: i64, random: &mut Random) -> i64 {
    let (day, of_day) = (us / DAY, us % DAY);
    let open_today = weekday(us) != 6;
    if open_today && (7 * HOUR..18 * HOUR).contains(&of_day) {
        return us;
    }
    let mut next = if open_today && of_day < 7 * HOUR {
        day
    } else {
        day + 1
    };
    if weekday(next * DAY) == 6 {
        next += 1;
    }
    next * DAY + 7 * HOUR + random.between(0, 4 * HOUR)
}

/// The morning that many working days later, when suppliers come.
pub(in crate::sample) fn delivery(us: i64, working_days: i64, random: &mut Random) -> i64 {
    let mut day = us / DAY;
    let mut left = working_days;
    while left > 0 {
        day += 1;
        if weekday(day * DAY) < 5 {
            left -= 1;
        }
    }
    day * DAY + 6 * HOUR + random.between(0, 3 * HOUR)
}
