//! What an agent waits for who has many conversations, and what their reading costs those who write.

mod agent;
mod probe;

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::{task::spawn_local, time::sleep};

use self::{
    agent::{look, round},
    probe::Probe,
};
use crate::{
    error::LoadError,
    meter::{ServerMeter, load_average},
    stage::Stage,
    target::Target,
};

/// An agent who signs in and reads, again and again.
#[derive(Debug, Clone, Copy)]
pub struct Read {
    /// How long messages are sent without anyone reading, and then again while the agent reads.
    pub seconds: u64,
    /// Bytes of text in a message.
    pub bytes: usize,
    /// Whether the conversation of these messages is closed at the end, for a server that keeps running.
    pub close: bool,
}

/// What came of it. Latencies are µs.
#[derive(Debug, Clone)]
pub struct ReadReport {
    /// Conversations that the agent has.
    pub owned: usize,
    /// Conversations that wait in the queue.
    pub waiting: usize,
    /// Records of the longest conversation that the agent has.
    pub records: u64,
    /// How long the agent waited for each thing.
    pub reads: Reads,
    /// From sending a message to its acknowledgement, while nobody reads.
    pub commit_alone: Histogram<u64>,
    /// The same while the agent reads.
    pub commit_meanwhile: Histogram<u64>,
    /// Resident memory of the server before anyone signed in, and the most while the agent read, bytes.
    pub rss_bytes: Option<(u64, u64)>,
    /// Of the machine when it was measured.
    pub load_average: f64,
}

/// How long an agent waited for each thing.
#[derive(Debug, Clone)]
pub struct Reads {
    /// From connecting until all conversations of the agent and of the queue are there.
    pub sign_in: Histogram<u64>,
    /// A page of the list of all conversations.
    pub list_page: Histogram<u64>,
    /// From asking for the longest conversation to the answer.
    pub open: Histogram<u64>,
    /// A page of its records.
    pub history_page: Histogram<u64>,
    /// All of them.
    pub history: Histogram<u64>,
}

impl Reads {
    fn new() -> Result<Self, LoadError> {
        let empty = || Histogram::new(3);
        Ok(Self { sign_in: empty()?, list_page: empty()?, open: empty()?, history_page: empty()?, history: empty()? })
    }
}

/// Adds the time since then.
fn record(times: &mut Histogram<u64>, since: Instant) {
    // it grows as needed
    let _ = times.record(since.elapsed().as_micros() as u64);
}

impl Read {
    /// Runs it; `stage` receives its progress. Seconds are at least 1. The first agent of the target reads, the second writes.
    pub async fn run(
        &self,
        target: &Target,
        meter: ServerMeter,
        stage: impl Fn(Stage),
    ) -> Result<ReadReport, LoadError> {
        let [reader, writer, ..] = &target.agents[..] else {
            return Err(LoadError::TooFewAgents { pairs: 2, agents: target.agents.len() });
        };
        let before = meter.rss_bytes();
        let to_read = look(target, reader).await?;
        let probe = Rc::new(Probe::new()?);
        let writing = spawn_local(probe.clone().run(target.clone(), writer.clone(), self.bytes));
        stage(Stage::Measuring(self.seconds));
        probe.started().await?;
        sleep(Duration::from_secs(self.seconds)).await;
        let commit_alone = probe.take()?;

        stage(Stage::Reading(self.seconds));
        let mut most = 0;
        let (mut reads, began) = (Reads::new()?, Instant::now());
        while began.elapsed() < Duration::from_secs(self.seconds) {
            round(target, reader, &to_read, &mut reads).await?;
            most = most.max(meter.rss_bytes().unwrap_or(0));
        }
        let commit_meanwhile = probe.take()?;
        let load_average = load_average();
        probe.stop(self.close);
        writing.await.map_err(|e| LoadError::Failed(e.to_string()))??;
        Ok(ReadReport {
            owned: to_read.owned,
            waiting: to_read.waiting,
            records: to_read.longest.map_or(0, |(_, last)| last),
            reads,
            commit_alone,
            commit_meanwhile,
            rss_bytes: before.map(|before| (before, most)),
            load_average,
        })
    }
}
