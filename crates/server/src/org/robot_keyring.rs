//! What the directory and conversations ask about the robot's keys, which `robot::keys` holds.

use crate::{
    crypto::{botkey::SignedDayKey, directory::Directory},
    proto::SiteId,
};

/// The robot's keys of this server.
pub trait RobotKeyring: Send + Sync + 'static {
    /// Does what is due: erases keys that have expired or that no site uses any more, makes the next day key. Called at every
    /// change of the directory, and again at the time it returns, ms. Touches the disk.
    fn rotate_if_due(&self, dir: &Directory) -> u64;
    /// What a widget of the site may seal to now.
    fn day_key(&self, dir: &Directory, site: &SiteId) -> Option<SignedDayKey>;
    /// Names of the day keys that it holds now.
    fn day_keys(&self) -> Vec<[u8; 16]>;
    /// Whether the site's robot holds the day key that a box names, now.
    fn holds(&self, dir: &Directory, site: &SiteId, box_kid: &[u8; 16]) -> bool;
}
