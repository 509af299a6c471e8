//! Rate limits: token buckets by visitor, agent and address, in memory only, and the maximum size of a conversation.
//!
//! Everything that strangers can make the server do or keep has a bucket: an [`Act`] says from which ones it takes. They are
//! separate, so that reaching one limit does not affect another: a change of keys behind an office's address does not
//! stop its messages. IPv6 addresses count in three networks (see [`crate::net`]).

mod bucket;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
};

use serde::{Deserialize, Serialize};

use crate::{
    hub::Who,
    net::{Network, networks},
    proto::{Kid, Limit, UserId},
    store::Take,
};

use self::bucket::Buckets;
pub use self::bucket::Rate;

/// Rates of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Messages of a visitor and of all visitors at an address.
    pub messages: (Rate, Rate),
    /// New conversations, the same way.
    pub openings: (Rate, Rate),
    /// Conversations closed and opened again.
    pub changes: (Rate, Rate),
    /// Epochs announced.
    pub keys: (Rate, Rate),
    /// Bytes left in the database.
    pub bytes: (Rate, Rate),
    /// Records left in the database.
    pub records: (Rate, Rate),
    /// Requests that read.
    pub reads: (Rate, Rate),
    /// Messages of an agent.
    pub agent_messages: Rate,
    /// Requests of an agent that read.
    pub agent_reads: Rate,
    /// KiB of files of a visitor and of all visitors at an address.
    pub files: (Rate, Rate),
    /// KiB of files of an agent.
    pub agent_files: Rate,
    /// Sign-ins begun at an address.
    pub logins: Rate,
    /// From how many bytes on a conversation takes no more of its visitor's messages.
    pub conversation_bytes: u64,
    /// From how many records on.
    pub conversation_records: u64,
}

/// What an act of a visitor costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Act {
    /// Messages, or recalls of them.
    pub messages: u32,
    /// New conversations.
    pub openings: u32,
    /// Conversations closed, or opened again.
    pub changes: u32,
    /// Epochs announced.
    pub keys: u32,
    /// Bytes that stay in the database.
    pub bytes: u32,
    /// Records that stay there.
    pub records: u32,
    /// Requests that read.
    pub reads: u32,
    /// KiB of files.
    pub file_kib: u32,
}

/// Why not, and when again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limited {
    /// Which limit.
    pub limit: Limit,
    /// How long to wait, ms; none if waiting does not help.
    pub retry_ms: Option<u64>,
}

/// How many were refused something in the last ten minutes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitedCount {
    /// Visitors.
    pub visitors: u64,
    /// Addresses, and networks around them.
    pub addresses: u64,
    /// Agents.
    pub agents: u64,
}

/// The buckets of one limit.
#[derive(Debug)]
struct Pair {
    limit: Limit,
    visitors: Buckets<Kid>,
    addresses: Buckets<Network>,
}

impl Pair {
    fn new(limit: Limit, (visitor, address): (Rate, Rate)) -> Self {
        Self { limit, visitors: Buckets::new(visitor), addresses: Buckets::new(address) }
    }

    fn look(&self, kid: Option<Kid>, address: IpAddr, cost: u32, now: u64) -> Result<(), Limited> {
        if cost == 0 {
            return Ok(());
        }
        let limited = |wait| Limited { limit: self.limit, retry_ms: Some(wait) };
        if let Some(kid) = kid {
            self.visitors.look(kid, cost, 1, now).map_err(limited)?;
        }
        networks(address).try_for_each(|(n, times)| self.addresses.look(n, cost, times, now)).map_err(limited)
    }

    fn take(&self, kid: Option<Kid>, address: IpAddr, cost: u32, now: u64) {
        if cost == 0 {
            return;
        }
        if let Some(kid) = kid {
            self.visitors.take(kid, cost, 1, now);
        }
        networks(address).for_each(|(n, times)| self.addresses.take(n, cost, times, now));
    }
}

/// Which of the pairs is that of openings.
const OPENINGS: usize = 1;

/// The buckets of all limits.
#[derive(Debug)]
pub struct Limits {
    /// In the order of the costs of an [`Act`].
    pairs: [Pair; 8],
    agent_messages: Buckets<UserId>,
    agent_files: Buckets<UserId>,
    agent_reads: Buckets<UserId>,
    logins: Buckets<Network>,
    conversation_bytes: u64,
    conversation_records: u64,
}

impl Limits {
    /// Full buckets.
    pub fn new(r: &Rates) -> Self {
        let pairs = [
            Pair::new(Limit::Messages, r.messages),
            Pair::new(Limit::Openings, r.openings),
            Pair::new(Limit::Changes, r.changes),
            Pair::new(Limit::Keys, r.keys),
            Pair::new(Limit::Bytes, r.bytes),
            // what a day allows is one thing to people, whatever it is counted in
            Pair::new(Limit::Bytes, r.records),
            Pair::new(Limit::Reads, r.reads),
            Pair::new(Limit::Files, r.files),
        ];
        Self {
            pairs,
            agent_messages: Buckets::new(r.agent_messages),
            agent_reads: Buckets::new(r.agent_reads),
            agent_files: Buckets::new(r.agent_files),
            logins: Buckets::new(r.logins),
            conversation_bytes: r.conversation_bytes,
            conversation_records: r.conversation_records,
        }
    }

    /// May this visitor do that now? If so, it is counted: in all buckets or in none.
    pub fn visitor(&self, kid: Kid, address: IpAddr, act: Act, now: u64) -> Result<(), Limited> {
        self.act(Some(kid), address, act, now)
    }

    fn act(&self, kid: Option<Kid>, address: IpAddr, a: Act, now: u64) -> Result<(), Limited> {
        let costs = [a.messages, a.openings, a.changes, a.keys, a.bytes, a.records, a.reads, a.file_kib];
        self.pairs.iter().zip(costs).try_for_each(|(pair, cost)| pair.look(kid, address, cost, now))?;
        self.pairs.iter().zip(costs).for_each(|(pair, cost)| pair.take(kid, address, cost, now));
        Ok(())
    }

    /// May a client at this address, known or not, make a request that costs this many reads? Agents have buckets of their
    /// own: an office has many of them behind one address.
    pub fn read(&self, who: Option<&Who>, address: IpAddr, cost: u32, now: u64) -> Result<(), Limited> {
        let act = Act { reads: cost, ..Act::default() };
        match who {
            Some(Who::Agent { user, .. }) => one(&self.agent_reads, user.clone(), Limit::Reads, cost, now),
            Some(Who::Visitor { kid, .. }) => self.act(Some(*kid), address, act, now),
            None => self.act(None, address, act, now),
        }
    }

    /// May a client at this address try a password now? Otherwise: in how many ms.
    pub fn login(&self, address: IpAddr, now: u64) -> Result<(), u64> {
        networks(address).try_for_each(|(network, times)| self.logins.look(network, 1, times, now))?;
        networks(address).for_each(|(network, times)| self.logins.take(network, 1, times, now));
        Ok(())
    }

    /// The buckets of one opening, for several servers to share. `name` names them.
    pub fn shared_opening(&self, kid: Kid, address: IpAddr, name: impl Fn(&str, &[u8]) -> Vec<u8>) -> Vec<Take> {
        let pair = &self.pairs[OPENINGS];
        let visitor = pair.visitors.shared(name("opening by visitor", &kid.0), 1, 1);
        let place = |(network, times): (Network, u32)| {
            let name = name("opening at", network.to_string().as_bytes());
            pair.addresses.shared(name, 1, times)
        };
        std::iter::once(visitor).chain(networks(address).map(place)).collect()
    }

    /// What all servers have opened together is enough.
    pub fn opening_refused(&self, kid: Kid, wait: u64, now: u64) -> Limited {
        let pair = &self.pairs[OPENINGS];
        pair.visitors.refused(kid, now);
        Limited { limit: pair.limit, retry_ms: Some(wait) }
    }

    /// The buckets of one try of a password, for several servers to share. `name` names them.
    pub fn shared_login(&self, address: IpAddr, name: impl Fn(&str, &[u8]) -> Vec<u8>) -> Vec<Take> {
        let place = |(network, times): (Network, u32)| {
            self.logins.shared(name("login at", network.to_string().as_bytes()), 1, times)
        };
        networks(address).map(place).collect()
    }

    /// May this agent send now?
    pub fn agent_message(&self, user: &UserId, now: u64) -> Result<(), Limited> {
        one(&self.agent_messages, user.clone(), Limit::Messages, 1, now)
    }

    /// May this agent begin to send a file of so many KiB?
    pub fn agent_file(&self, user: &UserId, kib: u32, now: u64) -> Result<(), Limited> {
        one(&self.agent_files, user.clone(), Limit::Files, kib, now)
    }

    /// Does a conversation of this size accept more from its visitor? Agents can always write, and so can the
    /// announcements and recalls that their answers may need: a quarter more.
    pub fn conversation(&self, bytes: u64, records: u64, message: bool) -> Result<(), Limited> {
        let most = |cap: u64| if message { cap } else { cap.saturating_add(cap / 4) };
        if bytes < most(self.conversation_bytes) && records < most(self.conversation_records) {
            return Ok(());
        }
        Err(Limited { limit: Limit::Conversation, retry_ms: None })
    }

    /// Who was refused what lately, as counts.
    pub fn limited(&self, now: u64) -> BTreeMap<&'static str, LimitedCount> {
        let mut all: HashMap<Limit, LimitedCount> = HashMap::new();
        for pair in &self.pairs {
            let count = all.entry(pair.limit).or_default();
            count.visitors += pair.visitors.limited(now);
            count.addresses += pair.addresses.limited(now);
        }
        all.entry(Limit::Messages).or_default().agents = self.agent_messages.limited(now);
        all.entry(Limit::Reads).or_default().agents = self.agent_reads.limited(now);
        all.entry(Limit::Files).or_default().agents = self.agent_files.limited(now);
        all.into_iter().filter(|(_, c)| *c != LimitedCount::default()).map(|(l, c)| (l.name(), c)).collect()
    }
}

fn one(buckets: &Buckets<UserId>, user: UserId, limit: Limit, cost: u32, now: u64) -> Result<(), Limited> {
    buckets.look(user.clone(), cost, 1, now).map_err(|wait| Limited { limit, retry_ms: Some(wait) })?;
    buckets.take(user, cost, 1, now);
    Ok(())
}
