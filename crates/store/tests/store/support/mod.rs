//! What several tests need: batches to write, disks that fail, books that are checked.

pub mod batch;
pub mod disk;
pub mod ledger;
pub mod load;
pub mod proxy;
pub mod redis;

/// Options of a store with a small cache, so that it reads from its disk, and a small log.
pub fn options() -> kefu_store::redb::Options {
    kefu_store::redb::Options { cache_bytes: 1 << 20, segment_bytes: 1 << 16, segments: 256, ..Default::default() }
}

/// The same with a checkpoint after so many bytes, and files of the log that hold few groups.
pub fn checkpoint_after(bytes: usize) -> kefu_store::redb::Options {
    kefu_store::redb::Options { checkpoint_bytes: bytes, segment_bytes: 6_000, ..options() }
}

/// Waits until a condition holds, without fixed intervals; fails after half a minute.
pub async fn until(so: impl Fn() -> bool) {
    let turns = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), turns).await.expect("waited in vain");
}
