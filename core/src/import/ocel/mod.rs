//! OCEL: events that belong to many objects, and objects whose attributes change. `docs/formats/ocel-mapping.md`
//! draws the mapping.
//!
//! Each object is a stream. An event is at home in the stream of the first object that it names and linked into those
//! of the others. What the log says of an object becomes events of its stream, marked `inferred`.
//!
//! | module | what it reads |
//! |---|---|
//! | `json` | OCEL 2.0 JSON, OCEL 1.0 JSON |
//! | `xml` | OCEL 2.0 XML, OCEL 1.0 XML |
//! | `sqlite` | OCEL 2.0 SQLite |
//!
//! The whole log is held in memory: objects and events name each other from both ends of the file.

mod json;
mod sqlite;
#[cfg(test)]
mod tests;
mod xml;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, Read};

use chrono_tz::Tz;

use super::detect::FileNames;
use super::mapping::epoch::time_of_text;
use super::mapping::{Beyond, Draft, write_json_string, write_key};
use super::{ImportError, Progress};
use crate::id::StreamId;
use crate::time::{SourceTime, Time};

/// Longest log that is taken, in bytes.
const MAX_BYTES: u64 = 2 << 30;
/// Type of the event that says what an object is from the beginning.
const RECORDED: &str = "ObjectRecorded";
/// Type of the event that says a later value of an object's attributes.
const CHANGED: &str = "ObjectChanged";
/// Microseconds around 1970-01-01 that stand for the beginning: programs write it in their own zones.
const BEGINNING_US: i64 = 86_400_000_000;

/// What the file holds.
pub(super) enum Item<'a> {
    /// An event.
    Event(&'a Draft<'a>),
    /// An event or object that cannot be taken.
    Reject { reason: String, record: &'a str },
    /// Links to objects that the log does not hold: how many, and the first.
    Broken { count: u64, detail: String },
    /// Something that belongs to no event.
    NotKept(String),
}

type Each<'e> = &'e mut dyn FnMut(u64, Item<'_>) -> Result<(), ImportError>;

/// A log as it was read.
#[derive(Debug, Default)]
struct Ocel {
    objects: Vec<Object>,
    events: Vec<Event>,
    /// Line, reason and text of what could not be read.
    rejects: Vec<(u64, String, String)>,
    not_kept: Vec<String>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Object {
    line: u64,
    id: String,
    kind: String,
    attributes: Vec<Value>,
    links: Vec<Link>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Event {
    line: u64,
    id: String,
    kind: String,
    time: String,
    /// Names and values, as JSON.
    attributes: Vec<(String, String)>,
    links: Vec<Link>,
}

/// A value of an attribute, as JSON, and since when; from the beginning where `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    name: String,
    json: String,
    time: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    object: String,
    qualifier: String,
}

/// Calls `each` with everything in the file, and its line.
///
/// # Errors
/// [`ImportError::Malformed`] where the file as a whole is no OCEL.
pub(super) fn read(
    reader: &mut dyn BufRead,
    names: &FileNames,
    zone: Tz,
    progress: &Progress,
    each: Each<'_>,
) -> Result<(), ImportError> {
    let head = reader.fill_buf().map_err(|e| names.unreadable(1, e))?;
    let ocel = if head.starts_with(SQLITE) {
        sqlite::read(reader, names)?
    } else if head.trim_ascii_start().starts_with(b"<") {
        xml::read(reader, names)?
    } else {
        let mut text = String::new();
        reader
            .take(MAX_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|e| names.unreadable(1, e))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(names.malformed(1, "an OCEL log may have 2 GiB; split it"));
        }
        json::read(&text, names)?
    };
    if progress.cancel.load(std::sync::atomic::Ordering::Relaxed) {
        return Err(ImportError::Cancelled);
    }
    ocel.emit(names, zone, each)
}

/// How a file of SQLite begins.
pub(super) const SQLITE: &[u8] = b"SQLite format 3\0";

/// Tells whether the beginning of a text is OCEL, and how that was told.
pub(super) fn sniff(head: &[u8]) -> Option<&'static str> {
    let has = |text: &str| head.windows(text.len()).any(|part| part == text.as_bytes());
    // An element, perhaps of a namespace with a prefix.
    let has_element = |name: &str| has(&format!("<{name}")) || has(&format!(":{name}"));
    match head.trim_ascii_start().first()? {
        b'<' if has_element("object-types") || has_element("event-types") => {
            Some("it is XML with object-types and event-types: OCEL 2.0")
        }
        b'<' if has("<events") && (has("<global") || has("<objects")) && !has("<trace") => {
            Some("it is XML with events and objects: OCEL 1.0")
        }
        b'{' if has("\"ocel:global-log\"") || has("\"ocel:events\"") || has("\"ocel:objects\"") => {
            Some("its keys begin with ocel: : OCEL 1.0")
        }
        b'{' if has("\"objectTypes\"") && has("\"eventTypes\"") => {
            Some("it has objectTypes and eventTypes: OCEL 2.0")
        }
        b'{' if has("\"relationships\"") && (has("\"objectId\"") && has("\"qualifier\"")) => {
            Some("its records have relationships to objects: OCEL 2.0")
        }
        _ => None,
    }
}

impl Ocel {
    fn emit(self, names: &FileNames, zone: Tz, each: Each<'_>) -> Result<(), ImportError> {
        let Ocel {
            objects,
            events,
            rejects,
            not_kept,
        } = self;
        for what in not_kept {
            each(1, Item::NotKept(what))?;
        }
        for (line, reason, record) in &rejects {
            let reason = reason.clone();
            each(*line, Item::Reject { reason, record })?;
        }
        let kinds: HashMap<&str, &str> = objects
            .iter()
            .map(|object| (object.id.as_str(), object.kind.as_str()))
            .collect();
        let first = beginning(&objects, &events, zone);
        let mut broken: (u64, u64, String) = (0, 0, String::new());
        let mut note = |line: u64, of: &str, links: &[Link]| {
            for link in links
                .iter()
                .filter(|link| !kinds.contains_key(link.object.as_str()))
            {
                if broken.0 == 0 {
                    broken.1 = line;
                    broken.2 = format!(
                        "{of} names the object {:?}, which the log does not hold",
                        link.object
                    );
                }
                broken.0 += 1;
            }
        };
        for object in &objects {
            note(
                object.line,
                &format!("the object {:?}", object.id),
                &object.links,
            );
            object.emit(first, zone, each)?;
        }
        for event in &events {
            note(
                event.line,
                &format!("the event {:?}", event.id),
                &event.links,
            );
            match event.draft(&kinds, names, zone) {
                Ok(draft) => each(event.line, Item::Event(&draft))?,
                Err(reason) => {
                    let record = event.json();
                    let record = &record;
                    each(event.line, Item::Reject { reason, record })?;
                }
            }
        }
        let (count, line, detail) = broken;
        if count > 0 {
            each(line, Item::Broken { count, detail })?;
        }
        Ok(())
    }
}

/// The first time that the log says: from then on objects are what they were from the beginning.
fn beginning(objects: &[Object], events: &[Event], zone: Tz) -> Option<Time> {
    let of_events = events.iter().map(|event| event.time.as_str());
    let values = objects.iter().flat_map(|object| &object.attributes);
    let of_values = values.filter_map(|value| value.time.as_deref());
    of_events
        .chain(of_values)
        .filter_map(|text| time_of_text(text, zone).ok())
        .map(|time| time.time)
        .filter(|time| !is_beginning(*time))
        .min()
}

fn is_beginning(time: Time) -> bool {
    time.us().abs() < BEGINNING_US
}

impl Object {
    /// The events that say what the object is.
    fn emit(&self, first: Option<Time>, zone: Tz, each: Each<'_>) -> Result<(), ImportError> {
        let mut initial: Vec<&Value> = Vec::new();
        let mut later: BTreeMap<Time, (SourceTime, Vec<&Value>)> = BTreeMap::new();
        for value in &self.attributes {
            let time = match value.time.as_deref().map(|text| time_of_text(text, zone)) {
                None => None,
                Some(Ok(time)) => (!is_beginning(time.time)).then_some(time),
                Some(Err(reason)) => {
                    let record = format!("{{{:?}:{}}}", value.name, value.json);
                    let reason = format!(
                        "object {:?}, attribute {:?}: time: {reason}",
                        self.id, value.name
                    );
                    each(
                        self.line,
                        Item::Reject {
                            reason,
                            record: &record,
                        },
                    )?;
                    continue;
                }
            };
            match time {
                None => initial.push(value),
                Some(time) => later
                    .entry(time.time)
                    .or_insert((time, Vec::new()))
                    .1
                    .push(value),
            }
        }
        let mut metadata = String::from("\"inferred\":true");
        write_key(&mut metadata, "objectType");
        write_json_string(&mut metadata, &self.kind);
        if !self.links.is_empty() {
            write_key(&mut metadata, "relationships");
            metadata.push_str(&links_json(&self.links));
        }
        let draft = |event_type, time, values: &[&Value], metadata: String| Draft {
            stream: Cow::Borrowed(self.id.as_str()),
            category: (!self.kind.is_empty()).then_some(Cow::Borrowed(self.kind.as_str())),
            event_type: Some(Cow::Borrowed(event_type)),
            time,
            data: Cow::Owned(values_json(values.iter().map(|v| (&v.name, &v.json)))),
            metadata: Some(Cow::Owned(format!("{{{metadata}}}"))),
            unordered: true,
            ..Draft::default()
        };
        let time = first.map(SourceTime::unwritten);
        each(
            self.line,
            Item::Event(&draft(RECORDED, time, &initial, metadata)),
        )?;
        for (time, values) in later.into_values() {
            let metadata = "\"inferred\":true".to_owned();
            each(
                self.line,
                Item::Event(&draft(CHANGED, Some(time), &values, metadata)),
            )?;
        }
        Ok(())
    }
}

impl Event {
    fn draft<'a>(
        &'a self,
        kinds: &HashMap<&str, &'a str>,
        names: &'a FileNames,
        zone: Tz,
    ) -> Result<Draft<'a>, String> {
        let time = match self.time.as_str() {
            "" => None,
            text => Some(time_of_text(text, zone).map_err(|e| format!("time: {e}"))?),
        };
        let home = self.links.first().map(|link| link.object.as_str());
        // An object may play several parts; it is linked once, with all of them.
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut links: Vec<(&str, String)> = Vec::new();
        for link in &self.links {
            if Some(link.object.as_str()) == home {
                continue;
            }
            match places.get(link.object.as_str()) {
                Some(&at) if !link.qualifier.is_empty() => {
                    let qualifier: &mut String = &mut links[at].1;
                    if !qualifier.is_empty() {
                        qualifier.push_str(", ");
                    }
                    qualifier.push_str(&link.qualifier);
                }
                Some(_) => {}
                None => {
                    places.insert(&link.object, links.len());
                    links.push((&link.object, link.qualifier.clone()));
                }
            }
        }
        let links = links.into_iter().map(|(object, qualifier)| {
            let stream = StreamId::new(object).map_err(|e| format!("object {object:?}: {e}"))?;
            Ok((stream, qualifier))
        });
        let links = links.collect::<Result<Vec<_>, String>>()?;
        let metadata = (!self.links.is_empty())
            .then(|| Cow::Owned(format!("{{\"relationships\":{}}}", links_json(&self.links))));
        Ok(Draft {
            stream: Cow::Borrowed(home.unwrap_or(&names.stem)),
            category: home
                .and_then(|home| kinds.get(home).copied())
                .filter(|kind| !kind.is_empty())
                .map(Cow::Borrowed),
            event_type: (!self.kind.is_empty()).then_some(Cow::Borrowed(self.kind.as_str())),
            time,
            id: (!self.id.is_empty()).then_some(Cow::Borrowed(self.id.as_str())),
            data: Cow::Owned(values_json(self.attributes.iter().map(|(n, v)| (n, v)))),
            metadata,
            unordered: true,
            beyond: (!links.is_empty()).then(|| {
                Box::new(Beyond {
                    links,
                    ..Beyond::default()
                })
            }),
            ..Draft::default()
        })
    }

    /// The event as one says it who has to look at it.
    fn json(&self) -> String {
        let mut out = String::new();
        for (key, value) in [("id", &self.id), ("type", &self.kind), ("time", &self.time)] {
            write_key(&mut out, key);
            write_json_string(&mut out, value);
        }
        format!("{{{out}}}")
    }
}

/// Values by their names, as an object.
fn values_json<'v>(values: impl Iterator<Item = (&'v String, &'v String)>) -> String {
    let mut out = String::new();
    for (name, json) in values {
        write_key(&mut out, name);
        out.push_str(json);
    }
    format!("{{{out}}}")
}

/// Relationships as OCEL 2.0 JSON writes them.
fn links_json(links: &[Link]) -> String {
    let mut out = String::from("[");
    for (i, link) in links.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str("{\"objectId\":");
        write_json_string(&mut out, &link.object);
        out.push_str(",\"qualifier\":");
        write_json_string(&mut out, &link.qualifier);
        out.push('}');
    }
    out.push(']');
    out
}
