//! From a text to the words that it is searched by.
//!
//! `docs/search.md` states the rule for users; this is the one place that carries it out, for texts that are
//! indexed, for texts that are looked at, and for what is asked.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Longest word, in bytes as written, whose capitals are taken for the beginnings of words: random texts are
/// longer, and their parts mean nothing.
const MAX_CAPITALS: usize = 64;

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Where it stands in the text, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// What it is compared by: lower case, without accents.
    pub(super) folded: String,
    /// The words inside it, where capitals begin them: `order` and `shipped` in `OrderShipped`.
    pub(super) parts: Vec<Part>,
}

/// A word inside a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it stands in the text, in bytes.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// What it is compared by.
    pub(super) folded: String,
}

/// Calls `each` with the words of the text in order.
pub(super) fn each_word(text: &str, each: &mut dyn FnMut(Word)) {
    for_each(text, &mut |start, end, folded| {
        each(Word {
            start,
            end,
            folded: folded.to_owned(),
            parts: parts(text, start, end),
        });
    });
}

/// Calls `each` with every word of the text and, where they count, every word inside one, as they are compared.
pub(super) fn each_folded(
    text: &str,
    with_parts: bool,
    scratch: &mut (String, String),
    each: &mut dyn FnMut(&str),
) {
    let (word, part) = scratch;
    scan(text, word, &mut |start, end, folded| {
        each(folded);
        if with_parts {
            each_part(text, start, end, &mut |part_start, part_end| {
                part.clear();
                fold(&text[part_start..part_end], part);
                if !part.is_empty() {
                    each(part);
                }
            });
        }
    });
}

/// The words of the text.
pub(super) fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    each_word(text, &mut |word| words.push(word));
    words
}

fn for_each(text: &str, each: &mut dyn FnMut(usize, usize, &str)) {
    scan(text, &mut String::new(), each);
}

/// Calls `each` with start, end and folded form of every word.
fn scan(text: &str, folded: &mut String, each: &mut dyn FnMut(usize, usize, &str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        folded.clear();
        let start = at;
        // Most text is ASCII; a word with anything else in it is read again, character by character.
        while at < bytes.len() && bytes[at].is_ascii_alphanumeric() {
            folded.push(char::from(bytes[at].to_ascii_lowercase()));
            at += 1;
        }
        if at < bytes.len() && !bytes[at].is_ascii() {
            at = scan_wide(text, start, folded, each);
        } else if at > start {
            each(start, at, folded);
        } else {
            at += 1;
        }
    }
}

/// Reads one word, or one character between words, from `start` on; returns where it ends.
fn scan_wide(
    text: &str,
    start: usize,
    folded: &mut String,
    each: &mut dyn FnMut(usize, usize, &str),
) -> usize {
    folded.clear();
    let mut end = start;
    for (offset, c) in text[start..].char_indices() {
        let at = start + offset;
        let after = at + c.len_utf8();
        if c.is_alphanumeric() && is_unspaced(c) {
            if folded.is_empty() {
                fold(&text[at..after], folded);
                end = after;
                // What the compatibility form leaves of it may be nothing at all.
                break;
            }
            break;
        } else if c.is_alphanumeric() || (!folded.is_empty() && is_combining_mark(c)) {
            fold(&text[at..after], folded);
            end = after;
        } else if folded.is_empty() {
            return after;
        } else if !is_ignorable(c) {
            break;
        }
    }
    if folded.is_empty() {
        // A letter that folds to nothing: passed over.
        return end.max(start + text[start..].chars().next().map_or(1, char::len_utf8));
    }
    each(start, end, folded);
    end
}

fn parts(text: &str, start: usize, end: usize) -> Vec<Part> {
    let mut parts = Vec::new();
    each_part(text, start, end, &mut |start, end| {
        let mut folded = String::new();
        fold(&text[start..end], &mut folded);
        if !folded.is_empty() {
            parts.push(Part { start, end, folded });
        }
    });
    parts
}

/// Calls `each` with the words of two characters or more that capitals begin inside the word: where a small
/// letter is followed by a capital, and before the last of several capitals that a small letter follows.
fn each_part(text: &str, start: usize, end: usize, each: &mut dyn FnMut(usize, usize)) {
    let word = &text[start..end];
    if word.len() > MAX_CAPITALS || !has_inner_capital(word) {
        return;
    }
    let mut take = |from: usize, to: usize| {
        if text[from..to].chars().nth(1).is_some() {
            each(from, to);
        }
    };
    let mut from = start;
    let mut chars = word.char_indices().peekable();
    let mut previous = None;
    while let Some((offset, c)) = chars.next() {
        let next_is_small = chars.peek().is_some_and(|(_, c)| c.is_lowercase());
        let begins = c.is_uppercase()
            && previous.is_some_and(|p: char| {
                p.is_lowercase() || p.is_numeric() || (p.is_uppercase() && next_is_small)
            });
        if begins {
            take(from, start + offset);
            from = start + offset;
        }
        previous = Some(c);
    }
    if from > start {
        take(from, end);
    }
}

/// Whether a capital stands in it after its first character.
fn has_inner_capital(word: &str) -> bool {
    if word.is_ascii() {
        word.bytes().skip(1).any(|b| b.is_ascii_uppercase())
    } else {
        word.chars().skip(1).any(char::is_uppercase)
    }
}

/// Adds the form that words are compared by: compatibility forms taken apart (full-width letters, ligatures),
/// accents left out, lower case.
fn fold(text: &str, into: &mut String) {
    for c in text.chars() {
        if c.is_ascii() {
            into.push(c.to_ascii_lowercase());
            continue;
        }
        decompose_compatible(c, |c| {
            for c in c.to_lowercase() {
                let kept = (c.is_alphanumeric() || is_combining_mark(c)) && !is_accent(c);
                if kept {
                    // The small sigma has a form of its own at the end of a word.
                    into.push(if c == 'ς' { 'σ' } else { c });
                }
            }
        });
    }
}

/// Combining marks that accents are made of. Those that are vowels or change the letter in other scripts stay.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Characters that nobody sees: a word goes on behind them.
fn is_ignorable(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
}

/// Scripts that put no space between words: Han, kana, Thai, Lao, Burmese, Khmer and those around them.
/// Each of their characters is a word by itself.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{19E0}'..='\u{1AAF}'
        | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}'
        | '\u{4E00}'..='\u{9FFF}' | '\u{A9E0}'..='\u{A9FF}' | '\u{AA60}'..='\u{AA7F}' | '\u{F900}'..='\u{FAFF}'
        | '\u{FF66}'..='\u{FF9F}' | '\u{1B000}'..='\u{1B16F}' | '\u{20000}'..='\u{323AF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn folded(text: &str) -> Vec<String> {
        let mut all = Vec::new();
        each_folded(text, true, &mut Default::default(), &mut |word| {
            all.push(word.to_owned());
        });
        all
    }

    #[test]
    fn words_are_runs_of_letters_and_digits() {
        for (text, want) in [
            ("SKU-48213", &["sku", "48213"][..]),
            ("john.doe@example.com", &["john", "doe", "example", "com"]),
            ("1234.50 1e10", &["1234", "50", "1e10"]),
            ("O'Brien_x", &["o", "brien", "x"]),
            ("Café CAFÉ cafe\u{301}", &["cafe", "cafe", "cafe"]),
            ("ﬁne １２", &["fine", "12"]),
            ("ΟΔΟΣ οδος", &["οδοσ", "οδοσ"]),
            ("日本語 テスト", &["日", "本", "語", "テ", "ス", "ト"]),
            ("第3章", &["第", "3", "章"]),
            ("हिन्दी", &["हिन्दी"]),
            ("pass\u{200B}word\u{200B}", &["password"]),
            ("🚚 -- ½", &["12"]),
            ("", &[]),
        ] {
            assert_eq!(folded(text), want, "{text}");
        }
    }

    #[test]
    fn syllables_are_compared_by_their_letters() {
        let composed = folded("한국어 문서");
        let apart = folded(
            "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}\u{110b}\u{1165} \u{1106}\u{116e}\u{11ab}\u{1109}\u{1165}",
        );
        assert_eq!(composed.len(), 2);
        assert_eq!(composed, apart);
    }

    #[test]
    fn capitals_begin_words_inside_a_word() {
        for (text, want) in [
            ("OrderShipped", &["ordershipped", "order", "shipped"][..]),
            ("HTTPServer2Go", &["httpserver2go", "http", "server2", "go"]),
            ("customerId", &["customerid", "customer", "id"]),
            ("Order", &["order"]),
            ("ORDER", &["order"]),
            ("aB", &["ab"]),
        ] {
            assert_eq!(folded(text), want, "{text}");
        }
        assert_eq!(folded(&"aB".repeat(40)).len(), 1);
    }

    proptest! {
        #[test]
        fn words_lie_in_the_text_in_order(text in ".{0,40}") {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(word.start >= end && word.end > word.start);
                prop_assert!(text.is_char_boundary(word.start) && text.is_char_boundary(word.end));
                prop_assert!(!word.folded.is_empty());
                end = word.end;
            }
        }

        #[test]
        fn a_folded_word_is_the_word_of_its_own_text(text in "[a-zA-Z0-9éÅßİΣк日]{0,12}") {
            for word in words(&text) {
                let again: Vec<String> = words(&word.folded).into_iter().map(|w| w.folded).collect();
                prop_assert_eq!(again, vec![word.folded]);
            }
        }
    }
}
