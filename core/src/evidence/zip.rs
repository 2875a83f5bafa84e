//! The one narrow kind of ZIP that a package is: `docs/formats/evidence-package.md`, "The archive".
//!
//! The writer makes nothing else. The reader takes what it can still make sense of and says what differs.

use std::io::{Read, Write};

use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// Files of a package, at most.
pub const MAX_FILES: usize = 200;
/// Bytes of one file, inflated, at most.
pub const MAX_FILE_BYTES: u64 = 1 << 30;
/// Bytes of all files, inflated, at most.
pub const MAX_ALL_BYTES: u64 = 2 << 30;
/// Bytes of the archive, at most: one less than 2 GiB.
pub const MAX_ARCHIVE_BYTES: u64 = (2 << 30) - 1;
/// Characters of a name, at most.
pub const MAX_NAME: usize = 100;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const VERSION: u16 = 20;
/// 1980-01-01, the first day that the format knows.
const DATE: u16 = 0x0021;

/// Whether a file may have this name.
///
/// ```
/// use annals_core::evidence::zip::is_name;
/// assert!(is_name("proof/range.bin"));
/// assert!(!is_name("../range.bin") && !is_name("/etc/passwd") && !is_name("a\\b") && !is_name("a//b"));
/// ```
#[must_use]
pub fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-/".contains(&b))
        && name
            .split('/')
            .all(|part| !part.is_empty() && !part.starts_with('.'))
}

/// What the central directory says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Header {
    name: String,
    method: u16,
    crc: u32,
    packed: u32,
    size: u32,
    offset: u32,
}

/// Writes an archive, file by file.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    at: u64,
    headers: Vec<Header>,
}

impl<W: Write> Writer<W> {
    /// Begins an archive.
    pub fn new(out: W) -> Writer<W> {
        Writer {
            out,
            at: 0,
            headers: Vec::new(),
        }
    }

    /// Adds a file; it is deflated where that makes it shorter.
    ///
    /// # Errors
    /// Of `out`; [`std::io::ErrorKind::InvalidInput`] where a limit of the format is reached or the name is no name.
    pub fn add(&mut self, name: &str, bytes: &[u8]) -> std::io::Result<()> {
        let refuse = |what: String| {
            let kind = std::io::ErrorKind::InvalidInput;
            Err(std::io::Error::new(kind, what))
        };
        if !is_name(name) || self.headers.iter().any(|h| h.name == name) {
            return refuse(format!("{name:?} cannot be a file of a package"));
        }
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return refuse(format!("{name} would be longer than 1 GiB"));
        }
        if self.headers.len() == MAX_FILES {
            return refuse(format!("a package has no more than {MAX_FILES} files"));
        }
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
        encoder.write_all(bytes)?;
        let packed = encoder.finish()?;
        let (method, content) = if packed.len() < bytes.len() {
            (DEFLATED, packed.as_slice())
        } else {
            (STORED, bytes)
        };
        let mut crc = Crc::new();
        crc.update(bytes);
        // What is written so far, this file and its entry leave room for the end.
        let next = self.at + (LOCAL_LEN + name.len() + content.len()) as u64;
        if next + ((MAX_FILES + 1) * (CENTRAL_LEN + MAX_NAME)) as u64 > MAX_ARCHIVE_BYTES {
            return refuse("the package would be longer than 2 GiB".to_owned());
        }
        let header = Header {
            name: name.to_owned(),
            method,
            crc: crc.sum(),
            packed: short(content.len()),
            size: short(bytes.len()),
            offset: short(usize::try_from(self.at).unwrap_or(usize::MAX)),
        };
        let mut local = LOCAL.to_le_bytes().to_vec();
        header.put_common(&mut local);
        local.extend_from_slice(name.as_bytes());
        self.out.write_all(&local)?;
        self.out.write_all(content)?;
        self.at = next;
        self.headers.push(header);
        Ok(())
    }

    /// Writes the central directory and hands back what the archive was written to.
    ///
    /// # Errors
    /// Of `out`.
    pub fn finish(mut self) -> std::io::Result<W> {
        let mut directory = Vec::new();
        for header in &self.headers {
            directory.extend_from_slice(&CENTRAL.to_le_bytes());
            directory.extend_from_slice(&VERSION.to_le_bytes());
            header.put_common(&mut directory);
            // No comment, disk 0, attributes 0.
            directory.extend_from_slice(&[0; 10]);
            directory.extend_from_slice(&header.offset.to_le_bytes());
            directory.extend_from_slice(header.name.as_bytes());
        }
        let count = u16::try_from(self.headers.len()).unwrap_or(u16::MAX);
        let size = short(directory.len());
        directory.extend_from_slice(&END.to_le_bytes());
        directory.extend_from_slice(&[0; 4]);
        directory.extend_from_slice(&count.to_le_bytes());
        directory.extend_from_slice(&count.to_le_bytes());
        directory.extend_from_slice(&size.to_le_bytes());
        directory.extend_from_slice(
            &short(usize::try_from(self.at).unwrap_or(usize::MAX)).to_le_bytes(),
        );
        directory.extend_from_slice(&[0; 2]);
        self.out.write_all(&directory)?;
        self.out.flush()?;
        Ok(self.out)
    }
}

/// A length that [`Writer::add`] has seen to be below 4 GiB.
fn short(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

impl Header {
    /// Writes what the local header and the central entry have in common: from the version needed to the length of
    /// the extra fields.
    fn put_common(&self, out: &mut Vec<u8>) {
        for word in [VERSION, 0, self.method, 0, DATE] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        for word in [self.crc, self.packed, self.size] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        let name = u16::try_from(self.name.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&name.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
    }
}

/// An archive that was read; its files are inflated one by one.
#[derive(Debug)]
pub struct Archive<'b> {
    bytes: &'b [u8],
    headers: Vec<Header>,
    /// What differs from the one kind of archive that packages are, though it can be read.
    pub oddities: Vec<Oddity>,
}

/// Something that the archive of a package never has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Oddity {
    /// The file, where it is about one.
    pub name: Option<String>,
    /// What it is.
    pub what: String,
}

/// Why bytes cannot be read as the archive of a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZipError {
    /// It is none, or a part of one.
    #[error(
        "this is no package: it does not end as a ZIP archive does, so it is another file or was cut off"
    )]
    NoEnd,
    /// Its directory cannot be read.
    #[error("this is no package: its directory is damaged ({0})")]
    Directory(&'static str),
    /// It uses something that packages do not use.
    #[error("{name} cannot be read: {what}")]
    Unreadable {
        /// The file.
        name: String,
        /// Why.
        what: String,
    },
    /// It is beyond the limits.
    #[error("this is no package: {0}")]
    TooLarge(String),
}

/// Little-endian numbers out of bytes; `None` beyond their end.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    let found = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_le_bytes(found.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let found = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(found.try_into().ok()?))
}

impl<'b> Archive<'b> {
    /// Reads the directory; inflates nothing.
    ///
    /// # Errors
    /// [`ZipError`] where it cannot be read or claims more than the limits allow.
    pub fn read(bytes: &'b [u8]) -> Result<Archive<'b>, ZipError> {
        if bytes.len() as u64 > MAX_ARCHIVE_BYTES {
            return Err(ZipError::TooLarge("it is longer than 2 GiB".to_owned()));
        }
        let end = find_end(bytes).ok_or(ZipError::NoEnd)?;
        let mut oddities = Vec::new();
        let mut odd = |name: Option<&str>, what: String| {
            oddities.push(Oddity {
                name: name.map(str::to_owned),
                what,
            });
        };
        let after = bytes.len() - end - END_LEN;
        if after > 0 {
            odd(None, format!("{after} bytes follow the end of the archive"));
        }
        let fields = &bytes[end..end + END_LEN];
        let word = |at: usize| u16_at(fields, at).unwrap_or_default();
        let long = |at: usize| u32_at(fields, at).unwrap_or_default() as usize;
        if (word(4), word(6), word(20)) != (0, 0, 0) || word(8) != word(10) {
            odd(
                None,
                "its end names other disks or has a comment".to_owned(),
            );
        }
        let (count, size, start) = (usize::from(word(10)), long(12), long(16));
        if count > MAX_FILES {
            return Err(ZipError::TooLarge(format!(
                "it says that it has {count} files, more than {MAX_FILES}"
            )));
        }
        if start.checked_add(size) != Some(end) {
            odd(None, "its directory does not lie before its end".to_owned());
        }
        let mut headers = Vec::new();
        let mut at = start;
        let mut all = 0u64;
        for _ in 0..count {
            let (header, next) = central(bytes, at, &mut odd)?;
            if u64::from(header.size) > MAX_FILE_BYTES {
                return Err(ZipError::TooLarge(format!(
                    "{:?} would inflate to {} bytes, more than 1 GiB",
                    header.name, header.size
                )));
            }
            all += u64::from(header.size);
            headers.push(header);
            at = next;
        }
        if all > MAX_ALL_BYTES {
            return Err(ZipError::TooLarge(format!(
                "its files would inflate to {all} bytes, more than 2 GiB"
            )));
        }
        if at != end {
            odd(
                None,
                "bytes lie between its directory and its end".to_owned(),
            );
        }
        check_locals(bytes, &headers, start, &mut odd);
        let archive = Archive {
            bytes,
            headers,
            oddities,
        };
        Ok(archive.with_names_checked())
    }

    fn with_names_checked(mut self) -> Archive<'b> {
        for (at, header) in self.headers.iter().enumerate() {
            let name = &header.name;
            let what = if !is_name(name) {
                "a name that no file of a package has"
            } else if self.headers[..at].iter().any(|h| h.name == *name) {
                "a second file of this name"
            } else {
                continue;
            };
            self.oddities.push(Oddity {
                name: Some(name.clone()),
                what: what.to_owned(),
            });
        }
        self
    }

    /// Names in the order of the directory; one that comes twice comes twice.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|h| h.name.as_str())
    }

    /// Inflates a file; the first of its name. `None` if there is none.
    ///
    /// # Errors
    /// [`ZipError::Unreadable`] where its bytes are not what the directory says.
    pub fn file(&self, name: &str) -> Option<Result<Vec<u8>, ZipError>> {
        let header = self.headers.iter().find(|h| h.name == name)?;
        let bad = |what: String| ZipError::Unreadable {
            name: name.to_owned(),
            what,
        };
        Some(self.inflate(header).map_err(bad))
    }

    fn inflate(&self, header: &Header) -> Result<Vec<u8>, String> {
        let cut = || "its content is cut off".to_owned();
        let local = header.offset as usize;
        let name = usize::from(u16_at(self.bytes, local.saturating_add(26)).ok_or_else(cut)?);
        let extra = usize::from(u16_at(self.bytes, local.saturating_add(28)).ok_or_else(cut)?);
        let from = local + LOCAL_LEN + name + extra;
        let packed = self
            .bytes
            .get(from..from.saturating_add(header.packed as usize));
        let packed = packed.ok_or_else(cut)?;
        let size = header.size as usize;
        let content = match header.method {
            STORED => packed.to_vec(),
            DEFLATED => {
                // A claim of a gigabyte is not believed with memory before bytes come.
                let mut content = Vec::with_capacity(size.min(packed.len().saturating_mul(4)));
                let mut reader = DeflateDecoder::new(packed).take(u64::from(header.size) + 1);
                reader
                    .read_to_end(&mut content)
                    .map_err(|_| "its content is no deflate stream".to_owned())?;
                if content.len() == size && reader.into_inner().total_in() != packed.len() as u64 {
                    return Err("bytes lie behind its content".to_owned());
                }
                content
            }
            other => {
                return Err(format!(
                    "it is packed by method {other}, which no package uses"
                ));
            }
        };
        if content.len() != size {
            return Err(format!(
                "it is not the {size} bytes long that the directory says"
            ));
        }
        let mut crc = Crc::new();
        crc.update(&content);
        if crc.sum() != header.crc {
            return Err("its checksum (CRC-32) is another".to_owned());
        }
        Ok(content)
    }
}

/// Where the end record begins: the last place that can be one.
fn find_end(bytes: &[u8]) -> Option<usize> {
    let last = bytes.len().checked_sub(END_LEN)?;
    // A comment, which other programs allow here, is no longer than this.
    let first = last.saturating_sub(usize::from(u16::MAX));
    (first..=last)
        .rev()
        .find(|at| u32_at(bytes, *at) == Some(END))
}

fn central(
    bytes: &[u8],
    at: usize,
    odd: &mut dyn FnMut(Option<&str>, String),
) -> Result<(Header, usize), ZipError> {
    let cut = || ZipError::Directory("an entry is cut off");
    let word = |offset: usize| u16_at(bytes, at.saturating_add(offset)).ok_or_else(cut);
    let long = |offset: usize| u32_at(bytes, at.saturating_add(offset)).ok_or_else(cut);
    if long(0)? != CENTRAL {
        return Err(ZipError::Directory("an entry does not begin as one"));
    }
    let (name_len, extra, comment) = (word(28)?, word(30)?, word(32)?);
    let name_at = at + CENTRAL_LEN;
    let name = bytes
        .get(name_at..name_at + usize::from(name_len))
        .ok_or_else(cut)?;
    let name = String::from_utf8_lossy(name).into_owned();
    let plain = [
        word(4)? == VERSION,
        word(6)? == VERSION,
        word(8)? == 0,
        word(12)? == 0,
        word(14)? == DATE,
        (extra, comment) == (0, 0),
        (word(34)?, word(36)?, long(38)?) == (0, 0, 0),
    ];
    if plain.contains(&false) {
        let what = "its entry in the directory has what no package has (flags, times, attributes, extra fields)";
        odd(Some(&name), what.to_owned());
    }
    let header = Header {
        method: word(10)?,
        crc: long(16)?,
        packed: long(20)?,
        size: long(24)?,
        offset: long(42)?,
        name,
    };
    let next = name_at + usize::from(name_len) + usize::from(extra) + usize::from(comment);
    Ok((header, next))
}

/// Local headers must stand one behind the other and say what the directory says.
fn check_locals(
    bytes: &[u8],
    headers: &[Header],
    directory: usize,
    odd: &mut dyn FnMut(Option<&str>, String),
) {
    let mut at = 0usize;
    for header in headers {
        if header.offset as usize != at {
            let what = "it does not stand behind the file before it".to_owned();
            odd(Some(&header.name), what);
        }
        let mut want = LOCAL.to_le_bytes().to_vec();
        header.put_common(&mut want);
        want.extend_from_slice(header.name.as_bytes());
        let local = header.offset as usize;
        if bytes.get(local..local.saturating_add(want.len())) != Some(want.as_slice()) {
            let what = "its header differs from its entry in the directory".to_owned();
            odd(Some(&header.name), what);
        }
        at = local
            .saturating_add(want.len())
            .saturating_add(header.packed as usize);
    }
    if at != directory {
        let what = "bytes lie between its files and its directory".to_owned();
        odd(None, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        writer.add("README.txt", b"hello").unwrap();
        writer.add("proof/range.bin", &[7; 1000]).unwrap();
        writer.finish().unwrap()
    }

    fn odd(bytes: &[u8]) -> Vec<String> {
        let archive = Archive::read(bytes).unwrap();
        archive.oddities.iter().map(|o| o.what.clone()).collect()
    }

    #[test]
    fn what_is_written_is_read_again_without_oddities() {
        let bytes = small();
        let archive = Archive::read(&bytes).unwrap();
        assert_eq!(archive.oddities, []);
        let names: Vec<&str> = archive.names().collect();
        assert_eq!(names, ["README.txt", "proof/range.bin"]);
        assert_eq!(archive.file("README.txt").unwrap().unwrap(), b"hello");
        assert_eq!(archive.file("proof/range.bin").unwrap().unwrap(), [7; 1000]);
        assert!(archive.file("other").is_none());
        assert_eq!(small(), bytes);
    }

    #[test]
    fn no_byte_of_the_archive_can_change_unseen() {
        let bytes = small();
        for at in 0..bytes.len() {
            for bit in [1, 128] {
                let mut changed = bytes.clone();
                changed[at] ^= bit;
                // The last byte of a deflate stream has bits that mean nothing.
                if let Ok(archive) = Archive::read(&changed)
                    && archive.oddities.is_empty()
                    && let Some(Ok(hello)) = archive.file("README.txt")
                    && let Some(Ok(sevens)) = archive.file("proof/range.bin")
                {
                    assert_eq!((&hello[..], &sevens[..]), (&b"hello"[..], &[7; 1000][..]));
                    assert_eq!(archive.names().count(), 2, "byte {at}");
                }
            }
        }
    }

    #[test]
    fn every_cut_is_unreadable() {
        let bytes = small();
        for len in 0..bytes.len() {
            assert!(Archive::read(&bytes[..len]).is_err(), "{len} bytes");
        }
    }

    #[test]
    fn bytes_before_between_and_behind_are_odd() {
        let bytes = small();
        assert_eq!(
            odd(&[&bytes[..], b"x"].concat()),
            ["1 bytes follow the end of the archive"]
        );
        // The directory is not where its end says.
        assert!(Archive::read(&[b"x", &bytes[..]].concat()).is_err());
        let archive = Archive::read(&bytes).unwrap();
        let directory = bytes.len()
            - END_LEN
            - archive
                .names()
                .map(|n| n.len() + CENTRAL_LEN)
                .sum::<usize>();
        let (files, rest) = bytes.split_at(directory);
        let mut between = [files, b"x", rest].concat();
        let at = between.len() - 6;
        between[at..at + 4].copy_from_slice(&short(directory + 1).to_le_bytes());
        assert_eq!(
            odd(&between),
            ["bytes lie between its files and its directory"]
        );
    }

    #[test]
    fn claims_beyond_the_limits_are_refused_before_anything_is_inflated() {
        let mut writer = Writer::new(Vec::new());
        for name in ["a", "b", "c"] {
            writer.add(name, &[0; 100]).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let claim = |size: u32, entries: usize| {
            let mut bytes = bytes.clone();
            let central: Vec<usize> = (0..bytes.len())
                .filter(|at| u32_at(&bytes, *at) == Some(CENTRAL))
                .collect();
            for at in central.into_iter().take(entries) {
                bytes[at + 24..at + 28].copy_from_slice(&size.to_le_bytes());
            }
            bytes
        };
        let too_large = |bytes: &[u8]| matches!(Archive::read(bytes), Err(ZipError::TooLarge(_)));
        assert!(too_large(&claim(u32::MAX, 1)));
        assert!(too_large(&claim(1 << 30, 3)));
        // Below the limits the claim is not believed either.
        let bytes = claim(99, 1);
        let archive = Archive::read(&bytes).unwrap();
        assert!(archive.file("a").unwrap().is_err());
    }

    #[test]
    fn names_that_lead_elsewhere_or_come_twice_are_neither_written_nor_read_in_silence() {
        let mut writer = Writer::new(Vec::new());
        writer.add("aaaaaaa", b"1").unwrap();
        writer.add("bbbbbbb", b"2").unwrap();
        for bad in [
            "../evil", "/evil", "a/../b", "a\\b", "", ".hidden", "aaaaaaa", "a/",
        ] {
            assert!(writer.add(bad, b"").is_err(), "{bad}");
        }
        let bytes = writer.finish().unwrap();
        for (name, what) in [
            ("../evil", "a name that no file of a package has"),
            ("aaaaaaa", "a second file of this name"),
        ] {
            let text: Vec<u8> = bytes.clone();
            let mut changed = text;
            while let Some(at) = changed.windows(7).position(|w| w == b"bbbbbbb") {
                changed[at..at + 7].copy_from_slice(name.as_bytes());
            }
            assert_eq!(odd(&changed), [what]);
        }
    }
}
