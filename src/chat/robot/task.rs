//! The robot's task: takes conversations from its queue, a limited number at once and each by one turn at a time.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use tokio::{
    sync::watch,
    task::{Id, JoinSet},
};

use super::{
    Mind,
    threads::Threads,
    turn::{Hands, turn},
};
use crate::{
    bot::HandOverWhy,
    chat::Chat,
    proto::{ConvId, Owner},
};

/// Turns at once. More than threads: some wait for the disk.
const AT_ONCE: usize = 32;
/// Threads that compute. More than one, so that a model can take several questions in one step.
const THREADS: usize = 8;

/// Runs as long as the chat. Without a mind every conversation that is the robot's goes to people.
pub async fn run(chat: Arc<Chat>, mind: Option<Arc<dyn Mind>>) {
    let Some(mut inbox) = chat.robot.inbox.lock().take() else { return };
    let started = Threads::start(THREADS).and_then(|think| Ok(Hands { think, leave: Threads::start(1)? }));
    let hands = match started {
        Ok(hands) => Arc::new(hands),
        Err(e) => return tracing::error!(error = %e, "the robot can't start its threads"),
    };
    wake(&chat, mind.as_ref());
    let mut directory = chat.org.watch();
    let mut keys = chat.org.robot().map_or_else(|| watch::channel(()).1, |r| r.watch());
    let mut rota =
        Rota { chat: chat.clone(), mind, hands, running: JoinSet::new(), busy: HashMap::new(), ids: HashMap::new() };
    let mut waiting: VecDeque<ConvId> = chat.robots().into();
    loop {
        // who writes now comes before those who may have nothing to ask
        while rota.running.len() < AT_ONCE
            && let Some(conv) = inbox.try_recv().ok().or_else(|| waiting.pop_front())
        {
            rota.look(conv, None);
        }
        tokio::select! {
            Some(conv) = inbox.recv(), if rota.running.len() < AT_ONCE => rota.look(conv, None),
            Some(done) = rota.running.join_next_with_id() => rota.done(done.map_or_else(|e| e.id(), |(id, ())| id)),
            () = chat.robot.crowded.notified() => {
                for conv in std::mem::take(&mut *chat.robot.crowd.lock()) {
                    rota.look(conv, Some(HandOverWhy::Busy));
                }
            }
            // a site may have lost its robot, or the robot its keys
            Ok(()) = directory.changed() => {
                wake(&chat, rota.mind.as_ref());
                waiting = chat.robots().into();
            }
            Ok(()) = keys.changed() => {
                if let Some(robot) = chat.org.robot() {
                    chat.robot.talks.retain_days(|kid| robot.day(kid).is_some());
                }
                waiting = chat.robots().into();
            }
        }
    }
}

/// Gets the mind ready if it will be asked.
fn wake(chat: &Chat, mind: Option<&Arc<dyn Mind>>) {
    let directory = chat.org.directory();
    if let Some(mind) = mind.filter(|_| directory.state().sites.values().any(|s| s.on && s.bot.is_some())) {
        let mind = mind.clone();
        tokio::task::spawn_blocking(move || mind.wake());
    }
}

/// Who is at work.
struct Rota {
    chat: Arc<Chat>,
    mind: Option<Arc<dyn Mind>>,
    hands: Arc<Hands>,
    running: JoinSet<()>,
    /// What to do when the running turn ends: nothing, look again, or hand over.
    busy: HashMap<ConvId, Option<Option<HandOverWhy>>>,
    ids: HashMap<Id, ConvId>,
}

impl Rota {
    fn look(&mut self, conv: ConvId, go: Option<HandOverWhy>) {
        if let Some(next) = self.busy.get_mut(&conv) {
            *next = Some(next.flatten().or(go));
            return;
        }
        self.busy.insert(conv, None);
        let work = turn(self.chat.clone(), self.mind.clone(), self.hands.clone(), conv, go);
        let id = self.running.spawn(work).id();
        self.ids.insert(id, conv);
    }

    fn done(&mut self, id: Id) {
        let Some(conv) = self.ids.remove(&id) else { return };
        if let Some(Some(go)) = self.busy.remove(&conv) {
            self.look(conv, go);
        }
    }
}

impl Chat {
    /// Open conversations that are the robot's.
    pub(in crate::chat) fn robots(&self) -> Vec<ConvId> {
        let mine = |conv: &ConvId| matches!(self.cell(*conv), Ok(Some(cell)) if cell.lock().row.owner == Owner::Robot);
        self.cells.open().into_iter().filter(mine).collect()
    }
}
