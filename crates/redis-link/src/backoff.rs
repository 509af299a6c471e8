//! How long to wait before trying again.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

/// Growing times with chance in them, so that many who lost the same server do not come back at the same moment.
///
/// The n-th is anywhere between half and all of `first · 2ⁿ`, at most `longest`.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    tries: u32,
}

impl Backoff {
    /// Times from `first` to `longest`.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, tries: 0 }
    }

    /// The next time to wait.
    pub fn next_delay(&mut self) -> Duration {
        let full = self.first.saturating_mul(2_u32.saturating_pow(self.tries)).min(self.longest);
        self.tries = self.tries.saturating_add(1);
        // the hasher's keys are random; nothing secret depends on them
        let random = RandomState::new().hash_one(self.tries) as u32;
        full / 2 + full.mul_f64(f64::from(random) / f64::from(u32::MAX) / 2.0)
    }

    /// Waits for the next time.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.next_delay()).await;
    }

    /// After a success: the next time is the first again.
    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

impl Default for Backoff {
    /// From 50 ms to 2 s.
    fn default() -> Self {
        Self::new(Duration::from_millis(50), Duration::from_secs(2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_double_within_their_halves_up_to_the_longest() {
        let mut backoff = Backoff::default();
        for full in [50, 100, 200, 400, 800, 1600, 2000, 2000].map(Duration::from_millis) {
            let delay = backoff.next_delay();
            assert!(delay >= full / 2 && delay <= full, "{delay:?} of {full:?}");
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(50));
    }

    #[test]
    fn two_that_lose_the_same_server_wait_differently() {
        let delays: std::collections::HashSet<Duration> =
            (0..20).map(|_| Backoff::new(Duration::from_secs(1), Duration::from_secs(1)).next_delay()).collect();
        assert!(delays.len() > 1);
    }

    #[test]
    fn thousands_of_tries_do_not_overflow() {
        let mut backoff = Backoff { tries: u32::MAX - 1, ..Backoff::default() };
        for _ in 0..3 {
            assert!(backoff.next_delay() <= Duration::from_secs(2));
        }
    }
}
