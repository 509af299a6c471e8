//! Uploads through every end of a process, on a real disk. What every store does is in `tests/it/contract.rs`.

use std::{fs::OpenOptions, os::unix::fs::FileExt};

use kefu_proto::MsgId;
use tempfile::TempDir;

use super::*;
use crate::PART;

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

async fn send(blobs: &BlobDirectory, id: BlobId, content: &[u8], from: u64, parts: usize) -> u64 {
    let mut have = from;
    for _ in 0..parts {
        let end = (have + PART).min(content.len() as u64);
        let part = content[have as usize..end as usize].to_vec();
        have = blobs.append(id, have, part.into()).await.unwrap().have;
    }
    have
}

#[tokio::test]
async fn what_is_cancelled_leaves_no_file() {
    let dir = TempDir::new().unwrap();
    let blobs = BlobDirectory::open(dir.path()).unwrap();
    blobs.begin(id(1), upload(20)).await.unwrap();
    blobs.cancel(id(1)).await.unwrap();
    assert_eq!(fs::read_dir(dir.path().join("uploads")).unwrap().count(), 0);
}

#[tokio::test]
async fn an_upload_goes_on_in_the_next_process_and_after_a_power_loss_only_if_it_was_whole() {
    let dir = TempDir::new().unwrap();
    let content = content(2 * PART + 5);
    {
        let blobs = BlobDirectory::open(dir.path()).unwrap();
        for n in [1, 2] {
            blobs.begin(id(n), upload(content.len() as u64)).await.unwrap();
        }
        send(&blobs, id(1), &content, 0, 1).await;
        send(&blobs, id(2), &content, 0, 3).await;
        blobs.begin(id(3), upload(PART + 1)).await.unwrap();
    }
    // killed in the middle of a part, and between two files
    let torn = OpenOptions::new().append(true).open(Layout::new(dir.path()).upload(id(1), "part")).unwrap();
    torn.write_all_at(b"torn", PART).unwrap();
    fs::remove_file(Layout::new(dir.path()).upload(id(3), "json")).unwrap();
    {
        let blobs = BlobDirectory::open(dir.path()).unwrap();
        assert_eq!(blobs.upload(id(1)).unwrap().have, PART);
        assert!(blobs.upload(id(2)).unwrap().is_whole());
        assert_eq!(blobs.upload(id(3)), None);
        assert!(!Layout::new(dir.path()).upload(id(3), "part").exists());
        send(&blobs, id(1), &content, PART, 1).await;
    }
    fs::write(dir.path().join("boot"), "another boot").unwrap();
    let blobs = BlobDirectory::open(dir.path()).unwrap();
    assert_eq!(blobs.upload(id(1)), None, "it may hold anything");
    assert_eq!(blobs.begin(id(1), upload(3)).await.unwrap().have, 0);
    blobs.post(id(2)).await.unwrap();
    assert_eq!(blobs.read(id(2), 0, content.len()).await.unwrap(), content);
}

#[tokio::test]
async fn what_is_posted_is_counted_at_the_next_start() {
    let dir = TempDir::new().unwrap();
    {
        let blobs = BlobDirectory::open(dir.path()).unwrap();
        for n in 1..=9 {
            blobs.begin(id(n), upload(3)).await.unwrap();
            blobs.append(id(n), 0, vec![n; 3].into()).await.unwrap();
            blobs.post(id(n)).await.unwrap();
        }
    }
    let blobs = BlobDirectory::open_to_read(dir.path());
    blobs.0.count_posted();
    assert_eq!(blobs.usage(), (9, 27));
}
