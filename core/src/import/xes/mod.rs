//! XES (IEEE 1849): traces become streams, events events. `docs/formats/xes-mapping.md` draws the mapping.
//!
//! Left out: the declarations of extensions, globals and classifiers. A global is the value that an attribute
//! *may* be taken to have where it is absent; nothing is invented here.

mod attribute;
mod token;

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::BufRead;

use chrono_tz::Tz;

use super::detect::FileNames;
use super::mapping::{Draft, write_json_string};
use super::{ImportError, MAX_RECORD_BYTES};
use crate::time::SourceTime;
use attribute::{Attribute, object_of, types_of};
use token::{ATTRIBUTE_BYTES, Tag, Token, Tokens};

/// Category of the streams that traces become.
const CATEGORY: &str = "case";

/// Bytes that are kept of an event that is too long.
const SHOWN_BYTES: usize = 64 << 10;

/// What the file holds, in file order.
pub(super) enum Item<'a> {
    /// An event.
    Event(&'a Draft<'a>),
    /// An event that cannot be taken.
    Reject {
        reason: String,
        /// Its attributes as JSON.
        record: &'a str,
    },
    /// A trace without events.
    EmptyTrace(&'a str),
    /// A trace with the name of one before it.
    RepeatedTrace(&'a str),
    /// Something that belongs to no event.
    NotKept(String),
}

type Each<'e> = &'e mut dyn FnMut(u64, Item<'_>) -> Result<(), ImportError>;

/// Calls `each` with everything in the file, and its line.
///
/// # Errors
/// [`ImportError::Malformed`] where the XML is broken or cut off, is no XES, or declares entities.
pub(super) fn read(
    reader: &mut dyn BufRead,
    names: &FileNames,
    zone: Tz,
    each: Each<'_>,
) -> Result<(), ImportError> {
    let mut file = XesFile {
        tokens: Tokens::new(reader, names),
        names,
        zone,
        traces: 0,
        seen: HashSet::new(),
    };
    file.read_log(each)
}

struct XesFile<'r> {
    tokens: Tokens<'r>,
    names: &'r FileNames,
    zone: Tz,
    traces: u64,
    /// Names of the traces so far, to tell of repeated ones.
    seen: HashSet<String>,
}

/// An event of a trace whose name and attributes may still come.
struct Pending {
    line: u64,
    attributes: Vec<Attribute>,
    data: String,
    /// A key that stands twice among its attributes.
    repeated: Option<String>,
    /// Its attributes take more than a record may; `data` is their beginning.
    too_long: bool,
}

/// A trace as far as it was read.
struct Trace {
    line: u64,
    ordinal: u64,
    attributes: Vec<Attribute>,
    attribute_bytes: usize,
    pending: Vec<Pending>,
    pending_bytes: usize,
    events: u64,
    /// The first event went out, and the trace's attributes with it.
    begun: bool,
}

impl XesFile<'_> {
    fn read_log(&mut self, each: Each<'_>) -> Result<(), ImportError> {
        match self.tokens.next()? {
            Token::Open {
                tag: Tag::Log,
                empty: false,
                ..
            } => {}
            Token::Open {
                tag: Tag::Log,
                empty: true,
                ..
            } => return self.read_epilogue(),
            Token::Open { name, .. } => {
                return Err(self.malformed(format!(
                    "this is XML but not XES: its outermost element is <{name}>, not <log>"
                )));
            }
            Token::Close | Token::End => return Err(self.malformed("this is not an XML document")),
        }
        loop {
            match self.tokens.next()? {
                Token::Open {
                    tag: Tag::Trace,
                    empty,
                    ..
                } => self.read_trace(empty, each)?,
                Token::Open {
                    tag: Tag::Event,
                    empty,
                    ..
                } => self.read_lone_event(empty, each)?,
                Token::Open {
                    tag: Tag::Declaration,
                    empty,
                    ..
                } => self.tokens.skip(empty)?,
                Token::Open {
                    tag,
                    name,
                    key,
                    empty,
                    ..
                } => {
                    let line = self.tokens.line();
                    self.tokens.skip(empty)?;
                    let what = if tag.is_attribute() {
                        "attribute"
                    } else {
                        "element"
                    };
                    let named = key.unwrap_or(name);
                    each(
                        line,
                        Item::NotKept(format!("{what} {named:?} of the log as a whole")),
                    )?;
                }
                Token::Close => return self.read_epilogue(),
                Token::End => return Err(self.tokens.cut_off()),
            }
        }
    }

    fn read_epilogue(&mut self) -> Result<(), ImportError> {
        match self.tokens.next()? {
            Token::End => Ok(()),
            Token::Open { .. } | Token::Close => {
                Err(self.malformed("something follows the end of the log"))
            }
        }
    }

    fn read_trace(&mut self, empty: bool, each: Each<'_>) -> Result<(), ImportError> {
        self.traces += 1;
        let mut trace = Trace {
            line: self.tokens.line(),
            ordinal: self.traces,
            attributes: Vec::new(),
            attribute_bytes: 0,
            pending: Vec::new(),
            pending_bytes: 0,
            events: 0,
            begun: false,
        };
        if empty {
            return self.flush(&mut trace, each);
        }
        loop {
            match self.tokens.next()? {
                Token::Open {
                    tag: Tag::Event,
                    empty,
                    ..
                } => {
                    let pending = self.read_event(empty)?;
                    trace.pending_bytes += pending.data.len() * 3;
                    trace.pending.push(pending);
                    trace.events += 1;
                    if trace.pending_bytes > MAX_RECORD_BYTES {
                        self.flush_early(&mut trace, each)?;
                    }
                }
                Token::Open {
                    tag,
                    key,
                    value,
                    empty,
                    name,
                } if tag.is_attribute() => {
                    if trace.begun {
                        return Err(self.malformed(
                            "the trace's attributes stand behind more than 64 MiB of its events",
                        ));
                    }
                    self.tokens.begin_record();
                    let attribute = attribute::read(
                        &mut self.tokens,
                        Token::Open {
                            tag,
                            key,
                            value,
                            empty,
                            name,
                        },
                        0,
                    )?;
                    trace.attribute_bytes +=
                        attribute.json.len() + attribute.key.len() + ATTRIBUTE_BYTES;
                    if self.tokens.is_too_long() || trace.attribute_bytes > MAX_RECORD_BYTES {
                        return Err(
                            self.malformed("the attributes of a trace are longer than 64 MiB")
                        );
                    }
                    trace.attributes.push(attribute);
                }
                Token::Open { name, empty, .. } => {
                    let line = self.tokens.line();
                    self.tokens.skip(empty)?;
                    each(line, Item::NotKept(format!("element {name:?} of a trace")))?;
                }
                Token::Close => break,
                Token::End => return Err(self.tokens.cut_off()),
            }
        }
        self.flush(&mut trace, each)
    }

    /// A trace too long to wait for its end: its attributes are taken to be complete.
    fn flush_early(&self, trace: &mut Trace, each: Each<'_>) -> Result<(), ImportError> {
        if name_of(&trace.attributes).is_none() {
            return Err(self.malformed("a trace has no name before more than 64 MiB of its events"));
        }
        trace.pending_bytes = 0;
        self.emit(trace, each)
    }

    fn flush(&mut self, trace: &mut Trace, each: Each<'_>) -> Result<(), ImportError> {
        let name = trace_name(trace);
        if trace.events == 0 {
            return each(trace.line, Item::EmptyTrace(&name));
        }
        self.emit(trace, each)?;
        let name = trace_name(trace);
        if !self.seen.insert(name.clone().into_owned()) {
            each(trace.line, Item::RepeatedTrace(&name))?;
        }
        Ok(())
    }

    /// Hands the pending events on, the trace's attributes with its first one.
    fn emit(&self, trace: &mut Trace, each: Each<'_>) -> Result<(), ImportError> {
        let name = trace_name(trace).into_owned();
        for event in std::mem::take(&mut trace.pending) {
            let first = !trace.begun && !trace.attributes.is_empty();
            let case = first.then_some(trace.attributes.as_slice());
            self.emit_event(&name, CATEGORY, &event, case, each)?;
            trace.begun = true;
        }
        Ok(())
    }

    fn emit_event(
        &self,
        stream: &str,
        category: &str,
        event: &Pending,
        case: Option<&[Attribute]>,
        each: Each<'_>,
    ) -> Result<(), ImportError> {
        if event.too_long {
            return each(
                event.line,
                Item::Reject {
                    reason: "the event's attributes are longer than 64 MiB".to_owned(),
                    record: &event.data,
                },
            );
        }
        // Of a key that stands twice the last counts, as in the JSON.
        let text = |key: &str| {
            let found = event.attributes.iter().rfind(|a| a.key == key)?;
            found.text.as_deref().filter(|t| !t.is_empty())
        };
        let time = match text("time:timestamp").map(|t| SourceTime::parse(t, self.zone)) {
            None => None,
            Some(Ok(time)) => Some(time),
            Some(Err(error)) => {
                let reason = format!("time:timestamp: {error}");
                return each(
                    event.line,
                    Item::Reject {
                        reason,
                        record: &event.data,
                    },
                );
            }
        };
        let draft = Draft {
            stream: Cow::Borrowed(stream),
            category: (!category.is_empty()).then_some(Cow::Borrowed(category)),
            event_type: text(attribute::NAME).map(Cow::Borrowed),
            time,
            id: text("identity:id").map(Cow::Borrowed),
            data: Cow::Borrowed(&event.data),
            metadata: metadata_of(&event.attributes, case).map(Cow::Owned),
            repeated_key: event
                .repeated
                .clone()
                .or_else(|| attribute::repeated_in(case?)),
            ..Draft::default()
        };
        each(event.line, Item::Event(&draft))
    }

    /// An event outside of traces, which the standard allows: its stream is the file's.
    fn read_lone_event(&mut self, empty: bool, each: Each<'_>) -> Result<(), ImportError> {
        let event = self.read_event(empty)?;
        let stem = self.names.stem.clone();
        self.emit_event(&stem, "", &event, None, each)
    }

    fn read_event(&mut self, empty: bool) -> Result<Pending, ImportError> {
        let line = self.tokens.line();
        self.tokens.begin_record();
        let mut attributes = if empty {
            Vec::new()
        } else {
            attribute::read_all(&mut self.tokens, 0)?
        };
        let too_long = self.tokens.is_too_long();
        if too_long {
            let mut shown = 0;
            let mut fits = |attribute: &Attribute| {
                shown += attribute.json.len() + attribute.key.len();
                shown < SHOWN_BYTES
            };
            let first = attributes
                .iter()
                .map_while(|a| fits(a).then_some(()))
                .count();
            attributes.truncate(first);
        }
        let data = object_of(&attributes);
        Ok(Pending {
            line,
            repeated: attribute::repeated_in(&attributes),
            attributes,
            data,
            too_long,
        })
    }

    fn malformed(&self, message: impl Into<String>) -> ImportError {
        self.names.malformed(self.tokens.line(), message)
    }
}

fn name_of(attributes: &[Attribute]) -> Option<&str> {
    let name = attributes.iter().rfind(|a| a.key == attribute::NAME)?;
    name.text.as_deref().filter(|t| !t.is_empty())
}

/// A trace without a name is named by its place among the traces of the file.
fn trace_name(trace: &Trace) -> Cow<'_, str> {
    match name_of(&trace.attributes) {
        Some(name) => Cow::Borrowed(name),
        None => Cow::Owned(format!("trace-{}", trace.ordinal)),
    }
}

/// `{"case": …, "caseTypes": …, "types": …}`, each where there is something to say.
fn metadata_of(event: &[Attribute], case: Option<&[Attribute]>) -> Option<String> {
    let mut members = Vec::new();
    if let Some(case) = case {
        members.push(("case", object_of(case)));
        members.extend(types_of(case).map(|types| ("caseTypes", types)));
    }
    members.extend(types_of(event).map(|types| ("types", types)));
    if members.is_empty() {
        return None;
    }
    let mut json = String::from("{");
    for (i, (key, value)) in members.iter().enumerate() {
        json.push_str(if i == 0 { "" } else { "," });
        write_json_string(&mut json, key);
        json.push(':');
        json.push_str(value);
    }
    json.push('}');
    Some(json)
}

#[cfg(test)]
mod tests;
