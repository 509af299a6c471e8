//! What lives for a minute: logins between their two steps, and the proofs that allow a change of the password.

use std::{collections::HashMap, net::IpAddr};

use crate::{
    crypto::{
        codec::{Bytes, b64u},
        hash,
        opaque::ServerLogin,
        sign::random,
    },
    proto::UserId,
};

/// How long a login may take between its steps, and a change of the password after a sign-in, ms.
pub const LOGIN_MS: u64 = 60_000;
/// Most logins under way at once. Of the place that has most of them the oldest gives way, so that one place can't keep
/// everybody else from signing in.
const MOST: usize = 4_096;

/// A login after its first step.
pub(super) struct Started {
    pub user: UserId,
    pub login: ServerLogin,
    /// Where it comes from, what one customer of a network has.
    pub place: IpAddr,
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

/// See the module.
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
        let mut places: HashMap<IpAddr, usize> = HashMap::new();
        self.logins.values().for_each(|s| *places.entry(s.place).or_default() += 1);
        let Some((most, _)) = places.into_iter().max_by_key(|(_, count)| *count) else { return };
        let there = self.logins.iter().filter(|(_, s)| s.place == most);
        if let Some(oldest) = there.min_by_key(|(_, s)| s.at_ms).map(|(id, _)| id.clone()) {
            self.logins.remove(&oldest);
        }
    }

    /// Ends a login, if it is not too late.
    pub fn take(&mut self, id: &str, now_ms: u64) -> Option<Started> {
        self.logins.remove(id).filter(|s| fresh(s.at_ms, now_ms))
    }

    /// Somebody signed in with their password of now: what allows to change it, in the place of any earlier one.
    pub fn prove(&mut self, user: &UserId, version: u32, now_ms: u64) -> Bytes {
        self.proven.retain(|_, p| fresh(p.at_ms, now_ms));
        let secret = random::<32>();
        self.proven.insert(user.clone(), Proven { secret: hidden(&secret), version, at_ms: now_ms });
        secret.to_vec().into()
    }

    /// Uses a proof up; the version of the keyring that it was for.
    pub fn proven(&mut self, user: &UserId, secret: &[u8], now_ms: u64) -> Option<u32> {
        // hashes are compared: how many bytes of the secret were right takes no time to tell
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

    fn started(server: &OpaqueServer, ke1: &[u8], place: u32, at_ms: u64) -> Started {
        let user: UserId = "li".parse().unwrap();
        let (login, _) = server.login_start(&user, None, ke1).unwrap();
        Started { user, login, place: IpAddr::V4(place.into()), version: 1, old: false, at_ms }
    }

    #[test]
    fn one_place_does_not_push_out_the_logins_of_others() {
        let server = OpaqueServer::new(&generate_setup(), OrgFp([1; 16])).unwrap();
        let (_, ke1) = ClientLogin::start("x").unwrap();
        let mut pending = Pending::default();
        let honest = pending.add(started(&server, &ke1, 1, 0));
        let first = pending.add(started(&server, &ke1, 2, 1));
        for _ in 0..MOST {
            pending.add(started(&server, &ke1, 2, 2));
        }
        assert_eq!(pending.logins.len(), MOST);
        assert!(pending.take(&first, 3).is_none(), "the oldest of the place that has most gave way");
        assert!(pending.take(&honest, 3).is_some(), "though it was older");
        assert!(pending.take(&honest, 3).is_none(), "once");
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
