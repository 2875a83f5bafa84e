//! Events with all that their leaves are made of, and the tree above them, from one moment of a log: what a proof that
//! travels is made of.

use std::cell::RefCell;
use std::ops::Range;

use rusqlite::OptionalExtension;

use super::log::{Log, head, sql_position};
use super::packed::Packing;
use super::plan::Plan;
use super::proofs::StoredTree;
use super::reader::Reader;
use super::verify::damaged;
use super::{recheck, row};
use crate::event::Event;
use crate::integrity::Hash;
use crate::integrity::leaf::Salt;
use crate::position::Position;
use crate::store::{EventQuery, Extraction, Head, LinkView, ReadError};

/// An event and what its leaf is made of. Its bytes make the leaf hash recorded with it.
#[derive(Debug, Clone)]
pub struct SealedEvent {
    /// The event.
    pub event: Event,
    /// Further streams that it is linked into.
    pub links: Vec<LinkView>,
    /// Leaf bytes (`docs/formats/leaf.md`).
    pub leaf: Vec<u8>,
    /// Identity bytes; of no use where the identity was erased.
    pub identity: Vec<u8>,
    /// Salts of identity, data and metadata; `None` where the part was erased or there is none.
    pub salts: [Option<Salt>; 3],
    /// The rule by which its actor, correlation and causation were extracted: index into
    /// [`SealedLog::rules`].
    pub rule: usize,
}

/// A log at one moment.
#[derive(Debug)]
pub struct SealedLog<'r> {
    reader: &'r Reader,
    packing: Packing,
    head: Head,
    links: row::FurtherLinks,
    /// By source; `None` is the source of events that have none.
    rules: RefCell<Vec<(Option<i64>, Extraction)>>,
}

impl Log {
    /// Runs work on the log as it is now: whatever it reads is of one moment.
    ///
    /// # Errors
    /// The work's own, and [`ReadError`] of the engine.
    pub fn sealed<T, E: From<ReadError>>(
        &self,
        work: impl FnOnce(&SealedLog<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.read(|reader| {
            let sealed = SealedLog {
                reader,
                packing: Packing::of(reader)?,
                head: head(reader)?,
                links: row::FurtherLinks::look(reader)?,
                rules: RefCell::default(),
            };
            Ok(work(&sealed))
        })?
    }
}

impl SealedLog<'_> {
    /// Size and root.
    #[must_use]
    pub fn head(&self) -> Head {
        self.head
    }

    /// Calls `each` with every event that the query matches, in its direction, until it returns `false`.
    ///
    /// # Errors
    /// [`ReadError::Damaged`] where an event does not make the leaf hash that was recorded with it; [`ReadError`] of
    /// the engine.
    pub fn for_each(
        &self,
        query: &EventQuery,
        each: &mut dyn FnMut(SealedEvent) -> bool,
    ) -> Result<(), ReadError> {
        let Some(plan) = Plan::make(self.reader, query)? else {
            return Ok(());
        };
        let mut failed = None;
        plan.read(
            self.reader,
            usize::MAX,
            &mut |event| match self.seal(event) {
                Ok(event) => each(event),
                Err(error) => {
                    failed = Some(error);
                    false
                }
            },
        )?;
        failed.map_or(Ok(()), Err)
    }

    /// How many events the query matches.
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn count(&self, query: &EventQuery) -> Result<u64, ReadError> {
        match Plan::make(self.reader, query)? {
            None => Ok(0),
            Some(plan) => plan.count(self.reader),
        }
    }

    /// Roots over ranges of indexes, each a subtree or the right edge of one ([`crate::integrity::tree::range_path`]).
    ///
    /// # Errors
    /// [`ReadError`] of the engine.
    pub fn roots(&self, under: Vec<Range<u64>>) -> Result<Vec<Hash>, ReadError> {
        let stored = StoredTree::new(self.reader)?;
        let roots = under.into_iter().map(|under| Ok(stored.root(under)?));
        roots.collect()
    }

    /// Rules of extraction of the events seen so far.
    #[must_use]
    pub fn rules(&self) -> Vec<Extraction> {
        let rules = self.rules.borrow();
        rules.iter().map(|(_, rule)| rule.clone()).collect()
    }

    fn seal(&self, event: Event) -> Result<SealedEvent, ReadError> {
        let position = event.position;
        let links = self.links.of(self.reader, position)?;
        let recheck::LeafParts {
            salts,
            identity,
            leaf,
            hash: _,
        } = recheck::sound_parts_of(self.reader, self.packing, &event, &links)?;
        Ok(SealedEvent {
            rule: self.rule_of(position)?,
            event,
            links,
            leaf,
            identity,
            salts,
        })
    }

    fn rule_of(&self, position: Position) -> Result<usize, ReadError> {
        let source: Option<i64> = self
            .reader
            .prepare_cached("SELECT source FROM events WHERE position = ?1")?
            .query_row([sql_position(position)], |row| row.get(0))?;
        let mut rules = self.rules.borrow_mut();
        if let Some(known) = rules.iter().position(|(of, _)| *of == source) {
            return Ok(known);
        }
        let rule = match source {
            None => Extraction::standard(),
            Some(id) => {
                let text: Option<String> = self
                    .reader
                    .prepare_cached("SELECT extraction FROM sources WHERE id = ?1")?
                    .query_row([id], |row| row.get(0))
                    .optional()?;
                let rule = text.and_then(|text| serde_json::from_str(&text).ok());
                let reason = "the rule of extraction of its source cannot be read";
                rule.ok_or_else(|| damaged(position, reason))?
            }
        };
        rules.push((source, rule));
        Ok(rules.len() - 1)
    }
}
