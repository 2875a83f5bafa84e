//! Numbers that follow from a seed: SplitMix64 (Steele, Lea, Flood 2014), whole numbers only.

/// A number that follows from two others.
pub(in crate::sample) fn mix(a: u64, b: u64) -> u64 {
    a.wrapping_mul(0xd134_2543_de82_ef95) ^ b.wrapping_mul(0x9e6c_63d0_876a_9a47)
}

/// See the module.
#[derive(Debug)]
pub(in crate::sample) struct Random(u64);

impl Random {
    pub(in crate::sample) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(in crate::sample) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end` − 1; `end` is at least 1.
    pub(in crate::sample) fn below(&mut self, end: u64) -> u64 {
        // The high half of the product: as even as 64 bits make it.
        let wide = u128::from(self.next()) * u128::from(end);
        (wide >> 64) as u64
    }

    /// A number from `first` to `last`, both included.
    pub(in crate::sample) fn between(&mut self, first: i64, last: i64) -> i64 {
        first + self.below((last - first + 1) as u64) as i64
    }

    /// True so many times in a thousand.
    pub(in crate::sample) fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of a list that is not empty.
    pub(in crate::sample) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len() as u64) as usize]
    }
}
