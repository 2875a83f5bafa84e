//! Which fields of an event tell who did it and what it belongs to.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::Payload;
use crate::id::MAX_NAME_BYTES;

/// Paths, tried in order, that give an event's actor, correlation and causation. The columns filled by it
/// are not under the leaf hash; verification extracts them again with the rule of the event's source.
///
/// A path starts with `data` or `metadata` and goes on with keys: `metadata.userId`, `data["org:resource"]`.
/// It takes a text or a number; where it meets anything else, an empty text or one longer than
/// [`MAX_NAME_BYTES`], the next path is tried. A path that cannot be read as one finds nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extraction {
    /// Paths such as `metadata.userId` or `data.changedBy`.
    pub actor: Vec<String>,
    /// Paths to the correlation id.
    pub correlation: Vec<String>,
    /// Paths to the causation id.
    pub causation: Vec<String>,
}

/// What an [`Extraction`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extracted {
    /// Who did it.
    pub actor: Option<String>,
    /// Correlation id.
    pub correlation: Option<String>,
    /// Causation id.
    pub causation: Option<String>,
}

impl Extraction {
    /// The rule for events appended here and for JSON imports. `data.userId` comes last: it often names whom
    /// the event is about.
    #[must_use]
    pub fn standard() -> Extraction {
        let paths = |list: &[&str]| list.iter().map(|path| (*path).to_owned()).collect();
        Extraction {
            actor: paths(&[
                "metadata.userId",
                "metadata.user_id",
                "metadata.actor",
                "metadata.user",
                "metadata.username",
                "metadata.changedBy",
                "metadata.changed_by",
                "metadata.by",
                "metadata.performedBy",
                "metadata.author",
                "data.changedBy",
                "data.changed_by",
                "data.by",
                "data.performedBy",
                "data.performed_by",
                "data.actor",
                "data.author",
                "data[\"org:resource\"]",
                "data.userId",
                "data.user_id",
            ]),
            correlation: paths(&[
                "metadata.correlationId",
                "metadata.correlation_id",
                "metadata.$correlationId",
                "data.correlationId",
                "data.correlation_id",
                "data.$correlationId",
            ]),
            causation: paths(&[
                "metadata.causationId",
                "metadata.causation_id",
                "metadata.$causationId",
                "data.causationId",
                "data.causation_id",
                "data.$causationId",
            ]),
        }
    }

    /// Applies the rule; texts as they are, numbers as written, anything else not at all.
    ///
    /// ```
    /// use annals_core::{event::Payload, store::Extraction};
    /// let data = Payload::json(r#"{"total": 12.50, "changedBy": "alice"}"#).unwrap();
    /// let metadata = Payload::json(r#"{"correlationId": 77}"#).unwrap();
    /// let found = Extraction::standard().apply(&data, Some(&metadata));
    /// assert_eq!(found.actor.as_deref(), Some("alice"));
    /// assert_eq!(found.correlation.as_deref(), Some("77"));
    /// assert_eq!(found.causation, None);
    /// ```
    #[must_use]
    pub fn apply(&self, data: &Payload, metadata: Option<&Payload>) -> Extracted {
        self.prepare().apply(data, metadata)
    }

    /// Reads the paths once, for use on many events.
    #[must_use]
    pub fn prepare(&self) -> Extractor {
        let mut extractor = Extractor {
            data: Node::default(),
            metadata: Node::default(),
        };
        for (want, paths) in [&self.actor, &self.correlation, &self.causation]
            .into_iter()
            .enumerate()
        {
            for (rank, path) in paths.iter().enumerate() {
                let Some((first, keys)) = parse_path(path) else {
                    continue;
                };
                let root = match first.as_str() {
                    "data" => &mut extractor.data,
                    "metadata" => &mut extractor.metadata,
                    _ => continue,
                };
                root.descend(keys).takes.push(Take { want, rank });
            }
        }
        extractor
    }
}

/// An [`Extraction`] whose paths were read, for use on many events.
#[derive(Debug, Clone)]
pub struct Extractor {
    data: Node,
    metadata: Node,
}

impl Extractor {
    /// Applies the rule, as [`Extraction::apply`] does.
    #[must_use]
    pub fn apply(&self, data: &Payload, metadata: Option<&Payload>) -> Extracted {
        let json = |payload: &Payload| payload.is_json();
        self.apply_json(
            Some(data).filter(|p| json(p)).map(|p| p.bytes.as_slice()),
            metadata.filter(|p| json(p)).map(|p| p.bytes.as_slice()),
        )
    }

    /// As [`Extractor::apply`], on the bytes of payloads that are JSON by their content type.
    pub(crate) fn apply_json(&self, data: Option<&[u8]>, metadata: Option<&[u8]>) -> Extracted {
        let found = self.look(data, metadata);
        let [actor, correlation, causation] = found.map(|text| text.map(Cow::into_owned));
        Extracted {
            actor,
            correlation,
            causation,
        }
    }

    /// As [`Extractor::apply_json`]: actor, correlation and causation, where they stand in the payload if no escape is in
    /// them.
    pub(crate) fn look<'b>(
        &self,
        data: Option<&'b [u8]>,
        metadata: Option<&'b [u8]>,
    ) -> [Option<Cow<'b, str>>; 3] {
        let mut found: Found<'b> = [None, None, None];
        for (node, bytes) in [(&self.metadata, metadata), (&self.data, data)] {
            let Some(bytes) = bytes.filter(|bytes| node.may_be_in(bytes)) else {
                continue;
            };
            // A payload that is not well-formed to its end gives nothing, not the half that was read.
            let mut here = found.clone();
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            let pick = Pick {
                node,
                found: &mut here,
            };
            if pick.deserialize(&mut reader).is_ok() && reader.end().is_ok() {
                found = here;
            }
        }
        found.map(|taken| taken.map(|(_, text)| text))
    }
}

/// Best so far for actor, correlation and causation: rank of its path, and the text.
type Found<'b> = [Option<(usize, Cow<'b, str>)>; 3];

#[derive(Debug, Clone, Copy)]
struct Take {
    want: usize,
    rank: usize,
}

/// Keys that some path goes through; all others are skipped unread.
#[derive(Debug, Clone, Default)]
struct Node {
    children: Vec<(String, Node)>,
    takes: Vec<Take>,
    /// Lengths of the keys, a bit for each; the last bit is for all that are longer.
    lens: u64,
}

impl Node {
    fn descend(&mut self, keys: Vec<String>) -> &mut Node {
        keys.into_iter().fold(self, |node, key| {
            let at = node.children.iter().position(|(name, _)| *name == key);
            let at = at.unwrap_or_else(|| {
                node.lens |= len_bit(key.len());
                node.children.push((key, Node::default()));
                node.children.len() - 1
            });
            &mut node.children[at].1
        })
    }

    fn child(&self, key: &str) -> Option<&Node> {
        self.children
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, node)| node)
    }
}

impl Node {
    /// Whether a payload can hold one of the keys: nothing that stands between two quotes is one where it cannot. One
    /// with an escape in it may. Most payloads hold none, and need not be parsed to know it.
    fn may_be_in(&self, bytes: &[u8]) -> bool {
        if self.children.is_empty() {
            return false;
        }
        let mut start = 0;
        for (n, chunk) in bytes.chunks(64).enumerate() {
            let (mut quotes, is_escaped) = quotes_in(chunk);
            if is_escaped {
                return true;
            }
            while quotes != 0 {
                let at = n * 64 + quotes.trailing_zeros() as usize;
                let between = &bytes[start..at];
                if self.lens & len_bit(between.len()) != 0
                    && self
                        .children
                        .iter()
                        .any(|(key, _)| key.as_bytes() == between)
                {
                    return true;
                }
                start = at + 1;
                quotes &= quotes - 1;
            }
        }
        false
    }
}

/// Which of up to 64 bytes are quotes, the first one's bit the lowest, and whether a backslash is among them.
fn quotes_in(chunk: &[u8]) -> (u64, bool) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f * ONES;
    // The highest bit of each byte that is the one looked for.
    let equal = |word: u64, byte: u8| {
        let other = word ^ (u64::from(byte) * ONES);
        !(((other & LOW) + LOW) | other | LOW)
    };
    let mut padded = [0; 64];
    padded[..chunk.len()].copy_from_slice(chunk);
    let (words, _) = padded.as_chunks::<8>();
    let (mut quotes, mut escapes) = (0, 0);
    for (n, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        escapes |= equal(word, b'\\');
        // The product puts the bits of the eight bytes beside each other.
        let bits = (equal(word, b'"') >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        quotes |= bits << (8 * n);
    }
    (quotes, escapes != 0)
}

fn len_bit(len: usize) -> u64 {
    1 << len.min(63)
}

struct Pick<'p, 'de> {
    node: &'p Node,
    found: &'p mut Found<'de>,
}

impl<'de> DeserializeSeed<'de> for Pick<'_, 'de> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Pick<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key)? {
            match self.node.child(&key) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(child) => {
                    let raw: &'de RawValue = map.next_value()?;
                    take(child, raw.get(), self.found);
                }
            }
        }
        Ok(())
    }
}

/// A key, borrowed unless it holds escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Self::Value, D::Error> {
        d.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

/// Takes what a wanted value says: `json` is one well-formed JSON value.
fn take<'de>(node: &Node, json: &'de str, found: &mut Found<'de>) {
    let text = match json.as_bytes().first() {
        Some(b'{') if !node.children.is_empty() => {
            let mut reader = serde_json::Deserializer::from_str(json);
            // Well-formed by the reader that cut it out; nothing is found if it were not.
            let _ = Pick { node, found }.deserialize(&mut reader);
            return;
        }
        Some(b'"') if !json.contains('\\') => Cow::Borrowed(&json[1..json.len() - 1]),
        Some(b'"') => Cow::Owned(serde_json::from_str::<String>(json).unwrap_or_default()),
        Some(b'-' | b'0'..=b'9') => Cow::Borrowed(json),
        _ => return,
    };
    if text.is_empty() || text.len() > MAX_NAME_BYTES {
        return;
    }
    for Take { want, rank } in &node.takes {
        // `<=`: of a key that comes twice the last one counts, as everywhere in reading.
        if found[*want].as_ref().is_none_or(|(best, _)| rank <= best) {
            found[*want] = Some((*rank, text.clone()));
        }
    }
}

/// Reads `data.a["b c"].d` as `data` and the keys after it.
pub(crate) fn parse_path(path: &str) -> Option<(String, Vec<String>)> {
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let (first, mut rest) = path.split_at(end);
    let mut keys = Vec::new();
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('[') {
            let mut reader = serde_json::Deserializer::from_str(quoted).into_iter::<String>();
            keys.push(reader.next()?.ok()?);
            rest = quoted[reader.byte_offset()..].strip_prefix(']')?;
        } else {
            let plain = rest.strip_prefix('.')?;
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            keys.push(plain[..end].to_owned());
            rest = &plain[end..];
        }
    }
    (!keys.is_empty() && keys.iter().all(|key| !key.is_empty())).then(|| (first.to_owned(), keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_seen_wherever_they_stand() {
        let bytes: Vec<u8> = (0..=255u8)
            .cycle()
            .take(1_000)
            .map(|b| b.wrapping_mul(37))
            .collect();
        for from in 0..300 {
            for len in [0, 1, 7, 8, 9, 63, 64] {
                let chunk = &bytes[from..from + len];
                let all = chunk.iter().enumerate();
                let quotes = all.fold(0, |all, (at, b)| all | u64::from(*b == b'"') << at);
                assert_eq!(quotes_in(chunk), (quotes, chunk.contains(&b'\\')));
            }
        }
    }

    #[test]
    fn what_is_passed_over_unread_holds_nothing() {
        let rule = Extraction {
            actor: vec!["data.by".into(), format!("data.{}", "k".repeat(70))],
            correlation: vec!["data.trace.id".into()],
            causation: vec!["data[\"a\\\"b\"]".into()],
        }
        .prepare();
        let long = "k".repeat(70);
        let payloads = [
            r#"{"by":"x"}"#,
            r#"{"\u0062y":"x"}"#,
            r#"{"trace":{"id":7}}"#,
            r#"{"trace" : {"ID":7},"note":"by"}"#,
            r#"{"note":"by","n":{"by":1}}"#,
            r#"{"note":" by "}"#,
            r#"{"a\"b":"x"}"#,
            r#"{"other":"no"}"#,
            r#"["by","trace"]"#,
            r#"{"by":"x"} and more"#,
            r#"{"by"#,
            "",
            "\"",
            &format!(r#"{{"{long}":1}}"#),
            &format!(r#"{{"{long}k":1}}"#),
        ];
        for text in payloads {
            let mut read: Found = [None, None, None];
            let mut reader = serde_json::Deserializer::from_str(text);
            let pick = Pick {
                node: &rule.data,
                found: &mut read,
            };
            let whole = pick.deserialize(&mut reader).is_ok() && reader.end().is_ok();
            let want = if whole { read } else { [None, None, None] };
            let [actor, correlation, causation] =
                want.map(|taken| taken.map(|(_, text)| text.into_owned()));
            let want = Extracted {
                actor,
                correlation,
                causation,
            };
            assert_eq!(rule.apply_json(Some(text.as_bytes()), None), want, "{text}");
        }
    }

    fn found(data: &str, metadata: Option<&str>) -> Extracted {
        let metadata = metadata.map(|text| Payload::json(text).unwrap());
        Extraction::standard().apply(&Payload::json(data).unwrap(), metadata.as_ref())
    }

    #[test]
    fn the_earlier_path_wins_whatever_the_order_of_keys() {
        let all = found(
            r#"{"userId":"whom","by":"d"}"#,
            Some(r#"{"actor":"b","userId":"a"}"#),
        );
        assert_eq!(all.actor.as_deref(), Some("a"));
        assert_eq!(
            found(r#"{"userId":"whom","by":"d"}"#, None)
                .actor
                .as_deref(),
            Some("d")
        );
        assert_eq!(
            found(r#"{"userId":"whom"}"#, None).actor.as_deref(),
            Some("whom")
        );
        assert_eq!(
            found(r#"{"org:resource":"Pete"}"#, None).actor.as_deref(),
            Some("Pete")
        );
    }

    #[test]
    fn what_is_no_text_and_no_number_is_passed_over() {
        let other = found(
            r#"{"by":null,"author":7.10,"correlationId":[1],"correlation_id":"\u00e9"}"#,
            None,
        );
        assert_eq!(other.actor.as_deref(), Some("7.10"));
        assert_eq!(other.correlation.as_deref(), Some("é"));
        assert_eq!(
            found(r#"{"by":"","author":{"id":1}}"#, None),
            Extracted::default()
        );
    }

    #[test]
    fn payloads_that_are_no_json_object_give_nothing() {
        let rule = Extraction::standard();
        for bytes in [
            &b"[1]"[..],
            b"7",
            b"{\"by\":\"x\"",
            b"{\"by\":\"x\"} x",
            b"\xff",
        ] {
            let payload = Payload {
                content_type: crate::event::JSON.into(),
                bytes: bytes.into(),
            };
            assert_eq!(rule.apply(&payload, None), Extracted::default());
        }
        let text = Payload {
            content_type: "text/plain".into(),
            bytes: br#"{"by":"x"}"#.into(),
        };
        assert_eq!(rule.apply(&text, None), Extracted::default());
    }

    #[test]
    fn the_last_of_a_repeated_key_counts() {
        assert_eq!(
            found(r#"{"by":"first","by":"last"}"#, None)
                .actor
                .as_deref(),
            Some("last")
        );
    }

    #[test]
    fn paths_go_into_objects_and_may_be_quoted() {
        let rule = Extraction {
            actor: vec![
                "data.a[\"b.c\"].d".into(),
                "no path".into(),
                "data..x".into(),
            ],
            correlation: Vec::new(),
            causation: Vec::new(),
        };
        let data = Payload::json(r#"{"a":{"b.c":{"d":"deep"}}}"#).unwrap();
        assert_eq!(rule.apply(&data, None).actor.as_deref(), Some("deep"));
    }
}
