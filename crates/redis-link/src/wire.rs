//! One multiplexed connection of the crate `redis`, its task, and its end. Here is the one place where commands go out and where
//! a connection is found to be over: closed by the other side, too slow, out of step, or given up by its owner.

use std::{sync::Arc, time::Duration};

use redis::{Cmd, RedisError, Value, aio::MultiplexedConnection};
use tokio::{sync::watch, time::timeout};

use crate::{Address, Error};

/// Why a connection ended; none while it is open.
pub(crate) type End = watch::Sender<Option<Arc<str>>>;

/// Ends a connection, unless it already has.
pub(crate) fn end(end: &End, why: &str) {
    end.send_if_modified(|ended| {
        let first = ended.is_none();
        if first {
            *ended = Some(why.into());
        }
        first
    });
}

/// A connection that is shared by those who send commands over it. Ends when the last of them lets go.
pub(crate) struct Wire {
    connection: MultiplexedConnection,
    address: Address,
    timeout: Duration,
    end: End,
}

impl Wire {
    /// Runs the connection's task until it ends or is ended.
    pub(crate) fn start(
        (connection, driver): (MultiplexedConnection, impl Future<Output = ()> + Send + 'static),
        address: Address,
        timeout: Duration,
        end_: End,
    ) -> Self {
        let (mine, mut ended) = (end_.clone(), end_.subscribe());
        tokio::spawn(async move {
            tokio::select! {
                () = driver => end(&mine, "the server closed it, or the network broke"),
                _ = ended.wait_for(Option::is_some) => {}
            }
        });
        Self { connection, address, timeout, end: end_ }
    }

    /// How it is ended by somebody who does not keep it open.
    pub(crate) fn ending(&self) -> End {
        self.end.clone()
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends one command and returns its reply, an error of the server included.
    pub(crate) async fn request(&self, cmd: &Cmd) -> Result<Value, Error> {
        let mut connection = self.connection.clone();
        self.answer(connection.send_packed_command(cmd)).await
    }

    /// Sends all commands in one write and returns a reply to each, errors of the server included.
    pub(crate) async fn requests(&self, pipeline: &redis::Pipeline) -> Result<Vec<Value>, Error> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        let mut connection = self.connection.clone();
        self.answer(connection.send_packed_commands(pipeline, 0, pipeline.len())).await
    }

    async fn answer<T>(&self, reply: impl Future<Output = Result<T, RedisError>>) -> Result<T, Error> {
        if let Some(why) = self.why() {
            return Err(self.gone(&why, false));
        }
        match timeout(self.timeout, reply).await {
            Ok(Ok(value)) => Ok(value),
            // all that comes as an error here is of the transport: errors of the server are values
            Ok(Err(error)) => {
                end(&self.end, &error.to_string());
                Err(self.gone(&self.why().unwrap_or_default(), true))
            }
            Err(_) => {
                end(&self.end, "it did not answer in time");
                Err(Error::Timeout { address: self.address.clone(), after: self.timeout })
            }
        }
    }

    /// Why it ended, if it has.
    fn why(&self) -> Option<Arc<str>> {
        self.end.borrow().clone()
    }

    pub(crate) fn is_open(&self) -> bool {
        self.end.borrow().is_none()
    }

    pub(crate) fn end(&self, why: &str) {
        end(&self.end, why);
    }

    /// Waits until it has ended.
    pub(crate) async fn ended(&self) -> Error {
        let mut end = self.end.subscribe();
        // `self` holds a sender, so that waiting can't fail
        let why = end.wait_for(Option::is_some).await.ok().and_then(|why| why.clone());
        self.gone(&why.unwrap_or_default(), false)
    }

    pub(crate) fn gone(&self, why: &str, sent: bool) -> Error {
        Error::Gone { address: self.address.clone(), why: why.to_owned(), sent }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.end("nobody uses it any more");
    }
}
