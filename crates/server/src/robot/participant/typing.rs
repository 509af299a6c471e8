//! Shows the visitor that the robot is working on an answer, like people's typing: a bit that is not stored.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{chat::Chat, proto::ConvId};

/// Pages drop it if it is not repeated for six seconds.
const AGAIN: Duration = Duration::from_secs(4);

/// Notifies the visitor during one turn; dropping it ends that.
pub(super) struct TypingNotifier {
    chat: Arc<Chat>,
    conv: ConvId,
    /// Whether the visitor was notified: most turns find nothing to answer.
    told: Arc<AtomicBool>,
}

impl TypingNotifier {
    /// Nothing is sent yet.
    pub fn new(chat: Arc<Chat>, conv: ConvId) -> Self {
        Self { chat, conv, told: Arc::default() }
    }

    /// Sends that an answer is being prepared.
    pub fn begin(&self) -> impl Fn() + Send + 'static + use<> {
        let (chat, conv, told) = (self.chat.clone(), self.conv, self.told.clone());
        move || {
            if !told.swap(true, Ordering::Relaxed) {
                chat.robot_types(conv, true);
            }
        }
    }

    /// Waits for a part of the work, and repeats the notification while it lasts.
    pub async fn during<T>(&self, part: impl Future<Output = T>) -> T {
        let mut part = std::pin::pin!(part);
        loop {
            match tokio::time::timeout(AGAIN, &mut part).await {
                Ok(done) => return done,
                Err(_) if self.told.load(Ordering::Relaxed) => self.chat.robot_types(self.conv, true),
                Err(_) => {}
            }
        }
    }
}

impl Drop for TypingNotifier {
    fn drop(&mut self) {
        if self.told.load(Ordering::Relaxed) {
            self.chat.robot_types(self.conv, false);
        }
    }
}
