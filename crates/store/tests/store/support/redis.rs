//! Stores on real servers of Redis.

use std::sync::Arc;

use kefu_proto::{ConvId, MsgId, RecordView};
use kefu_redis_link::{Link, testing::RedisServer};
use kefu_store::{
    Batch, Commit, Feed, Op, Outcome, StoreError,
    redis::{Options, RedisStore},
};

use super::{batch::envelope_with, proxy::Proxy};

/// Options that make a company where there is none.
pub fn options() -> Options {
    Options { create: true, ..Options::default() }
}

/// Opens a store on a server.
pub async fn open(server: &RedisServer) -> Result<(Arc<RedisStore>, Feed), StoreError> {
    open_with(server, options()).await
}

/// Opens a store whose connections all go through a proxy.
pub async fn open_through(proxy: &Proxy, options: Options) -> Result<(Arc<RedisStore>, Feed), StoreError> {
    let url = format!("redis://127.0.0.1:{}", proxy.port()).parse().unwrap();
    let link = Link::connect(&url, kefu_redis_link::Options::default()).await.unwrap();
    RedisStore::open(link, options).await
}

/// Opens a store on a server.
pub async fn open_with(server: &RedisServer, options: Options) -> Result<(Arc<RedisStore>, Feed), StoreError> {
    let link = Link::connect(&server.url(), server.options()).await.unwrap();
    RedisStore::open(link, options).await
}

/// A message id by number, for many.
pub fn id(n: u64) -> MsgId {
    MsgId([n.to_be_bytes(), [7; 8]].concat().try_into().unwrap())
}

/// A batch that posts a message by number.
pub fn say(conv: ConvId, n: u64) -> Batch {
    let append = Op::Append { id: id(n), body: envelope_with(conv, id(n)).into() };
    Batch { conv: Some(conv), rev: None, ops: vec![append] }
}

/// A batch that changes the row.
pub fn row(conv: ConvId, rev: Option<u32>, value: &str) -> Batch {
    let value = value.as_bytes().to_vec().into();
    Batch { conv: Some(conv), rev, ops: vec![Op::Row { value, facts: None }] }
}

/// What a feed told of a conversation.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Told {
    /// Sequence numbers in order.
    pub seqs: Vec<u64>,
    /// Frames of them.
    pub frames: Vec<bytes::Bytes>,
    /// Revision and content of rows in order.
    pub rows: Vec<(u32, Vec<u8>)>,
    /// Who was told of their own batch.
    pub origins: Vec<u64>,
}

impl Told {
    /// Adds a commit.
    pub fn add(&mut self, commit: &Commit) {
        self.seqs.extend(commit.records.iter().map(|frame| RecordView::parse(frame).unwrap().seq));
        self.frames.extend(commit.records.iter().cloned());
        self.rows.extend(commit.row.iter().map(|row| (commit.rev, row.to_vec())));
        self.origins.extend((commit.origin != 0).then_some(commit.origin));
    }

    /// Adds what a feed says of a conversation until something is so.
    pub async fn listen(&mut self, feed: &mut Feed, conv: ConvId, until: impl Fn(&Self) -> bool) {
        let listening = async {
            while !until(self) {
                for outcome in feed.recv().await.expect("the feed goes on") {
                    match outcome {
                        Outcome::Committed(commit) if commit.conv == conv => self.add(&commit),
                        // it came to be known before its outcome
                        Outcome::Duplicate { origin, .. } => self.origins.push(origin),
                        _ => {}
                    }
                }
            }
        };
        let listened = tokio::time::timeout(std::time::Duration::from_secs(30), listening).await;
        assert!(listened.is_ok(), "waited in vain: {:?} {:?} {:?}", self.seqs, self.rows, self.origins);
    }
}

/// The next outcome that is of interest.
pub async fn next<T>(feed: &mut Feed, pick: impl Fn(&Outcome) -> Option<T>) -> T {
    let listening = async {
        loop {
            let outcomes = feed.recv().await.expect("the feed goes on");
            if let Some(found) = outcomes.iter().find_map(&pick) {
                return found;
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), listening).await.expect("waited in vain")
}
