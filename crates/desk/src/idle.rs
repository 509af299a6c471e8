//! When a conversation ends without anyone closing it. A rule about facts and the time; the caller provides the facts.

/// How quiet a conversation is. All times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inactivity {
    /// When a message or note was last written; when it began if none was.
    pub spoke: u64,
    /// Whether the last message was the visitor's, or none was ever written: an answer is due.
    pub unanswered: bool,
    /// Since when it waits in a queue, which decides its place; none: it has an owner.
    pub waits_since: Option<u64>,
    /// When anything happened last: a word, or another owner.
    pub last_change: u64,
}

/// How a conversation ends by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nobody has written for long.
    Idle,
    /// The visitor waited and nobody answered: people must be told.
    Missed,
}

/// The rule of `[conversations]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndRule {
    /// Idle time after which an answered or owned conversation ends, ms; none: never.
    pub idle_after_ms: Option<u64>,
    /// How long a visitor may wait in a queue without an answer, ms; none: forever.
    pub missed_after_ms: Option<u64>,
}

impl EndRule {
    /// How the conversation ends now, if it does.
    ///
    /// An answered conversation ends when nobody wrote for this long, also in a queue that it returned to because its agent left.
    /// What waits in a queue unanswered is missed; the time runs from the last word, and again from the moment in which it
    /// was put in the queue (opened again, transferred), but not from a loss of its agent, who did not answer it. What an
    /// agent or the robot has and did not answer ends this long after they got it, not after it was written: it is in
    /// an agent's hands, and a last "thanks" needs no answer.
    pub fn end(&self, quiet: &Inactivity, now_ms: u64) -> Option<End> {
        let (end, after_ms, since) = match *quiet {
            Inactivity { unanswered: false, spoke, .. } => (End::Idle, self.idle_after_ms, spoke),
            Inactivity { waits_since: Some(since), spoke, .. } => (End::Missed, self.missed_after_ms, spoke.max(since)),
            Inactivity { spoke, last_change, .. } => (End::Idle, self.idle_after_ms, spoke.max(last_change)),
        };
        after_ms.is_some_and(|after| now_ms.saturating_sub(since) >= after).then_some(end)
    }

    /// What is younger than this, ms, is not over; none: nothing ever is.
    pub fn least_ms(&self) -> Option<u64> {
        [self.idle_after_ms, self.missed_after_ms].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RULE: EndRule = EndRule { idle_after_ms: Some(100), missed_after_ms: Some(700) };
    const ANSWERED: Inactivity = Inactivity { spoke: 1_000, unanswered: false, waits_since: None, last_change: 1_000 };
    const LEFT: Inactivity = Inactivity { unanswered: true, waits_since: Some(900), ..ANSWERED };

    #[test]
    fn what_was_answered_is_over_after_the_last_word() {
        assert_eq!((RULE.end(&ANSWERED, 1_099), RULE.end(&ANSWERED, 1_100)), (None, Some(End::Idle)));
        // agents who disconnect and return write nothing new
        let moved = Inactivity { last_change: 1_090, ..ANSWERED };
        let queued = Inactivity { waits_since: Some(1_090), ..moved };
        assert_eq!((RULE.end(&moved, 1_100), RULE.end(&queued, 1_100)), (Some(End::Idle), Some(End::Idle)));
        assert_eq!(RULE.end(&ANSWERED, 0), None, "a clock that went back closes nothing");
    }

    #[test]
    fn what_nobody_answered_is_missed_and_not_idle() {
        assert_eq!((RULE.end(&LEFT, 1_699), RULE.end(&LEFT, 1_700)), (None, Some(End::Missed)));
        let never = EndRule { missed_after_ms: None, ..RULE };
        assert_eq!(never.end(&LEFT, u64::MAX), None);
        // a colleague opened it again or transferred it: its wait begins again
        let again = Inactivity { waits_since: Some(5_000), ..LEFT };
        assert_eq!((RULE.end(&again, 5_699), RULE.end(&again, 5_700)), (None, Some(End::Missed)));
        // one who had it and lost the connection did not answer
        assert_eq!(RULE.end(&Inactivity { last_change: 1_690, ..LEFT }, 1_700), Some(End::Missed));
    }

    #[test]
    fn whoever_has_it_has_the_whole_time() {
        // an agent took it after a long weekend
        let taken = Inactivity { waits_since: None, last_change: 5_000, ..LEFT };
        assert_eq!((RULE.end(&taken, 5_099), RULE.end(&taken, 5_100)), (None, Some(End::Idle)));
        let never = EndRule { idle_after_ms: None, ..RULE };
        assert_eq!(never.end(&taken, u64::MAX), None);
    }

    proptest! {
        /// Nothing that waits unanswered in a queue ends silently, and time alone never reopens what has ended.
        #[test]
        fn nobody_in_a_queue_is_dropped_in_silence(
            idle in proptest::option::of(1..2_000u64), missed in proptest::option::of(1..2_000u64),
            spoke in 0..2_000u64, unanswered: bool, waits in proptest::option::of(0..2_000u64), last_change in 0..2_000u64,
            now in 0..6_000u64, later in 0..6_000u64,
        ) {
            let rule = EndRule { idle_after_ms: idle, missed_after_ms: missed };
            let quiet = Inactivity { spoke, unanswered, waits_since: waits, last_change };
            let end = rule.end(&quiet, now);
            match end {
                Some(End::Idle) => prop_assert!(!unanswered || waits.is_none()),
                Some(End::Missed) => prop_assert!(unanswered && waits.is_some() && missed.is_some()),
                None => {}
            }
            if end.is_some() {
                prop_assert_eq!(rule.end(&quiet, now + later), end);
                prop_assert!(rule.least_ms().is_some_and(|least| now >= spoke + least));
            }
        }
    }
}
