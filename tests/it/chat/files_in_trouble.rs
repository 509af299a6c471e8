//! Uploads while the disk is full, or the store of files does not answer: nothing that was acknowledged is lost, the sender is told in a
//! sentence, and the upload goes on from where it was.

use bytes::Bytes;
use kefu::{
    blobs::PART,
    proto::{ErrorCode, MsgId},
};
use kefu_redis_link::testing::until;
use kefu_s3::testing::S3Server;

use super::{
    files::{begin, content, get, post, put, sealed, upload},
    *,
};
use crate::{
    full_disk::place::Place,
    support::{http::Answer, server::in_bucket},
};

/// Three files: one posted, one whole, one begun.
struct Files {
    content: Bytes,
    posted: MsgId,
    whole: (MsgId, Vec<u8>),
    begun: (MsgId, Vec<u8>),
}

impl Files {
    async fn send(visitor: &mut Peer, conv: ConvId) -> Self {
        let content = content(4 * PART + 7);
        let (posted, envelope) = sealed(visitor, conv);
        upload(visitor, conv, posted, &content).await;
        post(visitor, conv, posted, envelope).await;
        // each is sealed with the counter that is next, so the one that is posted first is sealed first
        let whole = sealed(visitor, conv);
        upload(visitor, conv, whole.0, &content).await;
        let begun = (MsgId([9; 16]), Vec::new());
        assert_eq!(begin(visitor, conv, begun.0, content.len() as u64).await.status, 200);
        let first = put(visitor, conv, begun.0, 0, content.slice(..PART as usize)).await;
        assert_eq!(first.status, 200, "{}", first.json());
        Self { content, posted, whole, begun }
    }

    /// The part that comes next.
    async fn next(&self, visitor: &Peer, conv: ConvId) -> Answer {
        put(visitor, conv, self.begun.0, PART, self.content.slice(PART as usize..2 * PART as usize)).await
    }

    /// There is space, or the store answers, again.
    async fn go_on(&mut self, visitor: &mut Peer, conv: ConvId) {
        let length = self.content.len() as u64;
        until("the upload", async || (begin(visitor, conv, self.begun.0, length).await.status == 200).then_some(()))
            .await;
        assert_eq!(
            begin(visitor, conv, self.begun.0, length).await.json()["have"],
            PART,
            "what was acknowledged is there"
        );
        upload(visitor, conv, self.begun.0, &self.content).await;
        let key = visitor.me.key.clone();
        self.begun.1 = visitor.view(conv).seal_as(self.begun.0, "a file", &key);
        post(visitor, conv, self.begun.0, self.begun.1.clone()).await;
    }

    async fn all_there(&self, reader: &Peer, conv: ConvId) {
        for msg in [self.posted, self.whole.0, self.begun.0] {
            until("the file", async || (get(reader, conv, msg).await.body == self.content).then_some(())).await;
        }
    }
}

/// It says what is wrong, and when to come again.
fn refused(answer: &Answer, words: &str) {
    let said = answer.json();
    assert_eq!((answer.status, answer.code()), (503, Some(ErrorCode::Storage as u64)), "{said}");
    assert!(said["text"].as_str().unwrap().contains(words), "{said}");
    assert!(said["retry_ms"].as_u64().unwrap() > 0, "{said}");
}

#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_of_an_upload() {
    let place = match Place::of(64) {
        Ok(place) => place,
        Err(why) => return println!("SKIPPED: no file system can be mounted here ({why})"),
    };
    let company = Company::found().await;
    let mut settings = config();
    settings.storage.blobs = place.path().join("blobs").display().to_string();
    settings.storage.reserve_mb = 4;
    let server = Server::start(&company, settings.clone()).await;
    let (mut visitor, li, conv) = talk(&server).await;
    let mut files = Files::send(&mut visitor, conv).await;

    place.fill_to(0);
    for _ in 0..3 {
        refused(&files.next(&visitor, conv).await, "disk is full");
        assert_eq!(begin(&visitor, conv, files.begun.0, files.content.len() as u64).await.json()["have"], PART);
    }
    refused(&begin(&visitor, conv, MsgId([8; 16]), 10).await, "almost full");
    // what is whole needs no space to be posted, and what is there can be read
    post(&mut visitor, conv, files.whole.0, files.whole.1.clone()).await;
    for msg in [files.posted, files.whole.0] {
        assert_eq!(get(&li, conv, msg).await.body, files.content);
    }

    place.clear();
    files.go_on(&mut visitor, conv).await;
    files.all_there(&li, conv).await;
    drop((visitor, li));
    server.stopped().await;
    let server = Server::start(&company, settings).await;
    let li = Peer::connect(&server, &Me::agent(&company, "li")).await;
    files.all_there(&li, conv).await;
}

#[tokio::test]
async fn a_store_that_stops_answering_in_the_middle_of_an_upload() {
    let mut s3 = S3Server::start().await;
    let company = Company::found().await;
    let server = Server::start(&company, in_bucket(config(), &s3)).await;
    let (mut visitor, li, conv) = talk(&server).await;
    let mut files = Files::send(&mut visitor, conv).await;

    s3.kill();
    refused(&files.next(&visitor, conv).await, "can't store or read files at the moment");
    refused(&begin(&visitor, conv, MsgId([8; 16]), 10).await, "at the moment");
    // it is whole, so its message is stored; who reads the file asks again
    post(&mut visitor, conv, files.whole.0, files.whole.1.clone()).await;
    assert_ne!(get(&li, conv, files.posted).await.body, files.content);

    s3.restart().await;
    files.go_on(&mut visitor, conv).await;
    files.all_there(&li, conv).await;
}
