//! What a sign-in and a change of the password need between their steps. The client carries it, sealed, so that nothing is
//! remembered for those who never come back, and any server of the company can take the next step.

use parking_lot::Mutex;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    crypto::{
        cluster_key::{ClusterKey, Sealer},
        codec::{Bytes, b64u, from_b64u},
        opaque::ServerLogin,
        sign::random,
    },
    proto::UserId,
};

/// How long a login may take between its steps, and a change of the password after a sign-in, ms.
pub const LOGIN_MS: u64 = 60_000;

/// Bytes of a state before it is sealed; all are shorter.
const LENGTH: usize = 1024;

/// A login after its first step.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Started {
    pub user: UserId,
    /// OPAQUE's state.
    login: Bytes,
    /// The version of the keyring whose password is tried.
    pub version: u32,
    /// It is the password before the last change.
    pub old: bool,
    at_ms: u64,
    /// Which login it is.
    id: [u8; 16],
}

impl Started {
    /// Begun at this time.
    pub fn new(user: UserId, login: &ServerLogin, version: u32, old: bool, at_ms: u64) -> Self {
        Self { user, login: login.to_bytes().into(), version, old, at_ms, id: random() }
    }

    /// Which login it is.
    pub fn id(&self) -> [u8; 16] {
        self.id
    }

    /// OPAQUE's state.
    pub fn login(&self) -> Option<ServerLogin> {
        ServerLogin::from_bytes(&self.login.0)
    }
}

/// A sign-in with the password of now: it allows to change that. It is used up by the change, which raises the version.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Proven {
    user: UserId,
    version: u32,
    at_ms: u64,
}

/// Seals and opens what lies between two steps.
#[derive(Debug)]
pub(super) struct Steps {
    logins: Sealer,
    changes: Sealer,
    /// Logins that succeeded here, with the time. A minute later they are too old by themselves.
    used: Mutex<Vec<([u8; 16], u64)>>,
}

fn fresh(at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(at_ms) <= LOGIN_MS
}

fn seal(sealer: &Sealer, state: &impl Serialize) -> Vec<u8> {
    // derived serialisation of plain fields has no way to fail
    let mut json = serde_json::to_vec(state).unwrap_or_default();
    // what is carried says nothing by its length: whether there is such a user, for one
    json.resize(json.len().max(LENGTH), b' ');
    sealer.seal(&json)
}

fn open<T: DeserializeOwned>(sealer: &Sealer, sealed: &[u8]) -> Option<T> {
    serde_json::from_slice(&sealer.open(sealed)?).ok()
}

impl Steps {
    pub fn new(key: &ClusterKey) -> Self {
        Self { logins: key.sealer("login"), changes: key.sealer("change of password"), used: Mutex::default() }
    }

    /// A login for its client to carry.
    pub fn carry(&self, started: &Started) -> String {
        b64u(&seal(&self.logins, started))
    }

    /// A login that comes back, if it is not too late and did not succeed here already.
    pub fn take(&self, carried: &str, now_ms: u64) -> Option<Started> {
        let started: Started = open(&self.logins, &from_b64u(carried).ok()?)?;
        let used = || self.used.lock().iter().any(|(id, _)| *id == started.id);
        (fresh(started.at_ms, now_ms) && !used()).then_some(started)
    }

    /// A login succeeded: it does so once. False: another request was faster.
    pub fn succeed(&self, started: &Started, now_ms: u64) -> bool {
        let mut used = self.used.lock();
        used.retain(|(_, at_ms)| fresh(*at_ms, now_ms));
        let first = used.iter().all(|(id, _)| *id != started.id);
        used.push((started.id, started.at_ms));
        first
    }

    /// Proof of a sign-in with the current password.
    pub fn prove(&self, user: &UserId, version: u32, now_ms: u64) -> Bytes {
        seal(&self.changes, &Proven { user: user.clone(), version, at_ms: now_ms }).into()
    }

    /// The version of the keyring that a proof of this user is for.
    pub fn proven(&self, user: &UserId, proof: &[u8], now_ms: u64) -> Option<u32> {
        let proven: Proven = open(&self.changes, proof)?;
        (proven.user == *user && fresh(proven.at_ms, now_ms)).then_some(proven.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::opaque::{ClientLogin, OpaqueServer, generate_setup},
        proto::OrgFp,
    };

    fn started(at_ms: u64) -> Started {
        let server = OpaqueServer::new(&generate_setup(), OrgFp([1; 16])).unwrap();
        let (_, ke1) = ClientLogin::start("x").unwrap();
        let user: UserId = "li".parse().unwrap();
        let (login, _) = server.login_start(&user, None, &ke1).unwrap();
        Started::new(user, &login, 1, false, at_ms)
    }

    #[test]
    fn a_login_goes_on_where_the_key_is_known_in_time_and_succeeds_once() {
        let key = ClusterKey::generate();
        let (one, other, stranger) = (Steps::new(&key), Steps::new(&key), Steps::new(&ClusterKey::generate()));
        let carried = one.carry(&started(5));
        let back = other.take(&carried, 5 + LOGIN_MS).unwrap();
        assert!(back.login().is_some() && back.version == 1 && back.user.as_str() == "li");
        assert!(stranger.take(&carried, 6).is_none());
        assert!(one.take(&carried, 6 + LOGIN_MS).is_none());
        assert!(one.take(&carried[1..], 6).is_none() && one.take("", 6).is_none());
        assert!(other.succeed(&back, 6) && !other.succeed(&back, 6));
        assert!(other.take(&carried, 7).is_none(), "once");
        assert!(other.succeed(&started(6), 7 + LOGIN_MS) && other.used.lock().len() == 1, "old ones are forgotten");
    }

    #[test]
    fn a_proof_is_for_its_user_and_holds_a_minute() {
        let (steps, li, wu) = (Steps::new(&ClusterKey::generate()), "li".parse().unwrap(), "wu".parse().unwrap());
        let proof = steps.prove(&li, 3, 0);
        assert_eq!(steps.proven(&li, &proof.0, LOGIN_MS), Some(3));
        assert_eq!(steps.proven(&wu, &proof.0, 1), None);
        assert_eq!(steps.proven(&li, &proof.0, LOGIN_MS + 1), None);
        assert_eq!(steps.proven(&li, &started(1).login.0, 1), None);
    }
}
