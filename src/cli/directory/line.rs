//! An entry of the log in one line.

use serde::{Deserialize, Serialize};

use crate::{
    cli::verified_directory::VerifiedDirectory,
    crypto::{
        codec::Hash32,
        directory::{Body, Entry, IdentityBody},
    },
};

/// An entry in words.
#[derive(Debug, Serialize)]
pub struct Line {
    /// Sequence number of the entry.
    pub seq: u32,
    /// When it was signed, ms; the signer's clock.
    pub at: u64,
    /// What the entry does, in words.
    pub what: String,
    /// `root`, or the user whose key it is.
    pub signer: String,
    /// Hash of the entry, hex.
    pub hash: String,
}

#[derive(Deserialize)]
struct Head {
    at: u64,
    t: String,
}

impl Line {
    /// None if it cannot be parsed; the replay has refused it then.
    pub fn read(company: &VerifiedDirectory, entry: &Entry) -> Option<Self> {
        let head: Head = serde_json::from_slice(&entry.raw.0).ok()?;
        let (seq, body) = entry.read().ok()?;
        // the user who had the key at any time since the genesis
        let user = company.dir.certified(&entry.signer.0, 0).map(|(id, _)| id.to_string());
        let signer = match entry.signer == company.dir.state().root {
            true => "root".into(),
            false => user.unwrap_or_else(|| "?".into()),
        };
        let body = body.or_else(|| IdentityBody::read(entry).map(Body::Identity));
        let what = body.map_or_else(|| format!("{} (written by a newer version)", head.t), |b| words(&b));
        Some(Self { seq, at: head.at, what, signer, hash: Hash32(entry.hash()).to_string() })
    }
}

fn words(body: &Body) -> String {
    match body {
        Body::Genesis(b) => format!("company {} created", b.org),
        Body::Enrol(b) => format!("{} joined as {}", b.user, b.role),
        Body::Agent(b) if !b.on => format!("{} is switched off", b.user),
        Body::Agent(b) => {
            let role = b.role.map(|r| format!("role {r}"));
            let name = b.name.as_ref().map(|n| format!("name {n}"));
            let teams = b.teams.as_ref().map(|t| {
                let ids: Vec<&str> = t.iter().map(|t| t.as_str()).collect();
                format!("teams {}", if ids.is_empty() { "none".into() } else { ids.join(" ") })
            });
            let parts: Vec<String> = [role, name, teams].into_iter().flatten().collect();
            format!("{}: {}", b.user, parts.join(", "))
        }
        Body::Team(b) => format!("team {} ({}), key no. {}{}", b.id, b.name, b.epoch, if b.on { "" } else { ", off" }),
        Body::Site(b) => {
            let bot = b.bot.as_ref().map(|bot| format!(", robot {bot}")).unwrap_or_default();
            format!("site {} for team {}{bot}{}", b.id, b.team, if b.on { "" } else { ", off" })
        }
        Body::Bot(b) => format!("robot {} ({}){}", b.id, b.name, if b.on { "" } else { ", off" }),
        Body::Revoke(_) => "an invite is revoked".into(),
        Body::Identity(b) if b.keys.is_empty() => format!("site {}: no key vouches for its visitors", b.site),
        Body::Identity(b) => {
            let keys: Vec<String> = b.keys.iter().map(|key| key.thumbprint()).collect();
            format!("site {}: visitors are vouched for by {}", b.site, keys.join(", "))
        }
        Body::Confirm(b) => format!("{} is confirmed", b.user),
        Body::Rules(b) if b.late.is_empty() => format!("rules of readers, revision {}", b.rev),
        Body::Rules(b) => format!("rules of readers, revision {}; {} not confirmed", b.rev, b.late.len()),
    }
}
