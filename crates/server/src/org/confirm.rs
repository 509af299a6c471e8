//! `POST /directory`: what an admin's console signs by itself about those who came.

use super::{Org, OrgError, published::PublishedDirectory, published::check_snapshot, rows};
use crate::{
    crypto::{
        codec::Key32,
        directory::{ActiveAgent, Body, Directory, Entry, Role, Snapshot},
    },
    proto::UserId,
    store::{Op, Table},
};
use serde::{Deserialize, Serialize};

/// `POST /directory`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryPost {
    /// Entries of type `confirm` or `rules`, in order.
    pub entries: Vec<Entry>,
    /// Vouches for the directory with them in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snapshot: Option<Snapshot>,
}

/// Maximum number of entries in one request.
const MAX_ENTRIES: usize = 1_000;

impl Org {
    /// Verifies and writes what an admin signed, all or nothing. Returns the number of the newest entry;
    /// [`OrgError::Conflict`] if the directory moved: fetch it and sign again.
    pub async fn post_entries(&self, user: &UserId, post: DirectoryPost) -> Result<u32, OrgError> {
        let DirectoryPost { entries: new, snapshot } = post;
        if new.len() > MAX_ENTRIES {
            return Err(OrgError::TooLarge("the list of entries"));
        }
        let _one = self.writing.lock().await;
        let live = self.live();
        // asked under the lock: an entry before this one may have switched them off
        let signer = self.active(user).filter(|a| a.role == Role::Admin);
        let signer = signer.ok_or(OrgError::Forbidden("only admins sign for the directory"))?;
        let first = new.first().ok_or_else(|| OrgError::Malformed("it contains no entries".into()))?;
        if first.read()?.0 != live.directory.seq() + 1 {
            return Err(OrgError::Conflict);
        }
        let mut directory = (*live.directory).clone();
        let mut ops = Vec::new();
        for entry in &new {
            check(&directory, &signer, entry)?;
            directory.apply(entry)?;
            let key = rows::entry_key(directory.seq());
            ops.push(Op::Expect { table: Table::Directory, key: key.clone(), value: None });
            ops.push(rows::put(Table::Directory, key, entry));
        }
        let entries = [&live.entries[..], &new].concat();
        if let Some(snapshot) = &snapshot {
            if !check_snapshot(&directory, &entries, live.snapshot.as_ref(), snapshot, self.now_ms())? {
                return Err(OrgError::Conflict);
            }
            ops.push(rows::put(Table::Meta, rows::SNAPSHOT.to_vec(), snapshot));
            directory.cover(snapshot.read()?.seq);
        }
        self.write_directory(ops).await?;
        let seq = directory.seq();
        self.publish(PublishedDirectory::new(directory.into(), entries, snapshot.or_else(|| live.snapshot.clone())));
        Ok(seq)
    }
}

/// One of the two kinds, by this very admin. Whether an admin who waits may sign it, the directory decides.
fn check(directory: &Directory, signer: &ActiveAgent, entry: &Entry) -> Result<(), OrgError> {
    if entry.signer != Key32(signer.ed) {
        return Err(OrgError::Forbidden("the entries are signed by a key other than yours"));
    }
    match entry.read()?.1 {
        Some(Body::Rules(_)) => Ok(()),
        Some(Body::Confirm(c)) if c.user == signer.user || directory.may_sign(&entry.signer) => Ok(()),
        Some(Body::Confirm(_)) => Err(OrgError::Forbidden("nobody has confirmed you yet")),
        _ => Err(OrgError::Forbidden("an admin's console can only confirm people and begin revisions")),
    }
}
