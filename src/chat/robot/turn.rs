//! One turn: read, decide, seal, post; and what to do when one of these does not work.

use std::{sync::Arc, time::Duration};

use super::{
    Mind, Turn,
    read::{Page, ReadError},
    say::{Draft, hand_over},
    threads::{NoAnswer, Threads},
    work::Work,
};
use crate::{
    bot::{Decision, Dialogue, HandOverWhy, People, Why},
    chat::{Chat, Refusal},
    org::robot::Identity,
    proto::{ConvId, ErrorCode, Presence},
};

/// How often a turn begins again because the conversation moved on.
const ANEW: usize = 4;
/// How often it is tried to store something.
const STORE: usize = 5;
/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);
/// The longest a visitor waits for it before people take over.
const PATIENCE: Duration = Duration::from_secs(20);

/// Threads for a turn.
pub(super) struct Hands {
    /// For those who think.
    pub think: Threads,
    /// For those who leave: they must not wait for those who think.
    pub leave: Threads,
}

/// What comes of looking at a conversation.
enum Next {
    /// Nothing to do.
    Rest,
    /// Say this.
    Post(Draft),
    /// Go, and nothing can be said.
    Leave(&'static str),
}

/// Looks at a conversation and does what is to be done. `go`: hand over in any case, for this reason.
pub(super) async fn turn(
    chat: Arc<Chat>,
    mind: Option<Arc<dyn Mind>>,
    hands: Arc<Hands>,
    conv: ConvId,
    mut go: Option<HandOverWhy>,
) {
    let work = Work::new(chat.clone(), conv);
    for _ in 0..ANEW {
        let (c, m, begin) = (chat.clone(), mind.clone(), work.begin());
        let threads = if go.is_some() { &hands.leave } else { &hands.think };
        let thinking = threads.run(PATIENCE, move || c.think(conv, m.as_deref(), go, &begin));
        let next = match work.during(thinking).await {
            Ok(next) => next,
            Err(NoAnswer::Failed) if go.is_none() => {
                tracing::error!(%conv, "the robot failed on a message; people take over");
                go = Some(HandOverWhy::Error);
                continue;
            }
            Err(NoAnswer::Late) if go.is_none() => {
                tracing::warn!(%conv, "the robot took too long for a message; people take over");
                go = Some(HandOverWhy::Busy);
                continue;
            }
            Err(_) => Next::Leave("it failed"),
        };
        let refusal = match work.during(chat.robot_does(conv, &next)).await {
            Ok(()) => return,
            Err(refusal) => refusal,
        };
        match refusal.code {
            ErrorCode::EpochStale => {}
            ErrorCode::DirectoryStale => {
                let leave = Next::Leave("its team has a new key");
                if let Err(e) = chat.robot_does(conv, &leave).await {
                    tracing::warn!(%conv, error = %e, "the robot could not leave a conversation");
                }
                return;
            }
            code => {
                chat.robot.talks.keep(conv, None);
                if code != ErrorCode::NotOwner {
                    tracing::warn!(%conv, error = %refusal, "the robot could not answer");
                }
                return;
            }
        }
    }
}

impl Chat {
    /// Writes what was decided, again and unchanged while the store says it may help.
    async fn robot_does(&self, conv: ConvId, next: &Next) -> Result<(), Refusal> {
        if let Next::Leave(why) = next {
            tracing::warn!(%conv, why, "the robot leaves a conversation without a word");
        }
        let (mut tries, mut resent) = (0, false);
        loop {
            let outcome = match next {
                Next::Rest => return Ok(()),
                Next::Post(draft) => self.robot_posts(conv, draft).await,
                Next::Leave(_) => self.robot_leaves(conv).await,
            };
            let refusal = match (outcome, next) {
                (Ok(()), _) => {
                    self.robot_said(conv, next);
                    return Ok(());
                }
                // stored by a try whose answer was lost
                (Err(e), Next::Post(_)) if resent && e.code == ErrorCode::Conflict => {
                    tracing::debug!(%conv, error = %e, "the answer was stored already");
                    self.robot_said(conv, next);
                    return Ok(());
                }
                (Err(e), _) => e,
            };
            tries += 1;
            match refusal.code {
                ErrorCode::Storage if tries < STORE => {
                    resent = true;
                    tokio::time::sleep(PAUSE).await;
                }
                ErrorCode::Conflict if tries < STORE => {}
                _ => return Err(refusal),
            }
        }
    }
}

impl Chat {
    fn think(&self, conv: ConvId, mind: Option<&dyn Mind>, go: Option<HandOverWhy>, begin: &dyn Fn()) -> Next {
        let Ok(Some(cell)) = self.cell(conv) else { return Next::Rest };
        let (site, epoch) = {
            let row = &cell.lock().row;
            (row.site.clone(), row.epoch)
        };
        if !self.is_robots(conv, epoch) {
            return Next::Rest;
        }
        let Some(robot) = self.org.robot() else { return Next::Leave("there are no robot keys here") };
        let Some(me) = robot.member(&self.org.directory(), &site) else {
            return Next::Leave("the site has no robot any more, or its key is not here");
        };
        let page = match self.robot_reads(conv, robot, &me.key) {
            Ok(Some(page)) => page,
            Ok(None) => return Next::Rest,
            Err(ReadError::Key) => return Next::Leave("the day key it was sealed to is gone"),
            Err(e @ ReadError::Message(_)) => {
                tracing::warn!(%conv, error = %e, "the robot can't read a message");
                return Next::Leave("a message can't be read");
            }
            Err(e @ ReadError::Store(_)) => {
                tracing::error!(%conv, error = %e, "the robot can't read the database");
                return Next::Leave("the database can't be read");
            }
        };
        // in the map first, then checked: whoever ended the epoch meanwhile either removes it there or is seen here
        self.robot.talks.put(conv, page.talk.clone());
        if !self.is_robots(conv, page.talk.epoch) {
            self.robot.talks.keep(conv, None);
            return Next::Rest;
        }
        if !page.text.is_empty() {
            begin();
        }
        self.answer(conv, &page, &me, mind, go)
    }

    fn answer(
        &self,
        conv: ConvId,
        page: &Page,
        me: &Identity,
        mind: Option<&dyn Mind>,
        go: Option<HandOverWhy>,
    ) -> Next {
        let decision: Decision = match (go, mind) {
            (Some(why), _) => hand_over(why, Why::Stopped),
            (None, None) => {
                tracing::warn!(%conv, "no language model is here, so the robot hands over; kefu robot off ends this");
                hand_over(HandOverWhy::Error, Why::NoModel)
            }
            (None, Some(_)) if page.strange => hand_over(HandOverWhy::Unsure, Why::Strange),
            (None, Some(_)) if page.text.is_empty() => {
                self.robot.talks.update(conv, page.talk.epoch, |t| t.done = page.upto);
                return Next::Rest;
            }
            (None, Some(mind)) => {
                let people = match self.presence.of(&page.row.team).state {
                    Presence::Open => People::Here,
                    Presence::Busy => People::Busy,
                    Presence::Away => People::Away,
                };
                let dialogue = Dialogue { people, ..page.talk.dialogue };
                let (site, text) = (page.row.site.clone(), page.text.clone());
                mind.decide(&Turn { site, text, dialogue, zh: page.talk.zh })
            }
        };
        match Draft::seal(conv, page, &decision, &me.key) {
            Ok(draft) if draft.envelopes.is_empty() && !draft.leaves => {
                self.robot_said(conv, &Next::Post(draft));
                Next::Rest
            }
            Ok(draft) => Next::Post(draft),
            Err(e) => {
                tracing::error!(%conv, error = %e, "the robot can't seal its answer");
                Next::Leave("its answer can't be sealed")
            }
        }
    }

    /// This is on disk, or there was nothing in it to store.
    fn robot_said(&self, conv: ConvId, next: &Next) {
        let Next::Post(draft) = next else { return };
        self.robot.talks.update(conv, draft.epoch, |t| {
            t.done = t.done.max(draft.upto);
            t.ctr += u32::try_from(draft.envelopes.len()).unwrap_or(0);
            t.dialogue = draft.dialogue;
        });
    }
}
