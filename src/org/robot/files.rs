//! The robot's key files: who may read them, what stands in them, and erasing. Nothing here decides when.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, ErrorKind, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{Day, Identity, RobotError};
use crate::{
    crypto::{
        botkey::SignedDayKey,
        codec::{b64u, from_b64u_exact},
        hpke::KemSecret,
        sign::{self, Label, SigningKey},
    },
    proto::{BotId, OrgFp},
};

const SIGN: &str = "sign.key";
const DAYS: &str = "day.keys";

#[derive(Serialize, Deserialize)]
struct SignFile {
    kefu: String,
    v: u32,
    org: OrgFp,
    bot: BotId,
    seed: String,
}

#[derive(Serialize, Deserialize)]
struct DaysFile {
    kefu: String,
    v: u32,
    keys: Vec<DayLine>,
}

#[derive(Serialize, Deserialize)]
struct DayLine {
    #[serde(flatten)]
    signed: SignedDayKey,
    sk: String,
}

const SIGN_KIND: &str = "robot key";
const DAYS_KIND: &str = "robot day keys";

/// A directory with the two files.
#[derive(Debug)]
pub(super) struct Files {
    pub dir: PathBuf,
}

impl Files {
    fn sign_path(&self) -> PathBuf {
        self.dir.join(SIGN)
    }

    fn days_path(&self) -> PathBuf {
        self.dir.join(DAYS)
    }

    /// The signing key; none if there is no file.
    pub fn identity(&self, fp: OrgFp) -> Result<Option<Identity>, RobotError> {
        let path = self.sign_path();
        let Some(text) = read_private(&path)? else { return Ok(None) };
        let bad = |why: &str| RobotError::damaged(&path, why);
        let file: SignFile = parse(&path, &text)?;
        let seed = Zeroizing::new(file.seed);
        if file.kefu != SIGN_KIND || file.v != 1 {
            return Err(bad("it is no robot key of version 1"));
        }
        if file.org != fp {
            return Err(bad("it is of another company"));
        }
        let seed = Zeroizing::new(from_b64u_exact(&seed).map_err(|_| bad("the key is not 32 bytes in base64url"))?);
        Ok(Some(Identity { id: file.bot, key: SigningKey::from_seed(&seed) }))
    }

    /// The day keys of this robot, those that are over too.
    pub fn days(&self, who: &Identity, fp: OrgFp) -> Result<Vec<Day>, RobotError> {
        let path = self.days_path();
        let Some(text) = read_private(&path)? else { return Ok(Vec::new()) };
        let bad = |why: &str| RobotError::damaged(&path, why);
        let file: DaysFile = parse(&path, &text)?;
        if file.kefu != DAYS_KIND || file.v != 1 {
            return Err(bad("these are no robot day keys of version 1"));
        }
        let one = |line: DayLine| {
            let sk = Zeroizing::new(line.sk);
            let sk = Zeroizing::new(from_b64u_exact(&sk).map_err(|_| bad("a key is not 32 bytes in base64url"))?);
            let secret = KemSecret::from_bytes(&sk);
            let key = line.signed.read().map_err(|e| bad(&e.to_string()))?;
            let signed = sign::verify(Label::Bot, &who.key.public(), &line.signed.raw.0, &line.signed.sig.0);
            if signed.is_err() || key.bot != who.id || key.org != fp || key.x.0 != secret.public() {
                return Err(bad("a day key is not by the robot's key beside it"));
            }
            Ok(Day { key, signed: line.signed, secret })
        };
        file.keys.into_iter().map(one).collect()
    }

    /// Keeps a new signing key, in a directory that only this user may enter.
    pub fn write_identity(&self, who: &Identity, fp: OrgFp) -> Result<(), RobotError> {
        self.make_dir()?;
        let seed = b64u(who.key.seed());
        let file = SignFile { kefu: SIGN_KIND.into(), v: 1, org: fp, bot: who.id.clone(), seed };
        replace(&self.sign_path(), &text(&file))?;
        drop(Zeroizing::new(file.seed));
        Ok(())
    }

    /// Keeps exactly these day keys; what stood there before is overwritten.
    pub fn write_days(&self, days: &[Day]) -> Result<(), RobotError> {
        self.make_dir()?;
        let line = |d: &Day| DayLine { signed: d.signed.clone(), sk: b64u(d.secret.bytes()) };
        let file = DaysFile { kefu: DAYS_KIND.into(), v: 1, keys: days.iter().map(line).collect() };
        replace(&self.days_path(), &text(&file))?;
        file.keys.into_iter().for_each(|l| drop(Zeroizing::new(l.sk)));
        Ok(())
    }

    /// Overwrites and removes both files.
    pub fn erase(&self) -> Result<(), RobotError> {
        for path in [self.days_path(), self.sign_path()] {
            match OpenOptions::new().write(true).open(&path) {
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                Err(e) => return Err(RobotError::io("erase", &path, &e)),
                Ok(file) => wipe(file).map_err(|e| RobotError::io("erase", &path, &e))?,
            }
            fs::remove_file(&path).map_err(|e| RobotError::io("remove", &path, &e))?;
        }
        Ok(())
    }

    fn make_dir(&self) -> Result<(), RobotError> {
        match DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => check_private(&self.dir),
            made => made.map_err(|e| RobotError::io("make", &self.dir, &e)),
        }
    }
}

fn text(file: &impl Serialize) -> Zeroizing<String> {
    // texts and numbers print without fail
    Zeroizing::new(serde_json::to_string(file).unwrap_or_default() + "\n")
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, RobotError> {
    // where it stops making sense, never what stands there
    serde_json::from_str(text)
        .map_err(|e| RobotError::damaged(path, &format!("line {}, column {}", e.line(), e.column())))
}

/// Refuses what others may read or what belongs to somebody else.
fn check_private(path: &Path) -> Result<(), RobotError> {
    let meta = fs::metadata(path).map_err(|e| RobotError::io("read", path, &e))?;
    let (mode, me) = (meta.permissions().mode() & 0o777, rustix::process::geteuid());
    if mode & 0o077 != 0 {
        let cure = if meta.is_dir() { "700" } else { "600" };
        return Err(RobotError::Exposed { path: path.to_owned(), mode, cure });
    }
    if meta.uid() != me.as_raw() && !me.is_root() {
        return Err(RobotError::Owner { path: path.to_owned(), uid: meta.uid() });
    }
    Ok(())
}

/// A file of ours alone; none if there is no such file.
fn read_private(path: &Path) -> Result<Option<Zeroizing<String>>, RobotError> {
    match fs::read(path).map(Zeroizing::new) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(RobotError::io("read", path, &e)),
        Ok(bytes) => {
            path.parent().map_or(Ok(()), check_private)?;
            check_private(path)?;
            let text = std::str::from_utf8(&bytes).map_err(|_| RobotError::damaged(path, "it is no text"))?;
            Ok(Some(Zeroizing::new(text.to_owned())))
        }
    }
}

/// Puts new content in place in one step, then overwrites the old, which nobody can reach any more.
fn replace(path: &Path, content: &str) -> Result<(), RobotError> {
    let old = OpenOptions::new().write(true).open(path).ok();
    let beside = path.with_extension("new");
    let written = || {
        match fs::remove_file(&beside) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())?;
        old.map_or(Ok(()), wipe)
    };
    written().map_err(|e| RobotError::io("write", path, &e))
}

/// Zeros over the whole file. A disk may keep old blocks all the same; see docs/security.md.
fn wipe(mut file: File) -> io::Result<()> {
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; len])?;
    file.sync_all()
}
