//! Values as DynamoDB writes them in JSON, each with its type, become plain JSON. Numbers keep their digits; sets
//! become lists; binary values stay the base64 text that they are written in.

use serde_json::value::RawValue;

use crate::import::mapping::{members_of, write_key};

/// Members of a record of a stream, or of an incremental export, that are items.
const IMAGES: [&str; 4] = ["Keys", "NewImage", "OldImage", "Metadata"];

/// The item that a line of an export or an element of a scan holds, or a record of a stream with its items made
/// plain; `None` if it is none.
pub(super) fn plain(text: &str) -> Option<String> {
    let members = members_of(text).ok()?;
    let mut out = String::new();
    if let Some((_, item)) = members.iter().find(|(name, _)| name == "Item") {
        write_members(&mut out, item.get())?;
        return Some(out);
    }
    let is_change = |name: &str| name == "Keys" || name == "dynamodb";
    if !members.iter().any(|(name, _)| is_change(name)) {
        write_members(&mut out, text)?;
        return Some(out);
    }
    for (key, value) in &members {
        write_key(&mut out, key);
        match &**key {
            "dynamodb" => {
                let mut inner = String::new();
                for (key, value) in members_of(value.get()).ok()? {
                    write_key(&mut inner, &key);
                    write_image(&mut inner, &key, value)?;
                }
                out.push_str(&format!("{{{inner}}}"));
            }
            key => write_image(&mut out, key, value)?,
        }
    }
    Some(format!("{{{out}}}"))
}

fn write_image(out: &mut String, key: &str, value: &RawValue) -> Option<()> {
    if IMAGES.contains(&key) && value.get().starts_with('{') {
        return write_members(out, value.get());
    }
    out.push_str(value.get());
    Some(())
}

fn write_members(out: &mut String, object: &str) -> Option<()> {
    let mut inner = String::new();
    for (key, value) in members_of(object).ok()? {
        write_key(&mut inner, &key);
        write_value(&mut inner, value)?;
    }
    out.push('{');
    out.push_str(&inner);
    out.push('}');
    Some(())
}

fn write_value(out: &mut String, value: &RawValue) -> Option<()> {
    let members = members_of(value.get()).ok()?;
    let [(kind, value)] = &members[..] else {
        return None;
    };
    let text = value.get();
    match &**kind {
        "S" | "B" | "BOOL" | "SS" | "BS" => out.push_str(text),
        "N" => out.push_str(number(value)?),
        "NULL" => out.push_str("null"),
        "M" => write_members(out, text)?,
        "L" | "NS" => {
            let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            out.push('[');
            for (i, element) in elements.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                match kind.starts_with('N') {
                    true => out.push_str(number(element)?),
                    false => write_value(out, element)?,
                }
            }
            out.push(']');
        }
        _ => return None,
    }
    Some(())
}

/// The digits in a text, where they are a number of JSON.
fn number(value: &RawValue) -> Option<&str> {
    let digits = value.get().trim_matches('"');
    serde_json::from_str::<serde_json::Number>(digits).ok()?;
    Some(digits)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn types_become_plain_json_and_numbers_keep_their_digits() {
        let item = r#"{"Item":{"pk":{"S":"order-789"},"version":{"N":"5"},"total":{"N":"12345678901234567890.10"},"tags":{"SS":["a","b"]},"ns":{"NS":["1","2.50"]},"m":{"M":{"x":{"L":[{"NULL":true},{"BOOL":false}]}}}}}"#;
        assert_eq!(
            plain(item).unwrap(),
            r#"{"pk":"order-789","version":5,"total":12345678901234567890.10,"tags":["a","b"],"ns":[1,2.50],"m":{"x":[null,false]}}"#
        );
        assert_eq!(
            plain(r#"{"eventName":"MODIFY","dynamodb":{"Keys":{"pk":{"S":"a"}},"NewImage":{"n":{"N":"2"}},"SequenceNumber":"7"}}"#).unwrap(),
            r#"{"eventName":"MODIFY","dynamodb":{"Keys":{"pk":"a"},"NewImage":{"n":2},"SequenceNumber":"7"}}"#
        );
        assert_eq!(
            plain(r#"{"Metadata":{"WriteTimestampMicros":{"N":"1"}},"Keys":{"pk":{"S":"a"}},"OldImage":null}"#).unwrap(),
            r#"{"Metadata":{"WriteTimestampMicros":1},"Keys":{"pk":"a"},"OldImage":null}"#
        );
        assert_eq!(plain(r#"{"pk":"order-789"}"#), None, "plain already");
        assert_eq!(plain(r#"{"Item":{"n":{"N":"1,5"}}}"#), None);
    }
}
