//! The contract of `Blobs`, held by a directory and by a bucket of a real S3 server.

use kefu_blobs::{BlobBucket, BlobDirectory, BlobError, BlobId, Blobs, PART, Upload};
use kefu_proto::{Kid, MsgId};
use kefu_s3::testing::S3Server;

use super::{content, id, send, upload};

/// A test for each kind of store. The bucket is not counted in the background, so that numbers are exact.
macro_rules! for_both {
    ($($test:ident),* $(,)?) => {
        mod directory {
            $(#[tokio::test]
            async fn $test() {
                let dir = tempfile::TempDir::new().unwrap();
                super::$test(&super::BlobDirectory::open(dir.path()).unwrap()).await;
            })*
        }
        mod bucket {
            $(#[tokio::test]
            async fn $test() {
                let server = super::S3Server::start().await;
                super::$test(&super::BlobBucket::open_to_read(server.bucket("of/one"))).await;
            })*
        }
    };
}

for_both!(
    a_blob_is_read_when_it_is_posted_and_gone_when_it_is_removed,
    parts_come_one_after_the_other_and_each_is_whole,
    an_upload_is_one_persons_and_of_one_length,
    a_whole_upload_is_read_from_the_moment_its_message_is_stored,
    all_of_a_conversation_go_with_it_and_no_others,
    what_is_posted_is_listed_page_by_page,
);

async fn a_blob_is_read_when_it_is_posted_and_gone_when_it_is_removed(blobs: &dyn Blobs) {
    let content = content(2 * PART + 5);
    assert_eq!(blobs.find(id(1)).await.unwrap(), None);
    assert_eq!(blobs.begin(id(1), upload(content.len() as u64)).await.unwrap().have, 0);
    assert!(blobs.any_upload());
    assert_eq!(send(blobs, id(1), &content, 0, 3).await, content.len() as u64);
    assert!(blobs.upload(id(1)).unwrap().is_whole());
    assert_eq!(blobs.find(id(1)).await.unwrap(), blobs.upload(id(1)));
    assert_eq!(blobs.unposted().await.unwrap().iter().map(|(id, _)| *id).collect::<Vec<_>>(), [id(1)]);
    assert_eq!(blobs.length(id(1)).await, Err(BlobError::NotFound), "nobody reads what is not posted");
    assert_eq!(blobs.read(id(1), 0, 1).await, Err(BlobError::NotFound));

    blobs.post(id(1)).await.unwrap();
    blobs.post(id(1)).await.unwrap();
    assert_eq!((blobs.any_upload(), blobs.upload(id(1)), blobs.find(id(1)).await), (false, None, Ok(None)));
    assert_eq!(blobs.unposted().await.unwrap(), []);
    assert_eq!(blobs.length(id(1)).await.unwrap(), content.len() as u64);
    assert_eq!(blobs.read(id(1), PART - 1, 3).await.unwrap(), content[PART as usize - 1..][..3]);
    assert_eq!(blobs.read(id(1), 0, content.len() + 9).await.unwrap(), content);
    assert_eq!(blobs.read(id(1), 2 * PART, 100).await.unwrap(), content[2 * PART as usize..]);
    assert!(blobs.read(id(1), 9 * PART, 100).await.unwrap().is_empty());
    assert_eq!(blobs.usage(), (1, content.len() as u64));
    let held = blobs.posted(None, 10).await.unwrap();
    assert_eq!(held.len(), 1);
    assert_eq!((held[0].conv, &held[0].blobs[..]), (id(1).conv, &[(id(1).msg, content.len() as u64)][..]));
    assert!(held[0].changed_ms > 1_700_000_000_000);
    assert_eq!(blobs.posted(Some(id(1).conv), 10).await.unwrap(), []);
    assert_eq!(blobs.begin(id(1), upload(5)).await, Err(BlobError::Taken));
    blobs.cancel(id(1)).await.unwrap();
    assert_eq!(blobs.read(id(1), 7, 1).await.unwrap(), content[7..8], "nothing is left to cancel");

    for _ in 0..2 {
        blobs.remove(id(1)).await.unwrap();
        assert_eq!(blobs.length(id(1)).await, Err(BlobError::NotFound));
        assert_eq!(blobs.read(id(1), 0, 1).await, Err(BlobError::NotFound));
        assert_eq!((blobs.usage(), blobs.posted(None, 10).await.unwrap()), ((0, 0), vec![]));
    }
}

async fn parts_come_one_after_the_other_and_each_is_whole(blobs: &dyn Blobs) {
    let content = content(PART + 10);
    assert_eq!(blobs.append(id(1), 0, content[..10].to_vec().into()).await, Err(BlobError::NotFound));
    blobs.begin(id(1), upload(content.len() as u64)).await.unwrap();
    let append = |at: u64, length: usize| blobs.append(id(1), at, vec![0; length].into());
    for length in [0, 1, PART as usize - 1, PART as usize + 1] {
        assert_eq!(append(0, length).await, Err(BlobError::Length), "{length}");
    }
    assert_eq!(append(PART, 10).await, Err(BlobError::Elsewhere { have: 0 }));
    send(blobs, id(1), &content, 0, 1).await;
    assert_eq!(append(0, PART as usize).await, Err(BlobError::Elsewhere { have: PART }), "sent twice");
    assert_eq!(append(PART, 9).await, Err(BlobError::Length));
    assert_eq!(append(PART, 11).await, Err(BlobError::Length));
    send(blobs, id(1), &content, PART, 1).await;
    assert_eq!(append(PART + 10, 1).await, Err(BlobError::Length), "there is no more");
    blobs.post(id(1)).await.unwrap();
    assert_eq!(blobs.read(id(1), 0, content.len()).await.unwrap(), content);
}

async fn an_upload_is_one_persons_and_of_one_length(blobs: &dyn Blobs) {
    blobs.begin(id(1), upload(20)).await.unwrap();
    assert_eq!(blobs.begin(id(1), Upload { begun_ms: 9, ..upload(20) }).await.unwrap().upload.begun_ms, 7, "goes on");
    assert_eq!(blobs.begin(id(1), upload(21)).await, Err(BlobError::Taken));
    assert_eq!(blobs.begin(id(1), Upload { sender: Kid([2; 16]), ..upload(20) }).await, Err(BlobError::Taken));
    blobs.post(id(1)).await.unwrap();
    assert!(blobs.upload(id(1)).is_some(), "what is not whole is not posted");
    blobs.cancel(id(1)).await.unwrap();
    assert_eq!((blobs.upload(id(1)), blobs.find(id(1)).await, blobs.usage()), (None, Ok(None), (0, 0)));
    // a whole one, too
    blobs.begin(id(1), upload(3)).await.unwrap();
    send(blobs, id(1), b"abc", 0, 1).await;
    assert_eq!(blobs.usage(), (1, 3));
    blobs.cancel(id(1)).await.unwrap();
    assert_eq!((blobs.find(id(1)).await, blobs.usage()), (Ok(None), (0, 0)));
}

async fn a_whole_upload_is_read_from_the_moment_its_message_is_stored(blobs: &dyn Blobs) {
    blobs.begin(id(1), upload(3)).await.unwrap();
    blobs.mark_posted(id(1));
    assert_eq!(blobs.length(id(1)).await, Err(BlobError::NotFound), "not whole");
    send(blobs, id(1), b"abc", 0, 1).await;
    blobs.mark_posted(id(1));
    assert_eq!(blobs.length(id(1)).await.unwrap(), 3);
    assert_eq!(blobs.read(id(1), 1, 9).await.unwrap(), "bc");
    assert_eq!(blobs.begin(id(1), upload(3)).await, Err(BlobError::Taken));
    blobs.cancel(id(1)).await.unwrap();
    blobs.post(id(1)).await.unwrap();
    assert_eq!(blobs.read(id(1), 0, 9).await.unwrap(), "abc");
}

async fn all_of_a_conversation_go_with_it_and_no_others(blobs: &dyn Blobs) {
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
    assert_eq!(blobs.unposted().await.unwrap(), []);
    let held = blobs.posted(None, 10).await.unwrap();
    assert_eq!(
        held.iter().map(|held| (held.conv, held.blobs.clone())).collect::<Vec<_>>(),
        [(id(2).conv, vec![(id(2).msg, 3)])]
    );
    assert_eq!(blobs.usage(), (1, 3));
}

async fn what_is_posted_is_listed_page_by_page(blobs: &dyn Blobs) {
    for n in 1..=9 {
        blobs.begin(id(n), upload(3)).await.unwrap();
        blobs.append(id(n), 0, vec![n; 3].into()).await.unwrap();
        blobs.post(id(n)).await.unwrap();
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = blobs.posted(after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.conv);
        seen.extend(page.iter().map(|held| held.conv.0[0]));
    }
    assert_eq!(seen, (1..=9).collect::<Vec<u8>>());
}
