//! Personal data: what of it a log seems to hold, where a subject's is, its erasure, and legal holds against that.
//!
//! A model says which fields are personal and whose (`[personal]`). An erasure removes payloads with their salts and
//! is itself an event that holds the old hashes, so every proof still holds and a state says *erased*, not missing.
//! A hold keeps events of a matter from being erased until it is released; holds are events, too.
//!
//! Left out: copies elsewhere (backups, exports, packages), and whether an erasure is owed at all.

mod caches;
mod erase;
mod hold;
mod likely;
mod remains;
mod scan;
mod subject;
mod walk;

pub use caches::{CachesCleared, clear_caches};
pub use erase::{EraseRequest, ErasurePlan, ErasureReport, HeldEvent, PlannedEvent, erase, plan};
pub use hold::{Hold, HoldScope, HoldsView, hold, holds, release};
pub use likely::PersonalKind;
pub use remains::StayingValue;
pub use scan::{LikelyRow, PrivacyScanView, scan};
pub use subject::{How, Mention, SubjectEvent, SubjectView, subject};

use crate::store::{AppendError, ReadError};

/// Stream of erasures.
pub const ERASURES: &str = "annals-erasures";
/// Stream of legal holds.
pub const HOLDS: &str = "annals-holds";
/// Type of an erasure.
pub const PARTS_ERASED: &str = "PartsErased";
/// Type of a hold that was placed.
pub const HOLD_PLACED: &str = "HoldPlaced";
/// Type of a hold that was released.
pub const HOLD_RELEASED: &str = "HoldReleased";

/// What an erasure in a log does not reach: printed with every plan.
pub const NOT_REACHED: [&str; 4] = [
    "backups, copies, exports, reports and evidence packages made before hold what they held",
    "names of streams, ids of events and of sources stay: they carry the order and the proofs; let them name nobody",
    "the access log keeps what was asked, also where that names the subject",
    "bytes that the disk or file system keeps of a file after it was overwritten",
];

/// Why something about personal data was not done.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log could not be written.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The subject or the matter is empty or too long.
    #[error("{what} is empty or longer than 1,000 bytes")]
    BadText {
        /// Which text.
        what: &'static str,
    },
    /// No hold of this matter is in force.
    #[error("no hold of the matter {matter:?} is in force")]
    NoHold {
        /// The matter.
        matter: String,
    },
    /// The caller cancelled.
    #[error("cancelled; nothing was written")]
    Cancelled,
}

/// Holds a text of the user's against what it may be.
fn checked<'t>(text: &'t str, what: &'static str) -> Result<&'t str, PrivacyError> {
    let text = text.trim();
    if text.is_empty() || text.len() > 1_000 {
        return Err(PrivacyError::BadText { what });
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
