//! Texts that people write (definitions, mappings, statements): where in them a fault is, and what was expected there.
//!
//! Left out: what the texts mean, and the error that carries the place, which are each reader's own.

/// Line and column of a byte of a text, both from 1; the column in characters. A byte within a character is the
/// character's, one beyond the end is the end.
pub(crate) fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..text.floor_char_boundary(at)];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

/// The words of the TOML reader: what is wrong, and after it what would have been right, where they say so.
pub(crate) fn wrong_and_right(message: &str) -> Option<(&str, &str)> {
    message
        .split_once(", expected ")
        .or_else(|| message.split_once(": expected "))
}

#[cfg(test)]
mod tests {
    use super::{line_and_column, wrong_and_right};

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let text = "a = 1\n\u{e9}\u{1f469} = 2\n";
        for (at, want) in [
            (0, (1, 1)),
            (5, (1, 6)),
            (6, (2, 1)),
            (7, (2, 1)),
            (8, (2, 2)),
            (12, (2, 3)),
            (text.len(), (3, 1)),
            (text.len() + 9, (3, 1)),
        ] {
            assert_eq!(line_and_column(text, at), want, "byte {at}");
        }
        assert_eq!(line_and_column("\u{e9}\nab", 4), (2, 2));
        assert_eq!(line_and_column("ab", 99), (1, 3));
    }

    #[test]
    fn what_was_expected_stands_apart() {
        assert_eq!(
            wrong_and_right("unknown field `x`, expected `a` or `b`"),
            Some(("unknown field `x`", "`a` or `b`"))
        );
        assert_eq!(
            wrong_and_right("invalid type: integer: expected a string"),
            Some(("invalid type: integer", "a string"))
        );
        assert_eq!(wrong_and_right("missing field `title`"), None);
    }
}
