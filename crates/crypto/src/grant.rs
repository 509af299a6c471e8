//! History grants (kind 3): keys of past epochs for a new reader.

use crate::{
    envelope::EpochKey,
    hash::{self, BoxKind},
    hpke::{self, HpkeError, KemSecret},
    sign::{self, Label, SignError, SigningKey},
};
use kefu_proto::{ConvId, EnvelopeError, GRANT_BOX_LEN, GRANT_HEADER, HeaderView, Kind, SIGNATURE_LEN};

/// Why a grant is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// Not a grant.
    #[error(transparent)]
    Form(#[from] EnvelopeError),
    /// It belongs to another conversation.
    #[error("the grant belongs to another conversation")]
    Conversation,
    /// The kid is not the creator's.
    #[error("the grant names another creator")]
    Creator,
    /// The creator's key or signature is bad.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// No keys, or more than fit.
    #[error("a grant contains 1 to 400 keys")]
    Count,
    /// A box does not open, or the recipient's key gives no shared secret.
    #[error(transparent)]
    Hpke(#[from] HpkeError),
    /// None of the boxes is for this key.
    #[error("the grant has no box for this key")]
    NotMine,
    /// A key that does not match the commitment of its epoch's announcement, or an unknown epoch.
    #[error("the granted key of epoch {0} is not the one announced")]
    Commitment(u32),
}

/// Maximum number of keys in one grant; the rest needs another.
pub const MAX_KEYS: usize = 400;
const AAD_HEADER: usize = 36;

fn info(kind: u8, kid: &[u8]) -> Vec<u8> {
    [&b"kefu/1 grant\0"[..], &[kind], kid].concat()
}

fn aad(header: &[u8], epoch: u32) -> Vec<u8> {
    [&header[..AAD_HEADER], &epoch.to_be_bytes()].concat()
}

/// Grants `keys` (epoch and key) to one recipient.
pub fn create(
    conv: ConvId,
    keys: &[(u32, EpochKey)],
    kind: BoxKind,
    recipient: &[u8; 32],
    creator: &SigningKey,
) -> Result<Vec<u8>, GrantError> {
    if keys.is_empty() || keys.len() > MAX_KEYS {
        return Err(GrantError::Count);
    }
    let mut out = Vec::with_capacity(GRANT_HEADER + keys.len() * GRANT_BOX_LEN + SIGNATURE_LEN);
    out.extend_from_slice(&[b'K', b'1', Kind::Grant as u8, 1]);
    out.extend_from_slice(&conv.0);
    out.extend_from_slice(&creator.kid().0);
    out.extend_from_slice(&(keys.len() as u16).to_be_bytes());
    let header = out.clone();
    let kid = hash::box_kid(kind, recipient);
    for (epoch, ek) in keys {
        let sealed = hpke::seal(recipient, &info(kind as u8, &kid), &aad(&header, *epoch), ek.bytes())?;
        out.extend_from_slice(&epoch.to_be_bytes());
        out.push(kind as u8);
        out.extend_from_slice(&kid);
        out.extend_from_slice(&sealed.enc.0);
        out.extend_from_slice(&sealed.ct.0);
    }
    let sig = creator.sign(Label::Grant, &out);
    out.extend_from_slice(&sig);
    Ok(out)
}

/// Checks form, conversation, creator and signature: all that a server can check.
pub fn verify(bytes: &[u8], conv: ConvId, creator: &[u8; 32]) -> Result<(), GrantError> {
    let (kind, head) = HeaderView::parse(bytes)?;
    if kind != Kind::Grant {
        return Err(EnvelopeError::Unsupported.into());
    }
    if head.conv() != conv {
        return Err(GrantError::Conversation);
    }
    if hash::kid(creator) != head.sender() {
        return Err(GrantError::Creator);
    }
    let (signed, sig) = bytes.split_at(bytes.len() - SIGNATURE_LEN);
    Ok(sign::verify(Label::Grant, creator, signed, sig)?)
}

/// The keys for `secret` in a grant that [`verify`] accepted, each checked against the commitment of its epoch.
pub fn open(
    bytes: &[u8],
    kind: BoxKind,
    secret: &KemSecret,
    commitment_of: impl Fn(u32) -> Option<[u8; 32]>,
) -> Result<Vec<(u32, EpochKey)>, GrantError> {
    let (found, head) = HeaderView::parse(bytes)?;
    if found != Kind::Grant {
        return Err(EnvelopeError::Unsupported.into());
    }
    let mine = hash::box_kid(kind, &secret.public());
    let mut keys = Vec::new();
    for b in bytes[GRANT_HEADER..bytes.len() - SIGNATURE_LEN].chunks_exact(GRANT_BOX_LEN) {
        if b[4] != kind as u8 || b[5..21] != mine {
            continue;
        }
        let epoch = u32::from_be_bytes([b[0], b[1], b[2], b[3]]);
        let key = hpke::open_key(secret, &b[21..53], &info(b[4], &mine), &aad(bytes, epoch), &b[53..])?;
        let ek = EpochKey::from_bytes(&key);
        if commitment_of(epoch) != Some(ek.commitment(&head.conv(), epoch)) {
            return Err(GrantError::Commitment(epoch));
        }
        keys.push((epoch, ek));
    }
    if keys.is_empty() { Err(GrantError::NotMine) } else { Ok(keys) }
}
