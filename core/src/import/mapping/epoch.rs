//! Times in JSON: texts, and numbers counted from 1970.

use chrono_tz::Tz;
use serde_json::value::RawValue;

use super::scalar;
use crate::time::{SourceTime, Time};

/// Reads a time: a text in one of the forms of [`SourceTime::parse`], or a number (or a text of nothing but
/// digits) of seconds, milli-, micro- or nanoseconds since 1970, told apart by its size.
///
/// # Errors
/// Why it is none, in a sentence for the user.
pub(super) fn time_of(raw: &RawValue, zone: Tz) -> Result<SourceTime, String> {
    let text = scalar(raw).ok_or_else(|| format!("{} is not a time", raw.get()))?;
    let is_number = !raw.get().starts_with('"');
    // Eight digits in quotes are a date (20240115); more are no form of date.
    let counted =
        is_number || (text.len() > 8 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    if !counted {
        return SourceTime::parse(&text, zone).map_err(|e| e.to_string());
    }
    let time = since_1970(&text).ok_or_else(|| {
        format!("{text} is not a number of seconds, milli-, micro- or nanoseconds since 1970 in the years 0001 to 9999")
    })?;
    Ok(SourceTime {
        time,
        text: Some(text.into_owned()),
        date_only: false,
        zone_assumed: false,
        ambiguous: false,
    })
}

fn since_1970(text: &str) -> Option<Time> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 22 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole: i128 = whole.parse().ok()?;
    // Below 10^11 seconds (to the year 5138), then each unit up to a thousand times that.
    let (unit_ns, unit_digits) = match whole {
        0..100_000_000_000 => (1_000_000_000, 9),
        100_000_000_000..100_000_000_000_000 => (1_000_000, 6),
        100_000_000_000_000..100_000_000_000_000_000 => (1_000, 3),
        _ => (1, 0),
    };
    let kept = &fraction[..fraction.len().min(unit_digits)];
    let fraction_ns: i128 = format!("{kept:0<unit_digits$}0").parse::<i128>().ok()? / 10;
    let ns = sign * (whole * unit_ns + fraction_ns);
    let us = i64::try_from(ns.div_euclid(1_000)).ok()?;
    Time::from_parts(us, u16::try_from(ns.rem_euclid(1_000)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Option<String> {
        let raw = serde_json::from_str::<&RawValue>(json).unwrap();
        time_of(raw, Tz::UTC).ok().map(|t| t.time.to_string())
    }

    #[test]
    fn numbers_count_from_1970_in_the_unit_of_their_size() {
        for (json, want) in [
            ("1705314600", "2024-01-15T10:30:00Z"),
            ("1705314600.123456789", "2024-01-15T10:30:00.123456789Z"),
            ("1705314600123", "2024-01-15T10:30:00.123Z"),
            ("1705314600123.5", "2024-01-15T10:30:00.123500Z"),
            ("1705314600123456", "2024-01-15T10:30:00.123456Z"),
            ("1705314600123456789", "2024-01-15T10:30:00.123456789Z"),
            ("\"1705314600\"", "2024-01-15T10:30:00Z"),
            ("\"20240115\"", "2024-01-15T00:00:00Z"),
            ("-1", "1969-12-31T23:59:59Z"),
            ("-0.000000001", "1969-12-31T23:59:59.999999999Z"),
            ("0", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(read(json).as_deref(), Some(want), "{json}");
        }
        for json in [
            "1e9",
            "99999999999999999999999",
            "\"tomorrow\"",
            "\"1705314600x\"",
            "true",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
