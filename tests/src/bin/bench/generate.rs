//! A seeded file of events: JSON Lines of about 620 bytes, 100,000 streams whose lengths follow Zipf's law.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

pub use annals_tests::seeded::{Ranks, Seeded, data, metadata};

use crate::{Outcome, Plan};

/// Types of the events.
pub const TYPES: [&str; 8] = [
    "OrderPlaced",
    "ItemAdded",
    "ItemRemoved",
    "PaymentProcessed",
    "OrderShipped",
    "OrderDelivered",
    "AddressUpdated",
    "OrderCancelled",
];
/// Streams of a million events and more; fewer events have a tenth as many.
pub const STREAMS: u64 = 100_000;

/// Writes the file once and returns its path. One event in a hundred is of `order-long`, 10,000 of a million; the other
/// streams share the rest, a few of them nearly as long, most with a few events each.
pub fn file(plan: &Plan) -> Outcome<PathBuf> {
    let path = plan.folder.join(format!("events-{}.jsonl", plan.events));
    if path.exists() {
        return Ok(path);
    }
    let unfinished = path.with_extension("part");
    let mut out = BufWriter::new(std::fs::File::create(&unfinished)?);
    let mut seed = Seeded(42);
    let ranks = Ranks::new((plan.events / 10).min(STREAMS));
    for n in 0..plan.events {
        let stream = if n % 100 == 99 {
            "order-long".to_owned()
        } else {
            format!("order-{}", ranks.draw(&mut seed))
        };
        let time = 1_704_067_200_000 + n * 31_536_000_000 / plan.events;
        let at =
            annals_core::time::Time::from_parts(time as i64 * 1_000, 0).ok_or("a time in range")?;
        writeln!(
            out,
            r#"{{"eventId":"{:08x}-{:04x}-7{:03x}-{:04x}-{:012x}","aggregateId":"{stream}","eventType":"{}","timestamp":"{at}","data":{},"metadata":{}}}"#,
            n,
            seed.below(1 << 16),
            seed.below(1 << 12),
            0x8000 | seed.below(1 << 14),
            seed.below(1 << 48),
            TYPES[seed.below(8) as usize],
            data(&mut seed),
            metadata(&mut seed)
        )?;
    }
    out.flush()?;
    std::fs::rename(unfinished, &path)?;
    Ok(path)
}
