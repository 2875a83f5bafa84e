//! Bulk append, for imports: one transaction, all or nothing.

use std::collections::HashMap;
use std::sync::MutexGuard;

use super::book::Book;
use super::content;
use super::ink::Ink;
use super::open::append_error;
use super::schema;
use super::writer::{Core, LogWriter, make_id};
use crate::event::NewEvent;
use crate::id::{Category, EventId, MAX_NAME_BYTES, StreamId};
use crate::position::{Position, Version};
use crate::store::{AppendError, AppendedEvent, Extraction, Head};
use crate::time::Time;

/// Number of events from which on a bulk append drops the secondary indexes and builds them at its end, if it
/// is also large beside the log.
pub(super) const DEFER_FROM: u64 = 20_000;

/// A bulk append in progress: holds the write lock, so other appends wait. Dropped without [`Bulk::commit`],
/// nothing was written.
#[derive(Debug)]
pub struct Bulk<'w> {
    writer: &'w LogWriter,
    core: MutexGuard<'w, Core>,
    /// `None` after an error: the transaction is over.
    pens: Option<(Book, Ink)>,
    source: String,
    now: Time,
    /// Events that the log held before.
    before: u64,
    deferred: bool,
    /// Ids of this bulk append: first 8 bytes of their SHA-256.
    ids: HashMap<u64, Taken>,
}

/// An id that this bulk append has used.
#[derive(Debug, Clone, Copy)]
struct Taken {
    /// First 8 bytes of the hash of source, id and content.
    content: u64,
    position: u64,
    version: u64,
}

/// What the log did with one event of a bulk append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkOutcome {
    /// It was stored.
    Stored(AppendedEvent),
    /// The log held it already: same source, same id, same content.
    Duplicate(AppendedEvent),
    /// Its id was taken by other content; it was stored under an id of its own, with `source_id` kept.
    StoredUnderNewId(AppendedEvent),
}

impl LogWriter {
    /// Starts a bulk append: one transaction, all or nothing. `source` names where the events come from and
    /// is written into those that name no source of their own.
    ///
    /// # Errors
    /// [`AppendError::Locked`] if another program holds the file; [`AppendError`] of the engine.
    pub fn bulk(&self, source: &str, extraction: &Extraction) -> Result<Bulk<'_>, AppendError> {
        let mut core = self.core()?;
        let now = (core.surroundings.clock)();
        let (book, mut ink) = match core.begin() {
            Ok(pens) => pens,
            Err(error) => {
                core.roll_back();
                return Err(append_error(error));
            }
        };
        ink.use_rule(extraction);
        Ok(Bulk {
            writer: self,
            core,
            before: book.size,
            pens: Some((book, ink)),
            source: source.to_owned(),
            now,
            deferred: false,
            ids: HashMap::new(),
        })
    }
}

impl Bulk<'_> {
    /// Adds one event to the end of its stream.
    ///
    /// Identity is (source, id, content). The same record again is a duplicate. The same id with other content
    /// is stored under an id of its own, `<id>#<16 hexadecimal digits of the hash of its content>`, with the
    /// id as given in `source_id`; since that id follows from the content, importing it again finds a duplicate.
    ///
    /// # Errors
    /// [`AppendError::TooLarge`], [`AppendError::CategoryConflict`] and [`AppendError::LinkedTwice`] refuse this
    /// event alone; after any other error the bulk append is over and nothing was written.
    pub fn add(
        &mut self,
        stream: &StreamId,
        category: Option<&Category>,
        mut event: NewEvent,
    ) -> Result<BulkOutcome, AppendError> {
        if event.source.source.is_none() {
            event.source.source = Some(self.source.clone());
        }
        content::check(stream, &event)?;
        let (book, _) = self.pens.as_mut().ok_or(AppendError::Closed)?;
        book.check_category(&self.core.conn, stream, category)?;
        let Some(given) = event.id.clone() else {
            let id = make_id(&self.core.surroundings, self.now);
            return self
                .store(stream, category, id, event, None)
                .map(BulkOutcome::Stored);
        };
        let digest = content::digest(stream, &event);
        if let Some(found) = self.find(stream, &given, &event, &digest)? {
            match found {
                Found::Same(held) => return Ok(BulkOutcome::Duplicate(held)),
                Found::Other => {}
            }
        } else {
            return self
                .store(stream, category, given, event, Some(&digest))
                .map(BulkOutcome::Stored);
        }
        let own = own_id(&given, &digest);
        event
            .source
            .source_id
            .get_or_insert_with(|| given.to_string());
        event.id = Some(own.clone());
        match self.find(stream, &own, &event, &digest)? {
            None => self
                .store(stream, category, own, event, Some(&digest))
                .map(BulkOutcome::StoredUnderNewId),
            Some(Found::Same(held)) => Ok(BulkOutcome::Duplicate(held)),
            Some(Found::Other) => {
                let position = content::by_id(&self.core.conn, own.as_str())?
                    .map_or(Position::ZERO, |e| e.position);
                Err(AppendError::IdTaken { id: own, position })
            }
        }
    }

    /// Looks an id up among this bulk append's own and in the log.
    fn find(
        &self,
        stream: &StreamId,
        id: &EventId,
        event: &NewEvent,
        digest: &[u8; 32],
    ) -> Result<Option<Found>, AppendError> {
        if let Some(taken) = self.ids.get(&id_key(id)) {
            return Ok(Some(if taken.content == first_8(digest) {
                Found::Same(AppendedEvent {
                    position: Position(taken.position),
                    version: Version(taken.version),
                    duplicate: true,
                })
            } else {
                Found::Other
            }));
        }
        if self.before == 0 {
            return Ok(None);
        }
        let Some(stored) = content::by_id(&self.core.conn, id.as_str())? else {
            return Ok(None);
        };
        let same = content::same(&self.core.conn, &stored, stream, event).map_err(append_error)?;
        Ok(Some(if same {
            Found::Same(AppendedEvent {
                position: stored.position,
                version: stored.version,
                duplicate: true,
            })
        } else {
            Found::Other
        }))
    }

    fn store(
        &mut self,
        stream: &StreamId,
        category: Option<&Category>,
        id: EventId,
        event: NewEvent,
        digest: Option<&[u8; 32]>,
    ) -> Result<AppendedEvent, AppendError> {
        let key = id_key(&id);
        let stored = self.try_store(stream, category, id, event);
        match stored {
            Ok(stored) => {
                if let Some(digest) = digest {
                    self.ids.insert(
                        key,
                        Taken {
                            content: first_8(digest),
                            position: stored.position.0,
                            version: stored.version.0,
                        },
                    );
                }
                Ok(stored)
            }
            Err(error) => {
                self.pens = None;
                self.core.roll_back();
                Err(append_error(error))
            }
        }
    }

    fn try_store(
        &mut self,
        stream: &StreamId,
        category: Option<&Category>,
        id: EventId,
        event: NewEvent,
    ) -> rusqlite::Result<AppendedEvent> {
        let (book, ink) = self
            .pens
            .as_mut()
            .expect("checked by the caller: the transaction is open");
        let conn = &self.core.conn;
        let added = book.size - self.before;
        if !self.deferred && self.before == 0 && added >= DEFER_FROM {
            schema::drop_indexes(conn)?;
            self.deferred = true;
        }
        let planned = book.plan(conn, stream, category, id, self.now, event)?;
        ink.write(conn, &planned)?;
        Ok(AppendedEvent {
            position: Position(planned.position),
            version: Version(planned.version),
            duplicate: false,
        })
    }

    /// Builds what was left for last and commits; durable when it returns.
    ///
    /// # Errors
    /// [`AppendError`]; nothing was written.
    pub fn commit(mut self) -> Result<Head, AppendError> {
        let (book, mut ink) = self.pens.take().ok_or(AppendError::Closed)?;
        let finish = |core: &mut Core| -> rusqlite::Result<Head> {
            if self.deferred {
                schema::create_indexes(&core.conn)?;
            }
            ink.use_rule(&Extraction::standard());
            core.commit(book, ink)
        };
        match finish(&mut self.core) {
            Ok(head) => {
                // The write-ahead log of a large import is as large as the import.
                let _ = self.core.truncate_wal();
                self.writer.log().announce();
                Ok(head)
            }
            Err(error) => {
                self.core.roll_back();
                Err(append_error(error))
            }
        }
    }
}

impl Drop for Bulk<'_> {
    fn drop(&mut self) {
        if self.pens.is_some() {
            self.core.roll_back();
        }
    }
}

/// What stands under an id.
enum Found {
    Same(AppendedEvent),
    Other,
}

/// Derives the id of an event whose id other content holds.
fn own_id(id: &EventId, digest: &[u8; 32]) -> EventId {
    let suffix = format!("#{:016x}", first_8(digest));
    let mut end = id.as_str().len().min(MAX_NAME_BYTES - suffix.len());
    while !id.as_str().is_char_boundary(end) {
        end -= 1;
    }
    EventId::new(format!("{}{suffix}", &id.as_str()[..end]))
        .expect("not empty, and cut to the length of a name")
}

fn id_key(id: &EventId) -> u64 {
    use sha2::{Digest, Sha256};
    first_8(&Sha256::digest(id.as_str()).into())
}

fn first_8(digest: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}
