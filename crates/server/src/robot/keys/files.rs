//! The robot's key files: who may read them, their content, and erasing. Nothing here decides when.

use std::{
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use super::{DayKeyPair, Identity, KeyError, shared::SharedKey};
use crate::{
    crypto::{
        botkey::SignedDayKey,
        codec::{b64u, from_b64u_exact},
        hpke::KemSecret,
        sign::{self, Label, SigningKey},
    },
    files::{self, make_directory, open_own, parts, private_directory},
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
    /// Only where servers share it: see [`SharedKey::rotation`].
    #[serde(default, skip_serializing_if = "is_zero")]
    rotation: u64,
}

#[derive(Serialize, Deserialize)]
struct DaysFile {
    kefu: String,
    v: u32,
    keys: Vec<DayLine>,
    /// See [`SharedKey::rotation`].
    #[serde(default, skip_serializing_if = "is_zero")]
    rotation: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[derive(Serialize, Deserialize)]
struct DayLine {
    #[serde(flatten)]
    signed: SignedDayKey,
    sk: String,
}

const SIGN_KIND: &str = "robot key";
const DAYS_KIND: &str = "robot day keys";

/// Directories of the two files.
#[derive(Debug)]
pub(super) struct Files {
    /// Of the signing key, which outlives the machine's restart.
    pub dir: PathBuf,
    /// Of the day keys; the same directory, or one that no disk holds.
    pub day_dir: PathBuf,
}

impl Files {
    fn sign_path(&self) -> PathBuf {
        self.dir.join(SIGN)
    }

    fn days_path(&self) -> PathBuf {
        self.day_dir.join(DAYS)
    }

    /// Takes the day keys along when their place is another than before, and leaves nothing of them on the disk. Both
    /// places are looked at: a command may have made keys while no server ran.
    pub fn settle(&self) -> Result<(), KeyError> {
        let old = self.dir.join(DAYS);
        if self.day_dir == self.dir {
            return Ok(());
        }
        let Some(text) = read_private(&old)? else { return Ok(()) };
        if read_private(&self.days_path())?.is_none() {
            directory(&self.day_dir)?;
            replace(&self.days_path(), &text)?;
        }
        erase(&old)
    }

    /// The signing key; none if there is no file.
    pub fn identity(&self, fp: OrgFp) -> Result<Option<Identity>, KeyError> {
        let path = self.sign_path();
        let Some(text) = read_private(&path)? else { return Ok(None) };
        Ok(Some(read_identity(&path, &text, fp)?.who))
    }

    /// The day keys of this robot, including expired ones, and the rotation they were made in.
    pub fn days(&self, who: &Identity, fp: OrgFp) -> Result<(Vec<DayKeyPair>, u64), KeyError> {
        let path = self.days_path();
        let Some(text) = read_private(&path)? else { return Ok((Vec::new(), 0)) };
        let bad = |why: &str| KeyError::damaged(&path, why);
        let file: DaysFile = parse(&path, &text)?;
        if file.kefu != DAYS_KIND || file.v != 1 {
            return Err(bad("these are not robot day keys of version 1"));
        }
        let one = |line: DayLine| {
            let sk = Zeroizing::new(line.sk);
            let sk = Zeroizing::new(from_b64u_exact(&sk).map_err(|_| bad("a key is not 32 bytes in base64url"))?);
            let secret = KemSecret::from_bytes(&sk);
            let key = line.signed.read().map_err(|e| bad(&e.to_string()))?;
            let signed = sign::verify(Label::Bot, &who.key.public(), &line.signed.raw.0, &line.signed.sig.0);
            if signed.is_err() || key.bot != who.id || key.org != fp || key.x.0 != secret.public() {
                return Err(bad("a day key is not signed by the robot's key beside it"));
            }
            Ok(DayKeyPair { key, signed: line.signed, secret })
        };
        Ok((file.keys.into_iter().map(one).collect::<Result<_, _>>()?, file.rotation))
    }

    /// Keeps a new signing key, in a directory that only this user may enter.
    pub fn write_identity(&self, who: &Identity, fp: OrgFp) -> Result<(), KeyError> {
        directory(&self.dir)?;
        replace(&self.sign_path(), &identity_text(who, fp, 0))
    }

    /// Keeps exactly these day keys; what stood there before is overwritten.
    pub fn write_days(&self, days: &[DayKeyPair], rotation: u64) -> Result<(), KeyError> {
        directory(&self.day_dir)?;
        let line = |d: &DayKeyPair| DayLine { signed: d.signed.clone(), sk: b64u(d.secret.bytes()) };
        let file = DaysFile { kefu: DAYS_KIND.into(), v: 1, keys: days.iter().map(line).collect(), rotation };
        replace(&self.days_path(), &text(&file))?;
        file.keys.into_iter().for_each(|l| drop(Zeroizing::new(l.sk)));
        Ok(())
    }

    /// Overwrites and removes both files.
    pub fn erase(&self) -> Result<(), KeyError> {
        [self.days_path(), self.dir.join(DAYS), self.sign_path()].iter().try_for_each(|path| erase(path))
    }
}

/// A signing key as text, in a file or before it is sealed.
pub(super) fn identity_text(who: &Identity, fp: OrgFp, rotation: u64) -> Zeroizing<String> {
    let seed = b64u(who.key.seed());
    let file = SignFile { kefu: SIGN_KIND.into(), v: 1, org: fp, bot: who.id.clone(), seed, rotation };
    let text = text(&file);
    drop(Zeroizing::new(file.seed));
    text
}

/// What [`identity_text`] wrote; `path` is named in mistakes.
pub(super) fn read_identity(path: &Path, text: &str, fp: OrgFp) -> Result<SharedKey, KeyError> {
    let bad = |why: &str| KeyError::damaged(path, why);
    let file: SignFile = parse(path, text)?;
    let seed = Zeroizing::new(file.seed);
    if file.kefu != SIGN_KIND || file.v != 1 {
        return Err(bad("it is not a robot key of version 1"));
    }
    if file.org != fp {
        return Err(bad("it belongs to another company"));
    }
    let seed = Zeroizing::new(from_b64u_exact(&seed).map_err(|_| bad("the key is not 32 bytes in base64url"))?);
    let who = Identity { id: file.bot, key: SigningKey::from_seed(&seed) };
    Ok(SharedKey { who, rotation: file.rotation })
}

/// A directory that only this user may enter, made if it is missing.
fn directory(dir: &Path) -> Result<(), KeyError> {
    match make_directory(dir) {
        Ok(true) => Ok(()),
        Ok(false) => {
            let meta = fs::symlink_metadata(dir).map_err(|e| KeyError::io("read", dir, &e))?;
            check_private(dir, &meta)?;
            private_directory(&meta).map_err(|_| KeyError::damaged(dir, "it is not a directory"))
        }
        Err(e) => Err(KeyError::io("make", dir, &e)),
    }
}

/// Overwrites and removes a file, and what was half written of it.
fn erase(path: &Path) -> Result<(), KeyError> {
    for path in parts(path).iter().map(PathBuf::as_path).chain([path]) {
        match open_own(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(e) => return Err(KeyError::io("erase", path, &e)),
            Ok(file) => wipe(file).map_err(|e| KeyError::io("erase", path, &e))?,
        }
        fs::remove_file(path).map_err(|e| KeyError::io("remove", path, &e))?;
    }
    Ok(())
}

fn text(file: &impl Serialize) -> Zeroizing<String> {
    // texts and numbers print without fail
    Zeroizing::new(serde_json::to_string(file).unwrap_or_default() + "\n")
}

fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, KeyError> {
    // the position of the error, never the content there
    serde_json::from_str(text)
        .map_err(|e| KeyError::damaged(path, &format!("line {}, column {}", e.line(), e.column())))
}

/// Refuses what other users can read or own.
fn check_private(path: &Path, meta: &Metadata) -> Result<(), KeyError> {
    let (mode, me) = (meta.permissions().mode() & 0o777, rustix::process::geteuid());
    if mode & 0o077 != 0 {
        let cure = if meta.is_dir() { "700" } else { "600" };
        return Err(KeyError::Exposed { path: path.to_owned(), mode, cure });
    }
    if meta.uid() != me.as_raw() {
        return Err(KeyError::Owner { path: path.to_owned(), uid: meta.uid() });
    }
    Ok(())
}

/// A private file; none if it does not exist.
fn read_private(path: &Path) -> Result<Option<Zeroizing<String>>, KeyError> {
    let failed = |e: &io::Error| KeyError::io("read", path, e);
    let meta = match fs::symlink_metadata(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        meta => meta.map_err(|e| failed(&e))?,
    };
    if let Some(dir) = path.parent() {
        check_private(dir, &fs::symlink_metadata(dir).map_err(|e| failed(&e))?)?;
    }
    check_private(path, &meta)?;
    let mut bytes = Zeroizing::new(Vec::new());
    open_own(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|e| failed(&e))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| KeyError::damaged(path, "it is not text"))?;
    Ok(Some(Zeroizing::new(text.to_owned())))
}

/// Replaces the content atomically, then overwrites the old file, which has no name any more.
fn replace(path: &Path, content: &str) -> Result<(), KeyError> {
    // only one process has the keys, so what is half written was left by one that was killed: it holds keys, too
    for part in parts(path) {
        erase(&part)?;
    }
    let old = open_own(path).ok();
    let written = files::replace(path, 0o600, content.as_bytes()).and_then(|()| old.map_or(Ok(()), wipe));
    written.map_err(|e| KeyError::io("write", path, &e))
}

/// Zeros over the whole file. A disk may keep old blocks all the same; see docs/security.md.
fn wipe(mut file: File) -> io::Result<()> {
    let len = usize::try_from(file.metadata()?.len()).unwrap_or(0);
    file.write_all(&vec![0; len])?;
    file.sync_all()
}
