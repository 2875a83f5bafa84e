//! A seeded file of events: JSON Lines of about 450 bytes, a tenth as many streams as events, a few of them long.

use std::io::{BufWriter, Write};
use std::path::PathBuf;

use crate::{Outcome, Plan};

/// SplitMix64: small, seeded, the same everywhere.
pub struct Seeded(pub u64);

impl Seeded {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

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
const WORDS: [&str; 16] = [
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbour", "inlet", "juniper",
    "kelp", "linden", "meadow", "north", "orchard", "prairie",
];

/// Data of one event, about 250 bytes.
pub fn data(seed: &mut Seeded) -> String {
    let word = |seed: &mut Seeded| WORDS[seed.below(16) as usize];
    format!(
        r#"{{"customerId":"cust-{}","items":[{{"productId":"prod-{}","quantity":{},"price":{}.{:02}}}],"total":{}.{:02},"status":"{}","note":"{} {} {} {} {}","warehouse":"{}","tracking":"{:016X}"}}"#,
        seed.below(50_000),
        seed.below(5_000),
        seed.below(9) + 1,
        seed.below(200),
        seed.below(100),
        seed.below(900),
        seed.below(100),
        word(seed),
        word(seed),
        word(seed),
        word(seed),
        word(seed),
        word(seed),
        word(seed),
        seed.next()
    )
}

/// Metadata of one event, about 90 bytes.
pub fn metadata(seed: &mut Seeded) -> String {
    format!(
        r#"{{"userId":"user-{}","correlationId":"corr-{:012x}","channel":"{}"}}"#,
        seed.below(2_000),
        seed.below(1 << 40),
        WORDS[seed.below(16) as usize]
    )
}

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
            seed.next(),
            TYPES[seed.below(8) as usize],
            data(&mut seed),
            metadata(&mut seed)
        )?;
    }
    out.flush()?;
    std::fs::rename(unfinished, &path)?;
    Ok(path)
}
