//! How a conversation begins: an id that commits to the visitor's keys, and the first epoch sealed to the site's team.

use kefu_crypto::{
    announcement::{self, AnnouncementError, NewEpoch},
    codec,
    directory::Directory,
    envelope::EpochKey,
    hash,
    sign::{SigningKey, random},
};
use kefu_proto::{ClientFrame, ConvId, SiteId};

/// Why a conversation can't begin.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// There is no recipient to seal the key to.
    #[error("the directory has no site {0} with a team")]
    NoTeam(SiteId),
    /// The announcement can't be made.
    #[error(transparent)]
    Announcement(#[from] AnnouncementError),
}

/// What begins a conversation: an id that commits to the visitor's keys, and the announcement of epoch 0.
#[derive(Debug)]
pub struct Opening {
    /// Id of the new conversation.
    pub conv: ConvId,
    /// The key of epoch 0.
    pub key: EpochKey,
    site: SiteId,
    nonce: [u8; 16],
    x: [u8; 32],
    announcement: Vec<u8>,
}

impl Opening {
    /// For a visitor with this signing key and this public box key, for the newest key of the site's team.
    pub fn new(directory: &Directory, site: &SiteId, ed: &SigningKey, x: [u8; 32]) -> Result<Self, OpeningError> {
        let nonce = random();
        let conv = hash::conv_id(&nonce, &directory.fp(), site, &ed.public(), &x);
        let team = directory.site(site).and_then(|s| directory.team(&s.team));
        let new = NewEpoch {
            conv,
            epoch: 0,
            prev: [0; 32],
            dir_seq: directory.seq(),
            dir_head: directory.head(),
            team: team.ok_or_else(|| OpeningError::NoTeam(site.clone()))?.pk.0,
            visitor: x,
            bot: None,
        };
        let (announcement, key) = announcement::create(&new, ed)?;
        Ok(Self { conv, key, site: site.clone(), nonce, x, announcement })
    }

    /// The request; the same opening may be asked for again.
    pub fn frame(&self, req: u64) -> ClientFrame {
        ClientFrame::Open {
            req,
            id: self.conv,
            nonce: codec::b64u(&self.nonce),
            site: self.site.clone(),
            x: codec::b64u(&self.x),
            ann: codec::b64u(&self.announcement),
            form: None,
        }
    }
}
