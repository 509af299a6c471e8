//! What a server may know of a company whose keys were made elsewhere: a file to carry over, with no secret of people in it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{error::CliError, io_error::cannot};
use crate::{
    crypto::hash,
    org::{AdminView, Commit},
    proto::OrgFp,
};

const KIND: &str = "public part of a company";

/// Content of `public.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct PublicPart {
    /// Type of the file.
    kefu: String,
    /// Version of the format: 1.
    v: u32,
    /// Fingerprint of the company.
    pub org: OrgFp,
    /// Genesis, first snapshot, first invite.
    pub commit: Commit,
}

impl PublicPart {
    /// The file of a founding.
    pub fn new(org: OrgFp, commit: Commit) -> Self {
        Self { kefu: KIND.into(), v: 1, org, commit }
    }

    /// The file as JSON text.
    pub fn text(&self) -> Result<String, CliError> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads the file. Nothing in it is verified yet.
    pub fn read(path: &Path) -> Result<Self, CliError> {
        let text = fs::read_to_string(path).map_err(|e| cannot("read", path, &e))?;
        let not = |why: String| {
            CliError::failure(format!("{} is not the public part of a company: {why}", path.display()))
                .hint("it must be the public.json that kefu init --offline DIR created")
        };
        let part: Self = serde_json::from_str(&text).map_err(|e| not(e.to_string()))?;
        if part.kefu != KIND || part.v != 1 {
            return Err(not(format!("it contains {:?}, version {}", part.kefu, part.v)));
        }
        Ok(part)
    }

    /// What a server would export of the company as it begins; to be verified by who reads it.
    pub fn view(&self) -> AdminView {
        AdminView {
            org: self.org,
            entries: self.commit.entries.clone(),
            snapshot: self.commit.snapshot.clone(),
            recovery: Vec::new(),
            invites: Vec::new(),
            accounts: Vec::new(),
            sites: BTreeMap::new(),
        }
    }

    /// The fingerprint of the file at `path`, if there is one.
    pub fn pin(path: &Path) -> Option<OrgFp> {
        let part: Self = serde_json::from_str(&fs::read_to_string(path).ok()?).ok()?;
        // a file that was tampered with pins another root key, and then the directory does not verify
        (part.kefu == KIND).then_some(part.org)
    }

    /// The fingerprint as people see it.
    pub fn org_text(&self) -> String {
        hash::org_fp_text(&self.org)
    }
}
