//! The signing key as several servers of a company share it: where it is kept, sealed, and who replaces it, is not decided here. It
//! certifies the day keys of all of them, so that a visitor at any server lets in the same robot. Day keys are not shared.

use zeroize::Zeroizing;

use super::{
    DayKeyPair, Identity, KeyError, Keys, RobotKeys,
    files::{identity_text, read_identity},
    is_retired, new_identity,
};
use crate::{crypto::directory::Directory, org::RobotKeyring as _};

/// What the servers share.
#[derive(Debug, Clone)]
pub struct SharedKey {
    /// Who the robot is.
    pub who: Identity,
    /// Raised when all day keys are to be replaced at once; each server then erases those that it made before.
    pub rotation: u64,
}

impl SharedKey {
    fn is(&self, other: &Self) -> bool {
        self.rotation == other.rotation
            && self.who.id == other.who.id
            && self.who.key.public() == other.who.key.public()
    }
}

impl RobotKeys {
    /// As it is sealed for other servers.
    pub fn shared_text(&self, key: &SharedKey) -> Zeroizing<String> {
        identity_text(&key.who, self.fp, key.rotation)
    }

    /// What [`RobotKeys::shared_text`] wrote.
    ///
    /// # Errors
    /// It is something else, or of another company.
    pub fn read_shared(&self, text: &str) -> Result<SharedKey, KeyError> {
        read_identity("the robot's key in Redis".as_ref(), text, self.fp)
    }

    /// The signing key in the file of a server that was alone before, if there is one.
    ///
    /// # Errors
    /// The file can't be used.
    pub fn of_one_server(&self) -> Result<Option<Identity>, KeyError> {
        self.files.identity(self.fp)
    }

    /// Writes the signing key to the file of a server that is alone from now on.
    ///
    /// # Errors
    /// The file can't be written.
    pub fn write_for_one_server(&self, who: &Identity) -> Result<(), KeyError> {
        self.files.write_identity(who, self.fp)
    }

    /// What the servers share from now on; none: nothing. Day keys that it does not certify are erased, new ones made.
    pub fn take_shared(&self, key: Option<SharedKey>, dir: &Directory) {
        let key = key.filter(|key| !is_retired(dir, &key.who));
        let mut keys = self.keys();
        let same = match (&keys.shared, &key) {
            (Some(old), Some(new)) => old.is(new),
            // a robot may have been taken off all sites while this server did not run
            (None, None) => keys.swept || !self.serves,
            _ => false,
        };
        if same {
            return;
        }
        *keys = self.read(key);
        drop(keys);
        self.changed.send_replace(());
        self.rotate_if_due(dir);
    }

    /// The key for a robot that is put on sites: the one that there is, or a new one.
    ///
    /// # Errors
    /// There is no name for a new one.
    pub fn fitting(&self, now: Option<SharedKey>, dir: &Directory) -> Result<SharedKey, KeyError> {
        let rotation = now.as_ref().map_or(0, |key| key.rotation);
        match now.filter(|key| !is_retired(dir, &key.who)) {
            Some(key) => Ok(key),
            None => Ok(SharedKey { who: new_identity(dir)?, rotation }),
        }
    }

    /// Whether no site lets this robot in any more, so that nobody needs its key.
    pub fn is_retired(&self, key: &SharedKey, dir: &Directory) -> bool {
        is_retired(dir, &key.who)
    }

    /// Whether a site lets this robot in.
    pub fn is_in_use(&self, key: &SharedKey, dir: &Directory) -> bool {
        dir.state().bots.contains_key(&key.who.id) && !is_retired(dir, &key.who)
    }

    /// Reads the day keys of this server that the shared key certifies.
    pub(super) fn read_beside(&self, shared: Option<SharedKey>) -> Result<Keys, KeyError> {
        let Some(key) = shared else {
            self.files.erase()?;
            return Ok(Keys { swept: true, ..Keys::default() });
        };
        let mut days: Vec<DayKeyPair> = Vec::new();
        match self.files.days(&key.who, self.fp) {
            Ok((found, rotation)) if rotation == key.rotation => days = found,
            Ok(_) => {}
            // of the robot before it
            Err(KeyError::Damaged { path, why }) => {
                tracing::info!(file = %path.display(), why, "the robot's day keys on this server are replaced");
            }
            Err(e) => return Err(e),
        }
        Ok(Keys { who: Some(key.who.clone()), days, shared: Some(key), ..Keys::default() })
    }
}
