//! What is one for the whole log: the tree above the leaves, the head, counters, and the schema.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension};
use serde::Deserialize;

use super::derived;
use super::names::{ById, Counted, Names};
use super::rows::{Counts, Stretch};
use super::{Aim, LogCheck, Outcome, STRETCH};
use crate::event::Part;
use crate::id::LogId;
use crate::integrity::{Hash, tree};
use crate::position::Position;
use crate::store::ErasedPart;
use crate::store::sqlite::schema;
use crate::store::sqlite::tiles::TILE;
use crate::store::verify::{Checked, Grade, VerifyFindings, VerifyKind};

/// The one row of the head, as it stands.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) indexed: u64,
    root: Vec<u8>,
    frontier: Vec<u8>,
    recorded_us: Option<i64>,
}

impl Head {
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Head> {
        conn.query_row(
            "SELECT size, indexed, root, frontier, recorded_us FROM head",
            [],
            |row| {
                Ok(Head {
                    size: row.get(0)?,
                    indexed: row.get(1)?,
                    root: row.get(2)?,
                    frontier: row.get(3)?,
                    recorded_us: row.get(4)?,
                })
            },
        )
    }
}

/// Puts together what the threads found.
pub(super) fn join(
    conn: &Connection,
    id: LogId,
    head: &Head,
    names: &Names,
    aim: &Aim,
    outcome: Outcome<'_>,
) -> rusqlite::Result<LogCheck> {
    let Outcome {
        works,
        stretches,
        walks,
        unread,
        faults,
    } = outcome;
    let mut findings = VerifyFindings::default();
    let mut all = Counts::new(names);
    for work in works {
        findings.append(work.findings);
        all.join(&work.counts);
    }
    for (index, error) in &unread {
        let (from, to) = (index * STRETCH + 1, ((index + 1) * STRETCH).min(aim.size));
        let detail = format!("events from position {from} to {to} could not be read: {error}");
        findings.add_many(
            Grade::Gap,
            VerifyKind::Unreadable,
            Position(from),
            to + 1 - from,
            detail,
        );
    }
    let unread_part = |what: &str, result: rusqlite::Result<()>, findings: &mut VerifyFindings| {
        if let Err(error) = result {
            let detail = format!("{what} could not be read: {error}");
            findings.add(Grade::Gap, VerifyKind::Unreadable, None, detail);
        }
    };
    let beyond = beyond_end(conn, aim.size, &mut findings);
    unread_part("the log's end", beyond, &mut findings);
    recorded_between(&stretches, head, &mut findings);
    let above = tree_above(conn, aim, head, &stretches, &mut findings);
    let (root, roots, tiles) = above.unwrap_or_else(|error| {
        let detail = format!("stored tiles could not be read: {error}");
        findings.add(Grade::Gap, VerifyKind::Unreadable, None, detail);
        (None, Vec::new(), 0)
    });
    match faults {
        Ok(faults) => {
            for fault in faults {
                findings.add(Grade::Manipulation, VerifyKind::IndexDiffers, None, fault);
            }
        }
        Err(error) => unread_part(
            "names, or what is beside the events,",
            Err(error),
            &mut findings,
        ),
    }
    let mut checked = vec![
        Checked {
            what: "events hashed again from their bytes".into(),
            count: all.events,
        },
        Checked {
            what: "stored tiles of the tree made again".into(),
            count: tiles,
        },
        Checked {
            what: "streams with their versions in order".into(),
            count: names.streams.count,
        },
    ];
    let whole = unread.is_empty() && all.events == aim.size;
    for (table, walked) in walks {
        match walked {
            Ok(walked) => {
                let count = walked.sum.count + walked.further.count;
                checked.push(Checked {
                    what: table.what().into(),
                    count,
                });
                let compared = derived::compare(conn, aim, table, walked, &all.sums, &mut findings);
                unread_part(table.what(), compared, &mut findings);
            }
            Err(error) => findings.add(
                Grade::Gap,
                VerifyKind::Unreadable,
                None,
                format!("{} could not be read: {error}", table.what()),
            ),
        }
    }
    if whole {
        counters(names, &all, &mut findings);
    }
    let erased = erasures(conn, aim, &mut findings);
    unread_part("recorded erasures", erased, &mut findings);
    match super::imports::check(conn, aim.size, &mut findings) {
        Ok(count) => checked.push(Checked {
            what: "imports on the list, against themselves and their positions".into(),
            count,
        }),
        Err(error) => unread_part("the list of imports", Err(error), &mut findings),
    }
    let ruled = rules(conn, &mut findings);
    unread_part("the file's schema", ruled, &mut findings);
    checked.push(Checked {
        what: "events whose actor, correlation and causation were extracted again".into(),
        count: all.events - all.unextracted,
    });
    checked.sort_by_key(|a| order(&a.what));
    Ok(LogCheck {
        id,
        size: Position(aim.size),
        events: all.events,
        root,
        roots,
        checked,
        findings,
        not_checked: not_checked(&all),
    })
}

/// Walks end in any order; what was checked is told in this one.
fn order(what: &str) -> usize {
    let tables = derived::TABLES.iter().position(|t| t.what() == what);
    tables.map_or(0, |at| at + 1)
}

fn not_checked(all: &Counts) -> Vec<String> {
    let mut not = Vec::new();
    if all.erased_parts > 0 {
        let parts = counted(all.erased_parts, "erased part");
        not.push(format!("{parts} of events, for which a hash stands"));
    }
    if all.unextracted > 0 {
        let events = counted(all.unextracted, "event");
        not.push(format!(
            "actor, correlation and causation of {events}, of which a payload was erased or the rule cannot be read"
        ));
    }
    if all.erased_identities > 0 {
        let events = counted(all.erased_identities, "event");
        not.push(format!(
            "places in streams of {events}, whose identity was erased"
        ));
    }
    not
}

/// So many of something.
fn counted(count: u64, what: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

/// Events after the end, which the head does not count.
fn beyond_end(conn: &Connection, size: u64, findings: &mut VerifyFindings) -> rusqlite::Result<()> {
    let (count, first): (u64, Option<u64>) = conn.query_row(
        "SELECT count(*), min(position) FROM events WHERE position > ?1 OR position < 1",
        [size],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    if let Some(first) = first {
        findings.add_many(
            Grade::Manipulation,
            VerifyKind::EventAdded,
            Position(first),
            count,
            format!("{count} events stand after the log's end, which is at position {size}"),
        );
    }
    Ok(())
}

/// Recording times from one stretch to the next, and the last one.
fn recorded_between(stretches: &[Option<Stretch>], head: &Head, findings: &mut VerifyFindings) {
    let mut before: Option<i64> = None;
    for (index, stretch) in stretches.iter().enumerate() {
        let Some((first, last)) = stretch.as_ref().and_then(|stretch| stretch.recorded) else {
            continue;
        };
        if before.is_some_and(|before| before > first) {
            findings.add(
                Grade::Manipulation,
                VerifyKind::RecordedOrder,
                Position(index as u64 * STRETCH + 1),
                "recorded before the event at the position before it",
            );
        }
        before = Some(last);
    }
    if before != head.recorded_us && stretches.iter().all(Option::is_some) {
        findings.add(
            Grade::Manipulation,
            VerifyKind::CounterDiffers,
            Position(head.size),
            "the last event was not recorded when the head says",
        );
    }
}

/// Root, roots that were asked for, and how many stored tiles were compared.
type Above = (Option<Hash>, Vec<(u64, Hash)>, u64);

/// Makes the tree above the leaves, and compares it with stored tiles and head.
fn tree_above(
    conn: &Connection,
    aim: &Aim,
    head: &Head,
    stretches: &[Option<Stretch>],
    findings: &mut VerifyFindings,
) -> rusqlite::Result<Above> {
    let whole = stretches
        .iter()
        .flatten()
        .filter(|stretch| !stretch.broken)
        .count();
    let mut roots = Vec::new();
    if aim.sizes.first() == Some(&0) {
        roots.push((0, tree::empty_root()));
    }
    // The tree over roots of tiles: its frontier at n tiles is that of 256·n leaves.
    let mut over_tiles = tree::Frontier::default();
    let mut level: Vec<Hash> = Vec::new();
    let mut rest: &[Hash] = &[];
    for stretch in stretches.iter().take(whole).flatten() {
        for (size, within) in &stretch.at {
            let tiles = size / TILE as u64 - over_tiles.size();
            let mut at = over_tiles.clone();
            stretch
                .tiles
                .iter()
                .take(tiles as usize)
                .for_each(|root| at.push(*root));
            let all = [at.roots(), within].concat();
            roots.extend(tree::Frontier::from_parts(*size, all).map(|f| (*size, f.root())));
        }
        stretch.tiles.iter().for_each(|root| over_tiles.push(*root));
        level.extend_from_slice(&stretch.tiles);
        rest = &stretch.rest;
    }
    let tiles = upper_tiles(conn, level, findings)?;
    if whole < stretches.len() {
        return Ok((None, roots, tiles));
    }
    let mut last = tree::Frontier::default();
    rest.iter().for_each(|leaf| last.push(*leaf));
    let all = [over_tiles.roots(), last.roots()].concat();
    let Some(frontier) = tree::Frontier::from_parts(aim.size, all) else {
        return Ok((None, roots, tiles));
    };
    compare_head(head, &frontier, findings);
    Ok((Some(frontier.root()), roots, tiles))
}

fn compare_head(head: &Head, frontier: &tree::Frontier, findings: &mut VerifyFindings) {
    let kind = VerifyKind::HeadDiffers;
    let root = frontier.root();
    let said: Option<Hash> = head.root.as_slice().try_into().ok().map(Hash);
    let kept: Vec<Hash> = head
        .frontier
        .as_chunks::<32>()
        .0
        .iter()
        .map(|hash| Hash(*hash))
        .collect();
    // Where the head kept a root for each subtree, those that differ narrow the place down.
    let mut start = 0;
    let mut narrowed = false;
    let fits = kept.len() == frontier.roots().len();
    for (bit, (root, kept)) in ones(frontier.size()).zip(frontier.roots().iter().zip(&kept)) {
        let (from, to) = (start + 1, start + (1 << bit));
        start = to;
        if fits && root != kept {
            narrowed = true;
            findings.add(
                Grade::Manipulation,
                kind,
                Position(from),
                format!("the events from position {from} to {to} are not those that the head was made of"),
            );
        }
    }
    if said != Some(root) {
        let said = said.map_or("none".to_owned(), |root| root.to_string());
        findings.add(
            Grade::Manipulation,
            kind,
            None,
            format!("the leaves have root {root}, the head says {said}"),
        );
    } else if !narrowed && (!head.frontier.len().is_multiple_of(32) || kept != frontier.roots()) {
        findings.add(
            Grade::Manipulation,
            kind,
            None,
            "the head's frontier is not that of its events",
        );
    }
}

/// Places of the one bits of a number, largest first.
fn ones(n: u64) -> impl Iterator<Item = u32> {
    (0..u64::BITS).rev().filter(move |bit| n >> bit & 1 == 1)
}

/// Compares tiles above the leaves with the roots of those below; counts all, and finds those too many.
fn upper_tiles(
    conn: &Connection,
    mut below: Vec<Hash>,
    findings: &mut VerifyFindings,
) -> rusqlite::Result<u64> {
    let mut expected = below.len() as u64;
    let mut level = 1u32;
    let mut tile_of = conn.prepare("SELECT hashes FROM tiles WHERE level = ?1 AND idx = ?2")?;
    while below.len() >= TILE {
        let (tiles, _) = below.as_chunks::<TILE>();
        let mut above = Vec::new();
        for (idx, tile) in tiles.iter().enumerate() {
            let stored: Option<Vec<u8>> = tile_of
                .query_row((level, idx as u64), |row| row.get(0))
                .optional()?;
            let bytes: Vec<u8> = tile.iter().flat_map(|hash| hash.0).collect();
            if stored.as_deref() != Some(&bytes) {
                let what = if stored.is_some() {
                    "not made of those under it"
                } else {
                    "missing"
                };
                findings.add(
                    Grade::Manipulation,
                    VerifyKind::TileDiffers,
                    Position(((idx * TILE) as u64) << (8 * level) | 1),
                    format!("the tile {idx} of level {level} is {what}"),
                );
            }
            above.push(tree::root(tile));
        }
        expected += above.len() as u64;
        below = above;
        level += 1;
    }
    let stored: u64 = conn.query_row("SELECT count(*) FROM tiles", [], |row| row.get(0))?;
    if stored > expected {
        findings.add_many(
            Grade::Manipulation,
            VerifyKind::TileDiffers,
            None,
            stored - expected,
            format!("{stored} tiles are stored, and the log's events make {expected}"),
        );
    }
    Ok(expected)
}

/// Compares numbers and times that are kept beside names.
fn counters(names: &Names, all: &Counts, findings: &mut VerifyFindings) {
    let mut differ = |what: &str, name: &str, said: String, is: String| {
        let detail = format!("{what} {name:?} is said to have {said}, the events give {is}");
        findings.add(
            Grade::Manipulation,
            VerifyKind::CounterDiffers,
            None,
            detail,
        );
    };
    for (what, table, counts) in [
        ("type", &names.types, &all.types),
        ("actor", &names.actors, &all.actors),
    ] {
        let table: &ById<Counted> = table;
        for (id, name) in table
            .iter()
            .filter(|(id, n)| n.events as u64 != counts[*id])
        {
            differ(
                what,
                &name.name,
                format!("{} events", name.events),
                counts[id].to_string(),
            );
        }
    }
    let mut streams: BTreeMap<i64, i64> = BTreeMap::new();
    for (id, stream) in names.streams.iter() {
        *streams.entry(stream.category).or_default() += 1;
        let said = [stream.first, stream.last];
        let is = all.times[id];
        // A stream of which all was erased has times that nobody can make again.
        if all.erased_identities == 0 && is.is_some_and(|is| is != said) {
            differ(
                "stream",
                &stream.name,
                "other earliest and latest times".into(),
                "others".into(),
            );
        }
    }
    for (id, (category, said)) in names.categories.iter() {
        let is = all.categories[id];
        if category.events as u64 != is && all.erased_identities == 0 {
            differ(
                "category",
                &category.name,
                format!("{} events", category.events),
                is.to_string(),
            );
        }
        let is = streams.get(&(id as i64)).copied().unwrap_or(0);
        if *said != is {
            differ(
                "category",
                &category.name,
                format!("{said} streams"),
                is.to_string(),
            );
        }
    }
    let odd = names.streams.odd_ids + names.types.odd_ids + names.actors.odd_ids;
    if odd > 0 {
        findings.add_many(
            Grade::Manipulation,
            VerifyKind::NameDiffers,
            None,
            odd,
            format!("{odd} names have ids that no log gives"),
        );
    }
}

/// Asks the engine whether small tables agree with their indexes, by which names are found.
pub(super) fn small_tables(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let tables: Vec<String> = conn
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
             AND name NOT IN ('events', 'links', 'tiles', 'by_type', 'by_actor', 'by_time', 'by_correlation')",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    let mut faults = Vec::new();
    for table in tables {
        let quoted = table.replace('"', "\"\"");
        let mut check = conn.prepare(&format!("PRAGMA integrity_check(\"{quoted}\")"))?;
        let mut rows = check.query([])?;
        while let Some(row) = rows.next()? {
            let said: String = row.get(0)?;
            if said != "ok" {
                faults.push(format!("{table}: {said}"));
            }
        }
    }
    Ok(faults)
}

/// Erasures that name what is not there.
fn erasures(conn: &Connection, aim: &Aim, findings: &mut VerifyFindings) -> rusqlite::Result<()> {
    let mut wrong = conn.prepare(
        "SELECT x.position, x.part, x.event_position FROM erasures x
         WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.position = x.event_position AND e.position <= ?1)
            OR NOT EXISTS (SELECT 1 FROM events e WHERE e.position = x.position)",
    )?;
    let mut rows = wrong.query([aim.size])?;
    while let Some(row) = rows.next()? {
        let (position, part, by): (u64, String, u64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        findings.add(
            Grade::Manipulation,
            VerifyKind::ErasureDiffers,
            Position(position),
            format!("its {part} is said to be erased by the event at position {by}, and one of the two is not there"),
        );
    }
    // What an erasure took is written in its event, which the tree holds; the table alone could say anything.
    let mut recorded = conn.prepare(
        "SELECT x.position, x.part, x.hash, x.event_position, e.data FROM erasures x
         JOIN events e ON e.position = x.event_position WHERE e.position <= ?1
         ORDER BY x.event_position",
    )?;
    let mut rows = recorded.query([aim.size])?;
    let mut told = (0, BTreeSet::new());
    while let Some(row) = rows.next()? {
        let (position, part, by): (u64, String, u64) = (row.get(0)?, row.get(1)?, row.get(3)?);
        if told.0 != by {
            told = (
                by,
                told_parts(&row.get::<_, Option<Vec<u8>>>(4)?.unwrap_or_default()),
            );
        }
        let hash = row.get::<_, Vec<u8>>(2)?.try_into().ok().map(Hash);
        let of = Part::ALL.into_iter().find(|of| of.name() == part);
        let erased = of.zip(hash).map(|(part, hash)| ErasedPart {
            position: Position(position),
            part,
            hash,
        });
        if erased.is_none_or(|erased| !told.1.contains(&erased)) {
            findings.add(
                Grade::Manipulation,
                VerifyKind::ErasureDiffers,
                Position(position),
                format!("its {part} is gone, and the event at position {by}, which is said to have erased it, does not say so"),
            );
        }
    }
    Ok(())
}

/// What the event of an erasure says that it took.
fn told_parts(data: &[u8]) -> BTreeSet<ErasedPart> {
    let data: serde_json::Value = serde_json::from_slice(data).unwrap_or_default();
    let parts = data["parts"].as_array().into_iter().flatten();
    parts
        .filter_map(|told| ErasedPart::deserialize(told).ok())
        .collect()
}

/// Compares tables, indexes and triggers with those that a new log of its format got.
fn rules(conn: &Connection, findings: &mut VerifyFindings) -> rusqlite::Result<()> {
    let fresh = Connection::open_in_memory()?;
    let format = schema::format_of(conn)?;
    schema::create(&fresh, format)?;
    let load = |conn: &Connection| -> rusqlite::Result<BTreeMap<(String, String), String>> {
        conn.prepare(
            "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
        )?
        .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?)))?
        .collect()
    };
    let (want, have) = (load(&fresh)?, load(conn)?);
    let has_keys = crate::store::sqlite::ledger::are_there(conn)?;
    for ((kind, name), sql) in &want {
        let detail = match have.get(&(kind.clone(), name.clone())) {
            Some(other) if other == sql => continue,
            // An older build made it of another shape, and nothing was signed since.
            Some(_) if name.starts_with("checkpoints") && !has_keys => continue,
            Some(_) => format!("the {kind} {name} is not as Annals makes it"),
            // Tables that a log gets when it needs them come with their triggers.
            None if later(name) => continue,
            // A log of format 1 puts links in their place at once.
            None if name.starts_with("links_tail") && format < schema::FORMAT_LINKS_TAIL => {
                continue;
            }
            None => format!("the {kind} {name} is missing"),
        };
        findings.add(Grade::Manipulation, VerifyKind::SchemaDiffers, None, detail);
    }
    // This table comes with the first erasure.
    let known = |name: &str| name.starts_with("erasures_unfinished");
    let unknown = have
        .keys()
        .filter(|key| !want.contains_key(*key) && !known(&key.1));
    for (kind, name) in unknown {
        let detail = format!("there is a {kind} {name} that Annals did not make");
        findings.add(Grade::Manipulation, VerifyKind::SchemaDiffers, None, detail);
    }
    Ok(())
}

/// Whether a table, index or trigger may be missing in a log that an older build made.
fn later(name: &str) -> bool {
    ["import", "keys", "checkpoints", "attestations"]
        .iter()
        .any(|table| name.starts_with(table))
}
