//! Numbers that only have to be the same for the same seed.

/// A seeded generator.
pub struct Dice(pub u64);

impl Dice {
    /// From `KEFU_SEED`, else from the clock; the seed is printed.
    pub fn seeded() -> Self {
        let seed = std::env::var("KEFU_SEED").ok().and_then(|s| s.parse().ok());
        let seed = seed.unwrap_or_else(super::company::now_ms);
        println!("KEFU_SEED={seed}");
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `below`; 0 if there is none.
    pub fn roll(&mut self, below: usize) -> usize {
        (self.next() % below.max(1) as u64) as usize
    }
}
