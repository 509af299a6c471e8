//! One turn: read, decide, seal, post; and what to do when one of these does not typing.

use std::{sync::Arc, time::Duration};

use super::{
    Robot,
    read::{ReadError, Reading},
    reply::SealedReply,
    typing::TypingNotifier,
    worker_pool::{NoAnswer, WorkerPool},
};
use crate::{
    chat::{Posted, RequestError},
    proto::{ConvId, ErrorCode, Presence},
    robot::{
        keys::Identity,
        policy::{Decision, Dialogue, HandOverWhy, People, TurnInput, Why},
    },
};

/// How often a turn begins again because the conversation moved on.
const RESTARTS: usize = 4;
/// How often it is tried to store something.
const STORE_TRIES: usize = 5;
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest a visitor waits for it before people take over.
const LONGEST: Duration = Duration::from_secs(20);

/// Threads for turns.
pub(super) struct WorkerPools {
    /// For those who think.
    pub think: WorkerPool,
    /// For those who leave: they must not wait for those who think.
    pub leave: WorkerPool,
}

/// What comes of looking at a conversation.
enum Next {
    /// There is nothing to answer.
    Rest,
    /// Post this reply.
    Post(SealedReply),
    /// Leave without a reply.
    Leave(&'static str),
}

/// Looks at a conversation and does what is to be done. `forced`: hand over in any case, for this reason.
pub(super) async fn turn(robot: Arc<Robot>, pools: Arc<WorkerPools>, conv: ConvId, mut forced: Option<HandOverWhy>) {
    let typing = TypingNotifier::new(robot.chat.clone(), conv);
    let mut again = false;
    for _ in 0..RESTARTS {
        let pool = if forced.is_some() { &pools.leave } else { &pools.think };
        let begin = typing.begin();
        let next = match typing.during(robot.think(pool, conv, Look { forced, again }, &begin)).await {
            Ok(next) => next,
            Err(NoAnswer::Failed) if forced.is_none() => {
                tracing::error!(%conv, "the robot failed on a message; people take over");
                forced = Some(HandOverWhy::Error);
                continue;
            }
            Err(NoAnswer::Late) if forced.is_none() => {
                tracing::warn!(%conv, "the robot took too long for a message; people take over");
                forced = Some(HandOverWhy::Busy);
                continue;
            }
            Err(_) => Next::Leave("it failed"),
        };
        let refusal = match typing.during(robot.carry_out(conv, &next)).await {
            Ok(Posted::Now) => return,
            Ok(Posted::Before) => {
                tracing::debug!(%conv, "a question was answered before; the robot reads the conversation again");
                robot.handle.sessions.keep(conv, None);
                again = true;
                continue;
            }
            Err(refusal) => refusal,
        };
        match refusal.code {
            ErrorCode::EpochStale => {}
            ErrorCode::DirectoryStale => {
                let leave = Next::Leave("its team has a new key");
                if let Err(e) = robot.carry_out(conv, &leave).await {
                    tracing::warn!(%conv, error = %e, "the robot could not leave a conversation");
                }
                return;
            }
            code => {
                robot.handle.sessions.keep(conv, None);
                if code != ErrorCode::NotOwner {
                    tracing::warn!(%conv, error = %refusal, "the robot could not answer");
                }
                return;
            }
        }
    }
}

/// How to look at a conversation.
#[derive(Clone, Copy)]
struct Look {
    /// Hand over in any case, for this reason.
    forced: Option<HandOverWhy>,
    /// More is stored than the feed has said yet.
    again: bool,
}

impl Robot {
    /// Writes the decision; repeats it unchanged while the store's error allows it.
    async fn carry_out(&self, conv: ConvId, next: &Next) -> Result<Posted, RequestError> {
        if let Next::Leave(why) = next {
            tracing::warn!(%conv, why, "the robot leaves a conversation without a word");
        }
        let (mut tries, mut resent) = (0, false);
        loop {
            let outcome = match next {
                Next::Rest => return Ok(Posted::Now),
                Next::Post(reply) => self.chat.robot_posts(conv, &reply.post).await,
                Next::Leave(_) => self.chat.robot_leaves(conv).await.map(|()| Posted::Now),
            };
            let refusal = match outcome {
                Ok(Posted::Now) => {
                    self.posted(conv, next);
                    return Ok(Posted::Now);
                }
                // alone, it is stored by a try whose answer was lost
                Ok(Posted::Before) if resent && !self.chat.is_shared() => {
                    tracing::debug!(%conv, "the answer was stored already");
                    self.posted(conv, next);
                    return Ok(Posted::Now);
                }
                Ok(Posted::Before) => return Ok(Posted::Before),
                Err(e) => e,
            };
            tries += 1;
            match refusal.code {
                ErrorCode::Storage if tries < STORE_TRIES => {
                    resent = true;
                    tokio::time::sleep(PAUSE).await;
                }
                ErrorCode::Conflict if tries < STORE_TRIES => {}
                _ => return Err(refusal),
            }
        }
    }
}

impl Robot {
    /// Reads, opens and decides. What computes runs in `pool`.
    async fn think(
        self: &Arc<Self>,
        pool: &WorkerPool,
        conv: ConvId,
        Look { forced, again }: Look,
        begin: &(impl Fn() + Sync),
    ) -> Result<Next, NoAnswer> {
        // before it is read: nothing that comes after that is missed
        let Ok(Some(pin)) = self.chat.pin(conv).await else { return Ok(Next::Rest) };
        let now = if again { self.chat.stored_snapshot(conv).await } else { self.chat.snapshot(conv).await };
        let Ok(Some(now)) = now else { return Ok(Next::Rest) };
        if !self.handle.is_mine(&now.row) || !self.chat.is_robots(conv, now.row.epoch).await {
            return Ok(Next::Rest);
        }
        let Some(keys) = self.keys.clone() else { return Ok(Next::Leave("there are no robot keys here")) };
        // of a conversation that was moved here the row doesn't say whose it is; the server with the desk hands over what is nobody's
        let unknown = self.chat.is_shared() && now.row.day_key().is_none();
        let Some(me) = keys.member(&self.chat.org().directory(), &now.row.site) else {
            return Ok(match unknown {
                true => Next::Rest,
                false => Next::Leave("the site has no robot any more, or its key is not on this machine"),
            });
        };
        let sealed = match self.read(conv, now, me.key.kid()).await {
            Ok(sealed) => sealed,
            Err(e) => {
                tracing::error!(%conv, error = %e, "the robot can't read the database");
                return Ok(Next::Leave("the database can't be read"));
            }
        };
        let opener = me.clone();
        let reading = match pool.run(LONGEST, move || sealed.open(&keys, &opener.key)).await? {
            Ok(reading) => reading,
            Err(ReadError::Key) if unknown => return Ok(Next::Rest),
            Err(ReadError::Key) => return Ok(Next::Leave("the day key it was sealed to no longer exists")),
            Err(e) => {
                tracing::warn!(%conv, error = %e, "the robot can't read a message");
                return Ok(Next::Leave("a message cannot be read"));
            }
        };
        // in the map first, then checked: a concurrent end of the epoch either removes it there or is seen here
        self.handle.sessions.put(conv, reading.session.clone());
        if self.chat.is_shared() {
            self.handle.keep_pinned(conv, pin);
        }
        if !self.chat.is_robots(conv, reading.session.epoch).await {
            self.handle.sessions.keep(conv, None);
            return Ok(Next::Rest);
        }
        if !reading.text.is_empty() {
            begin();
        }
        let robot = self.clone();
        pool.run(LONGEST, move || robot.answer(conv, &reading, &me, forced)).await
    }

    fn answer(&self, conv: ConvId, reading: &Reading, me: &Identity, forced: Option<HandOverWhy>) -> Next {
        let decision = match (forced, &self.engine) {
            (Some(why), _) => Decision::hand_over(why, Why::Stopped),
            (None, None) => {
                tracing::warn!(%conv, "there is no language model, so the robot hands over; kefu robot off ends this");
                Decision::hand_over(HandOverWhy::Error, Why::NoModel)
            }
            (None, Some(_)) if reading.unsupported => Decision::hand_over(HandOverWhy::Unsure, Why::Unsupported),
            (None, Some(_)) if reading.text.is_empty() => {
                self.handle.sessions.update(conv, reading.session.epoch, |t| t.done = reading.upto);
                return Next::Rest;
            }
            (None, Some(engine)) => {
                let people = match self.chat.team_presence(&reading.row.team) {
                    Presence::Open => People::Here,
                    Presence::Busy => People::Busy,
                    Presence::Away => People::Away,
                };
                let dialogue = Dialogue { people, ..reading.session.dialogue };
                let (text, site) = (reading.text.as_str(), reading.row.site.as_str());
                engine.decide(&TurnInput { text, site, now_ms: self.chat.now_ms(), zh: reading.session.zh, dialogue })
            }
        };
        match SealedReply::seal(conv, reading, &decision, &me.key, self.chat.now_ms()) {
            Ok(reply) if reply.post.envelopes.is_empty() && !reply.post.leaves => {
                self.posted(conv, &Next::Post(reply));
                Next::Rest
            }
            Ok(reply) => Next::Post(reply),
            Err(e) => {
                tracing::error!(%conv, error = %e, "the robot can't seal its answer");
                Next::Leave("its answer can't be sealed")
            }
        }
    }

    /// This is on disk, or there was nothing in it to store.
    fn posted(&self, conv: ConvId, next: &Next) {
        let Next::Post(reply) = next else { return };
        self.handle.sessions.update(conv, reply.post.epoch, |t| {
            t.done = t.done.max(reply.upto);
            t.ctr += u32::try_from(reply.post.envelopes.len()).unwrap_or(0);
            t.answered = reply.answered.unwrap_or(t.answered);
            t.dialogue = reply.dialogue;
        });
    }
}
