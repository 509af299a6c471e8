//! Messages at a given rate, whatever comes back: each falls due at its time, and how late that was is measured.

use std::{rc::Rc, time::Duration};

use hdrhistogram::Histogram;
use tokio::sync::mpsc;

use crate::{
    counters::Counters,
    error::LoadError,
    pair::{Pair, senders},
};

/// Lets messages fall due at even intervals, one sender after the other; gives how late that was, µs.
pub async fn schedule(pairs: Vec<Rc<Pair>>, counters: Rc<Counters>, rate: u64) -> Result<Histogram<u64>, LoadError> {
    let (due, mut dues) = mpsc::unbounded_channel();
    let (clock, start) = (counters.clock, counters.now());
    // a thread that sleeps: the runtime's own timers know only whole milliseconds
    let timer = std::thread::spawn(move || {
        for n in 0.. {
            let at = start + n * 1_000_000_000 / rate;
            loop {
                let left = at.saturating_sub(clock.elapsed().as_nanos() as u64);
                if left == 0 {
                    break;
                }
                std::thread::park_timeout(Duration::from_nanos(left));
            }
            if due.send(at).is_err() {
                return;
            }
        }
    });
    let mut lag = Histogram::new(3)?;
    let senders: Vec<_> = senders(&pairs).collect();
    for (pair, who) in senders.iter().cycle() {
        let Some(at) = dues.recv().await else { break };
        if !counters.running.get() {
            break;
        }
        if counters.measuring.get() {
            lag.saturating_record(counters.now().saturating_sub(at) / 1000);
        }
        pair.due(*who, at);
    }
    drop(dues);
    let _ = timer.join();
    Ok(lag)
}
