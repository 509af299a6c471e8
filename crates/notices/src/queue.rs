//! Notices that wait for their webhook, and the message that is being sent. Pure: the caller has the clock, the store and the network,
//! and stores the queue before each step, so that no step is forgotten when the process is killed.
//!
//! Notices gather for a moment, then all that wait become one message with an id. It is sent until the other side has taken it, for
//! a day at most; what happens meanwhile waits, and becomes the next message: after an outage one message sums up what was missed,
//! and nobody is flooded. Before a try the message is put off by [`CLAIM_MS`], so that a server that takes over leaves the try to the
//! one that made it.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{Failure, Notice};

/// What happens within this time goes into one message.
pub const GATHER_MS: u64 = 2_000;
/// Nobody else tries a message this long after a try began: longer than a try takes.
pub const CLAIM_MS: u64 = 30_000;
/// First pause after a failure; each is twice as long as the one before.
const PAUSE_MS: u64 = 2_000;
/// The longest.
const LONGEST_MS: u64 = 1_800_000;
/// The other side may ask for longer ones, up to this.
const ASKED_MS: u64 = 3_600_000;
/// A message is tried for this long.
pub const GIVE_UP_MS: u64 = 86_400_000;
/// Limits are counted in this time.
const MINUTE_MS: u64 = 60_000;

/// What a webhook allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests within a minute.
    pub per_minute: u32,
    /// Notices that wait; the oldest go first.
    pub keep: u32,
}

/// What is sent at once. Its id stays the same however often it is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// 32 hexadecimal digits.
    pub id: String,
    /// When it was made, ms.
    pub at: u64,
    /// What it says.
    pub notices: Vec<Notice>,
    /// Notices that were dropped before these.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// Tries that began.
    pub tries: u32,
    /// Next try, ms.
    next: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// The queue of one webhook, as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Queue {
    waiting: VecDeque<Notice>,
    /// When the first of them came, ms.
    since: u64,
    /// Dropped, and not told yet.
    dropped: u64,
    message: Option<Message>,
    /// When requests were made within the last minute, ms.
    requests: VecDeque<u64>,
    /// Messages that were taken.
    pub delivered: u64,
    /// When the last one was, ms; 0: none.
    pub delivered_at: u64,
    /// Notices that were never told: too many, or for too long.
    pub lost: u64,
    /// Why the last try failed; none: it did not.
    pub failure: Option<String>,
}

impl Queue {
    /// Takes what happened. Returns how many older ones were dropped for it.
    pub fn push(&mut self, notices: impl IntoIterator<Item = Notice>, limits: Limits, now_ms: u64) -> u64 {
        if self.waiting.is_empty() {
            self.since = now_ms;
        }
        self.waiting.extend(notices);
        let surplus = self.waiting.len().saturating_sub(limits.keep as usize);
        self.waiting.drain(..surplus);
        self.dropped += surplus as u64;
        self.lost += surplus as u64;
        surplus as u64
    }

    /// Notices that nobody was told yet.
    pub fn waiting(&self) -> usize {
        self.waiting.len() + self.message.as_ref().map_or(0, |message| message.notices.len())
    }

    /// When the next try is due, ms; none: nothing waits.
    pub fn due(&self, limits: Limits) -> Option<u64> {
        let ready = match &self.message {
            Some(message) => message.next,
            None if self.waiting.is_empty() => return None,
            None => self.since + GATHER_MS,
        };
        let allowed = match self.requests.len().checked_sub(limits.per_minute as usize) {
            Some(surplus) => self.requests.get(surplus).map_or(0, |first| first + MINUTE_MS),
            None => 0,
        };
        Some(ready.max(allowed))
    }

    /// The message whose try is due, if one is. The queue must be stored before the try is made. `id`: for a new message.
    pub fn begin(&mut self, limits: Limits, now_ms: u64, id: impl FnOnce() -> String) -> Option<Message> {
        if self.due(limits)? > now_ms {
            return None;
        }
        let (waiting, dropped) = (&mut self.waiting, &mut self.dropped);
        let message = self.message.get_or_insert_with(|| Message {
            id: id(),
            at: now_ms,
            notices: std::mem::take(waiting).into(),
            dropped: std::mem::take(dropped),
            tries: 0,
            next: 0,
        });
        message.tries += 1;
        message.next = now_ms + CLAIM_MS;
        while self.requests.front().is_some_and(|at| at + MINUTE_MS <= now_ms) {
            self.requests.pop_front();
        }
        self.requests.push_back(now_ms);
        Some(message.clone())
    }

    /// The message was taken.
    pub fn delivered(&mut self, now_ms: u64) {
        self.message = None;
        self.delivered += 1;
        self.delivered_at = now_ms;
        self.failure = None;
    }

    /// It was not. `jitter`: 0 to 1, so that not all that failed together is tried together. Returns how many notices were given
    /// up.
    pub fn failed(&mut self, failure: &Failure, now_ms: u64, jitter: f64) -> u64 {
        self.failure = Some(failure.why.clone());
        let Some(message) = &mut self.message else { return 0 };
        let pause = (PAUSE_MS << message.tries.saturating_sub(1).min(20)).min(LONGEST_MS);
        let pause = pause / 2 + (pause as f64 / 2.0 * jitter) as u64;
        let asked = failure.retry_after.map_or(0, |after| (after.as_millis() as u64).min(ASKED_MS));
        message.next = now_ms + pause.max(asked);
        if message.next < message.at + GIVE_UP_MS {
            return 0;
        }
        let lost = message.notices.len() as u64 + message.dropped;
        // what was dropped before was counted as lost already
        self.lost += message.notices.len() as u64;
        self.dropped += lost;
        self.message = None;
        lost
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::Event;

    const LIMITS: Limits = Limits { per_minute: 20, keep: 5 };

    fn notice(n: u64) -> Notice {
        let team = "svc".parse().unwrap();
        Notice { event: Event::Waiting, team, site: None, conv: None, since: n, count: 1 }
    }

    fn failure(retry_after: Option<u64>) -> Failure {
        Failure { why: "no".into(), retry_after: retry_after.map(Duration::from_secs) }
    }

    fn numbers(message: &Message) -> Vec<u64> {
        message.notices.iter().map(|n| n.since).collect()
    }

    #[test]
    fn what_happens_together_is_one_message_with_one_id() {
        let mut queue = Queue::default();
        assert_eq!(queue.due(LIMITS), None);
        queue.push([notice(1)], LIMITS, 1_000);
        queue.push([notice(2)], LIMITS, 2_500);
        assert_eq!(queue.begin(LIMITS, 2_999, || "x".into()), None);
        let message = queue.begin(LIMITS, 3_000, || "first".into()).unwrap();
        assert_eq!((numbers(&message), message.id.as_str(), message.tries), (vec![1, 2], "first", 1));
        // a server that takes over now waits for the end of this try
        assert_eq!(queue.due(LIMITS), Some(3_000 + CLAIM_MS));
        queue.failed(&failure(None), 3_100, 1.0);
        queue.push([notice(3)], LIMITS, 3_200);
        let again = queue.begin(LIMITS, 5_100, || "second".into()).unwrap();
        assert_eq!((numbers(&again), again.id.as_str(), again.tries), (vec![1, 2], "first", 2));
        queue.delivered(5_200);
        let next = queue.begin(LIMITS, 5_200, || "second".into()).unwrap();
        assert_eq!((numbers(&next), next.id.as_str()), (vec![3], "second"));
        queue.delivered(5_300);
        assert_eq!((queue.due(LIMITS), queue.waiting(), queue.delivered), (None, 0, 2));
    }

    #[test]
    fn too_many_drop_the_oldest_and_the_message_says_how_many() {
        let mut queue = Queue::default();
        assert_eq!(queue.push((0..12).map(notice), LIMITS, 0), 7);
        let message = queue.begin(LIMITS, GATHER_MS, String::new).unwrap();
        assert_eq!((numbers(&message), message.dropped, queue.lost), (vec![7, 8, 9, 10, 11], 7, 7));
    }

    #[test]
    fn pauses_grow_and_a_day_is_enough() {
        let mut queue = Queue::default();
        queue.push([notice(1)], LIMITS, 0);
        let (mut tries, mut last, mut lost) = (0, 0, 0);
        while let Some(due) = queue.due(LIMITS) {
            assert!(due >= last && due - last <= LONGEST_MS, "{due} after {last}");
            last = due;
            assert!(queue.begin(LIMITS, due, String::new).is_some());
            lost += queue.failed(&failure(None), due, 1.0);
            tries += 1;
        }
        assert!((50..100).contains(&tries), "{tries}");
        assert!(last < GATHER_MS + GIVE_UP_MS && last > GIVE_UP_MS - LONGEST_MS);
        assert_eq!((lost, queue.lost), (1, 1));
        // the next one says what was lost
        queue.push([notice(2)], LIMITS, last);
        assert_eq!(queue.begin(LIMITS, last + GATHER_MS, String::new).unwrap().dropped, 1);
    }

    #[test]
    fn the_other_side_may_ask_for_time_but_not_for_ever() {
        for (asked, waits) in [(10, 10_000), (1, 2_000), (1_000_000, ASKED_MS)] {
            let mut queue = Queue::default();
            queue.push([notice(1)], LIMITS, 0);
            queue.begin(LIMITS, GATHER_MS, String::new).unwrap();
            queue.failed(&failure(Some(asked)), GATHER_MS, 1.0);
            assert_eq!(queue.due(LIMITS), Some(GATHER_MS + waits), "{asked}");
        }
    }

    proptest! {
        #[test]
        fn no_minute_has_more_requests_than_allowed_and_nothing_gets_lost_silently(
            steps in proptest::collection::vec((0_u64..5_000, 0_u64..4, any::<bool>()), 1..400)
        ) {
            let (mut queue, mut now, mut next, mut told, mut requests) = (Queue::default(), 0, 0, 0, Vec::new());
            for (pause, pushed, works) in steps {
                now += pause;
                queue.push((next..next + pushed).map(notice), LIMITS, now);
                next += pushed;
                // stored and read again between all steps
                queue = serde_json::from_str(&serde_json::to_string(&queue).unwrap()).unwrap();
                if let Some(message) = queue.begin(LIMITS, now, String::new) {
                    requests.push(now);
                    let minute = requests.iter().filter(|at| **at + MINUTE_MS > now).count();
                    prop_assert!(minute <= LIMITS.per_minute as usize);
                    match works {
                        true => {
                            told += message.notices.len() as u64;
                            queue.delivered(now);
                        }
                        false => drop(queue.failed(&failure(None), now, 0.5)),
                    }
                }
                prop_assert_eq!(told + queue.lost + queue.waiting() as u64, next);
                prop_assert!(queue.waiting.len() <= LIMITS.keep as usize);
            }
        }
    }
}
