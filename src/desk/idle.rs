//! When a conversation is over without anybody saying so. A rule about facts and the time; whoever keeps the facts asks.

/// How quiet a conversation is. All times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// When somebody wrote last, the team's notes included.
    pub spoke: u64,
    /// Whether the last message was the visitor's: he waits for an answer.
    pub unanswered: bool,
    /// Whether it is in a queue.
    pub queued: bool,
    /// When anything happened last: a word, or another owner.
    pub stirred: u64,
}

/// The rule of `[conversations]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleRule {
    /// How long nobody may write, ms.
    pub after_ms: u64,
}

impl IdleRule {
    /// Whether the conversation is to be closed now.
    ///
    /// What was answered is over when nobody wrote for so long, also in a queue to which an agent's departure brought it.
    /// What a visitor left in a queue stays, however long nobody is there: it must not be lost. What an agent has and did
    /// not answer is over so long after he got it, not after it was written.
    pub fn over(&self, quiet: &Quiet, now_ms: u64) -> bool {
        let since = match quiet {
            Quiet { unanswered: false, spoke, .. } => *spoke,
            Quiet { queued: true, .. } => return false,
            Quiet { spoke, stirred, .. } => *spoke.max(stirred),
        };
        now_ms.saturating_sub(since) >= self.after_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: IdleRule = IdleRule { after_ms: 100 };
    const ANSWERED: Quiet = Quiet { spoke: 1_000, unanswered: false, queued: false, stirred: 1_000 };

    #[test]
    fn what_was_answered_is_over_after_the_last_word() {
        assert!(!RULE.over(&ANSWERED, 1_099) && RULE.over(&ANSWERED, 1_100));
        // agents who go home and come back bring no new word
        let moved = Quiet { stirred: 1_090, ..ANSWERED };
        assert!(RULE.over(&moved, 1_100) && RULE.over(&Quiet { queued: true, ..moved }, 1_100));
        assert!(!RULE.over(&ANSWERED, 0), "a clock that went back closes nothing");
    }

    #[test]
    fn what_nobody_answered_is_not_lost() {
        let left = Quiet { unanswered: true, queued: true, ..ANSWERED };
        assert!(!RULE.over(&left, u64::MAX));
        // somebody took it after a long week-end: he has the whole time
        let taken = Quiet { queued: false, stirred: 5_000, ..left };
        assert!(!RULE.over(&taken, 5_099) && RULE.over(&taken, 5_100));
    }
}
