//! What runs beside the answers for as long as the server does. None of these tasks ends by itself; a server in which one did
//! would only seem to work, so [`Tasks::ended`] ends it.

use std::{future::Future, sync::Arc, time::Duration};

use futures_util::future::select_all;
use tokio::{task::JoinHandle, time::timeout};

use crate::{
    chat::Chat,
    org::Org,
    proto::StorageState,
    store::{redb::RedbStore, redis::RedisStore},
    telemetry::Metrics,
};

/// How often the free disk space is read.
const DISK: Duration = Duration::from_millis(500);
/// How often changes by other servers are looked for; they are announced, too.
const POLL: Duration = Duration::from_secs(5);
/// A day.
const DAY: Duration = Duration::from_hours(24);

/// The background tasks of a server, each with its name.
#[derive(Default)]
pub(super) struct Tasks(Vec<(&'static str, JoinHandle<()>)>);

impl Tasks {
    /// Starts one.
    pub fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.0.push((name, tokio::spawn(task)));
    }

    /// Waits until one has ended, which is a fault, and returns its name.
    pub async fn ended(&mut self) -> &'static str {
        let (_, first, _) = select_all(self.0.iter_mut().map(|(_, task)| task)).await;
        self.0[first].0
    }

    /// Stops them all.
    pub fn stop(&self) {
        self.0.iter().for_each(|(_, task)| task.abort());
    }
}

/// Watches the free disk space and reports changes. Never ends by itself.
pub(super) async fn watch_disk(disk: Arc<RedbStore>, chat: Arc<Chat>, metrics: Arc<Metrics>) {
    let mut changes = disk.disk_changes();
    let mut told = disk.disk().state;
    loop {
        let looked = disk.clone();
        // a disk may take its time to answer
        if let Ok(space) = tokio::task::spawn_blocking(move || looked.look_at_disk()).await {
            metrics.storage_state.set(space.state as u64);
            metrics.unsettled_bytes.set(disk.unsettled().bytes as u64);
            metrics.disk_free_bytes.set(space.free);
            metrics.disk_reserve_bytes.set(space.reserve);
            if std::mem::replace(&mut told, space.state) != space.state {
                chat.storage_changed(space.state).await;
            }
        }
        let _ = timeout(DISK, changes.changed()).await;
    }
}

/// Reports when Redis has too little memory left, or enough again. Never ends by itself.
pub(super) async fn watch_memory(redis: Arc<RedisStore>, chat: Arc<Chat>, metrics: Arc<Metrics>) {
    let mut memory = redis.memory();
    let mut told = StorageState::Ok;
    loop {
        let space = *memory.borrow_and_update();
        metrics.storage_state.set(space.state as u64);
        if std::mem::replace(&mut told, space.state) != space.state {
            let (free_mb, total_mb) = (space.free >> 20, space.total >> 20);
            match space.state {
                StorageState::Ok => tracing::info!(free_mb, total_mb, "storage: everything is stored again"),
                StorageState::Low => tracing::warn!(
                    free_mb,
                    total_mb,
                    "storage: the memory of Redis (maxmemory) is almost used up; visitors' messages are refused: raise it or add a shard"
                ),
                StorageState::Full => tracing::error!(
                    free_mb,
                    total_mb,
                    "storage: the memory of Redis (maxmemory) is used up; nothing is stored: raise it or add a shard"
                ),
            }
            chat.storage_changed(space.state).await;
        }
        // the store lives as long as this task, and with it the other end
        let _ = memory.changed().await;
    }
}

/// Reports to conversations what enters the key directory, and whose term to be confirmed has ended. Never ends by itself.
pub(super) async fn watch_directory(chat: Arc<Chat>, org: Arc<Org>) {
    let mut watch = org.watch();
    let mut poll = tokio::time::interval(POLL);
    loop {
        // looked at once a day, as clocks are set
        let end = org.next_unconfirmed_end();
        let wait = end.map_or(DAY, |end| DAY.min(Duration::from_millis(end.saturating_sub(org.now_ms()) + 1)));
        tokio::select! {
            changed = watch.changed() => if changed.is_err() { return },
            _ = poll.tick() => {
                if let Err(e) = org.refresh().await {
                    tracing::error!(error = %e, "what another server changed in the company can't be read");
                }
                continue;
            }
            // the log has no new entry, but the term of an unconfirmed person has ended
            () = tokio::time::sleep(wait) => if end.is_none_or(|end| org.now_ms() <= end) { continue },
        }
        chat.directory_changed(*watch.borrow_and_update());
    }
}
