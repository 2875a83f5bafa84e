//! How times are written in a table: by form, by a format, or as numbers since 1970.

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono_tz::Tz;

use crate::import::mapping::epoch;
use crate::time::{SourceTime, Time};

/// How a time is written.
#[derive(Debug, Clone)]
pub(in crate::import) enum Clock {
    /// In any of the forms that JSON imports take.
    Auto,
    /// As a format of `strftime` says.
    Format(Vec<Item<'static>>),
    /// A number since 1970; the exponent of its unit: 0 seconds, 3 milli-, 6 micro-, 9 nanoseconds.
    Epoch(u32),
}

impl Clock {
    /// Reads what a mapping says.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence for the user.
    pub(in crate::import) fn parse(format: &str) -> Result<Clock, String> {
        let epoch = match format {
            "" | "auto" => return Ok(Clock::Auto),
            "epoch s" => 0,
            "epoch ms" => 3,
            "epoch us" => 6,
            "epoch ns" => 9,
            format => {
                let items: Vec<Item<'_>> = StrftimeItems::new(format).collect();
                let wrong = items.iter().any(|item| matches!(item, Item::Error));
                if wrong || !format.contains('%') {
                    return Err(format!(
                        "{format:?} is no format of times; such are auto, \"%d.%m.%Y %H:%M:%S\", \"epoch s\", \"epoch ms\""
                    ));
                }
                return Ok(Clock::Format(
                    items.into_iter().map(Item::to_owned).collect(),
                ));
            }
        };
        Ok(Clock::Epoch(epoch))
    }

    /// Reads a time; `zone` stands in where it names none. The text is kept as written.
    ///
    /// # Errors
    /// Why it is none, in a sentence for the user.
    pub(in crate::import) fn time_of(&self, text: &str, zone: Tz) -> Result<SourceTime, String> {
        match self {
            Clock::Auto => epoch::time_of_text(text, zone),
            Clock::Epoch(unit) => {
                let time = epoch::since_1970_in(text.trim(), *unit).ok_or_else(|| {
                    format!("{text:?} is no number since 1970 in the years 0001 to 9999")
                })?;
                Ok(SourceTime {
                    text: Some(text.to_owned()),
                    ..SourceTime::unwritten(time)
                })
            }
            Clock::Format(items) => formatted(text, items, zone),
        }
    }
}

fn formatted(text: &str, items: &[Item<'_>], zone: Tz) -> Result<SourceTime, String> {
    let not = || format!("{text:?} is not written as the format of times says");
    let mut parsed = Parsed::new();
    parse(&mut parsed, text.trim(), items.iter()).map_err(|_| not())?;
    let out = || format!("{text:?} is outside of the years 0001 to 9999");
    if let Some(seconds) = parsed.timestamp() {
        let us = seconds.checked_mul(1_000_000).ok_or_else(out)?;
        let ns = parsed.nanosecond().unwrap_or(0);
        let time = Time::from_parts(us + i64::from(ns / 1_000), (ns % 1_000) as u16);
        return Ok(SourceTime {
            text: Some(text.to_owned()),
            ..SourceTime::unwritten(time.ok_or_else(out)?)
        });
    }
    let date = parsed.to_naive_date().map_err(|_| not())?;
    let clock = match parsed.to_naive_time() {
        Ok(clock) => Some(clock),
        // A format without a clock gives a day.
        Err(_) if parsed.hour_div_12().is_none() && parsed.hour_mod_12().is_none() => None,
        Err(_) if parsed.minute().is_none() => hour_of(&parsed),
        Err(_) => return Err(not()),
    };
    let offset = parsed.offset();
    SourceTime::from_local(text, date, clock, offset, zone).ok_or_else(out)
}

/// A clock that names only its hour.
fn hour_of(parsed: &Parsed) -> Option<chrono::NaiveTime> {
    let hour = parsed.hour_div_12().unwrap_or(0) * 12 + parsed.hour_mod_12()?;
    chrono::NaiveTime::from_hms_opt(hour, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &str, text: &str) -> Option<String> {
        let clock = Clock::parse(format).unwrap();
        let time = clock.time_of(text, chrono_tz::Europe::Berlin).ok()?;
        assert_eq!(time.text.as_deref(), Some(text));
        let marks = match (time.date_only, time.zone_assumed, time.ambiguous) {
            (true, _, _) => " day",
            (_, _, true) => " ambiguous",
            (_, true, _) => " assumed",
            _ => "",
        };
        Some(format!("{}{marks}", time.time))
    }

    #[test]
    fn times_are_read_as_the_format_says() {
        for (format, text, want) in [
            (
                "auto",
                "2024-01-15 10:30:00",
                "2024-01-15T09:30:00Z assumed",
            ),
            ("auto", "1705314600", "2024-01-15T10:30:00Z"),
            (
                "%d.%m.%Y %H:%M:%S",
                "15.01.2024 10:30:00",
                "2024-01-15T09:30:00Z assumed",
            ),
            (
                "%d.%m.%Y %H:%M",
                "15.1.2024 9:05",
                "2024-01-15T08:05:00Z assumed",
            ),
            ("%d.%m.%Y", "15.01.2024", "2024-01-14T23:00:00Z day"),
            (
                "%m/%d/%Y %I:%M %p",
                "01/15/2024 03:30 PM",
                "2024-01-15T14:30:00Z assumed",
            ),
            (
                "%d.%m.%Y %H:%M:%S%.f",
                "15.01.2024 10:30:00.123456789",
                "2024-01-15T09:30:00.123456789Z assumed",
            ),
            (
                "%d %b %Y %H:%M:%S %z",
                "15 Jan 2024 10:30:00 +0200",
                "2024-01-15T08:30:00Z",
            ),
            (
                "%d.%m.%Y %H:%M",
                "27.10.2024 02:30",
                "2024-10-27T00:30:00Z ambiguous",
            ),
            (
                "%d.%m.%Y %H:%M",
                "31.03.2024 02:30",
                "2024-03-31T01:30:00Z ambiguous",
            ),
            (
                "%d.%m.%Y %H:%M:%S",
                "01.01.2017 00:59:60",
                "2017-01-01T00:00:00Z assumed",
            ),
            ("%d.%m.%Y", "31.12.9999", "9999-12-30T23:00:00Z day"),
            ("%s", "1705314600", "2024-01-15T10:30:00Z"),
            ("epoch ms", "1", "1970-01-01T00:00:00.001Z"),
            ("epoch s", "1705314600.5", "2024-01-15T10:30:00.500Z"),
            ("epoch ns", "-1", "1969-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(read(format, text).as_deref(), Some(want), "{format} {text}");
        }
        for (format, text) in [
            ("%d.%m.%Y", "2024-01-15"),
            ("%d.%m.%Y", "15.01.2024 10:30"),
            ("%d.%m.%Y", "31.02.2024"),
            ("%d.%m.%Y %H:%M", "15.01.10000 10:00"),
            ("epoch s", "x"),
            ("auto", "15.01.2024"),
        ] {
            assert_eq!(read(format, text), None, "{format} {text}");
        }
        assert!(Clock::parse("%Q").is_err());
        assert!(Clock::parse("yesterday").is_err());
    }
}
