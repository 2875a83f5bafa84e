//! JSON for people: indented, every digit and every repeated key as recorded, each line with its path.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::text::visible;

/// Deepest nesting that is indented; what lies deeper stays on one line.
const MAX_DEPTH: usize = 64;

/// One line of an indented JSON text.
#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    /// The text with its indentation, hidden characters written out.
    pub text: String,
    /// Path of the value that begins on this line, as [`annals_core::temporal::Change`] writes it; `None` on
    /// closing brackets.
    pub path: Option<String>,
}

/// Indents a JSON text. A text that is not JSON comes back as one line.
pub fn lines(json: &str) -> Vec<Line> {
    let mut out = Vec::new();
    put(&mut out, 0, "", String::new(), json.trim(), "");
    out
}

/// Puts one value: `prefix` is the key before it, `suffix` the comma after it.
fn put(out: &mut Vec<Line>, depth: usize, prefix: &str, path: String, json: &str, suffix: &str) {
    let indent = "  ".repeat(depth);
    let children = match json.as_bytes().first() {
        _ if depth >= MAX_DEPTH => None,
        Some(b'{') => entries(json),
        Some(b'[') => elements(json),
        _ => None,
    };
    let Some(children) = children.filter(|c| !c.is_empty()) else {
        let text = visible(&format!("{indent}{prefix}{json}{suffix}"));
        out.push(Line {
            text,
            path: Some(path),
        });
        return;
    };
    let (open, close) = if json.starts_with('{') {
        ('{', '}')
    } else {
        ('[', ']')
    };
    out.push(Line {
        text: visible(&format!("{indent}{prefix}{open}")),
        path: Some(path.clone()),
    });
    let last = children.len() - 1;
    for (i, (key, value)) in children.into_iter().enumerate() {
        let (prefix, path) = match &key {
            Some(key) => (
                format!("{}: ", serde_json::Value::from(key.as_str())),
                key_path(&path, key),
            ),
            None => (String::new(), format!("{path}[{i}]")),
        };
        let comma = if i == last { "" } else { "," };
        put(out, depth + 1, &prefix, path, value.get(), comma);
    }
    out.push(Line {
        text: format!("{indent}{close}{suffix}"),
        path: None,
    });
}

/// Path of a key under `path`: `a.b`, or `a["odd key"]` for names that are not words.
fn key_path(path: &str, key: &str) -> String {
    let word = key
        .chars()
        .enumerate()
        .all(|(i, c)| c == '_' || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit()));
    match (word && !key.is_empty(), path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[{}]", serde_json::Value::from(key)),
    }
}

type Child<'a> = (Option<String>, &'a RawValue);

fn elements(json: &str) -> Option<Vec<Child<'_>>> {
    let list: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(list.into_iter().map(|value| (None, value)).collect())
}

/// The entries of an object in their order, repeated keys included.
fn entries(json: &str) -> Option<Vec<Child<'_>>> {
    struct Entries;
    impl<'de> Visitor<'de> for Entries {
        type Value = Vec<Child<'de>>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut list = Vec::new();
            while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                list.push((Some(key), value));
            }
            Ok(list)
        }
    }
    serde_json::Deserializer::from_str(json)
        .deserialize_map(Entries)
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        let lines: Vec<String> = lines(json).into_iter().map(|line| line.text).collect();
        lines.join("\n")
    }

    #[test]
    fn digits_order_and_repeated_keys_stay() {
        assert_eq!(
            text(r#"{"b":1450.00,"a":[1,{"n":12345678901234567890}],"b":[],"e":1E+2}"#),
            "{\n  \"b\": 1450.00,\n  \"a\": [\n    1,\n    {\n      \"n\": 12345678901234567890\n    }\n  ],\n  \"b\": [],\n  \"e\": 1E+2\n}"
        );
    }

    #[test]
    fn each_line_knows_its_path() {
        let paths: Vec<Option<String>> = lines(r#"{"items":[{"odd key":1}]}"#)
            .into_iter()
            .map(|line| line.path)
            .collect();
        assert_eq!(
            paths,
            [
                Some(String::new()),
                Some("items".to_owned()),
                Some("items[0]".to_owned()),
                Some("items[0][\"odd key\"]".to_owned()),
                None,
                None,
                None
            ]
        );
    }

    #[test]
    fn hidden_characters_are_written_out_and_deep_nesting_ends() {
        assert_eq!(
            text("{\"a\":\"x\u{202E}y\"}"),
            "{\n  \"a\": \"x\\u{202e}y\"\n}"
        );
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(lines(&deep).len() < 200);
    }
}
