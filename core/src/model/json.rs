//! Reads a payload so that every number keeps its text: `1e2` stays `1e2`, which `serde_json` would write
//! `1e+2`. Nesting is limited; where an object holds a key twice the last counts, and the reader is told.

use std::borrow::Cow;

use serde_json::map::Entry;
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
    parse_with(text, |reader| reader.value(MAX_DEPTH))
}

/// Reads one JSON value; of an object only these fields are kept. The rest is checked and passed over, which
/// saves most of the time that reading takes.
pub(crate) fn parse_fields(text: &str, fields: &[String]) -> Result<Parsed, JsonError> {
    parse_with(text, |reader| match reader.peek() {
        Some(b'{') => reader.object(MAX_DEPTH, Some(fields)),
        _ => reader.value(MAX_DEPTH),
    })
}

fn parse_with(
    text: &str,
    read: impl FnOnce(&mut Reader<'_>) -> Result<Value, JsonError>,
) -> Result<Parsed, JsonError> {
    let mut reader = Reader {
        text,
        at: 0,
        duplicate: None,
    };
    reader.space();
    let value = read(&mut reader)?;
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

impl<'t> Reader<'t> {
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
        Ok(match self.peek() {
            Some(b'{') => return self.object(deep, None),
            Some(b'[') => {
                let mut items = Vec::new();
                self.list(deep, |reader, deeper| {
                    items.push(reader.value(deeper)?);
                    Ok(())
                })?;
                Value::Array(items)
            }
            Some(b'"') => Value::String(self.string()?.into_owned()),
            // The grammar is checked here; `parse` would check it again and rewrite the exponent.
            Some(b'-' | b'0'..=b'9') => {
                Value::Number(Number::from_string_unchecked(self.number()?.to_owned()))
            }
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            Some(_) => return self.fail("no JSON value starts like this"),
            None => return self.fail("the text ends before the value"),
        })
    }

    /// Checks a value and goes past it.
    fn pass(&mut self, deep: usize) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'{') => self.fields(deep, |reader, _, deeper| reader.pass(deeper)),
            Some(b'[') => self.list(deep, Self::pass),
            Some(b'"') => self.string().map(drop),
            Some(b'-' | b'0'..=b'9') => self.number().map(drop),
            _ => self.value(deep).map(drop),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return self.fail("no JSON value starts like this");
        }
        self.at += word.len();
        Ok(value)
    }

    /// Reads an object; only the wanted ones of its fields, where they are named.
    fn object(&mut self, deep: usize, wanted: Option<&[String]>) -> Result<Value, JsonError> {
        let mut object = Map::new();
        self.fields(deep, |reader, name, deeper| {
            if wanted.is_some_and(|wanted| !wanted.iter().any(|w| *w == name)) {
                return reader.pass(deeper);
            }
            let value = reader.value(deeper)?;
            match object.entry(name.into_owned()) {
                Entry::Vacant(place) => {
                    place.insert(value);
                }
                Entry::Occupied(mut place) => {
                    reader.duplicate.get_or_insert_with(|| place.key().clone());
                    place.insert(value);
                }
            }
            Ok(())
        })?;
        Ok(Value::Object(object))
    }

    /// Goes through the fields of an object; `each` reads the value.
    fn fields(
        &mut self,
        deep: usize,
        mut each: impl FnMut(&mut Self, Cow<'t, str>, usize) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        let Some(deeper) = deep.checked_sub(1) else {
            return self.fail("the value nests too deep");
        };
        self.at += 1;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
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
            each(self, name, deeper)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return self.fail("a comma or } is missing"),
            }
        }
        self.at += 1;
        Ok(())
    }

    /// Goes through the elements of a list; `each` reads one.
    fn list(
        &mut self,
        deep: usize,
        mut each: impl FnMut(&mut Self, usize) -> Result<(), JsonError>,
    ) -> Result<(), JsonError> {
        let Some(deeper) = deep.checked_sub(1) else {
            return self.fail("the value nests too deep");
        };
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.space();
            each(self, deeper)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return self.fail("a comma or ] is missing"),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<Cow<'t, str>, JsonError> {
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
            return Ok(Cow::Borrowed(&self.text[start + 1..self.at - 1]));
        }
        match serde_json::from_str(&self.text[start..self.at]) {
            Ok(text) => Ok(Cow::Owned(text)),
            Err(_) => {
                self.at = start;
                self.fail("an escape in this text is wrong")
            }
        }
    }

    fn number(&mut self) -> Result<&'t str, JsonError> {
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
        Ok(&self.text[start..self.at])
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
    fn fields_that_nobody_wants_are_checked_all_the_same() {
        let wanted = ["a".to_owned(), "z".to_owned()];
        let text = r#"{"b":{"c":[1,"x\n"]},"a":1.50,"d":null,"a":[true]}"#;
        let parsed = parse_fields(text, &wanted).unwrap();
        assert_eq!(parsed.value.to_string(), r#"{"a":[true]}"#);
        assert_eq!(parsed.duplicate.as_deref(), Some("a"));
        for wrong in [
            r#"{"b":[1,],"a":1}"#,
            r#"{"b":"\q"}"#,
            r#"{"b":01}"#,
            r#"{"b":nul}"#,
        ] {
            assert_eq!(
                parse_fields(wrong, &wanted).unwrap_err(),
                parse(wrong).unwrap_err()
            );
        }
        assert_eq!(
            parse_fields("[1]", &wanted).unwrap().value.to_string(),
            "[1]"
        );
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
            prop_assert_eq!(parse(&text).err(), parse_fields(&text, &[]).err());
            match (parse(&text), want) {
                (Ok(got), Ok(want)) => prop_assert!(crate::model::value::same(&got.value, &want) || text.contains(['e', 'E'])),
                (Err(_), Err(_)) => {}
                (got, want) => prop_assert!(false, "{got:?} {want:?}"),
            }
        }
    }
}
