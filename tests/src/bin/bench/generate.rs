//! A seeded file of events: JSON Lines of about 450 bytes, a tenth as many streams as events, a few of them long.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

pub use annals_tests::seeded::{Seeded, data, metadata};

use crate::{Outcome, Plan};

const TYPES: [&str; 8] = [
    "OrderPlaced",
    "ItemAdded",
    "ItemRemoved",
    "PaymentProcessed",
    "OrderShipped",
    "OrderDelivered",
    "AddressUpdated",
    "OrderCancelled",
];
/// Writes the file once and returns its path. One stream in a hundred events is `order-long`, 10,000 events
/// of a million; the others share the rest unevenly.
pub fn file(plan: &Plan) -> Outcome<PathBuf> {
    let path = plan.folder.join(format!("events-{}.jsonl", plan.events));
    if path.exists() {
        return Ok(path);
    }
    let unfinished = path.with_extension("part");
    let mut out = BufWriter::new(std::fs::File::create(&unfinished)?);
    let mut seed = Seeded(42);
    let streams = (plan.events / 10).max(1);
    for n in 0..plan.events {
        let stream = if n % 100 == 99 {
            "order-long".to_owned()
        } else {
            // The square of an even draw: few streams get many events, most get few.
            let draw = seed.below(1 << 20);
            format!("order-{}", (draw * draw % (1 << 40) * streams) >> 40)
        };
        let time = 1_704_067_200_000 + n * 31_536_000_000 / plan.events;
        let at =
            annals_core::time::Time::from_parts(time as i64 * 1_000, 0).ok_or("a time in range")?;
        writeln!(
            out,
            r#"{{"eventId":"{:08x}-{:04x}-7{:03x}-{:016x}","aggregateId":"{stream}","eventType":"{}","timestamp":"{at}","data":{},"metadata":{}}}"#,
            n,
            seed.below(1 << 16),
            seed.below(1 << 12),
            seed.draw(),
            TYPES[seed.below(8) as usize],
            data(&mut seed),
            metadata(&mut seed)
        )?;
    }
    out.flush()?;
    std::fs::rename(unfinished, &path)?;
    Ok(path)
}
