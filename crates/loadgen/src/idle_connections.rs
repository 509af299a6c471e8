//! Connections with only heartbeats: visitors who look at a page and write nothing.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use kefu_client::{
    Endpoint, Reader, Writer,
    frame::{encode, opcode},
};
use kefu_crypto::sign::SigningKey;
use kefu_proto::BEAT_MS;
use tokio::task::{JoinHandle, spawn_local};

use crate::{connect::connect, counters::add, error::LoadError, target::Target};

/// How many connect at the same time, where nothing is measured.
pub const AT_ONCE: usize = 64;
/// How many slices of a heartbeat there are: each connection's turn comes once in all of them.
const SLICES: u64 = 100;

/// Idle connections and what happened to them. They end when this is dropped.
#[derive(Debug, Default)]
pub struct IdleConnections {
    writers: RefCell<Vec<Writer>>,
    tasks: RefCell<Vec<JoinHandle<()>>>,
    /// Pings answered, of either side.
    pub beats: Cell<u64>,
    /// Connections that ended by themselves.
    pub ended: Cell<u64>,
}

impl Drop for IdleConnections {
    fn drop(&mut self) {
        self.tasks.borrow().iter().for_each(JoinHandle::abort);
    }
}

/// Random keys for visitors.
pub fn visitor_keys(n: usize) -> Vec<SigningKey> {
    (0..n).map(|_| SigningKey::generate()).collect()
}

impl IdleConnections {
    /// Connects visitors with these keys, `at_once` at the same time.
    pub async fn open(target: &Target, keys: &[SigningKey], at_once: usize) -> Result<Rc<Self>, LoadError> {
        let (idle, endpoint) = (Rc::new(Self::default()), Endpoint::visitor(&target.site));
        let mut failed = None;
        let connecting = keys.iter().enumerate().map(|(n, key)| connect(target, &endpoint, key, n));
        let mut connecting = stream::iter(connecting).buffer_unordered(at_once.max(1));
        while let Some(connected) = connecting.next().await {
            match connected {
                Ok((reader, writer)) => {
                    let n = idle.writers.borrow().len();
                    idle.writers.borrow_mut().push(writer);
                    idle.tasks.borrow_mut().push(spawn_local(listen(Rc::downgrade(&idle), n, reader)));
                }
                Err(e) => failed = Some(e),
            }
        }
        drop(connecting);
        match failed {
            Some(e) => {
                let connected = idle.writers.borrow().len();
                Err(LoadError::Connecting { connected, all: keys.len(), why: Box::new(e.into()) })
            }
            None => Ok(idle),
        }
    }

    /// Sends the heartbeats of all connections in turn, forever; one timer for all.
    pub async fn beat(self: Rc<Self>) {
        let ping = encode(opcode::TEXT, br#"{"t":"ping"}"#);
        let mut ticks = tokio::time::interval(Duration::from_millis(BEAT_MS / SLICES));
        for slice in (0..SLICES as usize).cycle() {
            ticks.tick().await;
            // a socket that is gone is counted by its reader
            let writers = self.writers.borrow();
            writers.iter().skip(slice).step_by(SLICES as usize).for_each(|writer| drop(writer.try_send(&ping)));
        }
    }

    /// Fails if connections ended.
    pub fn check(&self) -> Result<(), LoadError> {
        match self.ended.get() {
            0 => Ok(()),
            n => Err(LoadError::Ended(n)),
        }
    }
}

async fn listen(idle: Weak<IdleConnections>, n: usize, mut reader: Reader) {
    loop {
        let more = reader.read(|opcode, payload| {
            let Some(idle) = idle.upgrade() else { return };
            match opcode {
                opcode::PING => {
                    let _ = idle.writers.borrow()[n].try_send(&encode(opcode::PONG, payload));
                    add(&idle.beats, 1);
                }
                opcode::TEXT if payload.starts_with(br#"{"t":"pong""#) => add(&idle.beats, 1),
                _ => {}
            }
        });
        if !matches!(more.await, Ok(true)) {
            if let Some(idle) = idle.upgrade() {
                add(&idle.ended, 1);
            }
            return;
        }
    }
}
