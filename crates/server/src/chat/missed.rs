//! Conversations that were missed: they waited in a queue for so long without an answer that the server closed them. They
//! leave memory and the desk, but not people's sight: a small table lists them by team and time, until an agent takes,
//! reopens or dismisses one, or its visitor writes again.
//!
//! The row says since when ([`Row::missed`]); the table follows it in the same transaction. What is kept in memory is a count
//! for each team, made by reading the table again after a change.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::{
    crypto::directory::Directory,
    hub::{Conn, Hub, Topic},
    proto::{ConvId, Event, MissedCount, ServerFrame, TeamId},
    store::{Op, Store, StoreError, Table},
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
/// Maximum number counted per team.
pub const COUNTED: usize = 10_000;

/// How many were missed of each team that has any, and of which teams that must be counted again.
pub(super) struct MissedConversations {
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    metrics: Arc<Metrics>,
    counts: Mutex<BTreeMap<TeamId, MissedCount>>,
    changed: Mutex<BTreeSet<TeamId>>,
}

/// What keys of a team begin with. Ids of teams have no zero in them.
fn prefix(team: &TeamId) -> Vec<u8> {
    [team.as_str().as_bytes(), &[0]].concat()
}

fn key(team: &TeamId, at: u64, conv: ConvId) -> Vec<u8> {
    [&prefix(team)[..], &at.to_be_bytes(), &conv.0].concat()
}

/// Where the conversation of `row` is listed, if it was missed.
pub(super) fn place(row: &Row, conv: ConvId) -> Option<Vec<u8>> {
    row.missed.map(|at| key(&row.team, at, conv))
}

impl CachedConversation {
    /// The steps that keep the table as the row will be: it may be missed now, no longer, or belong to another team.
    pub(super) fn missed_ops(&self, next: &Row) -> impl Iterator<Item = Op> + use<> {
        let (old, new) = (place(&self.row, self.id), place(next, self.id));
        let (old, new) = if old == new { (None, None) } else { (old, new) };
        let delete = old.map(|key| Op::Delete { table: Table::Missed, key });
        let put = new.map(|key| Op::Put { table: Table::Missed, key, value: Vec::new() });
        delete.into_iter().chain(put)
    }
}

/// How many a team has; reads the disk.
///
/// # Errors
/// If that fails.
pub fn count_missed(store: &dyn Store, team: &TeamId) -> Result<MissedCount, StoreError> {
    let prefix = prefix(team);
    let keys = store.scan(Table::Missed, &prefix, None, false, COUNTED + 1)?;
    let oldest = keys.first().and_then(|(key, _)| Cursor::of(key.get(prefix.len()..)?)).map(|c| c.created);
    let count = u32::try_from(keys.len().min(COUNTED)).unwrap_or(u32::MAX);
    Ok(MissedCount { team: team.clone(), count, more: keys.len() > COUNTED, oldest })
}

/// Teams that have any, of these.
///
/// # Errors
/// If the disk can't be read.
pub fn all_missed<'a>(
    store: &dyn Store,
    teams: impl IntoIterator<Item = &'a TeamId>,
) -> Result<Vec<MissedCount>, StoreError> {
    let counted = teams.into_iter().map(|team| count_missed(store, team));
    counted.filter(|count| count.as_ref().map_or(true, |c| c.count > 0)).collect()
}

impl MissedConversations {
    /// Counts all, at the start.
    pub fn load(
        store: Arc<dyn Store>,
        hub: Arc<Hub>,
        metrics: Arc<Metrics>,
        directory: &Directory,
    ) -> Result<Self, StoreError> {
        let all = all_missed(&*store, directory.state().teams.keys())?;
        let counts = Mutex::new(all.into_iter().map(|count| (count.team.clone(), count)).collect());
        let this = Self { store, hub, metrics, counts, changed: Mutex::default() };
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

    /// Notes that a conversation of this row was erased.
    pub fn erased(&self, row: &Row) {
        if row.missed.is_some() {
            self.changed.lock().insert(row.team.clone());
        }
    }

    /// Counts again what changed, and notifies the agents. Called periodically.
    pub async fn publish_changed(&self) {
        let teams = std::mem::take(&mut *self.changed.lock());
        if teams.is_empty() {
            return;
        }
        let (store, asked) = (self.store.clone(), teams.clone());
        let count =
            move || -> Result<Vec<_>, StoreError> { asked.iter().map(|team| count_missed(&*store, team)).collect() };
        match tokio::task::spawn_blocking(count).await {
            Ok(Ok(counts)) => counts.into_iter().for_each(|count| self.publish(count)),
            other => {
                // the store reports the error; this is tried again at the next call
                tracing::debug!(?other, "could not count the missed conversations");
                self.changed.lock().extend(teams);
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

    /// Notifies teams whose count changed. Reads the disk; called periodically.
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
    pub(super) fn missed_page(
        &self,
        teams: &[TeamId],
        before: Option<Cursor>,
        limit: usize,
    ) -> Result<Page, RequestError> {
        let mut found = Vec::new();
        for team in teams {
            let prefix = prefix(team);
            let end = before.map(|cursor| [&prefix[..], &cursor.key()].concat());
            let keys = self.store.scan(Table::Missed, &prefix, end.as_deref(), true, limit + 1)?;
            found.extend(keys.iter().filter_map(|(key, _)| Cursor::of(key.get(prefix.len()..)?)));
        }
        found.sort_by_key(|c| std::cmp::Reverse((c.created, c.id)));
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().copied().filter(|_| more);
        let mut convs = Vec::new();
        for cursor in found {
            let Some(conv) = cursor.id else { continue };
            // it may have been answered since
            convs.extend(self.summary_of(conv)?.filter(|s| s.missed.is_some() && teams.contains(&s.team)));
        }
        Ok(Page { convs, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        crypto::codec,
        proto::{ConvState, Owner},
    };

    #[test]
    fn the_table_follows_the_row() {
        let row = |team: &str, missed| Row {
            site: "s1".parse().unwrap(),
            team: team.parse().unwrap(),
            owner: Owner::None,
            state: ConvState::Closed,
            ed: codec::b64u(&[7; 32]),
            x: codec::b64u(&[8; 32]),
            created: 1,
            arrived: 1,
            last_agent: None,
            epoch: 0,
            ann: String::new(),
            key_team: team.parse().unwrap(),
            key_epoch: 1,
            bot: false,
            dir_seq: 0,
            mover: None,
            missed,
            empty: None,
        };
        let conv = ConvId([1; 16]);
        let ops = |old: &Row, new: &Row| -> Vec<Op> {
            CachedConversation::new(conv, 1, old.clone()).unwrap().missed_ops(new).collect()
        };
        let put = |row: &Row, at| Op::Put { table: Table::Missed, key: key(&row.team, at, conv), value: vec![] };
        let delete = |row: &Row, at| Op::Delete { table: Table::Missed, key: key(&row.team, at, conv) };
        let (open, missed, moved) = (row("a", None), row("a", Some(5)), row("b", Some(5)));
        assert_eq!(ops(&open, &missed), [put(&missed, 5)]);
        assert_eq!(ops(&missed, &open), [delete(&missed, 5)]);
        assert_eq!(ops(&missed, &moved), [delete(&missed, 5), put(&moved, 5)], "another team has it now");
        assert_eq!([ops(&missed, &missed), ops(&open, &row("b", None))], [vec![], vec![]]);
        // rows from before have no such mark, and rows without one are written as before
        assert!(!String::from_utf8(open.encode().to_vec()).unwrap().contains("missed"));
        assert_eq!(Row::decode(&open.encode()).unwrap(), open);
    }

    #[test]
    fn keys_of_a_team_are_together_in_order_of_time() {
        let team = |id: &str| id.parse::<TeamId>().unwrap();
        let (a, b) = (ConvId([1; 16]), ConvId([2; 16]));
        let keys = [
            key(&team("a"), 7, a),
            key(&team("a"), 7, b),
            key(&team("a"), 256, a),
            key(&team("a-b"), 1, a),
            key(&team("ab"), 1, a),
        ];
        assert!(keys.is_sorted());
        assert_eq!(keys.iter().filter(|k| k.starts_with(&prefix(&team("a")))).count(), 3);
        let cursor = Cursor::of(&keys[2][prefix(&team("a")).len()..]);
        assert_eq!(cursor, Some(Cursor { created: 256, id: Some(a) }));
    }
}
