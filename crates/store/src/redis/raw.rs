//! A database that is not opened as a store: what is in it, and the marks of a move. A copy bears a mark until it is complete,
//! another one until the company is served from it; what was moved away bears one that names where to, in each lane, so that no
//! server writes there that slept meanwhile.

use std::{collections::HashMap, time::Duration};

use kefu_redis_link::{Cmd, Connection, Handshake, Link, Pipeline, cmd, lanes::slot};

use super::{
    keys::{COMPANY, Keys},
    scripts::SCRIPTS,
    value::{Value, bytes, number, parts, strings},
};
use crate::{StoreError, Table, random};

/// Keys that a step of a scan looks at.
const SCANNED: usize = 2_000;

/// For large commands, and for replicas that must take them.
const RESPONSE: Duration = Duration::from_secs(90);

/// What is under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Empty,
    /// A copy that is not complete.
    Unfinished,
    /// A company.
    Company(Resident),
    /// Something else.
    Other,
}

/// A company that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resident {
    /// The first entry of its directory: no two companies have the same.
    pub first: Option<Vec<u8>>,
    /// Where it is now, if it was moved away.
    pub moved: Option<String>,
    /// Where it is being moved to at this moment, while nothing is written.
    pub held: Option<String>,
    /// Where it comes from, until the move to here is finished.
    pub from: Option<String>,
}

/// Where a company is while its servers run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Here.
    Here,
    /// It is being moved there, and nothing is written.
    Held(String),
    /// There.
    Moved(String),
}

/// The database behind a link.
pub struct RawDatabase {
    pub(super) link: Link,
    pub(super) keys: Keys,
    /// One for each shard.
    pub(super) connections: Vec<Connection>,
    /// By which its connections are known. A mark of a copy names whose it is.
    pub(super) id: [u8; 16],
}

/// How often, and how long apart, it is looked whether a process that seems to copy has just ended.
const LOOKS: usize = 10;
const PAUSE: Duration = Duration::from_millis(100);

impl RawDatabase {
    /// Connects to all servers.
    ///
    /// # Errors
    /// One can't be reached; so have the other functions.
    pub async fn connect(link: Link, prefix: &str) -> Result<Self, StoreError> {
        let (mut connections, id) = (Vec::new(), random());
        let name = name(&id);
        for shard in link.map().shards() {
            let handshake = Handshake::primary(&name).scripts(SCRIPTS.all()).response_timeout(RESPONSE);
            connections.push(link.open(shard.index, &handshake).await.map_err(server)?);
        }
        Ok(Self { link, keys: Keys::new(prefix), connections, id })
    }

    /// What is there.
    pub async fn look(&self) -> Result<Found, StoreError> {
        if let Some(found) = look(&self.keys, self.of(&self.keys.lane(COMPANY))?).await? {
            return Ok(found);
        }
        for connection in &self.connections {
            let mut keys = Keyspace::new(&self.keys, connection);
            while let Some(found) = keys.next().await? {
                if !found.is_empty() {
                    return Ok(Found::Other);
                }
            }
        }
        Ok(Found::Empty)
    }

    /// Makes the copy that was not finished here ours, or begins one; not while another process works on it.
    async fn claim(&self) -> Result<(), StoreError> {
        let mark = self.keys.importing();
        let mut question = cmd("GET");
        question.arg(&mark);
        let before = bytes(&self.of(&mark)?.send(&question).await.map_err(server)?).map(<[u8]>::to_vec);
        if self.is_copied_by_another(before.as_deref()).await {
            return Err(copied_already());
        }
        let mut claim = SCRIPTS.replace().call(&[&mark]);
        claim.arg(before.unwrap_or_default()).arg(&self.id).arg(0);
        let claimed = self.of(&mark)?.send(&claim).await.map_err(server)?;
        if number(&claimed) == 1 { Ok(()) } else { Err(copied_already()) }
    }

    /// Whether the process that set this mark still has its connections. One that has just been killed is waited for. A Redis
    /// that does not say who is connected is taken at its mark: the copy was interrupted.
    pub(super) async fn is_copied_by_another(&self, mark: Option<&[u8]>) -> bool {
        let Some(id) = mark.filter(|id| **id != self.id) else { return false };
        let (wanted, mut list) = (format!(" name={} ", name(id)), cmd("CLIENT"));
        list.arg("LIST");
        for _ in 0..LOOKS {
            let Ok(connection) = self.of(&self.keys.importing()) else { return false };
            let clients: Result<String, _> = connection.query(&list).await;
            if !clients.is_ok_and(|clients| clients.contains(&wanted)) {
                return false;
            }
            tokio::time::sleep(PAUSE).await;
        }
        true
    }

    /// Deletes everything under the prefix. While that lasts it counts as a copy that is not complete.
    pub async fn clear(&self) -> Result<(), StoreError> {
        let mark = self.keys.importing();
        self.claim().await?;
        for connection in &self.connections {
            let mut keys = Keyspace::new(&self.keys, connection);
            while let Some(found) = keys.next().await? {
                let gone = found.into_iter().filter(|key| *key != mark).map(|key| {
                    let mut unlink = cmd("UNLINK");
                    unlink.arg(key);
                    unlink
                });
                for reply in connection.pipeline(&gone.collect::<Pipeline>()).await.map_err(server)? {
                    reply.map_err(server)?;
                }
            }
        }
        let mut unmark = cmd("DEL");
        unmark.arg(&mark);
        self.send(&mark, &unmark).await
    }

    /// What servers of the company said last, by their names. One that is alive says something new every two seconds.
    pub async fn nodes(&self) -> Result<HashMap<Vec<u8>, Vec<u8>>, StoreError> {
        let (key, mut question) = (self.keys.nodes(), cmd("HGETALL"));
        question.arg(&key);
        self.of(&key)?.query(&question).await.map_err(server)
    }

    /// Marks the company as moved. From then on no server writes here.
    pub async fn mark_moved(&self, to: &str) -> Result<(), StoreError> {
        self.every_lane(|key| {
            let (mut mark, mut raise) = (cmd("HSET"), cmd("HINCRBY"));
            mark.arg(&key).arg("moved").arg(to);
            // whoever has entered must enter again, and is refused
            raise.arg(&key).arg("g").arg(1);
            [mark, raise]
        })
        .await
    }

    /// Takes that back.
    pub async fn unmark_moved(&self) -> Result<(), StoreError> {
        self.every_lane(|key| {
            let mut unmark = cmd("HDEL");
            unmark.arg(&key).arg("moved");
            [unmark]
        })
        .await
    }

    /// The company is served from here: the move to here is finished.
    pub async fn mark_arrived(&self) -> Result<(), StoreError> {
        let (key, mut unmark) = (self.keys.lane(COMPANY), cmd("HDEL"));
        unmark.arg(&key).arg("from");
        self.send(&key, &unmark).await
    }

    async fn every_lane<const N: usize>(&self, commands: impl Fn(Vec<u8>) -> [Cmd; N]) -> Result<(), StoreError> {
        // the company first: it decides
        for lane in std::iter::once(COMPANY).chain(0..COMPANY) {
            let key = self.keys.lane(lane);
            let pipeline = commands(key.clone()).into_iter().collect::<Pipeline>();
            for reply in self.of(&key)?.pipeline(&pipeline).await.map_err(server)? {
                reply.map_err(server)?;
            }
        }
        Ok(())
    }

    /// The connection to the server of a key.
    pub(super) fn of(&self, key: &[u8]) -> Result<&Connection, StoreError> {
        Ok(&self.connections[self.shard_of(key)?])
    }

    /// Which of the connections that is.
    pub(super) fn shard_of(&self, key: &[u8]) -> Result<usize, StoreError> {
        let shard = self.link.map().shard_of_slot(slot(key)).map(|shard| shard.index);
        shard
            .filter(|shard| *shard < self.connections.len())
            .ok_or_else(|| StoreError::Server("the Cluster is not complete, or has changed: try again".to_owned()))
    }

    pub(super) async fn send(&self, key: &[u8], command: &Cmd) -> Result<(), StoreError> {
        self.of(key)?.send(command).await.map(drop).map_err(server)
    }
}

/// What the server of the company's tables knows; none if that is nothing.
pub(super) async fn look(keys: &Keys, connection: &Connection) -> Result<Option<Found>, StoreError> {
    let (mut unfinished, mut marks, mut first) = (cmd("EXISTS"), cmd("HMGET"), cmd("ZRANGE"));
    unfinished.arg(keys.importing());
    marks.arg(keys.lane(COMPANY)).arg("g").arg("moved").arg("from").arg("hold");
    first.arg(keys.keys(Table::Directory)).arg(0).arg(0);
    let questions = [unfinished, marks, first, cmd("TIME")];
    let replies = connection.pipeline(&questions.into_iter().collect()).await.map_err(server)?;
    let replies = replies.into_iter().collect::<Result<Vec<_>, _>>().map_err(server)?;
    let [unfinished, marks, first, time] = &replies[..] else { return Ok(None) };
    if number(unfinished) == 1 {
        return Ok(Some(Found::Unfinished));
    }
    let marks = parts(marks.clone());
    let text = |n: usize| marks.get(n).and_then(bytes).map(|text| String::from_utf8_lossy(text).into_owned());
    if text(0).is_none() {
        return Ok(None);
    }
    let first = match strings(first.clone()).pop() {
        Some(key) => {
            let mut entry = cmd("HGET");
            entry.arg(keys.values(Table::Directory)).arg(key);
            bytes(&connection.send(&entry).await.map_err(server)?).map(<[u8]>::to_vec)
        }
        None => None,
    };
    let (moved, held) = match moved_or_held(&marks[1..4], time) {
        Standing::Here => (None, None),
        Standing::Held(to) => (None, Some(to)),
        Standing::Moved(to) => (Some(to), None),
    };
    Ok(Some(Found::Company(Resident { first, moved, held, from: text(2) })))
}

/// Reads the fields `moved`, `from` and `hold` of a lane at a time.
pub(super) fn moved_or_held(fields: &[Value], time: &Value) -> Standing {
    let field = |n: usize| fields.get(n).and_then(bytes);
    let Some(to) = field(0).map(|to| String::from_utf8_lossy(to).into_owned()) else { return Standing::Here };
    let Some(hold) = field(2) else { return Standing::Moved(to) };
    let time = parts(time.clone());
    let [seconds, micros] = [0, 1].map(|n| time.get(n).map_or(0, number));
    let until = hold.last_chunk().map_or(0, |until| u64::from_be_bytes(*until));
    // one that ended is removed by the next server that enters
    if until > seconds * 1_000 + micros / 1_000 { Standing::Held(to) } else { Standing::Here }
}

/// All keys of a server under the prefix, some at a time. Each that is there all the time comes at least once.
struct Keyspace<'a> {
    pattern: Vec<u8>,
    connection: &'a Connection,
    cursor: Option<Vec<u8>>,
}

impl<'a> Keyspace<'a> {
    fn new(keys: &Keys, connection: &'a Connection) -> Self {
        Self { pattern: keys.pattern("{*}*"), connection, cursor: Some(b"0".to_vec()) }
    }

    async fn next(&mut self) -> Result<Option<Vec<Vec<u8>>>, StoreError> {
        let Some(cursor) = self.cursor.take() else { return Ok(None) };
        let mut question = cmd("SCAN");
        question.arg(cursor).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(SCANNED);
        let mut reply = parts(self.connection.send(&question).await.map_err(server)?).into_iter();
        let cursor = reply.next().as_ref().and_then(bytes).unwrap_or(b"0").to_vec();
        self.cursor = Some(cursor).filter(|cursor| cursor != b"0");
        Ok(Some(reply.next().map(strings).unwrap_or_default()))
    }
}

/// The name of the connections of one who copies.
fn name(id: &[u8]) -> String {
    let digits = id.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect();
    format!("kefu-copy-{hex}")
}

/// Why nothing is copied to a Redis now.
pub(super) fn copied_already() -> StoreError {
    StoreError::Server(
        "another kefu is copying a company to this Redis at this moment, and nothing was written: let it finish, or stop it \
         and run this again. If its machine is gone, CLIENT LIST in Redis shows its connections, named kefu-copy-…, until \
         Redis notices"
            .to_owned(),
    )
}

/// Why a company that is being moved is not opened.
pub(super) fn held(to: &[u8]) -> StoreError {
    StoreError::Server(format!(
        "this company is being moved to {} at this moment: try again in a few seconds",
        String::from_utf8_lossy(to)
    ))
}

/// Why a company that was moved away is not opened.
pub(super) fn moved(to: &[u8]) -> StoreError {
    StoreError::Server(format!(
        "this company was moved to {}: write that as storage.url into kefu.toml, or move it back with kefu move",
        String::from_utf8_lossy(to)
    ))
}

pub(super) fn server(error: kefu_redis_link::Error) -> StoreError {
    StoreError::Server(error.to_string())
}
