//! Login and change of password. The server never learns a password; a proven login yields the sealed keyring.

use std::{collections::HashMap, net::IpAddr};

use super::{
    LoggedIn, LoginFinish, LoginStart, LoginStarted, Message, Org, OrgError, PasswordFinish,
    rows::{self, Account},
};
use crate::{
    crypto::{codec::b64u, opaque::ServerLogin, sign::random},
    proto::UserId,
    store::{self, Batch, Op, Table},
};

/// How long a login may take between its steps, ms.
pub const LOGIN_MS: u64 = 60_000;
/// Most logins under way at once; the oldest gives way.
const MOST_PENDING: usize = 4_096;
/// Largest OPAQUE message read.
const MAX_MESSAGE: usize = 4 * 1024;
/// Largest sealed keyring kept.
pub(super) const MAX_KEYRING: usize = 4 * 1024;

struct Started {
    user: UserId,
    login: ServerLogin,
    at_ms: u64,
}

/// Logins between their two steps.
#[derive(Default)]
pub(super) struct Pending(HashMap<String, Started>);

impl Pending {
    fn add(&mut self, started: Started) -> String {
        let now = started.at_ms;
        self.0.retain(|_, s| now.saturating_sub(s.at_ms) <= LOGIN_MS);
        if self.0.len() >= MOST_PENDING
            && let Some(oldest) = self.0.iter().min_by_key(|(_, s)| s.at_ms).map(|(id, _)| id.clone())
        {
            self.0.remove(&oldest);
        }
        let id = b64u(&random::<16>());
        self.0.insert(id.clone(), started);
        id
    }

    fn take(&mut self, id: &str, now: u64) -> Option<Started> {
        self.0.remove(id).filter(|s| now.saturating_sub(s.at_ms) <= LOGIN_MS)
    }
}

/// Refuses messages no client of ours would send.
pub(super) fn small(what: &'static str, bytes: &[u8], most: usize) -> Result<(), OrgError> {
    if bytes.len() > most { Err(OrgError::TooLarge(what)) } else { Ok(()) }
}

impl Org {
    /// `POST /login/start`: KE1 → KE2. Unknown and switched-off users get an answer like any other.
    /// `place`: where it comes from, what one customer of a network has.
    pub async fn login_start(&self, request: LoginStart, place: IpAddr) -> Result<LoginStarted, OrgError> {
        let LoginStart { user, m } = request;
        small("the login message", &m.0, MAX_MESSAGE)?;
        let now = self.now_ms();
        locked(&self.limiter).try_now(&user, place, now).map_err(|retry_ms| OrgError::Slow { retry_ms })?;
        let record = match self.agent(&user) {
            Some(_) => self.account(&user)?.map(|(a, _)| a.record),
            None => None,
        };
        let (login, ke2) = self.opaque.login_start(&user, record.as_ref().map(|r| &r.0[..]), &m.0)?;
        let id = locked(&self.pending).add(Started { user, login, at_ms: now });
        Ok(LoginStarted { id, m: ke2.into() })
    }

    /// `POST /login/finish`: KE3 → the sealed keyring and boxes.
    pub async fn login_finish(&self, request: LoginFinish, place: IpAddr) -> Result<LoggedIn, OrgError> {
        small("the login message", &request.m.0, MAX_MESSAGE)?;
        let started = locked(&self.pending).take(&request.id, self.now_ms()).ok_or(OrgError::Login)?;
        let Started { user, login, .. } = started;
        self.opaque.login_finish(&user, login, &request.m.0)?;
        // he may have been switched off between the steps
        let agent = self.agent(&user).ok_or(OrgError::Login)?;
        let (account, _) = self.account(&user)?.ok_or(OrgError::Login)?;
        locked(&self.limiter).forgive(&user, place, self.now_ms());
        let boxes = rows::boxes_of(&*self.store, user.as_str())?;
        Ok(LoggedIn { kid: agent.kid, user, keyring: account.keyring, version: account.version, boxes })
    }

    /// `POST /password/start` of a signed-in user.
    pub async fn password_start(&self, user: &UserId, request: Message) -> Result<Message, OrgError> {
        small("the registration message", &request.m.0, MAX_MESSAGE)?;
        self.agent(user).ok_or(OrgError::Forbidden("this account is switched off"))?;
        Ok(Message { m: self.opaque.register_start(user, &request.m.0)?.into() })
    }

    /// `POST /password/finish` of a signed-in user: record and keyring change together.
    pub async fn password_finish(&self, user: &UserId, request: PasswordFinish) -> Result<(), OrgError> {
        let PasswordFinish { record, keyring, version } = request;
        small("the registration message", &record.0, MAX_MESSAGE)?;
        small("the keyring", &keyring.0, MAX_KEYRING)?;
        self.agent(user).ok_or(OrgError::Forbidden("this account is switched off"))?;
        let (old, stored) = self.account(user)?.ok_or(OrgError::NotFound("account"))?;
        if old.version.checked_add(1) != Some(version) {
            return Err(OrgError::Conflict);
        }
        let record = self.opaque.register_finish(&record.0)?.into();
        let key = rows::account_key(user);
        let ops = vec![
            Op::Expect { table: Table::Account, key: key.clone(), value: Some(stored) },
            rows::put(Table::Account, key, &Account { record, keyring, version }),
        ];
        store::write(&*self.store, Batch { ops, ..Batch::default() }).await?;
        Ok(())
    }

    /// The account and its stored bytes.
    fn account(&self, user: &UserId) -> Result<Option<(Account, Vec<u8>)>, OrgError> {
        let stored = self.store.get(Table::Account, &rows::account_key(user))?;
        stored.map(|v| Ok((rows::read("account", &v)?, v))).transpose()
    }
}

/// A lock whose holder never panics half-way through a change.
pub(super) fn locked<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
