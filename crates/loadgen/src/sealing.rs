//! Envelopes are sealed before they are to be sent, so that this costs nothing while a message is measured: all of a short run
//! before it begins; of a long one as many as a while needs, and the others between messages.

use std::{rc::Rc, time::Duration};

use tokio::{task::yield_now, time::sleep};

use crate::{
    counters::{Counters, add},
    error::LoadError,
    pair::{Pair, senders},
};

/// Sealed envelopes that are held at most, bytes.
const MOST: u64 = 256 << 20;
/// What an envelope has besides its text, about, bytes.
const OVERHEAD: u64 = 300;
/// Of a run that is too long to be sealed in advance, this much is, at a rate.
const AHEAD_SECONDS: u64 = 10;
/// When enough is sealed, the next look is after this.
const PAUSE: Duration = Duration::from_millis(10);

/// How many envelopes of each sender are sealed in advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sealing {
    /// Before the run begins.
    pub each: usize,
    /// Whether that is less than the run needs, so that others are sealed meanwhile.
    pub refill: bool,
}

impl Sealing {
    /// For a run of so many seconds. `paced`: messages are sent at that rate, not as fast as they can.
    pub fn new(senders: usize, per_second: u64, seconds: u64, bytes: usize, paced: bool) -> Self {
        let share = |all: u64| all.div_ceil(senders.max(1) as u64) as usize;
        let (all, most) = (per_second * seconds, MOST / (bytes as u64 + OVERHEAD));
        if all <= most {
            return Self { each: share(all), refill: false };
        }
        let ahead = if paced { per_second * AHEAD_SECONDS } else { most };
        Self { each: share(ahead.min(most)).max(1), refill: true }
    }

    /// Seals what the beginning of the run needs.
    pub async fn begin(self, pairs: &[Rc<Pair>]) -> Result<(), LoadError> {
        for (pair, who) in senders(pairs) {
            pair.seal_ahead(who, self.each)?;
            // heartbeats continue meanwhile
            yield_now().await;
        }
        Ok(())
    }

    /// Seals more while the run lasts, one at a time, so that no message waits for more than that.
    pub async fn refill(self, pairs: Vec<Rc<Pair>>, counters: Rc<Counters>) {
        while self.refill && counters.running.get() {
            let mut enough = true;
            for (pair, who) in senders(&pairs).filter(|(pair, who)| pair.ready(*who) < self.each) {
                if let Err(e) = pair.seal_ahead(who, 1) {
                    return counters.fail(e.to_string());
                }
                enough = false;
                if counters.measuring.get() {
                    add(&counters.sealed_between, 1);
                }
                yield_now().await;
            }
            if enough {
                sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_runs_are_sealed_in_advance_and_long_ones_hold_little() {
        let sealing = |per_second, seconds, paced| Sealing::new(200, per_second, seconds, 200, paced);
        assert_eq!(sealing(40_000, 12, false), Sealing { each: 2_400, refill: false });
        assert_eq!(sealing(2_000, 12, true), Sealing { each: 120, refill: false });
        assert_eq!(sealing(1_000, 3_602, true), Sealing { each: 50, refill: true });
        let fastest = sealing(40_000, 3_602, false);
        assert!(fastest.refill && fastest.each as u64 * 200 * 500 < MOST + 200_000);
        assert_eq!(Sealing::new(200, 1, 1_000_000, 200, true), Sealing { each: 1, refill: true });
    }
}
