//! The messages of one sender that are not done with: sealed envelopes, and when each is to be sent. Earlier ones are forgotten,
//! so that a run of hours needs no more memory than a short one.

use std::collections::VecDeque;

/// What is not done with, by the counter.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// The counter of the first.
    first: usize,
    /// Frames with sealed envelopes.
    sealed: VecDeque<Box<[u8]>>,
    /// When each was to be sent.
    due: VecDeque<u64>,
}

impl Window {
    /// The counter of the next envelope to seal.
    pub fn next(&self) -> usize {
        self.first + self.sealed.len()
    }

    /// Adds the next sealed envelope.
    pub fn push(&mut self, frame: Box<[u8]>) {
        self.sealed.push_back(frame);
    }

    /// The next message is to be sent at `at`.
    pub fn fall_due(&mut self, at: u64) {
        self.due.push_back(at);
    }

    /// The frame with this counter, if it is sealed and not forgotten.
    pub fn frame(&self, ctr: usize) -> Option<&[u8]> {
        self.sealed.get(ctr.checked_sub(self.first)?).map(|frame| &**frame)
    }

    /// When the message with this counter was to be sent.
    pub fn due(&self, ctr: usize) -> Option<u64> {
        self.due.get(ctr.checked_sub(self.first)?).copied()
    }

    /// Forgets all with a lower counter.
    pub fn forget(&mut self, before: usize) {
        while self.first < before {
            self.first += 1;
            self.sealed.pop_front();
            self.due.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_stay_when_earlier_messages_are_forgotten() {
        let mut window = Window::default();
        for n in 0..5u8 {
            window.push([n].into());
            window.fall_due(10 * u64::from(n));
        }
        window.forget(3);
        window.forget(2);
        assert_eq!((window.next(), window.frame(2), window.due(2)), (5, None, None));
        assert_eq!((window.frame(3), window.due(4), window.frame(5)), (Some(&[3][..]), Some(40), None));
    }
}
