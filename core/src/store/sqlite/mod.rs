//! The log in one SQLite file. `docs/formats/store.md` draws the file.
//!
//! | module | what it holds |
//! |---|---|
//! | `schema` | tables, indexes, triggers |
//! | `open` | which kind of connection is possible, and what is wrong where none is |
//! | `book`, `names`, `seal`, `ink`, `tiles` | what a writer knows and where events will stand; hashes; rows; the stored tree |
//! | `tail`, `links` | events that are not in every table yet; places in streams |
//! | `content` | when an event is one that the log holds already |
//! | `unnamed` | making a log |
//! | `writer`, `queue`, `commit` | appending: callers share commits |
//! | `bulk`, `ids`, `later`, `imports` | appending: imports, the ids that one has used, what one writes at its end, and the list of them |
//! | `log`, `row`, `query`, `plan`, `streams`, `density`, `detail` | reading |
//! | `times`, `wide` | how events lie along time, so that wide ranges of it are not walked along |
//! | `ahead` | reading pages while the ones before are worked on |
//! | `proofs` | proofs from the stored tree |
//! | `recheck` | whether one event is still what was recorded |
//! | `ledger` | what was signed over the log |
//! | `backup`, `restore`, `verify` | copies of a log, and whether they are what they say |
//! | `check` | verification of a whole log |
//! | `pick` | events at positions that somebody else's index found |
//! | `subscribe`, `pulse` | reading what comes, and whether something has come |

mod ahead;
mod backup;
mod book;
mod bulk;
mod check;
mod commit;
mod content;
mod density;
mod detail;
mod erase;
mod ids;
mod imports;
mod ink;
mod later;
mod ledger;
mod links;
mod log;
mod names;
mod open;
mod packed;
mod pick;
mod plan;
mod proofs;
mod pulse;
mod query;
mod queue;
mod reader;
mod recheck;
mod restore;
mod row;
mod salts;
mod schema;
mod seal;
mod sealed;
mod shares;
mod streams;
mod subscribe;
mod tail;
mod tiles;
mod times;
mod unnamed;
mod verify;
mod walk;
mod wide;
mod writer;

#[cfg(test)]
mod tests;

use crate::event::Event;
use crate::position::Version;

pub use backup::backup;
pub use bulk::{Bulk, BulkOutcome};
pub use check::{LogCheck, check};
pub use ledger::{LedgerAddition, LedgerError, LedgerNow, add_to_ledger};
pub use log::Log;
pub(crate) use open::is_full;
pub use pulse::Pulse;
pub use restore::restore;
pub(crate) use schema::APPLICATION_ID;
pub use sealed::{SealedEvent, SealedLog};
pub use subscribe::Subscription;
pub use times::{Block, Chunk, Times};
pub use unnamed::{UnnamedLog, left_in_the_making};
pub use writer::LogWriter;

/// An event at its place in the stream that was read (home or linked).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// Place in the stream that was read.
    pub version: Version,
    /// What the event is to that stream; empty at home.
    pub qualifier: String,
    /// The event.
    pub event: Event,
}

impl StreamEvent {
    /// An event in its home stream.
    pub(crate) fn at_home(event: Event) -> StreamEvent {
        StreamEvent {
            version: event.version,
            qualifier: String::new(),
            event,
        }
    }
}
