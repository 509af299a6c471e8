//! A visitor who sends one message after the other, and waits for each to be acknowledged: what others notice of the reading.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use kefu_client::{
    ClientError, Reader, Writer,
    frame::{self, encode, opcode},
};
use kefu_crypto::{
    envelope::{self, MessageHeader},
    sign::{SigningKey, random},
};
use kefu_proto::{ClientFrame, MsgId};
use tokio::{
    sync::Notify,
    task::{JoinHandle, spawn_local},
    time::sleep,
};

use super::record;
use crate::{
    error::LoadError,
    pair::{self, Opened},
    target::Target,
};

/// Between an acknowledgement and the next message.
const PAUSE: Duration = Duration::from_millis(20);

/// The times from sending to the acknowledgement, µs, and what is to be done.
#[derive(Debug)]
pub(super) struct Probe {
    times: RefCell<Histogram<u64>>,
    started: Notify,
    failed: Cell<bool>,
    stop: Cell<bool>,
    close: Cell<bool>,
}

impl Probe {
    pub fn new() -> Result<Self, LoadError> {
        let (failed, stop, close) = Default::default();
        Ok(Self { times: RefCell::new(Histogram::new(3)?), started: Notify::new(), failed, stop, close })
    }

    /// Resolves at the first acknowledgement.
    pub async fn started(&self) -> Result<(), LoadError> {
        self.started.notified().await;
        match self.failed.get() {
            true => Err(LoadError::Failed("no message could be sent".to_owned())),
            false => Ok(()),
        }
    }

    /// The times since the last call.
    pub fn take(&self) -> Result<Histogram<u64>, LoadError> {
        Ok(self.times.replace(Histogram::new(3)?))
    }

    /// No more messages. `close`: the conversation ends.
    pub fn stop(&self, close: bool) {
        self.close.set(close);
        self.stop.set(true);
    }

    /// Sends messages until it is stopped.
    pub async fn run(self: Rc<Self>, target: Target, agent: SigningKey, bytes: usize) -> Result<(), LoadError> {
        let sent = self.send(&target, &agent, bytes).await;
        if sent.is_err() {
            self.failed.set(true);
            self.started.notify_one();
        }
        sent
    }

    async fn send(&self, target: &Target, agent: &SigningKey, bytes: usize) -> Result<(), LoadError> {
        let Opened { conv, key, readers, writers, keys, .. } = pair::begin(target, agent).await?;
        let ([mut reader, theirs], [writer, their_writer], [visitor, _]) = (readers, writers, keys);
        let agent = Aborted(spawn_local(listen(theirs, their_writer)));
        let (body, kid, inst) = (pair::text_body(&"x".repeat(bytes)), visitor.kid(), random());
        for ctr in 0.. {
            if self.stop.get() {
                break;
            }
            let msg_id = MsgId(random());
            let header = MessageHeader {
                conv,
                epoch: 0,
                sender: kid,
                msg_id,
                inst: u32::from_be_bytes(inst),
                ctr,
                prev: [0; 16],
            };
            let sealed = envelope::seal(&header, &key, body.as_bytes(), &visitor);
            let frame = encode(opcode::BINARY, &sealed.map_err(|e| LoadError::Seal(e.to_string()))?);
            let began = Instant::now();
            writer.try_send(&frame).map_err(ClientError::Socket)?;
            acknowledged(&mut reader, &writer, frame::payload(&frame)).await?;
            record(&mut self.times.borrow_mut(), began);
            self.started.notify_one();
            sleep(PAUSE).await;
        }
        if self.close.get() {
            pair::send(&writer, &ClientFrame::Close { req: 2, conv, reason: None })?;
            sleep(PAUSE).await;
        }
        drop(agent);
        Ok(())
    }
}

/// Ends a task with whom it was for.
struct Aborted(JoinHandle<()>);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads until the record of this envelope comes.
async fn acknowledged(reader: &mut Reader, writer: &Writer, envelope: &[u8]) -> Result<(), LoadError> {
    let (mut came, mut refused) = (false, None);
    while !came {
        let more = reader.read(|opcode, payload| match opcode {
            opcode::BINARY => came |= payload.get(16..) == Some(envelope),
            opcode::PING => drop(writer.try_send(&encode(opcode::PONG, payload))),
            opcode::TEXT if payload.starts_with(br#"{"t":"error""#) => {
                refused = Some(String::from_utf8_lossy(payload).into_owned());
            }
            _ => {}
        });
        let more = more.await.map_err(ClientError::Socket)?;
        match refused.take() {
            Some(refused) => return Err(LoadError::Failed(refused)),
            None if !more => return Err(ClientError::Closed(None).into()),
            None => {}
        }
    }
    Ok(())
}

/// Answers the server's heartbeats.
async fn listen(mut reader: Reader, writer: Writer) {
    let pong = |opcode: u8, payload: &[u8]| {
        if opcode == opcode::PING {
            let _ = writer.try_send(&encode(opcode::PONG, payload));
        }
    };
    while matches!(reader.read(pong).await, Ok(true)) {}
}
