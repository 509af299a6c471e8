//! Which entry may follow a state. All checks precede all changes, so a refused entry changes nothing.

use data_encoding::HEXLOWER;

use super::{
    AgentBody, Body, BotBody, BotState, DirectoryError, Entry, Role, SiteBody, SiteState, State, TeamBody, TeamState,
    enrolment,
    entry::Head,
    replay::{Authority, Replay, authority},
};
use crate::{
    hash,
    sign::{self, Label},
};
use kefu_proto::OrgFp;

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
pub(super) fn genesis(fp: &OrgFp, entry: &Entry) -> Result<Replay, DirectoryError> {
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
    let state = State {
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
        rules: Default::default(),
        waiting: Default::default(),
    };
    Ok(Replay { newest_at: head.at, ..Replay::from_state(state) })
}

/// Checks `entry` as number `seq` after `prev`, then changes the state.
pub(super) fn apply(
    replay: &mut Replay,
    fp: &OrgFp,
    seq: u32,
    prev: &[u8; 32],
    entry: &Entry,
) -> Result<(), DirectoryError> {
    let head = entry.head()?;
    place(&head, seq, prev)?;
    let body = entry.body(&head)?;
    let right = authority(&replay.state, &entry.signer);
    match &body {
        Some(Body::Genesis(_)) => return Err(DirectoryError::SecondGenesis),
        // its right comes from the certificate
        Some(Body::Enrol(e)) if e.ed != entry.signer => return Err(DirectoryError::NotOwnKey),
        Some(Body::Enrol(_)) => {}
        // a person who waits may sign this one entry; whether they do is checked with it
        Some(Body::Confirm(_)) => {}
        _ => _ = right.ok_or(DirectoryError::Signer)?,
    }
    sign::verify(Label::Dir, &entry.signer.0, &entry.raw.0, &entry.sig.0)?;
    let newest_at = replay.newest_at.max(head.at);
    let state = &mut replay.state;
    match body {
        None | Some(Body::Genesis(_) | Body::Identity(_)) => {}
        Some(Body::Enrol(e)) => enrolment::enrol(replay, fp, seq, e)?,
        Some(Body::Confirm(c)) => enrolment::confirm(replay, newest_at, &entry.signer, right, c)?,
        Some(Body::Rules(r)) => enrolment::rules(replay, seq, right, r)?,
        Some(Body::Agent(a)) => agent(replay, seq, a, right)?,
        Some(Body::Team(t)) => team(replay, seq, t)?,
        Some(Body::Site(s)) => site(state, s)?,
        Some(Body::Bot(b)) => bot(state, b)?,
        Some(Body::Revoke(r)) => _ = state.used.insert(r.inv.to_string()),
    }
    replay.newest_at = newest_at;
    Ok(())
}

fn agent(replay: &mut Replay, seq: u32, a: AgentBody, right: Option<Authority>) -> Result<(), DirectoryError> {
    let Replay { state, history, early, .. } = replay;
    let unknown = || DirectoryError::UnknownUser(a.user.clone());
    let waits = state.waiting.get(&a.user).map(|w| w.role);
    let role = waits.or(state.users.get(&a.user).map(|u| u.role)).ok_or_else(unknown)?;
    let about_admin = role == Role::Admin || a.role == Some(Role::Admin);
    if about_admin && right != Some(Authority::Root) {
        return Err(DirectoryError::RootOnly);
    }
    if let Some(waiting) = state.waiting.get_mut(&a.user) {
        waiting.role = a.role.unwrap_or(waiting.role);
        waiting.name = a.name.unwrap_or_else(|| waiting.name.clone());
        waiting.teams = a.teams.unwrap_or_else(|| waiting.teams.clone());
        if !a.on {
            state.waiting.remove(&a.user);
        }
        return Ok(());
    }
    let user = state.users.get_mut(&a.user).ok_or_else(unknown)?;
    user.on = a.on;
    user.role = a.role.unwrap_or(user.role);
    if let Some(name) = a.name {
        user.name = name;
    }
    match (a.on, &a.teams) {
        (true, Some(teams)) => history.set_teams(&a.user, teams, seq),
        (true, None) => {}
        (false, _) => {
            user.keys.iter_mut().filter(|k| k.to.is_none()).for_each(|k| k.to = Some(seq));
            history.set_teams(&a.user, &[], seq);
            early.remove(&a.user);
        }
    }
    if let Some(teams) = a.teams {
        user.teams = teams;
    }
    history.publish_user(state, &a.user);
    Ok(())
}

fn team(replay: &mut Replay, seq: u32, t: TeamBody) -> Result<(), DirectoryError> {
    let Replay { state, history, .. } = replay;
    let current = state.teams.get(&t.id);
    let (epoch, pk) = current.map_or((0, None), |c| (c.epoch, Some(c.pk)));
    if t.epoch != epoch + 1 && (t.epoch != epoch || current.is_none()) {
        return Err(DirectoryError::TeamEpoch { id: t.id, current: epoch, found: t.epoch });
    }
    if (t.epoch == epoch) != (pk == Some(t.pk)) {
        return Err(DirectoryError::TeamKey(t.id));
    }
    history.set_key(&t.id, t.epoch, t.pk, seq);
    state.teams.insert(t.id.clone(), TeamState { name: t.name, epoch: t.epoch, pk: t.pk, on: t.on, keys: None });
    history.publish_team(state, &t.id);
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
    let user = state.users.values().flat_map(|u| &u.keys).any(|k| k.ed == b.ed);
    let person = user || b.ed == state.root || state.waiting.values().any(|w| w.ed == b.ed);
    let other_bot = state.bots.iter().any(|(id, known)| *id != b.id && known.ed == b.ed);
    if other_key || person || other_bot {
        return Err(DirectoryError::BotKey(b.id));
    }
    state.bots.insert(b.id, BotState { name: b.name, ed: b.ed, on: b.on });
    Ok(())
}
