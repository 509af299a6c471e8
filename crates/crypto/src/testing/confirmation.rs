//! Confirmation and history: a log that goes through everything, what it adds up to at each stage, what must not follow.

use serde_json::{Value, json};

use super::*;
use crate::{
    directory::{Bundle, ConfirmBody, DirectoryError, REVISION, RulesBody, Snapshot},
    hash::BoxKind,
};

const DAY: u64 = 86_400_000;

/// Everyone invited by these names is not confirmed.
pub fn rules(rev: u32, late: &[&str]) -> Body {
    Body::Rules(RulesBody { rev, late: late.iter().map(|name| Key32(code(name).signing_key().public())).collect() })
}

/// A user with the key of this name is confirmed.
pub fn confirm(user: &str, key: &str) -> Body {
    Body::Confirm(ConfirmBody { user: user.parse().unwrap(), ed: Key32(ed(key).public()) })
}

/// A user is in exactly these teams.
pub fn teams(user: &str, teams: &[&str]) -> Body {
    let teams = Some(teams.iter().map(|t| t.parse().unwrap()).collect());
    Body::Agent(AgentBody { user: user.parse().unwrap(), on: true, role: None, name: None, teams })
}

fn came(log: &mut Log, user: &str, role: Role, by: &SigningKey) {
    log.add(&enrol_by(user, role, user, by, user), &ed(user));
}

/// Sixteen entries; `rules` is number 7.
pub fn log_with_rules() -> Log {
    let (root, zhao) = (company().root, ed("zhao"));
    let mut log = Log::default();
    log.add(&genesis(), &root);
    came(&mut log, "zhao", Role::Admin, &root);
    log.add(&team("svc", 1, "svc 1"), &zhao);
    log.add(&team("vip", 1, "vip 1"), &zhao);
    came(&mut log, "li", Role::Agent, &zhao);
    came(&mut log, "wu", Role::Agent, &zhao);
    log.add(&teams("li", &["svc", "vip"]), &zhao);
    log.add(&rules(REVISION, &["wu"]), &root);
    log.add(&teams("li", &["vip"]), &zhao);
    log.add(&team("svc", 2, "svc 2"), &root);
    came(&mut log, "chen", Role::Supervisor, &zhao);
    log.add(&teams("chen", &["vip", "svc"]), &zhao);
    log.add(&confirm("chen", "chen"), &zhao);
    came(&mut log, "boss", Role::Admin, &root);
    log.add(&confirm("boss", "boss"), &ed("boss"));
    came(&mut log, "zhou", Role::Agent, &zhao);
    log
}

/// How many entries precede the `rules` entry.
const BEFORE: usize = 7;

fn at(log: &Log, at_ms: u64, body: &Body, by: &SigningKey) -> Entry {
    Entry::sign(log.0.len() as u32, &log.head(), at_ms, body, by)
}

struct Bad {
    name: &'static str,
    after: usize,
    before: Vec<Entry>,
    entry: Entry,
    why: &'static str,
}

fn bad(log: &Log) -> Vec<Bad> {
    let (root, zhao, boss, zhou) = (company().root, ed("zhao"), ed("boss"), ed("zhou"));
    let mut out = Vec::new();
    let mut put = |name, after: usize, body: &Body, by: &SigningKey, why| {
        out.push(Bad { name, after, before: vec![], entry: log.first(after).next(body, by), why });
    };
    put("an agent confirms somebody", 16, &confirm("zhou", "zhou"), &ed("li"), "Signer");
    put("an invited agent confirms themself", 16, &confirm("zhou", "zhou"), &zhou, "Signer");
    put("somebody who does not wait is confirmed", 16, &confirm("li", "li"), &root, "NotWaiting");
    put("somebody is confirmed with another key", 16, &confirm("zhou", "mallory"), &zhao, "NotWaiting");
    put("a user who waits enrols again", 16, &enrol_by("zhou", Role::Agent, "x", &zhao, "x"), &ed("x"), "UserActive");
    put("an admin who waits signs something else", 14, &team("svc", 3, "svc 3"), &boss, "Signer");
    put("an admin who waits confirms somebody else", 14, &confirm("wu", "wu"), &boss, "Signer");
    put("the invite of an admin who waits", 14, &enrol_by("x", Role::Agent, "x", &boss, "x"), &ed("x"), "CertSigner");
    put("an admin switches an admin off who waits", 14, &agent("boss", false, None), &zhao, "RootOnly");
    put(
        "an admin makes an admin of somebody who waits",
        16,
        &agent("zhou", true, Some(Role::Admin)),
        &zhao,
        "RootOnly",
    );
    put("a robot with the key of somebody who waits", 16, &robots::bot("robot", "zhou", true), &zhao, "BotKey");
    put("the same revision again", 16, &rules(REVISION, &[]), &root, "Revision");
    put("revision 1", BEFORE, &rules(1, &[]), &root, "Revision");
    put("an agent begins a revision", BEFORE, &rules(REVISION, &[]), &ed("li"), "Signer");
    put("an admin does not confirm an admin", BEFORE, &rules(REVISION, &["zhao"]), &zhao, "RootOnly");
    let waits = log.first(14);
    let entry = at(&waits, EXP + 1, &confirm("boss", "boss"), &boss);
    out.push(Bad {
        name: "an admin confirms themself after the invite's end",
        after: 14,
        before: vec![],
        entry,
        why: "ConfirmLate",
    });
    let later = at(&waits, EXP + 1, &team("vip", 2, "vip 2"), &root);
    let mut then = waits.clone();
    then.0.push(later.clone());
    out.push(Bad {
        name: "the same dated back, after an entry of later",
        after: 14,
        before: vec![later],
        entry: at(&then, EXP, &confirm("boss", "boss"), &boss),
        why: "ConfirmLate",
    });
    out
}

/// Snapshots of the log's first entries: (what it is, the snapshot, up to which entry it covers).
fn snapshots(log: &Log) -> Vec<(&'static str, Option<Snapshot>, Option<u32>)> {
    let five = log.first(5).replay();
    let make = |dir: &Directory, by: &str| Snapshot::make(dir, NOW, NOW + 30 * DAY, &ed(by));
    let mut other = log.first(4);
    came(&mut other, "x", Role::Agent, &ed("zhao"));
    vec![
        ("none", None, None),
        ("by an admin, over entry 4", Some(make(&five, "zhao")), Some(4)),
        ("by root, over entry 4", Some(make(&five, "root")), Some(4)),
        ("by an agent", Some(make(&five, "li")), None),
        ("of another log", Some(make(&other.replay(), "zhao")), None),
        ("of more than the log", Some(make(&log.replay(), "root")), None),
    ]
}

fn waiting(dir: &Directory) -> Vec<Value> {
    dir.unconfirmed().iter().map(|u| json!({"user": u.user, "inv": u.inv, "seq": u.seq, "exp": u.exp})).collect()
}

/// Vectors of confirmation; nothing in them is random.
pub fn vectors() -> Value {
    let log = log_with_rules();
    let dir = log.replay();
    let states = [BEFORE, BEFORE + 1, 10, 11, 12, 13, 14, 16].map(|n| {
        let dir = log.first(n).replay();
        json!({"after": n, "canonical": dir.state().canonical(), "unconfirmed": waiting(&dir)})
    });
    let zhao = ed("zhao");
    let snapshot = Snapshot::make(&dir, NOW, NOW + 30 * DAY, &zhao);
    let old = Snapshot::make(&log.first(BEFORE).replay(), NOW, NOW + 30 * DAY, &zhao);
    let bundle = |snapshot: &Snapshot, seen: usize| Bundle {
        genesis: log.0[0].clone(),
        admin: Some(log.0[1].clone()),
        snapshot: snapshot.clone(),
        tail: log.0[seen..].to_vec(),
    };
    let bundles = [(&snapshot, 16), (&old, BEFORE)].map(|(snapshot, seen)| {
        let bundle = bundle(snapshot, seen);
        let dir = bundle.verify(company().fp(), NOW).unwrap();
        json!({"bundle": bundle, "canonical": dir.state().canonical(), "unconfirmed": waiting(&dir)})
    });
    let good = good(&log).into_iter().map(|(name, entry)| {
        let mut dir = log.replay();
        dir.apply(&entry).expect(name);
        json!({"name": name, "entry": entry, "canonical": dir.state().canonical(), "unconfirmed": waiting(&dir)})
    });
    let covers = snapshots(&log).into_iter().map(|(name, snapshot, covered)| {
        let dir = Directory::replay(company().fp(), &log.0[..BEFORE], snapshot.as_ref()).unwrap();
        json!({"name": name, "snapshot": snapshot, "covered": covered, "unconfirmed": waiting(&dir)})
    });
    let in_team = questions().map(|(user, team, seq, is)| json!({"user": user, "team": team, "seq": seq, "is": is}));
    let keys = ["svc 1", "svc 2", "vip 1"].map(|name| {
        let kid = hash::box_kid(BoxKind::Team, &x(name).public());
        let (team, key) = dir.team_key(&kid).unwrap();
        json!({"box_kid": hex(kid), "team": team, "epoch": key.epoch, "from": key.from, "to": key.to})
    });
    let revision = [0, 6, 7, 8, 15].map(|seq| json!({"seq": seq, "rev": dir.revision_at(seq)}));
    let acting = [("zhou", EXP, true), ("zhou", EXP + 1, false), ("chen", EXP + 1, true), ("wu", EXP + 1, false)];
    let acting = acting.map(|(user, now, is)| json!({"user": user, "now": now, "is": is}));
    let bad = bad(&log);
    let bad = bad
        .iter()
        .map(|b| json!({"name": b.name, "after": b.after, "before": b.before, "entry": b.entry, "why": b.why}));
    json!({
        "_about": "A log in which entry 7 is `rules`. `states`: after so many entries, read without a snapshot, the \
            canonical state and who is unconfirmed (waits, or enrolled before `rules` without a snapshot over it), by `user`. \
            `snapshots`: the first 7 entries read with this snapshot beside them; `covered` is the newest entry that it \
            covers, null if it is not valid or does not fit. `good`: entries that may follow the whole log, and the state \
            then. `bad`: entries that may not follow the first `after` entries and then `before` (which are good). \
            `bundles`: what a visitor verifies at `now`, and the state then; the second begins before `rules`, so its \
            history begins with 0. `in_team`, `revision`, `team_keys`: answers of the whole log; `from` <= seq < `to`. \
            `acting`: whether this user may act for a reader with this clock.",
        "fp": company().fp(), "now": NOW, "exp": EXP, "log": log.0,
        "heads": log.0.iter().map(|e| hex(e.hash())).collect::<Vec<_>>(),
        "states": states, "snapshots": covers.collect::<Vec<_>>(), "good": good.collect::<Vec<_>>(),
        "bad": bad.collect::<Vec<_>>(), "bundles": bundles, "in_team": in_team, "team_keys": keys,
        "revision": revision, "acting": acting,
    })
}

/// Entries that may follow the whole log.
fn good(log: &Log) -> Vec<(&'static str, Entry)> {
    let (zhao, late) = (ed("zhao"), EXP + DAY);
    vec![
        ("an enrolment long after its invite's end", {
            at(log, late, &enrol_by("x", Role::Agent, "x", &zhao, "x"), &ed("x"))
        }),
        ("somebody who waits is confirmed long after the invite's end", at(log, late, &confirm("wu", "wu"), &zhao)),
        ("somebody who waits is confirmed by an admin who confirmed themself", {
            log.next(&confirm("zhou", "zhou"), &ed("boss"))
        }),
        ("somebody who waits is switched off", log.next(&agent("zhou", false, None), &zhao)),
        ("somebody who waits becomes supervisor", log.next(&agent("zhou", true, Some(Role::Supervisor)), &zhao)),
    ]
}

fn questions() -> [(&'static str, &'static str, u32, bool); 14] {
    [
        ("zhao", "svc", 0, false),
        ("zhao", "svc", 1, true),
        ("li", "svc", 4, true),
        ("li", "vip", 5, false),
        ("li", "vip", 6, true),
        ("li", "svc", 7, true),
        ("li", "svc", 8, false),
        ("li", "vip", 15, true),
        ("chen", "svc", 9, false),
        ("chen", "vip", 10, true),
        ("boss", "svc", 13, true),
        ("zhou", "svc", 14, false),
        ("zhou", "svc", 15, true),
        ("wu", "svc", 5, true),
    ]
}

fn hex(bytes: impl AsRef<[u8]>) -> String {
    data_encoding::HEXLOWER.encode(bytes.as_ref())
}

#[test]
fn what_must_not_follow_is_refused_for_the_right_reason() {
    let log = log_with_rules();
    for b in bad(&log) {
        let entries: Vec<Entry> = log.0[..b.after].iter().chain(&b.before).cloned().collect();
        let mut dir = Directory::replay(company().fp(), &entries, None).expect(b.name);
        let before = dir.state().clone();
        let error: DirectoryError = dir.apply(&b.entry).expect_err(b.name);
        assert!(format!("{error:?}").starts_with(b.why), "{}: {error:?}, not {}", b.name, b.why);
        assert_eq!((dir.state(), dir.seq()), (&before, entries.len() as u32 - 1), "{}", b.name);
    }
}

#[test]
fn history_answers_who_was_where_when() {
    let dir = log_with_rules().replay();
    for (user, team, seq, is) in questions() {
        let (id, t) = (user.parse().unwrap(), team.parse().unwrap());
        assert_eq!(dir.in_team_at(&id, &t, seq), is, "{user} in {team} at {seq}");
        assert_eq!(dir.kid_in_team_at(&ed(user).kid(), &t, seq), is, "the key of {user} in {team} at {seq}");
    }
    let svc = "svc".parse().unwrap();
    assert_eq!(dir.team_key(&hash::box_kid(BoxKind::Team, &x("svc 1").public())).unwrap().1.to, Some(9));
    assert!(dir.team_key(&hash::box_kid(BoxKind::Team, &x("mallory").public())).is_none());
    assert!(dir.member_now(&"zhou".parse().unwrap(), &svc, EXP));
    assert!(!dir.member_now(&"zhou".parse().unwrap(), &svc, EXP + 1), "nobody confirmed them in time");
    assert!(dir.member_now(&"chen".parse().unwrap(), &svc, u64::MAX));
    assert!(!dir.member_now(&"li".parse().unwrap(), &svc, NOW), "left for the other team");
}

#[test]
fn a_state_keeps_its_bytes_until_the_first_rules_entry() {
    let log = log_with_rules();
    let before = log.first(BEFORE).replay().state().canonical();
    for word in ["member", "\"rules\"", "waiting", "from\":0"] {
        assert!(!before.contains(word), "{word}");
    }
    let after = log.first(BEFORE + 1).replay();
    assert!(after.state().canonical().contains("member"));
    assert_eq!((after.revision_at(6), after.revision_at(7)), (1, 2));
}

/// A company from before confirmation existed, whose newest enrolment no snapshot covers, long after the invite expired.
#[test]
fn an_old_log_with_a_late_enrolment_replays_for_everybody() {
    let log = log_with_rules().first(BEFORE);
    let snapshot = Snapshot::make(&log.first(5).replay(), NOW, NOW + 30 * DAY, &ed("zhao"));
    let dir = Directory::replay(company().fp(), &log.0, Some(&snapshot)).unwrap();
    let (wu, li) = (dir.agent(&"wu".parse().unwrap()).unwrap(), dir.agent(&"li".parse().unwrap()).unwrap());
    assert_eq!((wu.until, li.until), (Some(EXP), None));
    assert!(wu.is_active(EXP) && !wu.is_active(EXP + 1) && li.is_active(EXP + 1));
    let bundle =
        Bundle { genesis: log.0[0].clone(), admin: Some(log.0[1].clone()), snapshot, tail: log.0[5..].to_vec() };
    let visitor = bundle.verify(company().fp(), EXP + DAY).unwrap();
    assert_eq!(visitor.state(), dir.state());
    assert_eq!(visitor.agent_by_ed(&ed("wu").public()).unwrap().until, Some(EXP));
    // whether their `rules` entry came in with the log or after it makes no difference
    let mut followed = dir;
    log_with_rules().0[BEFORE..].iter().for_each(|e| followed.apply(e).unwrap());
    assert_eq!(followed.state(), log_with_rules().replay().state());
}

#[test]
fn who_was_not_confirmed_leaves_no_trace_among_users() {
    let dir = log_with_rules().replay();
    let wu = "wu".parse().unwrap();
    assert!(!dir.state().users.contains_key(&wu) && dir.state().waiting.contains_key(&wu));
    // a person who had been here before is restored as they were
    let (root, zhao) = (company().root, ed("zhao"));
    let mut log = log_with_rules().first(BEFORE);
    log.add(&agent("li", false, None), &zhao);
    let before = log.replay().user(&"li".parse().unwrap()).unwrap();
    log.add(&enrol_by("li", Role::Agent, "li again", &zhao, "li again"), &ed("li again"));
    log.add(&rules(REVISION, &["li again"]), &root);
    let dir = log.replay();
    let li = &dir.state().users[&"li".parse().unwrap()];
    assert_eq!((li.on, &li.keys), (false, &before.keys));
    assert!(!dir.in_team_at(&"li".parse().unwrap(), &"vip".parse().unwrap(), 7), "off since entry 7");
    log.add(&confirm("li", "li again"), &zhao);
    let dir = log.replay();
    assert_eq!(dir.state().users[&"li".parse().unwrap()].keys.len(), 2);
    assert!(dir.in_team_at(&"li".parse().unwrap(), &"svc".parse().unwrap(), 8), "since the enrolment");
    assert!(!dir.in_team_at(&"li".parse().unwrap(), &"svc".parse().unwrap(), 7));
}
