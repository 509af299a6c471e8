//! Threads for what computes: opening, recognising, sealing. Not tokio's own, which read the disk for people.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{sync::oneshot, time::timeout};

type Job = Box<dyn FnOnce() + Send>;

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// The turn panicked.
    Failed,
    /// It took too long; what comes of it is dropped.
    Late,
}

/// They end when this is dropped.
pub(super) struct WorkerPool(mpsc::Sender<Job>);

impl WorkerPool {
    /// Starts `n` of them.
    pub fn start(n: usize) -> std::io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..n {
            let jobs = jobs.clone();
            thread::Builder::new().name("robot".into()).spawn(move || {
                loop {
                    // held while waiting: one waits for the job, the others for the lock
                    let job = jobs.lock().recv();
                    let Ok(job) = job else { return };
                    // the asker sees that no answer comes
                    let _ = catch_unwind(AssertUnwindSafe(job));
                }
            })?;
        }
        Ok(Self(sender))
    }

    /// Runs `work` on one of them; not at all if it is not begun within `limit`.
    pub async fn run<T: Send + 'static>(
        &self,
        limit: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NoAnswer> {
        let (tx, rx) = oneshot::channel();
        let job = move || {
            if !tx.is_closed() {
                drop(tx.send(work()));
            }
        };
        self.0.send(Box::new(job)).map_err(|_| NoAnswer::Failed)?;
        match timeout(limit, rx).await {
            Ok(answer) => answer.map_err(|_| NoAnswer::Failed),
            Err(_) => Err(NoAnswer::Late),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[tokio::test]
    async fn a_panic_is_no_answer_and_ends_no_thread() {
        let pool = WorkerPool::start(1).unwrap();
        assert_eq!(pool.run(LONG, || -> u8 { panic!("on purpose") }).await, Err(NoAnswer::Failed));
        assert_eq!(pool.run(LONG, || 7).await, Ok(7));
    }

    #[tokio::test]
    async fn who_waits_too_long_goes_and_is_not_worked_for() {
        let pool = WorkerPool::start(1).unwrap();
        let (go, gate) = mpsc::channel::<()>();
        let (began, begun) = oneshot::channel();
        let slow = pool.run(LONG, move || began.send(()).is_ok() && gate.recv().is_ok());
        // its asker leaves, but not before it is being worked for
        tokio::select! {
            answer = slow => unreachable!("the gate is shut: {answer:?}"),
            started = begun => started.unwrap(),
        }
        let (worked, log) = mpsc::channel();
        let behind = pool.run(Duration::from_millis(1), move || worked.send(()).is_ok());
        assert_eq!(behind.await, Err(NoAnswer::Late));
        go.send(()).unwrap();
        assert_eq!(pool.run(LONG, || 7).await, Ok(7));
        assert!(log.recv().is_err(), "its asker had left");
    }
}
