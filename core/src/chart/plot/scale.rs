//! From exact values to whole pixels: ticks, shares, times; and how numbers and widths of text are told.

use chrono::{Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeZone, Timelike};
use chrono_tz::Tz;
use rust_decimal::Decimal;

use crate::model::Exact;
use crate::time::Time;

/// A number as JSON writes it, where it fits 28 digits.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    match Exact::read(text).ok()? {
        Exact::Int(whole) => Some(Decimal::from(whole)),
        Exact::Decimal(decimal) => Some(decimal),
    }
}

/// A number with the digits before its point in groups of three; what has an exponent stays as it is.
///
/// ```
/// use annals_core::chart::grouped_text;
/// assert_eq!(grouped_text("-45678.90"), "-45,678.90");
/// assert_eq!(grouped_text("1e9"), "1e9");
/// ```
#[must_use]
pub fn grouped_text(text: &str) -> String {
    let unsigned = text.trim_start_matches('-');
    let sign = &text[..text.len() - unsigned.len()];
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    if whole.is_empty() || !whole.bytes().all(|b| b.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut out = sign.to_owned();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A range of values: from its lowest to its highest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub low: Decimal,
    pub high: Decimal,
}

impl Span {
    /// The range of values, wide enough for zero where `zero` says so.
    pub fn of(values: impl Iterator<Item = Decimal>, zero: bool) -> Span {
        let mut span: Option<Span> = None;
        for value in values {
            span = Some(match span {
                None => Span {
                    low: value,
                    high: value,
                },
                Some(Span { low, high }) => Span {
                    low: low.min(value),
                    high: high.max(value),
                },
            });
        }
        let mut span = span.unwrap_or(Span {
            low: Decimal::ZERO,
            high: Decimal::ZERO,
        });
        if zero {
            span.low = span.low.min(Decimal::ZERO);
            span.high = span.high.max(Decimal::ZERO);
        }
        if zero && span.low == span.high {
            match span.low.checked_add(Decimal::ONE) {
                Some(high) => span.high = high,
                None => span.low = Decimal::ZERO,
            }
        }
        span
    }

    /// Whether the range is so narrow, and so far from zero, that what moves in it would be drawn as flat.
    pub fn far_from_zero(self) -> bool {
        let four = Decimal::from(4);
        let far = |near: Decimal, end: Decimal| {
            // near > 3/4 of end
            end.checked_div(four)
                .and_then(|quarter| end.checked_sub(quarter))
                .is_some_and(|limit| near > limit)
        };
        self.low != self.high
            && ((self.low > Decimal::ZERO && far(self.low, self.high))
                || (self.high < Decimal::ZERO && far(-self.high, -self.low)))
    }

    /// Place of a value in a length, in whole pixels from the low end.
    pub fn place(self, value: Decimal, length_px: i32) -> i32 {
        // Halves, so that no difference leaves the range of a decimal.
        let half = |value: Decimal| value / Decimal::TWO;
        let whole = half(self.high) - half(self.low);
        let part = half(value) - half(self.low);
        let share = part.checked_div(whole).unwrap_or_default();
        let place = (share * Decimal::from(length_px)).round();
        i32::try_from(place).unwrap_or(0).clamp(0, length_px)
    }

    /// Round numbers from at most the lowest to at least the highest, at most seven; and the range that they span.
    pub fn ticks(self) -> (Vec<Decimal>, Span) {
        let fits = |step: Decimal| {
            let first = self.low.checked_div(step)?.floor();
            let last = self.high.checked_div(step)?.ceil();
            let count = last.checked_sub(first)?;
            (count <= Decimal::from(6)).then_some((first, count, step))
        };
        let steps = (-28..=28).flat_map(|power: i32| {
            [1i64, 2, 5].into_iter().filter_map(move |digit| {
                if power < 0 {
                    Some(Decimal::new(digit, power.unsigned_abs()))
                } else {
                    let unit = 10i128.checked_pow(power.unsigned_abs())?;
                    let step = unit.checked_mul(i128::from(digit))?;
                    Decimal::try_from_i128_with_scale(step, 0).ok()
                }
            })
        });
        let found = steps.into_iter().find_map(fits);
        let Some((first, count, step)) = found else {
            return (vec![self.low, self.high], self);
        };
        let count: i64 = i64::try_from(count).unwrap_or(1);
        let ticks: Vec<Decimal> = (0..=count)
            .filter_map(|n| (first + Decimal::from(n)).checked_mul(step))
            .map(|tick| tick.normalize())
            .collect();
        match (ticks.first(), ticks.last()) {
            (Some(low), Some(high)) if low <= &self.low && high >= &self.high => {
                let span = Span {
                    low: *low,
                    high: *high,
                };
                (ticks, span)
            }
            _ => (vec![self.low, self.high], self),
        }
    }
}

/// Ticks as texts, all with as many digits after the point.
pub(super) fn tick_texts(ticks: &[Decimal]) -> Vec<String> {
    let places = ticks.iter().map(|tick| tick.scale()).max().unwrap_or(0);
    ticks
        .iter()
        .map(|tick| {
            let mut tick = *tick;
            tick.rescale(places);
            grouped_text(&tick.to_string())
        })
        .collect()
}

/// Nanoseconds since 1970.
pub(super) fn nanoseconds(time: Time) -> i128 {
    i128::from(time.us()) * 1000 + i128::from(time.sub_ns())
}

/// Place of an instant in a length, in whole pixels from the first one.
pub(super) fn place_of(time: Time, first: Time, last: Time, length_px: i32) -> i32 {
    let (time, first, last) = (nanoseconds(time), nanoseconds(first), nanoseconds(last));
    let whole = last - first;
    if whole <= 0 {
        return length_px / 2;
    }
    let place = (time - first) * i128::from(length_px) / whole;
    i32::try_from(place).unwrap_or(0).clamp(0, length_px)
}

/// Steps between ticks of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Seconds(i64),
    Days(u64),
    Months(u32),
}

const EVERY: [Every; 23] = [
    Every::Seconds(1),
    Every::Seconds(5),
    Every::Seconds(15),
    Every::Seconds(60),
    Every::Seconds(300),
    Every::Seconds(900),
    Every::Seconds(1800),
    Every::Seconds(3600),
    Every::Seconds(3 * 3600),
    Every::Seconds(6 * 3600),
    Every::Seconds(12 * 3600),
    Every::Days(1),
    Every::Days(2),
    Every::Days(7),
    Every::Days(14),
    Every::Months(1),
    Every::Months(3),
    Every::Months(12),
    Every::Months(24),
    Every::Months(60),
    Every::Months(120),
    Every::Months(600),
    Every::Months(6000),
];

/// Round instants between two, at most `most` of them, each with its label in the zone.
pub(super) fn time_ticks(first: Time, last: Time, zone: Tz, most: usize) -> Vec<(Time, String)> {
    for every in EVERY {
        if roughly(first, last, every) > most as i128 * 2 {
            continue;
        }
        let ticks = ticks_every(first, last, zone, every);
        if ticks.len() <= most && !ticks.is_empty() {
            return ticks;
        }
    }
    // Between two ticks of the finest step: the first instant, whole.
    vec![(first, first.to_string())]
}

fn roughly(first: Time, last: Time, every: Every) -> i128 {
    let seconds = (nanoseconds(last) - nanoseconds(first)) / 1_000_000_000;
    let step: i128 = match every {
        Every::Seconds(n) => n.into(),
        Every::Days(n) => i128::from(n) * 86_400,
        Every::Months(n) => i128::from(n) * 30 * 86_400,
    };
    seconds / step
}

fn ticks_every(first: Time, last: Time, zone: Tz, every: Every) -> Vec<(Time, String)> {
    let local = |time: Time| zone.from_utc_datetime(&time.to_utc().naive_utc());
    let start = local(first).date_naive();
    let instant = |local: NaiveDateTime| {
        let at = zone.from_local_datetime(&local).earliest()?;
        Some(Time::from_utc(at.to_utc()))
    };
    let mut ticks = Vec::new();
    let mut take = |time: Time, format: &str| {
        if time >= first && time <= last {
            ticks.push((time, local(time).format(format).to_string()));
        }
        time <= last
    };
    match every {
        Every::Seconds(step) => {
            let mut at = instant(start.and_time(chrono::NaiveTime::MIN)).unwrap_or(first);
            let format = if step < 60 { "%H:%M:%S" } else { "%m-%d %H:%M" };
            // From the last whole step before the first instant on.
            let behind = (nanoseconds(first) - nanoseconds(at)) / 1_000_000_000;
            let skipped = i64::try_from(behind / i128::from(step)).unwrap_or(0);
            let later = |time: Time, steps: i64| {
                let us = time
                    .us()
                    .checked_add(steps.checked_mul(step * 1_000_000)?)?;
                Time::from_parts(us, 0)
            };
            at = later(at, skipped).unwrap_or(first);
            while take(at, format) {
                match later(at, 1) {
                    Some(next) => at = next,
                    None => break,
                }
            }
        }
        Every::Days(step) => {
            let mut day = start;
            while instant(day.and_time(chrono::NaiveTime::MIN))
                .is_none_or(|time| take(time, "%Y-%m-%d"))
            {
                match day.checked_add_days(Days::new(step)) {
                    Some(next) => day = next,
                    None => break,
                }
            }
        }
        Every::Months(step) => {
            let years = i32::try_from(step / 12).unwrap_or(1);
            let month = if step >= 12 {
                1
            } else {
                start.month0() / step * step + 1
            };
            let year = if step >= 12 {
                start.year().div_euclid(years) * years
            } else {
                start.year()
            };
            let format = if step >= 12 { "%Y" } else { "%Y-%m" };
            let Some(mut day) = NaiveDate::from_ymd_opt(year, month, 1) else {
                return ticks;
            };
            while instant(day.and_time(chrono::NaiveTime::MIN))
                .is_none_or(|time| take(time, format))
            {
                match day.checked_add_months(Months::new(step)) {
                    Some(next) => day = next,
                    None => break,
                }
            }
        }
    }
    ticks
}

/// An instant in the zone, as short as it can be said: a day where it is the start of one.
pub(super) fn told(time: Time, zone: Tz) -> String {
    let local = zone.from_utc_datetime(&time.to_utc().naive_utc());
    let midnight = local.num_seconds_from_midnight() == 0 && local.nanosecond() == 0;
    match midnight {
        true => local.format("%Y-%m-%d").to_string(),
        false => local.format("%Y-%m-%d %H:%M:%S").to_string(),
    }
}

/// Width of a text in pixels, of letters `size_px` high: never less than it is in the fonts that are likely.
pub(super) fn width_of(text: &str, size_px: i32) -> i32 {
    let hundredths: i32 = text.chars().map(width_of_char).sum();
    hundredths * size_px / 100 + 1
}

fn width_of_char(c: char) -> i32 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 34,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 44,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '…' => 95,
        'A'..='Z' => 72,
        '\0'..='\u{2fff}' => 60,
        _ => 104,
    }
}

/// The text, cut with `…` where it is wider than that.
pub(crate) fn fitted(text: &str, size_px: i32, most_px: i32) -> String {
    if width_of(text, size_px) <= most_px {
        return text.to_owned();
    }
    let room = (most_px - width_of("…", size_px)).max(0) * 100;
    let mut used = 0;
    let kept: String = text
        .chars()
        .take_while(|c| {
            used += width_of_char(*c) * size_px;
            used <= room
        })
        .collect();
    format!("{}…", kept.trim_end())
}
