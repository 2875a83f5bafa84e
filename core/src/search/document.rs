//! An event as the texts that are searched: its names, and the values of its payloads.

use std::borrow::Cow;

use super::SearchPart;
use crate::event::{Event, Payload};
use crate::model::{FieldPath, Step};

/// Where a text stands in an event.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot<'s> {
    /// In which part.
    pub(super) part: SearchPart,
    /// The text is the name of a field, not a value.
    pub(super) is_key: bool,
    steps: &'s [Step],
}

impl Spot<'_> {
    /// The path inside the part, as paths are written everywhere; empty where the part is one text.
    pub(super) fn path(&self) -> String {
        FieldPath(self.steps.to_vec()).to_string()
    }
}

/// Calls `each` with every text of the event that can be searched.
pub(super) fn each_text(event: &Event, each: &mut dyn FnMut(Spot<'_>, &str)) {
    let names = [
        (
            SearchPart::Stream,
            event.stream.as_ref().map(|s| s.as_str()),
        ),
        (SearchPart::Type, Some(event.event_type.as_str())),
        (SearchPart::Actor, event.actor.as_ref().map(|a| a.as_str())),
        (SearchPart::Id, event.id.as_ref().map(|i| i.as_str())),
        (SearchPart::SourceId, event.source.source_id.as_deref()),
        (SearchPart::Correlation, event.correlation.as_deref()),
        (SearchPart::Causation, event.causation.as_deref()),
    ];
    for (part, text) in names {
        if let Some(text) = text {
            let spot = Spot {
                part,
                is_key: false,
                steps: &[],
            };
            each(spot, text);
        }
    }
    let payloads = [
        (SearchPart::Data, &event.data),
        (SearchPart::Metadata, &event.metadata),
    ];
    for (part, payload) in payloads {
        if let Some(payload) = payload {
            each_in_payload(part, payload, each);
        }
    }
}

/// Calls `each` with the texts of a payload: those of a JSON value one by one, any other text whole. Bytes that
/// are no UTF-8 hold none.
fn each_in_payload(part: SearchPart, payload: &Payload, each: &mut dyn FnMut(Spot<'_>, &str)) {
    let Ok(text) = std::str::from_utf8(&payload.bytes) else {
        return;
    };
    if payload.is_json() {
        Walk {
            part,
            text,
            at: 0,
            steps: Vec::new(),
        }
        .walk(each);
    } else {
        let spot = Spot {
            part,
            is_key: false,
            steps: &[],
        };
        each(spot, text);
    }
}

/// A walk through a JSON text that takes any depth. What follows a fault in it is one text.
struct Walk<'t> {
    part: SearchPart,
    text: &'t str,
    at: usize,
    steps: Vec<Step>,
}

impl Walk<'_> {
    fn walk(mut self, each: &mut dyn FnMut(Spot<'_>, &str)) {
        if self.values(each).is_none() {
            let spot = Spot {
                part: self.part,
                is_key: false,
                steps: &[],
            };
            each(spot, &self.text[self.at..]);
        }
    }

    /// `None` where the text is no JSON.
    fn values(&mut self, each: &mut dyn FnMut(Spot<'_>, &str)) -> Option<()> {
        loop {
            self.space();
            match self.peek()? {
                b'{' => {
                    self.at += 1;
                    self.space();
                    if self.peek()? == b'}' {
                        self.at += 1;
                    } else {
                        self.steps.push(Step::Key(String::new()));
                        self.key(each)?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    self.space();
                    if self.peek()? == b']' {
                        self.at += 1;
                    } else {
                        self.steps.push(Step::Index(0));
                        continue;
                    }
                }
                b'"' => {
                    let text = self.string()?;
                    each(self.spot(false), &text);
                }
                _ => {
                    let word = self.bare()?;
                    if word != "null" {
                        each(self.spot(false), word);
                    }
                }
            }
            if self.close(each)? {
                return Some(());
            }
        }
    }

    /// Goes behind a value to where the next one starts; says whether there is none.
    fn close(&mut self, each: &mut dyn FnMut(Spot<'_>, &str)) -> Option<bool> {
        loop {
            self.space();
            let end = match self.steps.last_mut() {
                None => return (self.at == self.text.len()).then_some(true),
                Some(Step::Index(index)) => {
                    if self.text.as_bytes().get(self.at) == Some(&b',') {
                        *index += 1;
                        self.at += 1;
                        return Some(false);
                    }
                    b']'
                }
                Some(Step::Key(_)) => {
                    if self.peek()? == b',' {
                        self.at += 1;
                        self.space();
                        self.key(each)?;
                        return Some(false);
                    }
                    b'}'
                }
            };
            if self.peek()? != end {
                return None;
            }
            self.at += 1;
            self.steps.pop();
        }
    }

    /// Reads a key and its colon; the step that stands last becomes it.
    fn key(&mut self, each: &mut dyn FnMut(Spot<'_>, &str)) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        let key = self.string()?;
        self.space();
        if self.peek()? != b':' {
            return None;
        }
        self.at += 1;
        if let Some(Step::Key(name)) = self.steps.last_mut() {
            name.clear();
            name.push_str(&key);
        }
        each(self.spot(true), &key);
        Some(())
    }

    fn spot(&self, is_key: bool) -> Spot<'_> {
        Spot {
            part: self.part,
            is_key,
            steps: &self.steps,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }
}

impl<'t> Walk<'t> {
    /// A number or a literal, as written.
    fn bare(&mut self) -> Option<&'t str> {
        let start = self.at;
        while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then(|| &self.text[start..self.at])
    }

    /// A string, its escapes decoded; half a surrogate pair reads as U+FFFD.
    fn string(&mut self) -> Option<Cow<'t, str>> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes();
        let mut at = start;
        let mut plain = true;
        loop {
            match bytes.get(at)? {
                b'"' => break,
                b'\\' => {
                    plain = false;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        let inside = self.text.get(start..at)?;
        self.at = at + 1;
        if plain {
            return Some(Cow::Borrowed(inside));
        }
        Some(Cow::Owned(unescaped(inside)))
    }
}

fn unescaped(inside: &str) -> String {
    let mut out = String::with_capacity(inside.len());
    let mut rest = inside;
    while let Some(slash) = rest.find('\\') {
        out.push_str(&rest[..slash]);
        rest = &rest[slash + 1..];
        let Some(c) = rest.chars().next() else { break };
        rest = &rest[c.len_utf8()..];
        match c {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'u' => {
                let (decoded, after) = unit(rest);
                out.push(decoded);
                rest = after;
            }
            other => out.push(other),
        }
    }
    out.push_str(rest);
    out
}

/// The character of the four digits that follow `\u`, of two such escapes where they are a surrogate pair.
fn unit(text: &str) -> (char, &str) {
    let read = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let Some(first) = read(text) else {
        return (char::REPLACEMENT_CHARACTER, text);
    };
    let rest = &text[4..];
    let second = rest.strip_prefix("\\u").and_then(read);
    if let (0xD800..=0xDBFF, Some(second @ 0xDC00..=0xDFFF)) = (first, second) {
        let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        if let Some(c) = char::from_u32(code) {
            return (c, &rest[6..]);
        }
    }
    let c = char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER);
    (c, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(json: &str) -> Vec<(String, String)> {
        let mut all = Vec::new();
        let payload = Payload {
            content_type: crate::event::JSON.into(),
            bytes: json.as_bytes().to_vec(),
        };
        each_in_payload(SearchPart::Data, &payload, &mut |spot, text| {
            let key = if spot.is_key { "key " } else { "" };
            all.push((format!("{key}{}", spot.path()), text.to_owned()));
        });
        all
    }

    #[test]
    fn every_value_has_its_path_and_its_digits() {
        let want = [
            ("key a", "a"),
            ("a[0]", "1.50"),
            ("key a[1][\"b c\"]", "b c"),
            ("a[1][\"b c\"]", "x\ny🚚"),
            ("a[2]", "true"),
            ("key a", "a"),
            ("a", "-1e2"),
            ("key n", "n"),
        ]
        .map(|(path, text)| (path.to_owned(), text.to_owned()));
        let json = r#" {"a":[1.50,{"b c":"x\ny\ud83d\ude9a"},true,[],{}], "a" : -1e2 ,"n":null} "#;
        assert_eq!(texts(json), want);
    }

    #[test]
    fn what_is_no_json_is_one_text() {
        assert_eq!(texts("{oops"), [(String::new(), "oops".to_owned())]);
        assert_eq!(texts("[1,2").len(), 3);
        assert_eq!(texts(r#""half \ud83d pair""#)[0].1, "half \u{FFFD} pair");
    }

    #[test]
    fn depth_has_no_end() {
        let deep = format!("{}7{}", "[".repeat(10_000), "]".repeat(10_000));
        let mut seen = 0;
        let payload = Payload::json(deep).unwrap();
        each_in_payload(SearchPart::Data, &payload, &mut |_, text| {
            seen += usize::from(text == "7");
        });
        assert_eq!(seen, 1);
    }
}
