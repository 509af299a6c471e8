//! When a server is back to what it was before an overload: the first second in which newly sent messages are as fast again.

/// Messages that fall due within this are looked at together, ns.
const SLOT: u64 = 250_000_000;
/// So many in a row must be fast.
const IN_A_ROW: usize = 4;
/// How much slower than before is as fast again.
const FACTOR: u64 = 2;

#[derive(Debug, Default)]
struct Slot {
    due: usize,
    /// Latencies of those delivered, µs.
    delivered: Vec<u64>,
}

impl Slot {
    /// Whether all came, and half of them within this.
    fn is_fast(&self, us: u64) -> bool {
        let fast = self.delivered.iter().filter(|latency| **latency <= us).count();
        self.delivered.len() == self.due && 2 * fast >= self.due
    }
}

/// What became of messages that fell due after the overload.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    began: u64,
    slots: Vec<Slot>,
}

impl Recovery {
    /// The overload ends now, ns.
    pub fn begin(&mut self, now: u64) {
        self.began = now;
    }

    fn slot(&mut self, due: u64) -> &mut Slot {
        let n = (due.saturating_sub(self.began) / SLOT) as usize;
        if self.slots.len() <= n {
            self.slots.resize_with(n + 1, Slot::default);
        }
        &mut self.slots[n]
    }

    /// A message fell due.
    pub fn due(&mut self, due: u64) {
        self.slot(due).due += 1;
    }

    /// It came.
    pub fn delivered(&mut self, due: u64, us: u64) {
        self.slot(due).delivered.push(us);
    }

    /// Seconds from the end of the overload until messages were as fast as before again, where half took `before_us`.
    pub fn seconds(&self, before_us: u64) -> Option<f64> {
        // the last is not over yet
        let over = &self.slots[..self.slots.len().saturating_sub(1)];
        let fast = |slots: &[Slot]| {
            slots.iter().any(|slot| slot.due > 0) && slots.iter().all(|slot| slot.is_fast(FACTOR * before_us))
        };
        let first = over.windows(IN_A_ROW).position(fast)?;
        Some(first as f64 * SLOT as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_over_when_a_second_of_messages_is_fast() {
        let mut recovery = Recovery::default();
        recovery.begin(1_000);
        let mut send = |slot: u64, us: &[u64], lost: usize| {
            let due = 1_000 + slot * SLOT;
            (0..us.len() + lost).for_each(|_| recovery.due(due));
            us.iter().for_each(|us| recovery.delivered(due, *us));
            recovery.seconds(100)
        };
        assert_eq!(send(0, &[9_000, 9_000, 90], 0), None);
        assert_eq!(send(1, &[150, 90, 9_000], 0), None);
        assert_eq!(send(2, &[150, 90], 1), None, "one did not come");
        for slot in 3..7 {
            assert_eq!(send(slot, &[200, 190, 9_000], 0), None, "a second is not over");
        }
        assert_eq!(send(7, &[10], 0), Some(0.75));
    }
}
