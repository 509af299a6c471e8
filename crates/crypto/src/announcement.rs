//! Announcements (kind 2): who begins an epoch, and the recipients of its key.

use crate::{
    directory::Directory,
    envelope::EpochKey,
    hash::{self, BoxKind},
    hpke::{self, HpkeError, KemSecret},
    sign::{self, Label, SignError, SigningKey},
};
use kefu_proto::{
    ANNOUNCEMENT_HEADER, AnnouncementView, BOX_LEN, ConvId, EnvelopeError, HeaderView, Kind, SIGNATURE_LEN,
};

/// Why an announcement is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementError {
    /// Not an announcement.
    #[error(transparent)]
    Form(#[from] EnvelopeError),
    /// It belongs to another conversation.
    #[error("the announcement belongs to another conversation")]
    Conversation,
    /// Not the epoch that comes next.
    #[error("epoch {found} announced, expected {expected}")]
    Epoch {
        /// The number expected.
        expected: u32,
        /// The number found.
        found: u32,
    },
    /// The chain of announcements is broken.
    #[error("the announcement does not follow the last one")]
    Chain,
    /// Flags this version does not know.
    #[error("the announcement has unknown flags")]
    Flags,
    /// The kid is not the creator's.
    #[error("the announcement names another creator")]
    Creator,
    /// The creator's key or signature is bad.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Its creator knows more of the directory than the reader.
    #[error("the announcement refers to a newer directory (entry {0})")]
    DirectoryAhead(u32),
    /// Its creator saw another directory: one of the two is shown a false one.
    #[error("the announcement's creator saw another directory at entry {0}")]
    DirectoryFork(u32),
    /// A box for someone who may not read, or a second one for someone who may.
    #[error("the announcement has a box for someone who is not a member")]
    GhostBox,
    /// A box that must be there is not.
    #[error("the announcement lacks the box of a member")]
    MissingBox,
    /// The flag and the boxes disagree on whether a robot reads along.
    #[error("the announcement's bot flag does not match its boxes")]
    BotFlag,
    /// None of the boxes is for this key.
    #[error("the announcement has no box for this key")]
    NotMine,
    /// A box does not open, or a recipient's key gives no shared secret.
    #[error(transparent)]
    Hpke(#[from] HpkeError),
    /// The box holds another key than the announcement commits to.
    #[error("the key in the box is not the one committed to")]
    Commitment,
}

/// What goes into an announcement.
#[derive(Debug, Clone)]
pub struct NewEpoch {
    /// The conversation.
    pub conv: ConvId,
    /// Last + 1, or 0.
    pub epoch: u32,
    /// Hash of the last announcement, or zeros.
    pub prev: [u8; 32],
    /// Newest directory entry the creator knows.
    pub dir_seq: u32,
    /// Hash of the directory entry `dir_seq`.
    pub dir_head: [u8; 32],
    /// The team's public key.
    pub team: [u8; 32],
    /// The visitor's X25519 key.
    pub visitor: [u8; 32],
    /// The robot's X25519 key, if it is a member.
    pub bot: Option<[u8; 32]>,
}

/// What an announcement must contain to be accepted.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The conversation.
    pub conv: ConvId,
    /// Last + 1, or 0.
    pub epoch: u32,
    /// Hash of the last announcement, or zeros.
    pub prev: [u8; 32],
    /// The Ed25519 key of the creator. Whether they may create epochs is the caller's to decide; a robot never may.
    pub creator: &'a [u8; 32],
    /// The reader's own directory.
    pub directory: &'a Directory,
    /// The team's public key as the directory has it.
    pub team: &'a [u8; 32],
    /// The visitor's X25519 key.
    pub visitor: &'a [u8; 32],
    /// Box kid of the robot's X25519 key, if one may be a member.
    pub bot: Option<[u8; 16]>,
}

fn info(kind: BoxKind, kid: &[u8; 16]) -> Vec<u8> {
    [&b"kefu/1 ek\0"[..], &[kind as u8], kid].concat()
}

/// Announces an epoch with a new random key.
pub fn create(new: &NewEpoch, creator: &SigningKey) -> Result<(Vec<u8>, EpochKey), AnnouncementError> {
    let ek = EpochKey::generate();
    Ok((create_with(new, &ek, creator)?, ek))
}

/// Announces an epoch with a given key (tests, vectors; anyone else lets [`create`] draw one).
pub fn create_with(new: &NewEpoch, ek: &EpochKey, creator: &SigningKey) -> Result<Vec<u8>, AnnouncementError> {
    let mut out = Vec::with_capacity(ANNOUNCEMENT_HEADER + 3 * BOX_LEN + SIGNATURE_LEN);
    out.extend_from_slice(&[b'K', b'1', Kind::Announcement as u8, 1]);
    out.extend_from_slice(&new.conv.0);
    out.extend_from_slice(&new.epoch.to_be_bytes());
    out.extend_from_slice(&creator.kid().0);
    out.extend_from_slice(&new.prev);
    out.extend_from_slice(&new.dir_seq.to_be_bytes());
    out.extend_from_slice(&new.dir_head);
    out.extend_from_slice(&ek.commitment(&new.conv, new.epoch));
    out.push(u8::from(new.bot.is_some()));
    let header = out.clone();
    let members = [(BoxKind::Team, Some(new.team)), (BoxKind::Visitor, Some(new.visitor)), (BoxKind::Bot, new.bot)];
    for (kind, pk) in members {
        let Some(pk) = pk else { continue };
        let kid = hash::box_kid(kind, &pk);
        let sealed = hpke::seal(&pk, &info(kind, &kid), &header, ek.bytes())?;
        out.push(kind as u8);
        out.extend_from_slice(&kid);
        out.extend_from_slice(&sealed.enc.0);
        out.extend_from_slice(&sealed.ct.0);
    }
    let sig = creator.sign(Label::Ann, &out);
    out.extend_from_slice(&sig);
    Ok(out)
}

/// Checks all that can be checked without a private key: what a server does, and a member before [`open`].
pub fn verify<'a>(bytes: &'a [u8], want: &Expected<'_>) -> Result<AnnouncementView<'a>, AnnouncementError> {
    use AnnouncementError as E;
    let (_, head) = HeaderView::parse(bytes)?;
    let ann = AnnouncementView::parse(bytes)?;
    if head.conv() != want.conv {
        return Err(E::Conversation);
    }
    if head.epoch() != want.epoch {
        return Err(E::Epoch { expected: want.epoch, found: head.epoch() });
    }
    if ann.prev() != want.prev {
        return Err(E::Chain);
    }
    if hash::kid(want.creator) != head.sender() {
        return Err(E::Creator);
    }
    let (signed, sig) = ann.signed();
    sign::verify(Label::Ann, want.creator, signed, sig)?;
    if bytes[ANNOUNCEMENT_HEADER - 1] > 1 {
        return Err(E::Flags);
    }
    check_boxes(&ann, want)?;
    match want.directory.head_at(ann.dir_seq()) {
        None => return Err(E::DirectoryAhead(ann.dir_seq())),
        Some(own) if own != ann.dir_head() => return Err(E::DirectoryFork(ann.dir_seq())),
        Some(_) => {}
    }
    Ok(ann)
}

/// Exactly one box for the team and one for the visitor; one for the robot if and only if the flag is set.
fn check_boxes(ann: &AnnouncementView<'_>, want: &Expected<'_>) -> Result<(), AnnouncementError> {
    let mut seen = [false; 3];
    for (kind, kid, _) in ann.boxes() {
        let (slot, expected) = match kind {
            1 => (0, Some(hash::box_kid(BoxKind::Team, want.team))),
            2 => (1, Some(hash::box_kid(BoxKind::Visitor, want.visitor))),
            3 => (2, want.bot),
            _ => return Err(AnnouncementError::GhostBox),
        };
        if expected != Some(kid) || std::mem::replace(&mut seen[slot], true) {
            return Err(AnnouncementError::GhostBox);
        }
    }
    if !seen[0] || !seen[1] {
        return Err(AnnouncementError::MissingBox);
    }
    if seen[2] != ann.has_bot() { Err(AnnouncementError::BotFlag) } else { Ok(()) }
}

/// Opens the box of `kind` for `secret` in an announcement that [`verify`] accepted, and checks the commitment.
pub fn open(bytes: &[u8], kind: BoxKind, secret: &KemSecret) -> Result<EpochKey, AnnouncementError> {
    let (_, head) = HeaderView::parse(bytes)?;
    let ann = AnnouncementView::parse(bytes)?;
    let mine = hash::box_kid(kind, &secret.public());
    let (.., sealed) =
        ann.boxes().find(|(k, kid, _)| *k == kind as u8 && *kid == mine).ok_or(AnnouncementError::NotMine)?;
    let (enc, ct) = sealed.split_at(32);
    let ek = EpochKey::from_bytes(&*hpke::open_key(secret, enc, &info(kind, &mine), ann.header(), ct)?);
    if ek.commitment(&head.conv(), head.epoch()) != ann.commitment() {
        return Err(AnnouncementError::Commitment);
    }
    Ok(ek)
}

/// The hash that the next announcement names.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    hash::announcement(bytes)
}
