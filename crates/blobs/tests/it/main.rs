//! What every store of blobs must do, and what only a bucket can: several servers, and a store that goes away.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod bucket;
mod contract;

use kefu_blobs::{BlobId, Blobs, PART, Upload};
use kefu_proto::{ConvId, Kid, MsgId};

const SENDER: Kid = Kid([1; 16]);

fn id(n: u8) -> BlobId {
    BlobId { conv: ConvId([n; 16]), msg: MsgId([n; 16]) }
}

fn upload(size: u64) -> Upload {
    Upload { sender: SENDER, size, begun_ms: 7 }
}

/// Bytes that differ from place to place.
fn content(size: u64) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

/// Sends some parts from `from` on.
async fn send(blobs: &dyn Blobs, id: BlobId, content: &[u8], from: u64, parts: usize) -> u64 {
    let mut have = from;
    for _ in 0..parts {
        let end = (have + PART).min(content.len() as u64);
        let part = content[have as usize..end as usize].to_vec();
        have = blobs.append(id, have, part.into()).await.unwrap().have;
    }
    have
}
