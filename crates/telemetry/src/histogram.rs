//! Histograms without locks: a fixed array of log-linear buckets, 32 to each power of two.
//!
//! A value below 32 has a bucket of its own; above, a bucket spans 1/32 of its lower end, so a quantile read from its
//! middle is at most 1.6 % off (plus half a unit). Values beyond 2^36 (19 hours in microseconds) count as that. Recording
//! is two additions and a maximum in each of two arrays: everything since the start, and the slice of ten seconds under way.
//! Seven slices make a window that always covers the last 60 complete seconds; the slice that falls out is cleared by
//! the first recording into its successor. A recording that races with the clearing may be lost to the window (never
//! to the totals).

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Instant,
};

use serde::{Deserialize, Serialize};

const SUB: u64 = 32;
const SUB_BITS: u32 = SUB.trailing_zeros();
const TOP_BITS: u32 = 36;
const BUCKETS: usize = ((TOP_BITS - SUB_BITS + 1) as usize) * SUB as usize;
const SLICE_SECONDS: u64 = 10;
const SLICES: usize = 7;

/// Summary of a histogram. Values are in the unit that was recorded (microseconds for latencies).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Number of values.
    pub count: u64,
    /// Their sum.
    pub sum: u64,
    /// Half are at most this.
    pub p50: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The 99.9th percentile.
    pub p999: u64,
    /// The largest, exactly.
    pub max: u64,
}

#[derive(Debug)]
struct Buckets {
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
    max: AtomicU64,
}

impl Buckets {
    fn new() -> Self {
        let counts = (0..BUCKETS).map(|_| AtomicU64::new(0)).collect();
        Self { counts, sum: AtomicU64::new(0), max: AtomicU64::new(0) }
    }

    fn record(&self, value: u64) {
        self.counts[index(value)].fetch_add(1, Relaxed);
        self.sum.fetch_add(value, Relaxed);
        self.max.fetch_max(value, Relaxed);
    }

    fn clear(&self) {
        self.counts.iter().chain([&self.sum, &self.max]).for_each(|c| c.store(0, Relaxed));
    }
}

#[derive(Debug)]
struct Slice {
    /// Which ten seconds these are, plus one; 0: none.
    tick: AtomicU64,
    buckets: Buckets,
}

/// A distribution of values, in total and over the last minute.
#[derive(Debug)]
pub struct Histogram {
    start: Instant,
    total: Buckets,
    slices: [Slice; SLICES],
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            total: Buckets::new(),
            slices: std::array::from_fn(|_| Slice { tick: AtomicU64::new(0), buckets: Buckets::new() }),
        }
    }
}

impl Histogram {
    /// Counts a value now.
    pub fn record(&self, value: u64) {
        self.record_at(value, self.start.elapsed().as_secs());
    }

    /// Counts the time since `since`, in microseconds.
    pub fn record_since(&self, since: Instant) {
        self.record(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts a value in `second` of a clock that starts at 0.
    pub fn record_at(&self, value: u64, second: u64) {
        let value = value.min((1 << TOP_BITS) - 1);
        self.total.record(value);
        let tick = second / SLICE_SECONDS + 1;
        let slice = &self.slices[(tick % SLICES as u64) as usize];
        let seen = slice.tick.load(Relaxed);
        if seen < tick && slice.tick.compare_exchange(seen, tick, Relaxed, Relaxed).is_ok() {
            slice.buckets.clear();
        }
        slice.buckets.record(value);
    }

    /// Everything since the start.
    pub fn total(&self) -> Distribution {
        distribution(&[&self.total])
    }

    /// The last 60 to 70 seconds.
    pub fn window(&self) -> Distribution {
        self.window_at(self.start.elapsed().as_secs())
    }

    /// The 60 complete seconds, in slices of ten, before `second`, and the slice under way.
    pub fn window_at(&self, second: u64) -> Distribution {
        let now = second / SLICE_SECONDS + 1;
        let fresh = |s: &&Slice| {
            let tick = s.tick.load(Relaxed);
            tick > 0 && tick <= now && tick + (SLICES as u64) > now
        };
        distribution(&self.slices.iter().filter(fresh).map(|s| &s.buckets).collect::<Vec<_>>())
    }
}

/// How often which values occurred. Distributions of several servers add up; their quantiles don't.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Distribution {
    /// Number of values in each bucket that has any.
    counts: BTreeMap<usize, u64>,
    sum: u64,
    max: u64,
}

impl Distribution {
    /// The values of both.
    pub fn add(&mut self, other: &Self) {
        for (bucket, count) in &other.counts {
            let sum = self.counts.entry(*bucket).or_default();
            *sum = sum.saturating_add(*count);
        }
        self.sum = self.sum.saturating_add(other.sum);
        self.max = self.max.max(other.max);
    }

    /// The summary.
    pub fn quantiles(&self) -> Quantiles {
        let count = self.counts.values().fold(0u64, |sum, count| sum.saturating_add(*count));
        let at = |q: f64| {
            // the rank-th smallest value, from 1
            let rank = ((count as f64 * q).ceil() as u64).clamp(1, count.max(1));
            let mut seen = 0u64;
            let bucket = self.counts.iter().find(|(_, count)| {
                seen = seen.saturating_add(**count);
                seen >= rank
            });
            // a later version may have more buckets
            bucket.map_or(0, |(bucket, _)| middle((*bucket).min(BUCKETS - 1))).min(self.max)
        };
        Quantiles { count, sum: self.sum, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: self.max }
    }
}

fn index(value: u64) -> usize {
    if value < SUB {
        return value as usize;
    }
    // 2^bits <= value < 2^(bits+1); the next five bits below the top one choose the bucket
    let bits = value.ilog2().min(TOP_BITS - 1);
    let sub = (value >> (bits - SUB_BITS)) & (SUB - 1);
    (u64::from(bits - SUB_BITS + 1) * SUB + sub) as usize
}

/// The middle of a bucket.
fn middle(index: usize) -> u64 {
    let (octave, sub) = (index as u64 / SUB, index as u64 % SUB);
    if octave == 0 {
        return sub;
    }
    let width = 1u64 << (octave - 1);
    (SUB + sub) * width + width / 2
}

fn distribution(parts: &[&Buckets]) -> Distribution {
    let count = |i: usize| parts.iter().map(|p| p.counts[i].load(Relaxed)).sum::<u64>();
    Distribution {
        counts: (0..BUCKETS).map(|i| (i, count(i))).filter(|(_, count)| *count > 0).collect(),
        sum: parts.iter().map(|p| p.sum.load(Relaxed)).sum(),
        max: parts.iter().map(|p| p.max.load(Relaxed)).max().unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The exact quantile by the same definition.
    fn exact(sorted: &[u64], q: f64) -> u64 {
        sorted[((sorted.len() as f64 * q).ceil() as usize).clamp(1, sorted.len()) - 1]
    }

    fn close(got: u64, want: u64) -> bool {
        got.abs_diff(want) as f64 <= want as f64 * 0.016 + 1.0
    }

    proptest! {
        #[test]
        fn quantiles_are_within_their_error(values in prop::collection::vec(prop_oneof![0u64..100, 0u64..100_000, 0u64..1 << 36], 1..400)) {
            let h = Histogram::default();
            values.iter().for_each(|v| h.record_at(*v, 3));
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let got = h.total().quantiles();
            prop_assert_eq!((got.count, got.sum), (values.len() as u64, values.iter().sum::<u64>()));
            prop_assert_eq!(got.max, *sorted.last().unwrap());
            for (q, v) in [(0.5, got.p50), (0.99, got.p99), (0.999, got.p999)] {
                prop_assert!(close(v, exact(&sorted, q)), "p{q}: {v} instead of {}", exact(&sorted, q));
            }
            prop_assert_eq!(h.window_at(3).quantiles(), got);
        }

        #[test]
        fn what_two_servers_saw_adds_up_to_what_one_would_have_seen(
            here in prop::collection::vec(0u64..1 << 36, 0..100),
            there in prop::collection::vec(0u64..1 << 36, 0..100),
        ) {
            let [one, other, both] = std::array::from_fn(|_| Histogram::default());
            here.iter().for_each(|v| one.record_at(*v, 1));
            there.iter().for_each(|v| other.record_at(*v, 1));
            here.iter().chain(&there).for_each(|v| both.record_at(*v, 1));
            let mut sum = one.total();
            let sent = serde_json::to_string(&other.total()).unwrap();
            sum.add(&serde_json::from_str(&sent).unwrap());
            prop_assert_eq!(sum.quantiles(), both.total().quantiles());
        }

        #[test]
        fn every_value_lies_in_its_bucket(v in 0u64..1 << 36) {
            prop_assert!(close(middle(index(v)), v));
        }
    }

    #[test]
    fn buckets_follow_each_other_without_gaps() {
        let mut last = 0;
        for v in 0..200_000u64 {
            let i = index(v);
            assert!(i == last || i == last + 1, "{v}");
            last = i;
        }
        assert_eq!(index((1 << TOP_BITS) - 1), BUCKETS - 1);
    }

    #[test]
    fn enormous_values_are_capped_not_lost() {
        let h = Histogram::default();
        h.record_at(u64::MAX, 0);
        assert_eq!((h.total().quantiles().count, h.total().max), (1, (1 << TOP_BITS) - 1));
    }

    #[test]
    fn the_window_forgets_and_the_total_does_not() {
        let h = Histogram::default();
        h.record_at(100, 5);
        h.record_at(200, 64);
        assert_eq!(
            (h.window_at(64).quantiles().count, h.window_at(64).max),
            (2, 200),
            "60 seconds back it still counts"
        );
        assert_eq!(h.window_at(70).quantiles().count, 1, "its slice fell out");
        h.record_at(300, 75); // reuses the slice of second 5
        assert_eq!(h.window_at(75).quantiles().count, 2);
        assert_eq!(h.window_at(1_000).quantiles().count, 0);
        assert_eq!(h.total().quantiles().count, 3);
        assert_eq!(Histogram::default().total().quantiles(), Quantiles::default());
    }

    #[test]
    fn threads_record_at_once() {
        let h = Histogram::default();
        std::thread::scope(|s| {
            for t in 0..4u64 {
                let h = &h;
                s.spawn(move || (0..5_000).for_each(|i| h.record_at(t * 5_000 + i, 1)));
            }
        });
        let q = h.total().quantiles();
        assert_eq!((q.count, q.max), (20_000, 19_999));
        assert!(close(q.p50, 10_000));
    }
}
