//! How a visitor begins a conversation: an id that commits to his keys, and the announcement of epoch 0.

use crate::{
    crypto::{
        announcement::{self, NewEpoch},
        directory::Directory,
        envelope::EpochKey,
        hash,
        keyring::Keyring,
        sign::random,
    },
    proto::{ConvId, SiteId},
};

/// What begins a conversation.
pub(super) struct Opening {
    pub conv: ConvId,
    pub nonce: [u8; 16],
    pub announcement: Vec<u8>,
    pub key: EpochKey,
}

/// A new conversation of a visitor: its id and the announcement of epoch 0.
pub(super) fn opening(keys: &Keyring, directory: &Directory, site: &SiteId) -> Result<Opening, String> {
    let nonce: [u8; 16] = random();
    let visitor = keys.kem.public();
    let conv = hash::conv_id(&nonce, &directory.fp(), site, &keys.signing.public(), &visitor);
    let team = directory.site(site).and_then(|s| directory.team(&s.team));
    let new = NewEpoch {
        conv,
        epoch: 0,
        prev: [0; 32],
        dir_seq: directory.seq(),
        dir_head: directory.head(),
        team: team.ok_or_else(|| format!("the directory has no site {site} with a team"))?.pk.0,
        visitor,
        bot: None,
    };
    let (announcement, key) = announcement::create(&new, &keys.signing).map_err(|e| e.to_string())?;
    Ok(Opening { conv, nonce, announcement, key })
}
