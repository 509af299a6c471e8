//! Signals: the first asks for a graceful stop, the second ends the process.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

use super::systemd;

/// Resolves at the first SIGTERM or SIGINT. SIGHUP is taken and ignored: a closed terminal must not end a server.
pub fn shutdown() -> io::Result<impl Future<Output = ()>> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::spawn(async move { while hup.recv().await.is_some() {} });
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
        tracing::info!("stopping; a second signal stops immediately");
        systemd::stopping();
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            #[expect(clippy::disallowed_methods, reason = "asked for twice; what was acknowledged is on disk already")]
            std::process::exit(130);
        });
    })
}
