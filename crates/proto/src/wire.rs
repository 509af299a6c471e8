//! Positions of the fields of an envelope. Views over bytes: nothing here opens, signs or verifies.

use crate::{ConvId, Kid, MsgId};

/// Header of messages, notes, recalls and tombstones.
pub const MESSAGE_HEADER: usize = 80;
/// A recall: header, message id, inst, ctr and hash of what is recalled, signature.
pub const RECALL_LEN: usize = MESSAGE_HEADER + 16 + 4 + 4 + 16 + SIGNATURE_LEN;
/// Header of announcements.
pub const ANNOUNCEMENT_HEADER: usize = 141;
/// One box of an announcement: kind, box kid, enc, ciphertext with tag.
pub const BOX_LEN: usize = 1 + 16 + 32 + 48;
/// Header of history grants.
pub const GRANT_HEADER: usize = 2 + 1 + 1 + 16 + 16 + 2;
/// One box of a grant: epoch, kind, box kid, enc, ciphertext with tag.
pub const GRANT_BOX_LEN: usize = 4 + BOX_LEN;
/// An Ed25519 signature.
pub const SIGNATURE_LEN: usize = 64;

const TAG: usize = 16;

/// What an envelope is; its third byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Sealed under the epoch's key.
    Message = 1,
    /// Begins an epoch.
    Announcement = 2,
    /// Gives old epochs' keys to a new reader.
    Grant = 3,
    /// Sealed to the team alone.
    Note = 4,
    /// Takes a message back.
    Recall = 5,
    /// Takes a note back.
    NoteRecall = 6,
    /// What is left of a recalled message.
    Tombstone = 9,
    /// What is left of a recalled note.
    NoteTombstone = 10,
}

/// Why bytes are not an envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The first bytes are not `K1`.
    #[error("not an envelope: messages must be sealed")]
    NotSealed,
    /// A kind or suite this version does not know.
    #[error("unknown kind or suite of envelope")]
    Unsupported,
    /// Shorter than its kind needs, or of an impossible length.
    #[error("envelope with an invalid length")]
    Length,
    /// Larger than [`super::MAX_ENVELOPE`].
    #[error("envelope larger than 64 KiB")]
    TooLarge,
}

/// The conversation a record's body belongs to; bytes 4..20 of every envelope and event.
pub fn conversation_of(body: &[u8]) -> Option<ConvId> {
    body.get(4..20).and_then(ConvId::from_slice)
}

/// What the server keeps of a recalled message or note: its header, so that counters stay checkable. None if `body` is
/// neither.
pub fn tombstone(body: &[u8]) -> Option<Vec<u8>> {
    let kind = match HeaderView::parse(body).ok()?.0 {
        Kind::Message => Kind::Tombstone,
        Kind::Note => Kind::NoteTombstone,
        _ => return None,
    };
    let mut left = body[..MESSAGE_HEADER].to_vec();
    left[2] = kind as u8;
    Some(left)
}

fn u32_at(b: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

fn id_at(b: &[u8], at: usize) -> [u8; 16] {
    let mut id = [0; 16];
    id.copy_from_slice(&b[at..at + 16]);
    id
}

/// An envelope whose length and first four bytes were checked.
#[derive(Debug, Clone, Copy)]
pub struct HeaderView<'a>(&'a [u8]);

impl<'a> HeaderView<'a> {
    /// Checks magic, kind, suite and length; the view then reads fields without further checks.
    pub fn parse(bytes: &'a [u8]) -> Result<(Kind, Self), EnvelopeError> {
        use EnvelopeError::{Length, NotSealed, TooLarge, Unsupported};
        if bytes.len() > super::MAX_ENVELOPE {
            return Err(TooLarge);
        }
        if bytes.get(..2) != Some(b"K1") {
            return Err(NotSealed);
        }
        let (kind, least) = match bytes.get(2) {
            Some(1) => (Kind::Message, MESSAGE_HEADER + 32 + TAG + SIGNATURE_LEN),
            Some(2) => (Kind::Announcement, ANNOUNCEMENT_HEADER + 2 * BOX_LEN + SIGNATURE_LEN),
            Some(3) => (Kind::Grant, GRANT_HEADER + GRANT_BOX_LEN + SIGNATURE_LEN),
            Some(4) => (Kind::Note, MESSAGE_HEADER + 16 + 32 + 32 + TAG + SIGNATURE_LEN),
            Some(5) => (Kind::Recall, RECALL_LEN),
            Some(6) => (Kind::NoteRecall, RECALL_LEN),
            Some(9) => (Kind::Tombstone, MESSAGE_HEADER),
            Some(10) => (Kind::NoteTombstone, MESSAGE_HEADER),
            Some(_) => return Err(Unsupported),
            None => return Err(Length),
        };
        if bytes.get(3) != Some(&1) {
            return Err(Unsupported);
        }
        let fits = match kind {
            Kind::Announcement => (bytes.len() - ANNOUNCEMENT_HEADER.min(bytes.len())) % BOX_LEN == SIGNATURE_LEN,
            Kind::Grant => {
                bytes.len() >= least
                    && bytes.len()
                        == GRANT_HEADER
                            + usize::from(u16::from_be_bytes([bytes[36], bytes[37]])) * GRANT_BOX_LEN
                            + SIGNATURE_LEN
            }
            Kind::Tombstone | Kind::NoteTombstone => bytes.len() == MESSAGE_HEADER,
            Kind::Recall | Kind::NoteRecall => bytes.len() == RECALL_LEN,
            Kind::Message | Kind::Note => true,
        };
        if bytes.len() < least || !fits { Err(Length) } else { Ok((kind, Self(bytes))) }
    }

    /// The conversation.
    pub fn conv(&self) -> ConvId {
        ConvId(id_at(self.0, 4))
    }

    /// The epoch; a grant has none and gives 0.
    pub fn epoch(&self) -> u32 {
        if self.0[2] == Kind::Grant as u8 { 0 } else { u32_at(self.0, 20) }
    }

    /// Key of the signer.
    pub fn sender(&self) -> Kid {
        Kid(id_at(self.0, if self.0[2] == Kind::Grant as u8 { 20 } else { 24 }))
    }

    /// The message id. Announcements and grants have none; their first signature bytes serve as one, so that a resend is
    /// recognised all the same.
    pub fn msg_id(&self) -> MsgId {
        match self.0[2] {
            2 | 3 => MsgId(id_at(self.0, self.0.len() - SIGNATURE_LEN)),
            _ => MsgId(id_at(self.0, 40)),
        }
    }

    /// Which run of its sender's counter (messages, notes, recalls, tombstones).
    pub fn inst(&self) -> u32 {
        u32_at(self.0, 56)
    }

    /// Position in that run.
    pub fn ctr(&self) -> u32 {
        u32_at(self.0, 60)
    }

    /// The whole envelope.
    pub fn bytes(&self) -> &'a [u8] {
        self.0
    }
}

/// The fields only announcements have.
#[derive(Debug, Clone, Copy)]
pub struct AnnouncementView<'a>(&'a [u8]);

impl<'a> AnnouncementView<'a> {
    /// The view, if the bytes are an announcement.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        match HeaderView::parse(bytes)? {
            (Kind::Announcement, _) => Ok(Self(bytes)),
            _ => Err(EnvelopeError::Unsupported),
        }
    }

    /// The part that boxes bind to.
    pub fn header(&self) -> &'a [u8] {
        &self.0[..ANNOUNCEMENT_HEADER]
    }

    /// Hash of the announcement before it; zeros for epoch 0.
    pub fn prev(&self) -> [u8; 32] {
        self.hash_at(40)
    }

    /// Number of the newest directory entry its creator knew.
    pub fn dir_seq(&self) -> u32 {
        u32_at(self.0, 72)
    }

    /// Hash of that entry.
    pub fn dir_head(&self) -> [u8; 32] {
        self.hash_at(76)
    }

    /// Commitment to the epoch's key.
    pub fn commitment(&self) -> [u8; 32] {
        self.hash_at(108)
    }

    /// Whether a bot is a member of this epoch.
    pub fn has_bot(&self) -> bool {
        self.0[140] & 1 == 1
    }

    /// `(kind, box kid, enc ‖ ciphertext)` of each box.
    pub fn boxes(&self) -> impl Iterator<Item = (u8, [u8; 16], &'a [u8])> {
        let end = self.0.len() - SIGNATURE_LEN;
        self.0[ANNOUNCEMENT_HEADER..end].chunks_exact(BOX_LEN).map(|b| (b[0], id_at(b, 1), &b[17..]))
    }

    /// What the creator signed, and the signature.
    pub fn signed(&self) -> (&'a [u8], &'a [u8]) {
        self.0.split_at(self.0.len() - SIGNATURE_LEN)
    }

    fn hash_at(&self, at: usize) -> [u8; 32] {
        let mut h = [0; 32];
        h.copy_from_slice(&self.0[at..at + 32]);
        h
    }
}

/// The fields only recalls have: what is recalled.
#[derive(Debug, Clone, Copy)]
pub struct RecallView<'a>(&'a [u8]);

impl<'a> RecallView<'a> {
    /// The view, if the bytes are a recall.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, EnvelopeError> {
        match HeaderView::parse(bytes)? {
            (Kind::Recall | Kind::NoteRecall, _) => Ok(Self(bytes)),
            _ => Err(EnvelopeError::Unsupported),
        }
    }

    /// Its message id.
    pub fn msg(&self) -> MsgId {
        MsgId(id_at(self.0, MESSAGE_HEADER))
    }

    /// The run of its counter.
    pub fn inst(&self) -> u32 {
        u32_at(self.0, MESSAGE_HEADER + 16)
    }

    /// Its position in that run.
    pub fn ctr(&self) -> u32 {
        u32_at(self.0, MESSAGE_HEADER + 20)
    }

    /// Its hash (protocol §1), as others name it in `prev`.
    pub fn hash(&self) -> [u8; 16] {
        id_at(self.0, MESSAGE_HEADER + 24)
    }

    /// The kinds that it may remove: the original, and what is left of it after an earlier recall.
    pub fn takes_back(&self) -> [Kind; 2] {
        match self.0[2] {
            5 => [Kind::Message, Kind::Tombstone],
            _ => [Kind::Note, Kind::NoteTombstone],
        }
    }

    /// Whether `body` is its target, as far as everyone can check: its hash is compared by those who have it
    /// (`crypto::recall`).
    pub fn names(&self, body: &[u8]) -> bool {
        let Ok((_, own)) = HeaderView::parse(self.0) else { return false };
        HeaderView::parse(body).is_ok_and(|(kind, h)| {
            self.takes_back().contains(&kind)
                && (h.conv(), h.sender()) == (own.conv(), own.sender())
                && (h.msg_id(), h.inst(), h.ctr()) == (self.msg(), self.inst(), self.ctr())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail_without_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..700), kind in 0u8..12) {
            if bytes.len() > 3 { bytes[..2].copy_from_slice(b"K1"); bytes[2] = kind; bytes[3] = 1; }
            if let Ok((kind, h)) = HeaderView::parse(&bytes) {
                let _ = (h.conv(), h.epoch(), h.sender(), h.msg_id());
                if !matches!(kind, Kind::Announcement | Kind::Grant) { let _ = (h.inst(), h.ctr()); }
                if let Ok(r) = RecallView::parse(&bytes) {
                    let _ = (r.msg(), r.inst(), r.ctr(), r.hash(), r.takes_back(), r.names(&bytes));
                }
                if let Ok(a) = AnnouncementView::parse(&bytes) {
                    let _ = (a.prev(), a.dir_seq(), a.dir_head(), a.commitment(), a.has_bot(), a.boxes().count(), a.signed());
                }
            }
        }
    }

    #[test]
    fn plaintext_is_named_as_such() {
        assert_eq!(HeaderView::parse(b"hello").unwrap_err(), EnvelopeError::NotSealed);
    }
}
