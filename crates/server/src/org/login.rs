//! Sign-in and change of the password. The server never learns a password; a proven sign-in yields the sealed keyring.
//!
//! A change of the password needs more than a token: the proof of a sign-in with the password of now, and a signature by
//! the agent's own key. What was there before it stays until the first sign-in with the new password, so that a keyring
//! that does not open loses nothing.

use std::net::IpAddr;

use super::{
    LoggedIn, LoginFinish, LoginStart, LoginStarted, Message, Org, OrgError, PasswordFinish,
    rows::{self, Account, Secrets},
    steps::{LOGIN_MS, Started},
};
use crate::{
    crypto::{
        hash,
        sign::{self, Label},
    },
    proto::UserId,
    store::{Op, StoreError, Table},
};

/// Largest OPAQUE message read.
const MAX_MESSAGE: usize = 4 * 1024;
/// Largest sealed keyring kept.
pub(super) const MAX_KEYRING: usize = 4 * 1024;

/// Refuses messages that no kefu client would send.
pub(super) fn small(what: &'static str, bytes: &[u8], most: usize) -> Result<(), OrgError> {
    if bytes.len() > most { Err(OrgError::TooLarge(what)) } else { Ok(()) }
}

/// What the agent's key signs when the password changes.
pub fn change_hash(user: &UserId, version: u32, record: &[u8], keyring: &[u8]) -> [u8; 32] {
    hash::h("pass", &[user.as_str().as_bytes(), &version.to_be_bytes(), record, keyring])
}

impl Org {
    /// `POST /login/start`: KE1 → KE2. Unknown and switched-off users get an answer like any other.
    pub async fn login_start(&self, request: LoginStart, address: IpAddr) -> Result<LoginStarted, OrgError> {
        let LoginStart { user, m, old } = request;
        small("the login message", &m.0, MAX_MESSAGE)?;
        let now = self.now_ms();
        self.tries.try_now(&*self.store, &self.tries.guess(&user, address), now).await?;
        let secrets = match self.active(&user) {
            Some(_) => self.account(&user).await?.and_then(|(a, _)| a.secrets(old)),
            None => None,
        };
        let record = secrets.as_ref().map(|s| &s.record.0[..]);
        let (login, ke2) = self.opaque.login_start(&user, record, &m.0)?;
        let version = secrets.map_or(0, |s| s.version);
        let id = self.steps.carry(&Started::new(user, &login, version, old, now));
        Ok(LoginStarted { id, m: ke2.into() })
    }

    /// `POST /login/finish`: KE3 → the sealed keyring and boxes.
    pub async fn login_finish(&self, request: LoginFinish, address: IpAddr) -> Result<LoggedIn, OrgError> {
        small("the login message", &request.m.0, MAX_MESSAGE)?;
        small("the login", request.id.as_bytes(), MAX_MESSAGE)?;
        let started = self.steps.take(&request.id, self.now_ms()).ok_or(OrgError::Login)?;
        let login = started.login().ok_or(OrgError::Login)?;
        let (user, old) = (started.user.clone(), started.old);
        self.opaque.login_finish(&user, login, &request.m.0)?;
        // they may have been switched off between the steps
        let agent = self.active(&user).ok_or(OrgError::Login)?;
        let (account, stored) = self.account(&user).await?.ok_or(OrgError::Login)?;
        // or have changed the password
        let secrets = account.secrets(old).filter(|s| s.version == started.version).ok_or(OrgError::Login)?;
        // last: a server that doesn't know them yet must not use up what another one would take
        if !self.steps.succeed(&started, self.now_ms()) || !self.is_first(&started).await? {
            return Err(OrgError::Login);
        }
        self.tries.forgive(&*self.store, &self.tries.guess(&user, address), self.now_ms()).await;
        let boxes = rows::boxes_of(&*self.store, user.as_str()).await?;
        let change = match old {
            true => None,
            false => {
                self.forget_old(&user, account, stored).await;
                Some(self.steps.prove(&user, secrets.version, self.now_ms()))
            }
        };
        Ok(LoggedIn { kid: agent.kid, user, keyring: secrets.keyring, version: secrets.version, boxes, change })
    }

    /// Whether this login succeeded at no other server. One that can't be asked is none that lets anybody in.
    async fn is_first(&self, started: &Started) -> Result<bool, OrgError> {
        let Some(shared) = self.store.ephemeral() else { return Ok(true) };
        // clocks may be apart by as much as the second step has time
        Ok(shared.first(&[b"login", &started.id()[..]].concat(), 2 * LOGIN_MS).await?)
    }

    /// The new password works, so what was before it can go.
    async fn forget_old(&self, user: &UserId, account: Account, stored: Vec<u8>) {
        if account.old.is_none() {
            return;
        }
        let key = rows::account_key(user);
        let ops = vec![
            Op::Expect { table: Table::Account, key: key.clone(), value: Some(stored) },
            rows::put(Table::Account, key, &Account { old: None, ..account }),
        ];
        match self.write(ops).await {
            Ok(()) | Err(StoreError::Conflict) => {}
            // a sign-in need not fail for it; the next one tries again
            Err(e) => {
                tracing::warn!(%user, error = %e, "the password before the last change could not be removed yet");
            }
        }
    }

    /// `POST /password/start` of a signed-in user.
    pub async fn password_start(&self, user: &UserId, request: Message) -> Result<Message, OrgError> {
        small("the registration message", &request.m.0, MAX_MESSAGE)?;
        self.active(user).ok_or(OrgError::Forbidden("this account is switched off"))?;
        Ok(Message { m: self.opaque.register_start(user, &request.m.0)?.into() })
    }

    /// `POST /password/finish` of a signed-in user: record and keyring change together.
    pub async fn password_finish(&self, user: &UserId, request: PasswordFinish) -> Result<(), OrgError> {
        let PasswordFinish { record, keyring, version, change, sig } = request;
        small("the registration message", &record.0, MAX_MESSAGE)?;
        small("the keyring", &keyring.0, MAX_KEYRING)?;
        let agent = self.directory().agent(user).ok_or(OrgError::Forbidden("this account is switched off"))?;
        let (account, stored) = self.account(user).await?.ok_or(OrgError::NotFound("account"))?;
        let signed = change_hash(user, version, &record.0, &keyring.0);
        sign::verify(Label::Pass, &agent.ed, &signed, &sig.0)
            .map_err(|_| OrgError::Forbidden("a new password must be signed by the key of its user"))?;
        if account.version.checked_add(1) != Some(version) {
            return Err(OrgError::Conflict);
        }
        let record = self.opaque.register_finish(&record.0)?.into();
        let proven = self.steps.proven(user, &change.0, self.now_ms());
        if proven != Some(account.version) {
            return Err(OrgError::Forbidden("sign in with the current password first, at most a minute before"));
        }
        let key = rows::account_key(user);
        let old = Some(Secrets { record: account.record, keyring: account.keyring, version: account.version });
        let account = Account { record, keyring, version, changed: Some(self.now_ms()), old };
        let ops = vec![
            Op::Expect { table: Table::Account, key: key.clone(), value: Some(stored) },
            rows::put(Table::Account, key, &account),
        ];
        self.write(ops).await?;
        self.note_password_change(user, self.now_ms());
        Ok(())
    }

    /// How often a user's password was set, 0 without an account: a different number than before shows a change.
    pub async fn password_version(&self, user: &UserId) -> Result<u32, OrgError> {
        Ok(self.account(user).await?.map_or(0, |(account, _)| account.version))
    }

    /// The account and its stored bytes.
    async fn account(&self, user: &UserId) -> Result<Option<(Account, Vec<u8>)>, OrgError> {
        let stored = self.store.get(Table::Account, &rows::account_key(user)).await?;
        stored.map(|v| Ok((rows::read("account", &v)?, v))).transpose()
    }
}
