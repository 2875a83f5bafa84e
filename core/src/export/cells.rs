//! What a workbook keeps of a value: numbers and instants as such wherever none of their digits is lost, texts
//! elsewhere. Reports and exports write their sheets by it.

use chrono::{Datelike, Timelike};
use rust_decimal::Decimal;
use rust_xlsxwriter::ExcelDateTime;

use crate::hidden::visible;
use crate::time::Time;

/// Rows that a sheet has room for, its heading left aside.
pub(crate) const MAX_ROWS: u32 = 1_048_575;
/// Most characters of a cell, in UTF-16 as the format counts them.
pub(crate) const MAX_CELL: usize = 32_767;
/// Most digits of a number that a workbook keeps.
const MAX_DIGITS: usize = 15;

/// A value that a workbook holds as such.
pub(crate) enum Typed {
    Number(Decimal),
    Time(ExcelDateTime),
}

/// A number that a workbook keeps to the last digit; `None` for any other text.
pub(crate) fn number(text: &str) -> Option<Decimal> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let plain = text
        .bytes()
        .enumerate()
        .all(|(at, b)| b.is_ascii_digit() || b == b'.' || (b == b'-' && at == 0));
    if !plain || digits == 0 || digits > MAX_DIGITS {
        return None;
    }
    let number: Decimal = text.parse().ok()?;
    // `007`, `-0` and `1.` are written otherwise than they are printed.
    (number.to_string() == text).then_some(number)
}

/// An instant as workbooks count it, where none of its digits is lost: years 1900 on, to the millisecond.
pub(crate) fn serial(time: Time, exact: bool) -> Option<ExcelDateTime> {
    let utc = time.to_utc();
    let year = u16::try_from(utc.year())
        .ok()
        .filter(|year| *year >= 1900)?;
    if exact && !utc.nanosecond().is_multiple_of(1_000_000) {
        return None;
    }
    let milli = utc.nanosecond() / 1_000_000 % 1_000;
    let small = |n: u32| u8::try_from(n).ok();
    ExcelDateTime::from_ymd(year, small(utc.month())?, small(utc.day())?)
        .ok()?
        .and_hms_milli(
            u16::try_from(utc.hour()).ok()?,
            small(utc.minute())?,
            small(utc.second())?,
            u16::try_from(milli).ok()?,
        )
        .ok()
}

/// A text as a cell can hold it, and whether it had to be cut.
pub(crate) fn fitting(text: &str) -> (String, bool) {
    let shown = visible(text).replace('\r', "");
    let len = shown.encode_utf16().count();
    if len <= MAX_CELL {
        return (shown, false);
    }
    let note = format!("… (cut: {len} characters in all)");
    let room = MAX_CELL - note.encode_utf16().count();
    let mut used = 0;
    let kept: String = shown
        .chars()
        .take_while(|c| {
            used += c.len_utf16();
            used <= room
        })
        .collect();
    (format!("{kept}{note}"), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_typed_only_where_every_digit_stays() {
        for text in ["0", "-7", "1247.80", "0.00", "999999999999999", "-0.5"] {
            let number = number(text).unwrap();
            assert_eq!(number.to_string(), text);
        }
        for text in [
            "",
            "-",
            "1e5",
            "9999999999999999",
            "007",
            "-0",
            "1.",
            ".5",
            "+1",
            "0x1",
            "1 000",
            "NaN",
        ] {
            assert!(number(text).is_none(), "{text}");
        }
    }

    #[test]
    fn an_instant_is_typed_only_where_every_digit_stays() {
        let typed = |text: &str| serial(Time::parse_rfc3339(text).unwrap(), true).is_some();
        assert!(typed("2024-01-15T10:30:00Z"));
        assert!(typed("2024-01-15T10:30:00.123Z"));
        assert!(!typed("2024-01-15T10:30:00.123456Z"));
        assert!(!typed("1899-12-31T23:59:59Z"));
        assert!(typed("9999-12-31T23:59:59Z"));
    }

    #[test]
    fn a_cell_that_is_too_long_says_so() {
        let (text, cut) = fitting(&"🚚".repeat(20_000));
        assert!(cut);
        assert!(text.encode_utf16().count() <= MAX_CELL);
        assert!(
            text.ends_with("… (cut: 40000 characters in all)"),
            "{}",
            &text[text.len() - 60..]
        );
        assert_eq!(
            fitting("a_x0041_\u{7}"),
            ("a_x0041_‹U+0007›".to_owned(), false)
        );
    }
}
