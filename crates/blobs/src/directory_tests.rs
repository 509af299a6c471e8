//! Uploads through every end of a process, on a real disk.

use tempfile::TempDir;

use super::*;
use kefu_proto::Kid;

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
async fn a_blob_is_read_when_it_is_posted_and_gone_when_it_is_removed() {
    let dir = TempDir::new().unwrap();
    let blobs = BlobDirectory::open(dir.path()).unwrap();
    let content = content(2 * PART + 5);
    assert_eq!(blobs.begin(id(1), upload(content.len() as u64)).await.unwrap().have, 0);
    assert!(blobs.any_upload());
    assert_eq!(send(&blobs, id(1), &content, 0, 3).await, content.len() as u64);
    assert!(blobs.upload(id(1)).unwrap().is_whole());
    assert_eq!(blobs.length(id(1)).await, Err(BlobError::NotFound), "nobody reads what is not posted");

    blobs.post(id(1)).await.unwrap();
    assert_eq!((blobs.any_upload(), blobs.upload(id(1))), (false, None));
    assert_eq!(blobs.length(id(1)).await.unwrap(), content.len() as u64);
    assert_eq!(blobs.read(id(1), PART - 1, 3).await.unwrap(), content[PART as usize - 1..][..3]);
    assert_eq!(blobs.read(id(1), 2 * PART, 100).await.unwrap(), content[2 * PART as usize..]);
    assert!(blobs.read(id(1), 9 * PART, 100).await.unwrap().is_empty());
    assert_eq!(blobs.usage(), (1, content.len() as u64));
    let held = blobs.posted(None, 10).await.unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].conv, &held[0].blobs[..]), (id(1).conv, &[(id(1).msg, content.len() as u64)][..]));
    assert_eq!(blobs.posted(Some(id(1).conv), 10).await.unwrap(), []);
    assert_eq!(blobs.begin(id(1), upload(5)).await, Err(BlobError::Taken));

    blobs.remove(id(1)).await.unwrap();
    blobs.remove(id(1)).await.unwrap();
    assert_eq!(blobs.length(id(1)).await, Err(BlobError::NotFound));
    assert_eq!(blobs.usage(), (0, 0));
}

#[tokio::test]
async fn parts_come_one_after_the_other_and_each_is_whole() {
    let dir = TempDir::new().unwrap();
    let blobs = BlobDirectory::open(dir.path()).unwrap();
    let content = content(PART + 10);
    assert_eq!(blobs.append(id(1), 0, content[..10].to_vec().into()).await, Err(BlobError::NotFound));
    blobs.begin(id(1), upload(content.len() as u64)).await.unwrap();
    let append = |at: u64, length: usize| blobs.append(id(1), at, vec![0; length].into());
    for length in [0, 1, PART as usize - 1, PART as usize + 1] {
        assert_eq!(append(0, length).await, Err(BlobError::Length), "{length}");
    }
    assert_eq!(append(PART, 10).await, Err(BlobError::Elsewhere { have: 0 }));
    send(&blobs, id(1), &content, 0, 1).await;
    assert_eq!(append(0, PART as usize).await, Err(BlobError::Elsewhere { have: PART }), "sent twice");
    assert_eq!(append(PART, 9).await, Err(BlobError::Length));
    assert_eq!(append(PART, 11).await, Err(BlobError::Length));
    send(&blobs, id(1), &content, PART, 1).await;
    assert_eq!(append(PART + 10, 1).await, Err(BlobError::Length), "there is no more");
    blobs.post(id(1)).await.unwrap();
    assert_eq!(blobs.read(id(1), 0, content.len()).await.unwrap(), content);
}

#[tokio::test]
async fn an_upload_is_one_persons_and_of_one_length() {
    let dir = TempDir::new().unwrap();
    let blobs = BlobDirectory::open(dir.path()).unwrap();
    blobs.begin(id(1), upload(20)).await.unwrap();
    assert_eq!(blobs.begin(id(1), Upload { begun_ms: 9, ..upload(20) }).await.unwrap().upload.begun_ms, 7, "goes on");
    assert_eq!(blobs.begin(id(1), upload(21)).await, Err(BlobError::Taken));
    assert_eq!(blobs.begin(id(1), Upload { sender: Kid([2; 16]), ..upload(20) }).await, Err(BlobError::Taken));
    blobs.post(id(1)).await.unwrap();
    assert!(blobs.upload(id(1)).is_some(), "what is not whole is not posted");
    blobs.cancel(id(1)).await.unwrap();
    assert_eq!((blobs.upload(id(1)), blobs.usage()), (None, (0, 0)));
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
async fn all_of_a_conversation_go_with_it_and_no_others() {
    let dir = TempDir::new().unwrap();
    let blobs = BlobDirectory::open(dir.path()).unwrap();
    let other = BlobId { msg: MsgId([9; 16]), ..id(1) };
    for blob in [id(1), other, id(2)] {
        blobs.begin(blob, upload(3)).await.unwrap();
        blobs.append(blob, 0, vec![7; 3].into()).await.unwrap();
        if blob != other {
            blobs.post(blob).await.unwrap();
        }
    }
    blobs.remove_all(id(1).conv).await.unwrap();
    assert!(blobs.uploads().is_empty());
    let held = blobs.posted(None, 10).await.unwrap();
    assert_eq!(
        held.iter().map(|held| (held.conv, held.blobs.clone())).collect::<Vec<_>>(),
        [(id(2).conv, vec![(id(2).msg, 3)])]
    );
    assert_eq!(blobs.usage(), (1, 3));
}

#[tokio::test]
async fn what_is_posted_is_counted_at_the_next_start_and_listed_page_by_page() {
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
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = blobs.posted(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.conv);
        seen.extend(page.iter().map(|held| held.conv.0[0]));
    }
    assert_eq!(seen, (1..=9).collect::<Vec<u8>>());
    let inner = BlobDirectory::open_to_read(dir.path());
    inner.0.count_posted();
    assert_eq!(inner.usage(), (9, 27));
}
