//! What systemd wants to hear, if it listens.

use sd_notify::NotifyState;

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

/// The server says goodbye to its sockets.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Nothing more will come.
pub fn stopped() {
    tell(&[NotifyState::Status("stopped")]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(e) = sd_notify::notify(state) {
        tracing::debug!(error = %e, "systemd could not be told");
    }
}
