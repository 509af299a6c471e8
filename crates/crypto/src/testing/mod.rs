//! For tests, here and in what is built on this crate (feature `testing`): a small company with fixed keys. Tests of its own are
//! the attacks on its directory, the frozen known answers, and RFC 9807's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod confirmation;
#[cfg(test)]
mod flips;
#[cfg(test)]
mod rfc9807;
#[cfg(test)]
mod robots;
#[cfg(test)]
mod seals;
#[cfg(test)]
mod vectors;

use crate::{
    codec::Key32,
    directory::{AgentBody, Body, Directory, EnrolBody, Entry, GenesisBody, RevokeBody, Role, SiteBody, TeamBody},
    hash,
    hpke::KemSecret,
    invite::{self, Cert, InviteCode, SignedCert},
    keyfile::CompanyKeys,
    keyring::Keyring,
    sign::SigningKey,
};

/// When the small company lives.
pub const T0: u64 = 1_790_000_000_000;
/// An hour later: "now".
pub const NOW: u64 = T0 + 3_600_000;
/// When its invites end.
pub const EXP: u64 = T0 + 72 * 3_600_000;

/// 32 fixed bytes for a name.
pub fn seed(name: &str) -> [u8; 32] {
    hash::h("test seed", &[name.as_bytes()])
}

/// A fixed signing key.
pub fn ed(name: &str) -> SigningKey {
    SigningKey::from_seed(&seed(&format!("{name} ed")))
}

/// A fixed X25519 key.
pub fn x(name: &str) -> KemSecret {
    KemSecret::from_bytes(&seed(&format!("{name} x")))
}

/// A fixed keyring.
pub fn keyring(name: &str) -> Keyring {
    Keyring { signing: ed(name), kem: x(name) }
}

/// A fixed company.
pub fn company() -> CompanyKeys {
    CompanyKeys { root: ed("root"), recovery: x("recovery") }
}

/// A fixed invite of the company.
pub fn code(name: &str) -> InviteCode {
    let s = seed(&format!("{name} invite"));
    InviteCode::from_secret(s.first_chunk().unwrap(), company().fp())
}

/// A certificate with the usual values.
pub fn cert(user: &str, role: Role, code: &InviteCode) -> Cert {
    Cert {
        v: 1,
        org: code.org(),
        user: user.parse().unwrap(),
        role,
        name: format!("Name of {user}"),
        teams: vec!["svc".parse().unwrap()],
        inv: Key32(code.signing_key().public()),
        inv_x: Key32(code.kem_key().public()),
        exp: EXP,
    }
}

/// The enrolment that fits a certificate.
pub fn enrol(cert: &Cert, signed: &SignedCert, code: &InviteCode, keys: &Keyring) -> EnrolBody {
    let (ed, x) = (keys.signing.public(), keys.kem.public());
    EnrolBody {
        user: cert.user.clone(),
        role: cert.role,
        name: cert.name.clone(),
        teams: cert.teams.clone(),
        ed: Key32(ed),
        x: Key32(x),
        cert: signed.cert.clone(),
        cert_signer: signed.signer,
        cert_sig: signed.sig.clone(),
        claim_sig: invite::sign_claim(&code.signing_key(), &signed.cert.0, &ed, &x).to_vec().into(),
    }
}

/// The usual enrolment of `user` with keys of the same name.
pub fn enrol_by(user: &str, role: Role, inv: &str, by: &SigningKey, keys: &str) -> Body {
    let code = code(inv);
    let cert = cert(user, role, &code);
    Body::Enrol(enrol(&cert, &cert.sign(by), &code, &keyring(keys)))
}

/// A team.
pub fn team(id: &str, epoch: u32, key: &str) -> Body {
    let (id, name) = (id.parse().unwrap(), format!("Team {id}"));
    Body::Team(TeamBody { id, name, epoch, pk: Key32(x(key).public()), on: true })
}

/// A user switched on or off.
pub fn agent(user: &str, on: bool, role: Option<Role>) -> Body {
    Body::Agent(AgentBody { user: user.parse().unwrap(), on, role, name: None, teams: None })
}

/// The genesis.
pub fn genesis() -> Body {
    Body::Genesis(GenesisBody {
        org: "银行 Bank".into(),
        root: Key32(company().root.public()),
        recovery: Key32(company().recovery.public()),
        opaque: Key32(x("opaque").public()),
        suite: 1,
    })
}

/// A log under construction.
#[derive(Clone, Default)]
pub struct Log(pub Vec<Entry>);

impl Log {
    /// The entry that would come next.
    pub fn next(&self, body: &Body, by: &SigningKey) -> Entry {
        let seq = self.0.len() as u32;
        Entry::sign(seq, &self.head(), T0 + u64::from(seq), body, by)
    }

    /// Signs and appends.
    pub fn add(&mut self, body: &Body, by: &SigningKey) {
        let entry = self.next(body, by);
        self.0.push(entry);
    }

    /// Hash of the last entry.
    pub fn head(&self) -> [u8; 32] {
        self.0.last().map_or([0; 32], Entry::hash)
    }

    /// The first `n` entries.
    #[must_use]
    pub fn first(&self, n: usize) -> Self {
        Self(self.0[..n].to_vec())
    }

    /// Verified.
    pub fn replay(&self) -> Directory {
        Directory::replay(company().fp(), &self.0, None).unwrap()
    }
}

/// An entry whose JSON is free.
pub fn raw_entry(raw: String, by: &SigningKey) -> Entry {
    let sig = by.sign(crate::sign::Label::Dir, raw.as_bytes()).to_vec();
    Entry { raw: raw.into_bytes().into(), signer: Key32(by.public()), sig: sig.into() }
}

/// A whole small company: 11 entries, one of each kind and one of an unknown kind.
pub fn log() -> Log {
    let (root, zhao) = (company().root, ed("zhao"));
    let mut log = Log::default();
    log.add(&genesis(), &root);
    log.add(&enrol_by("zhao", Role::Admin, "zhao", &root, "zhao"), &zhao);
    log.add(&team("svc", 1, "svc 1"), &zhao);
    log.add(&enrol_by("li", Role::Agent, "li", &zhao, "li"), &ed("li"));
    let site = SiteBody {
        id: "shop".parse().unwrap(),
        name: "商店".into(),
        origins: vec!["https://shop.example".into(), "http://127.0.0.1:8080".into()],
        team: "svc".parse().unwrap(),
        on: true,
        bot: None,
    };
    log.add(&Body::Site(site), &zhao);
    let prev = data_encoding::HEXLOWER.encode(&log.head());
    let policy = format!(r#"{{"v":1,"seq":5,"prev":"{prev}","at":{},"t":"policy","keep_days":90}}"#, T0 + 5);
    log.0.push(raw_entry(policy, &zhao));
    let change = AgentBody {
        user: "li".parse().unwrap(),
        on: true,
        role: Some(Role::Supervisor),
        name: Some("李雷".into()),
        teams: None,
    };
    log.add(&Body::Agent(change), &zhao);
    log.add(&Body::Revoke(RevokeBody { inv: Key32(code("revoked").signing_key().public()) }), &zhao);
    log.add(&agent("li", false, None), &zhao);
    log.add(&team("svc", 2, "svc 2"), &root);
    log.add(&enrol_by("li", Role::Agent, "li again", &zhao, "li again"), &ed("li again"));
    log
}

/// The site of the small company with this robot.
pub fn site_with(bot: Option<&str>) -> Body {
    Body::Site(SiteBody {
        id: "shop".parse().unwrap(),
        name: "商店".into(),
        origins: vec!["https://shop.example".into()],
        team: "svc".parse().unwrap(),
        on: true,
        bot: bot.map(|b| b.parse().unwrap()),
    })
}
