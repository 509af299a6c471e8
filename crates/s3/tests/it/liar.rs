//! A server that answers what it should not.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use kefu_s3::{Bucket, Endpoint, Key, S3Error};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// Answers nothing to whoever comes.
async fn silent() -> (Bucket, TcpListener) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = Endpoint::new(&format!("http://{}", listener.local_addr().unwrap()), None).unwrap();
    let bucket =
        Bucket::new(endpoint, "s3://bucket".parse().unwrap(), "us-east-1".into(), Key::parse("ID\nsecret").unwrap());
    (bucket.impatient(Duration::from_millis(50)), listener)
}

#[tokio::test]
async fn one_that_does_not_answer_is_not_waited_for_and_neither_by_many() {
    let (bucket, _listener) = silent().await;
    let begun = Instant::now();
    let all: Vec<_> = (0..100)
        .map(|n| {
            let bucket = bucket.clone();
            tokio::spawn(async move { bucket.get(&n.to_string(), 10).await })
        })
        .collect();
    for asked in all {
        let refused = asked.await.unwrap().unwrap_err();
        assert!(refused.passes() && refused.to_string().contains("no answer within 0.05 s"), "{refused}");
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// Answers every request with the next of these, and the last again and again. How many requests came.
async fn liar(answers: Vec<String>) -> (Bucket, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            // requests without a body fit
            let Ok(_) = stream.read(&mut request).await else { continue };
            let n = count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.write_all(answers[n.min(answers.len() - 1)].as_bytes()).await;
        }
    });
    let key = Key::parse("ID\nsecret").unwrap();
    let endpoint = Endpoint::new(&endpoint, None).unwrap();
    (Bucket::new(endpoint, "s3://bucket".parse().unwrap(), "us-east-1".into(), key), asked)
}

fn answer(status: u16, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status} X\r\n{more}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn error(status: u16, code: &str) -> String {
    answer(status, "", &format!("<Error><Code>{code}</Code><Message>why</Message><Region>eu-1</Region></Error>"))
}

#[tokio::test]
async fn what_passes_is_asked_again_and_what_does_not_is_not() {
    let (bucket, asked) =
        liar(vec![error(503, "SlowDown"), error(500, "InternalError"), answer(200, "", "here")]).await;
    assert_eq!(bucket.get("a", 10).await.unwrap(), "here");
    assert_eq!(asked.load(Ordering::SeqCst), 3);
    let (bucket, asked) = liar(vec![error(503, "SlowDown")]).await;
    assert!(matches!(bucket.get("a", 10).await, Err(S3Error::Busy { status: 503, .. })));
    assert_eq!(asked.load(Ordering::SeqCst), 4, "not for ever");
    for (answer, expected) in [
        (error(403, "AccessDenied"), S3Error::Denied("read")),
        (error(301, "PermanentRedirect"), S3Error::Region("eu-1".to_owned())),
        (error(403, "RequestTimeTooSkewed"), S3Error::Clock("too much".to_owned())),
    ] {
        let (bucket, asked) = liar(vec![answer]).await;
        assert_eq!(bucket.get("a", 10).await, Err(expected));
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_said() {
    let skewed = answer(403, "date: Fri, 24 May 2013 00:00:00 GMT\r\n", "<Error><Code>AccessDenied</Code></Error>");
    let (bucket, _) = liar(vec![skewed]).await;
    let refused = bucket.get("a", 10).await.unwrap_err();
    assert!(matches!(refused, S3Error::Clock(_)) && refused.to_string().contains("hours: set them"), "{refused}");
    assert!(bucket.clock_ahead_s().await.unwrap().unwrap() < -1_000_000);
}

#[tokio::test]
async fn answers_without_end_and_without_sense_are_refused() {
    // more than was asked for, said and unsaid
    let long = "x".repeat(200_000);
    for more in [answer(200, "", &long), format!("HTTP/1.1 200 OK\r\n\r\n{long}")] {
        let (bucket, _) = liar(vec![more]).await;
        let refused = bucket.get("a", 100_000).await.unwrap_err();
        assert!(matches!(refused, S3Error::Odd { .. }), "{refused}");
    }
    for nonsense in ["", "<html>", "<ListBucketResult><Contents>"] {
        let (bucket, _) = liar(vec![answer(200, "", nonsense)]).await;
        assert!(matches!(bucket.list("", None, None).await, Err(S3Error::Odd { .. })), "{nonsense}");
    }
    let (bucket, _) = liar(vec![answer(404, "", "not S3")]).await;
    let refused = bucket.get("a", 10).await.unwrap_err().to_string();
    assert!(refused.contains("does not answer as S3 does (status 404)"), "{refused}");
    let other = "<ListBucketResult><Contents><Key>b</Key><Size>1</Size></Contents></ListBucketResult>";
    let key = Key::parse("ID\nsecret").unwrap();
    let (bucket, _) = liar(vec![answer(200, "", other)]).await;
    let elsewhere = Bucket::new(bucket.endpoint().clone(), "s3://bucket/mine".parse().unwrap(), "r".into(), key);
    assert!(matches!(elsewhere.list("", None, None).await, Err(S3Error::Odd { .. })), "of another prefix");
}
