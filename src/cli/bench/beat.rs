//! Connections that only prove they are alive: visitors who look at a page and say nothing.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use anyhow::bail;
use futures_util::{StreamExt, stream};
use tokio::task::spawn_local;

use super::{
    dial::Out,
    terms::{Target, Who},
    wire::{self, op},
};
use crate::{crypto::sign::SigningKey, proto::BEAT_MS};

/// How many connect at the same time.
const AT_ONCE: usize = 64;
/// How many slices of a heartbeat there are: each connection's turn comes once in all of them.
const SLICES: u64 = 100;

/// Inactivity connections and what happened to them.
#[derive(Debug, Default)]
pub struct Inactivity {
    outs: RefCell<Vec<Out>>,
    tasks: RefCell<Vec<tokio::task::JoinHandle<()>>>,
    /// Pings answered, of either side.
    pub beats: Cell<u64>,
    /// Connections that ended by themselves.
    pub ended: Cell<u64>,
}

impl Drop for Inactivity {
    fn drop(&mut self) {
        self.tasks.borrow().iter().for_each(tokio::task::JoinHandle::abort);
    }
}

/// Random keys for visitors.
pub fn visitors(n: usize) -> Vec<SigningKey> {
    (0..n).map(|_| SigningKey::generate()).collect()
}

/// Connects these visitors, `at_once` at the same time.
pub async fn connect(
    target: &Target,
    who: &Who,
    keys: &[SigningKey],
    at_once: usize,
) -> anyhow::Result<Rc<Inactivity>> {
    let quiet = Rc::new(Inactivity::default());
    let mut failed = None;
    let connecting = keys.iter().enumerate().map(|(n, keys)| wire::connect(target, who, keys, n));
    let mut connecting = stream::iter(connecting).buffer_unordered(at_once.max(1));
    while let Some(connected) = connecting.next().await {
        match connected {
            Ok((out, input, _)) => {
                let n = quiet.outs.borrow().len();
                quiet.outs.borrow_mut().push(out);
                quiet.tasks.borrow_mut().push(spawn_local(listen(Rc::downgrade(&quiet), n, input)));
            }
            Err(e) => failed = Some(e),
        }
    }
    drop(connecting);
    match failed {
        Some(e) => bail!("{} of {} connected, then: {e}", quiet.outs.borrow().len(), keys.len()),
        None => Ok(quiet),
    }
}

/// The same with a moderate number at the same time.
pub async fn settle(target: &Target, who: &Who, keys: &[SigningKey]) -> anyhow::Result<Rc<Inactivity>> {
    connect(target, who, keys, AT_ONCE).await
}

async fn listen(quiet: std::rc::Weak<Inactivity>, n: usize, mut input: wire::In) {
    loop {
        let more = input.read(|op, payload| {
            let Some(quiet) = quiet.upgrade() else { return };
            match op {
                op::PING => {
                    let _ = quiet.outs.borrow()[n].send(&wire::frame(op::PONG, payload));
                    quiet.beats.set(quiet.beats.get() + 1);
                }
                op::TEXT if payload.starts_with(br#"{"t":"pong""#) => quiet.beats.set(quiet.beats.get() + 1),
                _ => {}
            }
        });
        if !matches!(more.await, Ok(true)) {
            if let Some(quiet) = quiet.upgrade() {
                quiet.ended.set(quiet.ended.get() + 1);
            }
            return;
        }
    }
}

/// Sends everybody's heartbeat in turn, for ever; one timer for all.
pub async fn beat(quiet: Rc<Inactivity>) {
    let ping = wire::frame(op::TEXT, br#"{"t":"ping"}"#);
    let mut ticks = tokio::time::interval(Duration::from_millis(BEAT_MS / SLICES));
    for slice in (0..SLICES as usize).cycle() {
        ticks.tick().await;
        // a socket that is gone is counted by its reader
        quiet.outs.borrow().iter().skip(slice).step_by(SLICES as usize).for_each(|out| drop(out.send(&ping)));
    }
}
