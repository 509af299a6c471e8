//! Users of this machine as people call them, and which of them root became.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Name of the user that root became, and the directory they own.
static BECAME: OnceLock<(String, PathBuf)> = OnceLock::new();

/// Remembers whom root became; the first call counts.
pub fn became(uid: u32, dir: &Path) {
    let _ = BECAME.set((shown(uid), dir.to_owned()));
}

/// A line of `/etc/passwd`.
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its main group.
    pub gid: u32,
}

impl Account {
    /// None: the user is of a directory service, or has no name.
    pub fn of(uid: u32) -> Option<Self> {
        fs::read_to_string("/etc/passwd").ok()?.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            let [name, _, id, gid, ..] = fields[..] else { return None };
            (id.parse() == Ok(uid)).then(|| Some(Self { name: name.to_owned(), gid: gid.parse().ok()? }))?
        })
    }
}

/// The groups of `/etc/group` that a user is a member of, as `sudo -u` would set them.
pub fn groups_of(name: &str) -> Vec<u32> {
    let text = fs::read_to_string("/etc/group").unwrap_or_default();
    let member = |line: &str| {
        let fields: Vec<&str> = line.split(':').collect();
        let [_, _, gid, members] = fields[..] else { return None };
        members.split(',').any(|m| m == name).then(|| gid.parse().ok())?
    };
    text.lines().filter_map(member).collect()
}

/// A user as people call them.
pub fn shown(uid: u32) -> String {
    match Account::of(uid) {
        Some(account) => account.name,
        None => format!("user {uid}"),
    }
}

/// The command to type.
pub fn command(uid: u32) -> String {
    let name = Account::of(uid).map_or_else(|| format!("'#{uid}'"), |account| account.name);
    format!("run as that user: sudo -u {name} kefu …")
}

/// What to do about a file that may not be read or written.
pub fn hint() -> String {
    match BECAME.get() {
        Some((who, dir)) => {
            format!(
                "kefu runs as {who} here, who owns {}: give {who} the file, or name one they can use",
                dir.display()
            )
        }
        None => "run as the user who owns the data, such as: sudo -u kefu kefu …".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_the_machine_and_numbers_do_without() {
        assert_eq!(shown(0), "root");
        assert_eq!(shown(4_000_000_000), "user 4000000000");
        assert!(command(4_000_000_000).contains("sudo -u '#4000000000' kefu"));
        assert!(command(0).contains("sudo -u root kefu"));
        assert_eq!(groups_of("nobody-has-this-name"), Vec::<u32>::new());
    }
}
