//! `kefu healthcheck`: whether the server of this data directory answers, for images without a shell.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::json;

use super::{
    admin_client,
    context::Context,
    data_dir::{self, ADMIN_SOCKET},
    error::CliError,
    io_error::io_reason,
};
use crate::app::Admin;

/// Check that the server of this data directory answers; exit code 1 if not
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long to wait for an answer
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=600))]
    timeout: u16,
}

impl Args {
    /// Runs the command. Asks the admin socket where the server listens, and then there, as a client would: over HTTP, which
    /// `/healthz` answers on the port of TLS, too.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        let limit = Duration::from_secs(self.timeout.into());
        let listen = listening(ctx, limit)?;
        let at = reachable(listen);
        healthy(at, limit).map_err(|why| {
            CliError::failure(format!("the server at {at} does not answer: {why}"))
                .hint("read its log; kefu doctor looks for problems")
        })?;
        ctx.say(json!({"healthy": true, "listen": listen.to_string()}), format!("ok: the server answers on {listen}"));
        Ok(())
    }
}

/// The address that the running server listens on.
fn listening(ctx: &Context, limit: Duration) -> Result<SocketAddr, CliError> {
    let silent = |why: &str| {
        CliError::failure(format!("no server answers in {}: {why}", ctx.data_dir.display()))
            .hint("kefu serve starts it")
    };
    let runtime = admin_client::runtime()?;
    let ask = Admin::Remote(ctx.file(ADMIN_SOCKET));
    let asked = runtime.block_on(async { tokio::time::timeout(limit, ask.call("GET", "/admin/version", None)).await });
    let answer = asked.map_err(|_| silent("timed out"))?.map_err(|e| silent(&e.to_string()))?;
    answer["listen"]
        .as_str()
        .and_then(|at| at.parse().ok())
        .ok_or_else(|| silent("it reports no address; is it another version?"))
}

/// "All addresses" as one of this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

fn healthy(at: SocketAddr, limit: Duration) -> Result<(), String> {
    let failed = |e: std::io::Error| io_reason(&e);
    let mut stream = TcpStream::connect_timeout(&at, limit).map_err(failed)?;
    stream.set_read_timeout(Some(limit)).and_then(|()| stream.set_write_timeout(Some(limit))).map_err(failed)?;
    stream
        .write_all(format!("GET /healthz HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").as_bytes())
        .map_err(failed)?;
    // kefu's answers are short
    let mut answer = String::new();
    stream.take(4_096).read_to_string(&mut answer).map_err(failed)?;
    match answer.starts_with("HTTP/1.1 200 ") {
        true => Ok(()),
        false => Err(answer
            .lines()
            .next()
            .map_or_else(|| "it closed the connection".to_owned(), |line| format!("it answered {line:?}"))),
    }
}
