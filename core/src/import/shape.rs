//! What a JSON parser that looks only for its own keys does not notice: how deep a value is nested, and
//! whether an object holds a key twice.

use std::borrow::Cow;

use super::MAX_DEPTH;

/// Depth and the first repeated key of a JSON value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// Brackets open at once; 0 for a scalar, at most one more than is taken.
    pub depth: usize,
    /// A key that some object in it holds more than once.
    pub repeated_key: Option<String>,
}

struct Frame {
    is_object: bool,
    first_key: usize,
}

/// Looks over text that is known to be one JSON value. One that is deeper than any record may be is not looked at
/// further: its depth is then one more.
pub(super) fn shape_of(text: &str) -> Shape {
    let bytes = text.as_bytes();
    let mut shape = Shape {
        depth: 0,
        repeated_key: None,
    };
    let mut frames: Vec<Frame> = Vec::new();
    let mut keys: Vec<Cow<'_, str>> = Vec::new();
    let mut key_comes = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => {
                let (end, escaped) = end_of_string(bytes, at);
                if key_comes {
                    keys.push(key_at(text, at, end, escaped));
                    key_comes = false;
                }
                at = end;
            }
            open @ (b'{' | b'[') => {
                key_comes = open == b'{';
                frames.push(Frame {
                    is_object: key_comes,
                    first_key: keys.len(),
                });
                shape.depth = shape.depth.max(frames.len());
                if shape.depth > MAX_DEPTH {
                    return shape;
                }
            }
            b'}' | b']' => {
                if let Some(frame) = frames.pop() {
                    if frame.is_object && shape.repeated_key.is_none() {
                        shape.repeated_key = repeated(&mut keys[frame.first_key..]);
                    }
                    keys.truncate(frame.first_key);
                }
                key_comes = false;
            }
            b',' => key_comes = frames.last().is_some_and(|f| f.is_object),
            _ => {}
        }
        at += 1;
    }
    shape
}

/// Place of the closing quote (the end of the text if there is none), and whether a backslash stands before it.
fn end_of_string(bytes: &[u8], open: usize) -> (usize, bool) {
    let mut escaped = false;
    let mut at = open + 1;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => break,
            b'\\' => {
                escaped = true;
                at += 1;
            }
            _ => {}
        }
        at += 1;
    }
    (at.min(bytes.len()), escaped)
}

fn key_at(text: &str, open: usize, end: usize, escaped: bool) -> Cow<'_, str> {
    let inner = text.get(open + 1..end).unwrap_or_default();
    if escaped {
        let quoted = text.get(open..=end).unwrap_or_default();
        if let Ok(key) = serde_json::from_str::<String>(quoted) {
            return Cow::Owned(key);
        }
    }
    Cow::Borrowed(inner)
}

fn repeated(keys: &mut [Cow<'_, str>]) -> Option<String> {
    if keys.len() <= 16 {
        let found = keys
            .iter()
            .enumerate()
            .find(|(i, key)| keys[..*i].contains(key));
        return found.map(|(_, key)| key.to_string());
    }
    keys.sort_unstable();
    keys.windows(2)
        .find(|pair| pair[0] == pair[1])
        .map(|pair| pair[0].to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_and_repeated_keys_are_seen() {
        for (text, depth, key) in [
            ("1", 0, None),
            (r#"{"a":1,"b":{"a":[1,"a"]}}"#, 3, None),
            (r#"{"a":1,"a":2}"#, 1, Some("a")),
            (r#"[{"x":{"b":1,"\u0062":2}}]"#, 3, Some("b")),
            (r#"{"a":"]}{,","b":"\"a"}"#, 1, None),
            (r#"{"a":["a","a"]}"#, 2, None),
        ] {
            let want = Shape {
                depth,
                repeated_key: key.map(str::to_owned),
            };
            assert_eq!(shape_of(text), want, "{text}");
        }
    }

    #[test]
    fn a_text_deeper_than_any_record_is_not_followed() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(shape_of(&deep).depth, MAX_DEPTH + 1);
    }

    #[test]
    fn many_keys_are_compared_too() {
        let mut members: Vec<String> = (0..100).map(|i| format!("\"k{i}\":{i}")).collect();
        let distinct = format!("{{{}}}", members.join(","));
        assert_eq!(shape_of(&distinct).repeated_key, None);
        members.push("\"k42\":0".into());
        let repeated = format!("{{{}}}", members.join(","));
        assert_eq!(shape_of(&repeated).repeated_key, Some("k42".into()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in ".*") {
            shape_of(&text);
        }
    }
}
