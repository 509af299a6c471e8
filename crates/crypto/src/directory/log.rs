//! The directory as a reader holds it: the state, the chain's head, and the questions others ask.

use std::collections::BTreeMap;

use super::{
    BotState, DirectoryError, Entry, Role, SiteState, Snapshot, State, TeamKey, TeamState, UserKey, UserState,
    replay::{self, Replay},
    rules,
};
use crate::{codec::Key32, hash, hash::BoxKind};
use kefu_proto::{BotId, Kid, OrgFp, SiteId, TeamId, UserId};

/// A user who may act, forever or until their term to be confirmed has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveAgent {
    /// The user.
    pub user: UserId,
    /// Display name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The teams.
    pub teams: Vec<TeamId>,
    /// Signing key.
    pub ed: [u8; 32],
    /// X25519 key.
    pub x: [u8; 32],
    /// Hash of the signing key.
    pub kid: Kid,
    /// Not confirmed yet: they may act until then, ms.
    pub until: Option<u64>,
}

impl ActiveAgent {
    /// Whether they may act at this time.
    pub fn is_active(&self, now_ms: u64) -> bool {
        self.until.is_none_or(|until| now_ms <= until)
    }
}

/// A person who enrolled and is not confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unconfirmed {
    /// The user.
    pub user: UserId,
    /// The invite that was used.
    pub inv: Key32,
    /// The enrolment.
    pub seq: u32,
    /// Until when they act like everyone else, ms.
    pub exp: u64,
}

/// A verified log, or a verified snapshot and what came after it.
#[derive(Debug, Clone)]
pub struct Directory {
    fp: OrgFp,
    replay: Replay,
    seq: u32,
    head: [u8; 32],
    heads: BTreeMap<u32, [u8; 32]>,
    covered: Option<u32>,
}

impl Directory {
    /// Begins with a genesis that must be by the root key of `fp`.
    pub fn genesis(fp: OrgFp, entry: &Entry) -> Result<Self, DirectoryError> {
        let replay = rules::genesis(&fp, entry)?;
        let head = entry.hash();
        Ok(Self { fp, replay, seq: 0, head, heads: BTreeMap::from([(0, head)]), covered: None })
    }

    /// Begins with a signed state (see [`super::Snapshot`]).
    pub(super) fn from_state(fp: OrgFp, state: State, seq: u32, head: [u8; 32]) -> Self {
        Self { fp, replay: Replay::from_state(state), seq, head, heads: BTreeMap::from([(seq, head)]), covered: None }
    }

    /// Verifies a whole log. What a snapshot covers counts as confirmed, as far as no `rules` entry says who is; one that
    /// goes beyond the log, or whose signer had no right to sign it, covers nothing.
    pub fn replay(fp: OrgFp, entries: &[Entry], snapshot: Option<&Snapshot>) -> Result<Self, DirectoryError> {
        let (first, rest) = entries.split_first().ok_or(DirectoryError::Empty)?;
        let mut dir = Self::genesis(fp, first)?;
        let said = snapshot.and_then(|s| Some((s, s.read().ok()?)));
        // right after the entry it names, the state shows who may sign
        let look = |dir: &mut Self| {
            let here = said.as_ref().filter(|(s, body)| body.seq == dir.seq && s.verify(dir, body.at).is_ok());
            if here.is_some() {
                dir.cover(dir.seq);
            }
        };
        look(&mut dir);
        for entry in rest {
            dir.apply(entry)?;
            look(&mut dir);
        }
        Ok(dir)
    }

    /// Verifies the next entry and applies it; on error nothing changed.
    pub fn apply(&mut self, entry: &Entry) -> Result<(), DirectoryError> {
        let next = self.seq + 1;
        rules::apply(&mut self.replay, &self.fp, next, &self.head, entry)?;
        self.seq = next;
        self.head = entry.hash();
        self.heads.insert(next, self.head);
        Ok(())
    }

    /// A signer with the right to do so covers all entries up to this one: a person who enrolled by then, before there was
    /// confirmation, counts as confirmed.
    pub fn cover(&mut self, seq: u32) {
        self.covered = self.covered.max(Some(seq));
        self.replay.early.values_mut().filter(|e| e.from <= seq).for_each(|e| e.covered = true);
    }

    /// The newest entry that a snapshot covers, if one was given and holds.
    pub fn covered(&self) -> Option<u32> {
        self.covered
    }

    /// The company's fingerprint.
    pub fn fp(&self) -> OrgFp {
        self.fp
    }

    /// What the log adds up to.
    pub fn state(&self) -> &State {
        &self.replay.state
    }

    /// Number of the newest entry.
    pub fn seq(&self) -> u32 {
        self.seq
    }

    /// Hash of the newest entry.
    pub fn head(&self) -> [u8; 32] {
        self.head
    }

    /// Hash of entry `seq`, if this directory saw it.
    pub fn head_at(&self, seq: u32) -> Option<[u8; 32]> {
        self.heads.get(&seq).copied()
    }

    /// A team, on or off.
    pub fn team(&self, id: &TeamId) -> Option<&TeamState> {
        self.state().teams.get(id)
    }

    /// A site, on or off.
    pub fn site(&self, id: &SiteId) -> Option<&SiteState> {
        self.state().sites.get(id)
    }

    /// The robot that may be a member of a site's new epochs.
    pub fn bot_of(&self, site: &SiteId) -> Option<(&BotId, &BotState)> {
        let id = self.site(site)?.bot.as_ref()?;
        self.state().bots.get_key_value(id).filter(|(_, b)| b.on)
    }

    /// A robot by the hash of its key, on or off.
    pub fn bot_by_kid(&self, kid: &Kid) -> Option<(&BotId, &BotState)> {
        self.state().bots.iter().find(|(_, b)| hash::kid(&b.ed.0) == *kid)
    }

    /// A user as the log has them, also one who is off or waits for confirmation.
    pub fn user(&self, user: &UserId) -> Option<UserState> {
        let (state, known) = (self.state(), self.state().users.get(user));
        let Some(w) = state.waiting.get(user) else { return known.cloned() };
        let mut keys = known.map(|u| u.keys.clone()).unwrap_or_default();
        keys.push(UserKey { ed: w.ed, x: w.x, from: w.from, to: None });
        Some(UserState { name: w.name.clone(), role: w.role, on: true, teams: w.teams.clone(), keys, member: None })
    }

    /// All users, also those who are off or wait for confirmation.
    pub fn users(&self) -> impl Iterator<Item = (&UserId, UserState)> {
        self.ids().filter_map(|id| Some((id, self.user(id)?)))
    }

    fn ids(&self) -> impl Iterator<Item = &UserId> {
        let (users, waiting) = (&self.state().users, &self.state().waiting);
        users.keys().chain(waiting.keys().filter(|id| !users.contains_key(*id)))
    }

    /// A user who may act; see [`ActiveAgent::until`].
    pub fn agent(&self, user: &UserId) -> Option<ActiveAgent> {
        let state = self.state();
        let (name, role, teams, ed, x) = match (state.waiting.get(user), state.users.get(user)) {
            (Some(w), _) => (&w.name, w.role, &w.teams, w.ed.0, w.x.0),
            (None, Some(u)) => u.active_key().map(|key| (&u.name, u.role, &u.teams, key.ed.0, key.x.0))?,
            (None, None) => return None,
        };
        let (user, name, teams, kid) = (user.clone(), name.clone(), teams.clone(), hash::kid(&ed));
        let until = self.unconfirmed_until(&user);
        Some(ActiveAgent { user, name, role, teams, ed, x, kid, until })
    }

    /// All users who may act.
    pub fn agents(&self) -> impl Iterator<Item = ActiveAgent> + '_ {
        self.ids().filter_map(|user| self.agent(user))
    }

    /// Whose active signing key this is.
    pub fn agent_by_ed(&self, ed: &[u8; 32]) -> Option<ActiveAgent> {
        self.find(|key| *key == *ed)
    }

    /// Whose active signing key has this hash.
    pub fn agent_by_kid(&self, kid: &Kid) -> Option<ActiveAgent> {
        self.find(|key| hash::kid(key) == *kid)
    }

    fn find(&self, is: impl Fn(&[u8; 32]) -> bool) -> Option<ActiveAgent> {
        let waiting = self.state().waiting.iter().find(|(_, w)| is(&w.ed.0)).map(|(id, _)| id);
        let user = || self.state().users.iter().find(|(_, u)| u.active_key().is_some_and(|k| is(&k.ed.0)));
        self.agent(waiting.or_else(|| user().map(|(id, _)| id))?)
    }

    /// Everyone who is not confirmed, by id. They act like everyone else until their invite expires.
    pub fn unconfirmed(&self) -> Vec<Unconfirmed> {
        let waiting = self.state().waiting.iter();
        let waiting = waiting.map(|(id, w)| Unconfirmed { user: id.clone(), inv: w.inv, seq: w.from, exp: w.exp });
        let early = self.replay.early.iter().filter(|(_, e)| !e.covered);
        let early = early.map(|(id, e)| Unconfirmed { user: id.clone(), inv: e.inv, seq: e.from, exp: e.exp });
        waiting.chain(early).collect()
    }

    fn unconfirmed_until(&self, user: &UserId) -> Option<u64> {
        let early = || self.replay.early.get(user).filter(|e| !e.covered).map(|e| e.exp);
        self.state().waiting.get(user).map(|w| w.exp).or_else(early)
    }

    /// The revision of the rules of readers that holds at entry `seq`.
    pub fn revision_at(&self, seq: u32) -> u32 {
        self.state().rules.iter().rev().find(|r| r.from <= seq).map_or(1, |r| r.rev)
    }

    /// Whether a user was in a team at entry `seq`. Who waits for confirmation is in their teams since the enrolment;
    /// whether they may still act is [`ActiveAgent::is_active`].
    pub fn in_team_at(&self, user: &UserId, team: &TeamId, seq: u32) -> bool {
        let spans = self.replay.history.member.get(user);
        let then = |from: u32, to: Option<u32>| from <= seq && to.is_none_or(|to| seq < to);
        let waits = self.state().waiting.get(user).is_some_and(|w| w.from <= seq && w.teams.contains(team));
        waits || spans.is_some_and(|s| s.iter().any(|s| s.team == *team && then(s.from, s.to)))
    }

    /// Whether, at entry `seq`, this was the hash of a user's active key, and the user was in the team.
    pub fn kid_in_team_at(&self, kid: &Kid, team: &TeamId, seq: u32) -> bool {
        self.keys().any(|(user, key)| {
            let counts = key.from <= seq && key.counts_at_or_after(seq);
            counts && hash::kid(&key.ed.0) == *kid && self.in_team_at(user, team, seq)
        })
    }

    /// Whether a user may act now and is in a team.
    pub fn member_now(&self, user: &UserId, team: &TeamId, now_ms: u64) -> bool {
        self.agent(user).is_some_and(|a| a.is_active(now_ms) && a.teams.contains(team))
    }

    /// The team key, present or past, with this box kid.
    pub fn team_key(&self, box_kid: &[u8; 16]) -> Option<(&TeamId, &TeamKey)> {
        let all = self.replay.history.keys.iter().flat_map(|(team, keys)| keys.iter().map(move |k| (team, k)));
        all.into_iter().find(|(_, key)| hash::box_kid(BoxKind::Team, &key.pk.0) == *box_kid)
    }

    /// A team's key by its number.
    pub fn team_key_no(&self, team: &TeamId, epoch: u32) -> Option<&TeamKey> {
        self.replay.history.keys.get(team)?.iter().find(|k| k.epoch == epoch)
    }

    /// The key with this hash, of any present or former owner, also of a person who waits for confirmation.
    pub fn key(&self, kid: &Kid) -> Option<(&UserId, UserKey)> {
        self.keys().find(|(_, key)| hash::kid(&key.ed.0) == *kid)
    }

    /// All keys that any user has or had.
    fn keys(&self) -> impl Iterator<Item = (&UserId, UserKey)> {
        let users = self.state().users.iter().flat_map(|(id, u)| u.keys.iter().map(move |k| (id, *k)));
        let waiting = self.state().waiting.iter();
        users.chain(waiting.map(|(id, w)| (id, UserKey { ed: w.ed, x: w.x, from: w.from, to: None })))
    }

    /// Whose key this is or was, if it was still certified at entry `seq` or later.
    pub fn certified(&self, ed: &[u8; 32], seq: u32) -> Option<(&UserId, UserKey)> {
        self.keys().find(|(_, key)| key.ed.0 == *ed && key.counts_at_or_after(seq))
    }

    /// Whether this key signs for the company: root, or an active admin.
    pub fn may_sign(&self, ed: &Key32) -> bool {
        replay::authority(self.state(), ed).is_some()
    }
}
