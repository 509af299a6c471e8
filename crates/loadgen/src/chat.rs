//! Durable messages between pairs, as fast as they go or at a given rate.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::{task::spawn_local, time::sleep};

use crate::{
    counters::Counters,
    error::LoadError,
    idle_connections::{AT_ONCE, IdleConnections, visitor_keys},
    interval::{Interval, Reading, measure},
    meter::{ServerMeter, load_average},
    pair::{self, AGENT, Pair, VISITOR, senders},
    schedule::schedule,
    sealing::Sealing,
    stage::Stage,
    target::Target,
    uploads::Uploads,
};

/// Before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the last messages may take.
const DRAIN: Duration = Duration::from_secs(10);

/// A run of pairs that write to each other.
#[derive(Debug, Clone, Copy)]
pub struct Chat {
    /// Pairs of a visitor and an agent; both write.
    pub pairs: usize,
    /// How long to measure.
    pub seconds: u64,
    /// Messages per second in total, regardless of replies; without it, each side writes again as soon as its message is
    /// durable.
    pub rate: Option<u64>,
    /// Reports each such part of the time measured, when it is over.
    pub every: Option<Duration>,
    /// Idle connections beside the pairs, with heartbeats.
    pub idle: usize,
    /// Files that visitors send beside the pairs.
    pub uploads: Option<Uploads>,
    /// Bytes of text in a message.
    pub bytes: usize,
    /// Envelopes per second to seal in advance, in total, without a rate.
    pub prepare: u64,
    /// Whether the conversations are closed at the end, for a server that keeps running.
    pub close: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct ChatReport {
    /// Acknowledged as durable to the sender and delivered to the other side, in the time measured.
    pub messages: u64,
    /// The time measured, seconds.
    pub seconds: f64,
    /// Whether the processor time is that from before the first message until after the last, with everything that the server
    /// does later for the same messages; otherwise it is that of the time measured.
    pub settled: bool,
    /// Messages that the processor time is for.
    pub cpu_messages: u64,
    /// In which so many seconds passed.
    pub cpu_over_seconds: f64,
    /// Processor time of the server, seconds.
    pub server_cpu_seconds: Option<f64>,
    /// Of that, what bringing the log to the database cost, seconds.
    pub checkpoint_cpu_seconds: Option<f64>,
    /// Processor time of this process, seconds.
    pub generator_cpu_seconds: f64,
    /// From sending (at a rate: from when it should have been sent) to the other side's socket, µs.
    pub delivery: Histogram<u64>,
    /// At a rate: how late the generator itself was, µs; part of the above.
    pub lag: Option<Histogram<u64>>,
    /// Messages that did not arrive where they should have.
    pub lost: u64,
    /// Records that came twice.
    pub doubled: u64,
    /// Envelopes that were not sealed when they were to be sent: above 0 the generator was slower than it should be.
    pub sealed_late: u64,
    /// Envelopes that were sealed between messages while measuring, since the run is too long to do it before.
    pub sealed_between: u64,
    /// Bytes of files that the server took in the time measured.
    pub uploaded: Option<u64>,
    /// The most memory that the server ever had, bytes.
    pub peak_rss_bytes: Option<u64>,
    /// The time measured in parts, if that was asked for.
    pub intervals: Vec<Interval>,
    /// Of the machine when it was measured.
    pub load_average: f64,
}

impl Chat {
    /// Runs it; `stage` receives its progress. `settle` makes the server bring its log to its database, and says whether it
    /// did. Pairs, seconds and rate are at least 1.
    pub async fn run(
        &self,
        target: &Target,
        meter: ServerMeter,
        settle: impl AsyncFn() -> bool,
        stage: impl Fn(Stage),
    ) -> Result<ChatReport, LoadError> {
        let agents = target.agents.get(..self.pairs);
        let agents = agents.ok_or(LoadError::TooFewAgents { pairs: self.pairs, agents: target.agents.len() })?;
        let counters = Counters::new(self.rate.is_none())?;
        let idle = match self.idle {
            0 => None,
            n => {
                stage(Stage::Connecting(n));
                let idle = IdleConnections::open(target, &visitor_keys(n), AT_ONCE).await?;
                spawn_local(idle.clone().beat());
                Some(idle)
            }
        };
        stage(Stage::Opening(self.pairs));
        let (mut pairs, text) = (Vec::new(), "x".repeat(self.bytes));
        for key in agents {
            let (pair, [visitor, agent]) = pair::open(target, key, &counters, &text).await?;
            spawn_local(pair.clone().listen(VISITOR, visitor));
            spawn_local(pair.clone().listen(AGENT, agent));
            pairs.push(pair);
        }
        let per_second = self.rate.unwrap_or(self.prepare);
        let seconds = self.seconds + WARM_UP.as_secs() + 1;
        let sealing = Sealing::new(2 * self.pairs, per_second, seconds, self.bytes, self.rate.is_some());
        stage(Stage::Sealing(sealing.each * 2 * self.pairs));
        sealing.begin(&pairs).await?;

        let uploads = self.uploads.map(|uploads| uploads.start(target));
        let settled = settle().await;
        let mut before = Reading::now(&counters, meter);
        // what came twice while they began to follow each other was the server being careful
        counters.doubled.set(0);
        counters.running.set(true);
        let mut lag = None;
        match self.rate {
            None => senders(&pairs).for_each(|(pair, who)| pair.due(who, counters.now())),
            Some(rate) => lag = Some(spawn_local(schedule(pairs.clone(), counters.clone(), rate))),
        }
        spawn_local(sealing.refill(pairs.clone(), counters.clone()));
        sleep(WARM_UP).await;
        stage(Stage::Measuring(self.seconds));
        let start = Reading::now(&counters, meter);
        counters.measuring.set(true);
        let uploaded = uploads.as_ref().map(|uploads| uploads.sent());
        let measured = measure(&counters, meter, &start, self.seconds, self.every, &stage).await?;
        let mut end = measured.end;
        let (messages, seconds) = (end.messages - start.messages, (end.at - start.at).as_secs_f64());
        let load_average = load_average();
        counters.measuring.set(false);
        counters.running.set(false);
        let uploaded = uploads.as_ref().map(|uploads| uploads.sent()).zip(uploaded).map(|(end, start)| end - start);
        let lag = match lag {
            Some(task) => Some(task.await.map_err(|e| LoadError::Failed(e.to_string()))??),
            None => None,
        };
        let missing = drain(&pairs).await;
        if let Some(uploads) = uploads {
            uploads.stop().await?;
        }
        let settled = settled && settle().await;
        if settled {
            end = Reading::now(&counters, meter);
        } else {
            before = start;
        }
        if self.close {
            pair::close(&pairs).await;
        }
        counters.check()?;
        idle.map_or(Ok(()), |idle| idle.check())?;
        Ok(ChatReport {
            messages,
            seconds,
            settled,
            cpu_messages: end.messages - before.messages,
            cpu_over_seconds: (end.at - before.at).as_secs_f64(),
            server_cpu_seconds: end.server.zip(before.server).map(|(end, before)| end - before),
            checkpoint_cpu_seconds: end.checkpoints.zip(before.checkpoints).map(|(end, before)| end - before),
            generator_cpu_seconds: end.own - before.own,
            delivery: measured.delivery,
            lag,
            lost: counters.lost.get() + missing,
            doubled: counters.doubled.get(),
            sealed_late: counters.sealed_late.get(),
            sealed_between: counters.sealed_between.get(),
            uploaded,
            peak_rss_bytes: meter.peak_rss_bytes(),
            intervals: measured.intervals,
            load_average,
        })
    }
}

/// Waits for what is on its way; gives how many messages never arrived.
async fn drain(pairs: &[Rc<Pair>]) -> u64 {
    let until = Instant::now() + DRAIN;
    loop {
        let missing = senders(pairs).map(|(pair, who)| pair.outstanding(who)).sum();
        if missing == 0 || Instant::now() >= until {
            return missing;
        }
        sleep(Duration::from_millis(20)).await;
    }
}
