//! What the holder of the company keys remembers of the directory: the newest entry they signed on. A server that shows
//! less, or something else, may want keys sealed to people who were switched off since.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    data_dir::{self},
    error::CliError,
    io_error::{cannot, quoted},
};
use crate::{
    crypto::{codec::Hash32, directory::Directory},
    proto::OrgFp,
};

#[derive(Debug, Serialize, Deserialize)]
struct Newest {
    org: OrgFp,
    seq: u32,
    head: Hash32,
}

/// The record beside a key file.
#[derive(Debug)]
pub struct Seen(PathBuf);

impl Seen {
    /// `company.keys.seen` beside `company.keys`.
    pub fn beside(keys: &Path) -> Self {
        let mut name = keys.file_name().unwrap_or_default().to_owned();
        name.push(".seen");
        Self(keys.with_file_name(name))
    }

    /// Refuses a directory that is older than the newest one seen, or another.
    pub fn check(&self, directory: &Directory) -> Result<(), CliError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(cannot("read", &self.0, &e)),
        };
        let place = quoted(&self.0);
        let Ok(newest) = serde_json::from_str::<Newest>(&text) else {
            return Err(
                CliError::failure(format!("{place} cannot be parsed")).hint(format!("look at it; then rm {place}"))
            );
        };
        // the same place may have held the keys of another company
        let same = newest.org == directory.fp();
        match directory.head_at(newest.seq) {
            Some(head) if head == newest.head.0 => Ok(()),
            _ if !same => Ok(()),
            found => {
                let what = match found {
                    None => {
                        format!("the server's directory ends before entry {}, which you last signed on", newest.seq)
                    }
                    Some(_) => format!("the server's directory has another entry {} than when you signed", newest.seq),
                };
                let next = format!("nothing was signed. If you restored an older backup: rm {place}, and try again");
                Err(CliError::failure(what).hint(next))
            }
        }
    }

    /// Remembers the directory as it is after an act. A place that can't be written is no reason to fail what is done.
    pub fn remember(&self, directory: &Directory) {
        let newest = Newest { org: directory.fp(), seq: directory.seq(), head: Hash32(directory.head()) };
        let written =
            serde_json::to_vec(&newest).map_err(CliError::from).and_then(|t| data_dir::replace(&self.0, 0o600, &t));
        if let Err(fail) = written {
            eprintln!("warning: the signed entry could not be recorded: {}", fail.what);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::testing::{agent, company, log};

    #[test]
    fn a_shorter_or_other_directory_is_refused_until_the_memory_is_removed() {
        let tmp = tempfile::tempdir().unwrap();
        let seen = Seen::beside(&tmp.path().join("company.keys"));
        let log = log();
        seen.check(&log.replay()).unwrap();
        seen.remember(&log.replay());
        seen.check(&log.replay()).unwrap();
        let mut longer = log.clone();
        longer.add(&agent("zhao", true, None), &company().root);
        seen.check(&longer.replay()).unwrap();
        assert!(seen.check(&log.first(10).replay()).unwrap_err().what.contains("ends before entry 10"));
        let mut other = log.first(10);
        other.add(&agent("zhao", true, None), &company().root);
        assert!(seen.check(&other.replay()).unwrap_err().what.contains("another entry 10"));
        fs::remove_file(tmp.path().join("company.keys.seen")).unwrap();
        seen.check(&other.replay()).unwrap();
    }
}
