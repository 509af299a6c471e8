//! How fast one socket may ask for things. Who is faster is read more slowly: nothing they sent is lost, their
//! connection backs up, and others notice nothing. Envelopes that were taken count elsewhere (`chat`'s limits).

use std::time::Duration;

use tokio::time::Instant;

use crate::proto::ClientFrame;

/// Units a second. A page in use sends a few.
const RATE: f64 = 50.0;
/// Bytes read that cost a unit: a page that comes back after a day asks for a few hundred KiB.
const BYTES_A_UNIT: usize = 8 * 1024;
/// Units at once: a console that starts follows hundreds of conversations.
const BURST: f64 = 500.0;

/// A bucket that may be overdrawn; the debt is waited for.
#[derive(Debug)]
pub struct FrameRateLimiter {
    level: f64,
    at: Instant,
}

impl FrameRateLimiter {
    /// A full bucket.
    pub fn new(now: Instant) -> Self {
        Self { level: BURST, at: now }
    }

    /// Takes units, and returns how long to wait before more is read.
    pub fn take(&mut self, units: u32, now: Instant) -> Option<Duration> {
        self.level = (self.level + (now - self.at).as_secs_f64() * RATE).min(BURST) - f64::from(units);
        self.at = now;
        (self.level < 0.0).then(|| Duration::from_secs_f64(-self.level / RATE))
    }
}

/// What a frame costs: most are looked up in memory, some read the disk.
pub fn units(frame: &ClientFrame) -> u32 {
    match frame {
        // a resume reads each conversation; no more than 64, so the sum is small
        ClientFrame::Resume { convs } => 1 + convs.len().min(64) as u32 / 8,
        ClientFrame::Recall { .. } | ClientFrame::Open { .. } => 10,
        ClientFrame::Restore { envelopes, .. } => 10 + envelopes.len() as u32,
        _ => 1,
    }
}

/// What bytes cost that were read from the disk for a frame.
pub fn units_of_bytes(bytes: usize) -> u32 {
    u32::try_from(bytes / BYTES_A_UNIT).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_free_a_flood_waits_and_a_pause_forgives() {
        let begin = Instant::now();
        let mut pace = FrameRateLimiter::new(begin);
        for _ in 0..500 {
            assert_eq!(pace.take(1, begin), None);
        }
        assert_eq!(pace.take(1, begin), Some(Duration::from_millis(20)));
        assert_eq!(pace.take(10, begin), Some(Duration::from_millis(220)));
        assert_eq!(pace.take(1, begin + Duration::from_mins(1)), None);
    }
}
