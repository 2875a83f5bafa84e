//! Text search over payloads, metadata and names. `docs/search.md` states what matches.
//!
//! | module | what it holds |
//! |---|---|
//! | `words` | from a text to the words that it is searched by |
//! | `query` | what a user wrote: terms and how they hold together |
//! | `document` | an event as the texts that are searched |
//! | `matching` | whether an event matches, and where |
//! | `candidates` | what of an event is indexed, and what the index is asked |
//! | `segment` | words of many events, sorted and packed |
//! | `lookup` | segments in the cache: written, put together, asked |
//! | `index` | the text index in the cache: built from where it ends |
//! | `ask` | pages and counts |
//! | `mentions` | events that hold a value in their payloads |
//! | `view` | what hosts show |
//!
//! Left out: reading the log ([`crate::store`]).

mod ask;
mod candidates;
mod document;
mod index;
mod lookup;
mod matching;
mod mentions;
mod query;
mod segment;
mod view;
mod words;

pub use index::{IndexProgress, SearchError, TextIndex};
pub use mentions::Mentioned;
pub use query::{QueryError, TextQuery};
pub use view::{
    Reach, SearchCountView, SearchHit, SearchMatch, SearchPart, SearchView, SnippetPiece,
    TextIndexView,
};

#[cfg(test)]
mod tests;
