//! What hosts show of a search: the wire types.

use serde::Serialize;
use ts_rs::TS;

use crate::id::Actor;
use crate::position::Position;
use crate::store::EventBrief;

/// A page of what a search found: `annals events --text --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SearchView {
    /// Events that match, in the direction asked for.
    pub hits: Vec<SearchHit>,
    /// Position to read on after; `null` if nothing more matches. A page may hold fewer hits than asked for and
    /// still have a next one: it ends where much had to be looked at for little.
    pub next: Option<Position>,
    /// How the text was read: operators and phrases written out.
    pub reading: String,
    /// How far the search has looked.
    #[serde(flatten)]
    pub reach: Reach,
}

/// How far a search has looked: every event at or before `searched_to`, none after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct Reach {
    /// The last position that was looked at.
    pub searched_to: Position,
    /// The last position of the log when the search began, or of what was known where the query names that.
    pub head: Position,
    /// Whether all of it was looked at.
    pub complete: bool,
    /// What became of the text index, where that is worth saying: it was made anew, or lies in another place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<String>>", optional)]
    pub notes: Vec<String>,
}

/// An event that matches.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SearchHit {
    /// The event.
    pub event: EventBrief,
    /// Who did it.
    #[ts(type = "string | null")]
    pub actor: Option<Actor>,
    /// Where it matches, at most 8 places.
    pub matches: Vec<SearchMatch>,
    /// In how many further places it matches.
    #[ts(type = "number")]
    pub more: u64,
}

/// A text of an event in which something was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SearchMatch {
    /// In which part of the event it stands.
    pub part: SearchPart,
    /// The path in data or metadata; empty for the other parts.
    pub path: String,
    /// The name of the field was found, not its value.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[ts(as = "Option<bool>", optional)]
    pub key: bool,
    /// The text about what was found, cut into pieces.
    pub snippet: Vec<SnippetPiece>,
    /// The text goes on before the snippet.
    pub cut_before: bool,
    /// The text goes on after the snippet.
    pub cut_after: bool,
}

/// A piece of a snippet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct SnippetPiece {
    /// The text.
    pub text: String,
    /// It is what was found.
    pub marked: bool,
}

/// A part of an event that is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, TS)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SearchPart {
    /// Name of the home stream.
    Stream,
    /// Event type.
    Type,
    /// Actor.
    Actor,
    /// Id.
    Id,
    /// The source's own id.
    SourceId,
    /// Correlation id.
    Correlation,
    /// Causation id.
    Causation,
    /// The payload.
    Data,
    /// The context.
    Metadata,
}

/// How many events a search finds: `annals events --text --count --json`.
#[derive(Debug, Clone, Serialize, TS)]
#[ts(export)]
pub struct SearchCountView {
    /// How many events match, exactly, of those that were looked at.
    #[ts(type = "number")]
    pub count: u64,
    /// How the text was read.
    pub reading: String,
    /// How far the search has looked.
    #[serde(flatten)]
    pub reach: Reach,
}

/// How far the text index of a log is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS)]
#[ts(export)]
pub struct TextIndexView {
    /// Every event at or before this position is in it.
    pub covered: Position,
    /// The last position of the log.
    pub head: Position,
    /// Path of the cache that holds it; `null` where it is kept in memory.
    pub file: Option<String>,
    /// What is worth saying about it: it was made anew, or lies in another place.
    pub notes: Vec<String>,
}
