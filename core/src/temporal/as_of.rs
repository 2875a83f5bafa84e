//! Instants: how a user names where on a stream to stand.

use chrono::{Days, TimeZone};
use chrono_tz::Tz;
use serde::Serialize;
use ts_rs::TS;

use crate::position::{Position, Version};
use crate::time::{SourceTime, Time, TimeError};

/// Two coordinates in time: what had happened, and what was known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOf {
    /// Events that had happened by then (time <= at); all if `None`.
    pub at: Option<Time>,
    /// Events that were known by then (position <= known); all if `None`.
    pub known: Option<Position>,
}

/// An instant as a user writes it for `at`, and how it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct AtReading {
    /// The instant: events with time <= it count.
    pub at: Time,
    /// How the text was read, where it left a choice: `end of 2024-01-10 (UTC)`.
    pub reading: Option<String>,
}

/// Reads what a user writes for `at`. A date alone is the end of that day in `zone`: the last nanosecond
/// before the next day.
///
/// # Errors
/// [`TimeError`] if the text is no time.
///
/// ```
/// use annals_core::temporal::parse_at;
/// let day = parse_at("2024-01-10", chrono_tz::UTC).unwrap();
/// assert_eq!(day.at.to_string(), "2024-01-10T23:59:59.999999999Z");
/// assert_eq!(day.reading.as_deref(), Some("end of 2024-01-10 (UTC)"));
/// let instant = parse_at("2024-01-10T12:00:00+01:00", chrono_tz::UTC).unwrap();
/// assert_eq!((instant.at.to_string().as_str(), instant.reading), ("2024-01-10T11:00:00Z", None));
/// ```
pub fn parse_at(text: &str, zone: Tz) -> Result<AtReading, TimeError> {
    let read = SourceTime::parse(text, zone)?;
    let written = text.trim();
    if read.date_only {
        return Ok(AtReading {
            at: end_of_day(read.time, zone),
            reading: Some(format!("end of {written} ({zone})")),
        });
    }
    let reading = match (read.zone_assumed, read.ambiguous) {
        (true, true) => Some(format!(
            "{written} ({zone}, which changes its clocks then: {})",
            read.time
        )),
        (true, false) => Some(format!("{written} ({zone})")),
        (false, _) => None,
    };
    Ok(AtReading {
        at: read.time,
        reading,
    })
}

/// The last nanosecond before the day after the one that begins at `start` in the zone.
fn end_of_day(start: Time, zone: Tz) -> Time {
    // Where midnight does not exist the day begins an hour later; it is the same day all the same.
    let day = zone
        .from_utc_datetime(&start.to_utc().naive_utc())
        .date_naive();
    day.checked_add_days(Days::new(1))
        .and_then(|next| SourceTime::parse(&next.format("%Y-%m-%d").to_string(), zone).ok())
        .map_or(Time::MAX, |next| next.time.previous_ns())
}

/// Where on a stream to stand: an as-of, or a version (which is shorthand for known = its position).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// Both coordinates.
    AsOf(AsOf),
    /// The stream's first `n` events by version; 0 is before the first.
    Version(Version),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, zone: Tz) -> (String, Option<String>) {
        let AtReading { at, reading } = parse_at(text, zone).unwrap();
        (at.to_string(), reading)
    }

    #[test]
    fn a_date_is_its_last_nanosecond_in_the_zone() {
        for (text, zone, want) in [
            ("2024-01-10", Tz::UTC, "2024-01-10T23:59:59.999999999Z"),
            ("20240110", Tz::UTC, "2024-01-10T23:59:59.999999999Z"),
            (
                "2024-03-31",
                chrono_tz::Europe::Berlin,
                "2024-03-31T21:59:59.999999999Z",
            ),
            (
                "2024-10-27",
                chrono_tz::Europe::Berlin,
                "2024-10-27T22:59:59.999999999Z",
            ),
            // Midnight of 2018-11-04 does not exist in Sao Paulo: clocks went from 23:59:59 to 01:00.
            (
                "2018-11-03",
                chrono_tz::America::Sao_Paulo,
                "2018-11-04T02:59:59.999999999Z",
            ),
            (
                "2018-11-04",
                chrono_tz::America::Sao_Paulo,
                "2018-11-05T01:59:59.999999999Z",
            ),
            ("9999-12-31", Tz::UTC, "9999-12-31T23:59:59.999999999Z"),
        ] {
            let (got, reading) = at(text, zone);
            assert_eq!(got, want, "{text}");
            assert_eq!(reading.unwrap(), format!("end of {text} ({zone})"));
        }
    }

    #[test]
    fn what_had_to_be_assumed_is_said() {
        assert_eq!(
            at("2024-07-01 12:00:00", chrono_tz::Europe::Berlin),
            (
                "2024-07-01T10:00:00Z".into(),
                Some("2024-07-01 12:00:00 (Europe/Berlin)".into())
            )
        );
        assert_eq!(
            at("2024-10-27 02:30", chrono_tz::Europe::Berlin).1.unwrap(),
            "2024-10-27 02:30 (Europe/Berlin, which changes its clocks then: 2024-10-27T00:30:00Z)"
        );
        assert_eq!(
            at("2024-07-01T12:00:00Z", chrono_tz::Europe::Berlin).1,
            None
        );
        assert!(parse_at("yesterday", Tz::UTC).is_err());
    }
}
