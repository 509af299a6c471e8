//! Which entry may follow a state. Every check stands before every change, so a refused entry changes nothing.

use data_encoding::HEXLOWER;

use super::{
    AgentBody, Body, BotBody, BotState, EnrolBody, Entry, Role, SiteBody, SiteState, State, TeamBody, TeamState,
    UserKey, UserState, entry::Head,
};
use crate::{
    crypto::{
        codec::Key32,
        hash,
        invite::{self, InviteError},
        sign::{self, Label, SignError},
    },
    proto::{BotId, OrgFp, TeamId, UserId},
};

/// Why an entry may not enter the directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryError {
    /// No entries at all.
    #[error("the directory is empty")]
    Empty,
    /// The raw part is larger than 16 KiB.
    #[error("the entry is larger than 16 KiB")]
    TooLarge,
    /// Not the JSON it should be.
    #[error("the entry is not the JSON it should be: {0}")]
    Json(String),
    /// A version this program does not know.
    #[error("the entry has version {0}; this program knows version 1")]
    Version(u32),
    /// Not the number that comes next.
    #[error("entry {found} where {expected} comes next")]
    Seq {
        /// Next.
        expected: u32,
        /// In the entry.
        found: u32,
    },
    /// The hash of the entry before does not fit: a fork.
    #[error("entry {0} does not follow the one before it")]
    Fork(u32),
    /// The first entry is not a genesis.
    #[error("the directory does not begin with a genesis")]
    NoGenesis,
    /// A genesis anywhere else.
    #[error("a genesis can only be the first entry")]
    SecondGenesis,
    /// Not the root key that is pinned.
    #[error("the root key does not have the pinned fingerprint")]
    Pin,
    /// The genesis names another root key than the one that signed it.
    #[error("the genesis names another root key than its signer")]
    Root,
    /// A suite this program does not know.
    #[error("the company uses cipher suite {0}; this program knows suite 1")]
    Suite(u32),
    /// The signer has no say.
    #[error("the signer is neither the root key nor an active admin")]
    Signer,
    /// Only root may.
    #[error("only the root key makes or changes admins")]
    RootOnly,
    /// A key or signature is bad.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// There is no such user.
    #[error("there is no user {0}")]
    UnknownUser(UserId),
    /// A team's key number runs backwards or jumps.
    #[error("team {id} is at key {current}; key {found} cannot follow")]
    TeamEpoch {
        /// Which.
        id: TeamId,
        /// Now (0: new team).
        current: u32,
        /// In the entry.
        found: u32,
    },
    /// Another key under the same number, or the same key under another.
    #[error("team {0}: a new key needs a new number, and a new number a new key")]
    TeamKey(TeamId),
    /// An enrol is signed by another key than it brings.
    #[error("the new key did not sign its own enrolment")]
    NotOwnKey,
    /// The certificate or claim of an enrol is bad.
    #[error(transparent)]
    Invite(#[from] InviteError),
    /// The certificate's signer may not invite, or not into this role.
    #[error("the invite is not by the root key or an active admin, or invites an admin without the root key")]
    CertSigner,
    /// The entry says something else than the certificate.
    #[error("the enrolment differs from its certificate in {0}")]
    CertMismatch(&'static str),
    /// The invite was used or revoked.
    #[error("the invite was used already or revoked")]
    InviteUsed,
    /// The user has a key that counts.
    #[error("user {0} has an active key already")]
    UserActive(UserId),
    /// A site names a robot that is not there.
    #[error("there is no robot {0}")]
    UnknownBot(BotId),
    /// A robot comes with another key than it has, or with a key that stands for somebody else.
    #[error("robot {0}: a robot keeps its key, and its key is nobody else's")]
    BotKey(BotId),
    /// The invite is over and no snapshot covers its use.
    #[error("the invite is expired")]
    Expired,
}

/// Who signs with what right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Authority {
    Root,
    Admin,
}

/// The right of a key, if it has any.
pub(super) fn authority(state: &State, ed: &Key32) -> Option<Authority> {
    if *ed == state.root {
        return Some(Authority::Root);
    }
    let admin = |u: &UserState| u.role == Role::Admin && u.active_key().is_some_and(|k| k.ed == *ed);
    state.users.values().any(admin).then_some(Authority::Admin)
}

fn place(head: &Head, seq: u32, prev: &[u8; 32]) -> Result<(), DirectoryError> {
    if head.v != 1 {
        return Err(DirectoryError::Version(head.v));
    }
    if head.seq != seq {
        return Err(DirectoryError::Seq { expected: seq, found: head.seq });
    }
    if head.prev != HEXLOWER.encode(prev) {
        return Err(DirectoryError::Fork(seq));
    }
    Ok(())
}

/// The state after a genesis.
pub(super) fn genesis(fp: &OrgFp, entry: &Entry) -> Result<State, DirectoryError> {
    let head = entry.head()?;
    place(&head, 0, &[0; 32])?;
    let Some(Body::Genesis(g)) = entry.body(&head)? else { return Err(DirectoryError::NoGenesis) };
    if hash::org_fp(&entry.signer.0) != *fp {
        return Err(DirectoryError::Pin);
    }
    if g.root != entry.signer {
        return Err(DirectoryError::Root);
    }
    sign::verify(Label::Dir, &entry.signer.0, &entry.raw.0, &entry.sig.0)?;
    if g.suite != 1 {
        return Err(DirectoryError::Suite(g.suite));
    }
    Ok(State {
        org: g.org,
        root: g.root,
        recovery: g.recovery,
        opaque: g.opaque,
        suite: g.suite,
        users: Default::default(),
        teams: Default::default(),
        sites: Default::default(),
        bots: Default::default(),
        used: Default::default(),
    })
}

/// Checks `entry` as number `seq` after `prev`, then changes the state.
pub(super) fn apply(
    state: &mut State,
    fp: &OrgFp,
    seq: u32,
    prev: &[u8; 32],
    entry: &Entry,
    now_ms: u64,
    covered: bool,
) -> Result<(), DirectoryError> {
    let head = entry.head()?;
    place(&head, seq, prev)?;
    let body = entry.body(&head)?;
    let right = match &body {
        Some(Body::Genesis(_)) => return Err(DirectoryError::SecondGenesis),
        Some(Body::Enrol(e)) if e.ed != entry.signer => return Err(DirectoryError::NotOwnKey),
        // its right comes from the certificate
        Some(Body::Enrol(_)) => Authority::Admin,
        _ => authority(state, &entry.signer).ok_or(DirectoryError::Signer)?,
    };
    sign::verify(Label::Dir, &entry.signer.0, &entry.raw.0, &entry.sig.0)?;
    match body {
        None | Some(Body::Genesis(_)) => Ok(()),
        Some(Body::Enrol(e)) => enrol(state, fp, seq, e, now_ms, covered),
        Some(Body::Agent(a)) => agent(state, seq, a, right),
        Some(Body::Team(t)) => team(state, t),
        Some(Body::Site(s)) => site(state, s),
        Some(Body::Bot(b)) => bot(state, b),
        Some(Body::Revoke(r)) => {
            state.used.insert(r.inv.to_string());
            Ok(())
        }
    }
}

fn enrol(
    state: &mut State,
    fp: &OrgFp,
    seq: u32,
    e: EnrolBody,
    now_ms: u64,
    covered: bool,
) -> Result<(), DirectoryError> {
    let cert = invite::Cert::verify(&e.cert.0, &e.cert_signer.0, &e.cert_sig.0, fp)?;
    match authority(state, &e.cert_signer) {
        Some(Authority::Root) => {}
        Some(Authority::Admin) if cert.role != Role::Admin => {}
        _ => return Err(DirectoryError::CertSigner),
    }
    let differs = [
        (cert.user != e.user, "user"),
        (cert.role != e.role, "role"),
        (cert.name != e.name, "name"),
        (cert.teams != e.teams, "teams"),
    ];
    if let Some((_, what)) = differs.iter().find(|(d, _)| *d) {
        return Err(DirectoryError::CertMismatch(what));
    }
    invite::verify_claim(&cert.inv.0, &e.cert.0, &e.ed.0, &e.x.0, &e.claim_sig.0)?;
    if state.invite_used(&cert.inv) {
        return Err(DirectoryError::InviteUsed);
    }
    if state.users.get(&e.user).is_some_and(|u| u.active_key().is_some()) {
        return Err(DirectoryError::UserActive(e.user));
    }
    if now_ms > cert.exp && !covered {
        return Err(DirectoryError::Expired);
    }
    state.used.insert(cert.inv.to_string());
    let key = UserKey { ed: e.ed, x: e.x, from: seq, to: None };
    let mut keys = state.users.remove(&e.user).map(|u| u.keys).unwrap_or_default();
    keys.push(key);
    state.users.insert(e.user, UserState { name: e.name, role: e.role, on: true, teams: e.teams, keys });
    Ok(())
}

fn agent(state: &mut State, seq: u32, a: AgentBody, right: Authority) -> Result<(), DirectoryError> {
    let user = state.users.get_mut(&a.user).ok_or_else(|| DirectoryError::UnknownUser(a.user.clone()))?;
    let about_admin = user.role == Role::Admin || a.role == Some(Role::Admin);
    if about_admin && right != Authority::Root {
        return Err(DirectoryError::RootOnly);
    }
    user.on = a.on;
    if !a.on {
        user.keys.iter_mut().filter(|k| k.to.is_none()).for_each(|k| k.to = Some(seq));
    }
    user.role = a.role.unwrap_or(user.role);
    if let Some(name) = a.name {
        user.name = name;
    }
    if let Some(teams) = a.teams {
        user.teams = teams;
    }
    Ok(())
}

fn team(state: &mut State, t: TeamBody) -> Result<(), DirectoryError> {
    let current = state.teams.get(&t.id);
    let (epoch, pk) = current.map_or((0, None), |c| (c.epoch, Some(c.pk)));
    if t.epoch != epoch + 1 && (t.epoch != epoch || current.is_none()) {
        return Err(DirectoryError::TeamEpoch { id: t.id, current: epoch, found: t.epoch });
    }
    if (t.epoch == epoch) != (pk == Some(t.pk)) {
        return Err(DirectoryError::TeamKey(t.id));
    }
    state.teams.insert(t.id, TeamState { name: t.name, epoch: t.epoch, pk: t.pk, on: t.on });
    Ok(())
}

fn site(state: &mut State, s: SiteBody) -> Result<(), DirectoryError> {
    if let Some(bot) = s.bot.as_ref().filter(|b| !state.bots.contains_key(b)) {
        return Err(DirectoryError::UnknownBot(bot.clone()));
    }
    state.sites.insert(s.id, SiteState { name: s.name, origins: s.origins, team: s.team, on: s.on, bot: s.bot });
    Ok(())
}

fn bot(state: &mut State, b: BotBody) -> Result<(), DirectoryError> {
    sign::check_public(&b.ed.0)?;
    let other_key = state.bots.get(&b.id).is_some_and(|known| known.ed != b.ed);
    let person = b.ed == state.root || state.users.values().flat_map(|u| &u.keys).any(|k| k.ed == b.ed);
    let other_bot = state.bots.iter().any(|(id, known)| *id != b.id && known.ed == b.ed);
    if other_key || person || other_bot {
        return Err(DirectoryError::BotKey(b.id));
    }
    state.bots.insert(b.id, BotState { name: b.name, ed: b.ed, on: b.on });
    Ok(())
}
