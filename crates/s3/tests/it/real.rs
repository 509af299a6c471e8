//! `rclone serve s3`: objects, lists of many, keys, ends.

use std::{
    fs,
    time::{Duration, Instant},
};

use bytes::Bytes;
use kefu_redis_link::testing::{Certificates, until};
use kefu_s3::{
    Bucket, Endpoint, Key, Place, S3Error,
    testing::{BUCKET, KEY_ID, S3Server, SECRET},
};

#[tokio::test]
async fn objects_are_put_read_listed_and_deleted() {
    let server = S3Server::start().await;
    let bucket = server.bucket("com/pany");
    let content = Bytes::from((0..1_048_832_u32).map(|n| (n % 251) as u8).collect::<Vec<_>>());
    assert_eq!(bucket.get("a/b", 10).await, Err(S3Error::NotFound));
    bucket.put("a/b", content.clone()).await.unwrap();
    bucket.put("a/c", Bytes::from_static(b"short")).await.unwrap();
    bucket.put("z", Bytes::new()).await.unwrap();
    assert_eq!(bucket.get("a/b", content.len()).await.unwrap(), content);
    assert!(matches!(bucket.get("a/b", 100_000).await, Err(S3Error::Odd { .. })), "bounded");
    assert_eq!(bucket.get_range("a/b", 1_000_000, 10).await.unwrap(), content[1_000_000..][..10]);
    assert_eq!(bucket.get_range("a/b", 1_048_830, 10).await.unwrap(), content[1_048_830..]);
    assert_eq!(bucket.get_range("a/b", 2_000_000, 10).await, Err(S3Error::Shorter));
    assert_eq!(bucket.get_range("a/x", 0, 10).await, Err(S3Error::NotFound));
    bucket.put("a/c", Bytes::from_static(b"other")).await.unwrap();
    let all = bucket.list("a/", None, None).await.unwrap();
    assert_eq!(
        all.objects.iter().map(|o| (o.key.as_str(), o.size)).collect::<Vec<_>>(),
        [("a/b", 1_048_832), ("a/c", 5)]
    );
    assert!(all.objects.iter().all(|object| object.changed_ms > 1_700_000_000_000));
    assert_eq!(bucket.list("a/", Some("a/b"), None).await.unwrap().objects.len(), 1);
    for _ in 0..2 {
        bucket.delete("a/b").await.unwrap();
    }
    assert_eq!(bucket.get("a/b", 10).await, Err(S3Error::NotFound));
    assert_eq!(bucket.clock_ahead_s().await.unwrap().map(|s| s.abs() < 60), Some(true));
    assert_eq!(server.objects().len(), 2);
}

#[tokio::test]
async fn a_long_list_has_pages() {
    let server = S3Server::start().await;
    let bucket = server.bucket("");
    bucket.put("many/first", Bytes::new()).await.unwrap();
    let dir = server.objects()[0].parent().unwrap().to_owned();
    for n in 0..2_100 {
        fs::write(dir.join(format!("{n:04}")), "x").unwrap();
    }
    // so that it does not answer from what it remembers of the directory
    let server = {
        let mut server = server;
        server.restart().await;
        server
    };
    let (mut keys, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = bucket.list("many/", None, token.as_deref()).await.unwrap();
        keys.extend(page.objects.into_iter().map(|object| object.key));
        pages += 1;
        token = page.next;
        if token.is_none() {
            break;
        }
    }
    let mut expected: Vec<_> = (0..2_100).map(|n| format!("many/{n:04}")).collect();
    expected.push("many/first".to_owned());
    assert_eq!((keys, pages), (expected, 3));
    drop(server);
}

#[tokio::test]
async fn each_refusal_says_what_is_wrong() {
    let server = S3Server::start().await;
    let wrong = server.bucket_as("", "another/secret");
    let refused = wrong.put("a", Bytes::new()).await.unwrap_err();
    assert_eq!(refused, S3Error::Key("SignatureDoesNotMatch".to_owned()));
    assert!(refused.to_string().contains("storage.s3_key_file"), "{refused}");
    let endpoint = Endpoint::new(&server.endpoint(), None).unwrap();
    let key = Key::parse(&format!("{KEY_ID}\n{SECRET}")).unwrap();
    let place: Place = "s3://not-there".parse().unwrap();
    let missing = Bucket::new(endpoint.clone(), place, "us-east-1".into(), key);
    for outcome in [missing.put("a", Bytes::new()).await.err(), missing.list("", None, None).await.err()] {
        assert_eq!(outcome, Some(S3Error::NoBucket("not-there".to_owned())));
    }
    let stranger = Key::parse(&format!("SOMEBODY\n{SECRET}")).unwrap();
    let place: Place = format!("s3://{BUCKET}").parse().unwrap();
    let stranger = Bucket::new(endpoint, place, "us-east-1".into(), stranger);
    assert_eq!(stranger.get("a", 1).await, Err(S3Error::Key("InvalidAccessKeyId".to_owned())));
    assert!(server.objects().is_empty());
}

#[tokio::test]
async fn one_that_was_killed_is_found_again() {
    let mut server = S3Server::start().await;
    let bucket = server.bucket("");
    bucket.put("a", Bytes::from_static(b"kept")).await.unwrap();
    // the kept connection leads nowhere now
    server.restart().await;
    assert_eq!(bucket.get("a", 10).await.unwrap(), "kept");
    server.kill();
    let away = bucket.get("a", 10).await.unwrap_err();
    assert!(away.passes() && away.to_string().contains("is it running"), "{away}");
    // nobody else waits for it, for a moment
    let asked = Instant::now();
    assert_eq!(bucket.get("a", 10).await.unwrap_err(), away);
    assert!(asked.elapsed() < Duration::from_millis(100));
    // asked while it is away, answered when it is back
    let other = server.bucket("");
    let asked = tokio::spawn(async move { other.get("a", 10).await });
    server.restart().await;
    match asked.await.unwrap() {
        Ok(content) => assert_eq!(content, "kept"),
        Err(e) => assert!(e.passes(), "{e}"),
    }
    until("an answer", async || bucket.get("a", 10).await.ok()).await;
}

#[tokio::test]
async fn a_certificate_must_be_by_those_who_are_trusted() {
    let certificates = Certificates::make();
    let server = S3Server::start_tls(&certificates.file("cert.pem"), &certificates.file("key.pem")).await;
    let bucket = |ca: &[u8]| {
        let endpoint = Endpoint::new(&server.endpoint(), Some(ca)).unwrap();
        let key = Key::parse(&format!("{KEY_ID}\n{SECRET}")).unwrap();
        Bucket::new(endpoint, format!("s3://{BUCKET}").parse().unwrap(), "us-east-1".into(), key)
    };
    let trusted = bucket(certificates.authority());
    trusted.put("a", Bytes::from_static(b"sealed")).await.unwrap();
    assert_eq!(trusted.get("a", 10).await.unwrap(), "sealed");
    let refused = bucket(Certificates::make().authority()).get("a", 10).await.unwrap_err();
    assert!(
        matches!(refused, S3Error::Certificate { .. }) && refused.to_string().contains("storage.s3_ca"),
        "{refused}"
    );
}
