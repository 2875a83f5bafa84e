//! Paths into a state: `items[0].price`, `case["concept:name"]`.

use serde_json::Value;

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into an object by name.
    Key(String),
    /// Into a list by place, first is 0.
    Index(usize),
}

/// Where a value stands in a state. The empty path is the state itself.
///
/// ```
/// use annals_core::model::FieldPath;
/// let path: FieldPath = r#"items[0]["unit price"]"#.parse().unwrap();
/// let state = serde_json::json!({"items": [{"unit price": "29.99"}]});
/// assert_eq!(path.get(&state), Some(&serde_json::json!("29.99")));
/// assert_eq!(path.to_string(), r#"items[0]["unit price"]"#);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub Vec<Step>);

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no path: {reason} (write for example items[0].price or case[\"concept:name\"])"
)]
pub struct PathError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub reason: String,
}

impl FieldPath {
    /// The path with one more step.
    #[must_use]
    pub fn then(&self, step: Step) -> FieldPath {
        let mut steps = self.0.clone();
        steps.push(step);
        FieldPath(steps)
    }

    /// The value at this path; `None` if there is none.
    #[must_use]
    pub fn get<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(root, |value, step| step.get(value))
    }

    /// The value at this path, to be changed; `None` if there is none.
    pub fn get_mut<'v>(&self, root: &'v mut Value) -> Option<&'v mut Value> {
        self.0.iter().try_fold(root, |value, step| match step {
            Step::Key(key) => value.as_object_mut()?.get_mut(key),
            Step::Index(index) => value.as_array_mut()?.get_mut(*index),
        })
    }
}

impl Step {
    /// The value one step in; `None` if there is none.
    #[must_use]
    pub fn get<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        match self {
            Step::Key(key) => value.as_object()?.get(key),
            Step::Index(index) => value.as_array()?.get(*index),
        }
    }
}

/// Whether a name is written without quotes in a path.
fn is_word(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

impl std::fmt::Display for FieldPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (i, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if is_word(key) => {
                    if i > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(key)?;
                }
                Step::Key(key) => {
                    let quoted = serde_json::to_string(key).map_err(|_| std::fmt::Error)?;
                    write!(f, "[{quoted}]")?;
                }
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

impl std::str::FromStr for FieldPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<FieldPath, PathError> {
        let fail = |reason: &str| PathError {
            text: text.to_owned(),
            reason: reason.to_owned(),
        };
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inside) = rest.strip_prefix('[') {
                let (step, after) = bracket(inside).ok_or_else(|| {
                    fail("a bracket holds a number or a name in double quotes and is closed")
                })?;
                steps.push(step);
                rest = after;
                continue;
            }
            if !steps.is_empty() {
                rest = rest
                    .strip_prefix('.')
                    .ok_or_else(|| fail("a `.` or `[` must follow a bracket"))?;
            }
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if !is_word(word) {
                return Err(fail(
                    "a name of anything but letters, digits and `_` goes into brackets and quotes",
                ));
            }
            steps.push(Step::Key(word.to_owned()));
            rest = after;
        }
        Ok(FieldPath(steps))
    }
}

/// Reads `0]…` or `"name"]…`.
fn bracket(inside: &str) -> Option<(Step, &str)> {
    if inside.starts_with('"') {
        let mut names = serde_json::Deserializer::from_str(inside).into_iter::<String>();
        let name = names.next()?.ok()?;
        let after = inside[names.byte_offset()..].strip_prefix(']')?;
        return Some((Step::Key(name), after));
    }
    let (digits, after) = inside.split_once(']')?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| Some((Step::Index(digits.parse().ok()?), after)))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_are_written_as_they_are_read() {
        for text in [
            "",
            "items",
            "items[0].price",
            "[3]",
            r#"["odd key"].x"#,
            r#"case["concept:name"]"#,
            r#"a["\"]"][0]"#,
            "größe.π",
        ] {
            assert_eq!(text.parse::<FieldPath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn texts_that_are_no_path_are_refused() {
        for text in [
            ".a", "a.", "a..b", "a[", "a[x]", "a[-1]", "a[0", "a b", "a[0]b", "0a", "a[\"b]",
        ] {
            assert!(text.parse::<FieldPath>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_path_survives_its_text(steps in prop::collection::vec(prop_oneof![
            any::<String>().prop_map(Step::Key),
            any::<usize>().prop_map(Step::Index),
        ], 0..5)) {
            let path = FieldPath(steps);
            prop_assert_eq!(path.to_string().parse::<FieldPath>().unwrap(), path);
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,30}") {
            let _ = text.parse::<FieldPath>();
        }
    }
}
