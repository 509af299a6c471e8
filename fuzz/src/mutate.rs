//! Changes inputs at random: enough to find what a parser takes for granted, on any compiler. Same seed, same changes.

/// A small generator of random numbers: xorshift64* (Vigna, 2016).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Any seed but 0, which counts as 1.
    pub fn new(seed: u64) -> Self {
        Self(seed.max(1))
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Below `n`, which is not 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

/// Bytes that parsers trip over.
const AWKWARD: [u8; 12] = [0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'[', b',', b'\n', b'9', b'-'];
/// No input grows above this.
const LONGEST: usize = 1 << 20;

/// `input` with one to eight changes; a part of `other` may come in.
pub fn mutated(input: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(out.len() + 1);
        match random.below(7) {
            0 if at < out.len() => out[at] ^= 1 << random.below(8),
            1 if at < out.len() => out[at] = AWKWARD[random.below(AWKWARD.len())],
            2 => out.insert(at, AWKWARD[random.below(AWKWARD.len())]),
            3 => {
                let end = (at + 1 + random.below(64)).min(out.len());
                out.drain(at.min(end)..end);
            }
            4 => {
                let end = (at + 1 + random.below(64)).min(out.len());
                let part = out[at.min(end)..end].to_vec();
                let times = 1 + random.below(16);
                let copies = part.repeat(times);
                out.splice(at..at, copies);
            }
            5 if !other.is_empty() => {
                let from = random.below(other.len());
                let end = (from + 1 + random.below(256)).min(other.len());
                out.splice(at..at, other[from..end].iter().copied());
            }
            _ => out.truncate(at),
        }
        out.truncate(LONGEST);
    }
    out
}
