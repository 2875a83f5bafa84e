//! Reads a payload so that every number keeps its text: `1e2` stays `1e2`, which `serde_json` would write
//! `1e+2`. Nesting is limited; where an object holds a key twice the last counts, and the reader is told.

use serde_json::{Map, Number, Value};

/// Deepest nesting that is read.
pub(crate) const MAX_DEPTH: usize = 100;

/// A payload, read.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// The value.
    pub(crate) value: Value,
    /// The first key that an object holds twice.
    pub(crate) duplicate: Option<String>,
}

/// Why a text is no JSON, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at byte {at}")]
pub(crate) struct JsonError {
    pub(crate) at: usize,
    pub(crate) reason: &'static str,
}

/// Reads one JSON value (RFC 8259).
pub(crate) fn parse(text: &str) -> Result<Parsed, JsonError> {
    let mut reader = Reader {
        text,
        at: 0,
        duplicate: None,
    };
    reader.space();
    let value = reader.value(MAX_DEPTH)?;
    reader.space();
    if reader.at < text.len() {
        return reader.fail("more text follows the value");
    }
    Ok(Parsed {
        value,
        duplicate: reader.duplicate,
    })
}

/// Reads what core itself wrote: a state, which may nest deeper than a payload.
pub(crate) fn parse_state(text: &str) -> Option<Value> {
    let mut reader = Reader {
        text,
        at: 0,
        duplicate: None,
    };
    reader.value(2 * MAX_DEPTH).ok()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    duplicate: Option<String>,
}

impl Reader<'_> {
    fn fail<T>(&self, reason: &'static str) -> Result<T, JsonError> {
        Err(JsonError {
            at: self.at,
            reason,
        })
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, deep: usize) -> Result<Value, JsonError> {
        match self.peek() {
            Some(b'{') => self.object(deep),
            Some(b'[') => self.array(deep),
            Some(b'"') => self.string().map(Value::String),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            Some(_) => self.fail("no JSON value starts like this"),
            None => self.fail("the text ends before the value"),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.text[self.at..].starts_with(word) {
            return self.fail("no JSON value starts like this");
        }
        self.at += word.len();
        Ok(value)
    }

    fn object(&mut self, deep: usize) -> Result<Value, JsonError> {
        let Some(deeper) = deep.checked_sub(1) else {
            return self.fail("the value nests too deep");
        };
        self.at += 1;
        let mut fields = Map::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(fields));
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.fail("a name in double quotes is missing");
            }
            let name = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return self.fail("a colon is missing");
            }
            self.at += 1;
            self.space();
            let value = self.value(deeper)?;
            if self.duplicate.is_none() && fields.contains_key(&name) {
                self.duplicate = Some(name.clone());
            }
            fields.insert(name, value);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.fail("a comma or } is missing"),
            }
        }
        self.at += 1;
        Ok(Value::Object(fields))
    }

    fn array(&mut self, deep: usize) -> Result<Value, JsonError> {
        let Some(deeper) = deep.checked_sub(1) else {
            return self.fail("the value nests too deep");
        };
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(items));
        }
        loop {
            self.space();
            items.push(self.value(deeper)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.fail("a comma or ] is missing"),
            }
        }
        self.at += 1;
        Ok(Value::Array(items))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut plain = true;
        self.at += 1;
        loop {
            match bytes.get(self.at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    plain = false;
                    self.at += 2;
                }
                Some(0..0x20) => return self.fail("a control character stands in a text"),
                Some(_) => self.at += 1,
                None => {
                    self.at = start;
                    return self.fail("the text that starts here is not closed");
                }
            }
        }
        self.at += 1;
        if plain {
            return Ok(self.text[start + 1..self.at - 1].to_owned());
        }
        serde_json::from_str(&self.text[start..self.at]).or_else(|_| {
            self.at = start;
            self.fail("an escape in this text is wrong")
        })
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        // The grammar is checked above; `parse` would check it again and rewrite the exponent.
        Ok(Value::Number(Number::from_string_unchecked(
            self.text[start..self.at].to_owned(),
        )))
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            return self.fail("a digit is missing");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_read_prints_as_it_was_written() {
        for text in [
            r#"{"b":1e2,"a":[109.970,-0,1E+05,12345678901234567890]}"#,
            r#""a\"\\\n\u0001é""#,
            "[[],{}]",
            "null",
        ] {
            assert_eq!(parse(text).unwrap().value.to_string(), text);
        }
        assert_eq!(parse(r#""\ud83d\ude9a""#).unwrap().value, "🚚");
    }

    #[test]
    fn the_last_of_two_equal_keys_counts() {
        let parsed = parse(r#"{"a":1,"b":{"x":1,"x":2},"a":3}"#).unwrap();
        assert_eq!(parsed.value.to_string(), r#"{"a":3,"b":{"x":2}}"#);
        assert_eq!(parsed.duplicate.as_deref(), Some("x"));
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(&deep(MAX_DEPTH)).is_ok());
        let error = parse(&deep(100_000)).unwrap_err();
        assert_eq!(
            (error.at, error.reason),
            (MAX_DEPTH, "the value nests too deep")
        );
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_json_reads(text in r#"[\[\]{},:"0-9a-ftrulsen.eE+\-\\ ]{0,24}|[\[{]["0-9a-f:,]{0,12}[\]}]|-?[0-9]{1,3}(\.[0-9]*)?([eE][+-]?[0-9]*)?"#) {
            let want: Result<Value, _> = serde_json::from_str(&text);
            match (parse(&text), want) {
                (Ok(got), Ok(want)) => prop_assert!(crate::model::value::same(&got.value, &want) || text.contains(['e', 'E'])),
                (Err(_), Err(_)) => {}
                (got, want) => prop_assert!(false, "{got:?} {want:?}"),
            }
        }
    }
}
