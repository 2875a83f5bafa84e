//! Texts of cells: how values are held, and how people read them.

use std::borrow::Cow;

use serde_json::Value;

use super::report::{Cell, CellKind};

/// A value as the cell of a column of this kind holds it: JSON text in a column of values, else what a person reads.
pub(super) fn value_text(value: &Value, kind: CellKind) -> String {
    match (kind, value) {
        (CellKind::Value, value) => value.to_string(),
        (_, Value::String(text)) => text.clone(),
        (_, value) => value.to_string(),
    }
}

impl Cell {
    /// What to print in a column of this kind: a text of JSON as its own characters. Never empty.
    ///
    /// ```
    /// use annals_core::compliance::{Cell, CellKind};
    /// let cell = Cell::Value("\"Placed\"".into());
    /// assert_eq!(cell.printed(CellKind::Value), "Placed");
    /// assert_eq!(Cell::Value("\"\"".into()).printed(CellKind::Value), "\"\"");
    /// assert_eq!(Cell::Value("[1]".into()).printed(CellKind::Value), "[1]");
    /// ```
    #[must_use]
    pub fn printed(&self, kind: CellKind) -> Cow<'_, str> {
        let text = self.text();
        if kind == CellKind::Value
            && self.value().is_some_and(|value| value.starts_with('"'))
            && let Ok(inner) = serde_json::from_str::<String>(text)
            && !inner.is_empty()
        {
            return Cow::Owned(inner);
        }
        Cow::Borrowed(text)
    }
}

/// A text whose characters that nobody sees, or that turn or hide others, are written out: `‹U+202E›`. Line ends and
/// tabs stay.
///
/// ```
/// use annals_core::compliance::visible;
/// assert_eq!(visible("a\u{7}\u{202e}b\n"), "a‹U+0007›‹U+202E›b\n");
/// assert_eq!(visible("注文 🚚 שלום"), "注文 🚚 שלום");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match hidden(c) {
            true => shown.push_str(&format!("‹U+{:04X}›", u32::from(c))),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

fn hidden(c: char) -> bool {
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
