//! Brings together what belongs together: pieces of text by group, kept in a file without a name until all are there.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};

/// Pieces of groups that come in any order. In memory stay 24 bytes a piece.
pub(super) struct Fragments {
    file: File,
    /// What is not in the file yet.
    buffer: Vec<u8>,
    /// Bytes so far, those of the buffer with them.
    bytes: u64,
    list: Vec<Fragment>,
}

struct Fragment {
    group: u32,
    start: u64,
    end: u64,
}

/// Bytes written at once.
const BUFFER_BYTES: usize = 1 << 20;

impl Fragments {
    pub(super) fn new() -> std::io::Result<Fragments> {
        Ok(Fragments {
            file: tempfile::tempfile()?,
            buffer: Vec::new(),
            bytes: 0,
            list: Vec::new(),
        })
    }

    /// Takes the next piece of a group.
    pub(super) fn add(&mut self, group: u32, text: &str) -> std::io::Result<()> {
        let start = self.bytes;
        self.bytes += text.len() as u64;
        self.list.push(Fragment {
            group,
            start,
            end: self.bytes,
        });
        self.buffer.extend_from_slice(text.as_bytes());
        if self.buffer.len() >= BUFFER_BYTES {
            self.file.write_all(&self.buffer)?;
            self.buffer.clear();
        }
        Ok(())
    }

    /// Makes ready to be read: groups in rising order, in each its pieces as they came.
    pub(super) fn sort(&mut self) -> std::io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer = Vec::new();
        self.list.sort_by_key(|fragment| fragment.group);
        Ok(())
    }

    /// The number of pieces of a group, after [`Fragments::sort`].
    pub(super) fn len(&self, group: u32) -> usize {
        self.of(group).len()
    }

    /// Appends the nth piece of a group, after [`Fragments::sort`].
    pub(super) fn read(&mut self, group: u32, n: usize, into: &mut Vec<u8>) -> std::io::Result<()> {
        let Some(Fragment { start, end, .. }) = self.of(group).get(n) else {
            return Ok(());
        };
        let (start, len) = (*start, end - start);
        self.file.seek(SeekFrom::Start(start))?;
        let read = (&mut self.file).take(len).read_to_end(into)?;
        match read as u64 == len {
            true => Ok(()),
            false => Err(std::io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn of(&self, group: u32) -> &[Fragment] {
        let first = self.list.partition_point(|f| f.group < group);
        let behind = self.list.partition_point(|f| f.group <= group);
        &self.list[first..behind]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_group_come_together_in_their_order() {
        let mut fragments = Fragments::new().unwrap();
        for (group, text) in [(1, "a"), (0, "x"), (1, ""), (1, "b"), (0, "y")] {
            fragments.add(group, text).unwrap();
        }
        fragments.sort().unwrap();
        let mut read = |group| {
            let mut all = Vec::new();
            for n in 0..fragments.len(group) {
                fragments.read(group, n, &mut all).unwrap();
                all.push(b'|');
            }
            String::from_utf8(all).unwrap()
        };
        assert_eq!(
            (read(0), read(1), read(2)),
            ("x|y|".into(), "a||b|".into(), String::new())
        );
    }
}
