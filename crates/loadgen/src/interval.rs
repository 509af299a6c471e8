//! The time measured, in intervals: what came of each is known when it ends, for those who watch a long run.

use std::{
    fmt,
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::sleep_until;

use crate::{
    counters::Counters,
    error::LoadError,
    meter::{Process, ServerMeter},
    stage::Stage,
};

/// What was used and done at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub at: Instant,
    pub messages: u64,
    pub server: Option<f64>,
    pub checkpoints: Option<f64>,
    pub own: f64,
}

impl Reading {
    pub fn now(counters: &Counters, meter: ServerMeter) -> Self {
        Self {
            at: Instant::now(),
            messages: counters.messages.get(),
            server: meter.cpu_seconds(),
            checkpoints: meter.checkpoint_cpu_seconds(),
            own: Process::own().cpu_seconds(),
        }
    }
}

/// A part of the time measured.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// From the start of the time measured to its end.
    pub seconds: f64,
    /// Acknowledged as durable to the sender and delivered to the other side in it.
    pub messages: u64,
    /// Of what was delivered in it, from sending to the other side's socket.
    pub deliver_p50_ms: f64,
    /// The 99th percentile, ms.
    pub deliver_p99_ms: f64,
    /// The 99.9th percentile, ms.
    pub deliver_p999_ms: f64,
    /// Resident memory of the server at its end.
    pub server_rss_bytes: Option<u64>,
    /// Processor time of the server in it, of one core.
    pub server_cpu_percent: Option<f64>,
}

impl Interval {
    fn between(start: Instant, before: &Reading, now: &Reading, delivery: &Histogram<u64>, rss: Option<u64>) -> Self {
        let ms = |q| delivery.value_at_quantile(q) as f64 / 1000.0;
        let took = (now.at - before.at).as_secs_f64();
        Self {
            seconds: (now.at - start).as_secs_f64(),
            messages: now.messages - before.messages,
            deliver_p50_ms: ms(0.5),
            deliver_p99_ms: ms(0.99),
            deliver_p999_ms: ms(0.999),
            server_rss_bytes: rss,
            server_cpu_percent: now.server.zip(before.server).map(|(now, before)| 100.0 * (now - before) / took),
        }
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, messages, deliver_p50_ms: p50, deliver_p99_ms: p99, deliver_p999_ms: p999, .. } = self;
        write!(f, "{seconds:>7.0} s {messages:>10} messages")?;
        write!(f, "   p50 {p50:>7.2}   p99 {p99:>7.2}   p99.9 {p999:>7.2} ms")?;
        if let Some(rss) = self.server_rss_bytes {
            write!(f, "   memory {:>7.1} MB", rss as f64 / 1e6)?;
        }
        self.server_cpu_percent.map_or(Ok(()), |cpu| write!(f, "   CPU {cpu:>5.1} %"))
    }
}

/// What was measured.
pub(crate) struct Measured {
    pub intervals: Vec<Interval>,
    pub delivery: Histogram<u64>,
    pub end: Reading,
}

/// Lets the time measured pass, in intervals of `every` if that is given, and ends early at a failure.
pub(crate) async fn measure(
    counters: &Rc<Counters>,
    meter: ServerMeter,
    start: &Reading,
    seconds: u64,
    every: Option<Duration>,
    stage: &impl Fn(Stage),
) -> Result<Measured, LoadError> {
    let (began, mut before) = (tokio::time::Instant::now(), *start);
    let whole = Duration::from_secs(seconds);
    let (mut at, mut delivery, mut intervals) = (Duration::ZERO, Histogram::new(3)?, Vec::new());
    loop {
        at = every.map_or(whole, |every| whole.min(at + every.max(Duration::from_millis(1))));
        tokio::select! {
            () = sleep_until(began + at) => {}
            () = counters.failed() => {}
        }
        counters.check()?;
        let now = Reading::now(counters, meter);
        let part = counters.take_delivery()?;
        if every.is_some() {
            let interval = Interval::between(start.at, &before, &now, &part, meter.rss_bytes());
            stage(Stage::Interval(interval));
            intervals.push(interval);
        }
        delivery.add(part).map_err(|e| LoadError::Failed(e.to_string()))?;
        before = now;
        if at == whole {
            return Ok(Measured { intervals, delivery, end: now });
        }
    }
}
