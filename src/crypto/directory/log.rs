//! The directory as a reader holds it: the state, the chain's head, and the questions others ask.

use std::collections::BTreeMap;

use super::{BotState, DirectoryError, Entry, Role, SiteState, State, TeamState, UserKey, rules};
use crate::{
    crypto::{codec::Key32, hash},
    proto::{BotId, Kid, OrgFp, SiteId, TeamId, UserId},
};

/// A user who may act now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveAgent {
    /// Who.
    pub user: UserId,
    /// Display name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Teams.
    pub teams: Vec<TeamId>,
    /// Signing key.
    pub ed: [u8; 32],
    /// X25519 key.
    pub x: [u8; 32],
    /// Hash of the signing key.
    pub kid: Kid,
}

/// A verified log, or a verified snapshot and what came after it.
#[derive(Debug, Clone)]
pub struct Directory {
    fp: OrgFp,
    state: State,
    seq: u32,
    head: [u8; 32],
    heads: BTreeMap<u32, [u8; 32]>,
}

impl Directory {
    /// Begins with a genesis that must be by the root key of `fp`.
    pub fn genesis(fp: OrgFp, entry: &Entry) -> Result<Self, DirectoryError> {
        let state = rules::genesis(&fp, entry)?;
        let head = entry.hash();
        Ok(Self { fp, state, seq: 0, head, heads: BTreeMap::from([(0, head)]) })
    }

    /// Begins with a state somebody vouched for (see [`super::Snapshot`]).
    pub(super) fn from_state(fp: OrgFp, state: State, seq: u32, head: [u8; 32]) -> Self {
        Self { fp, state, seq, head, heads: BTreeMap::from([(seq, head)]) }
    }

    /// Verifies a whole log. `covered`: highest entry that a snapshot vouches for, so that invites in it may be expired.
    pub fn replay(fp: OrgFp, entries: &[Entry], now_ms: u64, covered: Option<u32>) -> Result<Self, DirectoryError> {
        let (first, rest) = entries.split_first().ok_or(DirectoryError::Empty)?;
        let mut dir = Self::genesis(fp, first)?;
        for entry in rest {
            let vouched = covered.is_some_and(|c| dir.seq < c);
            dir.apply(entry, now_ms, vouched)?;
        }
        Ok(dir)
    }

    /// Verifies the next entry and applies it; on error nothing changed. `covered`: a snapshot vouches for this entry,
    /// so its invite may be expired by now.
    pub fn apply(&mut self, entry: &Entry, now_ms: u64, covered: bool) -> Result<(), DirectoryError> {
        let next = self.seq + 1;
        rules::apply(&mut self.state, &self.fp, next, &self.head, entry, now_ms, covered)?;
        self.seq = next;
        self.head = entry.hash();
        self.heads.insert(next, self.head);
        Ok(())
    }

    /// The company's fingerprint.
    pub fn fp(&self) -> OrgFp {
        self.fp
    }

    /// What the log adds up to.
    pub fn state(&self) -> &State {
        &self.state
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
        self.state.teams.get(id)
    }

    /// A site, on or off.
    pub fn site(&self, id: &SiteId) -> Option<&SiteState> {
        self.state.sites.get(id)
    }

    /// The robot that may be a member of a site's new epochs.
    pub fn bot_of(&self, site: &SiteId) -> Option<(&BotId, &BotState)> {
        let id = self.site(site)?.bot.as_ref()?;
        self.state.bots.get_key_value(id).filter(|(_, b)| b.on)
    }

    /// A robot by the hash of its key, on or off.
    pub fn bot_by_kid(&self, kid: &Kid) -> Option<(&BotId, &BotState)> {
        self.state.bots.iter().find(|(_, b)| hash::kid(&b.ed.0) == *kid)
    }

    /// A user who may act now.
    pub fn agent(&self, user: &UserId) -> Option<ActiveAgent> {
        let (user, u) = self.state.users.get_key_value(user)?;
        let key = u.active_key()?;
        Some(ActiveAgent {
            user: user.clone(),
            name: u.name.clone(),
            role: u.role,
            teams: u.teams.clone(),
            ed: key.ed.0,
            x: key.x.0,
            kid: hash::kid(&key.ed.0),
        })
    }

    /// All users who may act now.
    pub fn agents(&self) -> impl Iterator<Item = ActiveAgent> + '_ {
        self.state.users.keys().filter_map(|user| self.agent(user))
    }

    /// Whose active signing key this is.
    pub fn agent_by_ed(&self, ed: &[u8; 32]) -> Option<ActiveAgent> {
        self.find(|k| k.ed.0 == *ed)
    }

    /// Whose active signing key has this hash.
    pub fn agent_by_kid(&self, kid: &Kid) -> Option<ActiveAgent> {
        self.find(|k| hash::kid(&k.ed.0) == *kid)
    }

    fn find(&self, is: impl Fn(&UserKey) -> bool) -> Option<ActiveAgent> {
        let (user, _) = self.state.users.iter().find(|(_, u)| u.active_key().is_some_and(&is))?;
        self.agent(user)
    }

    /// Whose key this is or was, if it was still certified at entry `seq` or later.
    pub fn certified(&self, ed: &[u8; 32], seq: u32) -> Option<(&UserId, &UserKey)> {
        self.state
            .users
            .iter()
            .find_map(|(id, u)| u.keys.iter().find(|k| k.ed.0 == *ed && k.counts_at_or_after(seq)).map(|k| (id, k)))
    }

    /// Whether this key signs for the company: root, or an active admin.
    pub fn may_sign(&self, ed: &Key32) -> bool {
        rules::authority(&self.state, ed).is_some()
    }
}
