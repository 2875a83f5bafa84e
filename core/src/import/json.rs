//! JSON documents: an array of records, one record, or several one after the other. The file is never held
//! whole: this cuts it into elements, each of which is then parsed by itself.

use std::io::BufRead;

use super::detect::FileNames;
use super::lines::RawRecord;
use super::{ImportError, MAX_DEPTH, MAX_RECORD_BYTES};

/// Calls `each` with every record and the line where it begins.
///
/// # Errors
/// [`ImportError::Malformed`] where brackets do not match or the document is cut off.
pub(super) fn read(
    reader: &mut dyn BufRead,
    names: &FileNames,
    each: &mut dyn FnMut(u64, RawRecord<'_>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut cutter = Cutter::new(names);
    loop {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(names.unreadable(cutter.line, e)),
        };
        if chunk.is_empty() {
            return cutter.end(each);
        }
        let len = chunk.len();
        cutter.take(chunk, each)?;
        reader.consume(len);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Outside of any document.
    Between,
    /// In the array, where a record or the end may come.
    BeforeElement,
    /// After a record of the array: a comma or the end must come.
    AfterElement,
    /// Inside a record.
    Record,
    /// Inside a string of a record.
    Text,
    /// After a backslash in a string of a record.
    Escape,
}

/// Cuts documents into records, chunk by chunk.
pub(super) struct Cutter<'n> {
    names: &'n FileNames,
    line: u64,
    state: State,
    inside_array: bool,
    record: Vec<u8>,
    record_line: u64,
    too_long: bool,
    /// Brackets open inside the record, the outermost first, as deep as a record may be.
    open: Vec<u8>,
    /// Brackets open inside those: they are counted, not kept, so that depth costs no memory.
    deeper: u64,
    /// It ends with the array.
    stops: bool,
}

type Each<'e> = &'e mut dyn FnMut(u64, RawRecord<'_>) -> Result<(), ImportError>;

impl<'n> Cutter<'n> {
    fn new(names: &'n FileNames) -> Cutter<'n> {
        Cutter {
            names,
            line: 1,
            state: State::Between,
            inside_array: false,
            record: Vec::new(),
            record_line: 1,
            too_long: false,
            open: Vec::new(),
            deeper: 0,
            stops: false,
        }
    }

    /// Begins behind the bracket of an array, on this line, and ends with it.
    pub(super) fn in_list(names: &'n FileNames, line: u64) -> Cutter<'n> {
        Cutter {
            line,
            record_line: line,
            state: State::BeforeElement,
            inside_array: true,
            stops: true,
            ..Cutter::new(names)
        }
    }

    /// Line reached, first is 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Whether the array that it began in has ended.
    pub(super) fn is_behind(&self) -> bool {
        self.stops && self.state == State::Between
    }

    /// Takes the next bytes; returns how many of them, fewer than all only behind the array.
    pub(super) fn take(&mut self, chunk: &[u8], each: Each<'_>) -> Result<usize, ImportError> {
        // Bytes of the record in this chunk begin here; they are copied in one go.
        let mut from = 0;
        for (at, byte) in chunk.iter().copied().enumerate() {
            match self.state {
                State::Text => match byte {
                    b'"' => self.state = State::Record,
                    b'\\' => self.state = State::Escape,
                    b'\n' => self.line += 1,
                    _ => {}
                },
                State::Escape => {
                    self.state = State::Text;
                    self.line += u64::from(byte == b'\n');
                }
                State::Record => match byte {
                    b'"' => self.state = State::Text,
                    b'{' | b'[' => self.open(byte),
                    b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
                    b'}' | b']' if !self.open.is_empty() => {
                        let opened = self.open.pop();
                        if opened != Some(if byte == b'}' { b'{' } else { b'[' }) {
                            return Err(self.mismatch(byte));
                        }
                        if self.open.is_empty() {
                            self.keep(&chunk[from..=at]);
                            self.finish(each)?;
                        }
                    }
                    b',' | b']' if self.open.is_empty() && self.inside_array => {
                        self.keep(&chunk[from..at]);
                        self.finish(each)?;
                        self.after_element(byte);
                    }
                    b'}' => return Err(self.mismatch(byte)),
                    b'\n' => {
                        self.line += 1;
                        if self.open.is_empty() && !self.inside_array {
                            self.keep(&chunk[from..at]);
                            self.finish(each)?;
                        }
                    }
                    _ => {}
                },
                State::Between | State::BeforeElement | State::AfterElement => {
                    if byte == b'\n' {
                        self.line += 1;
                    }
                    if byte.is_ascii_whitespace() {
                        continue;
                    }
                    if self.between(byte, each)? {
                        from = at;
                    }
                }
            }
            if self.is_behind() {
                return Ok(at + 1);
            }
        }
        if matches!(self.state, State::Record | State::Text | State::Escape) {
            self.keep(&chunk[from..]);
        }
        Ok(chunk.len())
    }

    /// Takes a byte outside of records; returns whether a record begins with it.
    fn between(&mut self, byte: u8, each: Each<'_>) -> Result<bool, ImportError> {
        match (self.state, byte) {
            (State::Between, b'[') => {
                self.state = State::BeforeElement;
                self.inside_array = true;
                return Ok(false);
            }
            (State::AfterElement, b',' | b']') => {
                self.after_element(byte);
                return Ok(false);
            }
            (State::AfterElement, _) => {
                return Err(self.names.malformed(
                    self.line,
                    format!(
                        "a comma or ] must follow a record, not {:?}",
                        char::from(byte)
                    ),
                ));
            }
            (State::BeforeElement, b']') => {
                self.state = State::Between;
                self.inside_array = false;
                return Ok(false);
            }
            (State::BeforeElement, b',') => {
                // Nothing between two commas: a record that is empty.
                self.record_line = self.line;
                self.finish(each)?;
                self.after_element(byte);
                return Ok(false);
            }
            _ => {}
        }
        self.record_line = self.line;
        self.state = match byte {
            b'"' => State::Text,
            b'{' | b'[' => {
                self.open(byte);
                State::Record
            }
            b'}' | b']' => return Err(self.mismatch(byte)),
            _ => State::Record,
        };
        Ok(true)
    }

    /// Past the limit a record is rejected in any case, so that which bracket closes which does not matter.
    fn open(&mut self, bracket: u8) {
        if self.open.len() > MAX_DEPTH {
            self.deeper += 1;
        } else {
            self.open.push(bracket);
        }
    }

    fn after_element(&mut self, byte: u8) {
        if byte == b',' {
            self.state = State::BeforeElement;
        } else {
            self.state = State::Between;
            self.inside_array = false;
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = (MAX_RECORD_BYTES + 1).saturating_sub(self.record.len());
        self.too_long |= bytes.len() >= room;
        self.record
            .extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn finish(&mut self, each: Each<'_>) -> Result<(), ImportError> {
        let record = self.record.trim_ascii();
        if self.too_long {
            each(self.record_line, RawRecord::TooLong(record))?;
            self.record = Vec::new();
        } else {
            each(self.record_line, RawRecord::Whole(record))?;
            self.record.clear();
        }
        self.too_long = false;
        self.state = if self.inside_array {
            State::AfterElement
        } else {
            State::Between
        };
        Ok(())
    }

    fn mismatch(&self, byte: u8) -> ImportError {
        self.names.malformed(
            self.line,
            format!(
                "{:?} closes nothing here; the JSON document is broken (a file with one record a line is read with the format jsonl)",
                char::from(byte)
            ),
        )
    }

    /// Ends with the file.
    pub(super) fn end(mut self, each: Each<'_>) -> Result<(), ImportError> {
        if self.state == State::Between {
            return Ok(());
        }
        if self.state == State::Record && self.open.is_empty() && !self.inside_array {
            return self.finish(each);
        }
        Err(self.names.malformed(
            self.line,
            format!(
                "the JSON document is cut off: it ends inside the record or array that began by line {}; get the whole file",
                self.record_line
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tests::names;

    fn cut(text: &str, chunk: usize) -> Result<Vec<(u64, String)>, String> {
        let mut got = Vec::new();
        let mut reader = std::io::BufReader::with_capacity(chunk, text.as_bytes());
        read(&mut reader, &names(), &mut |line, record| {
            let (RawRecord::Whole(bytes)
            | RawRecord::TooLong(bytes)
            | RawRecord::Unfinished(bytes)) = record;
            got.push((line, String::from_utf8(bytes.to_vec()).unwrap()));
            Ok(())
        })
        .map_err(|e| e.to_string())?;
        Ok(got)
    }

    #[test]
    fn elements_come_with_their_lines_however_the_file_is_cut() {
        let text = "[\n {\"a\": \"],}\\\"\",\n  \"b\": [1, {}]},\n 7 , \"x\"\n, null]\n";
        for chunk in [1, 2, 3, 7, 1000] {
            assert_eq!(
                cut(text, chunk).unwrap(),
                vec![
                    (2, "{\"a\": \"],}\\\"\",\n  \"b\": [1, {}]}".to_owned()),
                    (4, "7".to_owned()),
                    (4, "\"x\"".to_owned()),
                    (5, "null".to_owned()),
                ],
                "chunks of {chunk}"
            );
        }
        assert_eq!(cut("[]", 9), Ok(vec![]));
        assert_eq!(cut("  ", 9), Ok(vec![]));
        assert_eq!(cut("{\n}", 9), Ok(vec![(1, "{\n}".to_owned())]));
        assert_eq!(
            cut("{}\n{}\n[{}]", 9).unwrap().len(),
            3,
            "documents one after the other"
        );
    }

    /// Every bracket of `[[[[…` was remembered: memory grew with the depth of the file.
    #[test]
    fn depth_costs_no_memory() {
        let names = names();
        let mut cutter = Cutter::new(&names);
        let mut records = 0;
        let mut each = |_, _: RawRecord<'_>| {
            records += 1;
            Ok(())
        };
        let chunk = [b'['; 1 << 16];
        for _ in 0..100 {
            cutter.take(&chunk, &mut each).unwrap();
        }
        assert!(
            cutter.open.capacity() <= 4 * MAX_DEPTH,
            "{}",
            cutter.open.capacity()
        );
        for _ in 0..100 {
            cutter.take(&[b']'; 1 << 16], &mut each).unwrap();
        }
        assert!(cutter.end(&mut each).is_ok());
        assert_eq!(records, 1);
        assert_eq!(
            cut(
                &format!("[{}{},{{}}]", "[".repeat(10_000), "]".repeat(10_000)),
                999
            )
            .unwrap()
            .len(),
            2
        );
    }

    #[test]
    fn a_document_that_is_cut_off_or_broken_is_refused_with_its_line() {
        for (text, line) in [
            ("[\n{\"a\":1},\n", 3),
            ("[{\"a\":1}\n,{\"b\":", 2),
            ("{\n\"a\"", 2),
            ("[{\"a\":\n]}]", 2),
            ("[1]\n}", 2),
            ("[{} {}]", 1),
        ] {
            let error = cut(text, 5).unwrap_err();
            assert!(error.contains(&format!(":{line}:")), "{text:?}: {error}");
        }
    }
}
