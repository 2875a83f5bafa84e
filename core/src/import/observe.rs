//! The observer: a source that is imported again is compared with what was seen of it before.
//!
//! Each import keeps, for each file, where the event of each record stands in the log, in the file's order. The log
//! keeps what was seen, byte for byte; so records that changed, vanished, came in between or moved are found at the
//! next look, with the hash of what was there. It is a witness, not a lock: nothing is known of the time before the
//! first look, nor of what came and went between two.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use sha2::{Digest, Sha256};

use super::ImportError;
use super::report::{FileReport, Notes, SeenAgain};
use crate::event::Event;
use crate::finding::{FindingKind, Place, Severity};
use crate::id::EventId;
use crate::integrity::Hash;
use crate::position::Position;
use crate::store::{Head, LastSeen, Log, Positions, ReadError, SeenFile};
use crate::time::Time;

/// What a comparison cannot show: printed with every one.
pub const NOT_PROVED: [&str; 3] = [
    "nothing is known of a source before its first look, nor of what came and went between two looks",
    "a source is known by its name: a file renamed is another source, and two files that take turns under one name are one",
    "it was seen so: whether it is true, and who changed it, no look can tell",
];

/// What is known when files are compared.
pub(super) struct Look<'l> {
    /// The log as it was before.
    pub log: &'l Log,
    /// Ids as given of records whose id other content held.
    pub reused: &'l HashMap<Position, EventId>,
    /// A folder was imported, so that a file that it had before and has no more is missing.
    pub whole_folders: bool,
}

pub(super) fn unreadable(error: ReadError) -> ImportError {
    ImportError::Io {
        file: "what was seen before could not be read from the store".to_owned(),
        source: std::io::Error::other(error),
    }
}

/// Compares each file with what was seen of it before; tells in its report and in the findings.
pub(super) fn compare(
    look: &Look<'_>,
    seen: &[SeenFile],
    files: &mut [FileReport],
    notes: &mut Notes,
) -> Result<(), ReadError> {
    let head = look.log.head()?;
    let mut folder_imports = BTreeSet::new();
    for (file, now) in files.iter_mut().zip(seen) {
        if file.skipped.is_some() {
            continue;
        }
        let Some(before) = look.log.last_seen(&file.source)? else {
            continue;
        };
        if before.file.in_folder && now.in_folder {
            folder_imports.insert(before.import);
        }
        file.seen = Some(compare_file(look, head, &before, now, &file.file, notes)?);
    }
    if look.whole_folders {
        let here: HashSet<&str> = files.iter().map(|file| file.source.as_str()).collect();
        for import in folder_imports {
            for (name, records) in look.log.last_seen_in_folder(import)? {
                if !here.contains(name.as_str()) {
                    missing_file(look, &name, records, notes)?;
                }
            }
        }
    }
    Ok(())
}

fn missing_file(
    look: &Look<'_>,
    name: &str,
    records: u64,
    notes: &mut Notes,
) -> Result<(), ReadError> {
    let last = look.log.last_seen(name)?;
    let at = last.map_or(String::new(), |last| format!(", last seen {}", last.at));
    let place = Place {
        file: Some(name.to_owned()),
        ..Place::default()
    };
    notes.add_each(
        FindingKind::SourceVanished,
        Severity::Severe,
        place,
        format!("the file was in this folder{at} with {records} records, and is not there or cannot be read any more"),
    );
    Ok(())
}

/// What became of the records, by the places of their events.
#[derive(Debug, Default, PartialEq, Eq)]
struct Differences {
    /// Gone, and what is there instead.
    changed: Vec<(Position, Position)>,
    vanished: Vec<Position>,
    inserted: Vec<Position>,
    moved: Vec<Position>,
    appended: u64,
}

fn compare_file(
    look: &Look<'_>,
    head: Head,
    before: &LastSeen,
    now: &SeenFile,
    file: &str,
    notes: &mut Notes,
) -> Result<SeenAgain, ReadError> {
    let old = &before.file.positions;
    let new = &now.positions;
    let begins = || old.iter().eq(new.iter().take(old.len() as usize));
    let differences = if old.len() <= new.len() && begins() {
        Differences {
            appended: new.len() - old.len(),
            ..Differences::default()
        }
    } else {
        let ids = ById { look, head };
        let list = |positions: &Positions| positions.iter().collect::<Vec<_>>();
        differ(&list(old), &list(new), &ids)?
    };
    let told = Told {
        log: look.log,
        at: before.at,
        file,
    };
    for (gone, _) in &differences.changed {
        let detail =
            |was: &Event| format!("the record is there with other content; {}", told.was(was));
        told.tell(FindingKind::SourceChanged, *gone, detail, notes)?;
    }
    for gone in &differences.vanished {
        let detail = |was: &Event| format!("the record is not there any more; {}", told.was(was));
        told.tell(FindingKind::SourceVanished, *gone, detail, notes)?;
    }
    for moved in &differences.moved {
        let detail = |was: &Event| {
            format!(
                "the record comes at another place among the others than it did; {}",
                told.was(was)
            )
        };
        told.tell(FindingKind::SourceReordered, *moved, detail, notes)?;
    }
    if let Some(first) = differences.inserted.first() {
        let held = look.log.event(*first)?;
        let what = match &held {
            Some(event) => format!(", the first is {}", name_of(event)),
            None => String::new(),
        };
        let count = differences.inserted.len();
        notes.add_each(
            FindingKind::SourceInserted,
            Severity::Warning,
            Place {
                file: Some(file.to_owned()),
                ..Place::default()
            },
            format!(
                "{count} new or repeated records stand before or between ones that were seen {}{what}",
                before.at
            ),
        );
    }
    Ok(SeenAgain {
        looks: before.looks + 1,
        last_seen: before.at,
        before: old.len(),
        changed: differences.changed.len() as u64,
        vanished: differences.vanished.len() as u64,
        reordered: differences.moved.len() as u64,
        inserted: differences.inserted.len() as u64,
        appended: differences.appended,
    })
}

/// How findings about a file are told.
struct Told<'t> {
    log: &'t Log,
    /// When it was seen last.
    at: Time,
    file: &'t str,
}

impl Told<'_> {
    fn tell(
        &self,
        kind: FindingKind,
        position: Position,
        detail: impl Fn(&Event) -> String,
        notes: &mut Notes,
    ) -> Result<(), ReadError> {
        let Some(event) = self.log.event(position)? else {
            return Ok(());
        };
        let place = Place {
            file: Some(self.file.to_owned()),
            stream: event.stream.as_ref().map(ToString::to_string),
            version: Some(event.version),
            position: Some(position),
            ..Place::default()
        };
        notes.add_each(kind, Severity::Severe, place, detail(&event));
        Ok(())
    }

    /// What was there, and until when.
    fn was(&self, event: &Event) -> String {
        let hash = match &event.data {
            Some(data) => format!(
                "SHA-256 of its data {}",
                Hash(Sha256::digest(&data.bytes).into())
            ),
            None => "its data was erased here".to_owned(),
        };
        format!(
            "seen as {} until {}, which position {} keeps ({hash}, leaf {})",
            name_of(event),
            self.at,
            event.position,
            event.leaf
        )
    }
}

fn name_of(event: &Event) -> String {
    let id = event.source.source_id.as_deref();
    let id = id.or(event.id.as_ref().map(EventId::as_str));
    format!("{} {}", event.event_type, id.unwrap_or("(identity erased)"))
}

/// The ids of records as their source gave them.
struct ById<'l> {
    look: &'l Look<'l>,
    head: Head,
}

impl ById<'_> {
    /// `None` where nothing before can have had it.
    fn of(&self, position: Position) -> Result<Option<String>, ReadError> {
        if let Some(given) = self.look.reused.get(&position) {
            return Ok(Some(given.to_string()));
        }
        if position > self.head.size {
            return Ok(None);
        }
        let event = self.look.log.event(position)?;
        Ok(event.and_then(|event| {
            let id = event.id.map(|id| id.to_string());
            event.source.source_id.or(id)
        }))
    }
}

/// Compares two sequences of places. Records are the same where their events are. A record that went is *changed*
/// where one with its id came, or one that nobody had seen stands in its place between the same neighbours.
fn differ(old: &[Position], new: &[Position], ids: &ById<'_>) -> Result<Differences, ReadError> {
    let mut out = Differences::default();
    let (old, old_repeats) = each_once(old);
    let (new, new_repeats) = each_once(new);
    let old_at = index(&old);
    let new_at = index(&new);
    let common: Vec<usize> = new.iter().filter_map(|p| old_at.get(p).copied()).collect();
    out.moved = moved(&common).into_iter().map(|at| old[at]).collect();

    let mut gone: Vec<(Position, Option<Position>)> = gaps(&old, &new_at);
    let mut came: Vec<(Position, Option<Position>)> = gaps(&new, &old_at);
    pair_by_id(&mut gone, &mut came, ids, &mut out)?;
    if !common.is_empty() {
        pair_by_place(&mut gone, &mut came, &mut out);
    }
    out.vanished = gone.into_iter().map(|(position, _)| position).collect();

    // What comes after the last record that was seen before is growth, the rest came in between.
    let last = new
        .iter()
        .rposition(|position| old_at.contains_key(position));
    for (position, _) in came {
        if last.is_some_and(|last| new_at[&position] < last) {
            out.inserted.push(position);
        } else {
            out.appended += 1;
        }
    }
    for (position, times) in new_repeats {
        let before = old_repeats.get(&position).copied().unwrap_or(0);
        for _ in before..times {
            out.inserted.push(position);
        }
    }
    out.inserted.sort_unstable();
    Ok(out)
}

/// The places in order, each once, and how often each comes again.
fn each_once(places: &[Position]) -> (Vec<Position>, HashMap<Position, u64>) {
    let mut seen = HashSet::with_capacity(places.len());
    let mut again = HashMap::new();
    let mut once = Vec::with_capacity(places.len());
    for place in places {
        if seen.insert(*place) {
            once.push(*place);
        } else {
            *again.entry(*place).or_default() += 1;
        }
    }
    (once, again)
}

fn index(places: &[Position]) -> HashMap<Position, usize> {
    places.iter().enumerate().map(|(at, p)| (*p, at)).collect()
}

/// Those that the other side does not have, each with the neighbour before it that the other side has.
fn gaps(
    places: &[Position],
    other: &HashMap<Position, usize>,
) -> Vec<(Position, Option<Position>)> {
    let mut neighbour = None;
    let mut only = Vec::new();
    for place in places {
        if other.contains_key(place) {
            neighbour = Some(*place);
        } else {
            only.push((*place, neighbour));
        }
    }
    only
}

fn pair_by_id(
    gone: &mut Vec<(Position, Option<Position>)>,
    came: &mut Vec<(Position, Option<Position>)>,
    ids: &ById<'_>,
    out: &mut Differences,
) -> Result<(), ReadError> {
    let mut given: HashMap<String, VecDeque<Position>> = HashMap::new();
    for (position, _) in &*came {
        if let Some(id) = ids.of(*position)? {
            given.entry(id).or_default().push_back(*position);
        }
    }
    if given.is_empty() {
        return Ok(());
    }
    let mut paired = HashSet::new();
    let mut left = Vec::with_capacity(gone.len());
    for (position, neighbour) in gone.drain(..) {
        let id = ids.of(position)?;
        let partner = id.and_then(|id| given.get_mut(&id)?.pop_front());
        match partner {
            Some(partner) => {
                paired.insert(partner);
                out.changed.push((position, partner));
            }
            None => left.push((position, neighbour)),
        }
    }
    *gone = left;
    came.retain(|(position, _)| !paired.contains(position));
    Ok(())
}

fn pair_by_place(
    gone: &mut Vec<(Position, Option<Position>)>,
    came: &mut Vec<(Position, Option<Position>)>,
    out: &mut Differences,
) {
    let mut waiting: HashMap<Option<Position>, VecDeque<Position>> = HashMap::new();
    for (position, neighbour) in &*came {
        waiting.entry(*neighbour).or_default().push_back(*position);
    }
    let mut paired = HashSet::new();
    gone.retain(|(position, neighbour)| {
        let partner = waiting.get_mut(neighbour).and_then(VecDeque::pop_front);
        if let Some(partner) = partner {
            paired.insert(partner);
            out.changed.push((*position, partner));
        }
        partner.is_none()
    });
    came.retain(|(position, _)| !paired.contains(position));
}

/// Of numbers in an order, the fewest that must be taken out for the rest to grow (all but a longest increasing
/// subsequence), in the order given.
fn moved(order: &[usize]) -> Vec<usize> {
    // `ends[n]` is where the best growing run of length n + 1 ends; `before` chains each to the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; order.len()];
    for (at, value) in order.iter().enumerate() {
        let len = ends.partition_point(|end| order[*end] < *value);
        before[at] = len.checked_sub(1).map(|shorter| ends[shorter]);
        if len == ends.len() {
            ends.push(at);
        } else {
            ends[len] = at;
        }
    }
    let mut stays = vec![false; order.len()];
    let mut at = ends.last().copied();
    while let Some(here) = at {
        stays[here] = true;
        at = before[here];
    }
    order
        .iter()
        .zip(stays)
        .filter_map(|(value, stays)| (!stays).then_some(*value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::moved;

    #[test]
    fn the_fewest_that_moved_are_named() {
        assert_eq!(moved(&[0, 1, 2, 3]), [0; 0]);
        assert_eq!(moved(&[0, 2, 1, 3]).len(), 1);
        assert_eq!(moved(&[3, 0, 1, 2]), [3]);
        assert_eq!(moved(&[2, 1, 0]).len(), 2);
        assert_eq!(moved(&[]), [0; 0]);
    }
}
