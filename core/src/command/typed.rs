//! Typed events as a log holds them: the name of an enum's variant is the event's type, its fields are the payload.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::de::value::{EnumAccessDeserializer, StrDeserializer};
use serde::de::{self, DeserializeOwned, DeserializeSeed, EnumAccess, VariantAccess, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::value::RawValue;

/// Splits a variant into its name and its fields as JSON; a variant without fields has `{}`.
pub(super) fn encode(value: &impl Serialize) -> Result<(String, String), String> {
    let text = serde_json::to_string(value).map_err(|error| error.to_string())?;
    if let Ok(name) = serde_json::from_str::<String>(&text) {
        return Ok((name, "{}".to_owned()));
    }
    let parts: BTreeMap<String, &RawValue> =
        serde_json::from_str(&text).map_err(|_| not_tagged(&text))?;
    match parts.into_iter().next() {
        Some((name, data)) => Ok((name, data.get().to_owned())),
        None => Err(not_tagged(&text)),
    }
}

fn not_tagged(text: &str) -> String {
    let start: String = text.chars().take(60).collect();
    format!(
        "a typed event or command is an enum in serde's own form {{\"Name\":{{…}}}}, not {start}"
    )
}

/// Makes the variant with this name of its fields; `None` if there is none of that name.
pub(crate) fn decode<T: DeserializeOwned>(name: &str, data: &[u8]) -> Result<Option<T>, String> {
    let known = Cell::new(false);
    let mut json = serde_json::Deserializer::from_slice(data);
    let decoded = T::deserialize(EnumAccessDeserializer::new(Tagged {
        name,
        known: &known,
        json: &mut json,
    }));
    match decoded {
        Ok(value) => Ok(Some(value)),
        Err(_) if !known.get() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

type Json<'j> = serde_json::Deserializer<serde_json::de::SliceRead<'j>>;

/// An enum whose variant is named beside its content.
struct Tagged<'n, 'c, 'j> {
    name: &'n str,
    /// Set when the variant is found to be there.
    known: &'c Cell<bool>,
    json: &'c mut Json<'j>,
}

impl<'de> EnumAccess<'de> for Tagged<'_, '_, 'de> {
    type Error = serde_json::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), Self::Error> {
        let name: StrDeserializer<'_, serde_json::Error> =
            de::IntoDeserializer::into_deserializer(self.name);
        let variant = seed.deserialize(name)?;
        self.known.set(true);
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Tagged<'_, '_, 'de> {
    type Error = serde_json::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        let read = self.json.deserialize_ignored_any(de::IgnoredAny);
        read.map(|_| ())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, Self::Error> {
        seed.deserialize(self.json)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.json.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.json.deserialize_struct("", fields, visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::command::Amount;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Happened {
        Closed,
        Paid {
            amount: Amount,
            note: Option<String>,
        },
        #[serde(rename = "SRM: Seen")]
        Seen(u64),
    }

    #[test]
    fn a_variant_comes_back_from_its_name_and_its_fields() {
        let paid = |text: &str| Happened::Paid {
            amount: text.parse().unwrap(),
            note: None,
        };
        for (event, name, data) in [
            (Happened::Closed, "Closed", "{}"),
            (paid("10.50"), "Paid", r#"{"amount":10.50,"note":null}"#),
            (Happened::Seen(7), "SRM: Seen", "7"),
        ] {
            let encoded = encode(&event).unwrap();
            assert_eq!(encoded, (name.to_owned(), data.to_owned()));
            assert_eq!(decode(name, data.as_bytes()).unwrap(), Some(event));
        }
        // What a later version of the program adds is read over.
        let more = br#"{"amount":1,"currency":"EUR"}"#;
        assert_eq!(decode("Paid", more).unwrap(), Some(paid("1")));
    }

    #[test]
    fn an_unknown_name_is_told_from_a_payload_that_does_not_fit() {
        assert_eq!(decode::<Happened>("Opened", b"{}").unwrap(), None);
        for (data, says) in [
            (r#"{"amount":"1"}"#, "expected a JSON number"),
            (r#"{}"#, "missing field `amount`"),
            ("{", "EOF"),
        ] {
            let error = decode::<Happened>("Paid", data.as_bytes()).unwrap_err();
            assert!(error.contains(says), "{data}: {error}");
        }
    }

    #[test]
    fn what_is_no_enum_is_refused_with_what_was_expected() {
        for text in [encode(&7), encode(&[1, 2])] {
            assert!(text.unwrap_err().contains("is an enum"));
        }
    }
}
