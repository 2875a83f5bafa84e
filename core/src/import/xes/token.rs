//! The XML of an XES file as the few kinds of token that matter.

use std::io::{BufRead, Read};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::import::detect::FileNames;
use crate::import::xml::crowded;
use crate::import::{ImportError, MAX_RECORD_BYTES};

/// Elements of XES, whatever their namespace prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Log,
    Trace,
    Event,
    /// Extension, global or classifier.
    Declaration,
    String,
    Date,
    Int,
    Float,
    Boolean,
    Id,
    List,
    Container,
    Values,
    Other,
}

impl Tag {
    fn of(name: &str) -> Tag {
        match name {
            "log" => Tag::Log,
            "trace" => Tag::Trace,
            "event" => Tag::Event,
            "extension" | "global" | "classifier" => Tag::Declaration,
            "string" => Tag::String,
            "date" => Tag::Date,
            "int" => Tag::Int,
            "float" => Tag::Float,
            "boolean" => Tag::Boolean,
            "id" => Tag::Id,
            "list" => Tag::List,
            "container" => Tag::Container,
            "values" => Tag::Values,
            _ => Tag::Other,
        }
    }

    /// Whether it is one of the attribute elements.
    pub(super) fn is_attribute(self) -> bool {
        match self {
            Tag::String
            | Tag::Date
            | Tag::Int
            | Tag::Float
            | Tag::Boolean
            | Tag::Id
            | Tag::List
            | Tag::Container => true,
            Tag::Log | Tag::Trace | Tag::Event | Tag::Declaration | Tag::Values | Tag::Other => {
                false
            }
        }
    }
}

/// One step through the file.
#[derive(Debug)]
pub(super) enum Token {
    /// An element begins; where `empty`, it has ended too and no [`Token::Close`] comes for it.
    Open {
        tag: Tag,
        name: String,
        key: Option<String>,
        value: Option<String>,
        empty: bool,
    },
    /// The innermost open element ends.
    Close,
    /// The file ends.
    End,
}

/// Reads tokens.
pub(super) struct Tokens<'r> {
    reader: Reader<LineCounter<'r>>,
    names: &'r FileNames,
    buffer: Vec<u8>,
    /// Bytes that the attributes of the event or trace at hand take so far, roughly.
    spent: usize,
}

/// Bytes that an attribute takes beside its key and value, roughly.
pub(super) const ATTRIBUTE_BYTES: usize = 128;

/// Deepest nesting of elements that are passed over.
const MAX_SKIPPED_DEPTH: u64 = 1_000;

impl<'r> Tokens<'r> {
    pub(super) fn new(reader: &'r mut dyn BufRead, names: &'r FileNames) -> Tokens<'r> {
        Tokens {
            reader: Reader::from_reader(LineCounter {
                inner: reader,
                line: 1,
                since_token: 0,
            }),
            names,
            buffer: Vec::new(),
            spent: 0,
        }
    }

    /// Begins to count what an event takes.
    pub(super) fn begin_record(&mut self) {
        self.spent = 0;
    }

    /// Counts an attribute; says whether it still fits with those before it.
    pub(super) fn spend(&mut self, len: usize) -> bool {
        self.spent = self.spent.saturating_add(len + ATTRIBUTE_BYTES);
        !self.is_too_long()
    }

    /// Whether the attributes so far take more than a record may.
    pub(super) fn is_too_long(&self) -> bool {
        self.spent > MAX_RECORD_BYTES
    }

    /// Line reached, first is 1.
    pub(super) fn line(&self) -> u64 {
        self.reader.get_ref().line
    }

    pub(super) fn malformed(&self, message: impl Into<String>) -> ImportError {
        self.names.malformed(self.line(), message)
    }

    pub(super) fn cut_off(&self) -> ImportError {
        self.malformed("the XML is cut off: elements are still open at its end; get the whole file")
    }

    pub(super) fn next(&mut self) -> Result<Token, ImportError> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().since_token = 0;
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(broken(self.names, self.reader.get_ref().line, error)),
            };
            if let Event::Start(start) | Event::Empty(start) = &event
                && let Some(message) = crowded(start)
            {
                return Err(self.malformed(message));
            }
            let opened = match event {
                Event::Start(start) => open(&start, false),
                Event::Empty(start) => open(&start, true),
                Event::End(_) => return Ok(Token::Close),
                Event::Eof => return Ok(Token::End),
                Event::DocType(_) => {
                    return Err(self.malformed(
                        "a DOCTYPE may define entities, which Annals does not expand; remove it",
                    ));
                }
                // XES holds nothing in text; whitespace, comments and instructions say nothing.
                Event::Text(_)
                | Event::CData(_)
                | Event::Comment(_)
                | Event::Decl(_)
                | Event::PI(_)
                | Event::GeneralRef(_) => continue,
            };
            return opened.map_err(|e| broken(self.names, self.reader.get_ref().line, e));
        }
    }

    /// Passes over the rest of an element that was opened.
    pub(super) fn skip(&mut self, empty: bool) -> Result<(), ImportError> {
        let mut open = u64::from(!empty);
        while open > 0 {
            match self.next()? {
                Token::Open { empty, .. } => {
                    open += u64::from(!empty);
                    if open > MAX_SKIPPED_DEPTH {
                        return Err(self.malformed("elements are nested too deep"));
                    }
                }
                Token::Close => open -= 1,
                Token::End => return Err(self.cut_off()),
            }
        }
        Ok(())
    }
}

fn open(start: &BytesStart<'_>, empty: bool) -> Result<Token, quick_xml::Error> {
    let name = start.local_name();
    let (mut key, mut value) = (None, None);
    for attribute in start.attributes() {
        let attribute = attribute?;
        let place = match attribute.key.as_ref() {
            "key" => &mut key,
            "value" => &mut value,
            _ => continue,
        };
        *place = Some(
            attribute
                .normalized_value(XmlVersion::Implicit1_0)?
                .into_owned(),
        );
    }
    Ok(Token::Open {
        tag: Tag::of(name.as_ref()),
        name: name.as_ref().to_owned(),
        key,
        value,
        empty,
    })
}

fn broken(names: &FileNames, line: u64, error: quick_xml::Error) -> ImportError {
    match error {
        quick_xml::Error::Io(source) => {
            let source = std::io::Error::new(source.kind(), source.to_string());
            names.unreadable(line, source)
        }
        error => names.malformed(line, format!("the XML is broken: {error}")),
    }
}

/// Counts lines, and refuses a token that is longer than any record may be.
struct LineCounter<'r> {
    inner: &'r mut dyn BufRead,
    line: u64,
    since_token: usize,
}

impl Read for LineCounter<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let chunk = self.fill_buf()?;
        let len = chunk.len().min(buffer.len());
        buffer[..len].copy_from_slice(&chunk[..len]);
        self.consume(len);
        Ok(len)
    }
}

impl BufRead for LineCounter<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.since_token > MAX_RECORD_BYTES {
            return Err(std::io::Error::other(
                "an XML tag or text is longer than 64 MiB",
            ));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, len: usize) {
        if let Ok(chunk) = self.inner.fill_buf() {
            let consumed = &chunk[..len.min(chunk.len())];
            self.line += consumed.iter().filter(|b| **b == b'\n').count() as u64;
        }
        self.since_token += len;
        self.inner.consume(len);
    }
}
