//! What a connection must prove before it is handed out: that the server is what was looked for, new enough, and done with loading; and
//! that it has our scripts.

use std::time::Duration;

use redis::{FromRedisValue, Value, from_redis_value};

use crate::{
    Error, Reason, Role, Script, Server, Version, checks,
    info::Info,
    server::{OLDEST, read_role},
    wire::Wire,
};

/// What to say and to expect at the beginning of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Handshake<'a> {
    /// Name of the connection in `CLIENT LIST`: who opened it, and for what.
    pub name: &'a str,
    /// What the server must be.
    pub expect: Expect,
    /// Scripts to load.
    pub scripts: &'a [Script],
    /// Instead of [`Options::response_timeout`](crate::Options::response_timeout).
    pub response_timeout: Option<Duration>,
}

impl<'a> Handshake<'a> {
    /// With a primary, without scripts.
    pub fn primary(name: &'a str) -> Self {
        Self { name, expect: Expect::Primary, scripts: &[], response_timeout: None }
    }

    /// With these scripts.
    #[must_use]
    pub fn scripts(self, scripts: &'a [Script]) -> Self {
        Self { scripts, ..self }
    }

    /// With whatever is there.
    #[must_use]
    pub fn expect(self, expect: Expect) -> Self {
        Self { expect, ..self }
    }

    /// With its own response timeout.
    #[must_use]
    pub fn response_timeout(self, timeout: Duration) -> Self {
        Self { response_timeout: Some(timeout), ..self }
    }
}

/// What a server must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// A primary that has loaded its data.
    Primary,
    /// A primary or a replica, loading or not.
    Any,
    /// A Sentinel.
    Sentinel,
}

/// Introduces the connection and checks the server.
pub(crate) async fn shake(wire: &Wire, handshake: &Handshake<'_>) -> Result<Server, Error> {
    let mut hello = redis::pipe();
    // names have neither spaces nor line breaks
    let name: String = handshake.name.chars().map(|c| if c.is_ascii_graphic() { c } else { '-' }).collect();
    hello.cmd("CLIENT").arg("SETNAME").arg(name);
    hello.cmd("ROLE").cmd("INFO").arg("server").cmd("INFO").arg("persistence");
    let [named, role, server, persistence] = replies(wire, &hello).await?;
    let address = wire.address().clone();
    read::<Value>(wire, named)?;
    let role = read_role(&read(wire, role)?).ok_or_else(|| unexpected(wire, "ROLE in an unknown form"))?;
    let info = Info::parse(&read::<String>(wire, server)?);
    let persistence = Info::parse(&read::<String>(wire, persistence)?);
    let version = |field: &str| info.get(field).and_then(Version::parse);
    let server = Server {
        run_id: info.get("run_id").unwrap_or_default().to_owned(),
        version: version("redis_version").ok_or_else(|| unexpected(wire, "INFO without redis_version"))?,
        valkey: version("valkey_version"),
        address,
        role,
    };
    if server.version < OLDEST {
        return Err(Error::Unsafe(vec![checks::too_old(&server)]));
    }
    let wrong_kind =
        |message: &str| Err(Error::WrongKind { address: server.address.clone(), message: message.to_owned() });
    let refuse = |reason, message: &str| {
        Err(Error::Moved { address: server.address.clone(), reason, message: message.to_owned() })
    };
    match (handshake.expect, &server.role) {
        (Expect::Primary, Role::Primary { .. }) if persistence.get("loading").is_some_and(|loading| loading != "0") => {
            return refuse(Reason::Loading, "it has just started");
        }
        (Expect::Primary, Role::Primary { .. })
        | (Expect::Any, Role::Primary { .. } | Role::Replica { .. })
        | (Expect::Sentinel, Role::Sentinel) => {}
        (Expect::Primary, Role::Replica { of, .. }) => {
            return refuse(Reason::NotPrimary, &format!("it is a replica of {of}"));
        }
        (Expect::Primary | Expect::Any, Role::Sentinel) => {
            return wrong_kind("is a Sentinel: write redis+sentinel://HOST/NAME");
        }
        (Expect::Sentinel, _) => {
            return wrong_kind("is no Sentinel: write redis:// or redis+cluster://");
        }
    }
    load(wire, handshake.scripts).await?;
    Ok(server)
}

async fn load(wire: &Wire, scripts: &[Script]) -> Result<(), Error> {
    let mut pipeline = redis::pipe();
    for script in scripts {
        pipeline.cmd("SCRIPT").arg("LOAD").arg(script.source());
    }
    for (reply, script) in wire.requests(&pipeline).await?.into_iter().zip(scripts) {
        if read::<String>(wire, reply)? != script.sha1() {
            return Err(unexpected(wire, "a script has another hash there"));
        }
    }
    Ok(())
}

/// Sends the pipeline, whose number of commands is `N`.
async fn replies<const N: usize>(wire: &Wire, pipeline: &redis::Pipeline) -> Result<[Value; N], Error> {
    let replies = wire.requests(pipeline).await?;
    replies.try_into().map_err(|_| unexpected(wire, "another number of replies than of commands"))
}

fn read<T: FromRedisValue>(wire: &Wire, value: Value) -> Result<T, Error> {
    if let Value::ServerError(error) = &value {
        return Err(Error::from_server(wire.address(), error));
    }
    from_redis_value(value).map_err(|e| unexpected(wire, &e.to_string()))
}

fn unexpected(wire: &Wire, why: &str) -> Error {
    Error::Reply { address: wire.address().clone(), why: why.to_owned() }
}
