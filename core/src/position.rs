//! Places: of an event in its log, and of an event in its stream.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Place of an event in its log: first is 1, dense.
///
/// `Position(n)` also names the log's first `n` events, so [`Position::ZERO`] is the empty log.
/// Position order always agrees with version order inside a stream.
///
/// ```
/// use annals_core::position::Position;
/// assert_eq!(Position::ZERO.next(), Position(1));
/// assert_eq!(Position(u64::MAX).next(), Position(u64::MAX));
/// assert_eq!(Position(1).leaf_index(), Some(0));
/// assert_eq!(Position::ZERO.leaf_index(), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct Position(pub u64);

impl Position {
    /// The empty log.
    pub const ZERO: Position = Position(0);

    /// Returns the place that follows this one; the last one that a `u64` names follows itself.
    #[must_use]
    pub fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }

    /// Returns the leaf index of this place in the log's tree (position − 1), `None` for the empty log.
    #[must_use]
    pub fn leaf_index(self) -> Option<u64> {
        self.0.checked_sub(1)
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Place of an event in its stream: first is 1, dense, Annals' own (a source's number is kept beside it).
///
/// ```
/// use annals_core::position::Version;
/// assert_eq!(Version::NONE.next(), Version::FIRST);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, TS)]
#[ts(export)]
#[serde(transparent)]
#[ts(type = "number")]
pub struct Version(pub u64);

impl Version {
    /// The version of a stream that holds no event.
    pub const NONE: Version = Version(0);
    /// The version of a stream's first event.
    pub const FIRST: Version = Version(1);

    /// Returns the place that follows this one; the last one that a `u64` names follows itself.
    #[must_use]
    pub fn next(self) -> Version {
        Version(self.0.saturating_add(1))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
