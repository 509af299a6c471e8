//! Work that must not end with the client who asked for it, and work that must not delay sockets.

use crate::{chat::RequestError, proto::ErrorCode};

/// Runs what changes something in a task of its own. When a client hangs up, hyper drops what answers it; an entry of
/// the directory would then be on disk and not in memory, and no other could follow it until a restart.
pub(super) async fn run_detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, RequestError>> + Send + 'static,
) -> Result<T, RequestError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(_) => Err(RequestError::new(ErrorCode::Storage, "the server could not finish this; try again")),
    }
}

/// Runs something that touches the disk where it delays no socket.
pub(super) async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RequestError> + Send + 'static,
) -> Result<T, RequestError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(RequestError::new(ErrorCode::Storage, "the server is stopping; try again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_begun_ends_though_nobody_waits_for_it() {
        let (begun, at_begin) = tokio::sync::oneshot::channel();
        let (go, gate) = tokio::sync::oneshot::channel::<()>();
        let (done, at_end) = tokio::sync::oneshot::channel();
        let caller = tokio::spawn(run_detached(async move {
            let _ = begun.send(());
            let _ = gate.await;
            let _ = done.send(());
            Ok(())
        }));
        at_begin.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        at_end.await.unwrap();
    }
}
