//! How fast somebody may write: token buckets by visitor, agent and address, in memory only.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use crate::proto::{Kid, UserId};

/// Rates of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// Messages a minute from one visitor.
    pub visitor_per_minute: u32,
    /// How many he may send at once after a pause.
    pub visitor_burst: u32,
    /// Messages a minute from all visitors of one address.
    pub address_per_minute: u32,
    /// New conversations an hour from one address.
    pub conversations_per_hour: u32,
    /// Messages a minute from one agent.
    pub agent_per_minute: u32,
}

/// One bucket: `level` tokens at time `at`.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    at: u64,
}

/// Buckets of one kind.
#[derive(Debug)]
struct Buckets<K> {
    per_ms: f64,
    burst: f64,
    map: Mutex<HashMap<K, Bucket>>,
}

/// Beyond this many, full buckets (which say nothing) are thrown away.
const KEEP: usize = 20_000;

impl<K: Eq + Hash> Buckets<K> {
    fn new(count: u32, per_ms: u64, burst: u32) -> Self {
        Self { per_ms: f64::from(count.max(1)) / per_ms as f64, burst: f64::from(burst.max(1)), map: Mutex::default() }
    }

    /// Takes a token; else how long until there is one, ms.
    fn take(&self, key: K, now: u64) -> Result<(), u64> {
        let mut map = self.map.lock().unwrap_or_else(PoisonError::into_inner);
        if map.len() > KEEP {
            let (rate, burst) = (self.per_ms, self.burst);
            map.retain(|_, b| b.level + (now.saturating_sub(b.at)) as f64 * rate < burst);
        }
        let bucket = map.entry(key).or_insert(Bucket { level: self.burst, at: now });
        bucket.level = (bucket.level + now.saturating_sub(bucket.at) as f64 * self.per_ms).min(self.burst);
        bucket.at = now;
        if bucket.level >= 1.0 {
            bucket.level -= 1.0;
            Ok(())
        } else {
            Err(((1.0 - bucket.level) / self.per_ms).ceil() as u64)
        }
    }
}

/// All buckets.
#[derive(Debug)]
pub struct Limits {
    visitors: Buckets<Kid>,
    addresses: Buckets<IpAddr>,
    openings: Buckets<IpAddr>,
    logins: Buckets<IpAddr>,
    agents: Buckets<UserId>,
}

impl Limits {
    /// Full buckets.
    pub fn new(r: Rates) -> Self {
        Self {
            visitors: Buckets::new(r.visitor_per_minute, 60_000, r.visitor_burst),
            addresses: Buckets::new(r.address_per_minute, 60_000, r.address_per_minute),
            openings: Buckets::new(r.conversations_per_hour, 3_600_000, r.conversations_per_hour),
            // a person mistypes a few times; an office behind one address has many people
            logins: Buckets::new(30, 60_000, 30),
            agents: Buckets::new(r.agent_per_minute, 60_000, r.agent_per_minute),
        }
    }

    /// May this visitor send now? Else: in how many ms.
    pub fn visitor_message(&self, kid: Kid, address: IpAddr, now: u64) -> Result<(), u64> {
        self.visitors.take(kid, now)?;
        self.addresses.take(address, now)
    }

    /// May somebody at this address begin a conversation now?
    pub fn opening(&self, address: IpAddr, now: u64) -> Result<(), u64> {
        self.openings.take(address, now)
    }

    /// May somebody at this address try a password now?
    pub fn login(&self, address: IpAddr, now: u64) -> Result<(), u64> {
        self.logins.take(address, now)
    }

    /// May this agent send now?
    pub fn agent_message(&self, user: &UserId, now: u64) -> Result<(), u64> {
        self.agents.take(user.clone(), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds_and_the_wait_is_true() {
        let b = Buckets::<u8>::new(60, 60_000, 3);
        for _ in 0..3 {
            assert_eq!(b.take(1, 0), Ok(()));
        }
        let wait = b.take(1, 0).unwrap_err();
        assert_eq!(wait, 1000);
        assert!(b.take(1, wait - 10).is_err());
        assert_eq!(b.take(1, wait + 1), Ok(()));
        assert_eq!(b.take(2, 0), Ok(()), "another key has a bucket of its own");
    }
}
