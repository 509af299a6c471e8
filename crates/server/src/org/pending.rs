//! What lives for a minute: logins between their two steps, and the proofs that allow a change of the password.

use std::{collections::HashMap, net::IpAddr};

use crate::{
    crypto::{
        codec::{Bytes, b64u},
        hash,
        opaque::ServerLogin,
        sign::random,
    },
    net::{Network, WIDEST, networks},
    proto::UserId,
};

/// How long a login may take between its steps, and a change of the password after a sign-in, ms.
pub const LOGIN_MS: u64 = 60_000;
/// Maximum number of logins in progress. Of the network that has most of them for its size the oldest gives way, so that few
/// networks can't keep everyone else from signing in.
const MOST: usize = 4_096;

/// A login after its first step.
pub(super) struct Started {
    pub user: UserId,
    pub login: ServerLogin,
    /// Where it comes from.
    pub address: IpAddr,
    /// The version of the keyring whose password is tried.
    pub version: u32,
    /// It is the password before the last change.
    pub old: bool,
    pub at_ms: u64,
}

/// A sign-in with the password of now.
struct Proven {
    secret: [u8; 32],
    version: u32,
    at_ms: u64,
}

/// Logins in progress and proofs of recent sign-ins.
#[derive(Default)]
pub(super) struct Pending {
    logins: HashMap<String, Started>,
    proven: HashMap<UserId, Proven>,
}

fn fresh(at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(at_ms) <= LOGIN_MS
}

fn hidden(secret: &[u8]) -> [u8; 32] {
    hash::h("change", &[secret])
}

impl Pending {
    /// Remembers a login, and names it.
    pub fn add(&mut self, started: Started) -> String {
        let now = started.at_ms;
        self.logins.retain(|_, s| fresh(s.at_ms, now));
        if self.logins.len() >= MOST {
            self.make_room();
        }
        let id = b64u(&random::<16>());
        self.logins.insert(id.clone(), started);
        id
    }

    fn make_room(&mut self) {
        // a wide network counts as many times as its share is larger
        let share = |times: u32| u64::from(WIDEST / times);
        let mut counts: HashMap<Network, u64> = HashMap::new();
        for (network, times) in self.logins.values().flat_map(|s| networks(s.address)) {
            *counts.entry(network).or_default() += share(times);
        }
        let Some((most, _)) = counts.into_iter().max_by_key(|(_, count)| *count) else { return };
        let there = self.logins.iter().filter(|(_, s)| networks(s.address).any(|(network, _)| network == most));
        if let Some(oldest) = there.min_by_key(|(_, s)| s.at_ms).map(|(id, _)| id.clone()) {
            self.logins.remove(&oldest);
        }
    }

    /// Ends a login, if it is not too late.
    pub fn take(&mut self, id: &str, now_ms: u64) -> Option<Started> {
        self.logins.remove(id).filter(|s| fresh(s.at_ms, now_ms))
    }

    /// Proof of a sign-in with the current password, which allows changing it; replaces any earlier one.
    pub fn prove(&mut self, user: &UserId, version: u32, now_ms: u64) -> Bytes {
        self.proven.retain(|_, p| fresh(p.at_ms, now_ms));
        let secret = random::<32>();
        self.proven.insert(user.clone(), Proven { secret: hidden(&secret), version, at_ms: now_ms });
        secret.to_vec().into()
    }

    /// Uses a proof up; the version of the keyring that it was for.
    pub fn proven(&mut self, user: &UserId, secret: &[u8], now_ms: u64) -> Option<u32> {
        // hashes are compared, so the time does not reveal how many bytes of the secret were right
        let right = self.proven.get(user).is_some_and(|p| p.secret == hidden(secret) && fresh(p.at_ms, now_ms));
        if right { self.proven.remove(user).map(|p| p.version) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::opaque::{ClientLogin, OpaqueServer, generate_setup},
        proto::OrgFp,
    };

    fn started(server: &OpaqueServer, ke1: &[u8], address: IpAddr, at_ms: u64) -> Started {
        let user: UserId = "li".parse().unwrap();
        let (login, _) = server.login_start(&user, None, ke1).unwrap();
        Started { user, login, address, version: 1, old: false, at_ms }
    }

    #[test]
    fn one_place_does_not_push_out_the_logins_of_others() {
        let server = OpaqueServer::new(&generate_setup(), OrgFp([1; 16])).unwrap();
        let (_, ke1) = ClientLogin::start("x").unwrap();
        let mut pending = Pending::default();
        let [one, other]: [IpAddr; 2] = [[192, 0, 2, 1].into(), [192, 0, 2, 2].into()];
        let honest = pending.add(started(&server, &ke1, one, 0));
        let first = pending.add(started(&server, &ke1, other, 1));
        for _ in 0..MOST {
            pending.add(started(&server, &ke1, other, 2));
        }
        assert_eq!(pending.logins.len(), MOST);
        assert!(pending.take(&first, 3).is_none(), "the oldest of the place that has most gave way");
        assert!(pending.take(&honest, 3).is_some(), "though it was older");
        assert!(pending.take(&honest, 3).is_none(), "once");
    }

    #[test]
    fn a_wide_network_with_many_addresses_is_one_place() {
        let server = OpaqueServer::new(&generate_setup(), OrgFp([1; 16])).unwrap();
        let (_, ke1) = ClientLogin::start("x").unwrap();
        let mut pending = Pending::default();
        // two from here, one from each of the others
        let honest = [0, 0].map(|at| pending.add(started(&server, &ke1, [192, 0, 2, 1].into(), at)));
        let v6 = |n: u128| IpAddr::V6(((0x2001_0db8_u128 << 96) + (n << 64)).into());
        // each from a /64 of its own
        for n in 0..MOST as u128 {
            pending.add(started(&server, &ke1, v6(n), 1));
        }
        assert!(honest.iter().all(|id| pending.take(id, 2).is_some()));
    }

    #[test]
    fn a_proof_is_used_once_by_its_user_in_time() {
        let (mut pending, li, wu) = (Pending::default(), "li".parse().unwrap(), "wu".parse().unwrap());
        let first = pending.prove(&li, 3, 0);
        let second = pending.prove(&li, 3, 0);
        assert_eq!(pending.proven(&li, &first.0, 1), None, "a later sign-in replaced it");
        assert_eq!(pending.proven(&wu, &second.0, 1), None);
        assert_eq!(pending.proven(&li, &second.0, 1), Some(3));
        assert_eq!(pending.proven(&li, &second.0, 1), None);
        let late = pending.prove(&li, 3, 0);
        assert_eq!(pending.proven(&li, &late.0, LOGIN_MS + 1), None);
    }
}
