//! The parts of a workbook, element by element.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read};

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::broken;
use crate::import::xml::{attributes, character};

/// Longest element or text that is taken, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Deepest nesting of elements that are passed over.
const MAX_DEPTH: u32 = 1_000;

/// One step through a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// An element begins; its name has no prefix.
    Open {
        name: String,
        attributes: Attributes,
    },
    Text(String),
    Close(String),
}

/// Attributes by their names, without prefixes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// The value of one; empty where it is not there.
    pub(super) fn of(&self, name: &str) -> String {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or(String::new(), |(_, value)| value.clone())
    }
}

/// Reads a part.
pub(super) struct Parts<R: Read> {
    reader: Reader<Limited<BufReader<R>>>,
    buffer: Vec<u8>,
    /// Name of an element that is empty: its end is still to come.
    closes: Option<String>,
}

impl<R: Read> Parts<R> {
    pub(super) fn new(reader: BufReader<R>) -> Parts<R> {
        Parts {
            reader: Reader::from_reader(Limited {
                inner: reader,
                taken: 0,
            }),
            buffer: Vec::new(),
            closes: None,
        }
    }

    /// The next step; `None` at the end.
    ///
    /// # Errors
    /// The part is no XML, or defines entities.
    pub(super) fn next(&mut self) -> std::io::Result<Option<Element>> {
        if let Some(name) = self.closes.take() {
            return Ok(Some(Element::Close(name)));
        }
        loop {
            self.buffer.clear();
            self.reader.get_mut().taken = 0;
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(quick_xml::Error::Io(error)) => {
                    return Err(Error::new(error.kind(), error.to_string()));
                }
                Err(error) => return Err(broken(error)),
            };
            return Ok(Some(match event {
                Event::Start(start) => opened(&start)?,
                Event::Empty(start) => {
                    let element = opened(&start)?;
                    if let Element::Open { name, .. } = &element {
                        self.closes = Some(name.clone());
                    }
                    element
                }
                Event::End(end) => Element::Close(end.local_name().as_ref().to_owned()),
                Event::Text(text) => Element::Text((*text).to_owned()),
                Event::CData(text) => Element::Text((*text).to_owned()),
                Event::GeneralRef(name) => {
                    let found = character(&name);
                    let found = found.ok_or_else(|| broken(format!("entity &{};", &*name)))?;
                    Element::Text(found.to_string())
                }
                Event::DocType(_) => return Err(broken("a DOCTYPE stands in it")),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
                Event::Eof => return Ok(None),
            }));
        }
    }

    /// Passes over the rest of the element that was opened last.
    ///
    /// # Errors
    /// As [`Parts::next`].
    pub(super) fn skip(&mut self) -> std::io::Result<()> {
        let mut open = 1_u32;
        while open > 0 {
            match self.next()? {
                Some(Element::Open { .. }) if open >= MAX_DEPTH => {
                    return Err(broken("elements are nested too deep"));
                }
                Some(Element::Open { .. }) => open += 1,
                Some(Element::Close(_)) => open -= 1,
                Some(Element::Text(_)) => {}
                None => return Err(broken("it is cut off")),
            }
        }
        Ok(())
    }
}

fn opened(start: &BytesStart<'_>) -> std::io::Result<Element> {
    Ok(Element::Open {
        name: start.local_name().as_ref().to_owned(),
        attributes: Attributes(attributes(start).map_err(broken)?),
    })
}

/// Refuses a tag or text without end.
struct Limited<R> {
    inner: R,
    taken: usize,
}

impl<R: BufRead> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let chunk = self.fill_buf()?;
        let len = chunk.len().min(buffer.len());
        buffer[..len].copy_from_slice(&chunk[..len]);
        self.consume(len);
        Ok(len)
    }
}

impl<R: BufRead> BufRead for Limited<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.taken > MAX_BYTES {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "a text of the workbook is longer than 64 MiB",
            ));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        self.taken += len;
        self.inner.consume(len);
    }
}
