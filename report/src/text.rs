//! Texts from the data, made ready for paper: nothing hides, nothing reorders a line, nothing gets lost.

use std::collections::BTreeSet;

use annals_core::hidden::{is_hidden, joins_emoji};

use crate::fonts::FONTS;

/// Writes texts so that every character of them is seen on paper.
#[derive(Debug, Default)]
pub struct Ink {
    /// Sequences that no font could set, though each of their characters has a glyph somewhere.
    unset: BTreeSet<String>,
}

impl Ink {
    /// Remembers a sequence that came out without a glyph. Says whether it is new.
    pub fn write_out(&mut self, sequence: &str) -> bool {
        !sequence.is_empty() && self.unset.insert(sequence.to_owned())
    }

    /// Returns the text with control, bidirectional, invisible and private characters, and those that no font has,
    /// written as `‹U+202E›`. A joiner or a variation selector after a pictograph stays: it is part of an emoji.
    pub fn visible(&self, text: &str) -> String {
        if text.bytes().all(|b| (b' '..=b'~').contains(&b)) && self.unset.is_empty() {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut previous = '\0';
        while let Some(c) = rest.chars().next() {
            if let Some(sequence) = self
                .unset
                .iter()
                .rev()
                .find(|s| rest.starts_with(s.as_str()))
            {
                sequence.chars().for_each(|c| written_out(&mut out, c));
                previous = '\0';
                rest = &rest[sequence.len()..];
                continue;
            }
            if joins_emoji(previous, c) || (!hides(c) && FONTS.covers(c)) {
                out.push(c);
            } else {
                written_out(&mut out, c);
            }
            previous = c;
            rest = &rest[c.len_utf8()..];
        }
        out
    }
}

/// The text of a heading: one of nothing but spaces says that it is one, since a heading has to say something.
pub fn heading(visible: String) -> String {
    match visible.trim().is_empty() {
        true => "(no title)".to_owned(),
        false => visible,
    }
}

fn written_out(out: &mut String, c: char) {
    out.push_str(&format!("‹U+{:04X}›", u32::from(c)));
}

/// Whether the character hides text on paper: those that stand for another or for none do as well.
fn hides(c: char) -> bool {
    is_hidden(c) || matches!(c, '\u{FFFC}'..='\u{FFFF}')
}

/// Width of the text in points, were it one line.
pub fn width_pt(text: &str, size_pt: f64, mono: bool) -> f64 {
    text.chars().map(|c| FONTS.width_em(c, mono)).sum::<f64>() * size_pt
}

/// Splits the text into pieces between which a line may end, so that no word is wider than `width_pt`. The pieces
/// together are the text. A word is parted where it has a sign, if that fills more than half of the line.
pub fn broken(text: &str, width_pt: f64, size_pt: f64, mono: bool) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut used, mut previous) = (0, 0.0, ' ');
    // The last sign of the word: where it ends, and the width from the start of the line to there.
    let mut sign: Option<(usize, f64)> = None;
    for (at, c) in text.char_indices() {
        if c == ' ' {
            (used, sign, previous) = (0.0, None, c);
            continue;
        }
        let width = FONTS.width_em(c, mono) * size_pt;
        if used + width > width_pt && used > 0.0 && may_part(previous, c) {
            let (end, kept) = match sign {
                Some((end, kept)) if kept > width_pt * 0.5 && end > start => (end, kept),
                _ => (at, used),
            };
            pieces.push(&text[start..end]);
            (start, used, sign) = (end, used - kept, None);
        }
        used += width;
        previous = c;
        if matches!(
            c,
            ',' | ':' | ';' | '/' | '_' | '-' | '=' | '&' | '}' | '›' | '.' | '@'
        ) {
            sign = Some((at + c.len_utf8(), used));
        }
    }
    pieces.push(&text[start..]);
    pieces
}

/// Whether a line may end between the two, in a word that does not fit: not before a mark, not inside an emoji.
fn may_part(before: char, after: char) -> bool {
    let belongs = |c: char| {
        matches!(c, '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{0591}'..='\u{05C7}'
            | '\u{0610}'..='\u{061A}' | '\u{064B}'..='\u{065F}' | '\u{0670}' | '\u{06D6}'..='\u{06ED}'
            | '\u{0900}'..='\u{0903}' | '\u{093A}'..='\u{094F}' | '\u{0951}'..='\u{0957}' | '\u{0962}' | '\u{0963}'
            | '\u{0E31}' | '\u{0E33}'..='\u{0E3A}' | '\u{0E47}'..='\u{0E4E}'
            | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{200D}' | '\u{20D0}'..='\u{20FF}'
            | '\u{302A}'..='\u{302F}' | '\u{3099}' | '\u{309A}' | '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}'
            | '\u{1F3FB}'..='\u{1F3FF}')
    };
    !belongs(after) && before != '\u{200D}' && before != '\u{094D}'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_hides_reorders_or_has_no_glyph_is_written_out() {
        let mut ink = Ink::default();
        for (text, want) in [
            ("order-789", "order-789"),
            ("a\u{202E}b\n", "a‹U+202E›b‹U+000A›"),
            ("bell\u{7}", "bell‹U+0007›"),
            ("注文 🚚 مرحبا", "注文 🚚 مرحبا"),
            ("\u{10D0}", "‹U+10D0›"),
            ("\u{F8FF}\u{E0041}", "‹U+F8FF›‹U+E0041›"),
            ("❤\u{FE0F}", "❤\u{FE0F}"),
        ] {
            assert_eq!(ink.visible(text), want);
        }
        assert!(ink.write_out("注\u{0301}"));
        assert!(!ink.write_out("注\u{0301}"), "known already");
        assert_eq!(ink.visible("a注\u{0301}注"), "a‹U+6CE8›‹U+0301›注");
    }

    #[test]
    fn no_piece_of_a_long_word_is_wider_than_its_column_and_none_is_lost() {
        for text in [
            "0123456789abcdef0123456789abcdef0123456789abcdef".to_owned(),
            "short words only".to_owned(),
            "注文を確定しました注文を確定しました".to_owned(),
            "e\u{0301}".repeat(60),
            String::new(),
        ] {
            let pieces = broken(&text, 60.0, 7.0, false);
            assert_eq!(pieces.concat(), text);
            for word in pieces.iter().flat_map(|piece| piece.split(' ')) {
                assert!(width_pt(word, 7.0, false) <= 60.0 + 7.0, "{word}");
            }
            assert!(pieces.iter().all(|piece| !piece.starts_with('\u{0301}')));
        }
    }
}
