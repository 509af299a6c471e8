//! Subscriptions: to the conversations that are followed, and to the changes of rows in all lanes. One task a shard, with a
//! connection of its own; whenever that is a new one, everything that was followed is looked at.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use futures_util::future::Either;
use kefu_proto::ConvId;
use kefu_redis_link::{Backoff, Error, Handshake, Push, Pushes, Subscriber, cmd};
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, oneshot},
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    Shared,
    event::{Event, RowChange},
    fill::Check,
    keys::{Lane, lane_of},
    publish::CHANNELS,
    value::number,
};
use crate::{Head, Outcome, StoreError};

/// Between two questions whether the server is there.
const PROBE: Duration = Duration::from_secs(10);
/// A caller who wants to follow waits so long.
const PATIENCE: Duration = Duration::from_secs(5);
/// Subscriptions in one write.
const GROUP: usize = 1_000;

/// What a shard's task is asked for.
#[derive(Debug)]
pub(super) enum Ask {
    Follow(ConvId, oneshot::Sender<()>),
    Unfollow(ConvId),
}

/// Ways to the tasks.
#[derive(Debug, Default)]
pub(super) struct Followers(pub Mutex<HashMap<usize, mpsc::UnboundedSender<Ask>>>);

/// Takes back what was begun and not finished.
struct Unfinished<'a>(&'a Shared, ConvId);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.0.out.standing(self.1).is_none() {
            self.0.out.unfollow(self.1);
        }
    }
}

impl Shared {
    /// From now on every commit of this conversation reaches the feed. Its head as of then.
    pub(super) async fn follow(self: &Arc<Self>, conv: ConvId) -> Result<Option<Head>, StoreError> {
        let _unfinished = Unfinished(self, conv);
        if self.out.standing(conv).is_none() {
            self.out.follow(conv);
            let (tx, begun) = oneshot::channel();
            self.to_subscriber(conv, Ask::Follow(conv, tx));
            match timeout(PATIENCE, begun).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Err(StoreError::Closed),
                Err(_) => return Err(StoreError::Reopening),
            }
        }
        let now = self.end_of(conv).await?;
        self.check(self.out.begin(conv, &now));
        Ok(now.head)
    }

    /// Ends that.
    pub(super) fn unfollow(&self, conv: ConvId) {
        self.out.unfollow(conv);
        self.to_subscriber(conv, Ask::Unfollow(conv));
    }

    fn to_subscriber(&self, conv: ConvId, ask: Ask) {
        let shard = self.shard(self.slot(lane_of(conv))).unwrap_or(0);
        if let Some(task) = self.followers.0.lock().get(&shard) {
            // an error means that the store has ended
            drop(task.send(ask));
        }
    }

    fn heard(&self, channel: &[u8], payload: &[u8]) {
        let Some(end) = channel.iter().position(|byte| *byte == b'}') else { return };
        match &channel[end + 1..] {
            b"r" => {
                let Some(change) = RowChange::decode(payload) else { return };
                self.rows.heard(lane_of(change.conv), change.number);
                if change.node != self.node {
                    let RowChange { conv, rev, row, .. } = change;
                    self.out.tell(Outcome::Changed { conv, rev, row });
                }
            }
            [b'f', b':', conv @ ..] => {
                let event = ConvId::from_slice(conv).and_then(|conv| Event::decode(conv, payload, self.node));
                self.check(event.and_then(|event| self.out.heard(event)));
            }
            _ => {}
        }
    }
}

/// Keeps the subscriptions of a shard until the store closes. Says when they were there for the first time.
pub(super) async fn run(
    shared: Arc<Shared>,
    shard: usize,
    mut asks: mpsc::UnboundedReceiver<Ask>,
    begun: oneshot::Sender<()>,
) {
    let (mut backoff, mut begun, mut waiting) = (Backoff::default(), Some(begun), Vec::new());
    while !shared.out.is_closed() {
        let first = begun.is_some();
        match subscribe(&shared, shard, first).await {
            Ok((subscriber, pushes, lanes)) => {
                backoff.reset();
                if let Some(begun) = begun.take() {
                    // an error means that opening was given up
                    let _ = begun.send(());
                }
                // what waited while there was no connection is among the subscriptions, if its lane is still here
                for ask in std::mem::take(&mut waiting) {
                    answer(&shared, &lanes, ask);
                }
                let error = listen(&shared, (shard, &lanes), &subscriber, pushes, &mut asks, &mut waiting).await;
                if error.is_none() {
                    return;
                }
            }
            Err(error) => tracing::debug!(shard, error = %error, "storage: no subscriptions yet"),
        }
        shared.link.refresh();
        let pause = backoff.wait();
        tokio::pin!(pause);
        // whoever asks meanwhile gets what the next connection has
        loop {
            match futures_util::future::select(&mut pause, Box::pin(asks.recv())).await {
                Either::Left(_) => break,
                Either::Right((Some(ask), _)) => waiting.push(ask),
                Either::Right((None, _)) => return,
            }
        }
    }
}

fn answer(shared: &Shared, lanes: &[Lane], ask: Ask) {
    match ask {
        Ask::Follow(conv, tx) if lanes.contains(&lane_of(conv)) => drop(tx.send(())),
        other @ Ask::Follow(conv, _) => shared.to_subscriber(conv, other),
        Ask::Unfollow(_) => {}
    }
}

async fn subscribe(shared: &Arc<Shared>, shard: usize, first: bool) -> Result<(Subscriber, Pushes, Vec<Lane>), Error> {
    let (subscriber, pushes) = shared.link.subscribe(shard, &Handshake::primary("kefu-subscriber")).await?;
    let lanes: Vec<Lane> = shared.link.map().lanes_of(shard).collect();
    let convs = shared.out.followed(|conv| lanes.contains(&lane_of(conv)));
    let rows = lanes.iter().map(|lane| shared.keys.rows(*lane));
    let channels: Vec<Vec<u8>> = rows.chain(convs.iter().map(|conv| shared.keys.commits(*conv))).collect();
    for group in channels.chunks(GROUP) {
        subscriber.subscribe(CHANNELS, group).await?;
    }
    let numbers = shared.changes(&lanes).await;
    let numbers = numbers.map_err(|_| Error::NoPrimary { shard })?;
    for (lane, number) in lanes.iter().zip(numbers) {
        shared.rows.begin(*lane, number);
    }
    if !first {
        shared.out.tell(Outcome::Unsure);
        // an error means that the store has ended
        drop(shared.checks.send(Check::Lanes(lanes.clone())));
    }
    Ok((subscriber, pushes, lanes))
}

impl Shared {
    /// How many changes of rows there were in some lanes.
    pub(super) async fn changes(self: &Arc<Self>, lanes: &[Lane]) -> Result<Vec<u64>, StoreError> {
        let question = |lane: &Lane| {
            let mut question = cmd("HGET");
            question.arg(self.keys.lane(*lane)).arg("n");
            (self.slot(*lane), question)
        };
        Ok(self.ask_all(lanes.iter().map(question).collect()).await?.iter().map(number).collect())
    }
}

/// Listens until the connection ends, which is an error, or the store.
async fn listen(
    shared: &Arc<Shared>,
    (shard, lanes): (usize, &[Lane]),
    subscriber: &Subscriber,
    mut pushes: Pushes,
    asks: &mut mpsc::UnboundedReceiver<Ask>,
    waiting: &mut Vec<Ask>,
) -> Option<Error> {
    let mut probe = interval(PROBE);
    probe.set_missed_tick_behavior(MissedTickBehavior::Delay);
    probe.tick().await;
    let mut maps = shared.link.watch();
    let mut group = Vec::new();
    loop {
        tokio::select! {
            push = pushes.next() => match push {
                Ok(Push::Message { channel, payload }) => shared.heard(&channel, &payload),
                Ok(Push::Unsubscribed { .. }) => return Some(Error::NoPrimary { shard }),
                Err(error) => return Some(error),
            },
            asked = asks.recv_many(&mut group, GROUP) => {
                if asked == 0 {
                    return None;
                }
                let done = change(shared, subscriber, &group).await;
                match done {
                    Ok(()) => group.drain(..).for_each(|ask| answer(shared, lanes, ask)),
                    Err(error) => {
                        waiting.append(&mut group);
                        return Some(error);
                    }
                }
            }
            changed = maps.changed() => {
                let now: Vec<Lane> = shared.link.map().lanes_of(shard).collect();
                if changed.is_err() || now != lanes {
                    return Some(Error::NoPrimary { shard });
                }
            }
            _ = probe.tick() => if let Err(error) = subscriber.ping().await {
                return Some(error);
            },
        }
    }
}

/// Begins and ends subscriptions, in the order in which they were asked for.
async fn change(shared: &Shared, subscriber: &Subscriber, asks: &[Ask]) -> Result<(), Error> {
    let mut rest = asks;
    while let Some(first) = rest.first() {
        let on = matches!(first, Ask::Follow(..));
        let same = rest.iter().take_while(|ask| matches!(ask, Ask::Follow(..)) == on).count();
        let (now, later) = rest.split_at(same);
        let convs: BTreeSet<ConvId> = now
            .iter()
            .map(|ask| match ask {
                Ask::Follow(conv, _) | Ask::Unfollow(conv) => *conv,
            })
            .collect();
        let channels: Vec<Vec<u8>> = convs.into_iter().map(|conv| shared.keys.commits(conv)).collect();
        if on {
            subscriber.subscribe(CHANNELS, &channels).await?;
        } else {
            subscriber.unsubscribe(CHANNELS, &channels).await?;
        }
        rest = later;
    }
    Ok(())
}
