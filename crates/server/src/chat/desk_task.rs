//! The desk's one task: feeds it facts and the time, and turns its decisions into transactions and frames. Of several servers
//! one runs the desk; on the others this task passes requests on. A server that takes the desk over builds it from what is
//! stored and from who is connected, as after a restart; open offers are made again.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use crate::{
    desk::{self, Decision, Desk, Event, Rules},
    hub::{Audience, Conn, Topic},
    proto::{ConvId, ErrorCode, Event as Record, Owner, OwnerWhy, ServerFrame, StatusWhy, TeamId, UserId},
};

use super::{
    Chat, DeskAnswer, DeskMessage, DeskRequest, RequestError,
    close::append,
    desk_message::{Answered, pass_on},
    presence::Telling,
    row::Row,
    servers::Signal,
};

/// The desk's task; ends when the chat is dropped.
pub async fn run(chat: Arc<Chat>, rules: Rules, mut inbox: mpsc::UnboundedReceiver<DeskMessage>) {
    let (mut leads, mut elsewhere) = (chat.bus.leads(), chat.bus.agents());
    loop {
        if *leads.borrow_and_update() {
            tracing::debug!("the desk is here");
            let mut here = DeskHere::begin(&chat, rules).await;
            if here.run(&mut inbox, &mut leads, &mut elsewhere).await.is_none() {
                return;
            }
            tracing::warn!("the desk is on another server now");
            here.end();
        }
        // requests go to the server that has it; what happens to conversations that one hears of by itself
        tokio::select! {
            message = inbox.recv() => match message {
                None => return,
                Some(DeskMessage::Request(request, answered)) => {
                    let chat = chat.clone();
                    tokio::spawn(async move { answered(pass_on(&*chat.bus, &request).await) });
                }
                Some(DeskMessage::Remote(_, answered)) => answered(DeskAnswer::no_desk()),
                Some(DeskMessage::Fact(_) | DeskMessage::SaveStatuses) => {}
            },
            changed = leads.changed() => if changed.is_err() { return },
        }
    }
}

/// Answers that wait for the outcome of an acceptance.
type Waiting = HashMap<(ConvId, UserId), Answered>;

/// The desk while it is on this server.
struct DeskHere<'a> {
    chat: &'a Arc<Chat>,
    desk: Desk,
    clock: SteadyClock,
    waiting: Waiting,
    roster: Roster,
    telling: Telling,
}

impl<'a> DeskHere<'a> {
    async fn begin(chat: &'a Arc<Chat>, rules: Rules) -> Self {
        let clock = SteadyClock::start(chat.now_ms());
        let (waiting, roster, telling) = (Waiting::new(), Roster::default(), Telling::default());
        let mut here = Self { chat, desk: Desk::new(rules), clock, waiting, roster, telling };
        if let Err(e) = chat.statuses.read(&chat.org.directory()).await {
            tracing::warn!(error = %e, "the states that agents chose could not be read again");
        }
        // waiting ones first: the queues are then complete when the desk learns of agents
        for (conv, row) in chat.cache.all_published() {
            here.happened(row.fact(conv)).await;
        }
        here.look_who_is_connected().await;
        here
    }

    /// Runs until the desk moves away; none: the chat is dropped.
    async fn run(
        &mut self,
        inbox: &mut mpsc::UnboundedReceiver<DeskMessage>,
        leads: &mut watch::Receiver<bool>,
        elsewhere: &mut watch::Receiver<Arc<BTreeSet<UserId>>>,
    ) -> Option<()> {
        loop {
            let due = self.desk.next_deadline();
            let wait = due.map_or(IDLE, |at| Duration::from_millis(at.saturating_sub(self.clock.now_ms()).max(1)));
            tokio::select! {
                message = inbox.recv() => match message? {
                    DeskMessage::Fact(event) => self.happened(event).await,
                    DeskMessage::Request(request, answered) | DeskMessage::Remote(request, answered) => {
                        self.requested(request, answered).await;
                    }
                    DeskMessage::SaveStatuses => self.chat.statuses.save().await,
                },
                () = tokio::time::sleep(wait) => self.happened(Event::Tick).await,
                () = self.roster.due() => self.roster.publish(self.chat, &self.desk),
                () = self.telling.due() => self.telling.publish(self.chat),
                Ok(()) = elsewhere.changed() => self.look_who_is_connected().await,
                changed = leads.changed() => {
                    changed.ok()?;
                    if !*leads.borrow() {
                        return Some(());
                    }
                }
            }
        }
    }

    /// Whoever waits is told that there is no answer.
    fn end(self) {
        self.waiting.into_values().for_each(|answered| answered(DeskAnswer::no_desk()));
    }

    /// What the servers say of agents counts, whatever came of single reports. Servers that have just come are told of teams.
    async fn look_who_is_connected(&mut self) {
        let mut connected = self.chat.hub.users();
        connected.extend(self.chat.bus.agents().borrow().iter().cloned());
        for user in self.desk.connected_agents() {
            if !connected.remove(&user) {
                self.happened(Event::AgentVanished { user }).await;
            }
        }
        for user in connected {
            self.connected(user).await;
        }
        for (team, now) in self.chat.presence.all() {
            self.chat.signal(&Signal::Presence { team, now });
        }
    }

    async fn connected(&mut self, user: UserId) {
        // of a person whom the directory here does not have yet the next look will know
        let Some(agent) = self.chat.agent(&user) else { return };
        let state = self.chat.statuses.of(&user);
        let (name, teams) = (agent.name.clone(), agent.teams.clone());
        self.happened(Event::AgentConnected { user, name, teams, capacity: None, state }).await;
    }

    async fn requested(&mut self, request: DeskRequest, answered: Answered) {
        let answer = match request {
            DeskRequest::Connected { user } => {
                self.connected(user).await;
                DeskAnswer::Done
            }
            DeskRequest::Vanished { user } => {
                // the agent's next socket may have connected before the last one's end was noticed
                if !self.chat.is_connected(&user) {
                    self.happened(Event::AgentVanished { user }).await;
                }
                DeskAnswer::Done
            }
            DeskRequest::Decline { conv, user } => {
                self.happened(Event::Decline { conv, user }).await;
                DeskAnswer::Done
            }
            DeskRequest::Status { user, state } => {
                self.chat.statuses.keep(&user, state, None).await;
                self.chat.signal(&Signal::Status { user: user.clone(), state });
                self.happened(Event::AgentState { user, state }).await;
                DeskAnswer::Done
            }
            DeskRequest::Accept { conv, user } => return self.accepted(conv, user, answered).await,
            DeskRequest::Colleagues { teams } => DeskAnswer::Colleagues(self.desk.agents(&teams)),
            DeskRequest::Offers { user } => DeskAnswer::Offers(self.desk.offers(&user)),
            DeskRequest::Position { conv } => DeskAnswer::Position(self.desk.position(conv)),
            DeskRequest::Snapshot => DeskAnswer::Snapshot(self.desk.snapshot(self.chat.now_ms())),
            DeskRequest::Queues => DeskAnswer::Queues(self.desk.queues(QUEUE_SHOWN)),
            DeskRequest::Explain { conv } => DeskAnswer::Explain(self.desk.explain(conv)),
        };
        answered(answer);
    }

    async fn accepted(&mut self, conv: ConvId, user: UserId, answered: Answered) {
        self.waiting.insert((conv, user.clone()), answered);
        self.happened(Event::Accept { conv, user: user.clone() }).await;
        if !self.chat.bus.decides() {
            if let Some(answered) = self.waiting.remove(&(conv, user)) {
                answered(DeskAnswer::no_desk());
            }
            return;
        }
        // nothing was decided: too late, or the agent has it already and asks again, not having heard the answer
        if let Some(answered) = self.waiting.remove(&(conv, user.clone())) {
            let now = self.chat.cache.get(conv).await;
            let theirs = matches!(now, Ok(Some(c)) if c.lock().row.owner == Owner::Agent(user));
            let late = || RequestError::new(ErrorCode::TooLate, "this offer has expired");
            answered(if theirs { DeskAnswer::Done } else { late().into() });
        }
    }

    async fn happened(&mut self, event: Event) {
        if let Event::AgentRemoved { user } = &event {
            self.chat.statuses.forget(user).await;
        }
        for decision in self.desk.apply(event, self.clock.now_ms()) {
            match decision {
                Decision::AgentsChanged { team } => self.roster.changed(team),
                Decision::Presence { team, now } => {
                    self.chat.presence.set(team.clone(), now);
                    self.chat.signal(&Signal::Presence { team: team.clone(), now });
                    self.telling.changed(team);
                }
                // what was written before took long, or this server was frozen: the next leader decides
                Decision::Assign { .. } | Decision::Requeue { .. } | Decision::StateChanged { .. }
                    if !self.chat.bus.decides() => {}
                other => self.chat.carry_out(other, &mut self.waiting).await,
            }
        }
    }
}

/// How long the desk sleeps when nothing is due.
const IDLE: Duration = Duration::from_hours(1);

/// Of a queue, so many conversations are named: more than anybody is told of at once.
const QUEUE_SHOWN: usize = 1_000;

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
                if let Some(answered) = waiting.remove(&(conv, user)) {
                    answered(outcome.into());
                }
            }
            Decision::Requeue { conv, user } => self.requeue(conv, &user).await,
            Decision::Position { conv, position } => {
                self.tell(&Topic::Conv(conv), Audience::Visitors, &ServerFrame::Queue { conv, position });
            }
            Decision::StateChanged { user, state } => {
                self.statuses.keep(&user, state, Some(StatusWhy::Missed)).await;
                self.signal(&Signal::Status { user, state });
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
                batch.ops.push(append(conversation, &Record::Owner { owner, team, why: OwnerWhy::Lost, by: None }));
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
            _ => self.desk.fact(Event::Closed { conv }),
        }
    }

    /// Sends a newly opened page the open offers of its agent, and the agent's colleagues.
    pub(super) fn show_desk(&self, conn: &Conn, user: &UserId, teams: &[TeamId]) {
        let (hub, id) = (self.hub.clone(), conn.id);
        self.desk.request(DeskRequest::Colleagues { teams: teams.to_vec() }, move |answer| {
            if let DeskAnswer::Colleagues(list) = answer {
                hub.send(id, super::text(&ServerFrame::Agents { list }));
            }
        });
        let hub = self.hub.clone();
        self.desk.request(DeskRequest::Offers { user: user.clone() }, move |answer| {
            let DeskAnswer::Offers(offers) = answer else { return };
            for (conv, until) in offers {
                hub.send(id, super::text(&ServerFrame::Offer { conv, until, auto: false }));
            }
        });
    }

    /// The desk at a glance.
    pub async fn desk_snapshot(&self) -> Option<desk::DeskSnapshot> {
        match self.desk.ask(DeskRequest::Snapshot).await {
            Some(DeskAnswer::Snapshot(snapshot)) => Some(snapshot),
            _ => None,
        }
    }

    /// What waits in the queues; none: the desk does not answer.
    pub async fn queues(&self) -> Option<Vec<desk::QueueView>> {
        match self.desk.ask(DeskRequest::Queues).await {
            Some(DeskAnswer::Queues(queues)) => Some(queues),
            _ => None,
        }
    }

    /// Why a conversation has no agent.
    pub async fn explain(&self, conv: ConvId) -> Vec<desk::Reason> {
        let conversation = self.cache.get(conv).await;
        if matches!(conversation, Ok(Some(conversation)) if conversation.lock().row.empty.is_some()) {
            return vec![desk::Reason::Empty];
        }
        match self.desk.ask(DeskRequest::Explain { conv }).await {
            Some(DeskAnswer::Explain(reasons)) => reasons,
            _ => Vec::new(),
        }
    }
}
