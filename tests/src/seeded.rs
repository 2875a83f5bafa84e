//! What is drawn from a seed: the same everywhere, every time.

/// SplitMix64: small, seeded, the same everywhere.
pub struct Seeded(pub u64);

impl Seeded {
    /// The next number.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.draw() % n
    }
}

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
        seed.draw()
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
