//! A segment of the text index: the words of events that follow each other, and in which of them each stands.
//!
//! Words are sorted and written into blocks of about a page of the cache's file, each word by what differs from the one
//! before it, and behind it the places where it stands: the distances between them, or, where that is shorter, a bit for
//! each event. `docs/formats/cache.md` draws the bytes.

use std::hash::{BuildHasher, Hasher, RandomState};

use crate::varint::put;

/// Most events of a segment: an event in it is named by two bytes.
pub(super) const MAX_EVENTS: usize = 65_536;

/// Bytes from which on a block is written: with its row's head it still fits a page.
const BLOCK: usize = 3_500;

/// What is wrong with a block that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damaged;

/// Takes the first word of a block, and the block.
type EachBlock<'e, E> = &'e mut dyn FnMut(&[u8], &[u8]) -> Result<(), E>;

/// Gathers the words of events.
#[derive(Debug, Default)]
pub(super) struct Builder {
    hashing: Hashing,
    arena: Vec<u8>,
    words: Vec<Word>,
    /// Half of a word's hash, and its number and one, at the place that the hash tells or the next free one behind it; 0 is
    /// free. Most words are new, and so looked for here alone.
    slots: Vec<(u32, u32)>,
    /// In order: a word, and an event that it stands in.
    found: Vec<(u32, u16)>,
}

#[derive(Debug)]
struct Word {
    hash: u64,
    /// The first eight bytes, the first of them highest, zeros behind its end.
    begins: u64,
    start: usize,
    len: u16,
    /// How often it is in `found`.
    count: u32,
}

impl Builder {
    /// Bytes that it takes, about.
    pub(super) fn weight(&self) -> usize {
        self.arena.len()
            + self.words.len() * (size_of::<Word>() + 6 * size_of::<u32>())
            + self.found.len() * 2 * size_of::<(u32, u16)>()
    }

    /// Adds the words of an event, which is at this place of the segment: each once, with spaces between them. Events come
    /// in rising order.
    pub(super) fn add_event(&mut self, place: u16, words: &str) {
        for word in words.as_bytes().split(|byte| *byte == b' ') {
            if !word.is_empty() {
                self.add(word, place);
            }
        }
    }

    /// Adds a word; places of a word come in rising order.
    pub(super) fn add(&mut self, word: &[u8], place: u16) {
        let id = self.id(word);
        self.words[id as usize].count += 1;
        self.found.push((id, place));
    }

    /// Adds what a block holds, whose places lie `shift` behind those of this segment.
    pub(super) fn add_block(&mut self, block: &[u8], shift: u64) -> Result<(), Damaged> {
        let mut reader = Reader::new(block);
        while reader.next()? {
            let id = self.id(&reader.word);
            let Builder { words, found, .. } = self;
            reader.places.each(&mut |place| {
                let place = u16::try_from(u64::from(place) + shift).map_err(|_| Damaged)?;
                words[id as usize].count += 1;
                found.push((id, place));
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Takes the places out, for others to come before them.
    pub(super) fn part_with_places(&mut self) -> Vec<(u32, u16)> {
        std::mem::take(&mut self.found)
    }

    /// Takes back places that now lie `shift` behind where they were.
    pub(super) fn take_back(&mut self, places: Vec<(u32, u16)>, shift: u64) -> Result<(), Damaged> {
        self.found.reserve(places.len());
        for (id, place) in places {
            let place = u16::try_from(u64::from(place) + shift).map_err(|_| Damaged)?;
            self.found.push((id, place));
        }
        Ok(())
    }

    /// The number of a word, shorter than 64 KiB.
    fn id(&mut self, word: &[u8]) -> u32 {
        if self.words.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let (hash, begins) = (self.hashing.of(word), first_eight(word));
        let (tag, mask) = ((hash >> 32) as u32, self.slots.len() - 1);
        let mut at = hash as usize & mask;
        loop {
            let (there, number) = self.slots[at];
            let Some(id) = number.checked_sub(1) else {
                break;
            };
            if there == tag {
                let there = &self.words[id as usize];
                // A short word is all in its first eight bytes.
                if usize::from(there.len) == word.len()
                    && there.begins == begins
                    && (word.len() <= 8
                        || self.arena[there.start..there.start + word.len()] == *word)
                {
                    return id;
                }
            }
            at = (at + 1) & mask;
        }
        let len = u16::try_from(word.len());
        let len = len.expect("INVARIANT: of a longer word the index keeps a hundred bytes or so");
        let id = self.words.len() as u32;
        self.slots[at] = (tag, id + 1);
        self.words.push(Word {
            hash,
            begins,
            start: self.arena.len(),
            len,
            count: 0,
        });
        self.arena.extend_from_slice(word);
        id
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 4).max(1_024);
        self.slots.clear();
        self.slots.resize(len, (0, 0));
        for (id, word) in self.words.iter().enumerate() {
            let mut at = word.hash as usize & (len - 1);
            while self.slots[at].1 != 0 {
                at = (at + 1) & (len - 1);
            }
            self.slots[at] = ((word.hash >> 32) as u32, id as u32 + 1);
        }
    }

    /// Calls `each` with the blocks of all words, in order, and the first word of each. `events` is the number of events.
    pub(super) fn finish<E>(&self, events: usize, each: EachBlock<'_, E>) -> Result<(), E> {
        let Builder {
            hashing: _,
            arena,
            words,
            slots: _,
            found,
        } = self;
        // The places of each word together.
        let mut ends = Vec::with_capacity(words.len());
        let mut end = 0usize;
        for word in words.iter() {
            ends.push(end);
            end += word.count as usize;
        }
        let mut places = vec![0u16; found.len()];
        for (id, place) in found.iter() {
            let at = &mut ends[*id as usize];
            places[*at] = *place;
            *at += 1;
        }
        let text = |id: u32| {
            let word = &words[id as usize];
            &arena[word.start..word.start + usize::from(word.len)]
        };
        // By the first eight bytes, which are at hand, and by all only where these are the same.
        let mut order: Vec<(u64, u32)> = words
            .iter()
            .zip(0..)
            .map(|(word, id)| (word.begins, id))
            .collect();
        order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| text(a.1).cmp(text(b.1))));

        let mut writer = Writer::default();
        for (_, id) in order {
            let end = ends[id as usize];
            let start = end - words[id as usize].count as usize;
            writer.add(text(id), &places[start..end], events);
            if writer.block.len() >= BLOCK {
                writer.flush(each)?;
            }
        }
        writer.flush(each)
    }

    /// Forgets what it holds; its memory stays.
    pub(super) fn clear(&mut self) {
        self.arena.clear();
        self.words.clear();
        self.found.clear();
        self.slots.fill((0, 0));
    }
}

fn first_eight(word: &[u8]) -> u64 {
    let mut first = [0; 8];
    let len = word.len().min(8);
    first[..len].copy_from_slice(&word[..len]);
    u64::from_be_bytes(first)
}

/// How a table in memory hashes words: spread well, for a multiplication for eight bytes, of which both halves are folded.
///
/// Words are what others wrote. By numbers that can be read here somebody could find words that all come to one place of
/// a table, each of which would be compared with all of them; so each table has its own numbers, drawn as the standard
/// library draws those of its tables. Nothing that is written or answered depends on them: words go into a segment in
/// their order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hashing {
    start: u64,
    by: u64,
}

impl Default for Hashing {
    fn default() -> Hashing {
        let draw = || RandomState::new().build_hasher().finish();
        Hashing {
            start: draw(),
            by: draw() | 1,
        }
    }
}

impl Hashing {
    pub(super) fn of(self, word: &[u8]) -> u64 {
        let fold = |a: u64| {
            let product = u128::from(a) * u128::from(self.by);
            (product as u64) ^ ((product >> 64) as u64)
        };
        let (words, rest) = word.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let start = self.start ^ word.len() as u64;
        words.iter().chain([&last]).fold(start, |hash, word| {
            fold(hash.rotate_left(23) ^ self.start ^ u64::from_le_bytes(*word))
        })
    }
}

/// Writes blocks.
#[derive(Debug, Default)]
struct Writer {
    block: Vec<u8>,
    first: Vec<u8>,
    before: Vec<u8>,
    scratch: Vec<u8>,
}

impl Writer {
    fn add(&mut self, word: &[u8], places: &[u16], events: usize) {
        let Writer {
            block,
            first,
            before,
            scratch,
        } = self;
        if block.is_empty() {
            first.clear();
            first.extend_from_slice(word);
            before.clear();
        }
        let shared = before.iter().zip(word).take_while(|(a, b)| a == b).count();
        put(block, shared as u64);
        put(block, (word.len() - shared) as u64);
        block.extend_from_slice(&word[shared..]);
        before.truncate(shared);
        before.extend_from_slice(&word[shared..]);

        scratch.clear();
        let bits = events.div_ceil(8);
        let mut next = 0;
        for place in places {
            put(scratch, u64::from(*place) - next);
            next = u64::from(*place) + 1;
            if scratch.len() >= bits {
                break;
            }
        }
        let as_bits = scratch.len() >= bits;
        if as_bits {
            scratch.clear();
            scratch.resize(bits, 0);
            for place in places {
                scratch[usize::from(*place / 8)] |= 1 << (place % 8);
            }
        }
        put(block, (scratch.len() as u64) << 1 | u64::from(as_bits));
        block.extend_from_slice(scratch);
    }

    fn flush<E>(&mut self, each: EachBlock<'_, E>) -> Result<(), E> {
        if !self.block.is_empty() {
            each(&self.first, &self.block)?;
            self.block.clear();
        }
        Ok(())
    }
}

/// Reads a block, word by word.
#[derive(Debug)]
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    /// The word.
    pub(super) word: Vec<u8>,
    /// Where it stands.
    pub(super) places: Places<'b>,
}

impl<'b> Reader<'b> {
    pub(super) fn new(block: &'b [u8]) -> Reader<'b> {
        Reader {
            rest: block,
            word: Vec::new(),
            places: Places {
                bytes: &[],
                as_bits: false,
            },
        }
    }

    /// Goes on to the next word; says whether there is one.
    pub(super) fn next(&mut self) -> Result<bool, Damaged> {
        if self.rest.is_empty() {
            return Ok(false);
        }
        let shared = take_len(&mut self.rest)?;
        if shared > self.word.len() {
            return Err(Damaged);
        }
        self.word.truncate(shared);
        let len = take_len(&mut self.rest)?;
        self.word
            .extend_from_slice(take_bytes(&mut self.rest, len)?);
        let head = take_len(&mut self.rest)?;
        self.places = Places {
            bytes: take_bytes(&mut self.rest, head >> 1)?,
            as_bits: head & 1 == 1,
        };
        Ok(true)
    }
}

/// Where a word stands, as a block holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'b> {
    bytes: &'b [u8],
    as_bits: bool,
}

impl Places<'_> {
    /// Calls `each` with the places, in rising order.
    pub(super) fn each(
        self,
        each: &mut dyn FnMut(u16) -> Result<(), Damaged>,
    ) -> Result<(), Damaged> {
        if self.as_bits {
            for (n, byte) in self.bytes.iter().enumerate() {
                let mut left = *byte;
                while left != 0 {
                    let place = n * 8 + left.trailing_zeros() as usize;
                    each(u16::try_from(place).map_err(|_| Damaged)?)?;
                    left &= left - 1;
                }
            }
            return Ok(());
        }
        let mut rest = self.bytes;
        let mut next = 0usize;
        while !rest.is_empty() {
            let place = next.checked_add(take_len(&mut rest)?).ok_or(Damaged)?;
            each(u16::try_from(place).map_err(|_| Damaged)?)?;
            next = place + 1;
        }
        Ok(())
    }

    /// Sets a bit for each place.
    pub(super) fn mark(self, bits: &mut Bits) -> Result<(), Damaged> {
        let Bits(all) = bits;
        if !self.as_bits {
            return self.each(&mut |place| {
                let word = all.get_mut(usize::from(place / 64)).ok_or(Damaged)?;
                *word |= 1 << (place % 64);
                Ok(())
            });
        }
        if self.bytes.len() > all.len() * 8 {
            return Err(Damaged);
        }
        for (word, bytes) in all.iter_mut().zip(self.bytes.chunks(8)) {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            *word |= u64::from_le_bytes(eight);
        }
        Ok(())
    }
}

/// Some events of a segment: a bit for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    /// None of so many.
    pub(super) fn none(events: usize) -> Bits {
        Bits(vec![0; events.div_ceil(64)])
    }

    pub(super) fn is_none(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Those that are in both.
    pub(super) fn and(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= b);
    }

    /// Those that are in one of the two.
    pub(super) fn or(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    /// Those that are not in the other one.
    pub(super) fn without(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a &= !b);
    }

    /// Leaves those from `low` to `high`, both inclusive.
    pub(super) fn keep(&mut self, low: usize, high: usize) {
        for (n, word) in self.0.iter_mut().enumerate() {
            let (first, last) = (n * 64, n * 64 + 63);
            if last < low || first > high {
                *word = 0;
                continue;
            }
            if first < low {
                *word &= u64::MAX << (low - first);
            }
            if last > high {
                *word &= u64::MAX >> (last - high);
            }
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Calls `each` with those that are there, in order or backwards, until it says that it is enough.
    pub(super) fn each(&self, backwards: bool, each: &mut dyn FnMut(u64) -> bool) {
        let words = self.0.len();
        for n in 0..words {
            let n = if backwards { words - 1 - n } else { n };
            let mut left = self.0[n];
            while left != 0 {
                let bit = match backwards {
                    false => left.trailing_zeros(),
                    true => 63 - left.leading_zeros(),
                };
                if !each(n as u64 * 64 + u64::from(bit)) {
                    return;
                }
                left &= !(1 << bit);
            }
        }
    }
}

fn take_len(rest: &mut &[u8]) -> Result<usize, Damaged> {
    let mut number = 0usize;
    for shift in [0, 7, 14, 21] {
        let (byte, behind) = rest.split_first().ok_or(Damaged)?;
        *rest = behind;
        number |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Damaged)
}

fn take_bytes<'b>(rest: &mut &'b [u8], len: usize) -> Result<&'b [u8], Damaged> {
    let (taken, behind) = rest.split_at_checked(len).ok_or(Damaged)?;
    *rest = behind;
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type All = BTreeMap<Vec<u8>, Vec<u16>>;

    fn blocks(builder: Builder, events: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut blocks = Vec::new();
        builder
            .finish(events, &mut |first, block| {
                blocks.push((first.to_vec(), block.to_vec()));
                Ok::<(), ()>(())
            })
            .unwrap();
        blocks
    }

    fn read(blocks: &[(Vec<u8>, Vec<u8>)], events: usize) -> All {
        let mut all = All::new();
        for (first, block) in blocks {
            let mut reader = Reader::new(block);
            let mut is_first = true;
            while reader.next().unwrap() {
                assert!(!is_first || reader.word == *first);
                is_first = false;
                let mut places = Vec::new();
                reader
                    .places
                    .each(&mut |place| {
                        places.push(place);
                        Ok(())
                    })
                    .unwrap();
                let mut bits = Bits::none(events);
                reader.places.mark(&mut bits).unwrap();
                assert_eq!(bits.count(), places.len() as u64);
                let mut marked = Vec::new();
                bits.each(false, &mut |place| {
                    marked.push(place as u16);
                    true
                });
                assert_eq!(marked, places);
                all.insert(reader.word.clone(), places);
            }
        }
        all
    }

    fn built(all: &All, events: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut builder = Builder::default();
        for (word, places) in all {
            places.iter().for_each(|place| builder.add(word, *place));
        }
        blocks(builder, events)
    }

    #[test]
    fn no_table_hashes_words_as_another_one_does_and_what_is_written_is_the_same() {
        let all: All = (0..500u16)
            .map(|n| (format!("word{n}").into_bytes(), vec![n]))
            .collect();
        let (one, other) = (Hashing::default(), Hashing::default());
        let differ = all.keys().filter(|word| one.of(word) != other.of(word));
        assert_eq!(differ.count(), all.len());
        assert_eq!(built(&all, 500), built(&all, 500));
    }

    #[test]
    fn many_words_come_back_from_many_blocks() {
        let mut all: All = (0..20_000u32)
            .map(|n| {
                (
                    format!("{:x}", n.wrapping_mul(2_654_435_761)).into_bytes(),
                    vec![n as u16],
                )
            })
            .collect();
        all.insert(b"everywhere".to_vec(), (0..=u16::MAX).collect());
        all.insert(b"often".to_vec(), (0..=u16::MAX).step_by(3).collect());
        let blocks = built(&all, MAX_EVENTS);
        assert!(blocks.len() > 10 && blocks.is_sorted());
        assert!(read(&blocks, MAX_EVENTS) == all);
    }

    #[test]
    fn what_is_cut_off_or_changed_is_damaged_and_no_panic() {
        let all = All::from([(b"ab".to_vec(), vec![1, 300]), (b"abc".to_vec(), vec![2])]);
        let (_, whole) = &built(&all, 4_000)[0];
        for at in 0..whole.len() {
            for byte in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] = byte;
                changed.truncate(at + 1 + usize::from(byte) % 3);
                let mut reader = Reader::new(&changed);
                while let Ok(true) = reader.next() {
                    let _ = reader.places.mark(&mut Bits::none(64));
                    let _ = reader.places.each(&mut |_| Ok(()));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn segments_that_are_put_together_hold_both(
            some in prop::collection::btree_map("[a-d]{1,3}", prop::collection::btree_set(0..40u16, 1..40), 0..12),
            more in prop::collection::btree_map("[a-d]{1,3}", prop::collection::btree_set(0..40u16, 1..40), 0..12),
        ) {
            let all = |some: &BTreeMap<String, std::collections::BTreeSet<u16>>, shift: u16| -> All {
                let all = some.iter();
                all.map(|(w, p)| (w.clone().into_bytes(), p.iter().map(|p| p + shift).collect())).collect()
            };
            let (left, right) = (built(&all(&some, 0), 40), built(&all(&more, 0), 40));
            let mut builder = Builder::default();
            for (_, block) in &left {
                builder.add_block(block, 0).unwrap();
            }
            for (_, block) in &right {
                builder.add_block(block, 40).unwrap();
            }
            let mut want = all(&some, 0);
            for (word, places) in all(&more, 40) {
                want.entry(word).or_default().extend(places);
            }
            prop_assert_eq!(read(&blocks(builder, 80), 80), want);
        }

        #[test]
        fn events_are_kept_between_two(
            all in prop::collection::btree_set(0..200usize, 0..50), low in 0..210usize, high in 0..210usize,
        ) {
            let mut bits = Bits::none(200);
            all.iter().for_each(|place| bits.0[place / 64] |= 1 << (place % 64));
            bits.keep(low, high);
            let mut left = Vec::new();
            bits.each(true, &mut |place| { left.push(place as usize); true });
            let want: Vec<usize> = all.into_iter().rev().filter(|p| (low..=high).contains(p)).collect();
            prop_assert_eq!(left, want);
        }
    }
}
