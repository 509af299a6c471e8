//! Envelopes that have the right shape and nothing in them, and batches that append them.

use kefu_proto::{ConvId, HeaderView, Kind, MESSAGE_HEADER, MsgId, SIGNATURE_LEN};
use kefu_store::{Batch, Op};

/// A conversation by number.
pub fn conv(n: u8) -> ConvId {
    ConvId([n; 16])
}

/// A message id by number.
pub fn msg(n: u8) -> MsgId {
    MsgId([n; 16])
}

/// A message with this id, as the store sees one.
pub fn envelope_with(conv: ConvId, id: MsgId) -> Vec<u8> {
    let mut body = vec![0; MESSAGE_HEADER + 32 + 16 + SIGNATURE_LEN];
    body[..4].copy_from_slice(b"K1\x01\x01");
    body[4..20].copy_from_slice(&conv.0);
    body[40..56].copy_from_slice(&id.0);
    assert!(matches!(HeaderView::parse(&body), Ok((Kind::Message, h)) if h.msg_id() == id));
    body
}

/// A message by number.
pub fn envelope(conv: ConvId, n: u8) -> Vec<u8> {
    envelope_with(conv, msg(n))
}

/// What is left of that message after a recall.
pub fn tombstone(conv: ConvId, n: u8) -> Vec<u8> {
    let mut body = envelope(conv, n);
    body.truncate(MESSAGE_HEADER);
    body[2] = Kind::Tombstone as u8;
    body
}

/// A batch that posts a message by number.
pub fn post(conv: ConvId, n: u8) -> Batch {
    post_with(conv, msg(n))
}

/// A batch that posts a message with this id.
pub fn post_with(conv: ConvId, id: MsgId) -> Batch {
    Batch { conv: Some(conv), rev: None, ops: vec![Op::Append { id, body: envelope_with(conv, id).into() }] }
}
