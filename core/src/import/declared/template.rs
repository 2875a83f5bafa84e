//! Text with columns in braces; several of them with ` || ` between, of which the first that is filled counts.

/// What stands between templates of which the first that is filled counts.
const OR: &str = " || ";

/// A template, read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::import) struct Template {
    pub parts: Vec<Part>,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) enum Part {
    /// Text that stands in every event.
    Text(String),
    /// The cell of the column with this name.
    Column(String),
}

impl Template {
    /// Reads templates with ` || ` between them, the one that is tried first at the beginning. An empty text is none.
    ///
    /// # Errors
    /// What is wrong with one of them, in a sentence for the user.
    pub(in crate::import) fn choices(text: &str) -> Result<Vec<Template>, String> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let mut choices = Vec::new();
        let (mut from, mut depth, mut escaped) = (0, 0_usize, false);
        for (at, character) in text.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ' ' if depth == 0 && at >= from && text[at..].starts_with(OR) => {
                    choices.push(Template::parse(&text[from..at])?);
                    from = at + OR.len();
                }
                _ => {}
            }
        }
        choices.push(Template::parse(&text[from..])?);
        Ok(choices)
    }

    /// Reads a template. A backslash before `{`, `}`, `|` or a backslash makes it that character and no more.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence for the user.
    pub(in crate::import) fn parse(text: &str) -> Result<Template, String> {
        let mut parts = Vec::new();
        let mut piece = String::new();
        let mut open = false;
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some(escaped @ ('{' | '}' | '|' | '\\')) => piece.push(escaped),
                    _ => {
                        return Err(format!(
                            "{text:?} holds a backslash before neither a brace nor a backslash"
                        ));
                    }
                },
                '{' if open => return Err(format!("{text:?} opens a brace inside braces")),
                '{' => {
                    open = true;
                    if !piece.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut piece)));
                    }
                }
                '}' if !open => return Err(format!("{text:?} closes a brace that is not open")),
                '}' if piece.is_empty() => {
                    return Err(format!("{text:?} names no column between its braces"));
                }
                '}' => {
                    open = false;
                    parts.push(Part::Column(std::mem::take(&mut piece)));
                }
                character => piece.push(character),
            }
        }
        if open {
            return Err(format!("{text:?} does not close its brace"));
        }
        if !piece.is_empty() {
            parts.push(Part::Text(piece));
        }
        Ok(Template { parts })
    }

    /// Names of the columns in it.
    pub(in crate::import) fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Column(name) => Some(name.as_str()),
        })
    }
}

/// The template that is a column and nothing else.
pub(in crate::import) fn of_column(name: &str) -> String {
    format!("{{{}}}", escaped(name))
}

/// Text as it stands in a template.
pub(in crate::import) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '{' | '}' | '|' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_text_and_columns() {
        let column = |name: &str| Part::Column(name.into());
        let text = |text: &str| Part::Text(text.into());
        for (template, parts) in [
            ("", vec![]),
            ("Moved", vec![text("Moved")]),
            ("{case id}", vec![column("case id")]),
            ("order-{id}", vec![text("order-"), column("id")]),
            ("{d} {t}", vec![column("d"), text(" "), column("t")]),
            (r"\{x\}{a\}b}", vec![text("{x}"), column("a}b")]),
        ] {
            assert_eq!(
                Template::parse(template).unwrap().parts,
                parts,
                "{template}"
            );
        }
        for wrong in ["{", "}", "{}", "{a", "a}", "{a{b}}", r"\x", r"{a\}"] {
            assert!(Template::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_first_template_that_is_filled_counts() {
        let parts = |text: &str| -> Vec<usize> {
            let choices = Template::choices(text).unwrap();
            choices.iter().map(|choice| choice.parts.len()).collect()
        };
        assert_eq!(parts("{a} || b-{c} || d"), [1, 2, 1]);
        assert_eq!(parts("{a || b}"), [1], "a column may be called so");
        assert_eq!(parts(r"a \|\| b"), [1], "or a text");
        assert_eq!(parts(""), [0; 0]);
        assert!(Template::choices("{a} || {").is_err());
    }

    proptest::proptest! {
        #[test]
        fn every_column_can_be_named(name in ".+") {
            let parsed = Template::parse(&of_column(&name)).unwrap();
            proptest::prop_assert_eq!(parsed.parts, vec![Part::Column(name.clone())]);
            let parsed = Template::choices(&escaped(&name)).unwrap();
            proptest::prop_assert_eq!(parsed, vec![Template { parts: vec![Part::Text(name)] }]);
        }
    }
}
