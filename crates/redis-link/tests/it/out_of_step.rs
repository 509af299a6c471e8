//! What a server says unasked just when something is asked: a real one does so when a slot moves, at a moment no test can choose.

use std::sync::Arc;

use kefu_redis_link::{Address, Channels, Connector, Error, Handshake, Options, Push, Pushes, Subscriber, Url};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};

/// One command, in words.
async fn command(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|length| *length > 0)?;
    let mut words = vec![];
    for _ in 0..line.trim().strip_prefix('*').unwrap().parse::<usize>().unwrap() {
        line.clear();
        stream.read_line(&mut line).await.unwrap();
        let mut word = vec![0; line.trim().strip_prefix('$').unwrap().parse::<usize>().unwrap() + 2];
        stream.read_exact(&mut word).await.unwrap();
        words.push(String::from_utf8(word).unwrap().trim_end().to_owned());
    }
    Some(words)
}

fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

fn push(kind: &str, channel: &str) -> String {
    format!(">3\r\n{}{}:1\r\n", bulk(kind), bulk(channel))
}

/// A server that knows a handshake and subscriptions; `before` is said ahead of the answer to a command.
async fn fake(before: impl Fn(&[String]) -> Option<String> + Send + Sync + 'static) -> (Subscriber, Pushes) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::new("127.0.0.1", listener.local_addr().unwrap().port());
    let before = Arc::new(before);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        while let Some(words) = command(&mut stream).await {
            let answer = match (words[0].as_str(), words.get(1).map(String::as_str)) {
                ("HELLO", _) => "%1\r\n$5\r\nproto\r\n:3\r\n".to_owned(),
                ("ROLE", _) => format!("*3\r\n{}:0\r\n*0\r\n", bulk("master")),
                ("INFO", Some("server")) => bulk("redis_version:7.0.15\r\nrun_id:r\r\n"),
                ("INFO", _) => bulk("loading:0\r\n"),
                ("PING", Some(payload)) => bulk(payload),
                ("SSUBSCRIBE", Some(channel)) => push("ssubscribe", channel),
                ("SUNSUBSCRIBE", Some(channel)) => push("sunsubscribe", channel),
                _ => "+OK\r\n".to_owned(),
            };
            let said = before(&words).unwrap_or_default() + &answer;
            stream.write_all(said.as_bytes()).await.unwrap();
        }
    });
    let url: Url = format!("redis://{address}").parse().unwrap();
    let connector = Connector::new(&url, Options::default()).unwrap();
    connector.subscribe(&address, &Handshake::primary("t")).await.unwrap()
}

#[tokio::test]
async fn an_unasked_end_of_a_subscription_confirms_no_other() {
    let moved =
        |words: &[String]| (words[1..] == ["b"]).then(|| push("sunsubscribe", "a") + &push("sunsubscribe", "x"));
    let (subscriber, mut pushes) = fake(moved).await;
    subscriber.subscribe(Channels::Sharded, &["a", "x"]).await.unwrap();
    let (many, one) =
        (subscriber.subscribe(Channels::Sharded, &["b", "c"]), subscriber.subscribe(Channels::Sharded, &["d"]));
    let (many, one) = tokio::join!(many, one);
    many.and(one).unwrap();
    for channel in ["a", "x"] {
        assert_eq!(pushes.next().await.unwrap(), Push::Unsubscribed { channel: channel.into() });
    }
    // what was asked for is not reported
    subscriber.unsubscribe(Channels::Sharded, &["c"]).await.unwrap();
    subscriber.ping().await.unwrap();
}

#[tokio::test]
async fn an_unasked_push_instead_of_a_reply_ends_the_connection() {
    let (subscriber, mut pushes) = fake(|words| (words[0] == "PING").then(|| push("sunsubscribe", "a"))).await;
    let error = subscriber.ping().await.unwrap_err();
    assert!(matches!(&error, Error::Gone { why, .. } if why.contains("out of step")), "{error:?}");
    assert_eq!(pushes.next().await.unwrap(), Push::Unsubscribed { channel: b"a".to_vec() });
    pushes.next().await.unwrap_err();
}
