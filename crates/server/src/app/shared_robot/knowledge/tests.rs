//! What is taught at one server reaches another over a real Redis, or is refused and leaves nothing behind.

use kefu_redis_link::{Link, testing::RedisServer};

use super::*;
use crate::store::redis::Options;

#[test]
fn files_are_packed_as_they_are_and_nothing_else_is_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let paths = ["head.bin", "absent", "knowledge.json"].map(|name| dir.path().join(name));
    fs::write(&paths[0], [0, b'\n', 255]).unwrap();
    fs::write(&paths[2], "{}").unwrap();
    let packed = pack(&paths).unwrap();
    let found = unpack(&packed).unwrap();
    assert_eq!(found, [("head.bin".to_owned(), &[0, b'\n', 255][..]), ("knowledge.json".to_owned(), &b"{}"[..])]);
    assert!((0..packed.len()).all(|n| unpack(&packed[..n]).is_none()));
    assert!(unpack(&[&packed[..], b"x"].concat()).is_none());
    let large = File::create(&paths[1]).unwrap();
    large.set_len(MOST).unwrap();
    assert!(pack(&paths).unwrap_err().to_string().contains("more than 16 MiB can't be shared"));
}

/// A company's database, and two servers of it with data directories of their own.
struct Two {
    redis: RedisServer,
    dirs: [tempfile::TempDir; 2],
    key: ClusterKey,
}

impl Two {
    async fn start() -> Self {
        let redis = RedisServer::start(&[]).await;
        let dirs = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for dir in &dirs {
            fs::create_dir(dir.path().join("knowledge")).unwrap();
        }
        Self { redis, dirs, key: ClusterKey::generate() }
    }

    async fn server(&self, n: usize, key: &ClusterKey) -> SharedKnowledge {
        let link = Link::connect(&self.redis.url(), self.redis.options()).await.unwrap();
        let (store, _) = RedisStore::open(link, Options { create: true, ..Options::default() }).await.unwrap();
        SharedKnowledge::new(store, key, self.dirs[n].path())
    }

    fn teach(&self, n: usize, text: &str) {
        fs::write(self.path(n), text).unwrap();
    }

    fn path(&self, n: usize) -> PathBuf {
        self.dirs[n].path().join("knowledge/knowledge.json")
    }

    fn taught(&self, n: usize) -> Option<String> {
        fs::read_to_string(self.path(n)).ok()
    }
}

#[tokio::test]
async fn what_is_published_is_fetched_and_what_is_not_published_does_not_stay() {
    let two = Two::start().await;
    let (one, other) = (two.server(0, &two.key).await, two.server(1, &two.key).await);
    one.fetch().await.unwrap();
    other.fetch().await.unwrap();
    assert_eq!(two.taught(0), None);

    // what is too large for all is on no server, also if nothing was there before
    two.teach(0, &"x".repeat(MOST as usize + 1));
    assert!(matches!(one.publish().await, Err(KnowledgeError::TooLarge(_))));
    assert_eq!(two.taught(0), None);

    two.teach(0, "first");
    one.publish().await.unwrap();
    other.follow(other.store.sealed_versions(&[KNOWLEDGE]).await.unwrap().remove(0)).await.unwrap();
    assert_eq!(two.taught(1).unwrap(), "first");
    two.teach(0, &"x".repeat(MOST as usize + 1));
    assert!(matches!(one.publish().await, Err(KnowledgeError::TooLarge(_))));
    assert_eq!(two.taught(0).unwrap(), "first");

    // both teach at once: the second is told, and has what the first taught
    two.teach(0, "second");
    two.teach(1, "third");
    one.publish().await.unwrap();
    assert!(matches!(other.publish().await, Err(KnowledgeError::Conflict)));
    assert_eq!(two.taught(1).unwrap(), "second");
    two.teach(1, "second and third");
    other.publish().await.unwrap();

    // a running server leaves the files alone while a command has them
    let files = RobotFiles::of(two.dirs[0].path());
    let lock = files::open_or_create(&files.lock(), 0o600).unwrap();
    lock.lock().unwrap();
    let version = one.store.sealed_versions(&[KNOWLEDGE]).await.unwrap().remove(0);
    one.follow(version.clone()).await.unwrap();
    assert_eq!(two.taught(0).unwrap(), "second");
    drop(lock);
    one.follow(version).await.unwrap();
    assert_eq!(two.taught(0).unwrap(), "second and third");
}

#[tokio::test]
async fn a_server_that_knew_something_before_shares_it_or_keeps_a_copy() {
    let two = Two::start().await;
    two.teach(0, "of the first");
    two.teach(1, "of the second");
    two.server(0, &two.key).await.fetch().await.unwrap();
    let other = two.server(1, &two.key).await;
    other.fetch().await.unwrap();
    assert_eq!(two.taught(1).unwrap(), "of the first");
    assert_eq!(fs::read_to_string(before(&two.path(1))).unwrap(), "of the second");

    // a server of another cluster takes nothing, and changes nothing
    let stranger = two.server(1, &ClusterKey::generate()).await;
    fs::remove_file(stranger.stamp()).unwrap();
    assert!(matches!(stranger.fetch().await, Err(KnowledgeError::Sealed)));
    assert_eq!(two.taught(1).unwrap(), "of the first");
}
