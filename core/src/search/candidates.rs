//! The text index: which words stand in which events, and which events a query could match.
//!
//! The index keeps words alone, already folded and split by [`super::words`]. A word of a name stands in it twice, the
//! second time behind a sign that names the field, and names of fields in payloads stand in it behind such a sign only.
//! What the index cannot tell (next to each other, in which payload, beyond the length it keeps) [`super::matching`]
//! decides.

use super::document::each_text;
use super::query::{Condition, Field, Term, TextQuery};
use super::segment::Hashing;
use super::view::SearchPart;
use super::words::each_folded;
use crate::cache::Part;
use crate::event::Event;
use crate::prehashed::ByHash;

/// The text index in the cache. The version goes up whenever the same event would be indexed otherwise.
pub(super) static PART: Part = Part {
    name: "text index",
    version: 2,
    create: "CREATE TABLE text_segments(
                 first INTEGER PRIMARY KEY, last INTEGER NOT NULL, weight INTEGER NOT NULL) STRICT;
             CREATE TABLE text_blocks(id INTEGER PRIMARY KEY, block BLOB NOT NULL) STRICT;
             CREATE TABLE text_words(
                 first INTEGER NOT NULL, word BLOB NOT NULL, block INTEGER NOT NULL,
                 PRIMARY KEY(first, word)) STRICT, WITHOUT ROWID;",
    drop: "DROP TABLE IF EXISTS text_index;
           DROP TABLE IF EXISTS text_segments;
           DROP TABLE IF EXISTS text_blocks;
           DROP TABLE IF EXISTS text_words;",
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
    hashing: Hashing,
    places: ByHash<(usize, usize)>,
}

impl Seen {
    fn add(&mut self, sign: Option<char>, word: &str, out: &mut String) {
        let start = out.len();
        out.extend(sign);
        out.push_str(word);
        let end = out.len();
        let hash = self.hashing.of(&out.as_bytes()[start..]);
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
    /// What finds them.
    pub(super) wanted: Wanted,
    /// Every candidate matches: nothing has to be looked at again.
    pub(super) exact: bool,
}

/// What stands in the events that are looked for, in words as the index holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A word, or with `prefix` one that begins like this.
    Word { text: String, prefix: bool },
    /// One of these.
    Any(Vec<Wanted>),
    /// All of these.
    All(Vec<Wanted>),
    /// The first and not the second.
    Without(Box<Wanted>, Box<Wanted>),
}

impl TextQuery {
    /// What finds every event that matches.
    pub(super) fn candidates(&self) -> Candidates {
        let bound = self.at_most(&self.condition);
        Candidates {
            // INVARIANT: a query that holds where no term matches is refused when it is read, and only such a
            // one has every event for a candidate.
            wanted: bound.wanted.unwrap_or(Wanted::Any(Vec::new())),
            exact: bound.exact,
        }
    }

    /// Finds at least the events for which the condition holds; all events where nothing is wanted.
    fn at_most(&self, condition: &Condition) -> Bound {
        match condition {
            Condition::Term(term) => self.terms[*term].bound(),
            Condition::Any(some) => {
                let some: Vec<Bound> = some.iter().map(|c| self.at_most(c)).collect();
                let exact = some.iter().all(|bound| bound.exact);
                let some: Option<Vec<Wanted>> = some.into_iter().map(|b| b.wanted).collect();
                Bound {
                    wanted: some.map(Wanted::Any),
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

    /// Finds at most the events for which the condition holds; none where nothing is wanted.
    fn at_least(&self, condition: &Condition) -> Bound {
        match condition {
            Condition::Term(term) => {
                let bound = self.terms[*term].bound();
                if bound.exact { bound } else { Bound::NONE }
            }
            Condition::Any(some) => {
                let some: Vec<Bound> = some.iter().map(|c| self.at_least(c)).collect();
                let exact = some.iter().all(|bound| bound.exact);
                let some: Vec<Wanted> = some.into_iter().filter_map(|b| b.wanted).collect();
                Bound {
                    wanted: (!some.is_empty()).then_some(Wanted::Any(some)),
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
            match (bound.wanted, condition) {
                (Some(one), _) => list.push(one),
                // `-(-a OR b)`: what is to be there stands inside.
                (None, Condition::Not(_)) => wanted.extend(there(condition).wanted),
                (None, _) => {}
            }
        }
        if wanted.is_empty() {
            return Bound::NONE;
        }
        let all = Wanted::All(wanted);
        Bound {
            wanted: Some(unwanted.into_iter().fold(all, |all, gone| {
                Wanted::Without(Box::new(all), Box::new(gone))
            })),
            exact,
        }
    }
}

/// What the index can say about a condition.
struct Bound {
    wanted: Option<Wanted>,
    /// It finds exactly the events for which the condition holds.
    exact: bool,
}

impl Bound {
    const NONE: Bound = Bound {
        wanted: None,
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
            let prefix = self.prefix && i == last;
            let word = match prefix {
                true => &word[..word.floor_char_boundary(SURELY_KEPT)],
                false => kept(word),
            };
            Wanted::Word {
                text: format!("{sign}{word}"),
                prefix,
            }
        });
        let mut words: Vec<Wanted> = words.collect();
        let knows_field = self.field.is_none_or(|field| self::sign(field).is_some());
        let exact = words.len() == 1 && knows_field && self.words[0].len() < SURELY_KEPT;
        let wanted = match (words.pop(), words.is_empty()) {
            (Some(one), true) => one,
            (last, _) => {
                words.extend(last);
                Wanted::All(words)
            }
        };
        Bound {
            wanted: Some(wanted),
            exact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As one would write it down.
    fn written(wanted: &Wanted) -> String {
        let all = |some: &[Wanted], between: &str| {
            let some: Vec<String> = some.iter().map(written).collect();
            format!("({})", some.join(between))
        };
        match wanted {
            Wanted::Word { text, prefix } => {
                format!("\"{text}\"{}", if *prefix { "*" } else { "" })
            }
            Wanted::Any(some) => all(some, " OR "),
            Wanted::All(some) => all(some, " AND "),
            Wanted::Without(there, gone) => {
                format!("({} NOT {})", written(there), written(gone))
            }
        }
    }

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
                (written(&candidates.wanted).as_str(), candidates.exact),
                (want, exact),
                "{text}"
            );
        }
    }
}
