//! Connections of one store: a bounded number, kept for the next request.

use std::{io, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use parking_lot::Mutex;
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    Endpoint,
    connection::{Answer, Connection},
};

/// Requests at once; others wait.
const AT_ONCE: usize = 32;
/// For a turn.
const TURN: Duration = Duration::from_secs(10);
/// For an answer to its last byte. A part of 1 MiB takes 17 s at half a Mbit/s.
const ANSWER: Duration = Duration::from_secs(20);

/// All connections to a store.
pub struct Pool {
    pub endpoint: Endpoint,
    /// For an answer.
    pub answer: Duration,
    idle: Mutex<Vec<Connection>>,
    turns: Semaphore,
}

impl Pool {
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, answer: ANSWER, idle: Mutex::default(), turns: Semaphore::new(AT_ONCE) }
    }

    /// Asks once. A kept connection may have been closed meanwhile: then another is opened.
    pub async fn ask(&self, request: &Request<Bytes>, limit: usize) -> io::Result<Answer> {
        let late = |what: &str, limit: Duration| {
            io::Error::new(io::ErrorKind::TimedOut, format!("no {what} within {} s", limit.as_secs_f32()))
        };
        let turn = timeout(TURN, self.turns.acquire()).await.map_err(|_| late("free connection", TURN))?;
        let _turn = turn.map_err(io::Error::other)?;
        let answer = async {
            let kept = self.kept();
            if let Some(connection) = kept
                && let Ok(answer) = self.exchange(connection, request, limit).await
            {
                return Ok(answer);
            }
            self.exchange(Connection::open(&self.endpoint).await?, request, limit).await
        };
        timeout(self.answer, answer).await.map_err(|_| late("answer", self.answer))?
    }

    async fn exchange(&self, connection: Connection, request: &Request<Bytes>, limit: usize) -> io::Result<Answer> {
        let (answer, connection) = connection.exchange(request.clone().map(Full::new), limit).await?;
        self.idle.lock().extend(connection);
        Ok(answer)
    }

    /// The connection that was used last.
    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.lock();
        idle.retain(Connection::is_fresh);
        idle.pop()
    }
}
