//! Counters, gauges and rates in atomics.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Relaxed);
    }

    /// The current value.
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Adds one.
    pub fn inc(&self) {
        self.0.fetch_add(1, Relaxed);
    }

    /// Subtracts one.
    pub fn dec(&self) {
        self.0.fetch_sub(1, Relaxed);
    }

    /// Sets the value.
    pub fn set(&self, n: u64) {
        self.0.store(i64::try_from(n).unwrap_or(i64::MAX), Relaxed);
    }

    /// Now; never below zero.
    pub fn get(&self) -> u64 {
        u64::try_from(self.0.load(Relaxed)).unwrap_or(0)
    }
}

/// One counter for each of a fixed list of labels; anything else counts as the first, "other".
#[derive(Debug)]
pub struct Labelled<const N: usize> {
    labels: &'static [&'static str; N],
    counts: [Counter; N],
}

impl<const N: usize> Labelled<N> {
    /// Counters at zero.
    pub fn new(labels: &'static [&'static str; N]) -> Self {
        Self { labels, counts: std::array::from_fn(|_| Counter::default()) }
    }

    /// One more of the label at `index`.
    pub fn inc_at(&self, index: usize) {
        if let Some(c) = self.counts.get(index).or(self.counts.first()) {
            c.inc();
        }
    }

    /// One more of `label`.
    pub fn inc(&self, label: &str) {
        self.inc_at(self.labels.iter().position(|l| *l == label).unwrap_or(0));
    }

    /// Label and count, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.labels.iter().copied().zip(self.counts.iter().map(Counter::get))
    }
}

/// Seconds a rate remembers.
const SECONDS: usize = 64;

/// Events per second over the last minute: a ring of seconds, each holding its number and its count in one word, so that
/// a second is never counted into its predecessor of a minute ago.
#[derive(Debug)]
pub struct Rate {
    ring: [AtomicU64; SECONDS],
}

impl Default for Rate {
    fn default() -> Self {
        Self { ring: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Rate {
    /// Counts `n` events in `second` (of a clock that starts at 0 with the process).
    pub fn add(&self, n: u32, second: u64) {
        let word = tag(second);
        // the closure always gives a value, so there is no failure to handle
        let _ = self.ring[slot(second)].fetch_update(Relaxed, Relaxed, |old| {
            let kept = if old >> 32 == word >> 32 { old & COUNT } else { 0 };
            Some(word | kept.saturating_add(u64::from(n)).min(COUNT))
        });
    }

    /// Events per second, averaged over the `window` complete seconds before `second` (at most 60), or over as many as
    /// there were.
    pub fn average(&self, window: u64, second: u64) -> f64 {
        let window = window.min(60).min(second);
        if window == 0 {
            return 0.0;
        }
        let sum: u64 = (second - window..second).map(|s| self.count(s)).sum();
        sum as f64 / window as f64
    }

    /// Events of one second of the last minute.
    pub fn count(&self, second: u64) -> u64 {
        let word = self.ring[slot(second)].load(Relaxed);
        if word >> 32 == tag(second) >> 32 { word & COUNT } else { 0 }
    }
}

const COUNT: u64 = 0xffff_ffff;

/// The second's number plus one (so that an empty slot belongs to no second) in the upper half.
fn tag(second: u64) -> u64 {
    ((second + 1) & COUNT) << 32
}

fn slot(second: u64) -> usize {
    (second % SECONDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_averages_complete_seconds_only() {
        let r = Rate::default();
        for second in 0..100 {
            r.add(10, second);
        }
        r.add(1_000, 100); // the second under way
        assert_eq!(r.average(10, 100), 10.0);
        assert_eq!(r.average(60, 100), 10.0);
        assert_eq!(r.average(10, 105), (1_000.0 + 50.0) / 10.0, "five quiet seconds count as zero");
        assert_eq!(r.average(60, 300), 0.0, "old seconds are not counted again when the ring comes round");
        assert_eq!(Rate::default().average(10, 0), 0.0);
    }

    #[test]
    fn in_its_first_seconds_a_rate_is_not_diluted() {
        let r = Rate::default();
        r.add(30, 0);
        r.add(50, 1);
        assert_eq!(r.average(60, 2), 40.0);
    }

    #[test]
    fn many_threads_lose_nothing() {
        let (c, r) = (Counter::default(), Rate::default());
        std::thread::scope(|s| {
            for _ in 0..4 {
                s.spawn(|| {
                    for i in 0..10_000u64 {
                        c.inc();
                        r.add(1, 7 + i / 5_000);
                    }
                });
            }
        });
        assert_eq!((c.get(), r.count(7), r.count(8)), (40_000, 20_000, 20_000));
    }

    #[test]
    fn labels_not_on_the_list_count_as_other() {
        static LABELS: [&str; 2] = ["other", "slow"];
        let l = Labelled::new(&LABELS);
        l.inc("slow");
        l.inc("brand new");
        l.inc_at(99);
        assert_eq!(l.iter().collect::<Vec<_>>(), [("other", 2), ("slow", 1)]);
    }

    #[test]
    fn a_gauge_never_shows_less_than_nothing() {
        let g = Gauge::default();
        g.dec();
        assert_eq!(g.get(), 0);
        g.set(5);
        g.inc();
        assert_eq!(g.get(), 6);
    }
}
