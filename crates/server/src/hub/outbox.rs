//! The outbox of one socket: frames in order, bounded in bytes, drained whole.

use std::{
    collections::VecDeque,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Instant,
};

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use crate::proto::CloseCode;

/// Bytes that may wait for one socket; beyond it the socket is closed as slow.
const BUDGET: usize = 256 * 1024;

/// One WebSocket frame, encoded once and shared by all that get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// A binary frame: a record.
    Record(Bytes),
    /// A text frame of JSON.
    Text(Bytes),
}

impl Frame {
    /// A text frame.
    pub fn text(json: String) -> Self {
        Self::Text(Bytes::from(json))
    }

    /// The payload.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Record(b) | Self::Text(b) => b,
        }
    }
}

#[derive(Debug, Default)]
struct Inner {
    frames: VecDeque<Frame>,
    bytes: usize,
    close: Option<CloseCode>,
    beat: bool,
    /// The session, while it waits.
    waker: Option<Waker>,
}

impl Inner {
    fn take(&mut self) -> Drained {
        self.bytes = 0;
        // taking the buffer, not copying out of it: an idle socket then holds no memory for past bursts
        let (frames, beat) = (std::mem::take(&mut self.frames), std::mem::take(&mut self.beat));
        Drained { frames, close: self.close, beat }
    }
}

/// Frames waiting to be written to one socket.
#[derive(Debug, Default)]
pub struct Outbox {
    inner: Mutex<Inner>,
    /// When this socket last sent an envelope, µs of the process; 0 for none that is not answered.
    posted: AtomicU64,
}

/// Microseconds since the first call; never 0.
fn process_micros() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_micros() as u64 + 1
}

/// What [`Outbox::drain`] took.
#[derive(Debug)]
pub struct Drained {
    /// To be written in this order, with one flush.
    pub frames: VecDeque<Frame>,
    /// Then close with this code.
    pub close: Option<CloseCode>,
    /// The socket was silent for a heartbeat.
    pub beat: bool,
}

impl Outbox {
    /// Adds a frame, or turns the socket into a closing one if the budget is spent.
    pub fn push(&self, frame: Frame) {
        let mut inner = self.lock();
        if inner.close.is_some() {
            return;
        }
        inner.bytes += frame.bytes().len();
        if inner.bytes > BUDGET {
            // what it missed it gets by resuming; keeping a part would only make it slower
            inner.frames = VecDeque::new();
            inner.close = Some(CloseCode::Slow);
        } else {
            inner.frames.push_back(frame);
        }
        wake(inner);
    }

    /// Asks the socket to write what waits and close. The first code wins.
    pub fn close(&self, code: CloseCode) {
        let mut inner = self.lock();
        inner.close.get_or_insert(code);
        wake(inner);
    }

    /// Tells the session that nothing came from the peer for a heartbeat.
    pub fn beat(&self) {
        let mut inner = self.lock();
        inner.beat = true;
        wake(inner);
    }

    /// Takes everything that waits, once there is something.
    pub fn poll_drain(&self, cx: &mut Context<'_>) -> Poll<Drained> {
        let mut inner = self.lock();
        if inner.frames.is_empty() && inner.close.is_none() && !inner.beat {
            match &mut inner.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return Poll::Pending;
        }
        Poll::Ready(inner.take())
    }

    /// Takes everything that waits now.
    pub fn drain(&self) -> Drained {
        self.lock().take()
    }

    /// An envelope came in: starts the clock of the delivery latency.
    pub fn posted(&self) {
        self.posted.store(process_micros(), Ordering::Relaxed);
    }

    /// Microseconds since [`Outbox::posted`], once.
    pub fn since_posted(&self) -> Option<u64> {
        let at = self.posted.swap(0, Ordering::Relaxed);
        (at != 0).then(|| process_micros().saturating_sub(at))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock()
    }
}

fn wake(mut inner: MutexGuard<'_, Inner>) {
    let waker = inner.waker.take();
    drop(inner);
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_full_outbox_closes_as_slow_and_drops_what_waits() {
        let outbox = Outbox::default();
        for _ in 0..5 {
            outbox.push(Frame::Record(Bytes::from(vec![0; 60 * 1024])));
        }
        let drained = poll_fn(|cx| outbox.poll_drain(cx)).await;
        assert_eq!(drained.close, Some(CloseCode::Slow));
        assert!(drained.frames.is_empty());
    }

    #[tokio::test]
    async fn draining_makes_room() {
        let outbox = Outbox::default();
        for _ in 0..20 {
            outbox.push(Frame::Record(Bytes::from(vec![0; 60 * 1024])));
            assert_eq!(outbox.drain().frames.len(), 1);
        }
        outbox.close(CloseCode::GoingAway);
        outbox.close(CloseCode::Slow);
        assert_eq!(outbox.drain().close, Some(CloseCode::GoingAway));
    }
}
