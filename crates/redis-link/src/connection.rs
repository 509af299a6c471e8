//! Commands and their replies.

use std::{fmt, sync::Arc};

use redis::{Cmd, FromRedisValue, Value, from_redis_value};

use crate::{Error, Server, wire::Wire};

/// An open connection to one process of one server, for commands. Cheap to clone; all clones share it, and what they send at the
/// same time goes out together.
///
/// It is never opened again by itself: once it has ended, every call returns [`Error::Gone`].
///
/// A future that is dropped takes nothing back: its command may still be executed.
#[derive(Clone)]
pub struct Connection {
    wire: Arc<Wire>,
    server: Arc<Server>,
}

impl Connection {
    pub(crate) fn new(wire: Wire, server: Server) -> Self {
        Self { wire: Arc::new(wire), server: Arc::new(server) }
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The server, as the handshake found it.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Sends one command. Not for those that change what a connection is: `SUBSCRIBE` and its like, `MONITOR`, `MULTI`,
    /// `CLIENT REPLY`.
    ///
    /// # Errors
    /// The server's, or the connection's. After [`Error::Timeout`] the connection has ended.
    pub async fn send(&self, cmd: &Cmd) -> Result<Value, Error> {
        self.value(self.wire.request(cmd).await?)
    }

    /// Sends one command and reads its reply as `T`.
    ///
    /// # Errors
    /// As [`Self::send`], or [`Error::Reply`].
    pub async fn query<T: FromRedisValue>(&self, cmd: &Cmd) -> Result<T, Error> {
        self.read(self.send(cmd).await?)
    }

    /// Sends all commands in one write. Each has its own result, in order; the response timeout is for all together.
    ///
    /// # Errors
    /// The connection's: then nothing is known of any of the commands.
    pub async fn pipeline(&self, pipeline: &Pipeline) -> Result<Vec<Result<Value, Error>>, Error> {
        let replies = self.wire.requests(&pipeline.0).await?;
        Ok(replies.into_iter().map(|value| self.value(value)).collect())
    }

    /// Reads a value as `T`.
    ///
    /// # Errors
    /// [`Error::Reply`].
    pub fn read<T: FromRedisValue>(&self, value: Value) -> Result<T, Error> {
        from_redis_value(value).map_err(|e| Error::Reply { address: self.wire.address().clone(), why: e.to_string() })
    }

    fn value(&self, value: Value) -> Result<Value, Error> {
        match value {
            Value::ServerError(error) => Err(Error::from_server(self.wire.address(), &error)),
            value => Ok(value),
        }
    }

    /// Whether it has not ended, as far as is known.
    pub fn is_open(&self) -> bool {
        self.wire.is_open()
    }

    /// Waits until it has ended, and says why.
    pub async fn ended(&self) -> Error {
        self.wire.ended().await
    }

    /// Ends it, for all who share it.
    pub fn end(&self, why: &str) {
        self.wire.end(why);
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("server", &self.server)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}

/// Commands that go out in one write.
#[derive(Debug, Clone, Default)]
pub struct Pipeline(redis::Pipeline);

impl Pipeline {
    /// Without commands.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a command.
    pub fn add(&mut self, cmd: Cmd) -> &mut Self {
        self.0.add_command(cmd);
        self
    }

    /// Number of commands.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Cmd> for Pipeline {
    fn from_iter<I: IntoIterator<Item = Cmd>>(commands: I) -> Self {
        let mut pipeline = Self::new();
        for cmd in commands {
            pipeline.add(cmd);
        }
        pipeline
    }
}
