//! The robot's task: takes conversations from its queue, a limited number at once and each by one turn at a time.

use std::{collections::HashMap, sync::Arc};

use tokio::{
    sync::watch,
    task::{Id, JoinSet},
};

use super::{
    Robot,
    turn::{WorkerPools, turn},
    worker_pool::WorkerPool,
};
use crate::{proto::ConvId, robot::policy::HandOverWhy};

/// Turns at once. More than threads: some wait for the disk.
const AT_ONCE: usize = 32;
/// WorkerPool that compute. More than one, so that a model can take several questions in one step.
const THREADS: usize = 8;

/// Runs as long as the chat.
pub async fn run(robot: Robot) {
    let robot = Arc::new(robot);
    let (chat, handle) = (&robot.chat, &robot.handle);
    let Some(mut inbox) = handle.take_inbox() else { return };
    let started = WorkerPool::start(THREADS).and_then(|think| Ok(WorkerPools { think, leave: WorkerPool::start(1)? }));
    let pools = match started {
        Ok(pools) => Arc::new(pools),
        Err(e) => return tracing::error!(error = %e, "the robot cannot start its threads"),
    };
    warm_up(&robot);
    let mut directory = chat.org().watch();
    let mut keys = robot.keys.as_ref().map_or_else(|| watch::channel(()).1, |keys| keys.watch());
    let mut turns = TurnScheduler {
        robot: robot.clone(),
        pools,
        running: JoinSet::new(),
        busy: HashMap::new(),
        ids: HashMap::new(),
    };
    let mut waiting = handle.robots(chat);
    loop {
        // who writes now comes before those who may have nothing to ask
        while turns.running.len() < AT_ONCE
            && let Some(conv) = inbox.try_recv().ok().or_else(|| waiting.pop_front())
        {
            turns.look(conv, None);
        }
        tokio::select! {
            Some(conv) = inbox.recv(), if turns.running.len() < AT_ONCE => turns.look(conv, None),
            Some(done) = turns.running.join_next_with_id() => turns.done(done.map_or_else(|e| e.id(), |(id, ())| id)),
            overflow = handle.overflow() => {
                for conv in overflow {
                    turns.look(conv, Some(HandOverWhy::Busy));
                }
            }
            // a site may have lost its robot, or the robot its keys
            Ok(()) = directory.changed() => {
                warm_up(&robot);
                waiting = handle.robots(chat);
            }
            Ok(()) = keys.changed() => {
                if let Some(keys) = &robot.keys {
                    handle.sessions.retain_days(|kid| keys.day(kid).is_some());
                }
                chat.day_keys_changed();
                waiting = handle.robots(chat);
            }
        }
    }
}

/// Gets the engine ready if it will be asked.
fn warm_up(robot: &Robot) {
    let directory = robot.chat.org().directory();
    if let Some(engine) = &robot.engine
        && directory.state().sites.values().any(|s| s.on && s.bot.is_some())
    {
        let engine = engine.clone();
        tokio::task::spawn_blocking(move || engine.warm_up());
    }
}

/// The turns that run, one for a conversation.
struct TurnScheduler {
    robot: Arc<Robot>,
    pools: Arc<WorkerPools>,
    running: JoinSet<()>,
    /// What to do when the running turn ends: nothing, look again, or hand over.
    busy: HashMap<ConvId, Option<Option<HandOverWhy>>>,
    ids: HashMap<Id, ConvId>,
}

impl TurnScheduler {
    fn look(&mut self, conv: ConvId, forced: Option<HandOverWhy>) {
        if let Some(next) = self.busy.get_mut(&conv) {
            *next = Some(next.flatten().or(forced));
            return;
        }
        self.busy.insert(conv, None);
        let work = turn(self.robot.clone(), self.pools.clone(), conv, forced);
        let id = self.running.spawn(work).id();
        self.ids.insert(id, conv);
    }

    fn done(&mut self, id: Id) {
        let Some(conv) = self.ids.remove(&id) else { return };
        if let Some(Some(forced)) = self.busy.remove(&conv) {
            self.look(conv, forced);
        }
    }
}
