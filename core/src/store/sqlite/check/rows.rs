//! Events, read row by row and hashed again. One thread takes a stretch of positions at a time.

use std::borrow::Cow;

use rusqlite::types::ValueRef;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row};

use super::names::{Names, Stream};
use super::sums::{Key, Sum};
use super::{Aim, Progress, STRETCH};
use crate::event::Part;
use crate::integrity::leaf::{Identity, Leaf, NO_METADATA, Salt, TimeFlags, hash_part};
use crate::integrity::{Hash, tree};
use crate::position::Position;
use crate::store::sqlite::packed::{self, Packing};
use crate::store::sqlite::recheck::erased_hash;
use crate::store::sqlite::salts;
use crate::store::sqlite::tiles::TILE;
use crate::store::verify::{Grade, VerifyFindings, VerifyKind};
use crate::time::Time;

/// Columns of an event, in the order in which [`Work::event`] reads them. The last one says whether one is there of
/// those that most events lack, which then need not be asked for.
const COLUMNS: &str = "position, stream, version, type, time_us, time_sub_ns, time_flags, time_text, \
     recorded_us, id, source, source_id, source_version, source_position, source_recorded_us, \
     source_recorded_sub_ns, actor, correlation, causation, schema_version, {salts}, \
     data_type, metadata_type, leaf, metadata, data, \
     coalesce(source_id, source_version, source_position, source_recorded_us, causation, schema_version) IS NOT NULL";

/// What a stretch of events gives to the whole.
#[derive(Debug)]
pub(super) struct Stretch {
    /// Root of each full tile of leaves, as the rows hold them.
    pub(super) tiles: Vec<Hash>,
    /// Leaves after the last full tile.
    pub(super) rest: Vec<Hash>,
    /// Frontiers within a tile, at sizes that were asked for.
    pub(super) at: Vec<(u64, Vec<Hash>)>,
    /// Recording times of the first and the last event.
    pub(super) recorded: Option<(i64, i64)>,
    /// A leaf was not there to be had, so that there is no root.
    pub(super) broken: bool,
}

/// Sums over what other tables should hold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) by_type: Sum,
    pub(super) by_actor: Sum,
    pub(super) by_time: Sum,
    pub(super) by_correlation: Sum,
    pub(super) ids: Sum,
    pub(super) home: Sum,
    pub(super) linked: Sum,
}

impl Sums {
    fn join(&mut self, other: &Sums) {
        let Sums {
            by_type,
            by_actor,
            by_time,
            by_correlation,
            ids,
            home,
            linked,
        } = other;
        self.by_type.join(by_type);
        self.by_actor.join(by_actor);
        self.by_time.join(by_time);
        self.by_correlation.join(by_correlation);
        self.ids.join(ids);
        self.home.join(home);
        self.linked.join(linked);
    }
}

/// What was counted of events: by one thread, or by all together.
pub(super) struct Counts {
    pub(super) events: u64,
    pub(super) sums: Sums,
    pub(super) types: Vec<u64>,
    pub(super) actors: Vec<u64>,
    pub(super) categories: Vec<u64>,
    /// Earliest and latest time of each stream's events.
    pub(super) times: Vec<Option<[(i64, i64); 2]>>,
    /// Parts that were erased, and events whose columns can therefore not be extracted again.
    pub(super) erased_parts: u64,
    pub(super) erased_identities: u64,
    pub(super) unextracted: u64,
}

impl Counts {
    pub(super) fn new(names: &Names) -> Counts {
        Counts {
            events: 0,
            sums: Sums::default(),
            types: vec![0; names.types.end()],
            actors: vec![0; names.actors.end()],
            categories: vec![0; names.categories.end()],
            times: vec![None; names.streams.end()],
            erased_parts: 0,
            erased_identities: 0,
            unextracted: 0,
        }
    }

    /// Adds what another thread counted.
    pub(super) fn join(&mut self, other: &Counts) {
        let Counts {
            events,
            sums,
            types,
            actors,
            categories,
            times,
            erased_parts,
            erased_identities,
            unextracted,
        } = other;
        self.events += events;
        self.sums.join(sums);
        for (all, more) in [
            (&mut self.types, types),
            (&mut self.actors, actors),
            (&mut self.categories, categories),
        ] {
            all.iter_mut().zip(more).for_each(|(a, b)| *a += b);
        }
        for (range, more) in self.times.iter_mut().zip(times) {
            for time in more.iter().flatten() {
                widen(range, *time);
            }
        }
        self.erased_parts += erased_parts;
        self.erased_identities += erased_identities;
        self.unextracted += unextracted;
    }
}

/// What one thread has found so far.
pub(super) struct Work<'a> {
    names: &'a Names,
    key: &'a Key,
    aim: &'a Aim,
    pub(super) findings: VerifyFindings,
    pub(super) counts: Counts,
    identity_bytes: Vec<u8>,
    leaf_bytes: Vec<u8>,
}

impl<'a> Work<'a> {
    pub(super) fn new(names: &'a Names, key: &'a Key, aim: &'a Aim) -> Work<'a> {
        Work {
            names,
            key,
            aim,
            findings: VerifyFindings::default(),
            counts: Counts::new(names),
            identity_bytes: Vec::new(),
            leaf_bytes: Vec::new(),
        }
    }

    /// Counts the time of an event among those of a stream, if the stream's row tells of it.
    fn tell_time(&mut self, stream: i64, version: u64, position: u64, time: (i64, i64)) {
        let row = || self.names.streams.get(stream);
        if position <= self.aim.told || row().is_none_or(|row| version <= row.version as u64) {
            widen(&mut self.counts.times[stream as usize], time);
        }
    }

    /// Reads the events of one stretch, and hashes them again.
    pub(super) fn stretch(
        &mut self,
        conn: &Connection,
        index: u64,
        progress: &Progress,
    ) -> rusqlite::Result<Stretch> {
        let first = index * STRETCH;
        let end = (first + STRETCH).min(self.aim.size);
        let mut rows_of = conn.prepare_cached(&format!(
            "SELECT {} FROM events NOT INDEXED WHERE position > ?1 AND position <= ?2 ORDER BY position",
            COLUMNS.replace("{salts}", salts::columns(self.aim.packing))
        ))?;
        let mut links = Links::load(conn, self.names, self.aim.has_links, first, end)?;
        let mut leaves: Vec<Option<Hash>> = Vec::with_capacity((end - first) as usize);
        let mut recorded: Option<(i64, i64)> = None;
        let mut rows = rows_of.query([first, end])?;
        loop {
            let row = match rows.next() {
                Ok(row) => row,
                Err(error) => {
                    let at = first + leaves.len() as u64 + 1;
                    self.unreadable(at, end, &error);
                    break;
                }
            };
            let Some(row) = row else { break };
            let position: u64 = row.get(0)?;
            while first + (leaves.len() as u64) + 1 < position {
                leaves.push(None);
            }
            let us: i64 = row.get(8)?;
            if let Some((_, before)) = recorded.filter(|(_, before)| *before > us) {
                self.recorded_order(position, before, us);
            }
            recorded = Some((recorded.map_or(us, |(first, _)| first), us));
            let leaf = match self.event(conn, row, (Position(position), us), links.of(position)) {
                Ok(leaf) => leaf,
                Err(Odd(kind, reason)) => {
                    self.add(kind, position, reason);
                    row.get_ref(25).ok().and_then(hash)
                }
            };
            leaves.push(leaf);
            self.counts.events += 1;
            if position.is_multiple_of(256) {
                progress.advance(256 * 4);
                if progress.is_cancelled() {
                    break;
                }
            }
        }
        leaves.resize((end - first) as usize, None);
        self.tie(conn, first, leaves, recorded)
    }

    /// Compares the leaves with the stored tiles, and makes of them what the tree needs.
    fn tie(
        &mut self,
        conn: &Connection,
        first: u64,
        mut leaves: Vec<Option<Hash>>,
        recorded: Option<(i64, i64)>,
    ) -> rusqlite::Result<Stretch> {
        let mut tile_of =
            conn.prepare_cached("SELECT hashes FROM tiles WHERE level = 0 AND idx = ?1")?;
        for (n, chunk) in leaves.chunks_mut(TILE).enumerate() {
            let start = first + (n * TILE) as u64;
            let stored = stored_tile(&mut tile_of, start / TILE as u64)?;
            match &stored {
                Some(tile) if tile.len() == TILE && chunk.len() == TILE => {
                    if !chunk
                        .iter()
                        .zip(tile)
                        .all(|(leaf, tiled)| *leaf == Some(*tiled))
                    {
                        self.untie(start, chunk, tile);
                    }
                }
                None if chunk.len() < TILE => {}
                _ => self.findings.add(
                    Grade::Manipulation,
                    VerifyKind::TileDiffers,
                    Position(start + 1),
                    match &stored {
                        None => format!(
                            "the tile over positions {} to {} is missing",
                            start + 1,
                            start + TILE as u64
                        ),
                        Some(tile) => format!(
                            "the tile from position {} on holds {} hashes, where {} events are",
                            start + 1,
                            tile.len(),
                            chunk.len()
                        ),
                    },
                ),
            }
            for (i, leaf) in chunk
                .iter_mut()
                .enumerate()
                .filter(|(_, leaf)| leaf.is_none())
            {
                let position = start + i as u64 + 1;
                let tiled = stored.as_ref().and_then(|tile| tile.get(i).copied());
                self.findings.add(
                    Grade::Gap,
                    VerifyKind::EventMissing,
                    Position(position),
                    match tiled {
                        Some(hash) => format!(
                            "there is no event at position {position}; the tree holds one with the leaf hash {hash}"
                        ),
                        None => format!("there is no event at position {position}"),
                    },
                );
                // The tree goes on with what it holds itself.
                *leaf = tiled;
            }
        }
        let broken = leaves.iter().any(Option::is_none);
        let leaves: Vec<Hash> = leaves.into_iter().flatten().collect();
        let at = self
            .aim
            .sizes
            .iter()
            .filter(|size| !broken && **size > first && **size <= first + leaves.len() as u64);
        let at = at
            .map(|size| {
                let within = size - first;
                let start = (within - within % TILE as u64) as usize;
                (*size, frontier(&leaves[start..within as usize]))
            })
            .collect();
        let (tiles, rest) = leaves.as_chunks::<TILE>();
        Ok(Stretch {
            tiles: tiles.iter().map(|tile| tree::root(tile)).collect(),
            rest: rest.to_vec(),
            at,
            recorded,
            broken,
        })
    }

    /// Says which events of a tile are not those that it holds.
    fn untie(&mut self, start: u64, leaves: &[Option<Hash>], tile: &[Hash]) {
        for (i, (leaf, tiled)) in leaves.iter().zip(tile).enumerate() {
            let Some(leaf) = leaf.filter(|leaf| leaf != tiled) else {
                continue;
            };
            let from = tile.iter().position(|other| *other == leaf);
            let detail = match from {
                Some(from) => format!(
                    "another event stands here: the tree holds this one at position {}",
                    start + from as u64 + 1
                ),
                None => format!(
                    "this event was replaced after it was recorded: its leaf hash is {leaf}, the tree holds {tiled}"
                ),
            };
            self.add(VerifyKind::LeafReplaced, start + i as u64 + 1, detail);
        }
    }

    fn unreadable(&mut self, from: u64, to: u64, error: &rusqlite::Error) {
        self.findings.add_many(
            Grade::Gap,
            VerifyKind::Unreadable,
            Position(from),
            to + 1 - from,
            format!("events from position {from} to {to} could not be read: {error}"),
        );
    }

    pub(super) fn recorded_order(&mut self, position: u64, before: i64, us: i64) {
        let text =
            |us| Time::from_parts(us, 0).map_or_else(|| format!("{us} µs"), |t| t.to_string());
        self.add(
            VerifyKind::RecordedOrder,
            position,
            format!(
                "recorded at {}, before the event at the position before it ({})",
                text(us),
                text(before)
            ),
        );
    }

    fn add(&mut self, kind: VerifyKind, position: u64, detail: impl Into<String>) {
        let place = Position(position);
        self.findings.add(Grade::Manipulation, kind, place, detail);
    }

    /// Checks one event; returns the leaf hash that its row holds.
    fn event(
        &mut self,
        conn: &Connection,
        row: &Row<'_>,
        (at, recorded_us): (Position, i64),
        links: &[LinkRow],
    ) -> Result<Option<Hash>, Odd> {
        let position = at.0;
        let number = |column: usize| -> Result<i64, Odd> {
            row.get(column)
                .map_err(|_| Odd::new("a column of it is no number"))
        };
        let optional = |column: usize| -> Result<Option<i64>, Odd> {
            row.get(column)
                .map_err(|_| Odd::new("a column of it is no number"))
        };
        let text = |column: usize| match row.get_ref(column) {
            Ok(ValueRef::Null) => Ok(None),
            Ok(value) => value
                .as_str()
                .map(Some)
                .map_err(|_| Odd::new("a column of it is no text")),
            Err(_) => Err(Odd::new("a column of it cannot be read")),
        };
        let packed = |column: usize| {
            let value = row.get_ref(column);
            let value = value.map_err(|_| Odd::new("a column of it cannot be read"))?;
            if self.aim.packing != Packing::NONE && packed::is_loose(value) {
                return Err(Odd::new(
                    "a UUID of it is there as a text, where it is not looked for",
                ));
            }
            let text = packed::text(value);
            let text = text.map_err(|_| Odd::new("a column of it is no text"))?;
            // The bytes too, which are what the tables hold that find the event by it.
            Ok(text.map(|text| (text, value.as_bytes().unwrap_or_default())))
        };
        let plain = matches!(row.get_ref(28), Ok(ValueRef::Integer(0)));
        let rare = |column: usize| if plain { Ok(None) } else { text(column) };
        let names = self.names;
        let missing = |what: &str| {
            Odd(
                VerifyKind::NameDiffers,
                format!("its {what} has no name in the log"),
            )
        };

        let (stream_id, version, type_id) = (optional(1)?, number(2)?, number(3)?);
        let (time_us, sub_ns) = (number(4)?, number(5)?);
        let event_type = names.types.get(type_id).ok_or_else(|| missing("type"))?;
        let stream: Option<(&Stream, &str)> = match stream_id {
            None => None,
            Some(id) => {
                let stream = names.streams.get(id).ok_or_else(|| missing("stream"))?;
                let category = names.categories.get(stream.category);
                let (category, _) = category.ok_or_else(|| missing("category"))?;
                Some((stream, &category.name))
            }
        };
        let source = match optional(10)? {
            None => None,
            Some(id) => Some(names.sources.get(id).ok_or_else(|| missing("source"))?),
        };
        let data_type = names.content_types.get(number(23)?);
        let data_type = data_type.ok_or_else(|| missing("content type"))?;
        let metadata_type = match optional(24)? {
            None => None,
            Some(id) => {
                let name = names.content_types.get(id);
                Some(name.ok_or_else(|| missing("content type"))?)
            }
        };
        let id = packed(9)?;
        let [source_id, causation] = match plain {
            true => [None, None],
            false => [packed(11)?, packed(18)?],
        };
        let (data, metadata) = (blob(row, 27), blob(row, 26));
        let time = |us: i64, sub_ns: i64| {
            u16::try_from(sub_ns)
                .ok()
                .and_then(|sub_ns| Time::from_parts(us, sub_ns))
                .ok_or_else(|| Odd::new("a time of it lies outside the years 0001 to 9999"))
        };

        // The parts, each with its salt; where both are gone, the hash that an erasure left.
        let source_recorded_us = if plain { None } else { optional(14)? };
        let source_recorded_at = match source_recorded_us {
            None => None,
            Some(us) => Some(time(us, optional(15)?.unwrap_or(0))?),
        };
        let named: Vec<(&str, u64, &str)> = links
            .iter()
            .filter_map(|link| {
                let name = &names.streams.get(link.stream)?.name;
                Some((&**name, link.version, link.qualifier.as_str()))
            })
            .collect();
        let has_identity = match (&id, stream) {
            (Some((id, _)), Some((stream, category))) => {
                self.identity_bytes.clear();
                Identity {
                    id: id.as_str(),
                    stream: &stream.name,
                    category,
                    links: &named,
                    source: source.map(|s| &*s.name),
                    source_id: source_id.as_ref().map(|(text, _)| text.as_str()),
                    source_version: rare(12)?,
                    source_position: rare(13)?,
                    source_recorded_at,
                }
                .encode(&mut self.identity_bytes);
                true
            }
            (None, None) => false,
            _ => return Err(Odd::new("its identity is only half there")),
        };
        let mut erased = 0;
        let [identity_salt, data_salt, metadata_salt] = salts::read(row, 20, self.aim.packing)?;
        let mut part_hash =
            |part: Part, salt: Option<Salt>, bytes: Option<&[u8]>| -> Result<Hash, Odd> {
                match (salt, bytes) {
                    (Some(salt), Some(bytes)) => Ok(hash_part(part, &salt, bytes)),
                    (None, None) => {
                        erased += 1;
                        erased_hash(conn, at, part)?.ok_or_else(|| {
                            let what =
                                format!("its {} is gone, and no erasure is recorded", part.name());
                            Odd(VerifyKind::ErasureDiffers, what)
                        })
                    }
                    (_, None) => Err(Odd::new(format!(
                        "its {} is gone, and its salt is not",
                        part.name()
                    ))),
                    (None, _) => Err(Odd::new(format!("the salt of its {} is gone", part.name()))),
                }
            };
        let identity = part_hash(
            Part::Identity,
            identity_salt,
            has_identity.then_some(self.identity_bytes.as_slice()),
        )?;
        let data_hash = part_hash(Part::Data, data_salt, data)?;
        let metadata_hash = match metadata_type {
            None if metadata.is_some() => return Err(Odd::new("its metadata has no content type")),
            None => NO_METADATA,
            Some(_) => part_hash(Part::Metadata, metadata_salt, metadata)?,
        };
        let when = time(time_us, sub_ns)?;
        let time_text = row
            .get_ref(7)
            .map_err(|_| Odd::new("a column of it cannot be read"))?;
        let time_text = packed::time_text(time_text, when).map_err(|_| {
            Odd::new("its time as written is neither a text nor a number of digits")
        })?;
        let leaf = Leaf {
            event_type: &event_type.name,
            version: version as u64,
            time: when,
            time_flags: TimeFlags(
                u8::try_from(number(6)?).map_err(|_| Odd::new("its time flags are no byte"))?,
            ),
            time_text: time_text.as_ref().map(packed::Unpacked::as_str),
            recorded_us,
            schema_version: rare(19)?,
            data_type: &data_type.name,
            metadata_type: metadata_type.map(|metadata_type| &*metadata_type.name),
            identity,
            data: data_hash,
            metadata: metadata_hash,
        }
        .hash_with(&mut self.leaf_bytes);
        let recorded = hash(
            row.get_ref(25)
                .map_err(|_| Odd::new("its leaf hash cannot be read"))?,
        );
        if recorded != Some(leaf) {
            let said = recorded.map_or("none of 32 bytes".to_owned(), |hash| hash.to_string());
            self.add(
                VerifyKind::ContentChanged,
                position,
                format!("this event was changed after it was recorded: its bytes give the leaf hash {leaf}, recorded was {said}"),
            );
        }
        self.counts.erased_parts += erased;
        self.counts.erased_identities += u64::from(!has_identity);

        // What no leaf holds: columns for searching, and what other tables make of the event.
        let correlation = packed(17)?;
        let actor_id = optional(16)?;
        if erased == 0 {
            let rule = match source {
                None => Some(&names.standard),
                Some(source) => source.extractor.as_ref(),
            };
            match rule {
                None => self.counts.unextracted += 1,
                Some(rule) => {
                    let again = rule.look(
                        data.filter(|_| data_type.is_json),
                        metadata.filter(|_| metadata_type.is_some_and(|t| t.is_json)),
                    );
                    let actor = match actor_id {
                        None => None,
                        Some(id) => {
                            Some(&*names.actors.get(id).ok_or_else(|| missing("actor"))?.name)
                        }
                    };
                    let [correlation, causation] = [&correlation, &causation]
                        .map(|c| c.as_ref().map(|(text, _)| text.as_str()));
                    self.compare(position, &again, [actor, correlation, causation]);
                }
            }
        } else {
            self.counts.unextracted += 1;
        }
        let key = self.key;
        let when = (time_us, sub_ns);
        if let Some(stream_id) = stream_id {
            self.counts
                .sums
                .home
                .add(key, &[stream_id as u64, version as u64, position]);
            self.tell_time(stream_id, version as u64, position, when);
        }
        for link in links {
            let entry = [link.stream as u64, link.version, position];
            self.counts.sums.linked.add(key, &entry);
            self.tell_time(link.stream, link.version, position, when);
        }
        if let Some((_, id)) = id {
            self.counts.sums.ids.add_text(key, id, position);
        }
        if position <= self.aim.indexed {
            let time = [time_us as u64, sub_ns as u64];
            self.counts
                .sums
                .by_type
                .add(key, &[type_id as u64, position, time[0], time[1]]);
            self.counts.types[type_id as usize] += 1;
            if let Some(actor) = actor_id {
                self.counts
                    .sums
                    .by_actor
                    .add(key, &[actor as u64, position, time[0], time[1]]);
                if let Some(count) = self.counts.actors.get_mut(actor as usize) {
                    *count += 1;
                }
            }
            let stream_or_none = stream_id.map_or(0, |id| id as u64);
            self.counts
                .sums
                .by_time
                .add(key, &[time[0], time[1], position, stream_or_none]);
            if let Some((_, correlation)) = correlation {
                self.counts
                    .sums
                    .by_correlation
                    .add_text(key, correlation, position);
            }
            if let Some((stream, _)) = stream {
                self.counts.categories[stream.category as usize] += 1;
            }
        }
        Ok(recorded)
    }

    /// Compares what was extracted again with the columns.
    fn compare(
        &mut self,
        position: u64,
        again: &[Option<Cow<'_, str>>; 3],
        columns: [Option<&str>; 3],
    ) {
        for ((name, column), again) in ["actor", "correlation", "causation"]
            .into_iter()
            .zip(columns)
            .zip(again)
        {
            if column != again.as_deref() {
                let word =
                    |text: Option<&str>| text.map_or("none".to_owned(), |text| format!("{text:?}"));
                self.add(
                    VerifyKind::ColumnDiffers,
                    position,
                    format!(
                        "the {name} beside this event is {}, its payload says {}",
                        word(column),
                        word(again.as_deref())
                    ),
                );
            }
        }
    }
}

/// What is odd about an event, so that it cannot be hashed.
struct Odd(VerifyKind, String);

impl Odd {
    fn new(what: impl Into<String>) -> Odd {
        Odd(VerifyKind::ContentChanged, what.into())
    }
}

impl From<rusqlite::Error> for Odd {
    fn from(error: rusqlite::Error) -> Odd {
        Odd(VerifyKind::Unreadable, error.to_string())
    }
}

fn blob<'r>(row: &'r Row<'_>, column: usize) -> Option<&'r [u8]> {
    row.get_ref(column).ok()?.as_blob().ok()
}

fn hash(value: ValueRef<'_>) -> Option<Hash> {
    Some(Hash(value.as_blob().ok()?.try_into().ok()?))
}

fn stored_tile(tile: &mut CachedStatement<'_>, idx: u64) -> rusqlite::Result<Option<Vec<Hash>>> {
    let read = |row: &Row<'_>| {
        let (hashes, _) = row
            .get_ref(0)?
            .as_blob()
            .unwrap_or_default()
            .as_chunks::<32>();
        Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
    };
    tile.query_row([idx], read).optional()
}

/// Roots of the perfect subtrees over leaves, largest first.
fn frontier(leaves: &[Hash]) -> Vec<Hash> {
    let mut frontier = tree::Frontier::default();
    leaves.iter().for_each(|leaf| frontier.push(*leaf));
    frontier.roots().to_vec()
}

pub(super) fn widen(range: &mut Option<[(i64, i64); 2]>, time: (i64, i64)) {
    *range = Some(match *range {
        None => [time, time],
        Some([first, last]) => [first.min(time), last.max(time)],
    });
}

/// A further stream of an event.
#[derive(Debug)]
struct LinkRow {
    position: u64,
    stream: i64,
    version: u64,
    qualifier: String,
}

/// Links into further streams of a stretch of events, by position and name.
#[derive(Debug, Default)]
struct Links {
    all: Vec<LinkRow>,
    next: usize,
}

impl Links {
    fn load(
        conn: &Connection,
        names: &Names,
        are_there: bool,
        after: u64,
        to: u64,
    ) -> rusqlite::Result<Links> {
        if !are_there {
            return Ok(Links::default());
        }
        let mut all = conn
            .prepare_cached(
                "SELECT position, stream, version, qualifier FROM links INDEXED BY links_by_position
                 WHERE position > ?1 AND position <= ?2 AND qualifier IS NOT NULL
                 UNION ALL
                 SELECT position, stream, version, qualifier FROM links_tail INDEXED BY links_tail_by_position
                 WHERE position > ?1 AND position <= ?2 AND qualifier IS NOT NULL ORDER BY position",
            )?
            .query_map([after, to], |row| {
                Ok(LinkRow {
                    position: row.get(0)?,
                    stream: row.get(1)?,
                    version: row.get(2)?,
                    qualifier: row.get(3)?,
                })
            })?
            .collect::<rusqlite::Result<Vec<LinkRow>>>()?;
        // Links of streams without a name are found where the table of links is walked.
        all.retain(|link| names.streams.get(link.stream).is_some());
        let name = |link: &LinkRow| names.streams.get(link.stream).map(|stream| &stream.name);
        all.sort_by(|a, b| (a.position, name(a)).cmp(&(b.position, name(b))));
        Ok(Links { all, next: 0 })
    }

    /// The links of an event; events come in rising order.
    fn of(&mut self, position: u64) -> &[LinkRow] {
        let rest = &self.all[self.next..];
        let skipped = rest.partition_point(|link| link.position < position);
        let len = rest[skipped..].partition_point(|link| link.position == position);
        self.next += skipped + len;
        &self.all[self.next - len..self.next]
    }
}
