//! Text with columns in braces.

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
    /// Reads a template. A backslash before `{`, `}` or a backslash makes it that character and no more.
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
                    Some(escaped @ ('{' | '}' | '\\')) => piece.push(escaped),
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
        if matches!(character, '{' | '}' | '\\') {
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

    proptest::proptest! {
        #[test]
        fn every_column_can_be_named(name in ".+") {
            let parsed = Template::parse(&of_column(&name)).unwrap();
            proptest::prop_assert_eq!(parsed.parts, vec![Part::Column(name.clone())]);
            let parsed = Template::parse(&escaped(&name)).unwrap();
            proptest::prop_assert_eq!(parsed.parts, vec![Part::Text(name)]);
        }
    }
}
