//! A robot in the small company: its entries, its day keys, and what must not pass for either.

use serde_json::{Value, json};

use super::*;
use crate::{
    botkey::{DAY_KEY_SKEW_MS, DayKey, DayKeyError, MAX_DAY_KEY_MS, SignedDayKey},
    directory::{BotBody, DirectoryError, Snapshot},
};

/// A robot's entry.
pub fn bot(id: &str, key: &str, on: bool) -> Body {
    let id = id.parse().unwrap();
    Body::Bot(BotBody { id, name: "小智 Robot".into(), ed: Key32(ed(key).public()), on })
}

/// The small company, then a robot on its site.
pub fn log_with_robot() -> Log {
    let mut log = log();
    log.add(&bot("robot", "bot", true), &ed("zhao"));
    log.add(&site_with(Some("robot")), &ed("zhao"));
    log
}

/// A day key of the robot.
pub fn day_key(at: u64, until: u64) -> DayKey {
    let (org, x) = (company().fp(), Key32(x("bot day").public()));
    DayKey { v: 1, org, bot: "robot".parse().unwrap(), x, at, until }
}

/// Entries that must not follow [`log_with_robot`].
fn bad_entries(log: &Log) -> Vec<(&'static str, Entry, &'static str)> {
    let zhao = ed("zhao");
    let small = raw_entry(
        String::from_utf8(log.next(&bot("robot-2", "bot two", true), &zhao).raw.0).unwrap().replace(
            &Key32(ed("bot two").public()).to_string(),
            &Key32(
                data_encoding::HEXLOWER.decode(super::attacks::SMALL_ORDER[4].as_bytes()).unwrap().try_into().unwrap(),
            )
            .to_string(),
        ),
        &zhao,
    );
    vec![
        ("an agent certifies a robot", log.next(&bot("robot-2", "bot two", true), &ed("li again")), "Signer"),
        ("a robot certifies a robot", log.next(&bot("robot-2", "bot two", true), &ed("bot")), "Signer"),
        ("another key for a robot", log.next(&bot("robot", "bot two", true), &zhao), "BotKey"),
        ("a robot with an agent's key", log.next(&bot("robot-2", "li", true), &zhao), "BotKey"),
        ("a robot with the root key", log.next(&bot("robot-2", "root", true), &zhao), "BotKey"),
        ("two robots with one key", log.next(&bot("robot-2", "bot", true), &zhao), "BotKey"),
        ("a robot with a key of small order", small, "Sign(SmallOrder)"),
        ("a site with a robot nobody certified", log.next(&site_with(Some("robot-2")), &zhao), "UnknownBot"),
    ]
}

/// Day keys that must not be sealed to, with the time of the reader.
fn bad_days() -> Vec<(&'static str, SignedDayKey, u64, DayKeyError)> {
    let (good, bot) = (day_key(NOW, NOW + MAX_DAY_KEY_MS), ed("bot"));
    let sign = |key: DayKey| SignedDayKey::make(&key, &bot);
    let mut altered = sign(good.clone());
    altered.raw.0.push(b' ');
    let other_org = DayKey { org: kefu_proto::OrgFp([1; 16]), ..good.clone() };
    let other_bot = DayKey { bot: "robot-2".parse().unwrap(), ..good.clone() };
    let forged = crate::sign::SignError::Signature;
    vec![
        ("signed by an admin", SignedDayKey::make(&good, &ed("zhao")), NOW, DayKeyError::Sign(forged)),
        ("altered", altered, NOW, DayKeyError::Sign(forged)),
        ("over", sign(good.clone()), NOW + MAX_DAY_KEY_MS, DayKeyError::Over),
        ("lives too long", sign(day_key(NOW, NOW + MAX_DAY_KEY_MS + 1)), NOW, DayKeyError::TooLong),
        ("of the future", sign(good.clone()), NOW - DAY_KEY_SKEW_MS - 1, DayKeyError::Future),
        ("another company's", sign(other_org), NOW, DayKeyError::Other),
        ("another robot's", sign(other_bot), NOW, DayKeyError::Other),
        ("version 2", sign(DayKey { v: 2, ..good }), NOW, DayKeyError::Version(2)),
    ]
}

/// Vectors of robots; nothing in them is random.
pub fn vectors() -> Value {
    let (log, good) = (log_with_robot(), day_key(NOW, NOW + MAX_DAY_KEY_MS));
    let dir = log.replay();
    let bad = |(name, entry, why): &(&str, Entry, &str)| json!({"name": name, "entry": entry, "why": why});
    let bad_day = |(name, key, now, why): &(&str, SignedDayKey, u64, DayKeyError)| json!({"name": name, "key": key, "now": now, "why": format!("{why:?}")});
    let x = x("bot day");
    json!({
        "fp": company().fp(), "now": NOW, "site": "shop", "log": log.0,
        "state_canonical": dir.state().canonical(),
        "snapshot": Snapshot::make(&dir, NOW, NOW + 1000, &company().root),
        "bad": bad_entries(&log).iter().map(bad).collect::<Vec<_>>(),
        "day_key": {"x_sk": hex(x.bytes()), "x": hex(x.public()), "box_kid": hex(good.box_kid()),
            "says": good, "key": SignedDayKey::make(&good, &ed("bot"))},
        "bad_day_keys": bad_days().iter().map(bad_day).collect::<Vec<_>>(),
    })
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(bytes.as_ref())
}

#[test]
fn a_robot_is_certified_and_can_be_switched_off() {
    let mut log = log_with_robot();
    let (dir, site) = (log.replay(), "shop".parse().unwrap());
    let (id, state) = dir.bot_of(&site).unwrap();
    assert_eq!((id.as_str(), state.ed.0), ("robot", ed("bot").public()));
    assert!(dir.agent_by_ed(&ed("bot").public()).is_none() && !dir.may_sign(&state.ed));
    log.add(&bot("robot", "bot", false), &ed("zhao"));
    assert!(log.replay().bot_of(&site).is_none(), "the site still names it, but it is off");
    log.add(&bot("robot", "bot", true), &ed("zhao"));
    log.add(&site_with(None), &ed("zhao"));
    let dir = log.replay();
    assert!(dir.bot_of(&site).is_none());
    assert!(dir.bot_by_kid(&ed("bot").kid()).is_some(), "what it said stays verifiable");
}

#[test]
fn entries_about_robots_are_refused_for_the_right_reason() {
    let log = log_with_robot();
    for (name, entry, why) in bad_entries(&log) {
        let mut dir = log.replay();
        let error: DirectoryError = dir.apply(&entry).expect_err(name);
        assert!(format!("{error:?}").starts_with(why), "{name}: {error:?}, not {why}");
        assert_eq!(dir.state(), log.replay().state());
    }
}

#[test]
fn a_state_without_robots_does_not_mention_them() {
    assert!(!log().replay().state().canonical().contains("bot"));
    assert!(log_with_robot().replay().state().canonical().contains(r#""bot":"robot""#));
}

#[test]
fn day_keys_are_refused_for_the_right_reason() {
    let (dir, site) = (log_with_robot().replay(), "shop".parse().unwrap());
    let good = SignedDayKey::make(&day_key(NOW, NOW + MAX_DAY_KEY_MS), &ed("bot"));
    assert!(good.verify(&dir, &site, NOW).is_ok());
    assert!(good.verify(&dir, &site, NOW + MAX_DAY_KEY_MS - 1).is_ok());
    assert!(good.verify(&dir, &site, NOW - DAY_KEY_SKEW_MS).is_ok());
    for (name, key, now, why) in bad_days() {
        assert_eq!(key.verify(&dir, &site, now), Err(why), "{name}");
    }
    assert_eq!(good.verify(&log().replay(), &site, NOW), Err(DayKeyError::NoBot));
    let elsewhere = "other".parse().unwrap();
    assert_eq!(good.verify(&dir, &elsewhere, NOW), Err(DayKeyError::NoBot));
}
