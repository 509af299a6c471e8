//! Conversations of the robot that no server can read: the one that held their day key is gone. The server with the desk hands them
//! to people, and it alone. A server that restarts has its keys again before it counts as gone.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{RobotKeys, read::day_key_of};
use crate::{chat::Chat, proto::ConvId};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(1);
/// How long a key must be nowhere. Servers say every two seconds what they hold, and another may have heard of a new key first.
const GRACE: Duration = Duration::from_secs(3);

/// Never ends by itself.
pub async fn hand_over_orphans(chat: Arc<Chat>, keys: Arc<RobotKeys>) {
    let leads = chat.leads();
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut orphans = Orphans::default();
    loop {
        look.tick().await;
        if !*leads.borrow() {
            orphans = Orphans::default();
            continue;
        }
        let elsewhere = chat.day_keys_elsewhere();
        let mut robots = Vec::new();
        for (conv, day) in chat.robots_by_day() {
            match (day, orphans.unnamed.get(&conv)) {
                (None, Some(known)) => robots.push((conv, *known)),
                // what can't be read is looked at again
                (None, None) => {
                    if let Ok(read) = day_key_of(&chat, conv).await {
                        orphans.unnamed.insert(conv, read);
                        robots.push((conv, read));
                    }
                }
                (day, _) => robots.push((conv, day)),
            }
        }
        for conv in orphans.due(&robots, |kid| elsewhere.contains(kid) || keys.has_day(kid), Instant::now()) {
            tracing::warn!(%conv, "no server holds the day key of this conversation: the robot leaves it to people");
            if let Err(e) = chat.robot_leaves(conv).await {
                tracing::warn!(%conv, error = %e, "the robot could not leave a conversation");
            }
        }
    }
}

/// Since when keys are missed.
#[derive(Default)]
struct Orphans {
    since: HashMap<ConvId, Instant>,
    /// Day keys of conversations whose rows don't name them.
    unnamed: HashMap<ConvId, Option<[u8; 16]>>,
}

impl Orphans {
    /// Conversations whose key nobody holds for long enough.
    fn due(
        &mut self,
        robots: &[(ConvId, Option<[u8; 16]>)],
        is_held: impl Fn(&[u8; 16]) -> bool,
        now: Instant,
    ) -> Vec<ConvId> {
        let alone: BTreeSet<ConvId> =
            robots.iter().filter(|(_, day)| !day.as_ref().is_some_and(&is_held)).map(|(conv, _)| *conv).collect();
        self.since.retain(|conv, _| alone.contains(conv));
        let open: BTreeSet<ConvId> = robots.iter().map(|(conv, _)| *conv).collect();
        self.unnamed.retain(|conv, _| open.contains(conv));
        let long = |conv: &ConvId| now.duration_since(*self.since.entry(*conv).or_insert(now)) >= GRACE;
        alone.into_iter().filter(long).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_alone_when_its_key_is_nowhere_for_some_time() {
        let (mut orphans, begin) = (Orphans::default(), Instant::now());
        let robots = [(ConvId([1; 16]), Some([1; 16])), (ConvId([2; 16]), Some([2; 16])), (ConvId([3; 16]), None)];
        let held = |kid: &[u8; 16]| *kid == [1; 16];
        assert_eq!(orphans.due(&robots, held, begin), []);
        assert_eq!(orphans.due(&robots, held, begin + GRACE / 2), []);
        // its server is back
        assert_eq!(orphans.due(&robots, |_| true, begin + GRACE / 2), []);
        assert_eq!(orphans.due(&robots, held, begin + GRACE), [ConvId([3; 16])], "held by nobody all the time");
        assert_eq!(orphans.due(&robots[1..2], held, begin + 2 * GRACE), [ConvId([2; 16])]);
        assert_eq!(orphans.due(&[], held, begin + 3 * GRACE), []);
        assert!(orphans.since.is_empty());
    }
}
