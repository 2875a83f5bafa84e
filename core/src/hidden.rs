//! Characters that move, reorder or hide text where it is printed: hosts write them out.

use std::borrow::Cow;

/// Whether printing the character would move, reorder or hide text: control, bidirectional, invisible and private
/// characters.
///
/// ```
/// use annals_core::hidden::is_hidden;
/// assert!(is_hidden('\u{202E}') && is_hidden('\u{200B}') && is_hidden('\n'));
/// assert!(!is_hidden('注') && !is_hidden(' '));
/// ```
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E000}'..='\u{F8FF}'
            | '\u{E0000}'..='\u{E0FFF}' | '\u{F0000}'..)
}

/// Whether the character joins or varies the pictograph before it: then it is part of an emoji, and hides nothing.
///
/// ```
/// use annals_core::hidden::joins_emoji;
/// assert!(joins_emoji('❤', '\u{FE0F}'));
/// assert!(!joins_emoji('a', '\u{200D}'));
/// ```
#[must_use]
pub fn joins_emoji(before: char, c: char) -> bool {
    matches!(c, '\u{200D}' | '\u{FE0F}')
        && matches!(before, '\u{203C}' | '\u{2049}' | '\u{2100}'..='\u{2BFF}' | '\u{3030}' | '\u{FE0F}' | '\u{1F000}'..='\u{1FAFF}')
}

/// A text whose characters that nobody sees, or that turn or hide others, are written out: `‹U+202E›`. Line ends and
/// tabs stay.
///
/// ```
/// use annals_core::hidden::visible;
/// assert_eq!(visible("a\u{7}\u{202e}b\n"), "a‹U+0007›‹U+202E›b\n");
/// assert_eq!(visible("注文 🚚 שלום"), "注文 🚚 שלום");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_written_out) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_written_out(c) {
            true => shown.push_str(&format!("‹U+{:04X}›", u32::from(c))),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

fn is_written_out(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Bidi marks, embeddings, overrides and isolates; what has no width; what XML has no place for.
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
            // The joiners shape letters of some scripts and emoji.
            !matches!(c, '\u{200c}' | '\u{200d}')
        }
        '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        c => c.is_control(),
    }
}
