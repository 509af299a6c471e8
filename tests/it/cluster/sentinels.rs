//! Redis behind Sentinels that ask for a password of their own.

use std::{fs, path::Path, process::Command};

use kefu::data_dir::CONFIG;
use kefu_redis_link::testing::{RedisServer, Sentinels};

use crate::support::{
    company::Company,
    peer::Peer,
    server::{Server, config},
};

/// What a command prints, in one line, and whether it succeeded.
fn kefu(data: &Path, args: &[&str]) -> (bool, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_kefu")).args(args).arg("--data-dir").arg(data).output().unwrap();
    let text = [out.stdout, out.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    (out.status.success(), text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_is_served_through_sentinels_with_a_password_and_a_wrong_one_is_explained() {
    let redis = RedisServer::start(&[("requirepass", "of-redis")]).await;
    let sentinels = Sentinels::start_with_password(&redis, "of-the-sentinels").await;
    let secrets = tempfile::tempdir().unwrap();
    let [redis_file, right, wrong] = [("redis", "of-redis\n"), ("right", "of-the-sentinels\n"), ("wrong", "guessed\n")]
        .map(|(name, text)| {
            let path = secrets.path().join(name);
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        });
    let mut config = config();
    let hosts: Vec<String> = (0..3).map(|number| sentinels.address(number).to_string()).collect();
    config.storage.url = format!("redis+sentinel://{}/{}", hosts.join(","), kefu_redis_link::testing::MASTER);
    config.storage.password_file = redis_file;
    config.storage.sentinel_password_file = right;
    let company = Company::found_on(&config).await;
    let server = Server::start(&company, config.clone()).await;
    let mut visitor = Peer::visitor(&server).await;
    let conv = visitor.open().await;
    visitor.say(conv, "through Sentinels").await;
    server.stopped().await;

    for (file, words) in [
        (&config.storage.sentinel_password_file, None),
        (&wrong, Some("which is in the file that sentinel_password_file names")),
        (&String::new(), Some("which is in the file that sentinel_password_file names")),
        (&"/nowhere".to_owned(), Some("cannot read /nowhere, the password of the Sentinels")),
    ] {
        let storage = kefu::config::Storage { sentinel_password_file: file.clone(), ..config.storage.clone() };
        fs::write(company.path().join(CONFIG), kefu::config::template(None, &storage)).unwrap();
        let (_, doctor) = kefu(company.path(), &["doctor"]);
        let (listed, teams) = kefu(company.path(), &["team", "list"]);
        match words {
            None => assert!(listed && !doctor.contains("Sentinel does not answer"), "{doctor} {teams}"),
            Some(words) => {
                assert!(!listed && teams.contains(words), "{teams}");
                assert!(doctor.contains(words), "{doctor}");
            }
        }
    }
}
