//! XES (IEEE 1849): a stream is a trace. What an import of XES kept comes back as it was; `docs/export.md` says where
//! everything else stands.
//!
//! An event is taken to come from XES if its data hold `concept:name` or `time:timestamp`; then its attributes are
//! its data and no more.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::value::RawValue;

use super::fragments::Fragments;
use super::notes::{Notes, is_json, of_erased, rfc3339};
use super::{Events, ExportError, Form, Taken};
use crate::event::{Event, Members, members_of};
use crate::id::StreamId;
use crate::position::Version;
use crate::store::{LinkView, Log};

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<log xes.version="1849-2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">
	<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>
	<extension name="Time" prefix="time" uri="http://www.xes-standard.org/time.xesext"/>
	<extension name="Organizational" prefix="org" uri="http://www.xes-standard.org/org.xesext"/>
	<extension name="Identity" prefix="identity" uri="http://www.xes-standard.org/identity.xesext"/>
"#;

const NAME: &str = "concept:name";
const TIME: &str = "time:timestamp";
const RESOURCE: &str = "org:resource";
const ID: &str = "identity:id";

/// Key of what stands in a list without a name of its own.
const ITEM: &str = "item";

/// Group of the events outside of traces.
const LONE: u32 = u32::MAX;

/// Writes XES.
pub(super) struct Xes {
    fragments: Fragments,
    traces: Vec<Trace>,
    /// Place of a stream's trace.
    places: HashMap<String, u32>,
}

struct Trace {
    stream: String,
    /// Its attributes, where an event said them.
    attributes: Option<String>,
    /// Whether its events come from XES.
    from_xes: bool,
}

impl Xes {
    pub(super) fn begin() -> Result<Xes, ExportError> {
        Ok(Xes {
            fragments: Fragments::new()?,
            traces: Vec::new(),
            places: HashMap::new(),
        })
    }

    fn place(&mut self, stream: &str, from_xes: bool) -> u32 {
        if let Some(place) = self.places.get(stream) {
            return *place;
        }
        let place = u32::try_from(self.traces.len()).unwrap_or(LONE - 1);
        self.places.insert(stream.to_owned(), place);
        self.traces.push(Trace {
            stream: stream.to_owned(),
            attributes: None,
            from_xes,
        });
        place
    }

    /// The attributes of a trace whose first event is not in the export, or that had none.
    fn attributes(
        &self,
        place: usize,
        log: &Log,
        notes: &mut Notes,
    ) -> Result<String, ExportError> {
        let trace = &self.traces[place];
        let unnamed = format!("trace-{}", place + 1);
        let said = match &trace.attributes {
            Some(said) => Some(said.clone()),
            None if trace.from_xes => match StreamId::new(trace.stream.as_str()) {
                Ok(stream) => {
                    let mut said = None;
                    log.for_each_in_stream(&stream, Version(1), None, &mut |first| {
                        let event = first.event;
                        said = Case::of(&event).and_then(|case| case.xml(&event, notes));
                        false
                    })?;
                    said
                }
                Err(_) => None,
            },
            None => None,
        };
        let named = said
            .as_deref()
            .is_some_and(|xml| xml.contains(r#"<string key="concept:name""#));
        let mut xml = String::new();
        if !(named || trace.from_xes && unnamed == trace.stream) {
            element(&mut xml, "string", NAME, &trace.stream);
        }
        xml.push_str(&said.unwrap_or_default());
        Ok(xml)
    }
}

impl Form for Xes {
    fn take(&mut self, event: Event, links: &[LinkView], to: &mut Taken<'_>) -> Events {
        let notes = &mut to.notes;
        of_erased(notes, &event);
        if !links.is_empty() {
            notes.left_out(&event, "streams that events are linked into");
        }
        let case = Case::of(&event);
        let mut xml = String::from("\t\t<event>");
        let from_xes = write_event(&mut xml, &event, case.as_ref(), notes);
        xml.push_str("</event>\n");
        let stream = event.stream.as_ref().map_or("erased", |s| s.as_str());
        if from_xes && is_lone(&event, stream) {
            self.fragments.add(LONE, &xml)?;
            return Ok(());
        }
        let place = self.place(stream, from_xes);
        self.fragments.add(place, &xml)?;
        if let Some(said) = case.and_then(|case| case.xml(&event, notes)) {
            match &mut self.traces[place as usize].attributes {
                Some(_) => notes.left_out(&event, "attributes of a second trace of the same name"),
                none => *none = Some(said),
            }
        }
        Ok(())
    }

    fn finish(&mut self, log: &Log, to: &mut Taken<'_>) -> Events {
        self.fragments.sort()?;
        to.buffer.extend_from_slice(HEAD.as_bytes());
        for place in 0..self.traces.len() {
            let attributes = self.attributes(place, log, &mut to.notes)?;
            to.buffer.extend_from_slice(b"\t<trace>");
            to.buffer.extend_from_slice(attributes.as_bytes());
            to.buffer.push(b'\n');
            self.copy(u32::try_from(place).unwrap_or(LONE), to)?;
            to.buffer.extend_from_slice(b"\t</trace>\n");
        }
        self.copy(LONE, to)?;
        to.buffer.extend_from_slice(b"</log>\n");
        Ok(())
    }
}

impl Xes {
    fn copy(&mut self, group: u32, to: &mut Taken<'_>) -> Events {
        for n in 0..self.fragments.len(group) {
            self.fragments.read(group, n, &mut to.buffer)?;
            to.spill()?;
        }
        Ok(())
    }
}

/// Whether an import found the event outside of traces: its stream is named like the file.
fn is_lone(event: &Event, stream: &str) -> bool {
    let named = event.source.source.as_deref().map(crate::import::stem);
    named == Some(stream)
        && event
            .category
            .as_ref()
            .is_some_and(|c| c.as_str() != "case")
}

/// What the metadata of an event say of XES.
#[derive(Default)]
struct Case<'e> {
    /// Attributes of the trace.
    case: Option<&'e RawValue>,
    case_types: HashMap<String, String>,
    types: HashMap<String, String>,
    /// The other members.
    rest: Members<'e>,
}

impl<'e> Case<'e> {
    fn of(event: &'e Event) -> Option<Case<'e>> {
        let members = members_of(event.metadata.as_ref()?.json_text()?).ok()?;
        let mut case = Case::default();
        for (key, value) in members {
            let types = || serde_json::from_str(value.get()).unwrap_or_default();
            match &*key {
                "case" if value.get().starts_with('{') => case.case = Some(value),
                "caseTypes" => case.case_types = types(),
                "types" => case.types = types(),
                _ => case.rest.push((key, value)),
            }
        }
        Some(case)
    }

    /// The attributes of the trace.
    fn xml(&self, event: &Event, notes: &mut Notes) -> Option<String> {
        let mut writer = Writer {
            xml: String::new(),
            types: &self.case_types,
            event,
            notes,
        };
        writer.members(members_of(self.case?.get()).ok()?, "", true);
        Some(writer.xml)
    }
}

/// Writes the attributes of an event; tells whether it comes from XES.
fn write_event(
    xml: &mut String,
    event: &Event,
    case: Option<&Case<'_>>,
    notes: &mut Notes,
) -> bool {
    let data = event.data.as_ref();
    let text = data.and_then(|data| data.json_text());
    let members = text.and_then(|text| members_of(text).ok());
    let has = |name: &str| members.iter().flatten().any(|(key, _)| key == name);
    let from_xes = has(NAME) || has(TIME);
    if !from_xes {
        element(xml, "string", NAME, event.event_type.as_str());
        let time = rfc3339(notes, event);
        element(xml, "date", TIME, &time);
        if let (Some(actor), false) = (&event.actor, has(RESOURCE)) {
            element(xml, "string", RESOURCE, actor.as_str());
        }
        if let (Some(id), false) = (&event.id, has(ID)) {
            element(xml, "id", ID, id.as_str());
        }
        if event.schema_version.is_some() {
            notes.left_out(event, "schema versions");
        }
    }
    let empty = HashMap::new();
    let mut writer = Writer {
        xml: String::new(),
        types: case.filter(|_| from_xes).map_or(&empty, |case| &case.types),
        event,
        notes,
    };
    match (members, data) {
        (Some(members), _) => writer.members(members, "", from_xes),
        (None, Some(data)) if is_json(data) => {
            if let Some(value) = text.and_then(|text| serde_json::from_str(text.trim_ascii()).ok())
            {
                writer.attribute("data", value, "data", false);
            }
        }
        (None, Some(_)) => writer.notes.left_out(event, "payloads that are not JSON"),
        (None, None) => {}
    }
    match case {
        // Of an event that no XES was, all metadata are its own.
        Some(_) if !from_xes => {
            if let Some(value) = event.metadata.as_ref().and_then(|m| m.json_text())
                && let Ok(value) = serde_json::from_str(value.trim_ascii())
            {
                writer.metadata(value);
            }
        }
        Some(case) if !case.rest.is_empty() => {
            let mut json = String::new();
            for (key, value) in &case.rest {
                let key = serde_json::Value::from(&**key);
                let _ = write!(
                    json,
                    "{}{key}:{}",
                    if json.is_empty() { "" } else { "," },
                    value.get()
                );
            }
            if let Ok(value) = RawValue::from_string(format!("{{{json}}}")) {
                writer.metadata(&value);
            }
        }
        Some(_) => {}
        None if event.metadata.is_some() => {
            writer
                .notes
                .left_out(event, "metadata that are no JSON object");
        }
        None => {}
    }
    xml.push_str(&writer.xml);
    from_xes
}

/// Writes JSON as attributes.
struct Writer<'w> {
    xml: String,
    /// Types that the JSON does not tell, by path.
    types: &'w HashMap<String, String>,
    event: &'w Event,
    notes: &'w mut Notes,
}

impl Writer<'_> {
    /// The metadata, as a container among the attributes.
    fn metadata(&mut self, value: &RawValue) {
        let how = "metadata stand in the container `metadata` among the attributes of events";
        self.notes.held_otherwise(self.event, how);
        self.attribute("metadata", value, "metadata", false);
    }

    fn members(&mut self, members: Members<'_>, under: &str, from_xes: bool) {
        for (key, value) in members {
            let path = match under {
                "" => key.to_string(),
                under => format!("{under}/{key}"),
            };
            self.attribute(&key, value, &path, from_xes);
        }
    }

    fn attribute(&mut self, key: &str, value: &RawValue, path: &str, from_xes: bool) {
        let text = value.get();
        let typed = self.types.get(path).map(String::as_str);
        let kind = match text.as_bytes().first() {
            Some(b'"') => match typed {
                Some(kind @ ("date" | "id" | "int" | "float" | "boolean")) => kind,
                _ if key == TIME && from_xes => "date",
                _ => "string",
            },
            Some(b't' | b'f') => "boolean",
            Some(b'n') => {
                self.notes.left_out(self.event, "`null`");
                return;
            }
            Some(b'[') => return self.list(key, value, &[], path, from_xes),
            Some(b'{') => return self.object(key, value, path, typed, from_xes),
            _ => match typed {
                Some("float") => "float",
                _ if text.contains(['.', 'e', 'E']) => "float",
                _ => "int",
            },
        };
        self.scalar(kind, key, value, &[], path, from_xes);
    }

    fn object(
        &mut self,
        key: &str,
        value: &RawValue,
        path: &str,
        typed: Option<&str>,
        from_xes: bool,
    ) {
        let Ok(members) = members_of(value.get()) else {
            return;
        };
        if let ([(first, inner), (second, children)], true) =
            (members.as_slice(), typed != Some("container"))
            && from_xes
            && first == "value"
            && second == "children"
            && let Ok(children) = members_of(children.get())
        {
            return match inner.get().as_bytes().first() {
                Some(b'[') => self.list(key, inner, &children, path, from_xes),
                Some(b'"') => {
                    let kind = match typed {
                        Some(kind) => kind.to_owned(),
                        None if key == TIME => "date".to_owned(),
                        None => "string".to_owned(),
                    };
                    self.scalar(&kind, key, inner, &children, path, from_xes);
                }
                Some(b't' | b'f') => self.scalar("boolean", key, inner, &children, path, from_xes),
                _ if typed == Some("float") || inner.get().contains(['.', 'e', 'E']) => {
                    self.scalar("float", key, inner, &children, path, from_xes);
                }
                _ => self.scalar("int", key, inner, &children, path, from_xes),
            };
        }
        self.open("container", key, None);
        self.members(members, path, from_xes);
        self.xml.push_str("</container>");
    }

    fn list(
        &mut self,
        key: &str,
        value: &RawValue,
        children: &[(std::borrow::Cow<'_, str>, &RawValue)],
        path: &str,
        from_xes: bool,
    ) {
        let items: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        self.open("list", key, None);
        self.xml.push_str("<values>");
        for item in items {
            match members_of(item.get()) {
                Ok(members) if members.len() == 1 => self.members(members, path, from_xes),
                _ => {
                    let how = "elements of lists have no name in JSON and the key `item` in XES";
                    self.notes.held_otherwise(self.event, how);
                    self.attribute(ITEM, item, &format!("{path}/{ITEM}"), from_xes);
                }
            }
        }
        self.xml.push_str("</values>");
        self.members(children.to_vec(), path, from_xes);
        self.xml.push_str("</list>");
    }

    fn scalar(
        &mut self,
        kind: &str,
        key: &str,
        value: &RawValue,
        children: &[(std::borrow::Cow<'_, str>, &RawValue)],
        path: &str,
        from_xes: bool,
    ) {
        let text = match value.get().starts_with('"') {
            true => match serde_json::from_str::<String>(value.get()) {
                Ok(text) => text,
                Err(_) => {
                    self.notes.left_out(self.event, "half surrogate pairs");
                    String::from_utf8_lossy(value.get().as_bytes()).into_owned()
                }
            },
            false => value.get().to_owned(),
        };
        if text.chars().chain(key.chars()).any(is_no_xml) {
            self.notes.left_out(
                self.event,
                "control characters (U+FFFD stands in their places)",
            );
        }
        self.open(kind, key, Some(&text));
        if children.is_empty() {
            self.xml.truncate(self.xml.len() - 1);
            self.xml.push_str("/>");
            return;
        }
        self.members(children.to_vec(), path, from_xes);
        let _ = write!(self.xml, "</{kind}>");
    }

    fn open(&mut self, kind: &str, key: &str, value: Option<&str>) {
        let _ = write!(self.xml, "<{kind} key=\"");
        escape(&mut self.xml, key);
        if let Some(value) = value {
            self.xml.push_str("\" value=\"");
            escape(&mut self.xml, value);
        }
        self.xml.push_str("\">");
    }
}

fn element(xml: &mut String, kind: &str, key: &str, value: &str) {
    let _ = write!(xml, "<{kind} key=\"{key}\" value=\"");
    escape(xml, value);
    xml.push_str("\"/>");
}

/// Whether XML 1.0 has no place for the character.
fn is_no_xml(c: char) -> bool {
    matches!(c, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}')
}

fn escape(xml: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // As they are they would be read as blanks.
            '\n' => xml.push_str("&#10;"),
            '\r' => xml.push_str("&#13;"),
            '\t' => xml.push_str("&#9;"),
            c if is_no_xml(c) => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
}
