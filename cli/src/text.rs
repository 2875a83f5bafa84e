//! Texts from the data, made safe and honest to print: nothing moves the cursor, nothing reorders a line,
//! nothing that is there stays unseen.

use annals_core::hidden::{is_hidden, joins_emoji};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Widest name printed in a table, in terminal columns.
pub const MAX_NAME_COLUMNS: usize = 48;
/// Widest payload printed in a table, in terminal columns.
pub const MAX_DATA_COLUMNS: usize = 60;

/// Returns the text with control, bidirectional, invisible and private characters written as `\u{202E}`.
///
/// A joiner or a variation selector after a pictograph stays: it is part of an emoji.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut previous = '\0';
    for c in text.chars() {
        if is_hidden(c) && !joins_emoji(previous, c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
        previous = c;
    }
    out
}

/// Number of terminal columns that the text takes.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// Cuts the text to `max` columns; a cut text ends in `…`.
pub fn cut(text: &str, max: usize) -> String {
    if columns(text) <= max {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > max {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

/// Quotes a text for a POSIX shell where it needs it, so that a printed command can be pasted.
pub fn shell_quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// `1 event`, `2 events`.
pub fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// A time of so many milliseconds in its largest unit, rounded down: `250 ms`, `2 s`, `5 min`, `3 h`, `12 d`, `2 y`.
///
/// Hours go up to two days, days up to two years of 365 days.
pub fn lasting(ms: u64) -> String {
    const SECOND: u64 = 1_000;
    const MINUTE: u64 = 60 * SECOND;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    const YEAR: u64 = 365 * DAY;
    let (unit, name) = match ms {
        _ if ms < SECOND => (1, "ms"),
        _ if ms < MINUTE => (SECOND, "s"),
        _ if ms < HOUR => (MINUTE, "min"),
        _ if ms < 2 * DAY => (HOUR, "h"),
        _ if ms < 2 * YEAR => (DAY, "d"),
        _ => (YEAR, "y"),
    };
    format!("{} {name}", ms / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reorders_or_hides_is_written_out() {
        for (text, want) in [
            ("order-789", "order-789"),
            ("a\u{202E}b", r"a\u{202e}b"),
            ("a\nb\tc\u{1b}[31m", r"a\u{a}b\u{9}c\u{1b}[31m"),
            ("zero\u{200B}width", r"zero\u{200b}width"),
            ("joined\u{200D}words", r"joined\u{200d}words"),
            ("\u{E0041}tag", r"\u{e0041}tag"),
            ("日本語 ключ مفتاح", "日本語 ключ مفتاح"),
            ("👩\u{200D}🚀 ❤\u{FE0F}", "👩\u{200D}🚀 ❤\u{FE0F}"),
        ] {
            assert_eq!(visible(text), want);
        }
    }

    #[test]
    fn a_cut_text_says_so_and_fits() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("日本語日本語", 6), "日本…");
        assert!(columns(&cut("日本語日本語", 6)) <= 6);
    }

    #[test]
    fn quoted_texts_survive_a_shell() {
        assert_eq!(shell_quoted("order-789"), "order-789");
        assert_eq!(shell_quoted("it's a b"), r"'it'\''s a b'");
        assert_eq!(shell_quoted(""), "''");
    }

    #[test]
    fn a_time_is_said_in_its_largest_unit_rounded_down() {
        let hour = 3_600_000;
        for (ms, want) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (2_999, "2 s"),
            (5 * 60_000, "5 min"),
            (hour - 1, "59 min"),
            (47 * hour, "47 h"),
            (48 * hour, "2 d"),
            (729 * 24 * hour, "729 d"),
            (730 * 24 * hour, "2 y"),
            (u64::MAX, "584942417 y"),
        ] {
            assert_eq!(lasting(ms), want);
        }
    }
}
