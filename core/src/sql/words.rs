//! The words of a statement, as far as they have to be told apart: for messages, for the place of an error, and to
//! know which tables are meant. What a statement may do is not decided here but by the engine.

use std::ops::Range;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword, as it is or in `"…"`, `[…]` or backquotes.
    Name,
    /// A text in `'…'`.
    Text,
    /// Anything else: a number, a sign.
    Other,
}

/// A word and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) kind: Kind,
    /// What it says, without its quotes.
    pub(super) says: String,
    pub(super) at: Range<usize>,
}

/// The words of a statement; comments and spaces are left out.
pub(super) fn words(sql: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let start = sql.len() - rest.len();
        let (len, kind, says) = match first {
            c if c.is_whitespace() => (c.len_utf8(), None, String::new()),
            '-' if rest.starts_with("--") => {
                (rest.find('\n').unwrap_or(rest.len()), None, String::new())
            }
            '/' if rest.starts_with("/*") => {
                let end = rest[2..].find("*/").map_or(rest.len(), |at| at + 4);
                (end, None, String::new())
            }
            '\'' | '"' | '`' => {
                let (len, says) = in_quotes(rest, first);
                let kind = if first == '\'' {
                    Kind::Text
                } else {
                    Kind::Name
                };
                (len, Some(kind), says)
            }
            '[' => {
                let len = rest.find(']').map_or(rest.len(), |at| at + 1);
                let says = rest[1..len].trim_end_matches(']').to_owned();
                (len, Some(Kind::Name), says)
            }
            c if is_name(c) && !c.is_ascii_digit() => {
                let len = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                (len, Some(Kind::Name), rest[..len].to_owned())
            }
            c if c.is_ascii_digit() => {
                let more = |c: char| !(is_name(c) || c == '.');
                let len = rest.find(more).unwrap_or(rest.len());
                (len, Some(Kind::Other), rest[..len].to_owned())
            }
            c => (c.len_utf8(), Some(Kind::Other), c.to_string()),
        };
        if let Some(kind) = kind {
            words.push(Word {
                kind,
                says,
                at: start..start + len,
            });
        }
        rest = &rest[len..];
    }
    words
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$' || !c.is_ascii() && !c.is_whitespace()
}

/// Length of a quoted word, and what it says; a quote written twice is one.
fn in_quotes(rest: &str, quote: char) -> (usize, String) {
    let mut says = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            says.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
            says.push(quote);
        } else {
            return (at + 1, says);
        }
    }
    (rest.len(), says)
}

/// Names that come close to one, closest first: at most three.
pub(super) fn near(name: &str, known: impl IntoIterator<Item = String>) -> Vec<String> {
    let lower = name.to_lowercase();
    let mut close: Vec<(usize, usize, String)> = known
        .into_iter()
        .filter_map(|known| {
            let other = known.to_lowercase();
            let apart = if other == lower {
                0
            } else if other.contains(&lower) || lower.contains(&other) {
                1
            } else {
                distance(&lower, &other)
            };
            (apart <= 1 + lower.chars().count() / 4).then(|| (apart, distance(name, &known), known))
        })
        .collect();
    close.sort();
    close.dedup();
    close.into_iter().take(3).map(|(.., known)| known).collect()
}

/// Edits from one word to another; long words are not looked at closely.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().max(b.len()) > 100 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, c) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, d) in b.iter().enumerate() {
            let changed = diagonal + usize::from(c != d);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        let sql = "SELECT \"a\"\"b\", 'it''s' -- no; word\n/* nor; this */ FROM [my table];é1";
        let said: Vec<(Kind, String)> = words(sql).into_iter().map(|w| (w.kind, w.says)).collect();
        let want = [
            (Kind::Name, "SELECT"),
            (Kind::Name, "a\"b"),
            (Kind::Other, ","),
            (Kind::Text, "it's"),
            (Kind::Name, "FROM"),
            (Kind::Name, "my table"),
            (Kind::Other, ";"),
            (Kind::Name, "é1"),
        ];
        assert_eq!(said, want.map(|(kind, says)| (kind, says.to_owned())));
        for open in ["'abc", "\"", "[x", "/* x", "--", "'é"] {
            assert_eq!(
                words(open).last().map_or(open.len(), |w| w.at.end),
                open.len()
            );
        }
    }

    #[test]
    fn names_that_come_close_are_found() {
        let known = || ["customer", "status", "total", "stream"].map(str::to_owned);
        assert_eq!(near("custmer", known()), ["customer"]);
        assert_eq!(near("Stat", known()), ["status"]);
        assert!(near("xyz", known()).is_empty());
    }

    proptest::proptest! {
        #[test]
        fn words_cover_a_text_in_order(sql in r#"[a-z0-9'"\[\]`;*/ \n.é-]{0,40}"#) {
            let mut end = 0;
            for word in words(&sql) {
                proptest::prop_assert!(word.at.start >= end && word.at.end > word.at.start);
                proptest::prop_assert!(sql.get(word.at.clone()).is_some());
                end = word.at.end;
            }
        }
    }
}
