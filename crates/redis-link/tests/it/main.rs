//! This crate against real servers.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod checks;
mod cluster;
mod commands;
mod ends;
mod out_of_step;
mod sentinel;
mod single;
mod subscriptions;
mod topology;

use std::time::Duration;

use kefu_redis_link::{Connection, Connector, Error, Handshake, Options, Script, testing::RedisServer};

fn connector(server: &RedisServer) -> Connector {
    Connector::new(&server.url(), server.options()).unwrap()
}

async fn open(server: &RedisServer, scripts: &[Script]) -> Result<Connection, Error> {
    connector(server).open(&server.address(), &Handshake::primary("kefu-test").scripts(scripts)).await
}

fn patient() -> Options {
    Options { response_timeout: Duration::from_mins(1), ..Options::default() }
}
