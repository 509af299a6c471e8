//! A few threads for what computes: opening, understanding, sealing. Not tokio's own, which read the disk for people.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, mpsc},
    thread,
};

use tokio::sync::oneshot;

use crate::chat::cells::lock;

type Job = Box<dyn FnOnce() + Send>;

/// They end when this is dropped.
pub(super) struct Threads(mpsc::Sender<Job>);

impl Threads {
    /// Starts `n` of them.
    pub fn start(n: usize) -> std::io::Result<Self> {
        let (sender, jobs) = mpsc::channel::<Job>();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..n {
            let jobs = jobs.clone();
            thread::Builder::new().name("robot".into()).spawn(move || {
                loop {
                    // held while waiting: one waits for the job, the others for the lock
                    let job = lock(&jobs).recv();
                    let Ok(job) = job else { return };
                    // the asker sees that no answer comes
                    let _ = catch_unwind(AssertUnwindSafe(job));
                }
            })?;
        }
        Ok(Self(sender))
    }

    /// Runs `work` on one of them; none if it panicked.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (tx, rx) = oneshot::channel();
        let job = move || drop(tx.send(work()));
        self.0.send(Box::new(job)).ok()?;
        rx.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_no_answer_and_ends_no_thread() {
        let threads = Threads::start(1).unwrap();
        assert_eq!(threads.run(|| -> u8 { panic!("on purpose") }).await, None);
        assert_eq!(threads.run(|| 7).await, Some(7));
    }
}
