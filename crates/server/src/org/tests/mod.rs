//! Org from outside: a company is founded, people come, log in, change and go; and what must not work does not.

mod coming;
mod flows;
mod lies;
mod passwords;
mod refusals;
mod store;
mod two_servers;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use store::Tables;

use super::{
    acts::{self, ActError, DAY_MS, INVITE_MS, NewCompany, NewUser, Signer},
    *,
};
use crate::{
    clock::Clock,
    crypto::{
        codec::{Bytes, Key32},
        directory::{Body, ConfirmBody, Directory, Entry, Role},
        invite::{self, Cert, InviteCode},
        keyfile::CompanyKeys,
        keyring::{Keyring, TeamBox},
        opaque::{ClientLogin, ClientRegistration, generate_setup},
        sign::Label,
        testing::{T0, company},
    },
    proto::UserId,
};

/// Where the tests sign in.
const HOME: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// A founded company with its keys and its clock.
struct Bank {
    org: Arc<Org>,
    store: Arc<Tables>,
    setup: Vec<u8>,
    keys: CompanyKeys,
    clock: Arc<AtomicU64>,
}

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

/// Signs a change of the password.
fn sign_change(change: PasswordFinish, user: &UserId, keys: &Keyring) -> PasswordFinish {
    let signed = change_hash(user, change.version, &change.record.0, &change.keyring.0);
    PasswordFinish { sig: keys.signing.sign(Label::Pass, &signed).to_vec().into(), ..change }
}

/// What the other end reads: everything travels as JSON.
fn again<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// A signer with these keys and the verified view.
fn signer<'a>(view: &AdminView, keys: &'a CompanyKeys, now_ms: u64) -> Result<Signer<'a>, ActError> {
    Signer::new(Directory::replay(view.org, &view.entries, view.snapshot.as_ref())?, view, keys, now_ms)
}

impl Bank {
    /// A bank with team `svc` and an open invite for admin `zhao`.
    async fn found() -> (Self, InviteCode) {
        let (keys, setup) = (company(), generate_setup().to_vec());
        let opaque = crate::crypto::opaque::OpaqueServer::new(&setup, keys.fp()).unwrap().public();
        let clock = Arc::new(AtomicU64::new(T0));
        let mut company = NewCompany::new("银行", &keys, &opaque, T0).unwrap();
        let svc = "svc".parse().unwrap();
        company.team(&svc, "Service").unwrap();
        let zhao = NewUser { user: user("zhao"), role: Role::Admin, name: "赵".into(), teams: vec![svc] };
        let code = company.invite(&zhao, INVITE_MS).unwrap();
        let commit = company.finish().commit;
        let store = Arc::new(Tables::default());
        let time = clock.clone();
        let now: Clock = Clock::new(move || time.load(Ordering::Relaxed));
        let org = Org::found_at(store.clone(), &Secrets::of_one_server(&setup), commit, now).await.unwrap();
        (Self { org, store, setup, keys, clock }, code)
    }

    fn pass(&self, ms: u64) {
        self.clock.fetch_add(ms, Ordering::Relaxed);
    }

    /// Signs with the company's keys on what the server exports.
    async fn sign<T>(&self, act: impl FnOnce(&Signer) -> Result<T, acts::ActError>) -> Result<T, acts::ActError> {
        let view = self.org.export().await.unwrap();
        let view = again(&view);
        act(&signer(&view, &self.keys, self.org.now_ms())?)
    }

    /// Signs and commits.
    async fn act(&self, act: impl FnOnce(&Signer) -> Result<Commit, acts::ActError>) {
        let commit = self.sign(act).await.unwrap();
        self.org.commit(again(&commit)).await.unwrap();
    }

    /// Invites a user into `svc`.
    async fn invite(&self, id: &str, role: Role) -> InviteCode {
        let new = NewUser { user: user(id), role, name: format!("Name of {id}"), teams: vec!["svc".parse().unwrap()] };
        let (commit, code) = self.sign(|s| s.invite(&new, INVITE_MS)).await.unwrap();
        self.org.commit(commit).await.unwrap();
        code
    }

    /// What a browser makes of an invite, up to the last request.
    async fn prepare(&self, code: &InviteCode, password: &str) -> Result<(InviteClaim, Keyring), OrgError> {
        let inv = Key32(code.signing_key().public());
        let opened = self.org.invite_open(InviteOpen { inv }).await?;
        let cert = Cert::verify(&opened.cert.0, &opened.signer.0, &opened.sig.0, &code.org()).unwrap();
        let (state, m) = ClientRegistration::start(password).unwrap();
        let answer = self.org.invite_register(InviteRegister { inv, m: m.into() }).await?;
        let server = self.org.directory().state().opaque.0;
        let done = state.finish(password, &answer.m.0, &cert.user, &code.org(), &server).unwrap();
        let keys = Keyring::generate();
        let boxes: Vec<TeamBox> = opened
            .boxes
            .iter()
            .map(|b| {
                let key = b.open(&code.kem_key()).unwrap();
                TeamBox::seal(&b.team, b.epoch, &key, &keys.kem.public()).unwrap()
            })
            .collect();
        let entry = self.enrolment(code, &opened, &cert, &keys);
        let keyring = keys.seal(&done.export_key, &cert.user, 1).into();
        Ok((InviteClaim { inv, entry, record: done.message.into(), keyring, boxes }, keys))
    }

    /// The entry that claims an invite now.
    fn enrolment(&self, code: &InviteCode, opened: &InviteOpened, cert: &Cert, keys: &Keyring) -> Entry {
        let signed = invite::SignedCert { cert: opened.cert.clone(), signer: opened.signer, sig: opened.sig.clone() };
        let body = Body::Enrol(crate::crypto::testing::enrol(cert, &signed, code, keys));
        let dir = self.org.directory();
        Entry::sign(dir.seq() + 1, &dir.head(), self.org.now_ms(), &body, &keys.signing)
    }

    /// A signed confirmation of `id`, who waits.
    fn confirms(&self, by: &Keyring, id: &str) -> DirectoryPost {
        let dir = self.org.directory();
        let body = Body::Confirm(ConfirmBody { user: user(id), ed: dir.state().waiting[&user(id)].ed });
        let entry = Entry::sign(dir.seq() + 1, &dir.head(), self.org.now_ms(), &body, &by.signing);
        DirectoryPost { entries: vec![entry], snapshot: None }
    }

    async fn claim(&self, code: &InviteCode, password: &str) -> Result<Keyring, OrgError> {
        let (claim, keys) = self.prepare(code, password).await?;
        self.org.invite_claim(again(&claim)).await?;
        Ok(keys)
    }

    /// A whole login: the opened keyring and what came with it.
    async fn login(&self, id: &str, password: &str) -> Result<(Keyring, LoggedIn), OrgError> {
        self.login_with(id, password, false).await
    }

    /// The same with the password before the last change, if `old`.
    async fn login_with(&self, id: &str, password: &str, old: bool) -> Result<(Keyring, LoggedIn), OrgError> {
        let user = user(id);
        let (state, m) = ClientLogin::start(password).unwrap();
        let started = self.org.login_start(LoginStart { user: user.clone(), m: m.into(), old }, HOME).await?;
        let server = self.org.directory().state().opaque.0;
        let Ok(done) = state.finish(password, &started.m.0, &user, &self.org.fp(), &server) else {
            return Err(OrgError::Login);
        };
        let answer = self.org.login_finish(LoginFinish { id: started.id, m: done.message.into() }, HOME).await?;
        let keyring = Keyring::open(&answer.keyring.0, &done.export_key, &user, answer.version).unwrap();
        Ok((keyring, answer))
    }

    /// A change of the password after a sign-in.
    async fn change_password(&self, signed_in: &LoggedIn, password: &str, keys: &Keyring) -> Result<(), OrgError> {
        let change = self.new_password(signed_in, password, keys).await?;
        self.org.password_finish(&signed_in.user, change).await
    }

    /// What changes a password.
    async fn new_password(
        &self,
        signed_in: &LoggedIn,
        password: &str,
        keys: &Keyring,
    ) -> Result<PasswordFinish, OrgError> {
        let (user, version) = (signed_in.user.clone(), signed_in.version + 1);
        let (state, m) = ClientRegistration::start(password).unwrap();
        let answer = self.org.password_start(&user, Message { m: m.into() }).await?;
        let server = self.org.directory().state().opaque.0;
        let done = state.finish(password, &answer.m.0, &user, &self.org.fp(), &server).unwrap();
        let (record, keyring) = (done.message.into(), keys.seal(&done.export_key, &user, version).into());
        let change = signed_in.change.clone().unwrap_or(Bytes(vec![0; 32]));
        Ok(sign_change(PasswordFinish { record, keyring, version, change, sig: Bytes(Vec::new()) }, &user, keys))
    }
}
