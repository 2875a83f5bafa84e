//! JSON objects around long lists of records (`{"Records": [ … ]}`), read element by element: neither the object nor
//! the list is ever held whole.

use std::io::BufRead;

use super::detect::FileNames;
use super::json::Cutter;
use super::lines::RawRecord;
use super::{ImportError, MAX_RECORD_BYTES};

/// What stands in such a file.
pub(super) enum Item<'a> {
    /// An element of the list.
    Element(RawRecord<'a>),
    /// An object that holds no such list: a record itself.
    Record(RawRecord<'a>),
    /// The object without the elements of its lists.
    Around(&'a str),
}

type Each<'e> = &'e mut dyn FnMut(u64, Item<'_>) -> Result<(), ImportError>;

/// Calls `each` with every element of the lists called `keys` at the top of an object, and its line.
///
/// # Errors
/// [`ImportError::Malformed`] where brackets do not match or the file is cut off.
pub(super) fn read(
    reader: &mut dyn BufRead,
    names: &FileNames,
    keys: &[&str],
    each: Each<'_>,
) -> Result<(), ImportError> {
    let mut bytes = Bytes {
        reader,
        names,
        line: 1,
    };
    while let Some(byte) = bytes.peek()? {
        match byte {
            b'{' => object(&mut bytes, keys, each)?,
            byte if byte.is_ascii_whitespace() => bytes.step(byte),
            _ => other(&mut bytes, each)?,
        }
    }
    Ok(())
}

struct Bytes<'r> {
    reader: &'r mut dyn BufRead,
    names: &'r FileNames,
    line: u64,
}

impl Bytes<'_> {
    fn peek(&mut self) -> Result<Option<u8>, ImportError> {
        loop {
            match self.reader.fill_buf() {
                Ok(chunk) => return Ok(chunk.first().copied()),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(self.names.unreadable(self.line, e)),
            }
        }
    }

    /// Goes behind the byte that was seen.
    fn step(&mut self, byte: u8) {
        self.line += u64::from(byte == b'\n');
        self.reader.consume(1);
    }

    fn cut_off(&self, began: u64) -> ImportError {
        self.names.malformed(
            self.line,
            format!(
                "the JSON document is cut off: it ends inside the object that began on line {began}; get the whole file"
            ),
        )
    }
}

/// Text that is kept up to the longest that a record may be.
#[derive(Default)]
struct Kept {
    text: Vec<u8>,
    too_long: bool,
}

impl Kept {
    fn push(&mut self, byte: u8) {
        if self.text.len() > MAX_RECORD_BYTES {
            self.too_long = true;
        } else {
            self.text.push(byte);
        }
    }

    fn record(&self) -> RawRecord<'_> {
        match self.too_long {
            true => RawRecord::TooLong(&self.text),
            false => RawRecord::Whole(&self.text),
        }
    }
}

/// A value that is no object, to the end of its line.
fn other(bytes: &mut Bytes<'_>, each: Each<'_>) -> Result<(), ImportError> {
    let line = bytes.line;
    let mut kept = Kept::default();
    while let Some(byte) = bytes.peek()?.filter(|byte| *byte != b'\n') {
        kept.push(byte);
        bytes.step(byte);
    }
    each(line, Item::Record(kept.record()))
}

fn object(bytes: &mut Bytes<'_>, keys: &[&str], each: Each<'_>) -> Result<(), ImportError> {
    let began = bytes.line;
    let mut kept = Kept::default();
    let mut open: u32 = 0;
    // The member's name at the top, where its text begins, and whether its value comes next.
    let (mut key, mut text_at, mut is_value) = (String::new(), 0, false);
    let (mut in_text, mut escaped, mut has_list) = (false, false, false);
    loop {
        let byte = bytes.peek()?.ok_or_else(|| bytes.cut_off(began))?;
        let is_top = open == 1;
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    in_text = false;
                    if is_top && !is_value {
                        let name = kept.text.get(text_at..).unwrap_or_default();
                        key = String::from_utf8_lossy(name).into_owned();
                    }
                }
                _ => {}
            }
        } else {
            match byte {
                b'"' => {
                    in_text = true;
                    text_at = kept.text.len() + 1;
                }
                b':' if is_top => is_value = true,
                b',' if is_top => is_value = false,
                b'[' if is_top && is_value && keys.contains(&key.as_str()) => {
                    has_list = true;
                    kept.push(byte);
                    bytes.step(byte);
                    list(bytes, each)?;
                    kept.push(b']');
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open = open.saturating_sub(1),
                _ => {}
            }
        }
        kept.push(byte);
        bytes.step(byte);
        if open == 0 {
            break;
        }
    }
    match (has_list, std::str::from_utf8(&kept.text)) {
        (true, Ok(text)) => each(began, Item::Around(text)),
        _ => each(began, Item::Record(kept.record())),
    }
}

/// The elements of a list that was opened, to its end.
fn list(bytes: &mut Bytes<'_>, each: Each<'_>) -> Result<(), ImportError> {
    let mut cutter = Cutter::in_list(bytes.names, bytes.line);
    loop {
        let chunk = match bytes.reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(bytes.names.unreadable(cutter.line(), e)),
        };
        let mut element = |line, raw: RawRecord<'_>| each(line, Item::Element(raw));
        if chunk.is_empty() {
            return cutter.end(&mut element);
        }
        let taken = cutter.take(chunk, &mut element)?;
        bytes.reader.consume(taken);
        if cutter.is_behind() {
            bytes.line = cutter.line();
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tests::names;

    fn items(text: &str, chunk: usize) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        let mut reader = std::io::BufReader::with_capacity(chunk, text.as_bytes());
        read(
            &mut reader,
            &names(),
            &["Records", "items"],
            &mut |line, item| {
                let text = |raw: RawRecord<'_>| match raw {
                    RawRecord::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    RawRecord::TooLong(_) | RawRecord::Unfinished(_) => "too long".to_owned(),
                };
                found.push(match item {
                    Item::Element(raw) => format!("{line} - {}", text(raw)),
                    Item::Record(raw) => format!("{line} {}", text(raw)),
                    Item::Around(text) => format!("{line} around {text}"),
                });
                Ok(())
            },
        )
        .map_err(|e| e.to_string())?;
        Ok(found)
    }

    #[test]
    fn elements_come_however_the_file_is_cut() {
        let text = "{\"a\": {\"Records\": [1]}, \"n\":\"[\\\"]\",\n\"Records\" : [ {\"x\":1},\n {\"y\":[\"]\"]} ], \"b\":[2]}\n{\"items\":[]}\n{\"z\":{\"items\":[3]}} 7\n";
        let want = [
            "2 - {\"x\":1}",
            "3 - {\"y\":[\"]\"]}",
            "1 around {\"a\": {\"Records\": [1]}, \"n\":\"[\\\"]\",\n\"Records\" : [], \"b\":[2]}",
            "4 around {\"items\":[]}",
            "5 {\"z\":{\"items\":[3]}}",
            "5 7",
        ];
        for chunk in [1, 2, 3, 7, 1000] {
            assert_eq!(items(text, chunk).unwrap(), want, "chunks of {chunk}");
        }
        for cut in [
            "{\"Records\":[{\"x\":1}",
            "{\"Records\":[{\"x\":1}]",
            "{\"Records",
        ] {
            let error = items(cut, 9).unwrap_err();
            assert!(error.contains("cut off"), "{cut}: {error}");
        }
    }
}
