//! Opens a file, unpacks it where it is packed, and tells its format from its first bytes.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::atomic::Ordering;

use super::{Format, ImportError, Progress};

/// Bytes that the format is told from.
const HEAD_BYTES: usize = 64 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;
const UTF8_BOM: &[u8] = b"\xEF\xBB\xBF";

/// A file's names, and what is needed to say where in it something is wrong.
#[derive(Debug, Clone)]
pub(super) struct FileNames {
    /// As the user named it.
    pub file: String,
    /// Name without folders: the source of its events, so that moving the file does not double them.
    pub source: String,
    /// Name without folders and endings: the stream of records that name none.
    pub stem: String,
    /// Whether the bytes are unpacked on the way.
    pub packed: bool,
}

impl FileNames {
    fn of(path: &Path) -> FileNames {
        let source = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        let bare = source.strip_suffix(".gz").unwrap_or(&source);
        let stem = match bare.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => bare,
        };
        FileNames {
            file: path.display().to_string(),
            stem: stem.to_owned(),
            packed: false,
            source,
        }
    }

    pub(super) fn malformed(&self, line: u64, message: impl Into<String>) -> ImportError {
        ImportError::Malformed {
            file: self.file.clone(),
            line,
            message: message.into(),
        }
    }

    /// A reading error: of the file, or of the packing where it is packed.
    pub(super) fn unreadable(&self, line: u64, source: std::io::Error) -> ImportError {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if self.packed && matches!(source.kind(), InvalidData | InvalidInput | UnexpectedEof) {
            return self.malformed(
                line,
                format!("the gzip packing is cut off or damaged ({source}); get the file again"),
            );
        }
        ImportError::Io {
            file: self.file.clone(),
            source,
        }
    }
}

/// An opened file.
pub(super) struct Input<'p> {
    pub names: FileNames,
    pub reader: Box<dyn BufRead + 'p>,
    pub format: Format,
    pub why: String,
}

/// Opens a file; `format` other than [`Format::Auto`] is taken as it is.
pub(super) fn open<'p>(
    path: &Path,
    format: Format,
    progress: &'p Progress,
) -> Result<Input<'p>, ImportError> {
    let mut names = FileNames::of(path);
    let file = File::open(path).map_err(|source| names.unreadable(1, source))?;
    let mut plain = BufReader::with_capacity(BUFFER_BYTES, Counted { file, progress });
    let start = plain
        .fill_buf()
        .map_err(|source| names.unreadable(1, source))?;
    let mut unpacked: Box<dyn BufRead + 'p> = if start.starts_with(b"\x1f\x8b") {
        names.packed = true;
        Box::new(BufReader::with_capacity(
            BUFFER_BYTES,
            flate2::bufread::MultiGzDecoder::new(plain),
        ))
    } else {
        Box::new(plain)
    };
    let mut head = Vec::with_capacity(HEAD_BYTES);
    (&mut unpacked)
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut head)
        .map_err(|source| names.unreadable(1, source))?;
    let packing = if names.packed { "gzip, then " } else { "" };
    if head.starts_with(UTF8_BOM) {
        head.drain(..UTF8_BOM.len());
    }
    let (format, why) = match format {
        Format::Auto => {
            let (format, why) = tell(&head).map_err(|message| names.malformed(1, message))?;
            (format, format!("{packing}{why}"))
        }
        chosen => (chosen, format!("{packing}as asked for")),
    };
    let head = Cursor::new(head);
    let reader: Box<dyn BufRead + 'p> = if format == Format::Xes && is_latin1(head.get_ref()) {
        let whole = Latin1 {
            inner: head.chain(unpacked),
            pending: None,
        };
        Box::new(BufReader::with_capacity(BUFFER_BYTES, whole))
    } else {
        Box::new(head.chain(unpacked))
    };
    Ok(Input {
        names,
        reader,
        format,
        why,
    })
}

/// Tells the format from the first bytes of the unpacked text; the error says what to do.
fn tell(head: &[u8]) -> Result<(Format, String), String> {
    let chosen = |format, why: &str| Ok((format, why.to_owned()));
    if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
        return Err(
            "the text is UTF-16; save it as UTF-8 (for example: iconv -f UTF-16 -t UTF-8)".into(),
        );
    }
    let Some(start) = head.iter().position(|b| !b.is_ascii_whitespace()) else {
        return chosen(Format::Jsonl, "the file is empty");
    };
    let text = &head[start..];
    match text[0] {
        b'<' => chosen(Format::Xes, "it begins with an XML tag"),
        b'[' => chosen(Format::Json, "it begins with [ : a JSON array of records"),
        b'{' => {
            let line = text.split(|b| *b == b'\n').next().unwrap_or_default();
            if serde_json::from_slice::<&serde_json::value::RawValue>(line).is_ok() {
                return chosen(Format::Jsonl, "its first line is a whole JSON object");
            }
            let first = serde_json::Deserializer::from_slice(text)
                .into_iter::<serde::de::IgnoredAny>()
                .next();
            let open_ended = matches!(line.trim_ascii_end().last(), Some(b'{' | b'[' | b',' | b':'));
            match first {
                Some(Ok(_)) => chosen(Format::Json, "a JSON object begins and ends over several lines"),
                _ if open_ended && line.len() < text.len() => {
                    chosen(Format::Json, "a JSON object goes on over several lines")
                }
                _ => chosen(Format::Jsonl, "its first line begins with { "),
            }
        }
        _ if head.split(|b| *b == b'\n').any(|l| l.trim_ascii_start().starts_with(b"{")) => {
            chosen(Format::Jsonl, "lines of it begin with { ")
        }
        _ => Err(
            "this is neither JSON Lines nor a JSON document nor XES (XML); Annals reads these, plain or as .gz"
                .into(),
        ),
    }
}

/// Whether an XML declaration names ISO-8859-1.
fn is_latin1(head: &[u8]) -> bool {
    let declaration = &head[..head.len().min(200)];
    let end = declaration
        .iter()
        .position(|b| *b == b'>')
        .unwrap_or(declaration.len());
    let text = String::from_utf8_lossy(&declaration[..end]).to_ascii_lowercase();
    ["iso-8859-1", "latin1", "us-ascii"]
        .iter()
        .any(|name| text.contains(&format!("\"{name}\"")) || text.contains(&format!("'{name}'")))
}

/// Counts the file's own bytes as they are read.
struct Counted<'p> {
    file: File,
    progress: &'p Progress,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress
            .bytes_read
            .fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// ISO-8859-1 as UTF-8: every byte is the character of that number.
struct Latin1<R> {
    inner: R,
    pending: Option<u8>,
}

impl<R: Read> Read for Latin1<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut written = 0;
        if let Some(byte) = self.pending.take() {
            buffer[0] = byte;
            written = 1;
        }
        let mut bytes = [0u8; 4096];
        // Every byte becomes at most two, so half of what is free always fits; one free place takes one byte
        // whose second half waits in `pending`.
        let want = ((buffer.len() - written).div_ceil(2)).min(bytes.len());
        let read = self.inner.read(&mut bytes[..want])?;
        for byte in &bytes[..read] {
            let mut utf8 = [0u8; 2];
            for part in (*byte as char).encode_utf8(&mut utf8).bytes() {
                match buffer.get_mut(written) {
                    Some(place) => {
                        *place = part;
                        written += 1;
                    }
                    None => self.pending = Some(part),
                }
            }
        }
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Result<Format, String> {
        tell(text.as_bytes()).map(|(format, _)| format)
    }

    #[test]
    fn formats_are_told_by_content() {
        for (text, want) in [
            ("{\"a\":1}\n{\"a\":2}\n", Format::Jsonl),
            ("\n\n  {\"a\":1}", Format::Jsonl),
            ("{\"a\":1", Format::Jsonl),
            ("{\"a\":1,\n \"b\":2}", Format::Json),
            ("{\n", Format::Json),
            ("{\"a\": \"broken\n{\"b\":2}\n", Format::Jsonl),
            ("not json\n{\"b\":2}\n", Format::Jsonl),
            (" [ {\"a\":1} ]", Format::Json),
            ("<?xml version=\"1.0\"?><log/>", Format::Xes),
            ("", Format::Jsonl),
        ] {
            assert_eq!(told(text), Ok(want), "{text:?}");
        }
        assert!(told("a,b,c\n1,2,3\n").is_err());
        assert!(told("hello").is_err());
    }

    #[test]
    fn latin1_becomes_utf8_however_small_the_buffer() {
        let all: Vec<u8> = (0..=255).collect();
        let want: String = all.iter().map(|b| *b as char).collect();
        for size in 1..5 {
            let mut reader = Latin1 {
                inner: &all[..],
                pending: None,
            };
            let (mut got, mut buffer) = (Vec::new(), vec![0u8; size]);
            loop {
                match reader.read(&mut buffer).unwrap() {
                    0 => break,
                    n => got.extend_from_slice(&buffer[..n]),
                }
            }
            assert_eq!(String::from_utf8(got).unwrap(), want, "buffer of {size}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_name_without_folders() {
        let names = FileNames::of(Path::new("some/where/shoppingCart-1.json.gz"));
        assert_eq!(
            (names.source.as_str(), names.stem.as_str()),
            ("shoppingCart-1.json.gz", "shoppingCart-1")
        );
    }
}
