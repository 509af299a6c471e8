//! Tells other servers what this one wrote, when it is safe: one task a shard, so that what it says stays in order.
//!
//! What can't be told is said again, for a while, and then dropped: those who follow find it by the numbers of the next record, or
//! when they look for it. Hearing it twice is no harm.

use std::{collections::HashMap, sync::Arc, time::Duration};

use kefu_redis_link::{Backoff, Channels, Cmd, Connection, Error, Handshake, Pipeline, cmd};
use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};

use super::{
    Shared,
    event::{Event, RowChange},
    keys::lane_of,
};

/// For so long something is said again.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages in one write.
const GROUP: usize = 1_024;

/// A channel and what is said there.
type Message = (Vec<u8>, Vec<u8>);

/// Ways to the publishers.
#[derive(Debug, Default)]
pub(super) struct Publishers {
    shards: Mutex<HashMap<usize, mpsc::UnboundedSender<Message>>>,
    tasks: Mutex<JoinSet<()>>,
}

impl Publishers {
    /// Nothing more is said.
    pub fn abandon(&self) {
        self.shards.lock().clear();
        self.tasks.lock().abort_all();
    }

    /// No more comes; waits until all is said.
    pub async fn close(&self) {
        self.shards.lock().clear();
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        while tasks.join_next().await.is_some() {}
    }
}

impl Shared {
    /// What others must know of a commit.
    pub(super) fn messages(&self, event: &Event, change: u64) -> (usize, Vec<Message>) {
        let lane = lane_of(event.conv);
        let mut messages = vec![(self.keys.commits(event.conv), event.encode(self.node))];
        if change > 0 {
            let row = event.row.clone().unwrap_or_default();
            let told = RowChange { node: self.node, number: change, conv: event.conv, rev: event.revs.1, row };
            messages.push((self.keys.rows(lane), told.encode()));
        }
        (self.shard(self.slot(lane)).unwrap_or(0), messages)
    }

    /// Publishes through a shard's task.
    pub(super) fn publish(self: &Arc<Self>, shard: usize, messages: Vec<Message>) {
        let mut shards = self.publishers.shards.lock();
        let sender = shards.entry(shard).or_insert_with(|| {
            let (sender, receiver) = mpsc::unbounded_channel();
            self.publishers.tasks.lock().spawn(run(self.clone(), shard, receiver));
            sender
        });
        for message in messages {
            // an error means that the runtime ends
            drop(sender.send(message));
        }
    }
}

async fn run(shared: Arc<Shared>, shard: usize, mut messages: mpsc::UnboundedReceiver<Message>) {
    let (mut connection, mut group) = (None, Vec::new());
    while messages.recv_many(&mut group, GROUP).await > 0 {
        let pipeline: Pipeline = group.drain(..).map(|(channel, message)| call(&channel, &message)).collect();
        let (until, mut backoff) = (Instant::now() + PATIENCE, Backoff::default());
        while say(&shared, shard, &mut connection, &pipeline).await.is_err() {
            if Instant::now() > until || shared.queues.is_closed() {
                break;
            }
            shared.link.refresh();
            backoff.wait().await;
        }
    }
}

async fn say(
    shared: &Shared,
    shard: usize,
    connection: &mut Option<Connection>,
    pipeline: &Pipeline,
) -> Result<(), Error> {
    let open = match connection.take().filter(Connection::is_open) {
        Some(open) => open,
        None => shared.link.open(shard, &Handshake::primary("kefu-publisher")).await?,
    };
    // errors of single messages are those of a slot that has moved: whoever follows there looks
    open.pipeline(pipeline).await?;
    *connection = Some(open);
    Ok(())
}

fn call(channel: &[u8], message: &[u8]) -> Cmd {
    debug_assert_eq!(CHANNELS, Channels::Sharded);
    let mut call = cmd("SPUBLISH");
    call.arg(channel).arg(message);
    call
}

/// Which kind of channels all are.
pub(super) const CHANNELS: Channels = Channels::Sharded;
