//! The list of members that stands at the end of an archive, also in its form for more than 4 GiB (ZIP64).

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Seek, SeekFrom};

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const END_64: &[u8] = b"PK\x06\x06";
const LOCATOR_64: &[u8] = b"PK\x06\x07";
const END_LEN: usize = 22;
const LOCATOR_LEN: usize = 20;
const END_64_LEN: usize = 56;
const CENTRAL_LEN: usize = 46;
const LOCAL_LEN: u64 = 30;
/// Longest list that is read, in bytes.
const MAX_LIST_BYTES: u64 = 64 << 20;

/// One member, as the list describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Member {
    /// Its name as it stands, folders joined by `/`.
    pub name: String,
    /// Why it cannot be read, if it cannot.
    pub refused: Option<&'static str>,
    pub is_folder: bool,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) packed: u64,
    pub(in crate::import) unpacked: u64,
    header_at: u64,
}

fn wrong(message: &str) -> Error {
    Error::new(ErrorKind::InvalidData, message.to_owned())
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    let field = bytes.get(at..at + 2).and_then(|b| b.try_into().ok());
    field.map_or(0, u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..at + 4).and_then(|b| b.try_into().ok());
    field.map_or(0, u32::from_le_bytes)
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let field = bytes.get(at..at + 8).and_then(|b| b.try_into().ok());
    field.map_or(0, u64::from_le_bytes)
}

fn exactly(file: &mut File, at: u64, len: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = vec![0; len];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Where the list stands, and how long it is.
struct Place {
    at: u64,
    len: u64,
    count: u64,
    /// Bytes before the archive: offsets in it are counted from behind them.
    before: u64,
}

fn place(file: &mut File) -> std::io::Result<Place> {
    let len = file.seek(SeekFrom::End(0))?;
    // A comment of up to 64 KiB may follow.
    let tail_len = len.min((END_LEN + usize::from(u16::MAX)) as u64);
    let tail_at = len - tail_len;
    let tail = exactly(file, tail_at, tail_len as usize)?;
    let is_end = |at: &usize| {
        tail[*at..].starts_with(END)
            && at + END_LEN + usize::from(u16_at(&tail, at + 20)) <= tail.len()
    };
    let last = tail.len().checked_sub(END_LEN);
    let at = last
        .and_then(|last| (0..=last).rev().find(is_end))
        .ok_or_else(|| {
            wrong("it begins as a ZIP archive and has no list of members: it is cut off")
        })?;
    let end = &tail[at..];
    let end_at = tail_at + at as u64;
    let mut count = u64::from(u16_at(end, 10));
    let mut list_len = u64::from(u32_at(end, 12));
    let mut said_at = u64::from(u32_at(end, 16));
    let mut behind = end_at;
    let locator_at = at.checked_sub(LOCATOR_LEN);
    let is_large = count == u64::from(u16::MAX)
        || list_len == u64::from(u32::MAX)
        || said_at == u64::from(u32::MAX);
    if let Some(locator) = locator_at.filter(|at| is_large && tail[*at..].starts_with(LOCATOR_64)) {
        let end_64_at = u64_at(&tail, locator + 8);
        let found = exactly(file, end_64_at, END_64_LEN).ok();
        let found = found.filter(|bytes| bytes.starts_with(END_64));
        let end_64 = found.ok_or_else(|| wrong("the ZIP archive is damaged at its end"))?;
        count = u64_at(&end_64, 32);
        list_len = u64_at(&end_64, 40);
        said_at = u64_at(&end_64, 48);
        behind = end_64_at;
    }
    let at = behind.checked_sub(list_len);
    let at = at.ok_or_else(|| wrong("the ZIP archive is damaged: its list is longer than it"))?;
    Ok(Place {
        at,
        len: list_len,
        count,
        before: at.saturating_sub(said_at),
    })
}

/// Reads the list.
///
/// # Errors
/// The file is cut off or damaged, or has more than `most` members.
pub(super) fn read(file: &mut File, most: usize) -> std::io::Result<Vec<Member>> {
    let Place {
        at,
        len,
        count,
        before,
    } = place(file)?;
    // The end of an archive in an archive that was cut off looks like the end of one behind other bytes.
    if before > 0 && exactly(file, 0, LOCAL.len())? == LOCAL {
        return Err(wrong(
            "the ZIP archive is cut off, or a part of it is missing",
        ));
    }
    if len > MAX_LIST_BYTES || count > most as u64 {
        return Err(wrong(&format!(
            "the ZIP archive has more than {most} members, or names of more than {} MiB; unpack it yourself",
            MAX_LIST_BYTES >> 20
        )));
    }
    let list = exactly(file, at, len as usize)?;
    let mut members = Vec::new();
    let mut rest = &list[..];
    while rest.starts_with(CENTRAL) && rest.len() >= CENTRAL_LEN {
        let lens = [28, 30, 32].map(|at| usize::from(u16_at(rest, at)));
        let [name_len, extra_len, comment_len] = lens;
        let end = CENTRAL_LEN + name_len + extra_len + comment_len;
        if rest.len() < end {
            break;
        }
        if members.len() >= most {
            return Err(wrong("the ZIP archive has more members than it says"));
        }
        members.push(member(&rest[..end], name_len, extra_len, before));
        rest = &rest[end..];
    }
    if members.len() as u64 != count {
        return Err(wrong("the list of the ZIP archive is damaged"));
    }
    Ok(members)
}

fn member(entry: &[u8], name_len: usize, extra_len: usize, before: u64) -> Member {
    let name = &entry[CENTRAL_LEN..CENTRAL_LEN + name_len];
    let extra = &entry[CENTRAL_LEN + name_len..CENTRAL_LEN + name_len + extra_len];
    let flags = u16_at(entry, 8);
    let made_on_unix = u16_at(entry, 4) >> 8 == 3;
    let mode = u32_at(entry, 38) >> 16;
    let is_link = made_on_unix && mode & 0o170_000 == 0o120_000;
    let mut packed = u64::from(u32_at(entry, 20));
    let mut unpacked = u64::from(u32_at(entry, 24));
    let mut header_at = u64::from(u32_at(entry, 42));
    let mut large = large_fields(extra);
    for field in [&mut unpacked, &mut packed, &mut header_at] {
        if *field == u64::from(u32::MAX)
            && let Some((value, rest)) = large.split_first_chunk::<8>()
        {
            *field = u64::from_le_bytes(*value);
            large = rest;
        }
    }
    let name = String::from_utf8_lossy(name).into_owned();
    let refused = if leads_outside(&name) {
        Some("its name leads out of the archive, which data has no reason to")
    } else if is_link {
        Some("it is a link")
    } else if flags & 1 != 0 {
        Some("it is encrypted; unpack it yourself")
    } else {
        None
    };
    Member {
        is_folder: name.ends_with('/'),
        name,
        refused,
        method: u16_at(entry, 10),
        crc: u32_at(entry, 16),
        packed,
        unpacked,
        header_at: header_at.saturating_add(before),
    }
}

/// The fields that did not fit into 32 bits.
fn large_fields(mut extra: &[u8]) -> &[u8] {
    while extra.len() >= 4 {
        let len = usize::from(u16_at(extra, 2));
        let field = extra.get(4..4 + len).unwrap_or_default();
        if u16_at(extra, 0) == 1 {
            return field;
        }
        extra = extra.get(4 + len..).unwrap_or_default();
    }
    &[]
}

/// Whether a member would be unpacked to somewhere else than below a folder.
fn leads_outside(name: &str) -> bool {
    let is_drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with(['/', '\\'])
        || is_drive
        || name.contains('\0')
        || name.split(['/', '\\']).any(|part| part == "..")
}

/// Where the bytes of a member begin.
///
/// # Errors
/// There is no such member where the list says.
pub(super) fn data_of(file: &File, member: &Member) -> std::io::Result<u64> {
    let mut file = file.try_clone()?;
    let header = exactly(&mut file, member.header_at, LOCAL_LEN as usize)?;
    if !header.starts_with(LOCAL) {
        return Err(wrong(
            "the ZIP archive is damaged: a member is not where its list says",
        ));
    }
    let names = u64::from(u16_at(&header, 26)) + u64::from(u16_at(&header, 28));
    Ok(member.header_at + LOCAL_LEN + names)
}
