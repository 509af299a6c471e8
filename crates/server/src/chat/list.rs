//! Lists of conversations for agents.

use std::fmt;

use crate::{
    hub::Who,
    proto::{ConvId, ConvState, Kid, Owner, Summary, UserId},
    store::Place,
};

use super::{CachedConversation, Chat, RequestError, filter::Filter};

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

/// Maximum number of other conversations of a visitor that are named.
const OTHERS: usize = 50;

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

impl From<Place> for Cursor {
    fn from(Place { at_ms, conv }: Place) -> Self {
        Self { created: at_ms, id: Some(conv) }
    }
}

impl From<Cursor> for Place {
    fn from(Cursor { created, id }: Cursor) -> Self {
        // ids are hashes: none is before this one
        Self { at_ms: created, conv: id.unwrap_or(ConvId([0; 16])) }
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
    pub(super) async fn open_for(&self, user: &UserId) -> Result<Vec<Summary>, RequestError> {
        let Some(agent) = self.agent(user) else { return Ok(Vec::new()) };
        let theirs = |c: &CachedConversation| concerns(&c.row.owner, user) && agent.teams.contains(&c.row.team);
        let mut list = self.cache.look_at(&self.cache.open(), |c| theirs(c).then(|| c.summary())).await?;
        list.sort_by_key(|s| (s.created, s.id));
        Ok(list)
    }

    /// What an agent is greeted with: of [`Chat::open_for`] so much that the frame stays small, the agent's own
    /// first, then those who wait longest. True if there is more, which the lists of HTTP have.
    pub(super) async fn greeting_for(&self, user: &UserId) -> Result<(Vec<Summary>, bool), RequestError> {
        let mut list = self.open_for(user).await?;
        let more = list.len() > GREETING;
        if more {
            list.sort_by_key(|s| (s.owner == Owner::Queue, s.waiting_since, std::cmp::Reverse(s.last_at), s.id));
            list.truncate(GREETING);
            list.sort_by_key(|s| (s.created, s.id));
        }
        Ok((list, more))
    }

    /// One page of a tab; `before` is where the last one ended. Only [`Tab::All`] is filtered.
    pub async fn list(
        &self,
        user: &UserId,
        tab: Tab,
        filter: &Filter,
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, RequestError> {
        if tab == Tab::Missed {
            let teams = self.agent(user).map(|agent| agent.teams.clone()).unwrap_or_default();
            return self.missed_page(&teams, before, limit).await;
        }
        if tab == Tab::All {
            return self.filtered(user, filter, before, limit).await;
        }
        let list = self.open_for(user).await?;
        let mine = |s: &Summary| s.owner == Owner::Agent(user.clone());
        let convs = list.into_iter().filter(|s| mine(s) == (tab == Tab::Mine)).collect();
        Ok(Page { convs, next: None })
    }

    /// One conversation, as lists show it.
    pub async fn one(&self, who: &Who, conv: ConvId) -> Result<Summary, RequestError> {
        let seen = self.cache.look_at(&[conv], |c| self.sees(who, c).then(|| c.summary())).await?;
        seen.into_iter().next().ok_or_else(RequestError::not_found)
    }

    /// Other conversations of the visitor of this one, or of the same person, the newest first: those that an agent may see.
    pub async fn others_of_visitor(&self, who: &Who, conv: ConvId) -> Result<Vec<Summary>, RequestError> {
        let visitor = self.cache.look_at(&[conv], |c| self.sees(who, c).then_some(c.visitor)).await?;
        let visitor = visitor.into_iter().next().ok_or_else(RequestError::not_found)?;
        let mut ids = self.store.of_visitor(visitor, LOOKED_AT).await?;
        ids.extend(self.of_person(conv).await?);
        ids.sort_unstable();
        ids.dedup();
        ids.retain(|id| *id != conv);
        let mut list = self.cache.look_at(&ids, |c| self.sees(who, c).then(|| c.summary())).await?;
        list.sort_by_key(|s| (std::cmp::Reverse(s.created), s.id));
        list.truncate(OTHERS);
        Ok(list)
    }

    async fn ids_of_visitor(&self, kid: Kid) -> Result<Vec<ConvId>, RequestError> {
        if self.store.is_shared() {
            // one that began on another server may have been missed here
            return Ok(self.store.of_visitor(kid, 5_000).await?);
        }
        if let Some(known) = self.visitors.of(kid) {
            return Ok(known);
        }
        let since = self.visitors.since();
        let ids = self.store.of_visitor(kid, 5_000).await?;
        self.visitors.remember(kid, &ids, since);
        Ok(ids)
    }

    /// Conversations of one visitor: all that are open, and of the others the newest.
    pub(super) async fn of_visitor(&self, kid: Kid) -> Result<Vec<Summary>, RequestError> {
        const MOST: usize = 50;
        // the key does not say how old one is, so more are looked at than are shown
        const LOOKED_AT: usize = 200;
        let mut ids = self.ids_of_visitor(kid).await?;
        ids.sort_by_key(|id| !self.cache.is_open(*id));
        ids.truncate(LOOKED_AT);
        let mut list = self.cache.look_at(&ids, |c| Some(c.summary_for_visitor())).await?;
        list.sort_by_key(|s| (s.state == ConvState::Closed, std::cmp::Reverse(s.created)));
        let open = list.iter().filter(|s| s.state == ConvState::Open).count();
        list.truncate(open.max(MOST));
        list.sort_by_key(|s| (s.state == ConvState::Closed, s.created));
        Ok(list)
    }
}
