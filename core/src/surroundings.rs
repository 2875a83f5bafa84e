//! What core is handed from outside: the clock and the random source. Core reads neither by itself.

use std::sync::Arc;

use crate::time::Time;

/// A clock: returns the present instant.
pub type Clock = Arc<dyn Fn() -> Time + Send + Sync>;
/// A random source: fills the bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// Clock and random source that a host hands to core.
#[derive(Clone)]
pub struct Surroundings {
    /// Present instant, for `recorded_at` and time-ordered ids.
    pub clock: Clock,
    /// Source of salts and of the log's uuid.
    pub random: Random,
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}

impl Surroundings {
    /// The machine's own clock and random source. Only hosts call this: it is the one place in core that
    /// touches either.
    ///
    /// # Panics
    /// The random source panics where the operating system has no randomness to give.
    #[must_use]
    pub fn system() -> Self {
        Surroundings {
            clock: Arc::new(|| Time::from_utc(chrono::Utc::now())),
            random: Arc::new(|bytes| {
                getrandom::fill(bytes).expect("the operating system gives random bytes")
            }),
        }
    }

    /// A clock that always says `now` and bytes that follow from `seed` (SHA-256 in counter mode), for
    /// samples and tests that must come out the same every time.
    ///
    /// ```
    /// use annals_core::{surroundings::Surroundings, time::Time};
    /// let now = Time::parse_rfc3339("2024-01-15T00:00:00Z").unwrap();
    /// let (a, b) = (Surroundings::fixed(now, 7), Surroundings::fixed(now, 7));
    /// let (mut x, mut y) = ([0u8; 16], [0u8; 16]);
    /// (a.random)(&mut x);
    /// (b.random)(&mut y);
    /// assert_eq!(x, y);
    /// ```
    #[must_use]
    pub fn fixed(now: Time, seed: u64) -> Self {
        use sha2::{Digest, Sha256};
        let counter = std::sync::atomic::AtomicU64::new(0);
        Surroundings {
            clock: Arc::new(move || now),
            random: Arc::new(move |bytes| {
                for chunk in bytes.chunks_mut(32) {
                    let n = counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let block = Sha256::new()
                        .chain_update(seed.to_be_bytes())
                        .chain_update(n.to_be_bytes())
                        .finalize();
                    chunk.copy_from_slice(&block[..chunk.len()]);
                }
            }),
        }
    }
}
