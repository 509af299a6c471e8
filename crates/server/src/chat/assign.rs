//! Who answers: agents accept, take and hand on. Every change of owner is a transaction on the conversation's newest row,
//! so two of them can't both win.

use std::collections::BTreeSet;

use crate::{
    desk,
    hub::{Conn, Topic},
    proto::{CloseCode, ConvId, ConvState, ErrorCode, Event, Owner, OwnerWhy, ServerFrame, TeamId, UserId},
};

use super::{
    Chat, DeskRequest, RequestError, close::append, conversation::CachedConversation, leads, row::Row, servers::Signal,
    text,
};

impl Chat {
    /// Makes an agent the owner if `allowed` holds for the newest row.
    pub(super) async fn own(
        &self,
        conv: ConvId,
        user: &UserId,
        why: OwnerWhy,
        by: &UserId,
        allowed: impl Fn(&CachedConversation) -> Result<(), RequestError> + Send + Sync,
    ) -> Result<(), RequestError> {
        self.cache
            .change(conv, |conversation, batch| {
                let owner = Owner::Agent(user.clone());
                if conversation.row.owner == owner {
                    return Ok(None);
                }
                let agent = self.agent(user).filter(|a| a.teams.contains(&conversation.row.team));
                agent.ok_or_else(|| {
                    RequestError::new(ErrorCode::Forbidden, "this agent is not in the conversation's team")
                })?;
                let mut row = conversation.row.clone();
                if row.state == ConvState::Closed {
                    if why != OwnerWhy::Take || row.missed.is_none() {
                        return Err(RequestError::new(
                            ErrorCode::Closed,
                            "this conversation is closed; reopen it first",
                        ));
                    }
                    // missed, and now answered: it must not enter the queue in between, where it would be offered to others
                    (row.state, row.arrived, row.missed) = (ConvState::Open, self.now_ms(), None);
                    batch.ops.push(append(conversation, &Event::Reopened { by: by.to_string() }));
                }
                allowed(conversation)?;
                let (team, by) = (conversation.row.team.clone(), Some(by.to_string()));
                batch.ops.push(append(conversation, &Event::Owner { owner: owner.clone(), team, why, by }));
                Ok(Some(Row { owner, last_agent: Some(user.clone()), snoozed: None, reason: None, ..row }))
            })
            .await
    }

    /// Accepts an offer.
    pub async fn accept(&self, conn: &Conn, conv: ConvId) -> Result<(), RequestError> {
        let user = self.require_agent(conn)?.user.clone();
        self.desk.demand(DeskRequest::Accept { conv, user }).await
    }

    /// Declines an offer.
    pub fn decline(&self, conn: &Conn, conv: ConvId) -> Result<(), RequestError> {
        let user = self.require_agent(conn)?.user.clone();
        self.desk.report(DeskRequest::Decline { conv, user });
        Ok(())
    }

    /// Takes from the queue or from the missed ones; supervisors and admins may also take from a colleague.
    pub async fn take(&self, conn: &Conn, conv: ConvId) -> Result<(), RequestError> {
        let agent = self.require_agent(conn)?;
        let shared = self.cache.require(conv).await?;
        if !self.sees(&conn.who, &shared.lock()) {
            return Err(RequestError::not_found());
        }
        self.own(conv, &agent.user, OwnerWhy::Take, &agent.user, |conversation| match conversation.row.owner {
            Owner::Queue | Owner::Robot => Ok(()),
            Owner::None if conversation.row.missed.is_some() => Ok(()),
            _ if leads(agent.role) => Ok(()),
            _ => Err(RequestError::new(ErrorCode::Conflict, "a colleague has this conversation")),
        })
        .await
    }

    /// Hands on to a colleague who is there, or to a team's queue. For another team its key must hold the epoch first.
    pub async fn transfer(
        &self,
        conn: &Conn,
        conv: ConvId,
        to: Option<UserId>,
        team: Option<TeamId>,
    ) -> Result<(), RequestError> {
        let agent = self.require_agent(conn)?;
        let by = &agent.user;
        let may = |conversation: &CachedConversation| match self.sees(&conn.who, conversation) {
            true => self.require_owner(&agent, conversation),
            false => Err(RequestError::not_found()),
        };
        let shared = self.cache.require(conv).await?;
        may(&shared.lock())?;
        if let Some(colleague) = to {
            if !self.is_connected(&colleague) {
                return Err(RequestError::new(
                    ErrorCode::NotFound,
                    "this colleague is not connected; choose another or a team",
                ));
            }
            return self.own(conv, &colleague, OwnerWhy::Transfer, by, may).await;
        }
        let team = team.ok_or_else(|| RequestError::malformed("a transfer names an agent or a team"))?;
        self.cache
            .change(conv, |conversation, batch| {
                may(conversation)?;
                if conversation.row.state == ConvState::Closed {
                    return Err(RequestError::new(ErrorCode::Closed, "this conversation is closed; reopen it first"));
                }
                if conversation.row.key_team != team {
                    return Err(RequestError::new(
                        ErrorCode::EpochStale,
                        "announce an epoch with that team's key first",
                    ));
                }
                let event = Event::Owner {
                    owner: Owner::Queue,
                    team: team.clone(),
                    why: OwnerWhy::Transfer,
                    by: Some(by.to_string()),
                };
                batch.ops.push(append(conversation, &event));
                Ok(Some(Row {
                    owner: Owner::Queue,
                    team: team.clone(),
                    arrived: self.now_ms(),
                    last_agent: None,
                    snoozed: None,
                    ..conversation.row.clone()
                }))
            })
            .await
    }

    /// The directory grew: everyone is told; sockets of people who are out are closed, and those of people whose teams
    /// changed start again, so that they listen to the right ones.
    pub fn directory_changed(&self, seq: u32) {
        let directory = self.org.directory();
        self.hub.publish_all(&text(&ServerFrame::Directory { seq }));
        self.signal(&Signal::Directory { seq });
        // of everyone who is connected: anyone who waited for confirmation and was switched off is in no state any more
        let mut connected = self.hub.users();
        connected.extend(self.bus.agents().borrow().iter().cloned());
        for user in connected {
            let teams = directory.user(&user).map(|u| u.teams).unwrap_or_default();
            let topic = Topic::User(user.clone());
            let active = self.agent(&user).map(|a| a.kid);
            let topics: BTreeSet<_> = teams.iter().cloned().map(Topic::Team).collect();
            self.hub.close_where(&topic, |conn| {
                let listens: BTreeSet<_> = conn.topics().into_iter().filter(|t| matches!(t, Topic::Team(_))).collect();
                match active {
                    Some(kid) if kid == conn.who.kid() => (listens != topics).then_some(CloseCode::GoingAway),
                    _ => Some(CloseCode::Disabled),
                }
            });
            self.desk.fact(match active {
                Some(_) => desk::Event::TeamsChanged { user, teams },
                None => desk::Event::AgentRemoved { user },
            });
        }
        self.forget_statuses();
    }
}
