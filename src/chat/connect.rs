//! A socket has proved its key: greet it, let it follow conversations, and notice when it is gone.

use std::sync::Arc;

use serde_json::json;

use crate::{
    desk,
    hub::{Conn, Frame, Topic, Who},
    proto::{AgentState, BEAT_MS, ConvId, Have, Owner, RESUME_RECORDS, ServerFrame, Side},
};

use super::{Chat, Refusal, cells::lock, history::masked, now_ms, text};

/// Bytes of records one `resume` may put into an outbox; the rest is paged over HTTP.
const RESUME_BYTES: usize = 128 * 1024;

impl Chat {
    /// Registers the socket's topics and makes its greeting.
    pub fn welcome(&self, conn: &Arc<Conn>, token: String) -> Result<ServerFrame, Refusal> {
        let (role, user, name, convs, config) = match &conn.who {
            Who::Visitor { kid, site } => {
                self.hub.listen(conn, Topic::Site(site.clone()));
                let directory = self.org.directory();
                if let Some(site) = directory.site(site) {
                    let (state, agents) = self.presence.of(&site.team);
                    conn.outbox.push(text(&ServerFrame::Presence { team: site.team.clone(), state, agents }));
                }
                (Side::Visitor, None, None, self.of_visitor(*kid)?, json!({}))
            }
            Who::Agent { user, .. } => {
                let agent = self.require_agent(conn)?;
                self.hub.listen(conn, Topic::User(user.clone()));
                for team in &agent.teams {
                    self.hub.listen(conn, Topic::Team(team.clone()));
                }
                self.fact(desk::Event::AgentConnected {
                    user: user.clone(),
                    name: agent.name.clone(),
                    teams: agent.teams.clone(),
                    capacity: None,
                    state: self.presence.state_of(user).unwrap_or(AgentState::Online),
                });
                self.show_desk(conn, user, &agent.teams);
                let config = json!({ "role": agent.role, "teams": agent.teams });
                (Side::Agent, Some(user.clone()), Some(agent.name), self.open_for(user)?, config)
            }
        };
        let kid = conn.who.kid();
        Ok(ServerFrame::Welcome { role, kid, user, name, token, now: now_ms(), beat: BEAT_MS, convs, config })
    }

    /// Follows conversations and sends what is missing. Those it may not see are passed over silently: that they exist
    /// is nobody's business.
    pub fn resume(&self, conn: &Arc<Conn>, convs: &[Have]) -> Result<(), Refusal> {
        self.metrics.resumes.inc();
        let mut room = RESUME_BYTES;
        for Have { id, have } in convs {
            let Some(shared) = self.cell(*id)? else { continue };
            if !self.sees(&conn.who, &lock(&shared)) {
                continue;
            }
            // listening before reading: nothing can fall between; what comes twice is dropped by its number
            self.hub.listen(conn, Topic::Conv(*id));
            let (last, queued) = {
                let cell = lock(&shared);
                if !self.sees(&conn.who, &cell) {
                    // it went to another team in this very moment
                    self.hub.unlisten(conn, &Topic::Conv(*id));
                    continue;
                }
                (cell.last, cell.row.owner == Owner::Queue)
            };
            let missing = last.saturating_sub(*have);
            let mut records = Vec::new();
            if missing > 0 && missing <= RESUME_RECORDS as u64 && room > 0 {
                records = self.store.records(*id, *have, RESUME_RECORDS)?;
            }
            let bytes: usize = records.iter().map(|(_, frame)| frame.len()).sum();
            let complete = missing == 0 || (!records.is_empty() && bytes <= room);
            if complete {
                room -= bytes;
                let last = records.last().map_or(last, |(seq, _)| *seq);
                for (_, frame) in records {
                    conn.outbox.push(Frame::Record(masked(&conn.who, frame)));
                }
                conn.outbox.push(text(&ServerFrame::Synced { conv: *id, last }));
            } else {
                conn.outbox.push(text(&ServerFrame::Behind { conv: *id, last }));
            }
            if queued && conn.who.user().is_none() {
                self.tell_position(conn.id, *id);
            }
        }
        Ok(())
    }

    /// Stops following.
    pub fn leave(&self, conn: &Conn, conv: ConvId) {
        self.hub.unlisten(conn, &Topic::Conv(conv));
    }

    /// The socket is gone.
    pub fn disconnected(&self, conn: &Conn) {
        for topic in self.hub.disconnect(conn) {
            if let Topic::User(user) = topic {
                self.fact(desk::Event::AgentVanished { user });
            }
        }
    }
}
