//! What the attackers do, each at the same address.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use kefu::{
    crypto::sign::random,
    proto::{ClientFrame, MsgId, Side},
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

use super::{
    client::{Http, Socket, Visitor, connect},
    target::Target,
};

/// Where the attackers are.
pub const STRANGER: u8 = 2;
/// Bytes of a message that fills a record.
const LARGE: usize = 60_000;
/// Records of a conversation that is read again and again.
const RECORDS: usize = 500;

/// What an attack got done.
#[derive(Default)]
pub struct Done {
    ok: AtomicU64,
    refused: AtomicU64,
    bytes: AtomicU64,
}

impl Done {
    /// Something that the server did, with so many bytes.
    pub fn ok(&self, bytes: usize) {
        self.ok.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Something that it refused.
    pub fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Done, refused, bytes.
    pub fn read(&self) -> (u64, u64, u64) {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        (read(&self.ok), read(&self.refused), read(&self.bytes))
    }
}

/// A conversation with many large records, or as many as are taken.
pub async fn fill(at: &Arc<Target>) -> anyhow::Result<Visitor> {
    let (mut visitor, mut socket) = Visitor::come(at, STRANGER).await?;
    for n in 0..RECORDS {
        if visitor.say(&mut socket, LARGE).await?.is_err() {
            eprintln!("the conversation has {n} large records: more are refused");
            break;
        }
    }
    Ok(visitor)
}

/// Writes as fast as the server accepts. When limited, it reconnects as another visitor, or waits if that is refused, too.
pub async fn write(at: Arc<Target>, done: Arc<Done>) -> anyhow::Result<()> {
    let (mut visitor, mut socket) = Visitor::come(&at, STRANGER).await?;
    loop {
        match visitor.say(&mut socket, LARGE).await? {
            Ok(bytes) => done.ok(bytes),
            Err(again) => {
                done.refused();
                let wait = again.unwrap_or(u64::MAX);
                let another = if wait > 20_000 { Visitor::come(&at, STRANGER).await.ok() } else { None };
                match another {
                    Some(another) => (visitor, socket) = another,
                    None => sleep(Duration::from_millis(wait.min(10_000))).await,
                }
            }
        }
    }
}

/// Closes and opens.
pub async fn reopen(at: Arc<Target>, done: Arc<Done>) -> anyhow::Result<()> {
    let (visitor, mut socket) = Visitor::come(&at, STRANGER).await?;
    let conv = visitor.conv;
    let mut req = 1;
    loop {
        for close in [true, false] {
            req += 1;
            let frame =
                if close { ClientFrame::Close { req, conv, reason: None } } else { ClientFrame::Reopen { req, conv } };
            match socket.ask(req, &frame).await? {
                Ok(()) => done.ok(0),
                Err(_) => done.refused(),
            }
        }
    }
}

/// Recalls what is not there.
pub async fn recall(at: Arc<Target>, victim: Arc<Visitor>, done: Arc<Done>) -> anyhow::Result<()> {
    let mut socket = Socket::enter(&at, STRANGER, &victim.key, Side::Visitor).await?;
    for req in 1.. {
        // it is refused, after the search that it is about
        let _ = socket.ask(req, &ClientFrame::Recall { req, conv: victim.conv, msg: MsgId(random()) }).await?;
        done.ok(0);
    }
    Ok(())
}

/// Asks again and again.
pub async fn get(at: Arc<Target>, path: String, headers: String, done: Arc<Done>) -> anyhow::Result<()> {
    loop {
        let mut http = Http::open(at.addr, STRANGER).await?;
        while let Ok((status, body)) = http.get(&path, &headers).await {
            if status == 200 {
                done.ok(body.len());
            } else {
                done.refused();
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

/// The console's program.
pub async fn script(at: &Target) -> anyhow::Result<String> {
    let (_, page) = Http::open(at.addr, STRANGER).await?.get("/console/", "").await?;
    let page = String::from_utf8_lossy(&page);
    let name = page.split(['"', '\'']).find(|word| Path::new(word).extension().is_some_and(|e| e == "js"));
    let name = name.context("the executable was built without its pages")?;
    Ok(format!("/console/{}", name.trim_start_matches("./").trim_start_matches("/console/")))
}

/// Comes again when it is thrown out.
pub async fn body(at: Arc<Target>) -> anyhow::Result<()> {
    const LENGTH: usize = 256 * 1024;
    let head = format!(
        "POST /api/v1/invite/open HTTP/1.1\r\nHost: kefu\r\nContent-Type: application/json\r\nContent-Length: {LENGTH}\r\n\r\n"
    );
    loop {
        if let Ok(mut tcp) = connect(at.addr, STRANGER).await {
            let _ = tcp.write_all(head.as_bytes()).await;
            let _ = tcp.write_all(&vec![b' '; LENGTH - 1]).await;
            ended(&mut tcp, Duration::from_mins(1)).await;
        }
        sleep(Duration::from_secs(2)).await;
    }
}

/// Asks for much, reads nothing, and stays.
pub async fn unread(at: Arc<Target>) -> anyhow::Result<()> {
    let path = script(&at).await.unwrap_or_else(|_| "/api/v1/directory?after=-1".into());
    let mut tcp = connect(at.addr, STRANGER).await?;
    tcp.write_all(format!("GET {path} HTTP/1.1\r\nHost: kefu\r\n\r\n").repeat(40).as_bytes()).await?;
    sleep(Duration::from_mins(10)).await;
    drop(tcp);
    Ok(())
}

/// Reads until the server hangs up.
async fn ended(tcp: &mut TcpStream, most: Duration) {
    let _ = timeout(most, tokio::io::copy(tcp, &mut tokio::io::sink())).await;
}
