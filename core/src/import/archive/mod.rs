//! ZIP archives as sources: their members, in their order, each read as a file.
//!
//! Nothing is ever written to the place that a member names: members are read where they lie, and an archive in an
//! archive is unpacked to a temporary file without a name. APPNOTE 6.3.10 is the specification.
//!
//! | module | what it holds |
//! |---|---|
//! | `directory` | the list of members at the end of an archive |

mod directory;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ruzstd::decoding::StreamingDecoder;

pub(super) use directory::Member;

/// First bytes of an archive that holds a member.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

/// First bytes of one that holds none.
pub(super) const EMPTY: &[u8] = b"PK\x05\x06";

/// Most members of one archive that are looked at.
const MAX_MEMBERS: usize = 100_000;
/// Deepest nesting of archives that is gone into.
pub(super) const MAX_ARCHIVES: usize = 4;
const BUFFER_BYTES: usize = 256 * 1024;
/// Unpacked bytes of an archive from which on the ratio counts.
const BOMB_BYTES: u64 = 256 << 20;
/// Most unpacked bytes for one byte of the archive.
const BOMB_RATIO: u64 = 250;

/// An archive that is open.
#[derive(Debug)]
pub(super) struct Archive {
    file: File,
    pub(super) members: Vec<Member>,
    budget: Budget,
}

/// What may be unpacked from an archive, with those in it. Members may share packed bytes, so it is counted over all
/// of them.
#[derive(Debug, Clone)]
struct Budget {
    packed: u64,
    unpacked: Arc<AtomicU64>,
}

impl Budget {
    fn spend(&self, bytes: u64) -> std::io::Result<()> {
        let unpacked = self.unpacked.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if unpacked > BOMB_BYTES && unpacked / self.packed.max(1) > BOMB_RATIO {
            return Err(Error::new(
                ErrorKind::FileTooLarge,
                format!(
                    "the archive unpacks to more than {BOMB_RATIO} times its size, which data does not; if it is data, unpack it yourself"
                ),
            ));
        }
        Ok(())
    }
}

impl Archive {
    /// Opens an archive and reads the list of its members.
    ///
    /// # Errors
    /// The file cannot be read, is cut off or damaged, or holds more than is looked at.
    pub(super) fn open(path: &Path) -> std::io::Result<Archive> {
        let file = File::open(path)?;
        let packed = file.metadata()?.len();
        let unpacked = Arc::default();
        Archive::of(file, Budget { packed, unpacked })
    }

    fn of(mut file: File, budget: Budget) -> std::io::Result<Archive> {
        let members = directory::read(&mut file, MAX_MEMBERS)?;
        Ok(Archive {
            file,
            members,
            budget,
        })
    }

    /// Opens an archive that is a member of this one.
    ///
    /// # Errors
    /// As [`Archive::open`], and as reading the member.
    pub(super) fn nested(self: &Arc<Archive>, index: usize) -> std::io::Result<Archive> {
        let mut file = tempfile::tempfile()?;
        std::io::copy(&mut self.read(index)?, &mut file)?;
        file.flush()?;
        Archive::of(file, self.budget.clone())
    }

    /// The first bytes of a member, unpacked.
    ///
    /// # Errors
    /// As reading it.
    pub(super) fn head(self: &Arc<Archive>, index: usize, len: u64) -> std::io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.read(index)?.take(len).read_to_end(&mut head)?;
        Ok(head)
    }

    /// Reads a member, unpacked; its checksum and size are compared at its end.
    ///
    /// # Errors
    /// The archive cannot be read, or the member is packed in a way that is not read.
    pub(super) fn read(self: &Arc<Archive>, index: usize) -> std::io::Result<MemberReader> {
        let member = self.members.get(index).cloned();
        let member = member.ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let at = directory::data_of(&self.file, &member)?;
        let section = Section {
            archive: Arc::clone(self),
            at,
            left: member.packed,
        };
        let inner: Box<dyn Read> = match member.method {
            0 => Box::new(section),
            8 => Box::new(flate2::bufread::DeflateDecoder::new(
                BufReader::with_capacity(BUFFER_BYTES, section),
            )),
            93 => Box::new(StreamingDecoder::new(section).map_err(damaged)?),
            method => return Err(unknown_method(method)),
        };
        Ok(MemberReader {
            inner,
            budget: self.budget.clone(),
            crc: flate2::Crc::new(),
            read: 0,
            member,
            ended: false,
        })
    }
}

fn unknown_method(method: u16) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "it is packed in a way that Annals does not read (method {method}); unpack it yourself"
        ),
    )
}

fn damaged(error: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidData, error.to_string())
}

/// Packed bytes of one member.
struct Section {
    archive: Arc<Archive>,
    at: u64,
    left: u64,
}

impl Read for Section {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer
            .len()
            .min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if len == 0 {
            return Ok(0);
        }
        // All members share the file, and with it the place where it stands.
        let mut file = &self.archive.file;
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.read(&mut buffer[..len])?;
        if read == 0 {
            return Err(Error::new(
                ErrorKind::UnexpectedEof,
                "the archive is cut off",
            ));
        }
        self.at += read as u64;
        self.left -= read as u64;
        Ok(read)
    }
}

/// A member as it is unpacked.
pub(super) struct MemberReader {
    inner: Box<dyn Read>,
    budget: Budget,
    crc: flate2::Crc,
    read: u64,
    member: Member,
    ended: bool,
}

impl Read for MemberReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        let read = self
            .inner
            .read(buffer)
            .map_err(|error| match error.kind() {
                ErrorKind::Other => damaged(error),
                _ => error,
            })?;
        self.crc.update(&buffer[..read]);
        self.read += read as u64;
        self.budget.spend(read as u64)?;
        self.ended = read == 0;
        if self.ended && (self.crc.sum() != self.member.crc || self.read != self.member.unpacked) {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "the member of the archive is damaged: its checksum or its size is wrong",
            ));
        }
        Ok(read)
    }
}
