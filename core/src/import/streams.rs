//! The streams that an import meets.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash as _, Hasher as _};

use crate::id::{NameError, StreamId};
use crate::time::Time;

/// Hashes the same in every run: core has no random source of its own.
pub(super) type StableHasher = BuildHasherDefault<DefaultHasher>;

/// The streams of an import, numbered in the order in which they were first seen.
#[derive(Default)]
pub(super) struct Streams {
    /// By hash of the name; a name whose place is taken by another stands at the next free number.
    by_hash: HashMap<u64, u32, StableHasher>,
    pub list: Vec<Stream>,
}

/// A stream as far as the files were read.
pub(super) struct Stream {
    pub name: StreamId,
    /// Latest time so far.
    pub reached: Time,
    /// Time of the event before.
    pub last: Time,
    /// Whether that is the clock's, because no event before has a time.
    pub last_is_clock: bool,
    /// The source's number of the event before, where it is a number.
    pub last_version: Option<i64>,
    /// It holds no event yet.
    pub is_new: bool,
}

impl Streams {
    /// Number of the stream with this name, a new one if it was not met before.
    pub(super) fn index_of(&mut self, name: &str) -> Result<usize, NameError> {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        let mut hash = hasher.finish();
        while let Some(index) = self.by_hash.get(&hash) {
            let index = *index as usize;
            if self.list[index].name.as_str() == name {
                return Ok(index);
            }
            hash = hash.wrapping_add(1);
        }
        let name = StreamId::new(name)?;
        let index = self.list.len();
        self.by_hash.insert(hash, index as u32);
        self.list.push(Stream {
            name,
            reached: Time::MIN,
            last: Time::MIN,
            last_is_clock: false,
            last_version: None,
            is_new: true,
        });
        Ok(index)
    }

    /// Frees what only serves to find streams by name.
    pub(super) fn forget_names(&mut self) {
        self.by_hash = HashMap::default();
    }
}
