//! Instants to the nanosecond, as sources write them and as Annals prints them.
//!
//! Left out: durations, calendars and zones, which are chrono's and chrono-tz's.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An instant: microseconds since 1970-01-01T00:00:00Z, and 0 to 999 nanoseconds on top.
///
/// Years 0001 to 9999. Prints as RFC 3339 in UTC with 0, 3, 6 or 9 digits of the second, as few as keep it whole.
///
/// ```
/// use annals_core::time::Time;
/// let t = Time::parse_rfc3339("2016-12-23T08:00:00.9225401+01:00").unwrap();
/// assert_eq!(t.to_string(), "2016-12-23T07:00:00.922540100Z");
/// assert_eq!((t.us(), t.sub_ns()), (1_482_476_400_922_540, 100));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, TS)]
#[ts(export)]
#[ts(type = "string")]
pub struct Time {
    us: i64,
    sub_ns: u16,
}

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// No known form fits.
    #[error(
        "{text:?} is not a time Annals knows (RFC 3339, for example 2024-01-10T23:59:59Z, or a date)"
    )]
    NotATime {
        /// The text.
        text: String,
    },
    /// Outside years 0001 to 9999.
    #[error("{text:?} is outside the years 0001 to 9999")]
    OutOfRange {
        /// The text.
        text: String,
    },
    /// The text names a zone that the time-zone data does not hold.
    #[error("unknown time zone {zone:?} (use UTC or an IANA name such as Europe/Berlin)")]
    UnknownZone {
        /// The zone.
        zone: String,
    },
}

/// 0001-01-01T00:00:00Z in microseconds.
const MIN_US: i64 = -62_135_596_800_000_000;
/// 9999-12-31T23:59:59.999999Z in microseconds.
const MAX_US: i64 = 253_402_300_799_999_999;

impl Time {
    /// First instant that can be kept: 0001-01-01T00:00:00Z.
    pub const MIN: Time = Time {
        us: MIN_US,
        sub_ns: 0,
    };
    /// Last instant that can be kept: 9999-12-31T23:59:59.999999999Z.
    pub const MAX: Time = Time {
        us: MAX_US,
        sub_ns: 999,
    };

    /// Builds an instant from microseconds since the epoch and nanoseconds on top (0 to 999).
    /// `None` outside years 0001 to 9999 or if `sub_ns` is over 999.
    #[must_use]
    pub fn from_parts(us: i64, sub_ns: u16) -> Option<Time> {
        ((MIN_US..=MAX_US).contains(&us) && sub_ns <= 999).then_some(Time { us, sub_ns })
    }

    /// Microseconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn us(self) -> i64 {
        self.us
    }

    /// Nanoseconds on top of [`Time::us`], 0 to 999.
    #[must_use]
    pub fn sub_ns(self) -> u16 {
        self.sub_ns
    }

    /// The next instant, one nanosecond later; [`Time::MAX`] stays.
    #[must_use]
    pub fn next_ns(self) -> Time {
        match (self.us, self.sub_ns) {
            (us, ns) if ns < 999 => Time { us, sub_ns: ns + 1 },
            (us, _) if us < MAX_US => Time {
                us: us + 1,
                sub_ns: 0,
            },
            _ => Time::MAX,
        }
    }

    /// The instant one nanosecond earlier; [`Time::MIN`] stays.
    #[must_use]
    pub fn previous_ns(self) -> Time {
        match (self.us, self.sub_ns) {
            (us, ns) if ns > 0 => Time { us, sub_ns: ns - 1 },
            (us, _) if us > MIN_US => Time {
                us: us - 1,
                sub_ns: 999,
            },
            _ => Time::MIN,
        }
    }

    /// Converts from chrono, clamped to [`Time::MIN`] and [`Time::MAX`].
    #[must_use]
    pub fn from_utc(t: DateTime<Utc>) -> Time {
        let us = t.timestamp_micros();
        if us < MIN_US {
            Time::MIN
        } else if us > MAX_US {
            Time::MAX
        } else {
            // A leap second reaches chrono as nanoseconds over 10^9; timestamp_micros carries it over.
            Time {
                us,
                sub_ns: (t.nanosecond() % 1_000) as u16,
            }
        }
    }

    /// Converts to chrono.
    ///
    /// # Panics
    /// Never: every `Time` lies in chrono's range.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.us).expect("years 0001 to 9999 are in chrono's range")
            + chrono::TimeDelta::nanoseconds(i64::from(self.sub_ns))
    }

    /// Longest text of [`Time::write_utc`], in bytes.
    pub const UTC_LENGTH: usize = "9999-12-31T23:59:59.999999999Z".len();

    /// Writes RFC 3339 in UTC with `digits` (0 to 9) digits after the second, further ones cut, and returns the text.
    ///
    /// ```
    /// use annals_core::time::Time;
    /// let time = Time::parse_rfc3339("2024-01-15T10:30:00.25Z").unwrap();
    /// let mut text = [0; Time::UTC_LENGTH];
    /// assert_eq!(time.write_utc(0, &mut text), "2024-01-15T10:30:00Z");
    /// assert_eq!(time.write_utc(4, &mut text), "2024-01-15T10:30:00.2500Z");
    /// ```
    ///
    /// # Panics
    /// Where `digits` is more than nine.
    pub fn write_utc(self, digits: u8, out: &mut [u8; Time::UTC_LENGTH]) -> &str {
        fn put(out: &mut [u8], mut number: u32) {
            for digit in out.iter_mut().rev() {
                *digit = b'0' + (number % 10) as u8;
                number /= 10;
            }
        }
        assert!(digits <= 9, "a second has nine digits here");
        let utc = self.to_utc();
        out[..20].copy_from_slice(b"0000-00-00T00:00:00Z");
        put(&mut out[..4], utc.year().unsigned_abs());
        put(&mut out[5..7], utc.month());
        put(&mut out[8..10], utc.day());
        put(&mut out[11..13], utc.hour());
        put(&mut out[14..16], utc.minute());
        put(&mut out[17..19], utc.second());
        let digits = usize::from(digits);
        let len = match digits {
            0 => 20,
            _ => {
                let mut nine = [0; 9];
                put(&mut nine, utc.nanosecond());
                out[19] = b'.';
                out[20..20 + digits].copy_from_slice(&nine[..digits]);
                out[20 + digits] = b'Z';
                21 + digits
            }
        };
        std::str::from_utf8(&out[..len]).expect("digits and signs were put there")
    }

    /// Parses RFC 3339 with an offset (`T` or a space, any number of digits of the second; more than nine are cut).
    ///
    /// # Errors
    /// [`TimeError::NotATime`], or [`TimeError::OutOfRange`] outside years 0001 to 9999.
    pub fn parse_rfc3339(text: &str) -> Result<Time, TimeError> {
        match SourceTime::parse(text, Tz::UTC) {
            Ok(t) if !t.zone_assumed && !t.date_only => Ok(t.time),
            Ok(_) => Err(TimeError::NotATime {
                text: text.to_owned(),
            }),
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            &self
                .to_utc()
                .to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
        )
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Time::parse_rfc3339(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

/// A time as a source wrote it: the instant, the text, and what had to be assumed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTime {
    /// The instant.
    pub time: Time,
    /// The text as written; `None` where the source gave none (the time was derived or is the log's own).
    pub text: Option<String>,
    /// The text names a day only; the instant is that day at 00:00.
    pub date_only: bool,
    /// The text names no zone, and the one handed in was used.
    pub zone_assumed: bool,
    /// The local time does not exist, or exists twice, in the zone (change of summer time); the earlier
    /// offset was used.
    pub ambiguous: bool,
}

impl SourceTime {
    /// An instant that no source wrote, such as the log's own clock.
    #[must_use]
    pub fn unwritten(time: Time) -> SourceTime {
        SourceTime {
            time,
            text: None,
            date_only: false,
            zone_assumed: false,
            ambiguous: false,
        }
    }

    /// A local date and clock (`None`: 00:00 and a day only) with an offset in seconds east of UTC, or in `zone`.
    /// `None` outside years 0001 to 9999.
    pub(crate) fn from_local(
        text: &str,
        date: NaiveDate,
        clock: Option<chrono::NaiveTime>,
        offset: Option<i32>,
        zone: Tz,
    ) -> Option<SourceTime> {
        let clock_or_midnight = clock.unwrap_or(chrono::NaiveTime::MIN);
        // A leap second is the first of the next minute.
        let leap = clock_or_midnight.nanosecond() / 1_000_000_000;
        let nanosecond = clock_or_midnight.nanosecond() % 1_000_000_000;
        let local = date
            .and_time(clock_or_midnight.with_nanosecond(nanosecond)?)
            .checked_add_signed(chrono::TimeDelta::seconds(i64::from(leap)))?;
        let (utc, ambiguous) = match offset {
            Some(seconds) => {
                let utc =
                    local.checked_sub_signed(chrono::TimeDelta::seconds(i64::from(seconds)))?;
                (utc, false)
            }
            None if (0..=10_000).contains(&local.year()) => local_to_utc(local, zone),
            None => return None,
        };
        (1..=9999).contains(&utc.year()).then(|| SourceTime {
            time: Time::from_utc(utc.and_utc()),
            text: Some(text.to_owned()),
            date_only: clock.is_none(),
            zone_assumed: offset.is_none(),
            ambiguous,
        })
    }

    /// Parses what sources write: RFC 3339 and ISO 8601 forms with or without offset, `T` or space, comma or
    /// point, any number of digits of the second; a date alone. `zone` stands in where the text names none.
    ///
    /// # Errors
    /// [`TimeError::NotATime`] if no form fits, [`TimeError::OutOfRange`] outside years 0001 to 9999.
    ///
    /// ```
    /// use annals_core::time::SourceTime;
    /// let t = SourceTime::parse("2024-01-10", chrono_tz::UTC).unwrap();
    /// assert!(t.date_only && t.zone_assumed);
    /// assert_eq!(t.time.to_string(), "2024-01-10T00:00:00Z");
    /// let t = SourceTime::parse("2024-07-01 12:00:00", chrono_tz::Europe::Berlin).unwrap();
    /// assert_eq!(t.time.to_string(), "2024-07-01T10:00:00Z");
    /// ```
    pub fn parse(text: &str, zone: Tz) -> Result<SourceTime, TimeError> {
        let trimmed = text.trim();
        let not = || TimeError::NotATime {
            text: text.to_owned(),
        };
        let bytes = trimmed.as_bytes();
        if !trimmed.is_ascii() || bytes.len() < 8 {
            return Err(not());
        }
        let (date, rest) = split_date(trimmed).ok_or_else(not)?;
        let date_only = rest.is_empty();
        let (clock, offset) = if date_only {
            ("00:00:00", "")
        } else {
            split_offset(rest)
        };
        let (second, nanosecond) = parse_clock(clock).ok_or_else(not)?;
        let local = date
            .and_time(chrono::NaiveTime::MIN)
            .checked_add_signed(
                chrono::TimeDelta::new(i64::from(second), nanosecond).ok_or_else(not)?,
            )
            .ok_or_else(not)?;
        let (utc, zone_assumed, ambiguous) = match offset {
            "" => {
                let (utc, ambiguous) = local_to_utc(local, zone);
                (utc, true, ambiguous)
            }
            offset => {
                let seconds = parse_offset(offset).ok_or_else(not)?;
                (
                    local - chrono::TimeDelta::seconds(i64::from(seconds)),
                    false,
                    false,
                )
            }
        };
        let out = || TimeError::OutOfRange {
            text: text.to_owned(),
        };
        if !(1..=9999).contains(&utc.year()) {
            return Err(out());
        }
        Ok(SourceTime {
            time: Time::from_utc(utc.and_utc()),
            text: Some(text.to_owned()),
            date_only,
            zone_assumed,
            ambiguous,
        })
    }
}

/// Parses a zone name: `UTC`, or an IANA name such as `Europe/Berlin`.
///
/// # Errors
/// [`TimeError::UnknownZone`] if the time-zone data does not hold it.
pub fn parse_zone(name: &str) -> Result<Tz, TimeError> {
    name.parse().map_err(|_| TimeError::UnknownZone {
        zone: name.to_owned(),
    })
}

/// Splits `YYYY-MM-DD` (or `YYYYMMDD`, `YYYY/MM/DD`) from what follows the `T` or the space.
fn split_date(text: &str) -> Option<(NaiveDate, &str)> {
    let digits = |s: &str| {
        (!s.is_empty() && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u32>().ok())?
    };
    let bytes = text.as_bytes();
    let separated =
        bytes.len() >= 10 && (bytes[4] == b'-' || bytes[4] == b'/') && bytes[4] == bytes[7];
    let (y, m, d, rest) = if separated {
        (&text[..4], &text[5..7], &text[8..10], &text[10..])
    } else {
        (&text[..4], &text[4..6], &text[6..8], &text[8..])
    };
    let date = NaiveDate::from_ymd_opt(digits(y)? as i32, digits(m)?, digits(d)?)?;
    match rest.as_bytes().first() {
        None => Some((date, "")),
        Some(b'T' | b't' | b' ') if rest.len() > 1 => Some((date, rest[1..].trim_start())),
        Some(_) => None,
    }
}

/// Splits a clock text from its offset: `10:30:00.5+01:00` into `10:30:00.5` and `+01:00`.
fn split_offset(text: &str) -> (&str, &str) {
    match text.find(['Z', 'z', '+', '-', 'U', 'G']) {
        Some(at) => (text[..at].trim_end(), &text[at..]),
        None => (text, ""),
    }
}

/// Reads `HH:MM[:SS[.digits]]` or `HHMM[SS]` as seconds of the day and nanoseconds. Second 60 is the first of
/// the next minute, 24:00 the first of the next day.
fn parse_clock(text: &str) -> Option<(u32, u32)> {
    let (whole, fraction) = match text.find(['.', ',']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let two = |s: &str| {
        (s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit())).then(|| s.parse::<u32>().ok())?
    };
    let parts: Vec<&str> = if whole.contains(':') {
        whole.split(':').collect()
    } else if whole.len() % 2 == 0 && whole.is_ascii() && (4..=6).contains(&whole.len()) {
        (0..whole.len())
            .step_by(2)
            .map(|i| &whole[i..i + 2])
            .collect()
    } else {
        return None;
    };
    let (h, m, s) = match parts[..] {
        [h, m] => (two(h)?, two(m)?, 0),
        [h, m, s] => (two(h)?, two(m)?, two(s)?),
        _ => return None,
    };
    let nanosecond = match fraction {
        None => 0,
        Some(f) if !f.is_empty() && f.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{:0<9}", &f[..f.len().min(9)]).parse().ok()?
        }
        Some(_) => return None,
    };
    let in_day = h < 24 && m < 60 && s <= 60;
    let midnight = h == 24 && m == 0 && s == 0 && nanosecond == 0;
    (in_day || midnight).then_some((h * 3600 + m * 60 + s, nanosecond))
}

/// Reads `Z`, `UTC`, `GMT`, `+01:00`, `+0100` or `+01` as seconds east of UTC.
fn parse_offset(text: &str) -> Option<i32> {
    if matches!(text, "Z" | "z" | "UTC" | "GMT") {
        return Some(0);
    }
    let sign = match text.as_bytes()[0] {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits[..2].parse().ok()?;
    let minutes: i32 = if digits.len() == 4 {
        digits[2..].parse().ok()?
    } else {
        0
    };
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Resolves a local time: where it exists twice the earlier instant, where it does not exist the instant that
/// the offset before the change gives. The flag says that it had to choose.
fn local_to_utc(local: NaiveDateTime, zone: Tz) -> (NaiveDateTime, bool) {
    match zone.from_local_datetime(&local) {
        chrono::LocalResult::Single(t) => (t.naive_utc(), false),
        chrono::LocalResult::Ambiguous(a, b) => (a.naive_utc().min(b.naive_utc()), true),
        chrono::LocalResult::None => {
            let before = zone.offset_from_utc_datetime(&(local - chrono::TimeDelta::days(1)));
            let seconds = chrono::Offset::fix(&before).local_minus_utc();
            (local - chrono::TimeDelta::seconds(i64::from(seconds)), true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc(text: &str) -> String {
        SourceTime::parse(text, Tz::UTC).unwrap().time.to_string()
    }

    #[test]
    fn forms_that_sources_write_are_read() {
        for (text, want) in [
            ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00Z"),
            ("2024-01-15t10:30:00z", "2024-01-15T10:30:00Z"),
            (
                "2024-01-15 10:30:00.123456789+02:00",
                "2024-01-15T08:30:00.123456789Z",
            ),
            ("2024-01-15 10:30:00,5 UTC", "2024-01-15T10:30:00.500Z"),
            ("2024-01-15T10:30+0130", "2024-01-15T09:00:00Z"),
            ("20240115T103000Z", "2024-01-15T10:30:00Z"),
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("2024-01-15T24:00:00Z", "2024-01-16T00:00:00Z"),
            (
                "1969-12-31T23:59:59.999999999Z",
                "1969-12-31T23:59:59.999999999Z",
            ),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
            (
                "9999-12-31T23:59:59.999999999Z",
                "9999-12-31T23:59:59.999999999Z",
            ),
        ] {
            assert_eq!(utc(text), want, "{text}");
        }
    }

    #[test]
    fn texts_that_are_no_time_are_refused() {
        for text in [
            "",
            "yesterday",
            "2024-13-01",
            "2024-01-15T",
            "2024-01-15T25:00:00Z",
            "2024-01-15T10:30:00+99:00",
            "10/01/2024",
            "2024-01-15T10:30:00.Z",
            "２０２４-01-15",
            "2024-01-15X10:00",
        ] {
            assert!(SourceTime::parse(text, Tz::UTC).is_err(), "{text}");
        }
        assert!(matches!(
            Time::parse_rfc3339("0001-01-01T00:00:00+01:00"),
            Err(TimeError::OutOfRange { .. })
        ));
    }

    #[test]
    fn a_change_of_summer_time_is_marked() {
        let berlin = chrono_tz::Europe::Berlin;
        let twice = SourceTime::parse("2024-10-27 02:30:00", berlin).unwrap();
        assert_eq!(
            (twice.time.to_string().as_str(), twice.ambiguous),
            ("2024-10-27T00:30:00Z", true)
        );
        let never = SourceTime::parse("2024-03-31 02:30:00", berlin).unwrap();
        assert_eq!(
            (never.time.to_string().as_str(), never.ambiguous),
            ("2024-03-31T01:30:00Z", true)
        );
    }

    #[test]
    fn neighbours_are_one_nanosecond_apart() {
        let t = Time::parse_rfc3339("2024-01-10T00:00:00Z").unwrap();
        assert_eq!(
            t.previous_ns().to_string(),
            "2024-01-09T23:59:59.999999999Z"
        );
        assert_eq!(t.previous_ns().next_ns(), t);
        assert_eq!(
            (Time::MAX.next_ns(), Time::MIN.previous_ns()),
            (Time::MAX, Time::MIN)
        );
    }
}
