//! A shop of any size: customers look, fill carts, order, pay and review; the warehouse reserves, ships and
//! counts its stock.
//!
//! The same size and seed give the same log, byte for byte. `world` decides what happens, `calendar` when,
//! `words` how it reads; this module puts it into a log. Nothing here knows the log's rules, and nothing else
//! knows the shop's: another way to make the events takes the place of `world`.

mod calendar;
mod random;
mod words;
mod world;

#[cfg(test)]
mod tests;

use std::path::Path;

use super::{SampleError, write_models};
use crate::progress::WorkProgress;
use crate::store::{Extraction, UnnamedLog};
use crate::surroundings::Surroundings;

/// Events of a shop where nothing else is asked for.
pub const SHOP_EVENTS: u64 = 10_000;

/// Seed of a shop where nothing else is asked for.
pub const SHOP_SEED: u64 = 1;

/// Largest shop: its largest numbers stay within what the generator counts with.
pub const SHOP_MAX_EVENTS: u64 = 100_000_000;

/// Events stored in one transaction: bounds memory, and costs little.
const CHUNK: u64 = 100_000;

/// Models of the shop: file name and text.
pub(super) const MODELS: [(&str, &str); 6] = [
    ("cart.toml", include_str!("cart.toml")),
    ("customer.toml", include_str!("customer.toml")),
    ("inventory.toml", include_str!("inventory.toml")),
    ("order.toml", include_str!("order.toml")),
    ("payment.toml", include_str!("payment.toml")),
    ("product.toml", include_str!("product.toml")),
];

/// Which shop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShopRequest {
    /// Number of events, at most [`SHOP_MAX_EVENTS`].
    pub events: u64,
    /// Another seed, another shop.
    pub seed: u64,
}

impl Default for ShopRequest {
    fn default() -> ShopRequest {
        ShopRequest {
            events: SHOP_EVENTS,
            seed: SHOP_SEED,
        }
    }
}

/// Makes a new store with a shop's events and models for them. The same bytes for the same request.
///
/// The shop opens on Monday, 2024-01-01. The number of events says how busy it is and how long it runs; at the
/// end of the log some orders are still on their way. It is made under a temporary name and gets its own when
/// it is whole.
///
/// # Errors
/// [`SampleError`]; no store is left behind.
///
/// ```
/// use annals_core::progress::WorkProgress;
/// use annals_core::sample::{ShopRequest, shop};
/// use annals_core::store::Log;
/// let folder = tempfile::tempdir().unwrap();
/// let store = folder.path().join("shop.annals");
/// shop(&store, &ShopRequest { events: 500, seed: 1 }, &WorkProgress::default()).unwrap();
/// assert_eq!(Log::explore(&store).unwrap().info().unwrap().events, 500);
/// ```
pub fn shop(
    path: &Path,
    request: &ShopRequest,
    progress: &WorkProgress,
) -> Result<(), SampleError> {
    let ShopRequest { events, seed } = *request;
    if events > SHOP_MAX_EVENTS {
        return Err(SampleError::TooLarge { events });
    }
    progress.expect(events);
    // The log's own id follows from both: two shops that differ are two logs.
    let surroundings = Surroundings::fixed(calendar::opening(), random::mix(seed, events));
    let log = UnnamedLog::create(path, surroundings)?;
    let mut world = world::World::new(events, seed);
    let mut stored = 0;
    while stored < events {
        let chunk = CHUNK.min(events - stored);
        let mut bulk = log.writer().bulk("shop", &Extraction::standard())?;
        for _ in 0..chunk {
            if progress.is_cancelled() {
                return Err(SampleError::Cancelled);
            }
            let happening = world.next();
            bulk.set_clock(happening.recorded);
            bulk.add(&happening.stream, None, happening.event)?;
            progress.advance(1);
        }
        bulk.commit()?;
        stored += chunk;
    }
    log.name()?;
    write_models(path, &MODELS)
}
