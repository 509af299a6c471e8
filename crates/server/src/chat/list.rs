//! Lists of conversations for agents.

use std::fmt;

use crate::{
    proto::{ConvId, ConvState, Kid, Owner, Summary, TeamId, UserId},
    store::Table,
};

use super::{Chat, RequestError, Row};

/// The tabs of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Owned by me, open.
    Mine,
    /// Waiting in my teams' queues.
    Queue,
    /// Missed conversations of my teams, newest first.
    Missed,
    /// Everything my teams ever had, newest first.
    All,
}

/// Maximum number of conversations in a greeting: some 300 KiB of JSON.
pub const GREETING: usize = 500;

/// Maximum number of conversations that one request for a page looks at: an agent of a team with none must not read them all.
pub const LOOKED_AT: usize = 2_000;

/// A page of a tab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What is on it.
    pub convs: Vec<Summary>,
    /// Where the next one begins; none: this was the last.
    pub next: Option<Cursor>,
}

/// Where a page of all or of the missed conversations ends: the next begins before it. Two may be of the same millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Its `created`, ms; of a missed one, since when it is.
    pub created: u64,
    /// Its id; none: every one of that millisecond was seen.
    pub id: Option<ConvId>,
}

impl Cursor {
    /// From the end of a key: time ‖ conversation.
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let (created, id) = key.split_first_chunk::<8>()?;
        Some(Self { created: u64::from_be_bytes(*created), id: Some(ConvId::from_slice(id)?) })
    }

    /// The end of a key before which the next page begins.
    pub(super) fn key(self) -> Vec<u8> {
        [&self.created.to_be_bytes()[..], self.id.as_ref().map_or(&[], |id| &id.0[..])].concat()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.id {
            Some(id) => write!(f, "{}-{id}", self.created),
            None => write!(f, "{}", self.created),
        }
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    /// `<created>-<id>` or `<created>`.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (created, id) = match text.split_once('-') {
            Some((created, id)) => (created, Some(id.parse().map_err(drop)?)),
            None => (text, None),
        };
        Ok(Self { created: created.parse().map_err(drop)?, id })
    }
}

/// Whether an agent's greeting names a conversation of their teams: their own, and what waits in a queue.
pub(super) fn concerns(owner: &Owner, user: &UserId) -> bool {
    match owner {
        Owner::Agent(owner) => owner == user,
        Owner::Queue => true,
        Owner::Robot | Owner::None => false,
    }
}

impl Chat {
    /// Open conversations that concern an agent: the agent's own and their teams' queues.
    pub(super) fn open_for(&self, user: &UserId) -> Result<Vec<Summary>, RequestError> {
        let Some(agent) = self.agent(user) else { return Ok(Vec::new()) };
        let mut list = Vec::new();
        for conv in self.cache.open() {
            let Some(shared) = self.cache.get(conv)? else { continue };
            let conversation = shared.lock();
            if concerns(&conversation.row.owner, user) && agent.teams.contains(&conversation.row.team) {
                list.push(conversation.summary());
            }
        }
        list.sort_by_key(|s| (s.created, s.id));
        Ok(list)
    }

    /// What an agent is greeted with: of [`Chat::open_for`] so much that the frame stays small, the agent's own
    /// first, then those who wait longest. True if there is more, which the lists of HTTP have.
    pub(super) fn greeting_for(&self, user: &UserId) -> Result<(Vec<Summary>, bool), RequestError> {
        let mut list = self.open_for(user)?;
        let more = list.len() > GREETING;
        if more {
            list.sort_by_key(|s| (s.owner == Owner::Queue, s.waiting_since, std::cmp::Reverse(s.last_at), s.id));
            list.truncate(GREETING);
            list.sort_by_key(|s| (s.created, s.id));
        }
        Ok((list, more))
    }

    /// One page of a tab; `before` is where the last one ended. Touches the disk.
    pub fn list(&self, user: &UserId, tab: Tab, before: Option<Cursor>, limit: usize) -> Result<Page, RequestError> {
        if tab == Tab::Missed {
            let teams = self.agent(user).map(|agent| agent.teams.clone()).unwrap_or_default();
            return self.missed_page(&teams, before, limit);
        }
        if tab != Tab::All {
            let list = self.open_for(user)?;
            let mine = |s: &Summary| s.owner == Owner::Agent(user.clone());
            let convs = list.into_iter().filter(|s| mine(s) == (tab == Tab::Mine)).collect();
            return Ok(Page { convs, next: None });
        }
        const STEP: usize = 500;
        let mut convs = Vec::new();
        let Some(agent) = self.agent(user).filter(|a| !a.teams.is_empty()) else {
            return Ok(Page { convs, next: None });
        };
        let (mut at, mut looked_at) = (before, 0);
        loop {
            let before = at.map(Cursor::key);
            let rows = self.store.scan(Table::ConvByTime, &[], before.as_deref(), true, STEP)?;
            for cursor in rows.iter().filter_map(|(key, _)| Cursor::of(key)) {
                if convs.len() == limit || looked_at == LOOKED_AT {
                    return Ok(Page { convs, next: at });
                }
                (at, looked_at) = (Some(cursor), looked_at + 1);
                let Some(conv) = cursor.id else { continue };
                convs.extend(self.summary_for(conv, &agent.teams)?);
            }
            if rows.len() < STEP {
                return Ok(Page { convs, next: None });
            }
        }
    }

    /// The summary of a conversation if it belongs to one of these teams and is not empty.
    fn summary_for(&self, conv: ConvId, teams: &[TeamId]) -> Result<Option<Summary>, RequestError> {
        if self.cache.cached(conv).is_none() {
            // most belong to other teams, which the row shows
            let Some(row) = self.store.row(conv)? else { return Ok(None) };
            if !teams.contains(&Row::decode(&row.value)?.team) {
                return Ok(None);
            }
        }
        let shown = |c: &super::CachedConversation| c.row.empty.is_none() && teams.contains(&c.row.team);
        if let Some(shared) = self.cache.cached(conv) {
            let conversation = shared.lock();
            return Ok(shown(&conversation).then(|| conversation.summary()));
        }
        Ok(super::CachedConversation::load(&*self.store, conv)?.filter(shown).map(|c| c.summary()))
    }

    /// A summary without keeping a conversation of something long closed.
    pub(super) fn summary_of(&self, conv: ConvId) -> Result<Option<Summary>, RequestError> {
        if let Some(shared) = self.cache.cached(conv) {
            return Ok(Some(shared.lock().summary()));
        }
        Ok(super::CachedConversation::load(&*self.store, conv)?.map(|c| c.summary()))
    }

    fn ids_of_visitor(&self, kid: Kid) -> Result<Vec<ConvId>, RequestError> {
        if let Some(known) = self.visitors.of(kid) {
            return Ok(known);
        }
        let since = self.visitors.since();
        let rows = self.store.scan(Table::VisitorConv, &kid.0, None, false, 5_000)?;
        let ids: Vec<_> = rows.iter().filter_map(|(key, _)| key.get(16..).and_then(ConvId::from_slice)).collect();
        self.visitors.remember(kid, &ids, since);
        Ok(ids)
    }

    /// Whether a visitor can be greeted without the disk: their conversations are known and in memory.
    pub(super) fn knows_visitor(&self, kid: Kid) -> bool {
        self.visitors.of(kid).is_some_and(|ids| ids.iter().all(|id| self.cache.cached(*id).is_some()))
    }

    /// Conversations of one visitor: all that are open, and of the others the newest.
    pub(super) fn of_visitor(&self, kid: Kid) -> Result<Vec<Summary>, RequestError> {
        const MOST: usize = 50;
        // the key does not say how old one is, so more are looked at than are shown
        const LOOKED_AT: usize = 200;
        let mut ids = self.ids_of_visitor(kid)?;
        ids.sort_by_key(|id| !self.cache.is_open(*id));
        let mut list = Vec::new();
        for conv in ids.into_iter().take(LOOKED_AT) {
            list.extend(self.summary_of(conv)?);
        }
        list.sort_by_key(|s| (s.state == ConvState::Closed, std::cmp::Reverse(s.created)));
        let open = list.iter().filter(|s| s.state == ConvState::Open).count();
        list.truncate(open.max(MOST));
        list.sort_by_key(|s| (s.state == ConvState::Closed, s.created));
        Ok(list)
    }
}
