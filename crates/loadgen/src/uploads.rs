//! Visitors who send files, one after the other, beside what is measured. They have a thread of their own, so that what they send takes
//! no time of those who are timed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use kefu_client::{
    Endpoint, Opening, Reader, Writer,
    frame::{self, opcode},
    http::{Connection, Method},
};
use kefu_crypto::{
    hpke::KemSecret,
    sign::{SigningKey, random},
};
use kefu_proto::{MsgId, ServerFrame};
use tokio::{
    sync::oneshot,
    task::{LocalSet, spawn_local},
    time::{Instant, sleep_until},
};

use crate::{
    connect::welcomed,
    error::LoadError,
    pair::{answered, send},
    target::Target,
};

/// Bytes of a part: 16 sealed chunks, as the protocol has it.
const PART: u64 = 1_048_832;

/// What is sent beside a run.
#[derive(Debug, Clone, Copy)]
pub struct Uploads {
    /// Visitors who send at the same time.
    pub at_once: usize,
    /// Bytes of each file.
    pub bytes: u64,
    /// Bytes per second that all of them send together at most.
    pub rate: u64,
}

/// Uploads that go on until they are stopped.
#[derive(Debug)]
pub(crate) struct Running {
    ended: oneshot::Receiver<Result<(), LoadError>>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    sent: AtomicU64,
    stopped: AtomicBool,
}

impl Uploads {
    /// Begins to send.
    pub(crate) fn start(self, target: &Target) -> Running {
        let (target, shared) = (target.clone(), Arc::new(Shared::default()));
        let (end, ended) = oneshot::channel();
        std::thread::spawn({
            let shared = shared.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                // nobody waits for it after a failure elsewhere
                let _ = end.send(match runtime {
                    Ok(runtime) => LocalSet::new().block_on(&runtime, self.send_all(target, shared)),
                    Err(e) => Err(LoadError::Failed(format!("no runtime for uploads: {e}"))),
                });
            }
        });
        Running { ended, shared }
    }

    async fn send_all(self, target: Target, shared: Arc<Shared>) -> Result<(), LoadError> {
        // what is in it is nothing to the server
        let part = Bytes::from(vec![0x5a; PART as usize]);
        let tasks: Vec<_> = (0..self.at_once)
            .map(|n| spawn_local(self.send_files(n, target.clone(), part.clone(), shared.clone())))
            .collect();
        for task in tasks {
            task.await.map_err(|e| LoadError::Failed(e.to_string()))??;
        }
        Ok(())
    }

    /// One visitor's files.
    async fn send_files(self, n: usize, target: Target, part: Bytes, shared: Arc<Shared>) -> Result<(), LoadError> {
        let key = SigningKey::generate();
        let opening = Opening::new(&target.directory, &target.site, &key, KemSecret::generate().public())
            .map_err(|e| LoadError::Seal(e.to_string()))?;
        let (welcome, mut reader, writer) = welcomed(&target, &Endpoint::visitor(&target.site), &key, n).await?;
        let Ok(ServerFrame::Welcome { token, .. }) = serde_json::from_slice(&welcome) else {
            return Err(LoadError::Failed("a welcome has no token".to_owned()));
        };
        send(&writer, &opening.frame(1))?;
        reader.wait(|_| (), answered).await?;
        let listening = spawn_local(listen(reader, writer));
        let mut http = Connection::open(&target.address).await?;
        let pause = Duration::from_secs_f64(PART as f64 * self.at_once as f64 / self.rate.max(1) as f64);
        // not all in the same moment
        let mut next = Instant::now() + pause.mul_f64(n as f64 / self.at_once as f64);
        while !shared.stopped.load(Ordering::Relaxed) {
            let path = format!("/api/v1/conversations/{}/files/{}", opening.conv, MsgId(random()));
            let begin = Bytes::from(format!(r#"{{"size":{}}}"#, self.bytes));
            expect("the beginning of an upload", http.send(Method::POST, &path, Some(&token), begin).await?)?;
            let mut at = 0;
            while at < self.bytes && !shared.stopped.load(Ordering::Relaxed) {
                sleep_until(next).await;
                // who is late doesn't catch up
                next = next.max(Instant::now() - pause) + pause;
                let length = PART.min(self.bytes - at);
                let body = part.slice(..length as usize);
                let path = format!("{path}?at={at}");
                expect("a part of an upload", http.send(Method::PUT, &path, Some(&token), body).await?)?;
                at += length;
                shared.sent.fetch_add(length, Ordering::Relaxed);
            }
        }
        listening.abort();
        Ok(())
    }
}

impl Running {
    /// Bytes that the server has of them so far.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::Relaxed)
    }

    /// Stops them; fails if one failed.
    pub async fn stop(self) -> Result<(), LoadError> {
        self.shared.stopped.store(true, Ordering::Relaxed);
        self.ended.await.map_err(|_| LoadError::Failed("the uploads panicked".to_owned()))?
    }
}

fn expect(what: &'static str, (status, _): (u16, Bytes)) -> Result<(), LoadError> {
    if status == 200 { Ok(()) } else { Err(LoadError::Status { what, status }) }
}

/// Answers the server's pings.
async fn listen(mut reader: Reader, writer: Writer) {
    let pong = |opcode, payload: &[u8]| {
        if opcode == opcode::PING {
            let _ = writer.try_send(&frame::encode(opcode::PONG, payload));
        }
    };
    while let Ok(true) = reader.read(pong).await {}
}
