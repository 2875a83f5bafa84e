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
