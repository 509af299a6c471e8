//! Conversations that were missed: they waited in a queue for so long without an answer that the server closed them. They
//! leave memory and the desk, but not people's sight: a small table lists them by team and time, until an agent takes,
//! reopens or dismisses one, or its visitor writes again.
//!
//! The row says since when ([`Row::missed`]); the table follows it in the same transaction. What is kept in memory is a count
//! for each team, made by reading the table again after a change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::{
    crypto::directory::Directory,
    hub::{Conn, Hub, Topic},
    proto::{ConvId, Event, MissedCount, ServerFrame, SiteId, TeamId},
    store::{Place, Store, StoreError},
    telemetry::Metrics,
};
use parking_lot::Mutex;

use super::{
    Chat, RequestError,
    close::append,
    conversation::CachedConversation,
    list::{Cursor, Page},
    row::Row,
    text,
};

/// Who closed it, in the event: not an id that a user could have.
pub(super) const BY: &str = "@missed";
/// Of so many calls one counts in a shared store.
const SELDOM: u32 = 20;
/// Maximum number counted per team.
pub const COUNTED: usize = 10_000;

/// How many were missed of each team that has any, and of which teams that must be counted again.
pub(super) struct MissedConversations {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    counts: Mutex<BTreeMap<TeamId, MissedCount>>,
    changed: Mutex<BTreeSet<TeamId>>,
    calls: AtomicU32,
}

/// How many a team has.
///
/// # Errors
/// If the store can't be read.
pub async fn count_missed(store: &dyn Store, team: &TeamId) -> Result<MissedCount, StoreError> {
    let (found, oldest) = store.count_missed(team, COUNTED + 1).await?;
    let count = u32::try_from(found.min(COUNTED)).unwrap_or(u32::MAX);
    Ok(MissedCount { team: team.clone(), count, more: found > COUNTED, oldest })
}

/// Teams that have any, of these.
///
/// # Errors
/// If the store can't be read.
pub async fn all_missed(
    store: &dyn Store,
    teams: impl IntoIterator<Item = &TeamId>,
) -> Result<Vec<MissedCount>, StoreError> {
    let mut all = Vec::new();
    for team in teams {
        all.push(count_missed(store, team).await?);
    }
    all.retain(|count| count.count > 0);
    Ok(all)
}

impl MissedConversations {
    /// Counts all, at the start.
    pub async fn load(
        store: Arc<dyn Store>,
        hub: Arc<Hub>,
        metrics: Arc<Metrics>,
        directory: &Directory,
    ) -> Result<Self, StoreError> {
        let all = all_missed(&*store, directory.state().teams.keys()).await?;
        let counts = Mutex::new(all.into_iter().map(|count| (count.team.clone(), count)).collect());
        let this = Self { store, hub, metrics, counts, changed: Mutex::default(), calls: AtomicU32::new(0) };
        this.gauge();
        Ok(this)
    }

    fn gauge(&self) {
        self.metrics.missed.set(self.counts.lock().values().map(|c| u64::from(c.count)).sum());
    }

    /// How many were missed, of the teams that have any.
    pub fn counts(&self) -> Vec<MissedCount> {
        self.counts.lock().values().cloned().collect()
    }

    /// Counts of some teams.
    pub fn of(&self, teams: &[TeamId]) -> Vec<MissedCount> {
        self.counts.lock().values().filter(|c| teams.contains(&c.team)).cloned().collect()
    }

    /// Notes, after a commit, which teams must be counted again. `before`: the row before it, if it is known.
    pub fn note(&self, before: Option<&Row>, row: &Row) {
        let may_have = || self.counts.lock().contains_key(&row.team);
        let changed = match before {
            Some(old) => old.missed != row.missed || (row.missed.is_some() && old.team != row.team),
            None => row.missed.is_some() || may_have(),
        };
        if changed {
            self.changed.lock().extend([before.unwrap_or(row).team.clone(), row.team.clone()]);
        }
    }

    /// Notes that any team's count may have changed.
    pub fn count_all_again(&self) {
        let teams: Vec<_> = self.counts.lock().keys().cloned().collect();
        self.changed.lock().extend(teams);
    }

    /// Notes that a conversation of this row was erased.
    pub fn erased(&self, row: &Row) {
        if row.missed.is_some() {
            self.changed.lock().insert(row.team.clone());
        }
    }

    /// Counts again what changed, and notifies the agents. Called periodically; a shared store is asked less often, since a count
    /// there costs thousands of commands.
    pub async fn publish_changed(&self) {
        if self.store.is_shared() && !self.calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(SELDOM) {
            return;
        }
        let teams = std::mem::take(&mut *self.changed.lock());
        if teams.is_empty() {
            return;
        }
        for team in teams {
            match count_missed(&*self.store, &team).await {
                Ok(count) => self.publish(count),
                Err(error) => {
                    // the store reports it; this is tried again at the next call
                    tracing::debug!(%team, %error, "could not count the missed conversations");
                    self.changed.lock().insert(team);
                }
            }
        }
        self.gauge();
    }

    fn publish(&self, count: MissedCount) {
        let mut counts = self.counts.lock();
        let old = match count.count {
            0 => counts.remove(&count.team),
            _ => counts.insert(count.team.clone(), count.clone()),
        };
        drop(counts);
        if old.as_ref() != Some(&count) {
            let frame = text(&ServerFrame::Missed(count.clone()));
            self.hub.publish(&Topic::Team(count.team), |_| Some(frame.clone()));
        }
    }
}

impl Chat {
    /// How many conversations were missed, of the teams that have any.
    pub fn missed(&self) -> Vec<MissedCount> {
        self.missed.counts()
    }

    /// Up to `limit` missed conversations of each team, the newest first.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn newest_missed(&self, limit: usize) -> Result<Vec<(TeamId, Place)>, StoreError> {
        let mut found = Vec::new();
        for MissedCount { team, .. } in self.missed.counts() {
            let places = self.store.missed(&team, None, limit).await?;
            found.extend(places.into_iter().map(|place| (team.clone(), place)));
        }
        Ok(found)
    }

    /// Where these conversations began, of those that are there.
    ///
    /// # Errors
    /// The store can't be read.
    pub async fn sites_of(&self, convs: &[ConvId]) -> Result<Vec<(ConvId, SiteId)>, StoreError> {
        self.cache.look_at(convs, |c| Some((c.id, c.row.site.clone()))).await
    }

    /// Notifies teams whose count changed. Called periodically.
    pub async fn tell_missed(&self) {
        self.missed.publish_changed().await;
    }

    /// An agent of the team decided that it needs no answer. Repeating this, or an open conversation, is no error: it is not
    /// listed.
    pub async fn dismiss(&self, conn: &Conn, conv: ConvId) -> Result<(), RequestError> {
        let by = self.require_agent(conn)?.user.to_string();
        self.cache
            .change(conv, |conversation, batch| {
                if !self.sees(&conn.who, conversation) {
                    return Err(RequestError::not_found());
                }
                if conversation.row.missed.is_none() {
                    return Ok(None);
                }
                batch.ops.push(append(conversation, &Event::Dismissed { by: by.clone() }));
                Ok(Some(Row { missed: None, ..conversation.row.clone() }))
            })
            .await
    }

    /// One page of these teams' missed conversations, newest first. Reads no more of a team than fits on it.
    pub(super) async fn missed_page(
        &self,
        teams: &[TeamId],
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, RequestError> {
        let mut found = Vec::new();
        for team in teams {
            found.extend(self.store.missed(team, before.map(Place::from), limit + 1).await?);
        }
        found.sort_by_key(|place| std::cmp::Reverse(*place));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().copied().map(Cursor::from).filter(|_| more);
        let found: Vec<_> = found.iter().map(|place| place.conv).collect();
        // it may have been answered since
        let still = |c: &CachedConversation| c.row.missed.is_some() && teams.contains(&c.row.team);
        let convs = self.cache.look_at(&found, |c| still(c).then(|| c.summary())).await?;
        Ok(Page { convs, next })
    }
}
