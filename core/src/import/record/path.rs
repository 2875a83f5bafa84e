//! Paths into a JSON value, and a reader that finds the values of many of them in one pass.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::import::mapping::{Key, members_of, scalar};

/// The step of a path that is the first member of an object.
const FIRST: &str = "*";

/// The key under which the parser hands on a number with its digits.
const NUMBER: &str = "$serde_json::private::Number";

/// Paths that are looked for, as a tree: each value once, wherever it stands.
#[derive(Debug, Default)]
pub(super) struct Paths {
    nodes: Vec<Node>,
    count: usize,
}

#[derive(Debug, Default)]
struct Node {
    children: Vec<(String, usize)>,
    /// Where its value goes, if it is looked for itself.
    slot: Option<usize>,
}

impl Paths {
    pub(super) fn new() -> Paths {
        Paths {
            nodes: vec![Node::default()],
            count: 0,
        }
    }

    /// Adds a path; returns the place of its value among those found. No step is the whole record.
    pub(super) fn add(&mut self, steps: &[String]) -> usize {
        let mut at = 0;
        for step in steps {
            let known = self.nodes[at]
                .children
                .iter()
                .find(|(name, _)| name == step);
            at = match known {
                Some((_, child)) => *child,
                None => {
                    self.nodes.push(Node::default());
                    let child = self.nodes.len() - 1;
                    self.nodes[at].children.push((step.clone(), child));
                    child
                }
            };
        }
        *self.nodes[at].slot.get_or_insert_with(|| {
            self.count += 1;
            self.count - 1
        })
    }

    /// Finds the values in one JSON value.
    ///
    /// # Errors
    /// What is no JSON.
    pub(super) fn find<'t>(
        &self,
        text: &'t str,
    ) -> Result<Vec<Option<&'t RawValue>>, serde_json::Error> {
        let mut found = vec![None; self.count];
        let mut parser = serde_json::Deserializer::from_str(text);
        let seek = Seek {
            paths: self,
            node: 0,
            found: &mut found,
        };
        seek.deserialize(&mut parser)?;
        parser.end()?;
        Ok(found)
    }
}

struct Seek<'p, 't, 'f> {
    paths: &'p Paths,
    node: usize,
    found: &'f mut Vec<Option<&'t RawValue>>,
}

impl<'t> DeserializeSeed<'t> for Seek<'_, 't, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'t>>(self, deserializer: D) -> Result<(), D::Error> {
        let node = &self.paths.nodes[self.node];
        let Some(slot) = node.slot else {
            return deserializer.deserialize_any(self);
        };
        let raw: &'t RawValue = serde::Deserialize::deserialize(deserializer)?;
        self.found[slot] = Some(raw);
        if node.children.is_empty() {
            return Ok(());
        }
        let mut inner = serde_json::Deserializer::from_str(raw.get());
        inner
            .deserialize_any(self)
            .map_err(serde::de::Error::custom)
    }
}

impl<'t> Visitor<'t> for Seek<'_, 't, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<(), A::Error> {
        let Seek { paths, node, found } = self;
        let children = &paths.nodes[node].children;
        let first = children.iter().find(|(name, _)| name == FIRST);
        let mut is_first = true;
        while let Some(Key(key)) = map.next_key()? {
            let child = children.iter().find(|(name, _)| *name == key);
            let starred = first.filter(|_| std::mem::take(&mut is_first) && key != NUMBER);
            match (child, starred) {
                (Some((_, child)), None) | (None, Some((_, child))) => {
                    map.next_value_seed(Seek {
                        paths,
                        node: *child,
                        found,
                    })?;
                }
                // The first member is also looked for by its name.
                (Some((_, child)), Some((_, starred))) => {
                    let raw: &'t RawValue = map.next_value()?;
                    for node in [*child, *starred] {
                        let seek = Seek { paths, node, found };
                        let mut inner = serde_json::Deserializer::from_str(raw.get());
                        seek.deserialize(&mut inner)
                            .map_err(serde::de::Error::custom)?;
                    }
                }
                (None, None) => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut seq: A) -> Result<(), A::Error> {
        let Seek { paths, node, found } = self;
        let children = &paths.nodes[node].children;
        if children.iter().any(|(name, _)| name.contains('=')) {
            return each_by_member(paths, children, found, seq);
        }
        let mut index = 0_usize;
        loop {
            let child = children.iter().find(|(name, _)| name.parse() == Ok(index));
            let went_on = match child {
                Some((_, child)) => seq
                    .next_element_seed(Seek {
                        paths,
                        node: *child,
                        found,
                    })?
                    .is_some(),
                None => seq.next_element::<IgnoredAny>()?.is_some(),
            };
            if !went_on {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

/// Looks for elements by what a member of them says, and by their place.
fn each_by_member<'t, A: SeqAccess<'t>>(
    paths: &Paths,
    children: &[(String, usize)],
    found: &mut Vec<Option<&'t RawValue>>,
    mut seq: A,
) -> Result<(), A::Error> {
    let mut index = 0_usize;
    let mut done: Vec<usize> = Vec::new();
    while let Some(raw) = seq.next_element::<&'t RawValue>()? {
        let members = members_of(raw.get()).unwrap_or_default();
        for (name, child) in children {
            let fits = match name.split_once('=') {
                Some((key, text)) => members
                    .iter()
                    .any(|(member, value)| member == key && is_text(value, text)),
                None => name.parse() == Ok(index),
            };
            if fits && !done.contains(child) {
                done.push(*child);
                let seek = Seek {
                    paths,
                    node: *child,
                    found,
                };
                let mut inner = serde_json::Deserializer::from_str(raw.get());
                seek.deserialize(&mut inner)
                    .map_err(serde::de::Error::custom)?;
            }
        }
        index += 1;
    }
    Ok(())
}

/// Whether a value is this text, or is written so.
pub(super) fn is_text(value: &RawValue, text: &str) -> bool {
    value.get() == text || scalar(value).is_some_and(|found| found == text)
}

/// The steps of a path: names with points between, numbers for the elements of a list (the first is 0), `*` for the
/// first member of an object, `name=x` for the first element whose member `name` is `x`. A name that holds a point
/// stands in quotes.
///
/// # Errors
/// What is wrong with it, in a sentence for the user.
pub(in crate::import) fn steps(path: &str) -> Result<Vec<String>, String> {
    let mut steps = Vec::new();
    let mut rest = path;
    if path.is_empty() {
        return Ok(steps);
    }
    loop {
        let after = if let Some(quoted) = rest.strip_prefix('"') {
            let (name, after) = quoted
                .split_once('"')
                .ok_or_else(|| format!("the path {path:?} does not close its quote"))?;
            steps.push(name.to_owned());
            after
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            if end == 0 {
                return Err(format!("the path {path:?} has a step without a name"));
            }
            steps.push(rest[..end].to_owned());
            &rest[end..]
        };
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(steps),
            None => {
                return Err(format!("in the path {path:?} no point follows the quote"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_in_one_pass() {
        let text = r#"{"a":{"b":1,"a.b":[{"c":"x"},{"c":"y"}]},"n":12345678901234567890.10,"s":"t","a2":{"k":7,"z":8}}"#;
        let mut paths = Paths::new();
        for path in [
            "a.b",
            "a.\"a.b\".1.c",
            "n",
            "a",
            "s.x",
            "nothing",
            "a2.*",
            "a2.k",
            "n.*",
            "",
        ] {
            paths.add(&steps(path).unwrap());
        }
        let found: Vec<_> = paths
            .find(text)
            .unwrap()
            .into_iter()
            .map(|raw| raw.map(RawValue::get))
            .collect();
        let a = r#"{"b":1,"a.b":[{"c":"x"},{"c":"y"}]}"#;
        assert_eq!(
            found,
            [
                Some("1"),
                Some("\"y\""),
                Some("12345678901234567890.10"),
                Some(a),
                None,
                None,
                Some("7"),
                Some("7"),
                None,
                Some(text)
            ]
        );
    }

    #[test]
    fn wrong_paths_say_what_is_wrong() {
        for wrong in ["a..b", ".a", "a.", "\"a", "\"a\"b"] {
            assert!(steps(wrong).is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in ".*", path in "[a-c.\"*0-9]{0,9}") {
            let mut paths = Paths::new();
            if let Ok(steps) = steps(&path) {
                paths.add(&steps);
                let _ = paths.find(&text);
            }
        }
    }
}
