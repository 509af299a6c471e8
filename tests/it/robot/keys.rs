//! Its keys: which are accepted, when they are gone, and what their absence does.

use std::{fs, os::unix::fs::PermissionsExt as _};

use kefu::crypto::{
    botkey::{MAX_DAY_KEY_MS, SignedDayKey},
    hash::BoxKind,
};

use super::*;

#[tokio::test]
async fn a_site_without_a_robot_lets_none_in_and_serves_no_key() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    assert!(day_key(&server, "s2").await.is_none());
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "hi").await;
    hear_robot(&mut visitor, conv, 1).await;
    let day = day_key(&server, "s1").await.unwrap();
    assert_eq!(fs::metadata(key_file(&server.company, "")).unwrap().permissions().mode() & 0o777, 0o700);
    for name in ["sign.key", "day.keys"] {
        assert_eq!(fs::metadata(key_file(&server.company, name)).unwrap().permissions().mode() & 0o777, 0o600);
    }

    robot_off(&server.company, &["s1"]).await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert!(day_key(&server, "s1").await.is_none());
    assert_eq!(fs::read_dir(key_file(&server.company, "")).unwrap().count(), 0, "nothing here can read any more");
    let (_, frame) = opening(&visitor, Some(day.x.0));
    assert_eq!(visitor.ask(frame).await.unwrap_err().0, ErrorCode::DirectoryStale);
    let person = next_epoch(&mut visitor, conv, None);
    visitor.post(person).await.unwrap();
    visitor.say(conv, "to people").await;
    assert_eq!(engine.heard(), ["hi"]);
    assert_eq!(robot_on(&server.company, &["s1", "s2"]).await.as_str(), "robot-2");
    assert!(day_key(&server, "s2").await.is_some());
}

#[tokio::test]
async fn a_box_for_any_other_key_is_refused() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let mut visitor = Peer::visitor(&server).await;
    let day = day_key(&server, "s1").await.unwrap();
    let foreign = KemSecret::generate().public();
    let (_, frame) = opening(&visitor, Some(foreign));
    assert_eq!(visitor.ask(frame).await.unwrap_err().0, ErrorCode::DirectoryStale);
    let mut other_site = Peer::connect(&server, &crate::support::peer::Me::visitor("s2")).await;
    let (_, frame) = opening(&other_site, Some(day.x.0));
    assert_eq!(other_site.ask(frame).await.unwrap_err().0, ErrorCode::DirectoryStale, "s2 has no robot");
    let conv = open_with_robot(&server, &mut visitor).await;
    let ann = next_epoch(&mut visitor, conv, Some(foreign));
    assert_eq!(visitor.post(ann).await.unwrap_err().0, ErrorCode::DirectoryStale);
    // the next epoch with the robot is the visitor's to make while it is the owner
    let ann = next_epoch(&mut visitor, conv, Some(day.x.0));
    visitor.post(ann).await.unwrap();
    visitor.say(conv, "in epoch 1").await;
    assert_eq!(hear_robot(&mut visitor, conv, 1).await[0]["text"], "re: in epoch 1");
    assert_eq!(visitor.view(conv).owner, Owner::Robot);
}

#[tokio::test]
async fn a_key_whose_time_is_over_is_gone_and_what_was_sealed_to_it_stays_shut() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "yesterday").await;
    hear_robot(&mut visitor, conv, 1).await;
    let ann = RecordView::parse(&visitor.view(conv).records[1]).unwrap().body.to_vec();
    let stolen = secrets(&server.company);
    assert!(
        stolen.iter().any(|key| announcement::open(&ann, BoxKind::Bot, key).is_ok()),
        "a thief of today reads today"
    );
    let (me, views) = (visitor.me.clone(), visitor.views);
    let company = server.stopped().await;

    // two days pass: the same key, signed as one whose end is now
    let (key, sk) = (signing_key(&company), fs::read_to_string(key_file(&company, "day.keys")).unwrap());
    let mut file: Value = serde_json::from_str(&sk).unwrap();
    let signed: SignedDayKey = serde_json::from_value(file["keys"][0].clone()).unwrap();
    let said = signed.read().unwrap();
    let over = DayKey { at: now_ms() - MAX_DAY_KEY_MS, until: now_ms() - 1, ..said };
    let signed = serde_json::to_value(SignedDayKey::make(&over, &key)).unwrap();
    (file["keys"][0]["raw"], file["keys"][0]["sig"]) = (signed["raw"].clone(), signed["sig"].clone());
    fs::write(key_file(&company, "day.keys"), file.to_string()).unwrap();

    let server = Server::start_with(&company, config(), Some(engine.clone())).await;
    let now = secrets(&company);
    assert_eq!(now.len(), 1, "the next key is there, the old one is not");
    let backup = fs::read_to_string(key_file(&company, "day.keys")).unwrap();
    for key in &stolen {
        assert!(!backup.contains(&b64u(key.bytes())));
    }
    for key in &now {
        assert!(announcement::open(&ann, BoxKind::Bot, key).is_err(), "today's files open nothing of yesterday");
    }
    // the robot itself can't read it either, so people take over
    let mut visitor = Peer::connect(&server, &me).await;
    visitor.views = views;
    visitor.follow(conv).await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    assert_eq!(engine.heard(), ["yesterday"]);
    // a widget with the old key asks again
    let (_, frame) = opening(&visitor, Some(over.x.0));
    assert_eq!(visitor.ask(frame).await.unwrap_err().0, ErrorCode::DirectoryStale);
    open_with_robot(&server, &mut visitor).await;
}

#[tokio::test]
async fn rotating_at_once_sends_its_conversations_to_people() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "hello").await;
    hear_robot(&mut visitor, conv, 1).await;
    let old = secrets(&server.company);
    admin(&server.company, "POST", "/admin/robot/rotate").await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    let new = secrets(&server.company);
    assert_eq!(new.len(), 1);
    assert!(old.iter().all(|o| o.bytes() != new[0].bytes()));
    let (mut again, conv) = with_robot(&server).await;
    again.say(conv, "hi").await;
    hear_robot(&mut again, conv, 1).await;
}

#[tokio::test]
async fn a_damaged_file_switches_the_robot_off_and_nothing_else() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    visitor.say(conv, "hi").await;
    hear_robot(&mut visitor, conv, 1).await;
    let (me, views) = (visitor.me.clone(), visitor.views);
    let company = server.stopped().await;
    fs::write(key_file(&company, "sign.key"), "{").unwrap();
    let server = Server::start_with(&company, config(), Some(engine.clone())).await;
    assert!(day_key(&server, "s1").await.is_none());
    let mut visitor = Peer::connect(&server, &me).await;
    visitor.views = views;
    visitor.follow(conv).await;
    visitor.until(conv, |v| v.owner == Owner::Queue).await;
    let trouble = admin(&company, "GET", "/admin/robot").await["trouble"].as_str().unwrap().to_owned();
    assert!(trouble.contains("sign.key is damaged"), "{trouble}");
    let mut other = Peer::visitor(&server).await;
    let conv = other.open().await;
    other.say(conv, "people go on").await;
}

#[tokio::test]
async fn its_keys_and_its_status_are_behind_no_door_of_the_network() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let boss = Peer::agent(&server, "boss").await;
    for path in ["/admin/robot", "/admin/robot/prepare", "/admin/robot/rotate", "/api/v1/robot", "/robot/day.keys"] {
        for method in ["GET", "POST"] {
            let auth = [("authorization", format!("Bearer {}", boss.token))];
            let auth: Vec<(&str, &str)> = auth.iter().map(|(k, v)| (*k, v.as_str())).collect();
            let answer = http::ask(server.addr, method, path, &auth, "").await.unwrap();
            assert!(matches!(answer.status, 404 | 405), "{method} {path}: {}", answer.status);
        }
    }
    // what every visitor gets holds only public parts
    let site = http::get(server.addr, "/api/v1/site/s1", "").await.unwrap();
    let text = String::from_utf8(site.body.to_vec()).unwrap();
    for key in secrets(&server.company) {
        assert!(!text.contains(&b64u(key.bytes())));
    }
}

/// Hands an announcement back, as after a backup was put in the place of the database.
async fn restore(visitor: &mut Peer, conv: ConvId, ann: Vec<u8>) -> Result<(), ErrorCode> {
    let envelopes = vec![b64u(&ann)];
    let asked = visitor.ask(|req| ClientFrame::Restore { req, conv, envelopes: envelopes.clone() }).await;
    asked.map_err(|(code, _)| code)
}

#[tokio::test]
async fn an_epoch_for_a_day_key_that_is_gone_is_taken_back_and_people_take_over() {
    let engine = Script::new();
    let server = server_with(&engine).await;
    let (mut visitor, conv) = with_robot(&server).await;
    let gone = KemSecret::generate().public();
    server.company.learn_day(hash::box_kid(BoxKind::Bot, &gone), gone);
    let ann = next_epoch(&mut visitor, conv, Some(gone));
    assert_eq!(visitor.post(ann.clone()).await.unwrap_err().0, ErrorCode::DirectoryStale);
    assert_eq!(restore(&mut visitor, conv, ann).await, Ok(()));
    visitor.until(conv, |v| v.epoch == 1 && v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut visitor, conv), [(Owner::Robot, OwnerWhy::Open), (Owner::Queue, OwnerWhy::Handoff)]);
    let back = next_epoch(&mut visitor, conv, Some(gone));
    assert_eq!(restore(&mut visitor, conv, back).await, Err(ErrorCode::EpochStale), "it left");

    // and an epoch without the robot asks for a person, also when it comes back
    let conv = open_with_robot(&server, &mut visitor).await;
    let person = next_epoch(&mut visitor, conv, None);
    assert_eq!(restore(&mut visitor, conv, person).await, Ok(()));
    visitor.until(conv, |v| v.epoch == 1 && v.owner == Owner::Queue).await;
    assert_eq!(owners(&mut visitor, conv), [(Owner::Robot, OwnerWhy::Open), (Owner::Queue, OwnerWhy::Person)]);
}
