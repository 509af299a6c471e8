//! An agent signs in, gets the whole list, looks at more of it, and reads the longest of their conversations.
//!
//! What is not needed is not parsed while it is measured: that would delay those who write on the same thread.

use std::time::Instant;

use bytes::Bytes;
use kefu_client::{ClientError, Endpoint, Reader, Writer, http::Connection};
use kefu_crypto::sign::SigningKey;
use kefu_proto::{ClientFrame, ConvId, Have, Owner, ServerFrame, Summary, UserId};
use serde::{Deserialize, de::DeserializeOwned};

use super::{Reads, record};
use crate::{connect::welcomed, error::LoadError, history, pair, target::Target};

/// Conversations in a page of the list, as in the console.
const LIST: usize = 100;
/// Pages of the list that are looked at.
const PAGES: usize = 10;

/// What there is to read.
#[derive(Debug)]
pub(super) struct ToRead {
    /// Conversations of the agent.
    pub owned: usize,
    /// Conversations in the queue.
    pub waiting: usize,
    /// The agent's longest conversation, and the number of its last record.
    pub longest: Option<(ConvId, u64)>,
}

/// What is needed of a welcome.
#[derive(Deserialize)]
struct Welcome {
    token: String,
    user: UserId,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    more: bool,
}

#[derive(Deserialize)]
struct Convs {
    convs: Vec<Summary>,
}

/// Where the next page of a list begins.
#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next: Option<String>,
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, LoadError> {
    Ok(serde_json::from_slice(json).map_err(|e| ClientError::Protocol(e.to_string()))?)
}

async fn list(http: &mut Connection, token: &str, query: &str) -> Result<Bytes, LoadError> {
    match http.get(&format!("/api/v1/conversations?{query}"), Some(token)).await? {
        (200, body) => Ok(body),
        (status, _) => Err(LoadError::Status { what: "a page of the list", status }),
    }
}

/// An agent with everything that they are shown at first.
struct SignedIn {
    welcome: Welcome,
    /// The answers that have the list.
    lists: Vec<Bytes>,
    http: Connection,
    reader: Reader,
    writer: Writer,
}

async fn sign_in(target: &Target, key: &SigningKey) -> Result<SignedIn, LoadError> {
    let (greeting, reader, writer) = welcomed(target, &Endpoint::agent(), key, 0).await?;
    let welcome: Welcome = parse(&greeting)?;
    let mut http = Connection::open(&target.address).await?;
    let lists = match welcome.config.more {
        true => {
            let mine = list(&mut http, &welcome.token, "tab=mine").await?;
            vec![mine, list(&mut http, &welcome.token, "tab=queue").await?]
        }
        false => vec![greeting],
    };
    Ok(SignedIn { welcome, lists, http, reader, writer })
}

/// What there is to read.
pub(super) async fn look(target: &Target, key: &SigningKey) -> Result<ToRead, LoadError> {
    let SignedIn { welcome, lists, .. } = sign_in(target, key).await?;
    let mut convs = Vec::new();
    for list in lists {
        convs.extend(parse::<Convs>(&list)?.convs);
    }
    let waiting = convs.iter().filter(|c| c.owner == Owner::Queue).count();
    convs.retain(|c| c.owner == Owner::Agent(welcome.user.clone()));
    let longest = convs.iter().max_by_key(|c| c.last).map(|c| (c.id, c.last));
    Ok(ToRead { owned: convs.len(), waiting, longest })
}

/// Everything once.
pub(super) async fn round(
    target: &Target,
    key: &SigningKey,
    to_read: &ToRead,
    reads: &mut Reads,
) -> Result<(), LoadError> {
    let began = Instant::now();
    let SignedIn { welcome: Welcome { token, .. }, mut http, mut reader, writer, .. } = sign_in(target, key).await?;
    record(&mut reads.sign_in, began);

    let mut before = String::new();
    for _ in 0..PAGES {
        let began = Instant::now();
        let page = list(&mut http, &token, &format!("tab=all&limit={LIST}{before}")).await?;
        record(&mut reads.list_page, began);
        let Some(next) = parse::<Next>(&page)?.next else { break };
        before = format!("&before={next}");
    }

    let Some((conv, _)) = to_read.longest else { return Ok(()) };
    let began = Instant::now();
    pair::send(&writer, &ClientFrame::Resume { convs: vec![Have::upto(conv, 0)] })?;
    let answered = |frame| match frame {
        ServerFrame::Synced { .. } => Some(Ok(None)),
        ServerFrame::Behind { last, .. } => Some(Ok::<_, LoadError>(Some(last))),
        _ => None,
    };
    let behind = reader.wait(|_| (), answered).await?;
    record(&mut reads.open, began);
    let mut have = 0;
    while behind.is_some_and(|last| have < last) {
        let began = Instant::now();
        let records = history::page(&mut http, &token, conv, have, |_| ()).await?;
        record(&mut reads.history_page, began);
        if records == 0 {
            return Err(ClientError::Protocol("a conversation ends before its last record".to_owned()).into());
        }
        have += records as u64;
    }
    record(&mut reads.history, began);
    Ok(())
}
