//! Numbers and dates of cells as text, without a float anywhere.
//!
//! Excel keeps what was typed as a double and writes its 17 digits: 5.1 is `5.0999999999999996` in the file. It
//! takes 15 digits of what is typed, so those 15 digits are the number.

use chrono::{Days, NaiveDate};

/// How a cell is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Shown {
    /// As a date.
    Date,
    /// As a time of day, with or without a date.
    Clock,
    /// As its number.
    #[default]
    AsItIs,
}

/// Digits that Excel takes of a number that is typed.
const TYPED_DIGITS: usize = 15;
/// Zeros that are written out of a number in scientific form.
const MAX_ZEROS: u32 = 30;

/// How one of the formats that every workbook has shows cells.
pub(super) fn shown_by_number(id: &str) -> Shown {
    match id.parse::<u32>() {
        // 46 and others count hours beyond a day: a span, no time.
        Ok(18..=22 | 32..=35 | 45 | 47) => Shown::Clock,
        Ok(14..=17 | 27..=31 | 36 | 50..=58) => Shown::Date,
        _ => Shown::AsItIs,
    }
}

/// How a format of the workbook's own shows cells: by its letters outside of quotes and brackets.
pub(super) fn shown_by(format: &str) -> Shown {
    let mut letters = format.chars();
    let (mut is_date, mut is_clock) = (false, false);
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                letters.by_ref().take_while(|c| *c != '"').for_each(drop);
            }
            '\\' | '_' | '*' => {
                letters.next();
            }
            '[' => {
                let inside: String = letters.by_ref().take_while(|c| *c != ']').collect();
                let is_span = !inside.is_empty()
                    && inside
                        .chars()
                        .all(|c| matches!(c, 'h' | 'm' | 's' | 'H' | 'M' | 'S'));
                if is_span {
                    return Shown::AsItIs;
                }
            }
            // What follows is for negative numbers.
            ';' => break,
            // A month, or a minute beside hours or seconds.
            'y' | 'm' | 'd' | 'Y' | 'M' | 'D' => is_date = true,
            'h' | 's' | 'H' | 'S' => is_clock = true,
            // In "General" and "0.00E+00" no letter is one of a time.
            'G' | 'E' if format.to_ascii_lowercase().contains("general") => {
                return Shown::AsItIs;
            }
            _ => {}
        }
    }
    match (is_clock, is_date) {
        (true, _) => Shown::Clock,
        (false, true) => Shown::Date,
        (false, false) => Shown::AsItIs,
    }
}

/// A decimal number as its digits, and how many of them stand behind the point.
struct Digits {
    is_negative: bool,
    digits: String,
    behind: i32,
}

fn digits_of(text: &str) -> Option<Digits> {
    let (is_negative, bare) = match text.strip_prefix('-') {
        Some(bare) => (true, bare),
        None => (false, text),
    };
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (bare, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let is_number = !whole.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| Digits {
        is_negative,
        digits,
        behind: (fraction.len() as i32).saturating_sub(exponent),
    })
}

impl Digits {
    /// The 15 digits that were typed, half away from zero.
    fn typed(mut self) -> Digits {
        let zeros = self.digits.bytes().take_while(|b| *b == b'0').count();
        self.digits.drain(..zeros);
        let too_many = self.digits.len().saturating_sub(TYPED_DIGITS);
        if too_many == 0 {
            return self;
        }
        let is_up = self.digits.as_bytes()[TYPED_DIGITS] >= b'5';
        self.digits.truncate(TYPED_DIGITS);
        self.behind = self.behind.saturating_sub(too_many as i32);
        if is_up {
            let number: u64 = self.digits.parse().unwrap_or(0);
            self.digits = (number + 1).to_string();
        }
        self
    }

    /// Written out, without zeros at its end behind the point.
    fn text(&self) -> Option<String> {
        let Digits {
            is_negative,
            digits,
            behind,
        } = self;
        if behind.unsigned_abs() > MAX_ZEROS + TYPED_DIGITS as u32 {
            return None;
        }
        let mut out = digits.clone();
        if *behind <= 0 {
            out.push_str(&"0".repeat(behind.unsigned_abs() as usize));
        } else {
            let behind = *behind as usize;
            let padded = format!("{out:0>width$}", width = behind + 1);
            let (whole, fraction) = padded.split_at(padded.len() - behind);
            let fraction = fraction.trim_end_matches('0');
            out = match fraction {
                "" => whole.to_owned(),
                fraction => format!("{whole}.{fraction}"),
            };
        }
        let bare = out.trim_start_matches('0');
        let bare = match bare {
            "" => "0".to_owned(),
            bare if bare.starts_with('.') => format!("0{bare}"),
            bare => bare.to_owned(),
        };
        let sign = if *is_negative && bare != "0" { "-" } else { "" };
        Some(format!("{sign}{bare}"))
    }
}

/// A number as it was typed. A whole one keeps all of its digits; what is no number stays as it is.
pub(super) fn number(text: &str) -> String {
    let is_whole = text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    if is_whole {
        return text.to_owned();
    }
    let written = digits_of(text).and_then(|digits| digits.typed().text());
    written.unwrap_or_else(|| text.to_owned())
}

/// A count of days as a date, a time of day, or both, to the millisecond; `None` where it is none. With `clock`, a date
/// has a time of day even where that is midnight.
pub(super) fn date(text: &str, clock: bool, is_1904: bool) -> Option<String> {
    const DAY_MS: i128 = 86_400_000;
    let Digits {
        is_negative,
        digits,
        behind,
    } = digits_of(text)?;
    if is_negative || digits.len() > 30 || !(-10..=30).contains(&behind) {
        return None;
    }
    let number: i128 = digits.parse().ok()?;
    let (number, unit) = match behind {
        0.. => (number, 10_i128.checked_pow(behind.unsigned_abs())?),
        _ => (number.checked_mul(10_i128.pow(behind.unsigned_abs()))?, 1),
    };
    let scaled = number.checked_mul(DAY_MS)?;
    let ms = scaled.checked_mul(2)?.checked_add(unit)? / (unit * 2);
    let (days, ms) = (u64::try_from(ms / DAY_MS).ok()?, (ms % DAY_MS) as u64);
    let time = format!(
        "{:02}:{:02}:{:02}",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1_000 % 60
    );
    let time = match ms % 1_000 {
        0 => time,
        part => format!("{time}.{part:03}"),
    };
    if days == 0 && !is_1904 {
        return Some(time);
    }
    // Excel counts a 29 February 1900, which never was, as day 60.
    let start = match (is_1904, days) {
        (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1)?,
        (false, 60) => return None,
        (false, 0..60) => NaiveDate::from_ymd_opt(1899, 12, 31)?,
        (false, _) => NaiveDate::from_ymd_opt(1899, 12, 30)?,
    };
    let day = start.checked_add_days(Days::new(days))?;
    let day = (day < NaiveDate::from_ymd_opt(10_000, 1, 1)?).then(|| day.format("%Y-%m-%d"))?;
    Some(match ms {
        0 if !clock => day.to_string(),
        _ => format!("{day}T{time}"),
    })
}

/// A text with the characters that XML cannot hold, which Excel writes as `_x000D_`.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest
            .get(at + 2..at + 6)
            .filter(|_| rest.as_bytes().get(at + 6) == Some(&b'_'));
        let code = code.filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let character = code.and_then(|code| char::from_u32(u32::from_str_radix(code, 16).ok()?));
        match character {
            Some(character) => {
                out.push_str(&rest[..at]);
                out.push(character);
                rest = &rest[at + 7..];
            }
            None => {
                out.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_what_was_typed() {
        for (written, want) in [
            ("5.0999999999999996", "5.1"),
            ("103.47", "103.47"),
            ("0.10000000000000001", "0.1"),
            ("-0.30000000000000004", "-0.3"),
            ("9007199254740993", "9007199254740993"),
            ("12", "12"),
            ("12.0", "12"),
            ("1E-3", "0.001"),
            ("1.2345678901234499E+20", "123456789012345000000"),
            ("9.9999999999999995E-3", "0.01"),
            ("999999999999999.95", "1000000000000000"),
            ("1E+300", "1E+300"),
            ("1234567890123456E2147483647", "1234567890123456E2147483647"),
            (
                "12345678901234567890E2147483647",
                "12345678901234567890E2147483647",
            ),
            ("1E-2147483648", "1E-2147483648"),
            ("0", "0"),
            ("-0.0", "0"),
            ("abc", "abc"),
            ("", ""),
        ] {
            assert_eq!(number(written), want, "{written}");
        }
    }

    #[test]
    fn days_are_dates() {
        for (written, is_1904, want) in [
            ("45306", false, Some("2024-01-15")),
            ("45306.4375", false, Some("2024-01-15T10:30:00")),
            ("45306.437511574077", false, Some("2024-01-15T10:30:01")),
            ("45306.999999994", false, Some("2024-01-15T23:59:59.999")),
            ("45306.9999999999999", false, Some("2024-01-16")),
            ("0.4375", false, Some("10:30:00")),
            ("1", false, Some("1900-01-01")),
            ("59", false, Some("1900-02-28")),
            ("60", false, None),
            ("61", false, Some("1900-03-01")),
            ("43844", true, Some("2024-01-15")),
            ("4.5306E4", false, Some("2024-01-15")),
            ("-1", false, None),
            ("x", false, None),
            ("99999999999", false, None),
            ("990000000000000000000000000000", false, None),
            ("1E2147483647", false, None),
        ] {
            assert_eq!(date(written, false, is_1904).as_deref(), want, "{written}");
        }
    }

    #[test]
    fn formats_of_times_are_known_by_their_letters() {
        for format in [
            "yyyy-mm-dd hh",
            "[$-409]d/m/yy h:mm AM/PM;@",
            "mm:ss.0",
            "\"at\" hh",
        ] {
            assert_eq!(shown_by(format), Shown::Clock, "{format}");
        }
        assert_eq!(shown_by("d/m/yy;@"), Shown::Date);
        for format in [
            "0.00",
            "General",
            "[h]:mm:ss",
            "0.00E+00",
            "#,##0 \"days\"",
            "[Red]0",
            "@",
            "0\\d",
        ] {
            assert_eq!(shown_by(format), Shown::AsItIs, "{format}");
        }
        assert_eq!(shown_by_number("14"), Shown::Date);
        assert_eq!(
            date("45306", true, false).as_deref(),
            Some("2024-01-15T00:00:00")
        );
        assert_eq!(shown_by_number("46"), Shown::AsItIs);
    }

    #[test]
    fn escaped_characters_come_back() {
        assert_eq!(unescaped("a_x000D_b_x_x0041_"), "a\rb_xA");
        assert_eq!(unescaped("_x00e9"), "_x00e9");
        assert_eq!(unescaped("_xé000_"), "_xé000_");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in "[-0-9.eE]{0,40}|.*") {
            let _ = (number(&text), date(&text, true, false), shown_by(&text), unescaped(&text));
        }
    }
}
