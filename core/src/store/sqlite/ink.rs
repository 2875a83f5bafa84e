//! Writing planned events: rows, links, tree. Knows nothing of versions and expectations, which the
//! [`super::book`] has settled, nor of what the leaves hash, which [`super::seal`] has done.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use super::later::Later;
use super::links;
use super::names::{Names, Table};
use super::packed::Packing;
use super::seal::{Prepared, Seal, Sealer};
use super::tail::{Entry, INDEX_EVERY_IN_BULK, Tail};
use super::tiles::TreeWriter;
use crate::event::{Payload, SourceFields};
use crate::id::{EventId, EventType, StreamId};
use crate::integrity::Hash;
use crate::integrity::leaf::{Seed, TimeFlags};
use crate::position::{Position, Version};
use crate::store::extraction::Extraction;
use crate::store::{AppendedEvent, Head};
use crate::time::SourceTime;

/// An event whose place is settled.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) position: u64,
    pub(super) stream: i64,
    pub(super) stream_name: Arc<str>,
    pub(super) category: Arc<str>,
    pub(super) version: u64,
    pub(super) type_id: i64,
    pub(super) event_type: EventType,
    pub(super) time: SourceTime,
    pub(super) recorded_us: i64,
    pub(super) id: EventId,
    pub(super) schema_version: Option<String>,
    pub(super) source: SourceFields,
    pub(super) data_type: i64,
    pub(super) data: Payload,
    pub(super) metadata_type: Option<i64>,
    pub(super) metadata: Option<Payload>,
    pub(super) links: Vec<PlannedLink>,
}

impl Planned {
    /// Where it will stand.
    pub(super) fn place(&self) -> AppendedEvent {
        AppendedEvent {
            position: Position(self.position),
            version: Version(self.version),
            duplicate: false,
        }
    }
}

/// A further stream of an event, its place settled.
#[derive(Debug)]
pub(super) struct PlannedLink {
    pub(super) stream: i64,
    pub(super) name: StreamId,
    pub(super) version: u64,
    pub(super) qualifier: String,
}

/// The statement that writes an event. Where one column holds the salts, two of the values have no place.
fn insert_event(packing: Packing) -> String {
    let (columns, values) = match packing {
        Packing::NONE => ("salt_identity, salt_data, salt_metadata", "?21, ?22, ?23"),
        _ => ("salts", "?21"),
    };
    format!(
        "INSERT INTO events(position, stream, version, type, time_us, time_sub_ns, \
         time_flags, time_text, recorded_us, id, source, source_id, source_version, source_position, \
         source_recorded_us, source_recorded_sub_ns, actor, correlation, causation, schema_version, \
         {columns}, data_type, metadata_type, leaf, metadata, data) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, \
         {values}, ?24, ?25, ?26, ?27, ?28)"
    )
}

/// Statements held while many events are written.
struct Pens<'c> {
    event: CachedStatement<'c>,
    link: CachedStatement<'c>,
}

/// See the module.
pub(super) struct Ink {
    tree: TreeWriter,
    tail: Tail,
    actors: Names,
    /// Ids of sources, by name, for the rule in `extraction`.
    sources: HashMap<String, i64>,
    extraction: String,
    sealer: Sealer,
    seal: Seal,
    packing: Packing,
    insert_event: String,
    recorded_us: Option<i64>,
    /// Where links of ordinary appends are put.
    put: links::Put,
    /// Where links are put now.
    put_now: links::Put,
    /// What is not written before the end of a large bulk append, while one goes on.
    later: Option<Later>,
}

impl std::fmt::Debug for Ink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ink").finish_non_exhaustive()
    }
}

impl Ink {
    /// Takes up the pen at the end of the file, with the standard rule of extraction.
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Ink> {
        let put = links::Put::of(conn)?;
        let packing = Packing::of(conn)?;
        let mut ink = Ink {
            put,
            put_now: put,
            later: None,
            tree: TreeWriter::load(conn)?,
            tail: Tail::load(conn)?,
            actors: Names::load(conn, Table::Actors)?,
            sources: HashMap::new(),
            extraction: String::new(),
            sealer: Sealer::new(&Extraction::standard()),
            seal: Seal::default(),
            packing,
            insert_event: insert_event(packing),
            recorded_us: None,
        };
        ink.use_rule(&Extraction::standard());
        Ok(ink)
    }

    /// Extracts by this rule from now on, and says so of what is written.
    pub(super) fn use_rule(&mut self, rule: &Extraction) {
        self.sealer = Sealer::new(rule);
        self.extraction =
            serde_json::to_string(rule).expect("three lists of texts are always JSON");
        self.sources.clear();
    }

    /// Seals events with these seeds by the present rule and writes them, as [`Ink::write`] does.
    pub(super) fn seal_and_write(
        &mut self,
        conn: &Connection,
        planned: &[Planned],
        seeds: &[Seed],
    ) -> rusqlite::Result<()> {
        let each = planned.iter().zip(seeds);
        let prepared: Vec<Prepared> = each
            .map(|(event, seed)| {
                self.sealer
                    .prepare(&event.data, event.metadata.as_ref(), seed)
            })
            .collect();
        self.write(conn, planned.iter().zip(&prepared))
    }

    /// Writes events that were prepared: rows, links, leaves.
    pub(super) fn write<'e>(
        &mut self,
        conn: &Connection,
        events: impl Iterator<Item = (&'e Planned, &'e Prepared)>,
    ) -> rusqlite::Result<()> {
        let mut pens = self.pens(conn)?;
        for (planned, prepared) in events {
            let leaf = self.seal.leaf(planned, prepared);
            self.write_one(conn, &mut pens, planned, (prepared, leaf))?;
        }
        Ok(())
    }

    /// Writes events whose leaves are there, too, as [`Ink::write`] does.
    pub(super) fn write_sealed(
        &mut self,
        conn: &Connection,
        planned: &[Planned],
        sealed: &[(Prepared, Hash)],
    ) -> rusqlite::Result<()> {
        let mut pens = self.pens(conn)?;
        for (planned, (prepared, leaf)) in planned.iter().zip(sealed) {
            self.write_one(conn, &mut pens, planned, (prepared, *leaf))?;
        }
        Ok(())
    }

    fn pens<'c>(&self, conn: &'c Connection) -> rusqlite::Result<Pens<'c>> {
        Ok(Pens {
            event: conn.prepare_cached(&self.insert_event)?,
            link: conn.prepare_cached(self.put_now.insert())?,
        })
    }

    fn write_one(
        &mut self,
        conn: &Connection,
        pens: &mut Pens<'_>,
        planned: &Planned,
        (prepared, leaf): (&Prepared, Hash),
    ) -> rusqlite::Result<()> {
        let Prepared {
            salts,
            seed,
            extracted,
            ..
        } = prepared;
        let actor = match &extracted.actor {
            None => None,
            Some(name) => Some(self.actors.count(conn, name)?),
        };
        let source = match &planned.source.source {
            None => None,
            Some(name) => Some(self.source(conn, name)?),
        };
        let Planned {
            time,
            source: fields,
            ..
        } = planned;
        let packing = self.packing;
        let seeded = packing != Packing::NONE;
        let [identity_salt, data_salt, metadata_salt] = salts;
        pens.event.execute(params![
            planned.position,
            planned.stream,
            planned.version,
            planned.type_id,
            time.time.us(),
            time.time.sub_ns(),
            TimeFlags::of(time).0,
            time.text
                .as_deref()
                .map(|text| packing.time_text(time.time, text)),
            planned.recorded_us,
            packing.text(planned.id.as_str()),
            source,
            packing.optional(&fields.source_id),
            fields.source_version,
            fields.source_position,
            fields.source_recorded_at.map(|t| t.us()),
            fields.source_recorded_at.map(|t| t.sub_ns()),
            actor,
            packing.optional(&extracted.correlation),
            packing.optional(&extracted.causation),
            planned.schema_version,
            if seeded { seed } else { identity_salt },
            data_salt,
            planned.metadata.as_ref().map(|_| metadata_salt),
            planned.data_type,
            planned.metadata_type,
            leaf.0,
            planned.metadata.as_ref().map(|m| m.bytes.as_slice()),
            planned.data.bytes,
        ])?;
        match &mut self.later {
            None => {
                let home = None::<&str>;
                pens.link
                    .execute((planned.stream, planned.version, planned.position, home))?;
            }
            Some(later) => {
                later.link(planned.stream, planned.version, planned.position)?;
                if let Some(correlation) = &extracted.correlation {
                    later.correlation(correlation, planned.position)?;
                }
            }
        }
        for further in &planned.links {
            pens.link.execute((
                further.stream,
                further.version,
                planned.position,
                Some(further.qualifier.as_str()),
            ))?;
        }
        self.recorded_us = Some(planned.recorded_us);
        let entry = Entry {
            position: planned.position,
            type_id: planned.type_id,
            actor,
            stream: Some(planned.stream),
            time_us: time.time.us(),
            time_sub_ns: time.time.sub_ns(),
        };
        self.tail.push(entry, extracted.correlation.as_deref());
        self.tree.push(conn, leaf)
    }

    /// Returns the id of a source under the present rule, writing it if it is new.
    fn source(&mut self, conn: &Connection, name: &str) -> rusqlite::Result<i64> {
        if let Some(id) = self.sources.get(name) {
            return Ok(*id);
        }
        let found: Option<i64> = conn
            .prepare_cached("SELECT id FROM sources WHERE name = ?1 AND extraction = ?2")?
            .query_row((name, &self.extraction), |row| row.get(0))
            .optional()?;
        let id = match found {
            Some(id) => id,
            None => conn
                .prepare_cached(
                    "INSERT INTO sources(id, name, extraction)
                     VALUES ((SELECT coalesce(max(id), 0) + 1 FROM sources), ?1, ?2) RETURNING id",
                )?
                .query_row((name, &self.extraction), |row| row.get(0))?,
        };
        self.sources.insert(name.to_owned(), id);
        Ok(id)
    }

    /// Writes the actors' names and the head row; returns the head. `indexed` says where the tail begins: if it is
    /// the end, the entries of all events and the actors' numbers are written too.
    pub(super) fn flush(&mut self, conn: &Connection, indexed: u64) -> rusqlite::Result<Head> {
        let head = self.head();
        let whole = indexed == head.size.0;
        self.actors.flush(conn, whole)?;
        if whole {
            self.tail.flush(conn)?;
            if self.put == links::Put::Tail {
                links::move_tail(conn)?;
            }
        }
        conn.prepare_cached(
            "UPDATE head SET size = ?1, root = ?2, frontier = ?3, recorded_us = coalesce(?4, recorded_us),
             indexed = ?5",
        )?
        .execute((
            head.size.0,
            head.root.0,
            self.tree.frontier_bytes(),
            self.recorded_us,
            indexed,
        ))?;
        Ok(head)
    }

    /// Writes the entries that wait, if they are many. Only a transaction that ends with an empty tail may, since
    /// the head names one place where the tail begins.
    pub(super) fn index_many(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        if self.tail.len() >= INDEX_EVERY_IN_BULK {
            self.tail.flush(conn)?;
        }
        Ok(())
    }

    /// Whether links are put in their place at once. Only a transaction that ends with an empty tail may do so.
    pub(super) fn place_links_at_once(&mut self, at_once: bool) {
        self.put_now = match at_once {
            true => links::Put::Place,
            false => self.put,
        };
    }

    /// Leaves correlations and places in home streams of the events from now on to [`Ink::write_left`]; what is too much
    /// for memory goes to this folder. Only a transaction that ends with an empty tail may do so.
    pub(super) fn leave(&mut self, folder: &Path) {
        self.tail.leave_correlations(true);
        self.later = Some(Later::beside(folder, self.packing));
    }

    /// Writes what was left, if anything was.
    pub(super) fn write_left(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        self.tail.leave_correlations(false);
        match self.later.take() {
            Some(later) => later.write(conn),
            None => Ok(()),
        }
    }

    /// Size and root of what was written.
    pub(super) fn head(&self) -> Head {
        Head {
            size: Position(self.tree.frontier.size()),
            root: self.tree.frontier.root(),
        }
    }
}
