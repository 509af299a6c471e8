//! Messages at a given rate, whatever comes back: each falls due at its time, and how late that was is measured.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use tokio::sync::mpsc;

use crate::{
    counters::Counters,
    error::LoadError,
    pair::{Pair, senders},
};

/// Times at even intervals, each given when it has come.
#[derive(Debug)]
pub(crate) struct Ticks(mpsc::UnboundedReceiver<u64>);

impl Ticks {
    /// So many a second from now on; times are nanoseconds since `clock`.
    pub fn start(clock: Instant, rate: u64) -> Self {
        let (time, times) = mpsc::unbounded_channel();
        let start = clock.elapsed().as_nanos() as u64;
        // a thread that sleeps: the runtime's own timers know only whole milliseconds. It ends when nobody listens
        std::thread::spawn(move || {
            for n in 0.. {
                let at = start + n * 1_000_000_000 / rate;
                loop {
                    let left = at.saturating_sub(clock.elapsed().as_nanos() as u64);
                    if left == 0 {
                        break;
                    }
                    std::thread::park_timeout(Duration::from_nanos(left));
                }
                if time.send(at).is_err() {
                    return;
                }
            }
        });
        Self(times)
    }

    /// The next time, when it has come.
    pub async fn next(&mut self) -> Option<u64> {
        self.0.recv().await
    }
}

/// Lets messages fall due at even intervals, one sender after the other; gives how late that was, µs.
pub async fn schedule(pairs: Vec<Rc<Pair>>, counters: Rc<Counters>, rate: u64) -> Result<Histogram<u64>, LoadError> {
    let mut ticks = Ticks::start(counters.clock, rate);
    let mut lag = Histogram::new(3)?;
    let senders: Vec<_> = senders(&pairs).collect();
    for (pair, who) in senders.iter().cycle() {
        let Some(at) = ticks.next().await else { break };
        if !counters.running.get() {
            break;
        }
        if counters.measuring.get() {
            // it grows as needed, unlike with saturating_record
            let _ = lag.record(counters.now().saturating_sub(at) / 1000);
        }
        pair.due(*who, at);
    }
    Ok(lag)
}
