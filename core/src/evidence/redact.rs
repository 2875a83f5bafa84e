//! Members withheld inside a payload. What is left no longer makes the leaf's hash, so it is shown as the maker's word.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::event::{Part, Payload};
use crate::store::extraction::parse_path;

/// Paths to withhold, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Redaction {
    data: Vec<Vec<String>>,
    metadata: Vec<Vec<String>>,
}

/// What is left of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Redacted {
    /// None of the paths is in it.
    Whole,
    /// These bytes.
    InPart(Vec<u8>),
    /// Nothing: it cannot be told what is in it.
    Closed,
}

impl Redaction {
    /// Reads paths such as `data.customer.email` or `metadata["ip"]`.
    ///
    /// # Errors
    /// The path that cannot be read as one.
    pub(super) fn read(paths: &[String]) -> Result<Redaction, String> {
        let mut redaction = Redaction::default();
        for path in paths {
            let (first, keys) = parse_path(path)
                .filter(|(_, keys)| !keys.is_empty())
                .ok_or_else(|| path.clone())?;
            match first.as_str() {
                "data" => redaction.data.push(keys),
                "metadata" => redaction.metadata.push(keys),
                _ => return Err(path.clone()),
            }
        }
        Ok(redaction)
    }

    /// Withholds the paths of a part in a payload; in lists, in each element.
    pub(super) fn apply(&self, part: Part, payload: &Payload) -> Redacted {
        let paths = match part {
            Part::Identity => return Redacted::Whole,
            Part::Data => &self.data,
            Part::Metadata => &self.metadata,
        };
        if paths.is_empty() {
            return Redacted::Whole;
        }
        // Where a key stands twice, one of the two would be looked at and both be shown.
        let json = payload
            .json_text()
            .filter(|text| serde_json::from_str::<NoKeyTwice>(text).is_ok())
            .and_then(|text| serde_json::from_str::<Value>(text).ok());
        let Some(mut json) = json else {
            return Redacted::Closed;
        };
        let found = paths
            .iter()
            .filter(|keys| withhold(&mut json, keys))
            .count();
        match found {
            0 => Redacted::Whole,
            _ => Redacted::InPart(json.to_string().into_bytes()),
        }
    }
}

/// Puts `{"annals:withheld":true}` in the place of a member; says whether it was there.
fn withhold(json: &mut Value, keys: &[String]) -> bool {
    if let Value::Array(elements) = json {
        // Each of them, not up to the first.
        return elements
            .iter_mut()
            .filter_map(|element| withhold(element, keys).then_some(()))
            .count()
            > 0;
    }
    let (Some((key, rest)), Value::Object(members)) = (keys.split_first(), json) else {
        return false;
    };
    match members.get_mut(key) {
        None => false,
        Some(member) if rest.is_empty() => {
            *member = serde_json::json!({"annals:withheld": true});
            true
        }
        Some(member) => withhold(member, rest),
    }
}

/// Any JSON in which no object has a key twice.
struct NoKeyTwice;

impl<'de> Deserialize<'de> for NoKeyTwice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NoKeyTwice)
    }
}

impl<'de> Visitor<'de> for NoKeyTwice {
    type Value = NoKeyTwice;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("JSON without a key twice in one object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<NoKeyTwice, A::Error> {
        let mut keys = std::collections::HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if !keys.insert(key) {
                return Err(serde::de::Error::custom("a key twice"));
            }
            map.next_value::<NoKeyTwice>()?;
        }
        Ok(NoKeyTwice)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<NoKeyTwice, A::Error> {
        while list.next_element::<NoKeyTwice>()?.is_some() {}
        Ok(NoKeyTwice)
    }

    fn visit_bool<E>(self, _: bool) -> Result<NoKeyTwice, E> {
        Ok(NoKeyTwice)
    }

    fn visit_i64<E>(self, _: i64) -> Result<NoKeyTwice, E> {
        Ok(NoKeyTwice)
    }

    fn visit_u64<E>(self, _: u64) -> Result<NoKeyTwice, E> {
        Ok(NoKeyTwice)
    }

    fn visit_str<E>(self, _: &str) -> Result<NoKeyTwice, E> {
        Ok(NoKeyTwice)
    }

    fn visit_unit<E>(self) -> Result<NoKeyTwice, E> {
        Ok(NoKeyTwice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(paths: &[&str], json: &str) -> Redacted {
        let paths: Vec<String> = paths.iter().map(|p| (*p).to_owned()).collect();
        let payload = Payload {
            content_type: "application/json".into(),
            bytes: json.as_bytes().to_vec(),
        };
        Redaction::read(&paths).unwrap().apply(Part::Data, &payload)
    }

    #[test]
    fn members_are_withheld_at_any_depth_and_digits_stay() {
        let left = |text: &str| Redacted::InPart(text.as_bytes().to_vec());
        let gone = r#"{"annals:withheld":true}"#;
        assert_eq!(
            apply(
                &["data.a.b"],
                r#"{"n":1.10,"a":{"b":"x","c":12345678901234567890}}"#
            ),
            left(&format!(
                r#"{{"n":1.10,"a":{{"b":{gone},"c":12345678901234567890}}}}"#
            ))
        );
        assert_eq!(
            apply(&["data.l.x"], r#"{"l":[{"x":1},{"y":2},{"x":3}]}"#),
            left(&format!(
                r#"{{"l":[{{"x":{gone}}},{{"y":2}},{{"x":{gone}}}]}}"#
            ))
        );
        assert_eq!(apply(&["data.q"], r#"{"a":1}"#), Redacted::Whole);
    }

    #[test]
    fn what_cannot_be_looked_into_is_withheld_whole() {
        assert_eq!(apply(&["data.a"], "{"), Redacted::Closed);
        assert_eq!(apply(&["data.a"], r#"{"a":1,"a":2}"#), Redacted::Closed);
        assert_eq!(
            apply(&["data.a.s"], r#"{"a":{"s":1},"a":{}}"#),
            Redacted::Closed
        );
        assert_eq!(
            apply(&["data.a"], r#"{"b":[{"c":1,"c":2}]}"#),
            Redacted::Closed
        );
    }

    #[test]
    fn a_path_that_is_none_is_said_to_be() {
        for bad in ["data", "event.id", "", "data[", "a.b"] {
            assert_eq!(Redaction::read(&[bad.to_owned()]).unwrap_err(), bad);
        }
    }
}
