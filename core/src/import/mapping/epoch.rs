//! Times in JSON: texts, and numbers counted from 1970.

use chrono_tz::Tz;
use serde_json::value::RawValue;

use super::scalar;
use crate::time::{SourceTime, Time};

/// Reads a time: a text in one of the forms of [`SourceTime::parse`], or a number (or a text of nothing but
/// digits) of seconds, milli-, micro- or nanoseconds since 1970, told apart by its size. 8, 12 or 14 digits that
/// spell a date of the years 1900 to 2199 (20240115, 202401151030, 20240115103000) are that date: as a count
/// they would be an instant that nobody means.
///
/// # Errors
/// Why it is none, in a sentence for the user.
pub(super) fn time_of(raw: &RawValue, zone: Tz) -> Result<SourceTime, String> {
    let text = scalar(raw).ok_or_else(|| format!("{} is not a time", raw.get()))?;
    time_of_scalar(&text, !raw.get().starts_with('"'), zone)
}

/// Reads a time as [`time_of`] does, from a text that stands in no JSON.
pub(in crate::import) fn time_of_text(text: &str, zone: Tz) -> Result<SourceTime, String> {
    time_of_scalar(text, false, zone)
}

/// Reads a time of a record that a preset or a mapping names: as [`time_of_text`], and a year or a month (`2010`,
/// `1970-03`, as FHIR writes what is not known better), which count from their first day.
pub(in crate::import) fn time_of_place(text: &str, zone: Tz) -> Result<SourceTime, String> {
    let is_digits =
        |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
    let first_day = match text.split_once('-') {
        Some((year, month)) if is_digits(year, 4) && is_digits(month, 2) => format!("{text}-01"),
        None if is_digits(text, 4) => format!("{text}-01-01"),
        _ => return time_of_text(text, zone),
    };
    let read = SourceTime::parse(&first_day, zone).map_err(|e| e.to_string())?;
    Ok(SourceTime {
        text: Some(text.to_owned()),
        ..read
    })
}

/// The count in a time of .NET: `/Date(1705314600123+0100)/` counts milliseconds in UTC, and says a zone beside.
fn of_dotnet(text: &str) -> Option<&str> {
    let inside = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let zone = inside.rfind(['+', '-']).filter(|at| *at > 0);
    inside.get(..zone.unwrap_or(inside.len()))
}

fn time_of_scalar(text: &str, is_number: bool, zone: Tz) -> Result<SourceTime, String> {
    if let Some(time) = of_dotnet(text).and_then(|ms| since_1970_in(ms, 3)) {
        return Ok(SourceTime {
            text: Some(text.to_owned()),
            ..SourceTime::unwritten(time)
        });
    }
    if let Some(form) = compact(text)
        && let Ok(read) = SourceTime::parse(&form, zone)
    {
        return Ok(SourceTime {
            text: Some(text.to_owned()),
            ..read
        });
    }
    // Eight digits in quotes are a date (20240115); more are no form of date.
    let counted =
        is_number || (text.len() > 8 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    if !counted {
        return SourceTime::parse(text, zone).map_err(|e| e.to_string());
    }
    let time = since_1970(text).ok_or_else(|| {
        format!("{text} is not a number of seconds, milli-, micro- or nanoseconds since 1970 in the years 0001 to 9999")
    })?;
    Ok(SourceTime {
        time,
        text: Some(text.to_owned()),
        date_only: false,
        zone_assumed: false,
        ambiguous: false,
    })
}

/// Writes 8, 12 or 14 digits that begin with a year from 1900 to 2199 as a form of date; the fraction of a
/// second is kept.
fn compact(text: &str) -> Option<String> {
    let (digits, fraction) = match text.split_once('.') {
        Some((digits, _)) => (digits, &text[digits.len()..]),
        None => (text, ""),
    };
    let spelled = digits.bytes().all(|b| b.is_ascii_digit())
        && ["19", "20", "21"]
            .iter()
            .any(|century| digits.starts_with(century));
    match digits.len() {
        8 if spelled && fraction.is_empty() => Some(digits.to_owned()),
        12 | 14 if spelled => Some(format!("{}T{}{fraction}", &digits[..8], &digits[8..])),
        _ => None,
    }
}

/// Reads a number since 1970 in the unit of its size.
fn since_1970(text: &str) -> Option<Time> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.split('.').next().unwrap_or_default();
    // Below 10^11 seconds (to the year 5138), then each unit up to a thousand times that.
    let unit = match whole.trim_start_matches('0').len() {
        0..=11 => 0,
        12..=14 => 3,
        15..=17 => 6,
        _ => 9,
    };
    since_1970_in(text, unit)
}

/// Reads a number since 1970 in units of 10^-`unit` seconds (0, 3, 6 or 9); digits after nanoseconds are cut.
pub(in crate::import) fn since_1970_in(text: &str, unit: u32) -> Option<Time> {
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
    let unit_digits = 9_u32.checked_sub(unit)? as usize;
    let unit_ns = 10_i128.pow(9 - unit);
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
    fn months_and_years_of_records_count_from_their_first_day() {
        let read = |text: &str| {
            let time = time_of_place(text, Tz::UTC).ok()?;
            assert_eq!(time.text.as_deref(), Some(text));
            Some((time.time.to_string(), time.date_only))
        };
        for (text, want) in [
            ("2010", Some(("2010-01-01T00:00:00Z", true))),
            ("1970-03", Some(("1970-03-01T00:00:00Z", true))),
            ("1970-03-04", Some(("1970-03-04T00:00:00Z", true))),
            ("1705314600", Some(("2024-01-15T10:30:00Z", false))),
            ("1970-13", None),
            ("0000", None),
            ("197", None),
        ] {
            let want = want.map(|(time, date_only)| (time.to_owned(), date_only));
            assert_eq!(read(text), want, "{text}");
        }
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
            ("20240115", "2024-01-15T00:00:00Z"),
            ("\"202401151030\"", "2024-01-15T10:30:00Z"),
            ("20240115103000", "2024-01-15T10:30:00Z"),
            ("\"20240115103000.25\"", "2024-01-15T10:30:00.250Z"),
            ("20249915103000", "2611-09-12T00:25:03Z"),
            ("-1", "1969-12-31T23:59:59Z"),
            ("-0.000000001", "1969-12-31T23:59:59.999999999Z"),
            ("0", "1970-01-01T00:00:00Z"),
            (r#""\/Date(1705314600123)\/""#, "2024-01-15T10:30:00.123Z"),
            ("\"/Date(1705314600123+0100)/\"", "2024-01-15T10:30:00.123Z"),
            ("\"/Date(-1)/\"", "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(read(json).as_deref(), Some(want), "{json}");
        }
        for json in [
            "1e9",
            "99999999999999999999999",
            "\"tomorrow\"",
            "\"1705314600x\"",
            "\"/Date()/\"",
            "\"/Date(x)/\"",
            "true",
        ] {
            assert_eq!(read(json), None, "{json}");
        }
    }
}
