//! The desk's one task: feeds it facts and the time, and turns its decisions into transactions and frames.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use crate::{
    desk::{self, Decision, Desk},
    hub::{Audience, Conn, Topic},
    proto::{ConvId, ErrorCode, Event, Owner, OwnerWhy, ServerFrame, StatusWhy, TeamId, UserId},
};

use super::{Chat, DeskMessage, RequestError, close::append, presence::Telling, row::Row, text};

/// The desk's task; ends when the chat is dropped.
pub async fn run(chat: Arc<Chat>, mut desk: Desk, mut inbox: mpsc::UnboundedReceiver<DeskMessage>) {
    // answers that wait for the outcome of an acceptance
    let mut waiting: HashMap<(ConvId, UserId), oneshot::Sender<Result<(), RequestError>>> = HashMap::new();
    let clock = SteadyClock::start(chat.now_ms());
    let (mut roster, mut telling) = (Roster::default(), Telling::default());
    loop {
        let wait =
            desk.next_deadline().map_or(IDLE, |at| Duration::from_millis(at.saturating_sub(clock.now_ms()).max(1)));
        let event = tokio::select! {
            message = inbox.recv() => match message {
                None => return,
                // the agent's next socket may have connected before the last one's end was noticed
                Some(DeskMessage::Fact(desk::Event::AgentVanished { user }))
                    if chat.hub.listeners(&Topic::User(user.clone())) > 0 =>
                {
                    continue;
                }
                Some(DeskMessage::Fact(event)) => event,
                Some(DeskMessage::Connected { user, name, teams }) => {
                    let state = chat.statuses.of(&user);
                    desk::Event::AgentConnected { user, name, teams, capacity: None, state }
                }
                Some(DeskMessage::Status { user, state, reply }) => {
                    chat.statuses.keep(&user, state, None).await;
                    let _ = reply.send(());
                    desk::Event::AgentState { user, state }
                }
                Some(DeskMessage::SaveStatuses) => {
                    chat.statuses.save().await;
                    continue;
                }
                Some(DeskMessage::Ask(question)) => {
                    question(&desk);
                    continue;
                }
                Some(DeskMessage::Accept { conv, user, reply }) => {
                    waiting.insert((conv, user.clone()), reply);
                    desk::Event::Accept { conv, user }
                }
            },
            () = tokio::time::sleep(wait) => desk::Event::Tick,
            () = roster.due() => {
                roster.publish(&chat, &desk);
                continue;
            }
            () = telling.due() => {
                telling.publish(&chat);
                continue;
            }
        };
        let accept = match &event {
            desk::Event::Accept { conv, user } => Some((*conv, user.clone())),
            _ => None,
        };
        if let desk::Event::AgentRemoved { user } = &event {
            chat.statuses.forget(user).await;
        }
        for decision in desk.apply(event, clock.now_ms()) {
            match decision {
                Decision::AgentsChanged { team } => roster.changed(team),
                Decision::Presence { team, now } => {
                    chat.presence.set(team.clone(), now);
                    telling.changed(team);
                }
                other => chat.carry_out(other, &mut waiting).await,
            }
        }
        // nothing was decided: too late, or the agent has it already and asks again, not having heard the answer
        if let Some((conv, user)) = accept
            && let Some(reply) = waiting.remove(&(conv, user.clone()))
        {
            let now = chat.cache.get(conv).await;
            let theirs = matches!(now, Ok(Some(c)) if c.lock().row.owner == Owner::Agent(user));
            let late = || RequestError::new(ErrorCode::TooLate, "this offer has expired");
            let _ = reply.send(if theirs { Ok(()) } else { Err(late()) });
        }
    }
}

/// How long the desk sleeps when nothing is due.
const IDLE: Duration = Duration::from_hours(1);

/// A clock that cannot be set: the time of day at the start, plus the time passed since.
struct SteadyClock {
    begin: Instant,
    begin_ms: u64,
}

impl SteadyClock {
    fn start(now_ms: u64) -> Self {
        Self { begin: Instant::now(), begin_ms: now_ms }
    }

    fn now_ms(&self) -> u64 {
        self.begin_ms + self.begin.elapsed().as_millis() as u64
    }
}

/// Teams whose list of colleagues changed. Loads change with every assignment; people need not see each step.
#[derive(Default)]
struct Roster {
    teams: BTreeSet<TeamId>,
    at: Option<Instant>,
}

impl Roster {
    const PAUSE: Duration = Duration::from_millis(200);

    fn changed(&mut self, team: TeamId) {
        self.teams.insert(team);
        self.at.get_or_insert_with(|| Instant::now() + Self::PAUSE);
    }

    async fn due(&self) {
        match self.at {
            Some(at) => tokio::time::sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    fn publish(&mut self, chat: &Chat, desk: &Desk) {
        self.at = None;
        for team in std::mem::take(&mut self.teams) {
            let frame = ServerFrame::Agents { list: desk.agents(std::slice::from_ref(&team)) };
            chat.tell(&Topic::Team(team), Audience::Everyone, &frame);
        }
    }
}

type Waiting = HashMap<(ConvId, UserId), oneshot::Sender<Result<(), RequestError>>>;

impl Chat {
    async fn carry_out(&self, decision: Decision, waiting: &mut Waiting) {
        match decision {
            Decision::Offer { conv, user, until, auto } => {
                self.metrics.offers.inc();
                self.tell(&Topic::User(user), Audience::Everyone, &ServerFrame::Offer { conv, until, auto });
            }
            Decision::OfferGone { conv, user, why } => {
                if why == desk::OfferEnd::Late {
                    self.metrics.offers_missed.inc();
                }
                let frame = ServerFrame::OfferGone { conv, why: why.as_str().into() };
                self.tell(&Topic::User(user), Audience::Everyone, &frame);
            }
            Decision::Assign { conv, user } => {
                let outcome = self
                    .own(conv, &user, OwnerWhy::Accept, &user, |conversation| match conversation.row.owner {
                        Owner::Queue => Ok(()),
                        _ => Err(RequestError::new(ErrorCode::Conflict, "someone else has this conversation")),
                    })
                    .await;
                if outcome.is_err() {
                    self.state_fact(conv).await;
                }
                if let Some(reply) = waiting.remove(&(conv, user)) {
                    let _ = reply.send(outcome);
                }
            }
            Decision::Requeue { conv, user } => self.requeue(conv, &user).await,
            Decision::Position { conv, position } => {
                self.tell(&Topic::Conv(conv), Audience::Visitors, &ServerFrame::Queue { conv, position });
            }
            Decision::StateChanged { user, state } => {
                self.statuses.keep(&user, state, Some(StatusWhy::Missed)).await;
            }
            Decision::Presence { .. } | Decision::AgentsChanged { .. } => {} // gathered by the caller
        }
    }

    /// A vanished agent loses a conversation to the queue, if it is still theirs.
    async fn requeue(&self, conv: ConvId, user: &UserId) {
        let outcome = self
            .cache
            .change(conv, |conversation, batch| {
                if conversation.row.owner != Owner::Agent(user.clone()) {
                    return Ok(None);
                }
                let (owner, team) = (Owner::Queue, conversation.row.team.clone());
                batch.ops.push(append(conversation, &Event::Owner { owner, team, why: OwnerWhy::Lost, by: None }));
                Ok(Some(Row { owner: Owner::Queue, ..conversation.row.clone() }))
            })
            .await;
        // of a full disk the store spoke already
        if let Err(e) = outcome.or_else(|e| if e.code == ErrorCode::Storage { Ok(()) } else { Err(e) }) {
            tracing::warn!(%conv, %user, error = %e, "a lost conversation could not go back to the queue yet");
        }
        self.state_fact(conv).await;
    }

    /// Reports the actual state to the desk after a decision that could not be carried out.
    async fn state_fact(&self, conv: ConvId) {
        match self.cache.get(conv).await {
            Ok(Some(conversation)) => {
                let row = conversation.lock().row.clone();
                self.tell_desk(conv, &row);
            }
            _ => self.desk.fact(desk::Event::Closed { conv }),
        }
    }

    /// Sends a newly opened page the open offers of its agent, and the agent's colleagues.
    pub(super) fn show_desk(&self, conn: &Conn, user: &UserId, teams: &[TeamId]) {
        let (hub, id, user, teams) = (self.hub.clone(), conn.id, user.clone(), teams.to_vec());
        self.desk.send(DeskMessage::Ask(Box::new(move |desk: &Desk| {
            hub.send(id, text(&ServerFrame::Agents { list: desk.agents(&teams) }));
            for (conv, until) in desk.offers(&user) {
                hub.send(id, text(&ServerFrame::Offer { conv, until, auto: false }));
            }
        })));
    }

    /// The desk at a glance.
    pub async fn desk_snapshot(&self) -> Option<desk::DeskSnapshot> {
        let now_ms = self.now_ms();
        self.desk.ask(move |desk| desk.snapshot(now_ms)).await
    }

    /// Why a conversation has no agent.
    pub async fn explain(&self, conv: ConvId) -> Vec<desk::Reason> {
        let conversation = self.cache.get(conv).await;
        if matches!(conversation, Ok(Some(conversation)) if conversation.lock().row.empty.is_some()) {
            return vec![desk::Reason::Empty];
        }
        self.desk.ask(move |desk| desk.explain(conv)).await.unwrap_or_default()
    }
}
