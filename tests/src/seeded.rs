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

/// Data of one event, about 320 bytes: a note of one to nine words makes it shorter or longer.
pub fn data(seed: &mut Seeded) -> String {
    let word = |seed: &mut Seeded| WORDS[seed.below(16) as usize];
    let mut note = word(seed).to_owned();
    for _ in 0..seed.below(9) {
        note.push(' ');
        note.push_str(word(seed));
    }
    format!(
        r#"{{"customerId":"cust-{}","items":[{{"productId":"prod-{}","quantity":{},"price":{}.{:02}}}],"total":{}.{:02},"status":"{}","note":"{note}","warehouse":"{}","tracking":"{:016X}","address":"{} {} street, {:05} {}","reference":"{}"}}"#,
        seed.below(50_000),
        seed.below(5_000),
        seed.below(9) + 1,
        seed.below(200),
        seed.below(100),
        seed.below(900),
        seed.below(100),
        word(seed),
        word(seed),
        seed.draw(),
        seed.below(200) + 1,
        word(seed),
        seed.below(100_000),
        word(seed),
        uuid(seed)
    )
}

/// Metadata of one event, about 125 bytes.
pub fn metadata(seed: &mut Seeded) -> String {
    format!(
        r#"{{"userId":"user-{}","correlationId":"{}","channel":"{}","session":"{:016x}"}}"#,
        seed.below(2_000),
        uuid(seed),
        WORDS[seed.below(16) as usize],
        seed.draw()
    )
}

/// A random UUID, version 4.
fn uuid(seed: &mut Seeded) -> String {
    let (high, low) = (seed.draw(), seed.draw());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}

/// Ranks drawn as lengths of streams are spread: Zipf's law with an offset (Mandelbrot), so that the first of 100,000
/// ranks is a hundredth of the draws and the last a ten-thousandth of that.
pub struct Ranks {
    /// How many of all draws fall to a rank and those before it.
    until: Vec<u64>,
}

impl Ranks {
    /// So many ranks, at least one.
    pub fn new(ranks: u64) -> Ranks {
        let mut sum = 0;
        let until = (0..ranks.max(1))
            .map(|rank| {
                sum += (1 << 40) / (rank + 11);
                sum
            })
            .collect();
        Ranks { until }
    }

    /// Draws one, from 0.
    pub fn draw(&self, seed: &mut Seeded) -> u64 {
        let all = self.until.last().copied().unwrap_or(1);
        let draw = seed.below(all);
        self.until.partition_point(|until| *until <= draw) as u64
    }
}
