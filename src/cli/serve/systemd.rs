//! What systemd passes to the service, and the notifications it expects.

use std::net::TcpListener;

use listenfd::ListenFd;
use sd_notify::NotifyState;

use crate::cli::error::CliError;

/// The listening socket of `kefu.socket`, if systemd holds one for us. Call it before there are threads: it takes the
/// variables that name the socket out of the environment.
pub fn listener() -> Result<Option<TcpListener>, CliError> {
    let mut sockets = ListenFd::from_env();
    let unusable = |what: String| {
        CliError::failure(what).hint("systemctl cat kefu.socket: one ListenStream, an address or a port")
    };
    if sockets.len() > 1 {
        return Err(unusable(format!("systemd passed {} sockets, kefu serves one", sockets.len())));
    }
    let taken = sockets.take_tcp_listener(0).and_then(|found| {
        found.iter().try_for_each(|listener| listener.set_nonblocking(true))?;
        Ok(found)
    });
    taken.map_err(|e| unusable(format!("systemd passed a socket that kefu cannot serve: {e}")))
}

/// A directory in memory that systemd made for the service, and removes when it stops.
pub fn runtime_directory() -> Option<String> {
    // several are separated by colons
    std::env::var("RUNTIME_DIRECTORY").ok()?.split(':').next().filter(|dir| dir.starts_with('/')).map(str::to_owned)
}

/// The server answers. Also feeds the watchdog from here on, if the unit has one.
pub fn ready() {
    tell(&[NotifyState::Ready]);
    if let Some(limit) = sd_notify::watchdog_enabled() {
        tokio::spawn(async move {
            let mut beat = tokio::time::interval(limit / 2);
            loop {
                beat.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
        });
    }
}

/// The server is closing its sockets.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Nothing more will come.
pub fn stopped() {
    tell(&[NotifyState::Status("stopped")]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(e) = sd_notify::notify(state) {
        tracing::debug!(error = %e, "systemd could not be notified");
    }
}
