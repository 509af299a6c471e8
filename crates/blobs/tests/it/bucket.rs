//! A bucket that several servers use, and that goes away.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use kefu_blobs::{BlobBucket, BlobError, Blobs, PART, Upload};
use kefu_proto::Kid;
use kefu_redis_link::testing::until;
use kefu_s3::testing::S3Server;

use super::{content, id, send, upload};

fn open(server: &S3Server) -> BlobBucket {
    BlobBucket::open(server.bucket("of/one"), Duration::from_hours(1))
}

#[tokio::test]
async fn an_upload_goes_on_at_another_server_and_is_read_by_both() {
    let server = S3Server::start().await;
    let (a, b) = (open(&server), open(&server));
    let content = content(3 * PART + 5);
    a.begin(id(1), upload(content.len() as u64)).await.unwrap();
    send(&a, id(1), &content, 0, 1).await;
    assert_eq!(b.upload(id(1)), None);
    assert_eq!(b.begin(id(1), Upload { sender: Kid([2; 16]), ..upload(5) }).await, Err(BlobError::Taken));
    assert_eq!(b.begin(id(1), upload(content.len() as u64)).await.unwrap().have, PART);
    send(&b, id(1), &content, PART, 1).await;
    // a remembers less, and asks before it says so
    assert_eq!(a.append(id(1), PART, vec![0; 9].into()).await, Err(BlobError::Length));
    assert_eq!(a.append(id(1), 3 * PART, vec![0; 5].into()).await, Err(BlobError::Elsewhere { have: 2 * PART }));
    send(&a, id(1), &content, 2 * PART, 1).await;
    // without a word to b before
    let c = open(&server);
    send(&c, id(1), &content, 3 * PART, 1).await;
    assert_eq!(b.length(id(1)).await, Err(BlobError::NotFound));
    assert!(b.find(id(1)).await.unwrap().unwrap().is_whole());
    b.post(id(1)).await.unwrap();
    for blobs in [&a, &b, &c] {
        assert_eq!(blobs.length(id(1)).await.unwrap(), content.len() as u64);
        assert_eq!(blobs.read(id(1), 0, content.len()).await.unwrap(), content);
    }
    // what a still remembers does no harm
    a.cancel(id(1)).await.unwrap();
    a.post(id(1)).await.unwrap();
    assert_eq!((a.any_upload(), a.begin(id(1), upload(7)).await), (false, Err(BlobError::Taken)));
    assert_eq!(c.read(id(1), PART - 1, 2).await.unwrap(), content[PART as usize - 1..][..2]);
    a.remove(id(1)).await.unwrap();
    assert_eq!(b.length(id(1)).await, Err(BlobError::NotFound));
    assert_eq!(b.read(id(1), 0, 9).await, Err(BlobError::NotFound));
    assert!(server.objects().is_empty(), "{:?}", server.objects());
}

#[tokio::test]
async fn what_was_cut_short_is_sent_again_or_finished() {
    let server = S3Server::start().await;
    let content = content(2 * PART + 5);
    let blobs = open(&server);
    blobs.begin(id(1), upload(content.len() as u64)).await.unwrap();
    send(&blobs, id(1), &content, 0, 3).await;
    let object = |name: &str| server.objects().into_iter().find(|path| path.ends_with(name)).unwrap();
    // a part is missing: what is behind the gap does not count
    fs::remove_file(object("00001")).unwrap();
    let mut server = server;
    server.restart().await;
    let blobs = open(&server);
    assert_eq!(blobs.find(id(1)).await.unwrap().unwrap().have, PART);
    blobs.post(id(1)).await.unwrap();
    assert_eq!(blobs.length(id(1)).await, Err(BlobError::NotFound));
    send(&blobs, id(1), &content, PART, 2).await;
    blobs.post(id(1)).await.unwrap();
    // posted, and its mark still there: as if the server had been killed between the two
    let mark = format!("uploads/{}-{}", id(1).conv, id(1).msg);
    let text = serde_json::to_vec(&upload(content.len() as u64)).unwrap();
    server.bucket("of/one").put(&mark, text.into()).await.unwrap();
    assert_eq!(blobs.unposted().await.unwrap().len(), 1);
    blobs.cancel(id(1)).await.unwrap();
    assert_eq!(blobs.unposted().await.unwrap(), []);
    assert_eq!(blobs.read(id(1), 0, content.len()).await.unwrap(), content);
}

#[tokio::test]
async fn parts_that_belong_to_nothing_go_after_two_days() {
    let mut server = S3Server::start().await;
    let bucket = server.bucket("of/one");
    let key = |n: u8| format!("files/{}/{}/00000", id(n).conv, id(n).msg);
    for n in [1, 2, 3] {
        bucket.put(&key(n), "stray".into()).await.unwrap();
    }
    let blobs = open(&server);
    // the third is an upload, of which this may be a part
    blobs.begin(id(3), upload(5)).await.unwrap();
    let old = SystemTime::now() - Duration::from_hours(49);
    for path in server.objects().iter().filter(|path| !path.to_string_lossy().contains(&id(2).conv.to_string())) {
        fs::File::options().append(true).open(path).unwrap().set_modified(old).unwrap();
    }
    server.restart().await;
    let held = blobs.posted(None, 10).await.unwrap();
    assert!(held.iter().all(|held| held.blobs.is_empty()));
    let left: Vec<_> = bucket.list("files/", None, None).await.unwrap().objects.into_iter().map(|o| o.key).collect();
    assert_eq!(left, [key(2), key(3)]);
}

#[tokio::test]
async fn what_is_there_is_counted_again_and_again() {
    let server = S3Server::start().await;
    let first = open(&server);
    for n in 1..=3 {
        first.begin(id(n), upload(3)).await.unwrap();
        first.append(id(n), 0, vec![n; 3].into()).await.unwrap();
    }
    first.post(id(1)).await.unwrap();
    let later = BlobBucket::open(server.bucket("of/one"), Duration::from_millis(50));
    until("a count of what was there", async || (later.usage() == (3, 9)).then_some(())).await;
    first.remove(id(1)).await.unwrap();
    until("a count of what others removed", async || (later.usage() == (2, 6)).then_some(())).await;
}

#[tokio::test]
async fn a_store_that_is_away_refuses_and_loses_nothing() {
    let mut server = S3Server::start().await;
    let blobs = open(&server);
    let content = content(PART + 5);
    for n in [1, 2] {
        blobs.begin(id(n), upload(content.len() as u64)).await.unwrap();
        send(&blobs, id(n), &content, 0, 2).await;
    }
    blobs.post(id(1)).await.unwrap();
    server.kill();
    let away = |outcome: BlobError| {
        assert!(matches!(&outcome, BlobError::Away(why) if why.contains("is it running")), "{outcome}");
    };
    away(blobs.begin(id(3), upload(5)).await.unwrap_err());
    away(blobs.length(id(1)).await.unwrap_err());
    away(blobs.post(id(2)).await.unwrap_err());
    away(blobs.remove(id(1)).await.unwrap_err());
    away(blobs.posted(None, 10).await.unwrap_err());
    assert_eq!(blobs.length(id(2)).await.unwrap(), content.len() as u64, "its message is stored");
    server.restart().await;
    until("the store", async || blobs.post(id(2)).await.ok()).await;
    for n in [1, 2] {
        assert_eq!(open(&server).read(id(n), 0, content.len()).await.unwrap(), content);
    }
}

#[tokio::test]
async fn nonsense_in_a_bucket_is_an_error_and_not_a_file() {
    let server = S3Server::start().await;
    let bucket = server.bucket("of/one");
    bucket.put(&format!("uploads/{}-{}", id(1).conv, id(1).msg), "nonsense".into()).await.unwrap();
    bucket.put(&format!("files/{}/{}/meta", id(2).conv, id(2).msg), "{\"size\":-1}".into()).await.unwrap();
    bucket.put(&format!("files/{}/{}/meta", id(3).conv, id(3).msg), "{\"size\":100}".into()).await.unwrap();
    bucket.put("files/other", "nobody's".into()).await.unwrap();
    let blobs = open(&server);
    for failed in [blobs.find(id(1)).await.err(), blobs.length(id(2)).await.err()] {
        assert!(matches!(failed, Some(BlobError::Away(why)) if why.contains("another content than kefu wrote")));
    }
    assert_eq!(blobs.read(id(3), 0, 9).await, Err(BlobError::NotFound), "its part is missing");
    assert_eq!(blobs.posted(None, 10).await.unwrap().len(), 2);
}
