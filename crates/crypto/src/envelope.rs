//! Messages (kind 1), notes (kind 4) and tombstones (kinds 9 and 10): headers, padding, sealing, opening. Recalls have a
//! module of their own.

use std::fmt;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf::{self, HKDF_SHA256, KeyType, Salt},
};
use zeroize::Zeroizing;

use crate::{
    hash::{self, BoxKind},
    hpke::{self, HpkeError, KemSecret},
    sign::{self, Label, SignError, SigningKey, random},
};
use kefu_proto::{ConvId, EnvelopeError, HeaderView, Kid, Kind, MAX_ENVELOPE, MESSAGE_HEADER, MsgId, SIGNATURE_LEN};

const TAG: usize = 16;

/// Why an envelope can't be made or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Not an envelope of this kind.
    #[error(transparent)]
    Form(#[from] EnvelopeError),
    /// Not the requested kind of envelope.
    #[error("this is another kind of envelope")]
    Kind,
    /// The body is too long.
    #[error("the message is longer than an envelope can hold")]
    TooLong,
    /// The key given is not the one the header names as sender.
    #[error("the header names another sender")]
    Sender,
    /// The signature or its key is bad.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Sealed under another key, or altered.
    #[error("cannot decrypt: sealed under another key or altered")]
    Open,
    /// A note sealed to another team key.
    #[error("the note is sealed to another team key")]
    Recipient,
    /// Opened, but the padding is invalid.
    #[error("the padding is invalid")]
    Padding,
    /// The recipient's key gives no shared secret.
    #[error("cannot seal to this public key")]
    SealTo,
}

impl From<HpkeError> for SealError {
    fn from(e: HpkeError) -> Self {
        match e {
            HpkeError::Recipient => Self::SealTo,
            HpkeError::Open => Self::Open,
        }
    }
}

/// The key of an epoch, erased when dropped.
#[derive(Clone)]
pub struct EpochKey(Zeroizing<[u8; 32]>);

impl EpochKey {
    /// The key of these bytes.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// A new random key.
    pub fn generate() -> Self {
        Self(Zeroizing::new(random()))
    }

    /// The bytes, to be sealed.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Commitment to this key, as in an announcement.
    pub fn commitment(&self, conv: &ConvId, epoch: u32) -> [u8; 32] {
        hash::commitment(conv, epoch, &self.0)
    }
}

impl fmt::Debug for EpochKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EpochKey(hidden)")
    }
}

/// The 80 bytes before a message or note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessageHeader {
    /// The conversation.
    pub conv: ConvId,
    /// Epoch whose key seals it.
    pub epoch: u32,
    /// Key of the sender.
    pub sender: Kid,
    /// Random id of the message.
    pub msg_id: MsgId,
    /// Which run of the sender's counter.
    pub inst: u32,
    /// Position in that run.
    pub ctr: u32,
    /// Hash of the last envelope the sender accepted here, or zeros.
    pub prev: [u8; 16],
}

impl MessageHeader {
    /// The header's bytes for an envelope of `kind`.
    pub fn encode(&self, kind: Kind) -> [u8; MESSAGE_HEADER] {
        let mut h = [0; MESSAGE_HEADER];
        h[..4].copy_from_slice(&[b'K', b'1', kind as u8, 1]);
        h[4..20].copy_from_slice(&self.conv.0);
        h[20..24].copy_from_slice(&self.epoch.to_be_bytes());
        h[24..40].copy_from_slice(&self.sender.0);
        h[40..56].copy_from_slice(&self.msg_id.0);
        h[56..60].copy_from_slice(&self.inst.to_be_bytes());
        h[60..64].copy_from_slice(&self.ctr.to_be_bytes());
        h[64..80].copy_from_slice(&self.prev);
        h
    }

    /// The header of a message, note, recall or tombstone.
    pub fn decode(bytes: &[u8]) -> Result<Self, SealError> {
        let (kind, view) = HeaderView::parse(bytes)?;
        if matches!(kind, Kind::Announcement | Kind::Grant) {
            return Err(SealError::Kind);
        }
        let mut prev = [0; 16];
        prev.copy_from_slice(&bytes[64..80]);
        Ok(Self {
            conv: view.conv(),
            epoch: view.epoch(),
            sender: view.sender(),
            msg_id: view.msg_id(),
            inst: view.inst(),
            ctr: view.ctr(),
            prev,
        })
    }
}

/// Appends `0x80` and zeros up to the next step: 32 bytes to 256, 256 bytes to 4 KiB, 1 KiB beyond.
pub fn pad(body: &[u8]) -> Zeroizing<Vec<u8>> {
    let len = body.len() + 1;
    let step = match len {
        0..=256 => 32,
        257..=4096 => 256,
        _ => 1024,
    };
    let mut out = Zeroizing::new(Vec::with_capacity(len.next_multiple_of(step) + TAG));
    out.extend_from_slice(body);
    out.push(0x80);
    out.resize(len.next_multiple_of(step), 0);
    out
}

/// What [`pad`] was given.
pub fn unpad(padded: &[u8]) -> Option<&[u8]> {
    let end = padded.iter().rposition(|b| *b != 0)?;
    (padded[end] == 0x80).then(|| &padded[..end])
}

struct Okm;
impl KeyType for Okm {
    fn len(&self) -> usize {
        44
    }
}

/// Key and nonce of one message; every message has its own.
fn message_key(ek: &EpochKey, header: &[u8; MESSAGE_HEADER]) -> Result<(LessSafeKey, Nonce), SealError> {
    let mut okm = Zeroizing::new([0; 44]);
    let prk: hkdf::Prk = Salt::new(HKDF_SHA256, &header[40..56]).extract(ek.bytes());
    prk.expand(&[b"kefu/1 msg", &header[4..40]], Okm)
        .and_then(|o| o.fill(&mut okm[..]))
        .map_err(|_| SealError::Open)?;
    let key = UnboundKey::new(&AES_256_GCM, &okm[..32]).map_err(|_| SealError::Open)?;
    let nonce = Nonce::try_assume_unique_for_key(&okm[32..]).map_err(|_| SealError::Open)?;
    Ok((LessSafeKey::new(key), nonce))
}

/// Seals `body` as a message (kind 1).
pub fn seal(header: &MessageHeader, ek: &EpochKey, body: &[u8], sender: &SigningKey) -> Result<Vec<u8>, SealError> {
    if sender.kid() != header.sender {
        return Err(SealError::Sender);
    }
    let head = header.encode(Kind::Message);
    let (key, nonce) = message_key(ek, &head)?;
    let mut padded = pad(body);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&head), &mut padded).map_err(|_| SealError::TooLong)?;
    let mut out = Vec::with_capacity(head.len() + padded.len() + TAG + SIGNATURE_LEN);
    out.extend_from_slice(&head);
    out.extend_from_slice(&padded);
    out.extend_from_slice(tag.as_ref());
    finish(out, sender)
}

/// Signs and measures.
pub(super) fn finish(mut out: Vec<u8>, sender: &SigningKey) -> Result<Vec<u8>, SealError> {
    let sig = sender.sign(Label::Sig, &out);
    out.extend_from_slice(&sig);
    if out.len() > MAX_ENVELOPE { Err(SealError::TooLong) } else { Ok(out) }
}

/// Checks kind, sender and signature; gives header and what follows it up to the signature.
fn checked<'a>(
    bytes: &'a [u8],
    want: Kind,
    sender: &[u8; 32],
) -> Result<(&'a [u8; MESSAGE_HEADER], &'a [u8]), SealError> {
    let (kind, view) = HeaderView::parse(bytes)?;
    if kind != want {
        return Err(SealError::Kind);
    }
    if hash::kid(sender) != view.sender() {
        return Err(SealError::Sender);
    }
    let (signed, sig) = bytes.split_at(bytes.len() - SIGNATURE_LEN);
    sign::verify(Label::Sig, sender, signed, sig)?;
    signed.split_first_chunk().ok_or(SealError::Form(EnvelopeError::Length))
}

/// Verifies the signature of a message, note or recall, without opening it.
pub fn verify(bytes: &[u8], sender: &[u8; 32]) -> Result<(), SealError> {
    let (kind, _) = HeaderView::parse(bytes)?;
    checked(bytes, kind, sender).map(|_| ())
}

/// Verifies and opens a message. Whether epoch, counter and sender are acceptable is the caller's to decide.
pub fn open(bytes: &[u8], ek: &EpochKey, sender: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (head, sealed) = checked(bytes, Kind::Message, sender)?;
    let (key, nonce) = message_key(ek, head)?;
    let mut buf = Zeroizing::new(sealed.to_vec());
    let plain = key.open_in_place(nonce, Aad::from(head), &mut buf).map_err(|_| SealError::Open)?;
    unpad(plain).map(|b| Zeroizing::new(b.to_vec())).ok_or(SealError::Padding)
}

fn note_info(box_kid: &[u8; 16]) -> Vec<u8> {
    [&b"kefu/1 note\0"[..], box_kid].concat()
}

/// Seals `body` as a note (kind 4) to the team's public key.
pub fn seal_note(
    header: &MessageHeader,
    team: &[u8; 32],
    body: &[u8],
    sender: &SigningKey,
) -> Result<Vec<u8>, SealError> {
    if sender.kid() != header.sender {
        return Err(SealError::Sender);
    }
    let head = header.encode(Kind::Note);
    let kid = hash::box_kid(BoxKind::Team, team);
    let sealed = hpke::seal(team, &note_info(&kid), &head, &pad(body))?;
    finish([&head[..], &kid, &sealed.enc.0, &sealed.ct.0].concat(), sender)
}

/// Verifies and opens a note with the team's key.
pub fn open_note(bytes: &[u8], team: &KemSecret, sender: &[u8; 32]) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (head, rest) = checked(bytes, Kind::Note, sender)?;
    let kid = hash::box_kid(BoxKind::Team, &team.public());
    if rest[..16] != kid {
        return Err(SealError::Recipient);
    }
    let plain = hpke::open(team, &rest[16..48], &note_info(&kid), head, &rest[48..])?;
    unpad(&plain).map(|b| Zeroizing::new(b.to_vec())).ok_or(SealError::Padding)
}
