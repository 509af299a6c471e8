//! The robot's keys: the signing key that the directory certifies, and day keys that live at most two days.
//!
//! The private parts are in two files outside the database, so that no backup of it holds them. A new day key is made
//! every 24 hours; a private part is erased, in the file and in memory, when it expires. A site that has no robot
//! needs none of this, and when the last site drops its robot everything here is erased.
//!
//! Several servers of a company share the signing key (`shared.rs`); each makes day keys of its own, which never leave its machine.

mod files;
mod shared;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    clock::Clock,
    crypto::{
        botkey::{DayKey, MAX_DAY_KEY_MS, SignedDayKey},
        codec::Key32,
        directory::Directory,
        hpke::KemSecret,
        sign::SigningKey,
    },
    org::RobotKeyring,
    proto::{BotId, OrgFp, SiteId},
};
use files::Files;
pub use shared::SharedKey;

/// How long a day key is the newest: 24 hours, ms.
pub const ROTATE_MS: u64 = 24 * 3_600_000;

/// Why the robot's keys can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A file that cannot be parsed.
    #[error(
        "{} is damaged ({why}): the robot is off. Remove the directory of the robot's keys, then `kefu robot on` with its sites creates new ones",
        path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong; nothing of the content.
        why: String,
    },
    /// Others may read it.
    #[error(
        "other users can read {} (mode {mode:03o}): the robot is off. chmod {cure} {}; if someone may have read them, `kefu robot rotate`",
        path.display(), path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// The mode it should have.
        cure: &'static str,
    },
    /// The file belongs to another user.
    #[error("{} belongs to user {uid}: the robot is off. Give it to the user that kefu runs as", path.display())]
    Owner {
        /// The file.
        path: PathBuf,
        /// User id of its owner.
        uid: u32,
    },
    /// An I/O error.
    #[error("cannot {act} {}: {why}", path.display())]
    Io {
        /// The operation, as a verb: `read`, `write`.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// The operating system's message.
        why: String,
    },
    /// There is nothing to rotate.
    #[error("no site has a robot whose key is on this machine: kefu robot on SITE")]
    None,
}

impl KeyError {
    fn io(act: &'static str, path: &Path, e: &io::Error) -> Self {
        Self::Io { act, path: path.to_owned(), why: e.to_string() }
    }

    fn damaged(path: &Path, why: &str) -> Self {
        Self::Damaged { path: path.to_owned(), why: why.to_owned() }
    }
}

/// Who the robot is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Its name in the directory.
    pub id: BotId,
    /// What it signs with.
    pub key: SigningKey,
}

/// A day key with its private part, which is erased when dropped.
#[derive(Debug, Clone)]
pub struct DayKeyPair {
    /// The signed day key.
    pub key: DayKey,
    /// As it is served.
    pub signed: SignedDayKey,
    /// Its private key.
    pub secret: KemSecret,
}

#[derive(Default)]
struct Keys {
    who: Option<Identity>,
    /// Newest last.
    days: Vec<DayKeyPair>,
    trouble: Option<KeyError>,
    /// What the servers share, where there are several.
    shared: Option<SharedKey>,
    /// Whether what was left of an earlier robot is erased.
    swept: bool,
}

impl Keys {
    fn rotation(&self) -> u64 {
        self.shared.as_ref().map_or(0, |shared| shared.rotation)
    }
}

/// Where the keys are stored, and whether this process makes new ones.
#[derive(Debug, Clone)]
pub struct KeyPlaces {
    /// Directory of the signing key, and of the day keys if they have no other.
    pub dir: PathBuf,
    /// Directory of the day keys, which decrypt what visitors said: ideally in memory, not on a disk.
    pub day_dir: Option<PathBuf>,
    /// Whether this process serves visitors. Others erase expired keys and make no day keys, as nobody would be told of them.
    pub serves: bool,
    /// Whether several servers share the signing key: then it comes from them ([`RobotKeys::take_shared`]), not from a file.
    pub shared: bool,
}

/// The robot's keys of this server.
pub struct RobotKeys {
    files: Files,
    serves: bool,
    shared: bool,
    fp: OrgFp,
    clock: Clock,
    keys: Mutex<Keys>,
    changed: watch::Sender<()>,
}

impl fmt::Debug for RobotKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RobotKeys({})", self.files.dir.display())
    }
}

impl RobotKeys {
    /// Reads the files, which need not exist. A problem with them switches the robot off and is reported in
    /// [`RobotKeys::status`] and the log; it stops nothing else.
    pub fn open(keeping: KeyPlaces, fp: OrgFp, clock: Clock) -> Self {
        let KeyPlaces { dir, day_dir, serves, shared } = keeping;
        let day_dir = day_dir.unwrap_or_else(|| dir.clone());
        let (files, changed) = (Files { dir, day_dir }, watch::channel(()).0);
        let robot = Self { files, serves, shared, fp, clock, keys: Mutex::default(), changed };
        if !shared {
            *robot.keys() = robot.read(None);
        }
        robot
    }

    /// `shared`: what servers share, where there are several.
    fn read(&self, shared: Option<SharedKey>) -> Keys {
        let read = || {
            self.files.settle()?;
            if self.shared {
                return self.read_beside(shared.clone());
            }
            let who = self.files.identity(self.fp)?;
            let days = who.as_ref().map_or(Ok((Vec::new(), 0)), |who| self.files.days(who, self.fp))?.0;
            Ok(Keys { who, days, ..Keys::default() })
        };
        read().unwrap_or_else(|trouble: KeyError| {
            tracing::error!("{trouble}");
            Keys { trouble: Some(trouble), shared: shared.clone(), ..Keys::default() }
        })
    }

    fn keys(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock()
    }

    /// The same, after another look at files that could not be used.
    fn usable(&self) -> Result<MutexGuard<'_, Keys>, KeyError> {
        let mut keys = self.keys();
        if keys.trouble.is_some() {
            let shared = keys.shared.take();
            *keys = self.read(shared);
        }
        keys.trouble.clone().map_or(Ok(keys), Err)
    }

    /// Signals when keys were added or removed.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The robot's name and public key, for the directory; made if there is none yet.
    pub fn prepare(&self, dir: &Directory) -> Result<(BotId, Key32), KeyError> {
        let mut keys = self.usable()?;
        let fits = |who: &Identity| dir.state().bots.get(&who.id).is_none_or(|known| known.ed.0 == who.key.public());
        if let Some(who) = keys.who.as_ref().filter(|who| fits(who)) {
            return Ok((who.id.clone(), Key32(who.key.public())));
        }
        let who = new_identity(dir)?;
        self.files.erase()?;
        self.files.write_identity(&who, self.fp)?;
        let answer = (who.id.clone(), Key32(who.key.public()));
        *keys = Keys { who: Some(who), ..Keys::default() };
        Ok(answer)
    }

    /// Returns whether anything changed.
    fn settle(&self, keys: &mut Keys, dir: &Directory, now: u64) -> Result<bool, KeyError> {
        let Some(who) = &keys.who else { return Ok(false) };
        if !dir.state().bots.contains_key(&who.id) {
            return Ok(false);
        }
        if is_retired(dir, who) {
            self.files.erase()?;
            *keys = Keys::default();
            tracing::info!("no site has a robot any more: its keys were erased");
            return Ok(true);
        }
        if self.shared && !self.serves {
            // a server may run here, and its files are its own
            return Ok(false);
        }
        let mut days: Vec<DayKeyPair> = keys.days.iter().filter(|d| d.key.until > now).cloned().collect();
        // a clock that was set back must not keep one key the newest for long
        let due = days.last().is_none_or(|d| now >= d.key.at + ROTATE_MS || d.key.at > now + ROTATE_MS);
        if due && self.serves {
            days.push(fresh(who, self.fp, now));
        } else if days.len() == keys.days.len() {
            return Ok(false);
        }
        self.files.write_days(&days, keys.rotation())?;
        keys.days = days;
        Ok(true)
    }

    /// A new day key now; every older one is erased. Conversations that were begun under them go to people.
    pub fn rotate(&self, dir: &Directory) -> Result<DayKey, KeyError> {
        let mut keys = self.usable()?;
        let who = keys.who.as_ref().filter(|who| names(dir, &who.id)).ok_or(KeyError::None)?;
        let day = fresh(who, self.fp, self.clock.now_ms());
        self.files.write_days(std::slice::from_ref(&day), 0)?;
        let key = day.key.clone();
        keys.days = vec![day];
        drop(keys);
        self.changed.send_replace(());
        Ok(key)
    }

    /// The day key that a box names, if it holds now.
    pub fn day(&self, box_kid: &[u8; 16]) -> Option<DayKeyPair> {
        let now = self.clock.now_ms();
        self.keys().days.iter().find(|d| d.key.box_kid() == *box_kid && d.key.until > now).cloned()
    }

    /// Whether the day key that a box names is here and holds now.
    pub fn has_day(&self, box_kid: &[u8; 16]) -> bool {
        let now = self.clock.now_ms();
        self.keys().days.iter().any(|d| d.key.until > now && d.key.box_kid() == *box_kid)
    }

    /// Who it is, if it may be a member on this site.
    pub fn member(&self, dir: &Directory, site: &SiteId) -> Option<Identity> {
        let (id, state) = dir.bot_of(site)?;
        self.keys().who.clone().filter(|who| who.id == *id && who.key.public() == state.ed.0)
    }

    /// For `kefu robot status`: nothing secret.
    pub fn status(&self, dir: &Directory) -> Value {
        let keys = self.keys();
        let robots: Vec<Value> = dir
            .state()
            .bots
            .iter()
            .map(|(id, b)| {
                let sites: Vec<_> = dir.state().sites.iter().filter(|(_, s)| s.bot.as_ref() == Some(id)).collect();
                let sites: Vec<_> = sites.into_iter().map(|(id, _)| id).collect();
                json!({ "id": id, "name": b.name, "on": b.on, "sites": sites })
            })
            .collect();
        let days: Vec<Value> =
            keys.days.iter().map(|d| json!({ "x": d.key.x, "at": d.key.at, "until": d.key.until })).collect();
        json!({
            "robots": robots,
            "shared": self.shared,
            "key": keys.who.as_ref().map(|who| &who.id),
            "days": days,
            "dir": self.files.dir.display().to_string(),
            "day_dir": self.files.day_dir.display().to_string(),
            "trouble": keys.trouble.as_ref().map(ToString::to_string),
        })
    }
}

impl RobotKeyring for RobotKeys {
    fn rotate_if_due(&self, dir: &Directory) -> u64 {
        let now = self.clock.now_ms();
        // unusable files are reported once, here or at the start
        let Ok(mut keys) = self.usable() else { return now + LOOK_MS };
        let next = match self.settle(&mut keys, dir, now) {
            Ok(changed) => {
                let due = keys.days.iter().map(|d| d.key.until).min();
                let renew = keys.days.last().map(|d| d.key.at + ROTATE_MS);
                drop(keys);
                if changed {
                    self.changed.send_replace(());
                }
                due.into_iter().chain(renew).min().unwrap_or(u64::MAX)
            }
            Err(e) => {
                // expired keys are out of memory at least
                keys.days.retain(|d| d.key.until > now);
                drop(keys);
                tracing::error!("the robot's keys: {e}");
                now + RETRY_MS
            }
        };
        next.clamp(now + 1, now + LOOK_MS)
    }

    fn day_key(&self, dir: &Directory, site: &SiteId) -> Option<SignedDayKey> {
        let (id, state) = dir.bot_of(site)?;
        let keys = self.keys();
        keys.who.as_ref().filter(|who| who.id == *id && who.key.public() == state.ed.0)?;
        keys.days.last().filter(|d| d.key.until > self.clock.now_ms()).map(|d| d.signed.clone())
    }

    fn day_keys(&self) -> Vec<[u8; 16]> {
        let now = self.clock.now_ms();
        self.keys().days.iter().filter(|d| d.key.until > now).map(|d| d.key.box_kid()).collect()
    }

    fn holds(&self, dir: &Directory, site: &SiteId, box_kid: &[u8; 16]) -> bool {
        self.member(dir, site).is_some() && self.has_day(box_kid)
    }
}

/// Between two tries after an error, ms.
const RETRY_MS: u64 = 60_000;
/// The longest sleep: clocks are set and machines are suspended, ms.
const LOOK_MS: u64 = 10 * 60_000;

/// A robot that there never was.
fn new_identity(dir: &Directory) -> Result<Identity, KeyError> {
    let id = (1..=u32::MAX).map(name).find(|id| !dir.state().bots.contains_key(id));
    // the directory does not hold every name there is
    Ok(Identity { id: id.ok_or(KeyError::None)?, key: SigningKey::generate() })
}

/// `robot`, `robot-2`, `robot-3` …
fn name(n: u32) -> BotId {
    let text = if n == 1 { "robot".to_owned() } else { format!("robot-{n}") };
    #[expect(clippy::unwrap_used, reason = "letters, a dash and at most ten digits are an id")]
    text.parse().unwrap()
}

/// Whether the directory knows this robot and no site lets it in any more. One that it does not know was only prepared.
fn is_retired(dir: &Directory, who: &Identity) -> bool {
    let known = dir.state().bots.get(&who.id);
    known.is_some_and(|known| !known.on || known.ed.0 != who.key.public() || !names(dir, &who.id))
}

fn names(dir: &Directory, id: &BotId) -> bool {
    dir.state().sites.values().any(|s| s.bot.as_ref() == Some(id))
}

fn fresh(who: &Identity, fp: OrgFp, now: u64) -> DayKeyPair {
    let secret = KemSecret::generate();
    let x = Key32(secret.public());
    let key = DayKey { v: 1, org: fp, bot: who.id.clone(), x, at: now, until: now + MAX_DAY_KEY_MS };
    DayKeyPair { signed: SignedDayKey::make(&key, &who.key), key, secret }
}

#[cfg(test)]
mod tests;
