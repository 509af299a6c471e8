//! Whether the company is being moved away from under a running server: then it sends its clients away, and ends when the company is
//! somewhere else.

use std::time::Duration;

use kefu_redis_link::Link;
use tokio::{sync::watch, time::sleep};

use crate::store::redis::{RawDatabase, Standing};

/// How often a shared database is asked.
const LOOK: Duration = Duration::from_millis(250);
/// So long a server waits when the company has gone: the command that moved it writes the new place into the configuration, which the
/// next start reads.
const AFTER: Duration = Duration::from_secs(1);

/// Asks a shared database. Never ends by itself.
pub(super) async fn watch_shared(link: Link, prefix: String, standing: watch::Sender<Standing>) {
    loop {
        // one that does not answer is not the one that says so
        if let Ok(raw) = RawDatabase::connect(link.clone(), &prefix).await {
            while let Ok(now) = raw.standing().await {
                standing.send_if_modified(|before| {
                    let other = *before != now;
                    *before = now;
                    other
                });
                sleep(LOOK).await;
            }
        }
        sleep(LOOK).await;
    }
}

/// Waits until the company is somewhere else, and says where.
pub(super) async fn moved(mut standing: watch::Receiver<Standing>) -> String {
    loop {
        let now = standing.borrow_and_update().clone();
        if let Standing::Moved(to) = now {
            sleep(AFTER).await;
            return to;
        }
        if standing.changed().await.is_err() {
            // whoever could say so is gone, and the server with it
            std::future::pending::<()>().await;
        }
    }
}
