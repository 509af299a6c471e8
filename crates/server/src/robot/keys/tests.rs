//! Keys are made, replaced and erased by the clock; unusable files switch the robot off, with the reason.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use super::*;
use crate::{
    crypto::{
        announcement::{self, NewEpoch},
        hash::BoxKind,
        testing::{Log, NOW, company, ed, log, site_with},
    },
    proto::ConvId,
};

const HOUR: u64 = 3_600_000;

struct Bench {
    tmp: tempfile::TempDir,
    time: Arc<AtomicU64>,
}

impl Bench {
    fn new() -> Self {
        Self { tmp: tempfile::tempdir().unwrap(), time: Arc::new(AtomicU64::new(NOW)) }
    }

    fn robot(&self) -> RobotKeys {
        self.robot_with(KeyPlaces { dir: self.path(), day_dir: None, serves: true, shared: false })
    }

    fn robot_with(&self, keeping: KeyPlaces) -> RobotKeys {
        let time = self.time.clone();
        RobotKeys::open(keeping, company().fp(), Clock::new(move || time.load(SeqCst)))
    }

    fn path(&self) -> PathBuf {
        self.tmp.path().join("robot")
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The directory with this robot on the site.
    fn certify(&self, robot: &RobotKeys) -> Log {
        let mut log = log();
        let (id, key) = robot.prepare(&log.replay()).unwrap();
        let body = crate::crypto::directory::BotBody { id: id.clone(), name: "R".into(), ed: key, on: true };
        log.add(&crate::crypto::directory::Body::Bot(body), &ed("zhao"));
        log.add(&site_with(Some(id.as_str())), &ed("zhao"));
        log
    }
}

fn site() -> SiteId {
    "shop".parse().unwrap()
}

/// An announcement to this day key.
fn announce(dir: &Directory, day: &DayKey) -> Vec<u8> {
    let new = NewEpoch {
        conv: ConvId([7; 16]),
        epoch: 0,
        prev: [0; 32],
        dir_seq: dir.seq(),
        dir_head: dir.head(),
        team: KemSecret::generate().public(),
        visitor: KemSecret::generate().public(),
        bot: Some(day.x.0),
    };
    announcement::create(&new, &SigningKey::generate()).unwrap().0
}

#[test]
fn a_new_key_comes_every_day_and_an_old_one_is_gone_from_disk_and_memory_at_its_end() {
    let bench = Bench::new();
    let robot = bench.robot();
    let dir = bench.certify(&robot).replay();
    assert!(robot.day_key(&dir, &site()).is_none(), "nothing before the first look");
    robot.rotate_if_due(&dir);
    let first = robot.day_key(&dir, &site()).unwrap();
    let said = first.verify(&dir, &site(), NOW).unwrap();
    let secret = crate::crypto::codec::b64u(robot.day(&said.box_kid()).unwrap().secret.bytes());
    let ann = announce(&dir, &said);
    assert!(bench.file("day.keys").contains(&secret));

    bench.time.store(NOW + 23 * HOUR, SeqCst);
    robot.rotate_if_due(&dir);
    assert_eq!(robot.day_key(&dir, &site()).unwrap(), first);
    bench.time.store(NOW + 24 * HOUR, SeqCst);
    robot.rotate_if_due(&dir);
    let second = robot.day_key(&dir, &site()).unwrap();
    assert_ne!(second, first);
    let day = robot.day(&said.box_kid()).expect("the first still opens what was sealed to it");
    assert!(announcement::open(&ann, BoxKind::Bot, &day.secret).is_ok());

    bench.time.store(NOW + 48 * HOUR - 1, SeqCst);
    assert!(robot.rotate_if_due(&dir) <= NOW + 48 * HOUR, "it wakes up in time");
    assert!(bench.file("day.keys").contains(&secret));
    bench.time.store(NOW + 48 * HOUR, SeqCst);
    assert!(robot.day(&said.box_kid()).is_none(), "not for a moment longer, also before the file is rewritten");
    robot.rotate_if_due(&dir);
    let left = bench.file("day.keys");
    assert!(!left.contains(&secret) && fs::read_dir(bench.path()).unwrap().count() == 2);
    assert!(bench.robot().day(&said.box_kid()).is_none());
    // a stolen copy of everything that is there now opens nothing that was sealed then
    let held = bench.robot().keys().days.clone();
    assert_eq!(held.len(), 2, "yesterday's and today's");
    for day in held {
        assert!(announcement::open(&ann, BoxKind::Bot, &day.secret).is_err());
    }
}

#[test]
fn keys_survive_a_restart_and_expired_ones_do_not_survive_a_start() {
    let bench = Bench::new();
    let robot = bench.robot();
    let dir = bench.certify(&robot).replay();
    robot.rotate_if_due(&dir);
    let first = robot.day_key(&dir, &site()).unwrap();
    let again = bench.robot();
    again.rotate_if_due(&dir);
    assert_eq!(again.day_key(&dir, &site()).unwrap(), first);
    bench.time.store(NOW + 49 * HOUR, SeqCst);
    let late = bench.robot();
    assert!(late.day_key(&dir, &site()).is_none());
    late.rotate_if_due(&dir);
    assert_ne!(late.day_key(&dir, &site()).unwrap(), first);
    assert_eq!(bench.file("day.keys").matches("\"sk\"").count(), 1);
}

#[test]
fn rotating_ends_every_older_key_at_once() {
    let bench = Bench::new();
    let robot = bench.robot();
    let dir = bench.certify(&robot).replay();
    robot.rotate_if_due(&dir);
    let old = robot.day_key(&dir, &site()).unwrap().read().unwrap();
    let mut watch = robot.watch();
    let new = robot.rotate(&dir).unwrap();
    assert!(watch.has_changed().unwrap());
    watch.mark_unchanged();
    assert!(robot.day(&old.box_kid()).is_none() && robot.day(&new.box_kid()).is_some());
    assert_eq!(bench.file("day.keys").matches("\"sk\"").count(), 1);
    robot.rotate_if_due(&dir);
    assert!(!watch.has_changed().unwrap(), "nothing is due");
}

#[test]
fn when_no_site_has_the_robot_every_key_is_erased_and_the_next_robot_is_another() {
    let bench = Bench::new();
    let robot = bench.robot();
    let mut log = bench.certify(&robot);
    robot.rotate_if_due(&log.replay());
    let day = robot.day_key(&log.replay(), &site()).unwrap().read().unwrap();
    log.add(&site_with(None), &ed("zhao"));
    let dir = log.replay();
    assert!(robot.day_key(&dir, &site()).is_none());
    robot.rotate_if_due(&dir);
    assert!(robot.day(&day.box_kid()).is_none());
    assert_eq!(fs::read_dir(bench.path()).unwrap().count(), 0);
    assert_eq!(robot.rotate(&dir), Err(KeyError::None));
    assert_eq!(robot.prepare(&dir).unwrap().0.as_str(), "robot-2");
    robot.rotate_if_due(&dir);
    assert_eq!(robot.prepare(&dir).unwrap().0.as_str(), "robot-2", "kept until somebody certifies it");
}

#[test]
fn files_that_others_can_read_or_that_are_damaged_switch_the_robot_off_with_the_cure() {
    let bench = Bench::new();
    let robot = bench.robot();
    let dir = bench.certify(&robot).replay();
    robot.rotate_if_due(&dir);
    let (sign, days) = (bench.path().join("sign.key"), bench.path().join("day.keys"));
    for (path, mode, good) in [(&bench.path(), 0o750, 0o700), (&sign, 0o640, 0o600), (&days, 0o604, 0o600)] {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let off = bench.robot();
        off.rotate_if_due(&dir);
        assert!(off.day_key(&dir, &site()).is_none());
        let said = off.status(&dir)["trouble"].as_str().unwrap().to_owned();
        assert!(said.contains("chmod"), "{said}");
        fs::set_permissions(path, Permissions::from_mode(good)).unwrap();
        off.rotate_if_due(&dir);
        assert!(off.day_key(&dir, &site()).is_some(), "the cure needs no restart");
    }
    let (good_sign, good_days) = (bench.file("sign.key"), bench.file("day.keys"));
    let zeros = "\0".repeat(good_days.len());
    let stranger = good_sign.replace("\"bot\":\"robot\"", "\"bot\":\"robot-9\"");
    for (path, text, good) in [
        (&sign, "", &good_sign),
        (&sign, "{}", &good_sign),
        (&sign, &good_sign[..40], &good_sign),
        (&sign, &stranger, &good_sign),
        (&days, &zeros, &good_days),
        (&days, &good_days[..good_days.len() - 9], &good_days),
        (&days, &good_days.replace("\"v\":1", "\"v\":2"), &good_days),
    ] {
        fs::write(path, text).unwrap();
        let off = bench.robot();
        off.rotate_if_due(&dir);
        assert!(off.day_key(&dir, &site()).is_none() && off.member(&dir, &site()).is_none());
        assert!(off.prepare(&dir).is_err() && off.rotate(&dir).is_err());
        let said = off.status(&dir)["trouble"].as_str().unwrap().to_owned();
        assert!(said.contains("damaged") && said.contains("kefu robot on"), "{said}");
        assert_eq!(fs::read_to_string(path).unwrap(), text, "evidence is left alone");
        fs::write(path, good).unwrap();
    }
}

#[test]
fn a_key_that_the_directory_does_not_certify_serves_nobody() {
    let (bench, other) = (Bench::new(), Bench::new());
    let (robot, stranger) = (bench.robot(), other.robot());
    let dir = bench.certify(&robot).replay();
    stranger.prepare(&log().replay()).unwrap();
    stranger.rotate_if_due(&dir);
    assert!(stranger.day_key(&dir, &site()).is_none() && stranger.member(&dir, &site()).is_none());
}

#[test]
fn day_keys_move_to_memory_and_nothing_of_them_stays_on_the_disk() {
    let bench = Bench::new();
    let robot = bench.robot();
    let dir = bench.certify(&robot).replay();
    robot.rotate_if_due(&dir);
    let first = robot.day_key(&dir, &site()).unwrap();
    // half of a new version, of a process that was killed
    fs::write(bench.path().join(".day.keys.new-x"), bench.file("day.keys")).unwrap();
    let memory = tempfile::Builder::new().permissions(Permissions::from_mode(0o700)).tempdir().unwrap();
    let keeping =
        KeyPlaces { dir: bench.path(), day_dir: Some(memory.path().join("run")), serves: true, shared: false };
    let moved = bench.robot_with(keeping.clone());
    moved.rotate_if_due(&dir);
    assert_eq!(moved.day_key(&dir, &site()).unwrap(), first, "conversations go on");
    let left: Vec<_> = fs::read_dir(bench.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["sign.key"]);
    // a restart of the service finds them; one of the machine does not, and the robot continues with a new one
    let again = bench.robot_with(keeping.clone());
    again.rotate_if_due(&dir);
    assert_eq!(again.day_key(&dir, &site()).unwrap(), first);
    fs::remove_dir_all(memory.path().join("run")).unwrap();
    let new = bench.robot_with(keeping.clone());
    new.rotate_if_due(&dir);
    assert_ne!(new.day_key(&dir, &site()).unwrap(), first);
    assert_eq!(new.member(&dir, &site()).unwrap().id.as_str(), "robot");
    // a command that runs without a server makes none on the disk
    bench.robot_with(KeyPlaces { day_dir: None, serves: false, ..keeping }).rotate_if_due(&dir);
    assert_eq!(fs::read_dir(bench.path()).unwrap().count(), 1);
}

#[test]
fn a_link_in_the_place_of_a_key_is_not_followed() {
    let bench = Bench::new();
    let robot = bench.robot();
    let dir = bench.certify(&robot).replay();
    let victim = bench.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    fs::set_permissions(&victim, Permissions::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink(&victim, bench.path().join("day.keys")).unwrap();
    robot.rotate_if_due(&dir);
    assert!(robot.day_key(&dir, &site()).is_some(), "the link is replaced");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    fs::remove_file(bench.path().join("sign.key")).unwrap();
    std::os::unix::fs::symlink(&victim, bench.path().join("sign.key")).unwrap();
    let off = bench.robot();
    assert!(off.status(&dir)["trouble"].as_str().is_some());
    assert!(off.member(&dir, &site()).is_none());
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
}

/// The keys of one of several servers, with a directory of its own.
fn among_others(dir: &std::path::Path, time: &Arc<AtomicU64>) -> RobotKeys {
    let (time, dir) = (time.clone(), dir.join("robot"));
    let places = KeyPlaces { dir, day_dir: None, serves: true, shared: true };
    RobotKeys::open(places, company().fp(), Clock::new(move || time.load(SeqCst)))
}

#[test]
fn servers_share_the_signing_key_and_nothing_else() {
    let (one, other) = (Bench::new(), Bench::new());
    let robots = [&one, &other].map(|bench| among_others(bench.tmp.path(), &bench.time));
    let key = robots[0].fitting(None, &log().replay()).unwrap();
    let text = robots[0].shared_text(&key);
    assert!(robots[1].read_shared("{}").is_err() && robots[1].read_shared(&text[1..]).is_err());
    let body = crate::crypto::directory::BotBody {
        id: key.who.id.clone(),
        name: "R".into(),
        ed: Key32(key.who.key.public()),
        on: true,
    };
    let mut log = log();
    log.add(&crate::crypto::directory::Body::Bot(body), &ed("zhao"));
    log.add(&site_with(Some(key.who.id.as_str())), &ed("zhao"));
    let dir = log.replay();
    for robot in &robots {
        robot.take_shared(Some(robot.read_shared(&text).unwrap()), &dir);
    }
    let days: Vec<_> = robots.iter().map(|robot| robot.day_key(&dir, &site()).unwrap()).collect();
    let kids: Vec<_> = days.iter().map(|day| day.verify(&dir, &site(), NOW).unwrap().box_kid()).collect();
    assert!(robots[0].has_day(&kids[0]) && !robots[0].has_day(&kids[1]) && !robots[1].has_day(&kids[0]));
    assert!(!one.path().join("sign.key").exists(), "it is in no file");

    // a restart goes on with the same day key, a rotation ends it on every server, whenever that learns of it
    let again = among_others(one.tmp.path(), &one.time);
    again.take_shared(Some(key.clone()), &dir);
    assert_eq!(again.day_key(&dir, &site()).unwrap(), days[0]);
    let rotated = SharedKey { rotation: 1, ..key.clone() };
    again.take_shared(Some(rotated.clone()), &dir);
    assert!(!again.has_day(&kids[0]) && again.day_key(&dir, &site()).is_some());
    assert!(!one.file("day.keys").contains(&crate::crypto::codec::b64u(&days[0].raw.0)));
    let late = among_others(other.tmp.path(), &other.time);
    late.take_shared(Some(rotated), &dir);
    assert!(!late.has_day(&kids[1]), "it did not run meanwhile");

    // no site lets the robot in: the next one is another
    log.add(&site_with(None), &ed("zhao"));
    let dir = log.replay();
    again.rotate_if_due(&dir);
    assert_eq!(fs::read_dir(one.path()).unwrap().count(), 0);
    assert!(again.is_retired(&key, &dir));
    assert_eq!(again.fitting(Some(key), &dir).unwrap().who.id.as_str(), "robot-2");
    // and a server that was away erases what it still has
    let away = among_others(other.tmp.path(), &other.time);
    away.take_shared(None, &dir);
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
}
