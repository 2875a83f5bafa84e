//! From what a user wrote to what is looked for. `docs/search.md` states the language.

use super::words;

/// Most characters of a query.
const MAX_CHARS: usize = 2_000;

/// Most words of a query, all terms together.
const MAX_WORDS: usize = 64;

/// Deepest nesting of parentheses.
const MAX_DEPTH: usize = 32;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextQuery {
    /// The terms, in the order in which they were written.
    pub(super) terms: Vec<Term>,
    /// How they must hold together.
    pub(super) condition: Condition,
}

/// How terms must hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// The term at this place matches.
    Term(usize),
    /// All hold.
    All(Vec<Condition>),
    /// One holds at least.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// Words that must stand next to each other in one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    /// Where to look; anywhere but in the names of fields where it is `None`.
    pub(super) field: Option<Field>,
    /// The words, folded; at least one.
    pub(super) words: Vec<String>,
    /// Of the last word only the beginning was written.
    pub(super) prefix: bool,
}

/// Where a term may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    /// Name of the home stream.
    Stream,
    /// Event type.
    Type,
    /// Actor.
    Actor,
    /// Id, or the source's own.
    Id,
    /// Correlation id.
    Correlation,
    /// Causation id.
    Causation,
    /// Values of the payload.
    Data,
    /// Values of the context.
    Metadata,
    /// Names of fields in the payload or the context.
    Key,
}

/// The fields by the names that users write.
pub(super) const FIELDS: [(&str, Field); 9] = [
    ("stream", Field::Stream),
    ("type", Field::Type),
    ("actor", Field::Actor),
    ("id", Field::Id),
    ("correlation", Field::Correlation),
    ("causation", Field::Causation),
    ("data", Field::Data),
    ("metadata", Field::Metadata),
    ("key", Field::Key),
];

/// Why a text cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} (character {at} of the search)")]
pub struct QueryError {
    /// Where, in characters; the first is 1.
    pub at: usize,
    /// What is wrong.
    pub reason: String,
    /// What to do about it.
    pub hint: String,
}

impl TextQuery {
    /// Reads what a user wrote.
    ///
    /// # Errors
    /// [`QueryError`] where it says nothing to look for, or something that cannot be meant.
    ///
    /// ```
    /// use annals_core::search::TextQuery;
    /// let query = TextQuery::parse(r#"shipped "SKU-48213" -type:Order*"#)?;
    /// assert_eq!(query.to_string(), r#"shipped AND "sku 48213" AND NOT type:order*"#);
    /// assert_eq!(TextQuery::parse("(a OR").unwrap_err().at, 6);
    /// # Ok::<(), annals_core::search::QueryError>(())
    /// ```
    pub fn parse(text: &str) -> Result<TextQuery, QueryError> {
        let chars: Vec<char> = text.chars().collect();
        let mut parser = Parser {
            chars,
            at: 0,
            depth: 0,
            words: 0,
            terms: Vec::new(),
        };
        if parser.chars.len() > MAX_CHARS {
            parser.at = MAX_CHARS;
            return parser.fail(
                format!("a search has at most {MAX_CHARS} characters"),
                "search for less",
            );
        }
        parser.space();
        if parser.peek().is_none() {
            return parser.fail("there is nothing to search for", "write a word");
        }
        let condition = parser.any()?;
        parser.space();
        if parser.peek().is_some() {
            return parser.fail(
                "this ) closes nothing",
                "leave it out, or put the text in double quotes",
            );
        }
        let query = TextQuery {
            terms: parser.terms,
            condition,
        };
        if query.condition.matches_nothing_found() {
            return Err(QueryError {
                at: 1,
                reason: "the search only says what not to find".to_owned(),
                hint: "name a word that must be there too; to find a text that begins with -, put it in double quotes".to_owned(),
            });
        }
        Ok(query)
    }
}

impl Condition {
    /// Whether it holds where no term matches.
    fn matches_nothing_found(&self) -> bool {
        self.holds(&|_| false)
    }

    /// Whether it holds, given which terms match.
    pub(super) fn holds(&self, found: &dyn Fn(usize) -> bool) -> bool {
        match self {
            Condition::Term(term) => found(*term),
            Condition::All(all) => all.iter().all(|c| c.holds(found)),
            Condition::Any(any) => any.iter().any(|c| c.holds(found)),
            Condition::Not(inner) => !inner.holds(found),
        }
    }

    /// Calls `each` with the terms that are looked for, those to be absent left out.
    pub(super) fn each_wanted(&self, each: &mut dyn FnMut(usize)) {
        match self {
            Condition::Term(term) => each(*term),
            Condition::All(some) | Condition::Any(some) => {
                some.iter().for_each(|c| c.each_wanted(each));
            }
            Condition::Not(_) => {}
        }
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    words: usize,
    terms: Vec<Term>,
}

impl Parser {
    fn fail<T>(&self, reason: impl Into<String>, hint: impl Into<String>) -> Result<T, QueryError> {
        Err(QueryError {
            at: self.at + 1,
            reason: reason.into(),
            hint: hint.into(),
        })
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Whether the word stands here as a word by itself.
    fn sees(&self, word: &str) -> bool {
        let len = word.len();
        let rest = &self.chars[self.at..];
        rest.len() >= len
            && rest.iter().zip(word.chars()).all(|(a, b)| *a == b)
            && rest
                .get(len)
                .is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'))
    }

    fn takes(&mut self, word: &str) -> bool {
        let takes = self.sees(word);
        if takes {
            self.at += word.len();
            self.space();
        }
        takes
    }

    fn any(&mut self) -> Result<Condition, QueryError> {
        let mut any = vec![self.all()?];
        while self.takes("OR") {
            any.push(self.all()?);
        }
        Ok(one_or(any, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, QueryError> {
        let mut all = vec![self.one()?];
        loop {
            self.space();
            let and = self.takes("AND");
            let ends = matches!(self.peek(), None | Some(')')) || self.sees("OR");
            if ends && !and {
                break;
            }
            all.push(self.one()?);
        }
        Ok(one_or(all, Condition::All))
    }

    fn one(&mut self) -> Result<Condition, QueryError> {
        self.space();
        if self.takes("NOT") {
            return Ok(Condition::Not(Box::new(self.one_deeper()?)));
        }
        let before_text = self
            .chars
            .get(self.at + 1)
            .is_some_and(|c| !c.is_whitespace());
        if self.peek() == Some('-') && before_text {
            self.at += 1;
            return Ok(Condition::Not(Box::new(self.one_deeper()?)));
        }
        for word in ["AND", "OR"] {
            if self.sees(word) {
                return self.fail(
                    format!("{word} needs something before and after it"),
                    format!(
                        "to find the word itself, write it small or in double quotes: \"{word}\""
                    ),
                );
            }
        }
        match self.peek() {
            None => self.fail(
                "something is missing here",
                "write a word, or leave the operator out",
            ),
            Some('(') => {
                let opened = self.at;
                self.at += 1;
                self.deeper()?;
                self.space();
                let inside = self.any()?;
                self.depth -= 1;
                self.space();
                if self.peek() != Some(')') {
                    self.at = opened;
                    return self.fail(
                        "this ( is not closed",
                        "close it, or put the text in double quotes",
                    );
                }
                self.at += 1;
                Ok(inside)
            }
            Some(')') => self.fail(
                "something is missing before this )",
                "write a word, or leave the parentheses out",
            ),
            Some(_) => self.term(),
        }
    }

    fn one_deeper(&mut self) -> Result<Condition, QueryError> {
        self.deeper()?;
        let inside = self.one();
        self.depth -= 1;
        inside
    }

    fn deeper(&mut self) -> Result<(), QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return self.fail(
                format!("the search nests deeper than {MAX_DEPTH}"),
                "write it with fewer parentheses",
            );
        }
        Ok(())
    }

    fn term(&mut self) -> Result<Condition, QueryError> {
        let start = self.at;
        let field = self.field();
        if field.is_some() && self.peek().is_none_or(|c| c.is_whitespace() || c == ')') {
            return self.fail(
                "a field is named, and nothing to look for in it",
                "write the word right behind the colon, as in type:OrderPlaced",
            );
        }
        if self.peek() == Some('(') {
            return self.fail(
                "a field takes a word or a text in double quotes",
                "write it before each word: (type:a OR type:b)",
            );
        }
        let quoted = self.peek() == Some('"');
        let text_at = self.at;
        let text = if quoted { self.quoted()? } else { self.bare() };
        // Behind a quoted text the star stands by itself.
        let star = if quoted {
            let star = self.peek() == Some('*');
            self.at += usize::from(star);
            star
        } else {
            text.ends_with('*')
        };
        let text = text
            .strip_suffix(if quoted { "" } else { "*" })
            .unwrap_or(&text);
        if !quoted && let Some(inner) = text.chars().position(|c| c == '*') {
            self.at = text_at + inner;
            return self.fail(
                "a * stands only at the end of a word",
                "search finds words by their beginning, not by their middle or end",
            );
        }
        let found: Vec<words::Word> = words::words(text);
        if found.is_empty() {
            self.at = start;
            return self.fail(
                "there is no letter and no digit to look for",
                "search finds words; signs between them do not count",
            );
        }
        if star
            && found
                .last()
                .is_some_and(|last| !text[last.end..].is_empty())
        {
            return self.fail(
                "the * does not follow a letter or a digit",
                "write it right behind the beginning of a word",
            );
        }
        self.words += found.len();
        if self.words > MAX_WORDS {
            return self.fail(
                format!("a search has at most {MAX_WORDS} words"),
                "search for fewer of them",
            );
        }
        self.terms.push(Term {
            field,
            words: found.into_iter().map(|word| word.folded).collect(),
            prefix: star,
        });
        Ok(Condition::Term(self.terms.len() - 1))
    }

    /// The name of a field and its colon, if they stand here.
    fn field(&mut self) -> Option<Field> {
        let rest = &self.chars[self.at..];
        let colon = rest.iter().take(16).position(|c| *c == ':')?;
        let name: String = rest[..colon].iter().collect();
        let (_, field) = FIELDS.into_iter().find(|(known, _)| *known == name)?;
        self.at += colon + 1;
        Some(field)
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let opened = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            match self.peek() {
                None => {
                    self.at = opened;
                    return self.fail("this \" is not closed", "close it with another \"");
                }
                Some('"') => break,
                Some(c) => text.push(c),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(text)
    }

    fn bare(&mut self) -> String {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if c.is_whitespace() || matches!(c, '(' | ')' | '"') {
                break;
            }
            text.push(c);
            self.at += 1;
        }
        text
    }
}

fn one_or(mut some: Vec<Condition>, many: fn(Vec<Condition>) -> Condition) -> Condition {
    match (some.len(), some.pop()) {
        (1, Some(one)) => one,
        (_, last) => {
            some.extend(last);
            many(some)
        }
    }
}

impl std::fmt::Display for TextQuery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.write(&self.condition, true, f)
    }
}

impl TextQuery {
    fn write(
        &self,
        condition: &Condition,
        outermost: bool,
        f: &mut std::fmt::Formatter<'_>,
    ) -> std::fmt::Result {
        let (some, between) = match condition {
            Condition::Term(term) => return write!(f, "{}", self.terms[*term]),
            Condition::Not(inner) => {
                f.write_str("NOT ")?;
                return self.write(inner, false, f);
            }
            Condition::All(some) => (some, " AND "),
            Condition::Any(some) => (some, " OR "),
        };
        if !outermost {
            f.write_str("(")?;
        }
        for (i, inner) in some.iter().enumerate() {
            if i > 0 {
                f.write_str(between)?;
            }
            self.write(inner, false, f)?;
        }
        if outermost { Ok(()) } else { f.write_str(")") }
    }
}

impl std::fmt::Display for Term {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = FIELDS.iter().find(|(_, field)| Some(*field) == self.field);
        if let Some((name, _)) = named {
            write!(f, "{name}:")?;
        }
        match &self.words[..] {
            [one] => f.write_str(one)?,
            many => write!(f, "\"{}\"", many.join(" "))?,
        }
        f.write_str(if self.prefix { "*" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reading(text: &str) -> String {
        TextQuery::parse(text).unwrap().to_string()
    }

    #[test]
    fn what_is_written_is_read() {
        for (text, want) in [
            ("Alice", "alice"),
            ("alice shipped", "alice AND shipped"),
            ("alice AND shipped", "alice AND shipped"),
            ("a b OR c", "(a AND b) OR c"),
            ("a (b OR c)", "a AND (b OR c)"),
            ("SKU-48213", "\"sku 48213\""),
            ("SKU-48*", "\"sku 48\"*"),
            ("\"to the moon\"", "\"to the moon\""),
            ("\"to the mo\"*", "\"to the mo\"*"),
            ("a -b", "a AND NOT b"),
            ("a NOT b", "a AND NOT b"),
            ("a -(b OR c)", "a AND NOT (b OR c)"),
            ("type:Order*", "type:order*"),
            ("actor:\"Ann Lee\"", "actor:\"ann lee\""),
            ("urn:uuid:1-2", "\"urn uuid 1 2\""),
            ("10:30", "\"10 30\""),
            ("or and not", "or AND and AND not"),
            ("x\"y z\"", "x AND \"y z\""),
        ] {
            assert_eq!(reading(text), want, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_refused_where_it_stands() {
        for (text, at) in [
            ("", 1),
            ("   ", 4),
            ("(a", 1),
            ("a)", 2),
            ("()", 2),
            ("a \"b", 3),
            ("a OR", 5),
            ("OR a", 1),
            ("a AND OR b", 7),
            ("-a", 1),
            ("a OR -b", 1),
            ("a @", 3),
            ("a - b", 3),
            ("*", 1),
            ("a*b", 2),
            ("*ab", 1),
            ("ab-*", 5),
            ("type: x", 6),
            ("type:(a OR b)", 6),
            ("NOT", 4),
        ] {
            let error = TextQuery::parse(text).unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
            assert!(!error.hint.is_empty());
        }
        assert!(TextQuery::parse(&"(".repeat(5_000)).is_err());
        assert!(TextQuery::parse(&format!("{}a", "-".repeat(1_000))).is_err());
        assert!(TextQuery::parse(&"a ".repeat(65)).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r#"[ab1 "()*:\-é日]{0,24}|.{0,24}|(AND|OR|NOT|type:|a|\(|\)| |-|"){0,12}"#) {
            if let Ok(query) = TextQuery::parse(&text) {
                // What is printed reads as the same.
                let again = TextQuery::parse(&query.to_string());
                prop_assert_eq!(again.map(|q| q.to_string()), Ok(query.to_string()));
            }
        }
    }
}
