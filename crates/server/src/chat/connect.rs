//! A socket has proved its key: greet it, let it follow conversations, and notice when it is gone.

use std::sync::Arc;

use serde_json::json;

use crate::{
    crypto::hash,
    hub::{Conn, Frame, Topic, Who},
    proto::{BEAT_MS, ConvId, Have, Owner, RESUME_RECORDS, ServerFrame, Side, StorageState},
    store::StoredRecord,
};

use super::{Chat, DeskRequest, Reader, RequestError, list::concerns, shown::shown, text};

/// Bytes that are read for one `resume`, about, whether they fit or not.
const RESUME_EFFORT: usize = 8 * RESUME_BYTES;
/// Bytes of records one `resume` may put into an outbox; the rest is paged over HTTP.
const RESUME_BYTES: usize = 128 * 1024;

impl Chat {
    /// Registers the socket's topics and makes its greeting.
    pub async fn welcome(&self, conn: &Arc<Conn>, token: String) -> Result<ServerFrame, RequestError> {
        let (role, user, name, convs, config) = match &conn.who {
            Who::Visitor { kid, site } => {
                self.hub.listen(conn, Topic::Site(site.clone()));
                let directory = self.org.directory();
                if let Some(site) = directory.site(site) {
                    let presence = self.presence_frame(&site.team);
                    conn.outbox.push(text(&presence));
                }
                (Side::Visitor, None, None, self.of_visitor(*kid).await?, json!({}))
            }
            Who::Agent { user, .. } => {
                // listening before looking: if the directory changes now, either this sees it or the socket is closed for it
                self.hub.listen(conn, Topic::User(user.clone()));
                let agent = self.require_agent(conn)?;
                for team in &agent.teams {
                    self.hub.listen(conn, Topic::Team(team.clone()));
                }
                self.bus.agents_changed();
                self.desk.report(DeskRequest::Connected { user: user.clone() });
                self.show_desk(conn, user, &agent.teams);
                let (convs, more) = self.greeting_for(user).await?;
                let missed = self.missed.of(&agent.teams);
                // a page that did not change it tells its user
                let password = self.org.password_version(user).await.unwrap_or_default();
                let status = self.statuses.of(user);
                let config = json!({
                    "role": agent.role,
                    "teams": agent.teams,
                    "status": status,
                    "more": more,
                    "missed": missed,
                    "labels": self.org.labels_now(),
                    "password": password,
                });
                (Side::Agent, Some(user.clone()), Some(agent.name.clone()), convs, config)
            }
        };
        let kid = conn.who.kid();
        let (now, generation) = (self.now_ms(), self.store.generation());
        let storage = if role == Side::Agent { self.store.space() } else { StorageState::Ok };
        Ok(ServerFrame::Welcome {
            role,
            kid,
            user,
            name,
            token,
            generation,
            now,
            beat: BEAT_MS,
            convs,
            config,
            storage,
        })
    }

    /// Follows conversations and sends what is missing. Those it may not see are passed over silently: that they exist
    /// is not told. An agent who still has one that went to another team while their page was offline is told
    /// that it is gone, and of one that is no longer theirs how it is now: the greeting names neither. Says how many
    /// bytes were read for it.
    pub async fn resume(&self, conn: &Arc<Conn>, convs: &[Have]) -> Result<usize, RequestError> {
        self.metrics.resumes.inc();
        let mut room = RESUME_BYTES;
        // what is read and then does not fit costs, too
        let mut effort = RESUME_EFFORT;
        for held in convs {
            let Have { id, have, .. } = held;
            let Some(shared) = self.cache.get(*id).await? else { continue };
            if !self.sees(&conn.who, &shared.lock()) {
                if held.have > 0 && conn.who.user().is_some() {
                    conn.outbox.push(text(&ServerFrame::Gone { conv: *id }));
                }
                continue;
            }
            if self.went_back(conn, held, &mut effort).await? {
                self.hub.unlisten(conn, &Topic::Conv(*id));
                let (last, generation) = (shared.lock().last, self.store.generation());
                conn.outbox.push(text(&ServerFrame::Rewound { conv: *id, last, generation }));
                continue;
            }
            // listening before reading: nothing can fall between; what comes twice is dropped by its number
            self.hub.listen(conn, Topic::Conv(*id));
            let (last, visitor, queued) = {
                let conversation = shared.lock();
                if !self.sees(&conn.who, &conversation) {
                    // it went to another team in this very moment
                    self.hub.unlisten(conn, &Topic::Conv(*id));
                    continue;
                }
                if conn.who.user().is_some_and(|user| !concerns(&conversation.row.owner, user)) {
                    conn.outbox.push(text(&ServerFrame::Conv { conv: Box::new(conversation.summary()) }));
                }
                (conversation.last, conversation.visitor, conversation.row.owner == Owner::Queue)
            };
            // who read over HTTP may hold what the fan-out has not heard of yet
            let last = match *have > last {
                true => self.store.head(*id).await?.map_or(last, |head| head.last_seq.max(last)),
                false => last,
            };
            let missing = last.saturating_sub(*have);
            let few = missing <= RESUME_RECORDS as u64 && effort > 0;
            let records = match missing {
                0 => Some(Vec::new()),
                _ if few => self.missing(*id, *have, &mut room, &mut effort).await?,
                _ => None,
            };
            if let Some(records) = records {
                let read = records.last().map_or(last, |(seq, _)| *seq);
                for frame in self.shown_all(Reader { who: &conn.who, rev: conn.rev }, *id, visitor, records).await? {
                    conn.outbox.push(Frame::Record(frame));
                }
                // newer ones may have arrived meanwhile: the fan-out holds the conversation while it delivers them, so that nobody
                // is told a smaller number than they have
                let conversation = shared.lock();
                conn.outbox.push(text(&ServerFrame::Synced { conv: *id, last: read.max(conversation.last) }));
            } else {
                conn.outbox.push(text(&ServerFrame::Behind { conv: *id, last }));
            }
            if queued && conn.who.user().is_none() {
                self.tell_position(conn.id, *id);
            }
        }
        Ok(RESUME_EFFORT - effort)
    }

    /// Whether the log no longer holds what a client remembers of it. Under one and the same opening of the database it
    /// never loses anything, so there only a client's alarm would help.
    async fn went_back(&self, conn: &Conn, held: &Have, effort: &mut usize) -> Result<bool, RequestError> {
        if conn.rev < 2 || held.generation == Some(self.store.generation()) {
            return Ok(false);
        }
        let newest = held.seq.filter(|seq| *seq > 0).zip(held.mark);
        let (seq, mark) = match (newest, held.generation) {
            (Some((seq, mark)), _) => (seq, Some(mark)),
            (None, Some(_)) if held.have > 0 => (held.have, None),
            (None, _) => return Ok(false),
        };
        let record = self.store.records(held.id, seq - 1, 1).await?.pop().filter(|(found, _)| *found == seq);
        let Some((_, frame)) = record else { return Ok(true) };
        *effort = effort.saturating_sub(frame.len());
        Ok(mark.is_some_and(|mark| hash::mark(&shown(Reader { who: &conn.who, rev: conn.rev }, frame)) != mark))
    }

    /// Records after `have` if all of them fit into `room` bytes. No more than that are read: a client that asks again and
    /// again for more than fits must not make the server read megabytes each time.
    async fn missing(
        &self,
        conv: ConvId,
        have: u64,
        room: &mut usize,
        effort: &mut usize,
    ) -> Result<Option<Vec<StoredRecord>>, RequestError> {
        let records = self.store.page(conv, have, usize::MAX, *room + 1).await?;
        let bytes: usize = records.iter().map(|(_, frame)| frame.len()).sum();
        *effort = effort.saturating_sub(bytes);
        if bytes > *room {
            return Ok(None);
        }
        *room -= bytes;
        Ok((!records.is_empty()).then_some(records))
    }

    /// Stops following.
    pub fn leave(&self, conn: &Conn, conv: ConvId) {
        self.hub.unlisten(conn, &Topic::Conv(conv));
    }

    /// The socket is gone.
    pub fn disconnected(&self, conn: &Conn) {
        for topic in self.hub.disconnect(conn) {
            if let Topic::User(user) = topic {
                self.bus.agents_changed();
                self.desk.report(DeskRequest::Vanished { user });
            }
        }
    }
}
