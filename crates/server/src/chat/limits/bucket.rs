//! Token buckets in bounded memory, and who met their end lately.

use std::hash::Hash;

use parking_lot::Mutex;

use super::super::generations::Generations;
use crate::store::Take;

/// Buckets remembered before those that were not used lately are forgotten, which fills them.
const KEEP: usize = 40_000;
/// How long a refused client counts as limited, ms.
const LATELY_MS: u64 = 10 * 60_000;

/// A number per time, and a number at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The number.
    pub count: u64,
    /// In which time, ms.
    pub per_ms: u64,
    /// At once, after a pause.
    pub burst: u64,
}

impl Rate {
    /// This many per minute, and as many at once.
    pub fn per_minute(count: u32) -> Self {
        let count = u64::from(count);
        Self { count, per_ms: 60_000, burst: count }
    }

    /// This many per hour, and as many at once.
    pub fn per_hour(count: u32) -> Self {
        let count = u64::from(count);
        Self { count, per_ms: 3_600_000, burst: count }
    }

    /// This many in 24 hours: half of them at once, the other half spread over the day.
    pub fn per_day(count: u64) -> Self {
        let half = count.div_ceil(2);
        Self { count: half, per_ms: 86_400_000, burst: half }
    }
}

/// `level` tokens at time `at`.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    at: u64,
    /// Time of the last refusal; 0: never.
    refused: u64,
}

/// Buckets of one kind; those that were not used lately are forgotten, which fills them.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    per_ms: f64,
    burst: f64,
    held: Mutex<Generations<K, Bucket>>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// Full buckets with this rate.
    pub fn new(rate: Rate) -> Self {
        Self::keeping(KEEP, rate)
    }

    fn keeping(keep: usize, rate: Rate) -> Self {
        Self {
            per_ms: rate.count.max(1) as f64 / rate.per_ms.max(1) as f64,
            burst: rate.burst.max(1) as f64,
            held: Mutex::new(Generations::keeping(keep)),
        }
    }

    /// Whether `key` has so many tokens; else how long until it has them, ms. With `times` the bucket is so many times as
    /// large and fills so many times as fast.
    pub fn look(&self, key: K, cost: u32, times: u32, now: u64) -> Result<(), u64> {
        self.with(key, times, now, |bucket, rate, burst| {
            // more than a bucket holds: when it is full
            let missing = f64::from(cost).min(burst) - bucket.level;
            if missing <= 0.0 {
                return Ok(());
            }
            bucket.refused = now;
            Err((missing / rate).ceil() as u64)
        })
    }

    /// Takes tokens. Callers that checked at the same time may overdraw the bucket.
    pub fn take(&self, key: K, cost: u32, times: u32, now: u64) {
        self.with(key, times, now, |bucket, _, _| bucket.level -= f64::from(cost));
    }

    fn with<T>(&self, key: K, times: u32, now: u64, act: impl FnOnce(&mut Bucket, f64, f64) -> T) -> T {
        let (rate, burst) = (self.per_ms * f64::from(times), self.burst * f64::from(times));
        // nothing panics while the lock is held, so the content is whole in any case
        let mut held = self.held.lock();
        let bucket = held.entry(key, || Bucket { level: burst, at: now, refused: 0 });
        bucket.level = (bucket.level + now.saturating_sub(bucket.at) as f64 * rate).min(burst);
        bucket.at = now.max(bucket.at);
        act(bucket, rate, burst)
    }

    /// Someone else refused this client.
    pub fn refused(&self, key: K, now: u64) {
        self.with(key, 1, now, |bucket, _, _| bucket.refused = now);
    }

    /// The same bucket under a name, for several servers to share.
    pub fn shared(&self, name: Vec<u8>, cost: u32, times: u32) -> Take {
        Take { name, cost, holds: self.burst * f64::from(times), per_ms: self.per_ms * f64::from(times) }
    }

    /// How many were refused lately.
    pub fn limited(&self, now: u64) -> u64 {
        let held = self.held.lock();
        let lately = |b: &&Bucket| b.refused > 0 && now.saturating_sub(b.refused) < LATELY_MS;
        held.values().filter(lately).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(b: &Buckets<u8>, key: u8, now: u64) -> Result<(), u64> {
        b.look(key, 1, 1, now)?;
        b.take(key, 1, 1, now);
        Ok(())
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds_and_the_wait_is_true() {
        let b = Buckets::<u8>::new(Rate { count: 60, per_ms: 60_000, burst: 3 });
        for _ in 0..3 {
            assert_eq!(take(&b, 1, 0), Ok(()));
        }
        let wait = take(&b, 1, 0).unwrap_err();
        assert_eq!(wait, 1000);
        assert!(take(&b, 1, wait - 10).is_err());
        assert_eq!(take(&b, 1, wait + 1), Ok(()));
        assert_eq!(take(&b, 2, 0), Ok(()), "another key has a bucket of its own");
        assert_eq!((b.limited(2_000), b.limited(LATELY_MS + 2_000)), (1, 0));
    }

    #[test]
    fn a_day_is_never_more_than_was_said() {
        let b = Buckets::<u8>::new(Rate::per_day(100));
        let (mut now, mut taken) = (0, 0);
        while now < 86_400_000 {
            match take(&b, 1, now) {
                Ok(()) => taken += 1,
                Err(wait) => now += wait,
            }
        }
        assert!((99..=101).contains(&taken), "{taken}");
    }

    #[test]
    fn a_wider_network_has_more() {
        let b = Buckets::<u8>::new(Rate::per_minute(10));
        assert_eq!(b.look(1, 40, 4, 0), Ok(()));
        b.take(1, 40, 4, 0);
        assert_eq!(b.look(1, 1, 4, 0), Err(1_500));
        assert_eq!(b.look(2, 1_000, 1, 0), Ok(()), "what never fits goes when the bucket is full");
    }

    #[test]
    fn many_keys_fill_no_memory_and_keep_who_is_at_work() {
        let b = Buckets::<u32>::keeping(100, Rate { count: 1, per_ms: 60_000, burst: 1 });
        b.take(0, 1, 1, 0);
        for key in 1..10_000 {
            b.take(key, 1, 1, 0);
            assert!(b.look(0, 1, 1, 0).is_err(), "still counted");
            assert!(b.held.lock().values().count() <= 101);
        }
    }
}
