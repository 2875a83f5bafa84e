//! The text index: which words stand in which events, and which events a query could match.
//!
//! FTS5 keeps the words alone (`content=''`, `detail=none`), already folded and split by [`super::words`], so its
//! own tokenizer only splits at spaces. A word of a name stands in it twice, the second time behind a sign that
//! names the field, and names of fields in payloads stand in it behind such a sign only. What the index cannot
//! tell (next to each other, in which payload, beyond the length it keeps) [`super::matching`] decides.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use super::document::each_text;
use super::query::{Condition, Field, Term, TextQuery};
use super::view::SearchPart;
use super::words::each_folded;
use crate::cache::Part;
use crate::event::Event;

/// The text index in the cache. The version goes up whenever the same event would be indexed otherwise.
pub(super) static PART: Part = Part {
    name: "text index",
    version: 1,
    create: "CREATE VIRTUAL TABLE text_index USING fts5(
                 words, content='', contentless_delete=1, detail=none, tokenize='ascii');
             INSERT INTO text_index(text_index, rank) VALUES ('automerge', 16);
             INSERT INTO text_index(text_index, rank) VALUES ('crisismerge', 32);",
    drop: "DROP TABLE IF EXISTS text_index;",
    // Negative: all segments at last become one, which holds no deleted row. The number is of pages.
    merge: "INSERT INTO text_index(text_index, rank) VALUES ('merge', -2000)",
};

/// Longest word that is kept whole, in bytes.
const MAX_WORD: usize = 128;

/// Of a longer word at least so much is kept: it is not cut inside a character.
const SURELY_KEPT: usize = MAX_WORD - 3;

/// The sign before the words of a field: control characters, which are never part of a word. Ids have none:
/// their words are rare, so that the events that hold them are soon looked at.
fn sign(field: Field) -> Option<char> {
    match field {
        Field::Stream => Some('\u{80}'),
        Field::Type => Some('\u{81}'),
        Field::Actor => Some('\u{82}'),
        Field::Key => Some('\u{83}'),
        Field::Id | Field::Correlation | Field::Causation | Field::Data | Field::Metadata => None,
    }
}

fn field_of(part: SearchPart) -> Option<Field> {
    match part {
        SearchPart::Stream => Some(Field::Stream),
        SearchPart::Type => Some(Field::Type),
        SearchPart::Actor => Some(Field::Actor),
        SearchPart::Id | SearchPart::SourceId => Some(Field::Id),
        SearchPart::Correlation => Some(Field::Correlation),
        SearchPart::Causation => Some(Field::Causation),
        SearchPart::Data | SearchPart::Metadata => None,
    }
}

/// Writes down the words of events as they are indexed, each once, with spaces between them.
#[derive(Debug, Default)]
pub(super) struct Scribe {
    scratch: (String, String),
    seen: Seen,
}

impl Scribe {
    /// The words of an event.
    pub(super) fn words(&mut self, event: &Event) -> String {
        let Scribe { scratch, seen } = self;
        let mut out = String::with_capacity(512);
        seen.places.clear();
        each_text(event, &mut |spot, text| {
            let field = if spot.is_key {
                Some(Field::Key)
            } else {
                field_of(spot.part)
            };
            let sign = field.and_then(sign);
            each_folded(text, !spot.is_key, scratch, &mut |word| {
                let word = kept(word);
                if !spot.is_key {
                    seen.add(None, word, &mut out);
                }
                if sign.is_some() {
                    seen.add(sign, word, &mut out);
                }
            });
        });
        out
    }
}

/// Where words were written first, by their hash.
#[derive(Debug, Default)]
struct Seen {
    places: HashMap<u64, (usize, usize), BuildHasherDefault<Hashed>>,
}

/// For keys that are hashes already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

impl Seen {
    fn add(&mut self, sign: Option<char>, word: &str, out: &mut String) {
        let start = out.len();
        out.extend(sign);
        out.push_str(word);
        let end = out.len();
        // FNV-1a: words are short.
        let hash = out.as_bytes()[start..]
            .iter()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
            });
        let (first, last) = *self.places.entry(hash).or_insert((start, end));
        if first != start && out[first..last] == out[start..] {
            out.truncate(start);
        } else {
            out.push(' ');
        }
    }
}

/// What of a word the index keeps.
fn kept(word: &str) -> &str {
    if word.len() <= MAX_WORD {
        return word;
    }
    &word[..word.floor_char_boundary(MAX_WORD)]
}

/// What the index is asked, and what its answer is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidates {
    /// The expression, in FTS5's language.
    pub(super) expression: String,
    /// Every candidate matches: nothing has to be looked at again.
    pub(super) exact: bool,
}

impl TextQuery {
    /// An expression that finds every event that matches.
    pub(super) fn candidates(&self) -> Candidates {
        let bound = self.at_most(&self.condition);
        Candidates {
            // INVARIANT: a query that holds where no term matches is refused when it is read, and only such a
            // one has every event for a candidate.
            expression: bound.expression.unwrap_or_default(),
            exact: bound.exact,
        }
    }

    /// Finds at least the events for which the condition holds; all events where there is no expression.
    fn at_most(&self, condition: &Condition) -> Bound {
        match condition {
            Condition::Term(term) => self.terms[*term].bound(),
            Condition::Any(some) => {
                let some: Vec<Bound> = some.iter().map(|c| self.at_most(c)).collect();
                let exact = some.iter().all(|bound| bound.exact);
                let some: Option<Vec<String>> = some.into_iter().map(|b| b.expression).collect();
                Bound {
                    expression: some.map(|some| format!("({})", some.join(" OR "))),
                    exact,
                }
            }
            Condition::All(some) => self.all(some, &|c| self.at_most(c), &|c| self.at_least(c)),
            Condition::Not(inner) => match &**inner {
                Condition::Term(_) => Bound::NONE,
                Condition::Not(inner) => self.at_most(inner),
                Condition::All(some) => self.at_most(&Condition::Any(negated(some))),
                Condition::Any(some) => self.at_most(&Condition::All(negated(some))),
            },
        }
    }

    /// Finds at most the events for which the condition holds; none where there is no expression.
    fn at_least(&self, condition: &Condition) -> Bound {
        match condition {
            Condition::Term(term) => {
                let bound = self.terms[*term].bound();
                if bound.exact { bound } else { Bound::NONE }
            }
            Condition::Any(some) => {
                let some: Vec<Bound> = some.iter().map(|c| self.at_least(c)).collect();
                let exact = some.iter().all(|bound| bound.exact);
                let some: Vec<String> = some.into_iter().filter_map(|b| b.expression).collect();
                Bound {
                    expression: (!some.is_empty()).then(|| format!("({})", some.join(" OR "))),
                    exact,
                }
            }
            Condition::All(some) => {
                let bound = self.all(some, &|c| self.at_least(c), &|c| self.at_most(c));
                // What is left out of "all" would let more through.
                if bound.exact { bound } else { Bound::NONE }
            }
            Condition::Not(_) => Bound::NONE,
        }
    }

    /// What all of these bound together: the ones that are to be there, without the ones that are not.
    fn all(
        &self,
        some: &[Condition],
        there: &dyn Fn(&Condition) -> Bound,
        gone: &dyn Fn(&Condition) -> Bound,
    ) -> Bound {
        let mut exact = true;
        let (mut wanted, mut unwanted) = (Vec::new(), Vec::new());
        for condition in some {
            let (bound, list) = match condition {
                Condition::Not(inner) => (gone(inner), &mut unwanted),
                _ => (there(condition), &mut wanted),
            };
            exact &= bound.exact;
            match (bound.expression, condition) {
                (Some(expression), _) => list.push(expression),
                // `-(-a OR b)`: what is to be there stands inside.
                (None, Condition::Not(_)) => wanted.extend(there(condition).expression),
                (None, _) => {}
            }
        }
        if wanted.is_empty() {
            return Bound::NONE;
        }
        let mut expression = format!("({})", wanted.join(" AND "));
        for gone in unwanted {
            expression = format!("({expression} NOT {gone})");
        }
        Bound {
            expression: Some(expression),
            exact,
        }
    }
}

/// What the index can say about a condition.
struct Bound {
    expression: Option<String>,
    /// It finds exactly the events for which the condition holds.
    exact: bool,
}

impl Bound {
    const NONE: Bound = Bound {
        expression: None,
        exact: false,
    };
}

fn negated(some: &[Condition]) -> Vec<Condition> {
    some.iter()
        .map(|c| Condition::Not(Box::new(c.clone())))
        .collect()
}

impl Term {
    /// Finds every event that matches, and no other where the index alone can tell.
    fn bound(&self) -> Bound {
        let sign = self
            .field
            .and_then(sign)
            .map(String::from)
            .unwrap_or_default();
        let last = self.words.len() - 1;
        let words = self.words.iter().enumerate().map(|(i, word)| {
            if self.prefix && i == last {
                format!(
                    "\"{sign}{}\"*",
                    &word[..word.floor_char_boundary(SURELY_KEPT)]
                )
            } else {
                format!("\"{sign}{}\"", kept(word))
            }
        });
        let words: Vec<String> = words.collect();
        let knows_field = self.field.is_none_or(|field| self::sign(field).is_some());
        Bound {
            expression: Some(match &words[..] {
                [one] => one.clone(),
                many => format!("({})", many.join(" AND ")),
            }),
            exact: words.len() == 1 && knows_field && self.words[0].len() < SURELY_KEPT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_asked_for_no_less_than_what_matches() {
        for (text, want, exact) in [
            ("a", r#""a""#, true),
            ("a b*", r#"("a" AND "b"*)"#, true),
            ("a OR b", r#"("a" OR "b")"#, true),
            ("a -b", r#"(("a") NOT "b")"#, true),
            ("a -\"b c\"", r#"("a")"#, false),
            ("SKU-1", r#"("sku" AND "1")"#, false),
            ("data:a", r#""a""#, false),
            ("type:a", "\"\u{81}a\"", true),
            ("a -(b c)", r#"(("a") NOT ("b" AND "c"))"#, true),
            ("a -(b OR c)", r#"(("a") NOT ("b" OR "c"))"#, true),
            ("a -(b OR \"c d\")", r#"(("a") NOT ("b"))"#, false),
            ("a -(b -c)", r#"(("a") NOT (("b") NOT "c"))"#, true),
            ("a (b OR -c)", r#"("a")"#, false),
            ("-(-a OR b)", r#"(("a") NOT "b")"#, false),
        ] {
            let candidates = TextQuery::parse(text).unwrap().candidates();
            assert_eq!(
                (candidates.expression.as_str(), candidates.exact),
                (want, exact),
                "{text}"
            );
        }
    }
}
