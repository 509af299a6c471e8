//! The work over one connection: say that we are here, keep or take the lease of the desk, publish what waits, read what others
//! publish.

use std::{
    collections::HashMap,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use data_encoding::HEXLOWER;
use kefu_redis_link::{Backoff, Channels, Connection, Error, Handshake, Pipeline, Push, Pushes, Script, Value, cmd};
use tokio::{sync::mpsc, task::JoinSet, time::MissedTickBehavior};

use super::{
    BEAT, Beat, Node, Outgoing, RedisBus,
    message::{self, Message, frame_of},
};
use crate::bus::Peer;

/// How long a lease lasts, by the clock of Redis.
pub(crate) const LEASE: Duration = Duration::from_secs(6);
/// How long its holder decides, by its own clock: a second less.
pub(crate) const DECIDES: Duration = Duration::from_secs(5);
/// How long a command may take: a desk must not be kept by one who hears nothing.
const RESPONSE: Duration = Duration::from_secs(3);
/// Between two beats, however often agents and day keys come and go.
const PAUSE: Duration = Duration::from_millis(100);
/// Messages published in one write.
const TOGETHER: usize = 256;

const SCRIPT: &str = include_str!("lease.lua");

/// Opens a connection and works until it ends.
pub(super) async fn work(
    bus: &RedisBus,
    peer: &dyn Peer,
    waiting: &mut mpsc::Receiver<Outgoing>,
    backoff: &mut Backoff,
) -> Error {
    match Connected::open(bus).await {
        Ok((mut connected, mut pushes)) => {
            let error = connected.run(peer, waiting, &mut pushes, backoff).await;
            if error.is_topology() {
                bus.link.refresh();
            }
            error
        }
        Err(error) => error,
    }
}

/// Waits until the agents or the day keys here have changed, but not for a moment after the last beat.
async fn changed(bus: &RedisBus, last: Instant) {
    let pause = PAUSE.saturating_sub(last.elapsed());
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
    bus.changed.notified().await;
}

struct Connected<'a> {
    bus: &'a RedisBus,
    connection: Connection,
    /// Ends the subscriptions when it is dropped.
    _subscriber: kefu_redis_link::Subscriber,
    lease: Script,
    /// When we last said that we are here.
    last: Instant,
    /// Until when the lease is ours, by our own clock.
    ours_until: Option<Instant>,
    /// Answers that are being made.
    answering: JoinSet<(Node, u64, Vec<u8>)>,
}

impl<'a> Connected<'a> {
    async fn open(bus: &'a RedisBus) -> Result<(Self, Pushes), Error> {
        let shard = bus.link.map().shard_of_key(&bus.everyone()).map(|shard| shard.index);
        let shard = shard.ok_or(Error::NoPrimary { shard: 0 })?;
        let lease = Script::new(SCRIPT);
        let name = format!("kefu-{}-bus", bus.node.name());
        let scripts = [lease.clone()];
        let handshake = Handshake::primary(&name).scripts(&scripts).response_timeout(RESPONSE);
        let connection = bus.link.open(shard, &handshake).await?;
        let name = format!("kefu-{}-heard", bus.node.name());
        let (subscriber, pushes) = bus.link.subscribe(shard, &Handshake::primary(&name)).await?;
        subscriber.subscribe(Channels::Sharded, &[bus.everyone(), bus.channel_of(bus.node)]).await?;
        let (last, ours_until, answering) = (Instant::now(), None, JoinSet::new());
        Ok((Self { bus, connection, _subscriber: subscriber, lease, last, ours_until, answering }, pushes))
    }

    async fn run(
        &mut self,
        peer: &dyn Peer,
        waiting: &mut mpsc::Receiver<Outgoing>,
        pushes: &mut Pushes,
        backoff: &mut Backoff,
    ) -> Error {
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let over = self.ours_until.map_or(LEASE, |until| until.saturating_duration_since(Instant::now()));
            let (bus, last) = (self.bus, self.last);
            let done = tokio::select! {
                // news of agents go before what those ask
                biased;
                () = changed(bus, last) => self.beat(peer).await,
                _ = beat.tick() => self.beat(peer).await,
                push = pushes.next() => match push {
                    Ok(Push::Message { channel, payload }) => {
                        self.heard(peer, &channel, &payload.into());
                        Ok(())
                    }
                    // the slot moved
                    Ok(Push::Unsubscribed { .. }) => {
                        self.bus.link.refresh();
                        self.connection.end("a channel moved to another server");
                        Err(self.connection.ended().await)
                    }
                    Err(e) => Err(e),
                },
                Some(first) = waiting.recv() => self.publish(first, waiting).await,
                Some(Ok((node, number, answer))) = self.answering.join_next() => {
                    self.bus.send(self.bus.channel_of(node), &Message::Answer(number, answer.into()));
                    Ok(())
                }
                () = tokio::time::sleep(over), if self.ours_until.is_some() => {
                    self.ours_until = None;
                    self.bus.leads.send_replace(false);
                    Ok(())
                }
            };
            match done {
                Ok(()) => backoff.reset(),
                Err(e) => return e,
            }
        }
    }

    /// Says that we are here, reads who else is, and asks for the lease.
    async fn beat(&mut self, peer: &dyn Peer) -> Result<(), Error> {
        let bus = self.bus;
        let (agents, sockets) = peer.sockets();
        let draining = *bus.draining.borrow();
        let beat = Beat {
            n: bus.beats_said.fetch_add(1, Ordering::Relaxed) + 1,
            version: env!("CARGO_PKG_VERSION").into(),
            listen: bus.own.listen.clone(),
            since: bus.own.since,
            agents,
            sockets,
            day_keys: peer.day_keys().iter().map(|kid| HEXLOWER.encode(kid)).collect(),
            draining,
        };
        // derived serialisation of plain data has no way to fail
        let text = serde_json::to_string(&beat).unwrap_or_default();
        *bus.own_beat.lock() = Some(beat);
        let (nodes, asked) = (bus.name("nodes"), Instant::now());
        self.last = asked;
        let mut pipeline = Pipeline::new();
        let here = bus.post.write(&bus.everyone(), &Message::Here(text.clone().into()));
        pipeline.add(cmd("SPUBLISH").arg(bus.everyone()).arg(here).take());
        pipeline
            .add(cmd("HSET").arg(&nodes).arg(bus.node.name()).arg(message::sign(&bus.beats, bus.node, &text)).take());
        pipeline.add(cmd("HGETALL").arg(&nodes).take());
        let mut lease = self.lease.call(&[bus.name("lease")]);
        lease.arg(bus.node.name()).arg(LEASE.as_millis() as u64).arg(u8::from(!draining));
        pipeline.add(lease);
        let replies: Vec<Value> = self.connection.pipeline(&pipeline).await?.into_iter().collect::<Result<_, _>>()?;
        let Ok([_, _, found, holder]) = <[Value; 4]>::try_from(replies) else {
            self.connection.end("it answered four commands with another number of replies");
            return Err(self.connection.ended().await);
        };
        let found: HashMap<String, String> = self.connection.read(found)?;
        let holder: Vec<u8> = self.connection.read(holder)?;
        self.noticed(found, asked).await?;
        self.led(Node::parse(&holder), asked);
        if !bus.connected.send_replace(true) {
            tracing::info!("the other servers can be reached");
        }
        Ok(())
    }

    async fn noticed(&self, found: HashMap<String, String>, now: Instant) -> Result<(), Error> {
        let bus = self.bus;
        let read = |(node, text): (String, String)| {
            let node = Node::parse(node.as_bytes()).filter(|node| *node != bus.node)?;
            Some((node, serde_json::from_str(message::signed(&bus.beats, node, &text)?).ok()?))
        };
        let beats = found.into_iter().filter_map(read).collect();
        let gone = bus.members.lock().look(beats, now);
        bus.publish_members();
        if !gone.is_empty() {
            let names: Vec<String> = gone.iter().map(|node| node.name()).collect();
            self.connection.send(&cmd("HDEL").arg(bus.name("nodes")).arg(names).take()).await?;
        }
        Ok(())
    }

    /// Somebody has the lease, asked for at this time.
    fn led(&mut self, holder: Option<Node>, asked: Instant) {
        self.bus.leader.send_if_modified(|known| std::mem::replace(known, holder) != holder);
        let ours = holder == Some(self.bus.node);
        self.ours_until = ours.then(|| asked + DECIDES);
        *self.bus.ours_until.lock() = self.ours_until;
        self.bus.leads.send_if_modified(|known| std::mem::replace(known, ours) != ours);
    }

    async fn publish(&self, first: Outgoing, waiting: &mut mpsc::Receiver<Outgoing>) -> Result<(), Error> {
        let mut pipeline = Pipeline::new();
        let mut next = Some(first);
        while let Some((channel, bytes)) = next {
            pipeline.add(cmd("SPUBLISH").arg(channel).arg(bytes).take());
            next = if pipeline.len() < TOGETHER { waiting.try_recv().ok() } else { None };
        }
        for reply in self.connection.pipeline(&pipeline).await? {
            reply?;
        }
        Ok(())
    }

    fn heard(&mut self, peer: &dyn Peer, channel: &[u8], payload: &bytes::Bytes) {
        let bus = self.bus;
        let Some((from, message)) = bus.post.read(channel, payload) else { return };
        match message {
            Message::Tell(..) | Message::Signal(_) | Message::Here(_) if from == bus.node => {}
            Message::Here(beat) => {
                if let Ok(beat) = serde_json::from_slice(&beat) {
                    bus.members.lock().heard(from, beat, Instant::now());
                    bus.publish_members();
                }
            }
            Message::Tell(topic, audience, frame) => {
                if let Some(frame) = frame_of(&frame) {
                    peer.told(&topic, audience, &frame);
                }
            }
            Message::Signal(signal) => peer.heard(&signal),
            Message::Ask(number, question) => {
                let answer = peer.asked(&question);
                self.answering.spawn(async move { (from, number, answer.await) });
            }
            Message::Count(number) => {
                let figures = peer.figures();
                self.answering.spawn(async move { (from, number, figures.await) });
            }
            Message::Answer(number, answer) => {
                if let Some(reply) = bus.questions.lock().remove(&number) {
                    // whoever asked may have stopped waiting
                    let _ = reply.send(answer.to_vec());
                }
            }
        }
    }
}
