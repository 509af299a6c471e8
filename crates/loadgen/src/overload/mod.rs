//! More messages than a server can do, for a while: what it does with them, and when it is back to what it was.
//!
//! Messages fall due at a rate, whatever comes back, and are written as fast as the sockets take them; the others wait here.
//! Envelopes have the size and the header of real ones and are not sealed, which the server can't see: sealing several times
//! of what it can do would need several processors.

mod conversation;
mod outgoing;
mod reconnect;
mod recovery;
mod report;
mod tally;

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{task::spawn_local, time::sleep};

pub use self::report::OverloadReport;
use self::{
    conversation::Conversation,
    tally::{Phase, Tally},
};
use crate::{
    error::LoadError,
    meter::{ServerMeter, load_average},
    pair::{AGENT, VISITOR},
    schedule::Ticks,
    stage::Stage,
    target::Target,
};

/// Before the capacity is measured, and for how long that is done.
const WARM_UP: Duration = Duration::from_secs(1);
const CAPACITY: Duration = Duration::from_secs(4);
/// Without any progress for this long, the rest will not come.
const DRAIN: Duration = Duration::from_secs(10);
/// How often memory and what waits are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// Messages that the generator holds at most: some 100 MB.
const HELD: usize = 4_000_000;

/// A run of pairs that write more than the server can do.
#[derive(Debug, Clone, Copy)]
pub struct Overload {
    /// Pairs of a visitor and an agent; both write.
    pub pairs: usize,
    /// Messages per second that the server can do; without it, that is measured.
    pub capacity: Option<u64>,
    /// What is offered, as a multiple of that.
    pub times: f64,
    /// How long it is offered.
    pub seconds: u64,
    /// How long a tenth of the capacity is offered before.
    pub before_seconds: u64,
    /// How long that is offered after it, until the server has recovered.
    pub after_seconds: u64,
    /// Messages of each sender that may be on their way; without it, as many as the socket takes.
    pub window: Option<usize>,
    /// Bytes of text in a message.
    pub bytes: usize,
    /// Whether the conversations are closed at the end, for a server that keeps running.
    pub close: bool,
}

impl Overload {
    /// Runs it; `stage` receives its progress. Pairs, capacity, and seconds are at least 1.
    pub async fn run(
        &self,
        target: &Target,
        meter: ServerMeter,
        stage: impl Fn(Stage),
    ) -> Result<OverloadReport, LoadError> {
        let agents = target.agents.get(..self.pairs);
        let agents = agents.ok_or(LoadError::TooFewAgents { pairs: self.pairs, agents: target.agents.len() })?;
        if target.address.tls.is_some() && self.window.is_none() {
            let why = "under TLS nothing waits for the socket: give --window, or use plain HTTP";
            return Err(LoadError::Failed(why.to_owned()));
        }
        let (target, tally) = (Rc::new(target.clone()), Tally::new()?);
        stage(Stage::Opening(self.pairs));
        let mut all = Vec::new();
        for key in agents {
            all.push(Conversation::open(&target, key, &tally, self.bytes).await?);
        }
        let capacity = match self.capacity {
            Some(capacity) => capacity,
            None => {
                stage(Stage::Capacity);
                capacity(&all, &tally).await
            }
        };
        tally.window.set(self.window.unwrap_or(usize::MAX));
        let calm = (capacity / 10).max(1);
        tally.begin(Phase::Before);
        offer(&all, &tally, calm, Duration::from_secs(self.before_seconds), &stage, || false).await;
        drain(&all, &tally).await;
        let (rss_before, before) = (meter.rss_bytes(), quantiles(&tally.before.borrow()));

        let watch = spawn_local(watch(all.clone(), tally.clone(), meter));
        tally.begin(Phase::Overload);
        let rate = (capacity as f64 * self.times).max(1.0) as u64;
        offer(&all, &tally, rate, Duration::from_secs(self.seconds), &stage, || false).await;
        let load_average = load_average();
        tally.begin(Phase::After);
        let recovered = || tally.recovery.borrow().seconds(before[0]);
        offer(&all, &tally, calm, Duration::from_secs(self.after_seconds), &stage, || recovered().is_some()).await;
        stage(Stage::Draining);
        drain(&all, &tally).await;
        watch.abort();
        if self.close {
            all.iter().for_each(|conversation| conversation.close());
            sleep(WARM_UP).await;
        }
        tally.over.set(true);
        let missing = all.iter().map(|c| c.missing()).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        Ok(OverloadReport {
            capacity,
            offered: tally.offered.get(),
            acknowledged: tally.acknowledged.get(),
            not_offered: tally.not_offered.get(),
            refused: tally.refused.borrow().clone(),
            dropped: tally.dropped.get(),
            closed: tally.closed.borrow().clone(),
            lost: missing.0 + tally.altered.get(),
            unacknowledged: missing.1,
            doubled: tally.doubled.get(),
            generator_backlog: tally.backlog.get(),
            rss_bytes: rss_before.map(|before| (before, tally.rss.get())),
            before,
            overload: quantiles(&tally.overload.borrow()),
            recovered_seconds: recovered(),
            load_average,
        })
    }
}

fn quantiles(latencies: &hdrhistogram::Histogram<u64>) -> [u64; 2] {
    [latencies.value_at_quantile(0.5), latencies.value_at_quantile(0.99)]
}

/// Messages per second when each sender writes again as soon as its message is durable.
async fn capacity(all: &[Rc<Conversation>], tally: &Tally) -> u64 {
    tally.closed_loop.set(true);
    tally.window.set(1);
    for (conversation, who) in senders(all) {
        conversation.due(who, tally.now(), HELD);
    }
    sleep(WARM_UP).await;
    let (before, started) = (tally.delivered.get(), Instant::now());
    sleep(CAPACITY).await;
    let capacity = (tally.delivered.get() - before) as f64 / started.elapsed().as_secs_f64();
    tally.closed_loop.set(false);
    drain(all, tally).await;
    (capacity as u64).max(1)
}

/// Lets messages fall due at this rate for so long, or until it is enough.
async fn offer(
    all: &[Rc<Conversation>],
    tally: &Tally,
    rate: u64,
    time: Duration,
    stage: &impl Fn(Stage),
    enough: impl Fn() -> bool,
) {
    stage(Stage::Offering(rate));
    let until = tally.now() + time.as_nanos() as u64;
    let (mut ticks, mut look) = (Ticks::start(tally.clock, rate), tally.now());
    let most = HELD / (2 * all.len());
    for (conversation, who) in senders(all).collect::<Vec<_>>().iter().cycle() {
        let Some(at) = ticks.next().await.filter(|at| *at < until) else { break };
        if at >= look {
            look = at + LOOK.as_nanos() as u64;
            if enough() {
                break;
            }
        }
        conversation.due(*who, at, most);
    }
}

/// Waits until everything came, or nothing more comes.
async fn drain(all: &[Rc<Conversation>], tally: &Tally) {
    let (mut seen, mut at) = (0, Instant::now());
    while all.iter().any(|c| c.outstanding() > 0) && at.elapsed() < DRAIN {
        let now = tally.delivered.get() + tally.acknowledged.get();
        if now > seen {
            (seen, at) = (now, Instant::now());
        }
        sleep(LOOK / 5).await;
    }
}

/// Looks at memory and what waits, until it is aborted.
async fn watch(all: Vec<Rc<Conversation>>, tally: Rc<Tally>, meter: ServerMeter) {
    loop {
        let waiting = all.iter().map(|c| c.waiting() as u64).sum();
        tally.backlog.set(tally.backlog.get().max(waiting));
        tally.rss.set(tally.rss.get().max(meter.rss_bytes().unwrap_or(0)));
        sleep(LOOK).await;
    }
}

fn senders(all: &[Rc<Conversation>]) -> impl Iterator<Item = (&Rc<Conversation>, usize)> {
    [VISITOR, AGENT].into_iter().flat_map(|who| all.iter().map(move |conversation| (conversation, who)))
}
