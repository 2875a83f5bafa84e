//! OCEL 2.0: a stream is an object, an event belongs to the objects into whose streams it is linked. What an import of
//! OCEL kept comes back as it was: events that an import inferred from objects become their attributes again.
//!
//! | module | what it writes |
//! |---|---|
//! | `json` | the log as JSON |
//! | `sqlite` | the log as a database |
//!
//! Events and values are kept as JSON until the last is there, since types stand before them in both.

mod json;
mod sqlite;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::fragments::Fragments;
use super::notes::{Notes, is_json, of_erased, rfc3339};
use super::{Events, ExportError, Form, Taken};
use crate::event::{Event, Relationship, members_of};
use crate::id::StreamId;
use crate::import::write_json_string;
use crate::position::Version;
use crate::store::{LinkView, Log};
use crate::time::SourceTime;

/// Since when an object is what it is from the beginning (specification, 4).
const BEGINNING: &str = "1970-01-01T00:00:00Z";

/// Group of the events; the objects follow.
const EVENTS: u32 = 0;

/// Encoding of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Sqlite,
}

/// Writes OCEL.
pub(super) struct Ocel {
    kind: Kind,
    fragments: Fragments,
    objects: Vec<Object>,
    places: HashMap<String, usize>,
    event_types: Types,
    object_types: Types,
}

/// An object as far as the events told of it.
struct Object {
    id: String,
    kind: Option<String>,
    /// Relationships to other objects, as JSON.
    links: Option<String>,
    /// An event said what it is.
    recorded: bool,
    /// Only events' own lists of relationships name it: it may be missing in the log.
    only_named: bool,
}

/// Types in the order in which they came, each with its attributes.
#[derive(Default)]
struct Types {
    list: Vec<Type>,
    places: HashMap<String, usize>,
}

struct Type {
    name: String,
    attributes: Vec<(String, Seen)>,
    places: HashMap<String, usize>,
}

/// Kinds of values that an attribute was seen with.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Seen {
    text: bool,
    integer: bool,
    float: bool,
    boolean: bool,
    /// Numbers that binary does not hold to the last digit.
    inexact: bool,
}

impl Ocel {
    pub(super) fn begin(kind: Kind) -> Result<Ocel, ExportError> {
        Ok(Ocel {
            kind,
            fragments: Fragments::new()?,
            objects: Vec::new(),
            places: HashMap::new(),
            event_types: Types::default(),
            object_types: Types::default(),
        })
    }

    /// Place of an object among the objects.
    fn object(&mut self, id: &str, only_named: bool) -> usize {
        if let Some(place) = self.places.get(id) {
            self.objects[*place].only_named &= only_named;
            return *place;
        }
        self.places.insert(id.to_owned(), self.objects.len());
        self.objects.push(Object {
            id: id.to_owned(),
            kind: None,
            links: None,
            recorded: false,
            only_named,
        });
        self.objects.len() - 1
    }

    /// An event that an import inferred from an object: the object's attributes again.
    fn take_object(&mut self, event: &Event, stream: &str, notes: &mut Notes) -> Events {
        let place = self.object(stream, false);
        let context = Context::of(event);
        let kind = event.category.as_ref().map_or("", |c| c.as_str());
        let recorded = event.event_type.as_str() == Event::OBJECT_RECORDED;
        if recorded {
            let object = &mut self.objects[place];
            object.recorded = true;
            object.kind = context.object_type.map(Cow::into_owned);
            object.links = context.relationships.map(|links| links.get().to_owned());
        }
        let kind = self.objects[place]
            .kind
            .clone()
            .unwrap_or_else(|| kind.to_owned());
        let of = self.object_types.place(&kind);
        let time = match recorded {
            true => BEGINNING.to_owned(),
            false => self.time(event, notes),
        };
        let group = u32::try_from(place + 1).unwrap_or(u32::MAX);
        for (name, value) in values(event, notes) {
            self.note_kind(false, of, &name, &value, event, notes);
            let mut json = String::from("{\"name\":");
            write_json_string(&mut json, &name);
            json.push_str(",\"time\":");
            write_json_string(&mut json, &time);
            let _ = write!(json, ",\"value\":{value}}}");
            self.fragments.add(group, &json)?;
        }
        Ok(())
    }

    fn take_event(
        &mut self,
        event: &Event,
        links: &[LinkView],
        stream: &str,
        notes: &mut Notes,
    ) -> Events {
        let context = Context::of(event);
        let of = self.event_types.place(event.event_type.as_str());
        let mut json = String::from("{\"id\":");
        write_json_string(&mut json, event.id.as_ref().map_or("", |id| id.as_str()));
        json.push_str(",\"type\":");
        write_json_string(&mut json, event.event_type.as_str());
        json.push_str(",\"time\":");
        write_json_string(&mut json, &self.time(event, notes));
        json.push_str(",\"attributes\":[");
        let mut values = values(event, notes);
        context.add_to(&mut values, event, notes);
        for (at, (name, value)) in values.iter().enumerate() {
            self.note_kind(true, of, name, value, event, notes);
            json.push_str(if at == 0 { "{\"name\":" } else { ",{\"name\":" });
            write_json_string(&mut json, name);
            let _ = write!(json, ",\"value\":{value}}}");
        }
        json.push_str("],\"relationships\":");
        let own: Option<Vec<Relationship>> = context
            .relationships
            .and_then(|list| serde_json::from_str(list.get()).ok());
        let relationships = match own {
            Some(own) => {
                for link in &own {
                    self.object(&link.object, true);
                }
                own
            }
            None if links.is_empty() && is_lone(event, stream) => Vec::new(),
            None => {
                let home = self.object(stream, false);
                let category = event.category.as_ref().map(|c| c.as_str().to_owned());
                self.objects[home].kind = self.objects[home].kind.take().or(category);
                for link in links {
                    self.object(&link.stream, false);
                }
                let mut all = vec![Relationship {
                    object: stream.to_owned(),
                    qualifier: String::new(),
                }];
                for LinkView {
                    stream,
                    version: _,
                    qualifier,
                } in links
                {
                    all.push(Relationship {
                        object: stream.clone(),
                        qualifier: qualifier.clone(),
                    });
                }
                all
            }
        };
        json.push_str(&serde_json::to_string(&relationships).map_err(std::io::Error::from)?);
        json.push('}');
        Ok(self.fragments.add(EVENTS, &json)?)
    }

    fn time(&self, event: &Event, notes: &mut Notes) -> String {
        // A database says in which form it has its times, and may leave the zone open.
        if let (Kind::Sqlite, Some(text)) = (self.kind, &event.time.text)
            && SourceTime::parse(text, chrono_tz::UTC)
                .is_ok_and(|read| read.time == event.time.time)
        {
            return text.clone();
        }
        rfc3339(notes, event)
    }

    /// Remembers with what kind of value an attribute came.
    fn note_kind(
        &mut self,
        of_event: bool,
        of: usize,
        name: &str,
        value: &str,
        event: &Event,
        notes: &mut Notes,
    ) {
        let types = match of_event {
            true => &mut self.event_types,
            false => &mut self.object_types,
        };
        let seen = types.list[of].seen(name);
        match value.as_bytes().first() {
            Some(b'"') => seen.text = true,
            Some(b't' | b'f') => {
                seen.boolean = true;
                if self.kind == Kind::Sqlite {
                    notes.held_otherwise(event, "true and false are 1 and 0 in SQLite");
                }
            }
            _ => {
                match value.contains(['.', 'e', 'E']) {
                    true => seen.float = true,
                    false => seen.integer = true,
                }
                if self.kind == Kind::Sqlite && sqlite::number(value).is_none() {
                    seen.inexact = true;
                    let how = "numbers whose digits binary does not hold stand as text in SQLite";
                    notes.held_otherwise(event, how);
                }
            }
        }
    }

    /// Names the type of every object, and leaves out those that the log does not hold.
    fn settle_objects(&mut self, log: &Log, notes: &mut Notes) -> Result<Vec<usize>, ExportError> {
        let mut kept = Vec::with_capacity(self.objects.len());
        let mut bare: Option<(u64, String)> = None;
        for place in 0..self.objects.len() {
            let Object {
                id,
                kind,
                only_named,
                recorded,
                ..
            } = &self.objects[place];
            if !recorded && let Ok(stream) = StreamId::new(id.as_str()) {
                let first = first_of(log, &stream)?;
                let is_here = |event: &Event| event.stream.as_ref() == Some(&stream);
                if *only_named && !first.as_ref().is_some_and(is_here) {
                    continue;
                }
                if first.is_some_and(|event| is_here(&event) && event.is_object_record()) {
                    bare.get_or_insert_with(|| (0, id.clone())).0 += 1;
                }
                if kind.is_none() {
                    let row = log.stream(&stream)?;
                    let category = row.map_or_else(String::new, |row| row.category);
                    self.objects[place].kind = Some(category);
                }
            }
            let kind = self.objects[place].kind.clone().unwrap_or_default();
            self.object_types.place(&kind);
            kept.push(place);
        }
        if let Some((count, first)) = bare {
            notes.in_all(format!(
                "objects stand without their attributes, since the events that record them are not among those exported: {count}, the first {first:?}"
            ));
        }
        Ok(kept)
    }
}

/// The first event of a stream, linked ones with it.
fn first_of(log: &Log, stream: &StreamId) -> Result<Option<Event>, ExportError> {
    let mut event = None;
    let read = log.for_each_in_stream(stream, Version(1), None, &mut |first| {
        event = Some(first.event);
        false
    });
    match read {
        Ok(()) => Ok(event),
        Err(crate::store::ReadError::NoStream(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Form for Ocel {
    fn take(&mut self, event: Event, links: &[LinkView], to: &mut Taken<'_>) -> Events {
        let notes = &mut to.notes;
        of_erased(notes, &event);
        let Some(stream) = event.stream.as_ref().map(ToString::to_string) else {
            notes.left_out(&event, "events whose identity was erased");
            return Ok(());
        };
        if event.schema_version.is_some() {
            notes.left_out(&event, "schema versions");
        }
        match event.is_object_record() {
            true => self.take_object(&event, &stream, notes),
            false => self.take_event(&event, links, &stream, notes),
        }
    }

    fn finish(&mut self, log: &Log, to: &mut Taken<'_>) -> Events {
        let kept = self.settle_objects(log, &mut to.notes)?;
        self.fragments.sort()?;
        for (types, of) in [
            (&self.event_types, "events"),
            (&self.object_types, "objects"),
        ] {
            for kind in &types.list {
                for (name, seen) in kind.attributes.iter().filter(|(_, seen)| seen.is_mixed()) {
                    to.notes.in_all(format!(
                        "the attribute {name:?} of {of} of type {:?} has values of several kinds ({}); it is declared as {}",
                        kind.name,
                        seen.words(),
                        seen.declared(),
                    ));
                }
            }
        }
        match self.kind {
            Kind::Json => self.write_json(&kept, to),
            Kind::Sqlite => self.write_sqlite(&kept, to),
        }
    }
}

/// Whether an import found no object for the event: its stream is named like the file.
fn is_lone(event: &Event, stream: &str) -> bool {
    event.source.source.as_deref().map(crate::import::stem) == Some(stream)
}

/// What the metadata of an event say.
#[derive(Default)]
struct Context<'e> {
    object_type: Option<Cow<'e, str>>,
    relationships: Option<&'e RawValue>,
    /// Names of the other members.
    rest: Vec<Cow<'e, str>>,
}

impl<'e> Context<'e> {
    fn of(event: &'e Event) -> Context<'e> {
        let mut context = Context::default();
        let text = event.metadata.as_ref().and_then(|m| m.json_text());
        for (key, value) in text
            .and_then(|text| members_of(text).ok())
            .unwrap_or_default()
        {
            match &*key {
                "inferred" => {}
                "objectType" => context.object_type = serde_json::from_str(value.get()).ok(),
                "relationships" if value.get().starts_with('[') => {
                    context.relationships = Some(value)
                }
                _ => context.rest.push(key),
            }
        }
        context
    }

    /// Adds who did it and what led to it to the attributes; says what else there is.
    fn add_to(&self, values: &mut Vec<(String, String)>, event: &Event, notes: &mut Notes) {
        let told = [
            ("actor", event.actor.as_ref().map(|a| a.as_str())),
            ("correlationId", event.correlation.as_deref()),
            ("causationId", event.causation.as_deref()),
        ];
        let mut added = 0;
        for (name, value) in told {
            let Some(value) = value else { continue };
            let mut json = String::new();
            write_json_string(&mut json, value);
            // The data themselves may say it.
            if values
                .iter()
                .any(|(key, held)| key == name || *held == json)
            {
                continue;
            }
            values.push((name.to_owned(), json));
            added += 1;
        }
        if added > 0 {
            let how = "actor, correlation and causation stand among the attributes of events";
            notes.held_otherwise(event, how);
        }
        if self.rest.len() > added {
            notes.left_out(event, "metadata beyond actor, correlation and causation");
        }
        if event.metadata.is_some() && !event.metadata.as_ref().is_some_and(is_json) {
            notes.left_out(event, "metadata that are not JSON");
        }
    }
}

/// The members of the data as attributes, each with a value that OCEL has a kind for.
fn values(event: &Event, notes: &mut Notes) -> Vec<(String, String)> {
    let Some(data) = &event.data else {
        return Vec::new();
    };
    if !is_json(data) {
        notes.left_out(event, "payloads that are not JSON");
        return Vec::new();
    }
    let text = data.json_text().unwrap_or_default().trim_ascii();
    let members = match members_of(text) {
        Ok(members) => members,
        Err(_) => match serde_json::from_str(text) {
            Ok(value) => vec![(Cow::Borrowed("data"), value)],
            Err(_) => Vec::new(),
        },
    };
    let mut values = Vec::with_capacity(members.len());
    for (name, value) in members {
        let json = match value.get().as_bytes().first() {
            Some(b'n') => {
                notes.left_out(event, "`null`");
                continue;
            }
            Some(b'{' | b'[') => {
                let how = "lists and objects in the data stand as JSON text in attributes";
                notes.held_otherwise(event, how);
                let mut json = String::new();
                write_json_string(&mut json, value.get());
                json
            }
            _ => value.get().to_owned(),
        };
        values.push((name.into_owned(), json));
    }
    values
}

impl Types {
    fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        self.places.insert(name.to_owned(), self.list.len());
        self.list.push(Type {
            name: name.to_owned(),
            attributes: Vec::new(),
            places: HashMap::new(),
        });
        self.list.len() - 1
    }
}

impl Type {
    fn seen(&mut self, name: &str) -> &mut Seen {
        let place = match self.places.get(name) {
            Some(place) => *place,
            None => {
                self.places.insert(name.to_owned(), self.attributes.len());
                self.attributes.push((name.to_owned(), Seen::default()));
                self.attributes.len() - 1
            }
        };
        &mut self.attributes[place].1
    }
}

impl Seen {
    /// The type that OCEL has for it.
    fn declared(self) -> &'static str {
        match (self.text, self.float, self.integer, self.boolean) {
            (false, false, false, true) => "boolean",
            (false, false, true, false) => "integer",
            (false, true, _, false) => "float",
            _ => "string",
        }
    }

    fn is_mixed(self) -> bool {
        let numbers = self.float || self.integer;
        u8::from(self.text) + u8::from(numbers) + u8::from(self.boolean) > 1
    }

    fn words(self) -> String {
        let words = [
            (self.text, "texts"),
            (self.float || self.integer, "numbers"),
            (self.boolean, "true and false"),
        ];
        let seen: Vec<&str> = words
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, word)| *word)
            .collect();
        seen.join(", ")
    }
}
