//! Whether an event matches, and where: the rule itself, on the event's own text. The index only finds
//! candidates; what this module refuses is no hit.

use super::document::{Spot, each_text};
use super::query::{Field, Term, TextQuery};
use super::view::{SearchMatch, SearchPart, SnippetPiece};
use super::words::{Word, words};
use crate::event::Event;

/// Places of an event that are listed.
const MAX_MATCHES: usize = 8;

/// Characters of a text that a snippet shows.
const SNIPPET_CHARS: usize = 160;

/// Of them before the first mark.
const LEAD_CHARS: usize = 40;

/// Characters that it grows by at either end, so that no word, address or number is cut.
const WHOLE_CHARS: usize = 60;

/// Where an event matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) matches: Vec<SearchMatch>,
    /// Further ones.
    pub(super) more: u64,
}

impl TextQuery {
    /// Whether the event matches.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let mut found = vec![false; self.terms.len()];
        each_text(event, &mut |spot, text| {
            let open = |(at, term): (usize, &Term)| !found[at] && term.looks_in(&spot);
            if !self.terms.iter().enumerate().any(open) {
                return;
            }
            let words = words(text);
            for (at, term) in self.terms.iter().enumerate() {
                if !found[at] && term.looks_in(&spot) {
                    found[at] = (0..words.len()).any(|i| term.at(&words[i..], &spot).is_some());
                }
            }
        });
        self.condition.holds(&|term| found[term])
    }

    /// Where the event matches; `None` if it does not.
    pub(super) fn places(&self, event: &Event) -> Option<Places> {
        if !self.matches(event) {
            return None;
        }
        let mut wanted = vec![false; self.terms.len()];
        self.condition.each_wanted(&mut |term| wanted[term] = true);
        let mut places = Places {
            matches: Vec::new(),
            more: 0,
        };
        each_text(event, &mut |spot, text| {
            let looked_for = || {
                let terms = self.terms.iter().zip(&wanted);
                terms.filter_map(|(term, wanted)| (*wanted && term.looks_in(&spot)).then_some(term))
            };
            if looked_for().next().is_none() {
                return;
            }
            let words = words(text);
            let mut marks = Vec::new();
            for term in looked_for() {
                marks.extend((0..words.len()).filter_map(|i| term.at(&words[i..], &spot)));
            }
            if marks.is_empty() {
                return;
            }
            if places.matches.len() == MAX_MATCHES {
                places.more += 1;
                return;
            }
            places.matches.push(snippet(&spot, text, joined(marks)));
        });
        Some(places)
    }
}

impl Term {
    fn looks_in(&self, spot: &Spot<'_>) -> bool {
        let part = match self.field {
            None => return !spot.is_key,
            Some(Field::Key) => return spot.is_key,
            Some(Field::Id) => {
                return matches!(spot.part, SearchPart::Id | SearchPart::SourceId);
            }
            Some(Field::Stream) => SearchPart::Stream,
            Some(Field::Type) => SearchPart::Type,
            Some(Field::Actor) => SearchPart::Actor,
            Some(Field::Correlation) => SearchPart::Correlation,
            Some(Field::Causation) => SearchPart::Causation,
            Some(Field::Data) => SearchPart::Data,
            Some(Field::Metadata) => SearchPart::Metadata,
        };
        spot.part == part && !spot.is_key
    }

    /// Where the term stands, if it begins with the first of these words. Names of fields are whole words.
    fn at(&self, words: &[Word], spot: &Spot<'_>) -> Option<(usize, usize)> {
        let last = self.words.len() - 1;
        let mut marks = self.words.iter().enumerate().map(|(i, wanted)| {
            let is = |folded: &str| {
                folded == wanted || (self.prefix && i == last && folded.starts_with(wanted))
            };
            let word = words.get(i)?;
            if is(&word.folded) {
                return Some((word.start, word.end));
            }
            let mut parts = word.parts.iter().filter(|_| !spot.is_key);
            let part = parts.find(|part| is(&part.folded))?;
            Some((part.start, part.end))
        });
        let first = marks.next()??;
        let end = marks.try_fold(first.1, |_, mark| mark.map(|(_, end)| end))?;
        Some((first.0, end))
    }
}

/// Marks in order, those that touch or overlap joined.
fn joined(mut marks: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    marks.sort_unstable();
    let mut joined: Vec<(usize, usize)> = Vec::with_capacity(marks.len());
    for (start, end) in marks {
        match joined.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => joined.push((start, end)),
        }
    }
    joined
}

fn snippet(spot: &Spot<'_>, text: &str, marks: Vec<(usize, usize)>) -> SearchMatch {
    let (from, to) = window(text, marks[0].0);
    let mut pieces = Vec::new();
    let mut push = |text: &str, marked: bool| {
        if !text.is_empty() {
            pieces.push(SnippetPiece {
                text: text.to_owned(),
                marked,
            });
        }
    };
    let mut at = from;
    for (start, end) in marks {
        if start >= to {
            break;
        }
        push(&text[at..start], false);
        at = end.min(to);
        push(&text[start..at], true);
    }
    push(&text[at..to], false);
    SearchMatch {
        part: spot.part,
        path: spot.path(),
        key: spot.is_key,
        snippet: pieces,
        cut_before: from > 0,
        cut_after: to < text.len(),
    }
}

/// What of the text is shown, in bytes: all of it, or what lies about the first mark, cut where a space is.
fn window(text: &str, mark: usize) -> (usize, usize) {
    let (from, to) = narrow_window(text, mark);
    let run = |chars: &mut dyn Iterator<Item = char>| {
        let mut bytes = 0;
        for (n, c) in chars.enumerate() {
            if c.is_whitespace() {
                return bytes;
            }
            if n == WHOLE_CHARS {
                // A run without an end is cut where it was.
                return 0;
            }
            bytes += c.len_utf8();
        }
        bytes
    };
    let before = run(&mut text[..from].chars().rev());
    let after = run(&mut text[to..].chars());
    (from - before, to + after)
}

fn narrow_window(text: &str, mark: usize) -> (usize, usize) {
    let ahead = |from: usize, chars: usize| {
        let mut ends = text[from..].char_indices().map(|(at, _)| from + at);
        ends.nth(chars).unwrap_or(text.len())
    };
    if ahead(0, SNIPPET_CHARS) == text.len() {
        return (0, text.len());
    }
    let before = text[..mark].char_indices().rev().nth(LEAD_CHARS - 1);
    let from = before.map_or(0, |(at, _)| at);
    let to = ahead(from, SNIPPET_CHARS);
    if to < text.len() {
        return (from, to);
    }
    // Near the end the room that is left goes to what stands before.
    let from = text.char_indices().rev().nth(SNIPPET_CHARS - 1);
    (from.map_or(0, |(at, _)| at), text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_ends_between_words_and_cuts_no_address() {
        let before = format!(
            "{}first.last.by.her.second.name@department.example.org ",
            "w ".repeat(100)
        );
        let long = format!("{before}hit {}ann@company.example.org end", "v ".repeat(55));
        let (from, to) = window(&long, before.len());
        let shown = &long[from..to];
        assert!(shown.starts_with("first.last.by.her"), "{shown}");
        assert!(shown.ends_with(" ann@company.example.org"), "{shown}");
        let endless = format!("{} hit {}", "x".repeat(1000), "y".repeat(1000));
        let (from, to) = window(&endless, 1001);
        assert_eq!(endless[from..to].chars().count(), SNIPPET_CHARS);
        let wide = "é".repeat(90) + " hit";
        assert_eq!(window(&wide, 181), (0, wide.len()));
    }
}
