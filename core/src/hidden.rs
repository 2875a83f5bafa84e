//! Characters that move, reorder or hide text where it is printed: hosts write them out.

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
