//! OCEL 2.0 and 1.0 in JSON.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Event, ImportError, Link, Object, Ocel, Value};
use crate::import::detect::FileNames;
use crate::import::mapping::{members_of, scalar};
use crate::import::record::Lines;

/// A text as it stands, or a number with its digits.
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'t>(#[serde(borrow)] &'t RawValue);

impl Text<'_> {
    fn text(&self) -> String {
        scalar(self.0).map(Cow::into_owned).unwrap_or_default()
    }
}

#[derive(Deserialize)]
struct Relationship<'t> {
    #[serde(borrow, rename = "objectId")]
    object: Text<'t>,
    #[serde(borrow)]
    qualifier: Option<Text<'t>>,
}

#[derive(Deserialize)]
struct Attribute<'t> {
    #[serde(borrow)]
    name: Text<'t>,
    #[serde(borrow)]
    value: &'t RawValue,
    #[serde(borrow)]
    time: Option<Text<'t>>,
}

/// An object or event of OCEL 2.0.
#[derive(Deserialize)]
struct Entry<'t> {
    #[serde(borrow)]
    id: Text<'t>,
    #[serde(borrow, rename = "type")]
    kind: Text<'t>,
    #[serde(borrow)]
    time: Option<Text<'t>>,
    #[serde(borrow, default)]
    attributes: Option<Vec<Attribute<'t>>>,
    #[serde(borrow, default)]
    relationships: Option<Vec<Relationship<'t>>>,
}

impl Entry<'_> {
    fn links(&self) -> Vec<Link> {
        let links = self.relationships.iter().flatten().map(|link| Link {
            object: link.object.text(),
            qualifier: link.qualifier.as_ref().map(Text::text).unwrap_or_default(),
        });
        links.filter(|link| !link.object.is_empty()).collect()
    }
}

/// Reads a log from its text.
pub(super) fn read(text: &str, names: &FileNames) -> Result<Ocel, ImportError> {
    let members = members_of(text.trim_ascii())
        .map_err(|e| names.malformed(e.line() as u64, format!("the JSON is broken: {e}")))?;
    let mut ocel = Ocel::default();
    let mut lines = Lines::of(text);
    let mut known = false;
    for (key, value) in &members {
        match &**key {
            "objects" | "events" => {
                known = true;
                let entries: Vec<&RawValue> = serde_json::from_str(value.get()).map_err(|_| {
                    names.malformed(lines.to(value.get()) + 1, format!("{key:?} is no list"))
                })?;
                for raw in entries {
                    let line = lines.to(raw.get()) + 1;
                    ocel.entry(key == "events", line, raw);
                }
            }
            "ocel:objects" | "ocel:events" => {
                known = true;
                let entries = members_of(value.get()).map_err(|_| {
                    names.malformed(lines.to(value.get()) + 1, format!("{key:?} is no object"))
                })?;
                for (id, raw) in entries {
                    let line = lines.to(raw.get()) + 1;
                    ocel.entry_1(key == "ocel:events", line, &id, raw);
                }
            }
            // What an object's or an event's attributes are is seen at each of them.
            "objectTypes" | "eventTypes" | "ocel:global-event" | "ocel:global-object" => {}
            _ => ocel.not_kept.push(format!("{key:?} of the log as a whole")),
        }
    }
    if !known {
        return Err(names.malformed(1, "this JSON holds neither events nor objects of OCEL"));
    }
    Ok(ocel)
}

impl Ocel {
    fn entry(&mut self, is_event: bool, line: u64, raw: &RawValue) {
        let entry: Entry<'_> = match serde_json::from_str(raw.get()) {
            Ok(entry) => entry,
            Err(error) => {
                let what = if is_event { "event" } else { "object" };
                let reason = format!("this {what} is not as OCEL 2.0 writes it: {error}");
                return self.rejects.push((line, reason, raw.get().to_owned()));
            }
        };
        let links = entry.links();
        let attributes = entry.attributes.iter().flatten();
        if is_event {
            self.events.push(Event {
                line,
                id: entry.id.text(),
                kind: entry.kind.text(),
                time: entry.time.as_ref().map(Text::text).unwrap_or_default(),
                attributes: attributes
                    .map(|a| (a.name.text(), a.value.get().to_owned()))
                    .collect(),
                links,
            });
        } else {
            self.objects.push(Object {
                line,
                id: entry.id.text(),
                kind: entry.kind.text(),
                attributes: attributes
                    .map(|a| Value {
                        name: a.name.text(),
                        json: a.value.get().to_owned(),
                        time: a.time.as_ref().map(Text::text),
                    })
                    .collect(),
                links,
            });
        }
    }

    /// An object or event of OCEL 1.0, which its id is the key of.
    fn entry_1(&mut self, is_event: bool, line: u64, id: &str, raw: &RawValue) {
        let Ok(members) = members_of(raw.get()) else {
            let reason = format!("{id:?} is no object");
            return self.rejects.push((line, reason, raw.get().to_owned()));
        };
        let at = |key: &str| {
            members
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, v)| *v)
        };
        let text = |key: &str| {
            at(key)
                .and_then(scalar)
                .map(Cow::into_owned)
                .unwrap_or_default()
        };
        let values = |key: &str| {
            let members = at(key).map(|map| members_of(map.get()).unwrap_or_default());
            members.unwrap_or_default()
        };
        if is_event {
            let objects: Vec<Text<'_>> = at("ocel:omap")
                .and_then(|list| serde_json::from_str(list.get()).ok())
                .unwrap_or_default();
            self.events.push(Event {
                line,
                id: id.to_owned(),
                kind: text("ocel:activity"),
                time: text("ocel:timestamp"),
                attributes: values("ocel:vmap")
                    .into_iter()
                    .map(|(name, value)| (name.into_owned(), value.get().to_owned()))
                    .collect(),
                links: objects
                    .iter()
                    .map(|object| Link {
                        object: object.text(),
                        qualifier: String::new(),
                    })
                    .collect(),
            });
        } else {
            self.objects.push(Object {
                line,
                id: id.to_owned(),
                kind: text("ocel:type"),
                attributes: values("ocel:ovmap")
                    .into_iter()
                    .map(|(name, value)| Value {
                        name: name.into_owned(),
                        json: value.get().to_owned(),
                        time: None,
                    })
                    .collect(),
                links: Vec::new(),
            });
        }
    }
}
