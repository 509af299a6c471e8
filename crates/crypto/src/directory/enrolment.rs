//! Enrolment, the wait for confirmation, and the `rules` entry from which on everyone waits.
//!
//! No date makes an enrolment invalid, so none can stop a company. Before the first `rules` entry an enrolment enters
//! `users` at once, as before confirmation existed; whether it counts as confirmed is kept beside the state.

use super::{
    ConfirmBody, DirectoryError, EnrolBody, Revision, Role, RulesBody, UserKey, UserState, Waiting,
    replay::{Authority, Early, Replay, authority},
};
use crate::{codec::Key32, invite};
use kefu_proto::OrgFp;

/// The invited person comes with a key.
pub(super) fn enrol(replay: &mut Replay, fp: &OrgFp, seq: u32, e: EnrolBody) -> Result<(), DirectoryError> {
    let Replay { state, history, early, .. } = replay;
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
    let active = state.users.get(&e.user).is_some_and(|u| u.active_key().is_some());
    if active || state.waiting.contains_key(&e.user) {
        return Err(DirectoryError::UserActive(e.user));
    }
    state.used.insert(cert.inv.to_string());
    let EnrolBody { user, role, name, teams, ed, x, .. } = e;
    let waiting = Waiting { name, role, teams, ed, x, inv: cert.inv, from: seq, exp: cert.exp };
    if !state.rules.is_empty() {
        state.waiting.insert(user, waiting);
        return Ok(());
    }
    let before = (state.users.get(&user).cloned(), history.member.get(&user).cloned());
    let (inv, exp) = (cert.inv, cert.exp);
    early.insert(user.clone(), Early { inv, from: seq, exp, covered: false, before });
    history.set_teams(&user, &waiting.teams, seq);
    let keys = state.users.remove(&user).map(|u| u.keys).unwrap_or_default();
    state.users.insert(user, member_of(waiting, keys));
    Ok(())
}

fn member_of(w: Waiting, mut keys: Vec<UserKey>) -> UserState {
    keys.push(UserKey { ed: w.ed, x: w.x, from: w.from, to: None });
    UserState { name: w.name, role: w.role, on: true, teams: w.teams, keys, member: None }
}

/// A waiting person becomes a user, with a key that counts from the enrolment on. `newest_at`: the latest date of this entry
/// and all before it.
pub(super) fn confirm(
    replay: &mut Replay,
    newest_at: u64,
    signer: &Key32,
    right: Option<Authority>,
    c: ConfirmBody,
) -> Result<(), DirectoryError> {
    let Replay { state, history, .. } = replay;
    let found = state.waiting.get(&c.user).filter(|w| w.ed == c.ed);
    let own = found.is_some_and(|w| w.ed == *signer && w.role == Role::Admin);
    if right.is_none() && !own {
        return Err(DirectoryError::Signer);
    }
    let Some(waiting) = found else { return Err(DirectoryError::NotWaiting(c.user)) };
    if right.is_none() && newest_at > waiting.exp {
        return Err(DirectoryError::ConfirmLate(c.user));
    }
    let waiting = waiting.clone();
    state.waiting.remove(&c.user);
    history.set_teams(&c.user, &waiting.teams, waiting.from);
    let keys = state.users.remove(&c.user).map(|u| u.keys).unwrap_or_default();
    state.users.insert(c.user.clone(), member_of(waiting, keys));
    history.publish_user(state, &c.user);
    Ok(())
}

/// A revision begins. With the first one the history enters the state, and who is named waits for confirmation.
pub(super) fn rules(
    replay: &mut Replay,
    seq: u32,
    right: Option<Authority>,
    r: RulesBody,
) -> Result<(), DirectoryError> {
    let Replay { state, history, early, .. } = replay;
    let current = state.rules.last().map_or(1, |r| r.rev);
    if r.rev <= current {
        return Err(DirectoryError::Revision { current, found: r.rev });
    }
    let named = early.iter().filter(|(_, e)| r.late.contains(&e.inv)).map(|(user, _)| user.clone());
    let named: Vec<_> = named.collect();
    let admin = |user| state.users.get(user).is_some_and(|u| u.role == Role::Admin);
    if right != Some(Authority::Root) && named.iter().any(admin) {
        return Err(DirectoryError::RootOnly);
    }
    for user in named {
        let (Some(e), Some(now)) = (early.remove(&user), state.users.remove(&user)) else { continue };
        let Some(key) = now.keys.iter().find(|k| k.from == e.from).copied() else { continue };
        let UserState { name, role, teams, .. } = now;
        let waiting = Waiting { name, role, teams, ed: key.ed, x: key.x, inv: e.inv, from: e.from, exp: e.exp };
        let (user_before, member_before) = e.before;
        state.users.extend(user_before.map(|u| (user.clone(), u)));
        history.member.remove(&user);
        history.member.extend(member_before.map(|m| (user.clone(), m)));
        state.waiting.insert(user, waiting);
    }
    early.clear();
    state.rules.push(Revision { rev: r.rev, from: seq });
    if state.rules.len() == 1 {
        history.publish(state);
    }
    Ok(())
}
