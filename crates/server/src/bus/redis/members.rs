//! Who is there: servers say so every two seconds, in one hash, with their agents. A server is gone when it has not said anything
//! new for so long, in which this one could speak itself: a Redis that fails over must not seem to take everybody with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::message::Node;
use crate::{bus::BoxKid, proto::UserId};

/// How often a server says that it is there.
pub const BEAT: Duration = Duration::from_secs(2);
/// Beats of one's own without news of another, after which that is gone.
const GONE: u32 = 3;
/// A server has two day keys, or three where its clock was set back.
const MOST_DAY_KEYS: usize = 8;
/// How long a server that is gone stays listed.
const LISTED: Duration = Duration::from_mins(10);

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beat {
    /// Raised with each beat.
    pub n: u64,
    /// Version of kefu.
    pub version: String,
    /// Where it listens.
    pub listen: String,
    /// When it started, ms.
    pub since: u64,
    /// Agents who have sockets there.
    pub agents: BTreeSet<UserId>,
    /// Sockets.
    pub sockets: u64,
    /// Names of the robot's day keys that it holds, hex.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub day_keys: BTreeSet<String>,
    /// It sends its clients away and takes no new ones.
    #[serde(default)]
    pub draining: bool,
}

/// A server as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Member {
    /// Its name.
    pub node: String,
    /// What it said last.
    #[serde(flatten)]
    pub beat: Beat,
    /// Whether it still says anything.
    pub alive: bool,
    /// Whether it runs the desk.
    pub leads: bool,
}

#[derive(Debug)]
struct Seen {
    beat: Beat,
    /// Beats of one's own since it said anything new.
    silent: u32,
    at: Instant,
}

/// The other servers, as far as this one heard.
#[derive(Debug, Default)]
pub(crate) struct Members(BTreeMap<Node, Seen>);

impl Members {
    /// What the hash says after one more beat of one's own. Returns servers that are gone for so long that they can be deleted.
    pub fn look(&mut self, beats: Vec<(Node, Beat)>, now: Instant) -> Vec<Node> {
        let listed: BTreeSet<Node> = beats.iter().map(|(node, _)| *node).collect();
        self.0.retain(|node, _| listed.contains(node));
        for (node, beat) in beats {
            match self.0.get_mut(&node) {
                Some(seen) if seen.beat.n >= beat.n => seen.silent = seen.silent.saturating_add(1),
                Some(seen) => *seen = Seen { beat, silent: 0, at: now },
                None => drop(self.0.insert(node, Seen { beat, silent: 0, at: now })),
            }
        }
        let old = |seen: &Seen| seen.silent >= GONE && now.duration_since(seen.at) > LISTED;
        self.0.iter().filter(|(_, seen)| old(seen)).map(|(node, _)| *node).collect()
    }

    /// One server says something, between two looks.
    pub fn heard(&mut self, node: Node, beat: Beat, now: Instant) {
        // what was said before the last look may arrive after it
        if self.0.get(&node).is_none_or(|seen| seen.beat.n < beat.n) {
            self.0.insert(node, Seen { beat, silent: 0, at: now });
        }
    }

    /// Agents on servers that are alive.
    pub fn agents(&self) -> BTreeSet<UserId> {
        self.0.values().filter(|seen| seen.silent < GONE).flat_map(|seen| seen.beat.agents.iter().cloned()).collect()
    }

    /// Day keys of the robot on servers that are alive.
    pub fn day_keys(&self) -> BTreeSet<BoxKid> {
        let alive = self.0.values().filter(|seen| seen.silent < GONE);
        let names = alive.flat_map(|seen| seen.beat.day_keys.iter().take(MOST_DAY_KEYS));
        names.filter_map(|name| HEXLOWER.decode(name.as_bytes()).ok()?.try_into().ok()).collect()
    }

    /// All that are listed.
    pub fn list(&self, leader: Option<Node>) -> Vec<Member> {
        let member = |(node, seen): (&Node, &Seen)| Member {
            node: node.name(),
            beat: seen.beat.clone(),
            alive: seen.silent < GONE,
            leads: leader == Some(*node),
        };
        self.0.iter().map(member).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(n: u64, agents: &[&str]) -> Beat {
        let agents = agents.iter().map(|user| user.parse().unwrap()).collect();
        let day_keys = [HEXLOWER.encode(&[n as u8; 16]), "no key".to_owned()].into();
        Beat { n, version: "1".into(), listen: String::new(), since: 0, agents, sockets: 0, day_keys, draining: false }
    }

    #[test]
    fn a_server_is_gone_when_it_is_silent_while_others_speak() {
        let (mut members, one, other, now) = (Members::default(), Node([1; 8]), Node([2; 8]), Instant::now());
        let users = |members: &Members| members.agents().iter().map(ToString::to_string).collect::<Vec<_>>();
        for n in 0..GONE {
            let found = vec![(one, beat(7, &["li"])), (other, beat(u64::from(n), &["wu"]))];
            assert_eq!(members.look(found, now), []);
            assert_eq!(users(&members), ["li", "wu"], "{n}");
        }
        let silent = vec![(one, beat(7, &["li"])), (other, beat(9, &["wu"]))];
        members.look(silent.clone(), now);
        assert_eq!(users(&members), ["wu"]);
        assert_eq!(members.day_keys(), [[9; 16]].into(), "those of a server that is gone open nothing");
        let gone: Vec<bool> = members.list(Some(other)).iter().map(|m| m.alive).collect();
        assert_eq!(gone, [false, true]);
        let late = now + LISTED + BEAT;
        assert_eq!(members.look(silent, late), [one]);
        members.look(vec![(one, beat(8, &["li"]))], late);
        assert_eq!(users(&members), ["li"], "it was only frozen; the other left");
        members.heard(one, beat(9, &["li", "chen"]), late);
        members.heard(one, beat(8, &["li"]), late);
        assert_eq!(users(&members), ["chen", "li"]);
    }
}
