//! OCEL 2.0 and 1.0 in XML.

use std::collections::HashMap;
use std::io::{BufRead, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event as Step};

use super::{Event, ImportError, Link, MAX_BYTES, Object, Ocel, Value};
use crate::import::csv::is_number;
use crate::import::detect::FileNames;
use crate::import::mapping::write_json_string;
use crate::import::xml::{attributes, character};

/// Deepest nesting that is taken.
const MAX_DEPTH: usize = 100;

/// An element with what is in it.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: HashMap<String, String>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn at(&self, name: &str) -> String {
        self.attributes.get(name).cloned().unwrap_or_default()
    }

    fn all<'e>(&'e self, name: &'e str) -> impl Iterator<Item = &'e Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// Reads a log.
pub(super) fn read(reader: &mut dyn BufRead, names: &FileNames) -> Result<Ocel, ImportError> {
    let mut text = String::new();
    reader
        .take(MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|e| names.unreadable(1, e))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(names.malformed(1, "an OCEL log may have 2 GiB; split it"));
    }
    let mut reading = Reading {
        reader: Reader::from_str(&text),
        text: &text,
        names,
        counted: 0,
        line: 1,
        ocel: Ocel::default(),
        kinds: HashMap::new(),
    };
    reading.log()?;
    Ok(reading.ocel)
}

struct Reading<'t> {
    reader: Reader<&'t [u8]>,
    text: &'t str,
    names: &'t FileNames,
    /// Bytes whose lines are counted, and the line reached.
    counted: usize,
    line: u64,
    ocel: Ocel,
    /// Declared kinds of attributes, by event or object, its type and the attribute's name.
    kinds: HashMap<(bool, String, String), String>,
}

impl<'t> Reading<'t> {
    fn line(&mut self) -> u64 {
        let at = (self.reader.buffer_position() as usize).min(self.text.len());
        if let Some(between) = self.text.as_bytes().get(self.counted..at) {
            self.line += between.iter().filter(|b| **b == b'\n').count() as u64;
            self.counted = at;
        }
        self.line
    }

    fn malformed(&mut self, message: String) -> ImportError {
        let line = self.line();
        self.names.malformed(line, message)
    }

    fn step(&mut self) -> Result<Step<'t>, ImportError> {
        match self.reader.read_event() {
            Ok(Step::DocType(_)) => Err(self.malformed(
                "a DOCTYPE may define entities, which Annals does not expand; remove it".into(),
            )),
            Ok(step) => Ok(step),
            Err(error) => Err(self.malformed(format!("the XML is broken: {error}"))),
        }
    }

    /// The file: objects and events wherever they stand, declarations before them.
    fn log(&mut self) -> Result<(), ImportError> {
        let mut open: Vec<String> = Vec::new();
        loop {
            match self.step()? {
                Step::Start(start) => {
                    let name = start.local_name().as_ref().to_owned();
                    let inside = open.last().map_or("", String::as_str);
                    match (inside, name.as_str()) {
                        ("events", "event") | ("objects", "object") => {
                            let line = self.line();
                            let element = self.element(&start, 0)?;
                            self.entry(line, &element);
                        }
                        ("event-types", "event-type") | ("object-types", "object-type") => {
                            let element = self.element(&start, 0)?;
                            self.declare(&element);
                        }
                        _ if open.len() > MAX_DEPTH => {
                            return Err(self.malformed("elements are nested too deep".into()));
                        }
                        _ => open.push(name),
                    }
                }
                Step::Empty(start) if matches!(start.local_name().as_ref(), "event" | "object") => {
                    let line = self.line();
                    let element = self.opened(&start)?;
                    self.entry(line, &element);
                }
                Step::End(_) => {
                    open.pop();
                }
                Step::Eof if open.is_empty() => return Ok(()),
                Step::Eof => {
                    return Err(self.malformed(
                        "the XML is cut off: elements are still open at its end; get the whole file".into(),
                    ));
                }
                _ => {}
            }
        }
    }

    fn opened(&mut self, start: &BytesStart<'_>) -> Result<Element, ImportError> {
        let mut element = Element {
            name: start.local_name().as_ref().to_owned(),
            ..Element::default()
        };
        let read = attributes(start);
        let read = read.map_err(|error| self.malformed(format!("the XML is broken: {error}")))?;
        element.attributes = read.into_iter().collect();
        Ok(element)
    }

    /// The rest of an element that was opened.
    fn element(&mut self, start: &BytesStart<'_>, depth: usize) -> Result<Element, ImportError> {
        if depth > MAX_DEPTH {
            return Err(self.malformed("elements are nested too deep".into()));
        }
        let mut element = self.opened(start)?;
        loop {
            match self.step()? {
                Step::Start(start) => {
                    let child = self.element(&start, depth + 1)?;
                    element.children.push(child);
                }
                Step::Empty(start) => {
                    let child = self.opened(&start)?;
                    element.children.push(child);
                }
                Step::Text(text) => element.text.push_str(&text),
                Step::CData(text) => element.text.push_str(&text),
                Step::GeneralRef(name) => match character(&name) {
                    Some(character) => element.text.push(character),
                    None => {
                        let message = format!("the entity &{}; is not known", &*name);
                        return Err(self.malformed(message));
                    }
                },
                Step::End(_) => return Ok(element),
                Step::Eof => {
                    return Err(self.malformed(
                        "the XML is cut off: elements are still open at its end; get the whole file".into(),
                    ));
                }
                Step::Comment(_) | Step::Decl(_) | Step::PI(_) | Step::DocType(_) => {}
            }
        }
    }

    fn declare(&mut self, element: &Element) {
        let is_event = element.name == "event-type";
        for attribute in element
            .all("attributes")
            .flat_map(|list| list.all("attribute"))
        {
            let key = (is_event, element.at("name"), attribute.at("name"));
            self.kinds.insert(key, attribute.at("type"));
        }
    }

    fn entry(&mut self, line: u64, element: &Element) {
        let is_event = element.name == "event";
        if element.attributes.contains_key("id") {
            self.entry_2(is_event, line, element);
        } else {
            self.entry_1(is_event, line, element);
        }
    }

    fn entry_2(&mut self, is_event: bool, line: u64, element: &Element) {
        let kind = element.at("type");
        let json = |attribute: &Element| {
            let key = (is_event, kind.clone(), attribute.at("name"));
            let declared = self.kinds.get(&key).map_or("", String::as_str);
            value_json(declared, &attribute.text)
        };
        let attributes = element
            .all("attributes")
            .flat_map(|list| list.all("attribute"));
        let relationships = element.all("objects").flat_map(|list| {
            list.children
                .iter()
                .filter(|child| matches!(child.name.as_str(), "relationship" | "object"))
        });
        let links: Vec<Link> = relationships
            .map(|link| Link {
                object: link.at("object-id"),
                qualifier: link.at("qualifier"),
            })
            .filter(|link| !link.object.is_empty())
            .collect();
        if is_event {
            let attributes = attributes.map(|a| (a.at("name"), json(a))).collect();
            self.ocel.events.push(Event {
                line,
                id: element.at("id"),
                time: element.at("time"),
                attributes,
                links,
                kind,
            });
        } else {
            let attributes = attributes
                .map(|a| Value {
                    name: a.at("name"),
                    json: json(a),
                    time: a.attributes.get("time").cloned(),
                })
                .collect();
            self.ocel.objects.push(Object {
                line,
                id: element.at("id"),
                attributes,
                links,
                kind,
            });
        }
    }

    /// An object or event of OCEL 1.0: children that name a key and a value.
    fn entry_1(&mut self, is_event: bool, line: u64, element: &Element) {
        let of = |element: &Element, key: &str| {
            let child = element.children.iter().find(|child| child.at("key") == key);
            child.map(|child| child.at("value")).unwrap_or_default()
        };
        let list = |key: &str| {
            let lists = element
                .children
                .iter()
                .filter(|child| child.at("key") == key);
            lists.flat_map(|list| &list.children).collect::<Vec<_>>()
        };
        let values = |key: &str| {
            list(key)
                .into_iter()
                .map(|child| (child.at("key"), value_json(&child.name, &child.at("value"))))
                .collect::<Vec<_>>()
        };
        if is_event {
            self.ocel.events.push(Event {
                line,
                id: of(element, "id"),
                kind: of(element, "activity"),
                time: of(element, "timestamp"),
                attributes: values("vmap"),
                links: list("omap")
                    .into_iter()
                    .map(|child| Link {
                        object: child.at("value"),
                        qualifier: String::new(),
                    })
                    .collect(),
            });
        } else {
            let attributes = values("ovmap").into_iter().map(|(name, json)| Value {
                name,
                json,
                time: None,
            });
            self.ocel.objects.push(Object {
                line,
                id: of(element, "id"),
                kind: of(element, "type"),
                attributes: attributes.collect(),
                links: Vec::new(),
            });
        }
    }
}

/// The text of a value as JSON: as what it is declared to be where it is that, else a text.
fn value_json(kind: &str, text: &str) -> String {
    let bare = text.trim();
    let is = match kind {
        "integer" | "int" | "float" => is_number(bare),
        "boolean" => matches!(bare, "true" | "false"),
        _ => false,
    };
    if is {
        return bare.to_owned();
    }
    let mut out = String::new();
    write_json_string(&mut out, text);
    out
}
