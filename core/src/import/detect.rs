//! Opens a file, unpacks it where it is packed, and tells its format from its first bytes.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};

use super::encoding::{self, Decoded, Encoding};
use super::files::{Origin, Source};
use super::pack::{self, Compression};
use super::{Format, ImportError, Progress, csv, from_store, git, ocel};
use crate::integrity::Hash;

/// Bytes that the format is told from.
const HEAD_BYTES: usize = 256 * 1024;
const BUFFER_BYTES: usize = 256 * 1024;

/// A file's name without folders and endings: the stream of records that name none.
pub(crate) fn stem(name: &str) -> &str {
    let name = name.rsplit_once(['/', '\\']).map_or(name, |(_, name)| name);
    let bare = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"));
    let bare = bare.unwrap_or(name);
    match bare.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => bare,
    }
}

/// A file's names, and what is needed to say where in it something is wrong.
#[derive(Debug, Clone)]
pub(super) struct FileNames {
    /// As the user named it.
    pub file: String,
    /// Name without folders: the source of its events, so that moving the file does not double them.
    pub source: String,
    /// Name without folders and endings: the stream of records that name none.
    pub stem: String,
    /// How the bytes are packed.
    pub packed: Compression,
    /// In what it is packed with others.
    pub packed_in: Option<&'static str>,
}

impl FileNames {
    /// `source` names it among the files of a folder; else it is the name without folders.
    fn of(path: &Path, source: Option<&str>) -> FileNames {
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        FileNames {
            file: path.display().to_string(),
            stem: stem(&name).to_owned(),
            packed: Compression::None,
            packed_in: None,
            source: source.map_or(name, str::to_owned),
        }
    }

    /// Names for text that is in no file.
    pub(super) fn of_nothing() -> FileNames {
        FileNames::of(Path::new(""), None)
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
        use std::io::ErrorKind::{FileTooLarge, InvalidData, InvalidInput, UnexpectedEof};
        let packing = self.packed_in.unwrap_or(self.packed.name());
        let is_packed = self.packed != Compression::None || self.packed_in.is_some();
        if source.kind() == std::io::ErrorKind::Unsupported && is_packed {
            return self.malformed(line, source.to_string());
        }
        if is_packed {
            match source.kind() {
                FileTooLarge => {
                    return self.malformed(line, format!("the {packing} packing: {source}"));
                }
                InvalidData | InvalidInput | UnexpectedEof => {
                    return self.malformed(
                        line,
                        format!("the {packing} packing is cut off or damaged, or something follows it ({source}); get the file again"),
                    );
                }
                _ => {}
            }
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
    pub encoding: Encoding,
    pub why: String,
    /// Its first bytes as UTF-8; all of them where `is_whole`.
    pub head: Vec<u8>,
    pub is_whole: bool,
    /// It is a store of Annals, of which the events are read.
    pub is_store: bool,
    /// Its own bytes as far as they were read.
    pub taken: Taken,
}

/// What the user says about a file.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    pub format: Format,
    pub encoding: Option<Encoding>,
}

/// Opens a file; a format other than [`Format::Auto`] is taken as it is.
pub(super) fn open<'p>(
    source: &Source,
    asked: Asked,
    progress: &'p Progress,
) -> Result<Input<'p>, ImportError> {
    let path = &source.path;
    let mut names = FileNames::of(
        path,
        Some(source.name.as_str()).filter(|name| !name.is_empty()),
    );
    let unreadable = |error| names.unreadable(1, error);
    let mut is_store = false;
    let file: Box<dyn Read> = match &source.origin {
        Origin::File => {
            let mut file = File::open(path).map_err(unreadable)?;
            is_store = from_store::is_store(&mut file).map_err(unreadable)?;
            match is_store {
                true => Box::new(from_store::events_of(path, &names, progress)?),
                false => Box::new(file),
            }
        }
        Origin::Member(archive, index) => {
            names.packed_in = Some("zip");
            Box::new(archive.read(*index).map_err(|e| names.unreadable(1, e))?)
        }
        Origin::Git => made(git::events_of(path, &names, progress)?, progress),
        Origin::Sheet(workbook, sheet) => {
            names.packed_in = Some("xlsx");
            let table = workbook.table(*sheet);
            made(table.map_err(|e| names.unreadable(1, e))?, progress)
        }
    };
    let is_sheet = matches!(source.origin, Origin::Sheet(..));
    let taken = Taken::default();
    let counted = Counted {
        file,
        progress,
        taken: taken.clone(),
    };
    let mut plain = BufReader::with_capacity(BUFFER_BYTES, counted);
    let start = plain
        .fill_buf()
        .map_err(|source| names.unreadable(1, source))?;
    names.packed = Compression::of(start);
    let mut unpacked = pack::unpacked(plain, names.packed, Arc::clone(&taken.bytes));
    let mut raw = Vec::with_capacity(HEAD_BYTES);
    (&mut unpacked)
        .take(HEAD_BYTES as u64)
        .read_to_end(&mut raw)
        .map_err(|source| names.unreadable(1, source))?;
    let is_whole = raw.len() < HEAD_BYTES;
    let packing = match names.packed {
        Compression::None => "",
        Compression::Gzip => "gzip, then ",
        Compression::Zstd => "zstd, then ",
    };
    let is_sqlite = raw.starts_with(ocel::SQLITE) && !is_store;
    if is_sqlite && from_store::is_marked(&raw) {
        let message = "this is an Annals store, packed; unpack it and import the store itself, which is read where it lies";
        return Err(names.malformed(1, message));
    }
    let (encoding, mark, spelling) = match asked.encoding {
        _ if is_sqlite || is_sheet => (Encoding::Utf8, 0, ""),
        Some(encoding) => (encoding, encoding::mark_len(encoding, &raw), ""),
        None => encoding::tell(&raw),
    };
    raw.drain(..mark);
    let mut head = decoded(&raw, encoding);
    let (format, why) = match asked.format {
        _ if is_store => (Format::Jsonl, "an Annals store: its events".to_owned()),
        _ if matches!(source.origin, Origin::Git) => {
            (Format::Git, "a git repository: its history".to_owned())
        }
        Format::Auto if is_sheet => (Format::Csv, "a sheet of an Excel workbook".to_owned()),
        Format::Auto | Format::Ocel if is_sqlite => (
            Format::Ocel,
            format!("{packing}it is a SQLite database: OCEL 2.0"),
        ),
        Format::Auto => {
            let (format, why) = tell(&head).map_err(|message| names.malformed(1, message))?;
            (format, format!("{packing}{spelling}{why}"))
        }
        chosen => (chosen, format!("{packing}{spelling}as asked for")),
    };
    let mut encoding = encoding;
    if format == Format::Xes && asked.encoding.is_none() && is_latin1(&head) {
        encoding = Encoding::Latin1;
        head = decoded(&raw, encoding);
    }
    let whole = Cursor::new(raw).chain(unpacked);
    let reader: Box<dyn BufRead + 'p> = match encoding {
        Encoding::Utf8 => Box::new(whole),
        encoding => Box::new(Decoded::new(whole, encoding)),
    };
    Ok(Input {
        names,
        reader,
        format,
        encoding,
        why,
        head,
        is_whole,
        is_store,
        taken,
    })
}

/// A file that was made of a source: how long it is was not known before.
fn made(file: File, progress: &Progress) -> Box<dyn Read> {
    let len = file.metadata().map_or(0, |found| found.len());
    progress.bytes_total.fetch_add(len, Ordering::Relaxed);
    Box::new(file)
}

fn decoded(raw: &[u8], encoding: Encoding) -> Vec<u8> {
    if encoding == Encoding::Utf8 {
        return raw.to_vec();
    }
    let mut text = Vec::with_capacity(raw.len());
    // Bytes in memory do not fail to be read.
    let _ = Decoded::new(raw, encoding).read_to_end(&mut text);
    text
}

/// Tells the format from the first bytes of the unpacked text; the error says what to do.
fn tell(head: &[u8]) -> Result<(Format, String), String> {
    let chosen = |format, why: &str| Ok((format, why.to_owned()));
    let Some(start) = head.iter().position(|b| !b.is_ascii_whitespace()) else {
        return chosen(Format::Jsonl, "the file is empty");
    };
    let text = &head[start..];
    if let Some(why) = ocel::sniff(text) {
        return chosen(Format::Ocel, why);
    }
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
        _ => match csv::sniff(head) {
            Some(why) => Ok((Format::Csv, why)),
            None => Err(
                "this is nothing that Annals reads: JSON Lines, JSON documents, tables (CSV and the sheets of .xlsx), XES, OCEL (JSON, XML, SQLite), git repositories and its own stores, plain or packed as .gz, .zst or .zip; `annals formats` lists the kinds of records that it knows in them"
                    .into(),
            ),
        },
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

/// The file's own bytes as far as they were read: how many, and their hash.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    bytes: Arc<AtomicU64>,
    hash: Arc<Mutex<Sha256>>,
}

impl Taken {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn sha256(&self) -> Hash {
        let hash = self.hash.lock().unwrap_or_else(PoisonError::into_inner);
        Hash(hash.clone().finalize().into())
    }
}

/// Counts and hashes the file's own bytes as they are read.
struct Counted<'p> {
    file: Box<dyn Read>,
    progress: &'p Progress,
    taken: Taken,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress
            .bytes_read
            .fetch_add(read as u64, Ordering::Relaxed);
        self.taken.bytes.fetch_add(read as u64, Ordering::Relaxed);
        let mut hash = self
            .taken
            .hash
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        hash.update(&buffer[..read]);
        Ok(read)
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
        assert_eq!(told("a,b,c\n1,2,3\n"), Ok(Format::Csv));
        assert!(told("Dear all,\nthis is a letter.\nIt has, now and then, a comma.\n").is_err());
        assert!(told("hello").is_err());
    }

    #[test]
    fn a_file_is_known_by_its_name_without_folders() {
        let names = FileNames::of(Path::new("some/where/shoppingCart-1.json.gz"), None);
        assert_eq!(
            (names.source.as_str(), names.stem.as_str()),
            ("shoppingCart-1.json.gz", "shoppingCart-1")
        );
    }
}
