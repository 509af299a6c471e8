//! What a server says when it must not use a database, and that it writes nothing there.

use std::{fs, path::Path, process::Command};

use kefu::data_dir::{CLUSTER_KEY, OPAQUE_SETUP};
use kefu_redis_link::{cmd, testing::RedisServer};

use super::{config_for, joined};
use crate::support::company::Company;

/// What `kefu serve` prints before it ends.
fn refused(dir: &Path, url: &str) -> String {
    fs::write(dir.join("kefu.toml"), format!("[storage]\nurl = \"{url}\"\n")).unwrap();
    let mut serve = Command::new(env!("CARGO_BIN_EXE_kefu"));
    serve.args(["serve", "--plain-http", "--listen", "127.0.0.1:0", "--data-dir"]).arg(dir);
    let ended = serve.output().unwrap();
    assert!(!ended.status.success());
    let said = String::from_utf8(ended.stderr).unwrap();
    // one sentence over several lines
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn keys(redis: &RedisServer) -> u64 {
    redis.query(&cmd("DBSIZE").take()).await
}

#[tokio::test]
async fn each_refusal_is_a_sentence_that_says_what_to_do() {
    let redis = RedisServer::start(&[]).await;
    let company = Company::found_on(&config_for(&redis)).await;
    let (url, stored) = (redis.url().to_string(), keys(&redis).await);
    assert!(stored > 1_000, "lanes have their marks");

    let dir = joined(company.path());
    let key = fs::read(dir.path().join(CLUSTER_KEY)).unwrap();
    fs::remove_file(dir.path().join(CLUSTER_KEY)).unwrap();
    let said = refused(dir.path(), &url);
    assert!(said.contains("cluster.key: copy it from the data directory of another server"), "{said}");
    fs::write(dir.path().join(CLUSTER_KEY), "nonsense").unwrap();
    let said = refused(dir.path(), &url);
    assert!(said.contains("is no cluster key: copy it again"), "{said}");
    fs::write(dir.path().join(CLUSTER_KEY), key).unwrap();

    // of another company
    let other = Company::found().await;
    fs::copy(other.path().join(OPAQUE_SETUP), dir.path().join(OPAQUE_SETUP)).unwrap();
    let said = refused(dir.path(), &url);
    assert!(said.contains("is not the one this company was created with"), "{said}");
    fs::copy(company.path().join(OPAQUE_SETUP), dir.path().join(OPAQUE_SETUP)).unwrap();
    assert_eq!(keys(&redis).await, stored);

    for (url, words) in [
        ("mysql://x", "not a storage type of this kefu"),
        ("redis://", "storage.url"),
        ("redis://127.0.0.1:1", "127.0.0.1:1"),
        ("redis+cluster://", "storage.url"),
    ] {
        let said = refused(dir.path(), url);
        assert!(said.contains(words), "{url}: {said}");
    }

    // it lost its data
    let (): () = redis.query(&cmd("FLUSHALL").take()).await;
    let said = refused(dir.path(), &url);
    assert!(said.contains("cannot open the database in redis://"), "{said}");
    assert_eq!(keys(&redis).await, 0, "a wiped database is not filled again");
}

#[tokio::test]
async fn a_redis_that_could_lose_what_is_acknowledged_is_refused_before_anything_is_written() {
    for (setting, value) in [("appendfsync", "everysec"), ("appendonly", "no"), ("maxmemory-policy", "allkeys-lru")] {
        let redis = RedisServer::start(&[(setting, value)]).await;
        let safe = RedisServer::start(&[]).await;
        let company = Company::found_on(&config_for(&safe)).await;
        let said = refused(company.path(), &redis.url().to_string());
        assert!(said.contains(setting) && said.contains("lose messages"), "{setting}: {said}");
        assert_eq!(keys(&redis).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_created_in_redis_is_found_there_by_the_next_command_and_is_not_created_twice() {
    let redis = RedisServer::start(&[]).await;
    let kefu = |dir: &Path, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_kefu"));
        command.args(args).arg("--data-dir").arg(dir);
        command
    };
    let home = tempfile::tempdir().unwrap();
    let (first, second) = (home.path().join("first"), home.path().join("second"));
    let init = |dir: &Path| {
        let mut init = kefu(dir, &["init", "--no-passphrase", "--origin", "https://www.example.com"]);
        init.env("KEFU_STORAGE__URL", redis.url().to_string()).output().unwrap()
    };
    let made = init(&first);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert!(first.join(CLUSTER_KEY).exists());
    // without the variable
    let teams = kefu(&first, &["team", "list"]).output().unwrap();
    assert!(teams.status.success(), "{}", String::from_utf8_lossy(&teams.stderr));
    assert!(String::from_utf8_lossy(&teams.stdout).contains("support"));
    assert!(!first.join("kefu.redb").exists());
    // the robot is put on its site where no server runs; its key is where all servers find it
    let robot = kefu(&first, &["robot", "on", "web"]).output().unwrap();
    assert!(robot.status.success(), "{}", String::from_utf8_lossy(&robot.stderr));
    assert!(String::from_utf8_lossy(&robot.stdout).contains("All servers of this company answer there"));
    assert!(!first.join("robot").exists());
    let status = kefu(&first, &["robot", "status"]).output().unwrap();
    assert!(String::from_utf8_lossy(&status.stdout).contains("Redis, sealed with cluster.key"));
    // the Redis has a company: nothing is left behind, not even the key of a cluster that isn't one
    let stored = keys(&redis).await;
    assert!(!init(&second).status.success());
    assert!(!second.exists());
    assert_eq!(keys(&redis).await, stored);
}
