//! That the robot is at work on an answer: told to the visitor as people's typing is, a bit that is stored nowhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::{chat::Chat, proto::ConvId};

/// Pages forget it when they do not hear of it for six seconds.
const AGAIN: Duration = Duration::from_secs(4);

/// Tells the visitor during one turn; dropped, the turn is over.
pub(super) struct TypingNotifier {
    chat: Arc<Chat>,
    conv: ConvId,
    /// Whether the visitor was told: most looks at a conversation find nothing to answer.
    told: Arc<AtomicBool>,
}

impl TypingNotifier {
    /// Nobody is told yet.
    pub fn new(chat: Arc<Chat>, conv: ConvId) -> Self {
        Self { chat, conv, told: Arc::default() }
    }

    /// Tells that something is being answered.
    pub fn begin(&self) -> impl Fn() + Send + 'static + use<> {
        let (chat, conv, told) = (self.chat.clone(), self.conv, self.told.clone());
        move || {
            if !told.swap(true, Ordering::Relaxed) {
                chat.robot_types(conv, true);
            }
        }
    }

    /// Waits for a part of the work, and tells of it again while it lasts.
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
