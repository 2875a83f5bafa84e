//! How far a piece of long work is, and its cancel switch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared between the work and whoever watches it; a clone counts and is cancelled with the one that it is of. What the numbers count, the work says: events, unless it
/// says otherwise.
///
/// ```
/// let progress = annals_core::progress::WorkProgress::default();
/// progress.expect(10);
/// progress.advance(3);
/// assert_eq!(progress.now(), (3, 10));
/// ```
#[derive(Debug, Clone, Default)]
pub struct WorkProgress {
    done: Arc<AtomicU64>,
    total: Arc<AtomicU64>,
    cancelled: Arc<AtomicBool>,
}

impl WorkProgress {
    /// Starts to count up to `total`; a piece of work with several passes starts anew for each.
    pub fn expect(&self, total: u64) {
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Counts `more` as done.
    pub fn advance(&self, more: u64) {
        self.done.fetch_add(more, Ordering::Relaxed);
    }

    /// Says how much is done.
    pub fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// How much is done, and of how much. The total is 0 until it is known.
    #[must_use]
    pub fn now(&self) -> (u64, u64) {
        (
            self.done.load(Ordering::Relaxed),
            self.total.load(Ordering::Relaxed),
        )
    }

    /// Asks the work to stop; says whether that was asked before.
    pub fn cancel(&self) -> bool {
        self.cancelled.swap(true, Ordering::Relaxed)
    }

    /// Whether the work is to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}
