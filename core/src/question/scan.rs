//! The text of a question, read from left to right: words, names, paths, quoted texts, numbers; and, where it does
//! not go on, what would have been expected at the furthest place that was reached.

use crate::model::FieldPath;

/// Words of the grammar. A name or a field that is one of them is written in quotes or brackets.
const RESERVED: &[&str] = &[
    "count",
    "list",
    "sum",
    "avg",
    "min",
    "max",
    "first",
    "last",
    "how",
    "of",
    "where",
    "and",
    "or",
    "not",
    "in",
    "is",
    "at",
    "on",
    "during",
    "throughout",
    "group",
    "by",
    "known",
    "active",
    "entered",
    "left",
    "followed",
    "within",
    "stream",
];

/// Whether a name is written without quotes.
pub(super) fn is_plain_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|c| c.is_alphanumeric() || c == '_')
        && chars.all(is_name_char)
        && !is_reserved(text)
}

/// Whether the grammar has the word for itself.
pub(super) fn is_reserved(text: &str) -> bool {
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(text))
}

fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || "_-.:/@#+~$%&*".contains(c)
}

/// What could stand somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// A word or sign of the grammar.
    Word(&'static str),
    /// Something of a kind: its name, and one of it.
    Kind(&'static str, &'static str),
}

impl Expected {
    /// How it is told.
    pub(super) fn text(self) -> String {
        match self {
            Expected::Word(word) => format!("`{word}`"),
            Expected::Kind(name, _) => name.to_owned(),
        }
    }
}

/// Why a text could not be read on.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault {
    /// The byte from which on.
    pub(super) at: usize,
    /// What could have stood there.
    pub(super) expected: Vec<Expected>,
    /// What is wrong with what stands there, where that can be said.
    pub(super) reason: Option<String>,
    /// What to put in place of the word there.
    pub(super) instead: Option<String>,
}

/// The text and how far it was read.
pub(super) struct Scan<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    pub(super) fault: Fault,
}

impl<'t> Scan<'t> {
    pub(super) fn new(text: &'t str) -> Scan<'t> {
        Scan {
            text,
            at: 0,
            fault: Fault::default(),
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Notes that this could have stood here.
    pub(super) fn miss<T>(&mut self, expected: Expected) -> Option<T> {
        self.skip_space();
        if self.at > self.fault.at {
            self.fault = Fault {
                at: self.at,
                ..Fault::default()
            };
        }
        if self.at == self.fault.at && !self.fault.expected.contains(&expected) {
            self.fault.expected.push(expected);
        }
        None
    }

    /// Notes that what stands from `at` on is wrong; nothing further on counts.
    pub(super) fn wrong<T>(
        &mut self,
        at: usize,
        reason: String,
        instead: Option<String>,
    ) -> Option<T> {
        if at >= self.fault.at {
            self.fault = Fault {
                at,
                expected: Vec::new(),
                reason: Some(reason),
                instead,
            };
        }
        None
    }

    /// Whether the text ends here; a question mark may stand there.
    pub(super) fn end(&mut self) -> Option<()> {
        self.skip_space();
        let rest = self.rest();
        if rest.is_empty() || rest.trim_end() == "?" {
            return Some(());
        }
        self.miss(Expected::Word("end of the question"))
    }

    /// A word of the grammar, in any case.
    pub(super) fn word(&mut self, word: &'static str) -> Option<()> {
        self.skip_space();
        let found = word_at(self.rest());
        if found.eq_ignore_ascii_case(word) {
            self.at += found.len();
            return Some(());
        }
        self.miss(Expected::Word(word))
    }

    /// As [`Scan::word`], without a note that it could have stood here.
    pub(super) fn quietly(&mut self, word: &str) -> Option<()> {
        self.skip_space();
        let found = word_at(self.rest());
        found.eq_ignore_ascii_case(word).then(|| {
            self.at += found.len();
        })
    }

    /// As [`Scan::sign`], without a note that it could have stood here.
    pub(super) fn quietly_sign(&mut self, sign: &str) -> Option<()> {
        self.rest().starts_with(sign).then(|| self.at += sign.len())
    }

    /// A sign.
    pub(super) fn sign(&mut self, sign: &'static str) -> Option<()> {
        self.skip_space();
        if self.rest().starts_with(sign) {
            self.at += sign.len();
            return Some(());
        }
        self.miss(Expected::Word(sign))
    }

    /// A name: a plain word that is none of the grammar's, or a quoted text. Gives where it begins, too.
    pub(super) fn name(&mut self, expected: Expected) -> Option<(usize, String)> {
        self.skip_space();
        let start = self.at;
        if self.rest().starts_with(['"', '\'']) {
            return Some((start, self.quoted()?));
        }
        let mut len = self
            .rest()
            .find(|c| !is_name_char(c))
            .unwrap_or(self.rest().len());
        // A sentence may end in a full stop.
        if self.rest()[len..].trim().is_empty() {
            len = self.rest()[..len].trim_end_matches('.').len();
        }
        let text = &self.rest()[..len];
        if !is_plain_name(text) {
            return self.miss(expected);
        }
        self.at += len;
        Some((start, text.to_owned()))
    }

    /// A path of a state.
    pub(super) fn path(&mut self) -> Option<FieldPath> {
        const FIELD: Expected = Expected::Kind("a field", "status");
        self.skip_space();
        let rest = self.rest();
        let mut end = 0;
        while let Some(c) = rest[end..].chars().next() {
            match c {
                '[' => end += bracket(&rest[end..])?,
                '.' | '_' => end += 1,
                c if c.is_alphanumeric() => end += c.len_utf8(),
                _ => break,
            }
        }
        let end = rest[..end].trim_end_matches('.').len();
        let text = &rest[..end];
        let first = text.split(['.', '[']).next().unwrap_or_default();
        if text.is_empty() || is_reserved(first) {
            return self.miss(FIELD);
        }
        match text.parse() {
            Ok(path) => {
                self.at += end;
                Some(path)
            }
            Err(error) => {
                let reason = format!("{error}");
                self.wrong(self.at, reason, None)
            }
        }
    }

    /// A text in double quotes, as JSON writes it, or in single ones, as it stands.
    pub(super) fn quoted(&mut self) -> Option<String> {
        self.skip_space();
        let (start, rest) = (self.at, self.rest());
        if let Some(inside) = rest.strip_prefix('\'') {
            let Some(end) = inside.find('\'') else {
                let whole = format!("{}'", rest.trim_end());
                return self.wrong(start, "the quote is not closed".to_owned(), Some(whole));
            };
            self.at += end + 2;
            return Some(inside[..end].to_owned());
        }
        let mut texts = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        match texts.next() {
            Some(Ok(text)) => {
                self.at += texts.byte_offset();
                Some(text)
            }
            Some(Err(error)) if error.is_eof() => {
                let whole = serde_json::to_string(rest[1..].trim_end()).unwrap_or_default();
                self.wrong(start, "the quote is not closed".to_owned(), Some(whole))
            }
            _ => self.wrong(
                start,
                "the text in quotes is not written as JSON writes texts (\\\" for a quote, \\\\ for a backslash)"
                    .to_owned(),
                None,
            ),
        }
    }

    /// A date or an instant: what stands up to a space, a comma or `..`; or quoted.
    pub(super) fn stamp_text(&mut self, expected: Expected) -> Option<(usize, String)> {
        self.skip_space();
        let start = self.at;
        if self.rest().starts_with(['"', '\'']) {
            return Some((start, self.quoted()?));
        }
        let rest = self.rest();
        let word = &rest[..rest
            .find(|c: char| c.is_whitespace() || ",()?".contains(c))
            .unwrap_or(rest.len())];
        let word = word.split("..").next().unwrap_or_default();
        let word = word.trim_end_matches('.');
        if !word.starts_with(|c: char| c.is_ascii_digit()) {
            return self.miss(expected);
        }
        self.at += word.len();
        Some((start, word.to_owned()))
    }

    /// A number as written, with a sign, a point and an exponent.
    pub(super) fn number(&mut self) -> Option<(usize, String)> {
        self.skip_space();
        let (start, rest) = (self.at, self.rest());
        let mut end = usize::from(rest.starts_with('-'));
        let digits = |from: usize| {
            rest[from..]
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len() - from)
        };
        let whole = digits(end);
        if whole == 0 {
            return None;
        }
        end += whole;
        if rest[end..].starts_with('.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
        }
        if rest[end..].starts_with(['e', 'E']) {
            let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
            let exponent = digits(end + 1 + sign);
            if exponent > 0 {
                end += 1 + sign + exponent;
            }
        }
        // `12abc` is no number.
        if rest[end..].starts_with(|c: char| is_name_char(c) && c != '.') {
            return None;
        }
        self.at += end;
        Some((start, rest[..end].to_owned()))
    }
}

/// The word that a text begins with.
fn word_at(text: &str) -> &str {
    let end = text
        .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .unwrap_or(text.len());
    &text[..end]
}

/// Length of a bracket with what is in it; `None` if it is not closed.
fn bracket(text: &str) -> Option<usize> {
    let inside = &text[1..];
    if inside.starts_with('"') {
        let mut names = serde_json::Deserializer::from_str(inside).into_iter::<String>();
        names.next()?.ok()?;
        let end = names.byte_offset();
        return inside[end..].starts_with(']').then_some(1 + end + 1);
    }
    inside.find(']').map(|end| 1 + end + 1)
}

/// The word, name, quoted text or sign that stands at a byte: what one would replace there.
pub(super) fn piece(text: &str) -> &str {
    let Some(first) = text.chars().next() else {
        return text;
    };
    if first == '"' || first == '\'' {
        let mut scan = Scan::new(text);
        if scan.quoted().is_some() {
            return &text[..scan.at];
        }
        return text;
    }
    let end = text.find(|c| !is_name_char(c)).unwrap_or(text.len());
    &text[..end.max(first.len_utf8())]
}
