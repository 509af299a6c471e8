//! Opens connections to a given address: TCP, TLS, signing in, handshake.

use std::{sync::Arc, time::Duration};

use redis::{
    AsyncConnectionConfig, ErrorKind, ProtocolVersion, RedisConnectionInfo, RedisError, aio::MultiplexedConnection,
};
use tokio::{sync::watch, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{
    Address, Connection, Error, Expect, Handshake, Options, Password, Place, Pushes, SettingsError, Subscriber, Url,
    handshake,
    mailbox::Mailbox,
    stream,
    wire::{End, Wire},
};

/// How to open connections. Cheap to clone.
#[derive(Clone)]
pub struct Connector(Arc<Settings>);

struct Settings {
    tls: Option<TlsConnector>,
    user: Option<String>,
    password: Option<Password>,
    database: u32,
    options: Options,
}

impl Connector {
    /// Checks the settings; connects to nothing.
    ///
    /// # Errors
    /// Settings that can't be right.
    pub fn new(url: &Url, options: Options) -> Result<Self, SettingsError> {
        let password = match (&url.password, &options.password) {
            (Some(_), Some(_)) => return Err(SettingsError::TwoPasswords),
            (one, other) => one.as_ref().or(other.as_ref()).cloned(),
        };
        if password.iter().chain(&options.sentinel_password).any(Password::is_empty) {
            return Err(SettingsError::EmptyPassword);
        }
        if url.user.is_some() && password.is_none() {
            return Err(SettingsError::NoPassword);
        }
        let tls = match (url.tls, &options.ca) {
            (false, None) => None,
            (false, Some(_)) => {
                return Err(SettingsError::NotEncrypted(Url { tls: true, ..url.clone() }.to_string()));
            }
            (true, None) => return Err(SettingsError::NoAuthority(url.to_string())),
            (true, Some(ca)) => Some(stream::tls(ca)?),
        };
        let database = if let Place::Server(_, database) = url.place { database } else { 0 };
        Ok(Self(Arc::new(Settings { tls, user: url.user.clone(), password, database, options })))
    }

    /// Whether connections are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.0.tls.is_some()
    }

    /// The same without user and password: to see whether a server lets in anybody.
    pub(crate) fn anonymous(&self) -> Self {
        let options = Options { sentinel_password: None, ..self.0.options.clone() };
        let tls = self.0.tls.clone();
        Self(Arc::new(Settings { tls, user: None, password: None, database: self.0.database, options }))
    }

    /// Opens a connection for commands.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Refused`], [`Error::Moved`] if the server is not what is expected or loads its data,
    /// [`Error::Unsafe`] if it is too old.
    pub async fn open(&self, address: &Address, handshake: &Handshake<'_>) -> Result<Connection, Error> {
        let config = AsyncConnectionConfig::new();
        let (wire, server) = self.shake(address, handshake, config, watch::Sender::default()).await?;
        Ok(Connection::new(wire, server))
    }

    /// Opens a connection for subscriptions. [`Pushes`] ends with it.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn subscribe(&self, address: &Address, handshake: &Handshake<'_>) -> Result<(Subscriber, Pushes), Error> {
        let end: End = watch::Sender::default();
        let (mailbox, receiver) = Mailbox::new(self.0.options.pushes, end.clone());
        let sender = mailbox.clone();
        let config = AsyncConnectionConfig::new().set_push_sender(move |push| {
            sender.take(push);
            Ok::<(), ()>(())
        });
        let (wire, server) = self.shake(address, handshake, config, end).await?;
        Ok(Subscriber::new(wire, server, mailbox, receiver))
    }

    async fn shake(
        &self,
        address: &Address,
        handshake: &Handshake<'_>,
        config: AsyncConnectionConfig,
        end: End,
    ) -> Result<(Wire, crate::Server), Error> {
        let limit = self.0.options.connect_timeout;
        let work = async {
            let wire = self.wire(address, handshake, config, end).await?;
            let server = handshake::shake(&wire, handshake).await?;
            Ok((wire, server))
        };
        let late = |_| unreachable(address, format!("no answer within {} ms", limit.as_millis()));
        timeout(limit, work).await.map_err(late)?
    }

    async fn wire(
        &self,
        address: &Address,
        handshake: &Handshake<'_>,
        config: AsyncConnectionConfig,
        end: End,
    ) -> Result<Wire, Error> {
        let stream =
            stream::connect(address, self.0.tls.as_ref()).await.map_err(|e| unreachable(address, e.to_string()))?;
        // the timeout is ours: it ends the connection, so that no late reply is ever waited for
        let config = config.set_response_timeout(None);
        let parts = MultiplexedConnection::new_with_config(&self.identity(handshake.expect), stream, config)
            .await
            .map_err(|e| self.not_signed_in(address, handshake.expect, &e))?;
        let limit: Duration = handshake.response_timeout.unwrap_or(self.0.options.response_timeout);
        Ok(Wire::start(parts, address.clone(), limit, end))
    }

    /// Who signs in. Sentinels have users, passwords and databases of their own.
    fn identity(&self, expect: Expect) -> RedisConnectionInfo {
        let settings = &self.0;
        let info = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_skip_set_lib_name();
        let (user, password, database) = if expect == Expect::Sentinel {
            (None, settings.options.sentinel_password.as_ref(), 0)
        } else {
            (settings.user.as_ref(), settings.password.as_ref(), settings.database)
        };
        let info = if let Some(user) = user { info.set_username(user) } else { info };
        let info = if let Some(password) = password { info.set_password(password.reveal()) } else { info };
        info.set_db(database.into())
    }

    fn not_signed_in(&self, address: &Address, expect: Expect, error: &RedisError) -> Error {
        let message = [error.code(), error.detail()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let own = if expect == Expect::Sentinel {
            "; Sentinels have a password of their own, which is in the file that sentinel_password_file names"
        } else {
            ""
        };
        match (error.kind(), error.code()) {
            (ErrorKind::Server(_) | ErrorKind::Extension | ErrorKind::AuthenticationFailed, _)
                if !message.is_empty() =>
            {
                Error::Refused { address: address.clone(), message: message + own }
            }
            (ErrorKind::AuthenticationFailed, _) => {
                Error::Refused { address: address.clone(), message: format!("{error}{own}") }
            }
            _ if self.0.tls.is_none() => unreachable(address, format!("{error}; does it expect TLS (rediss://)?")),
            _ => unreachable(address, error.to_string()),
        }
    }
}

fn unreachable(address: &Address, why: String) -> Error {
    Error::Unreachable { address: address.clone(), why }
}
