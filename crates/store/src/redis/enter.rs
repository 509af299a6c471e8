//! Generations. A lane has one, which rises whenever another process of Redis answers for it: after a restart, a failover, a
//! move to another shard. Then its end may be lost. Every connection begins with all lanes of its shard, and scripts refuse what
//! is meant for another generation, so that nothing is written by who has not seen where it began.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use kefu_proto::Generation;
use kefu_redis_link::{
    Connection, Error, Handshake, Map, Pipeline,
    checks::{self, Needs},
    lanes::slot,
};
use parking_lot::Mutex;
use ring::digest::{Context, SHA256};

use super::{
    Shared,
    keys::{COMPANY, Keys, Lane, PARTS},
    raw,
    scripts::SCRIPTS,
    value,
};
use crate::StoreError;

/// What this server knows of all lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    /// 0: not known yet.
    generations: Vec<AtomicU64>,
    all: AtomicU64,
    /// Drawn when the company was created; all lanes have it.
    company: OnceLock<[u8; 16]>,
    /// The process that answered for each lane when it was entered last.
    processes: Mutex<Vec<Arc<str>>>,
    /// The process of each shard that was connected last.
    shards: Mutex<HashMap<usize, String>>,
}

/// A lane as it was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entered {
    pub lane: Lane,
    /// Changes of rows in it so far.
    pub changes: u64,
    /// It had another generation when it was entered before.
    pub risen: bool,
}

impl Lanes {
    pub fn new() -> Self {
        let generations = (0..PARTS).map(|_| AtomicU64::new(0)).collect();
        let processes = Mutex::new(vec![Arc::from(""); PARTS]);
        Self { generations, all: AtomicU64::new(0), company: OnceLock::new(), processes, shards: Mutex::default() }
    }

    /// Of a lane.
    pub fn generation(&self, lane: Lane) -> u64 {
        self.generations[usize::from(lane)].load(Ordering::Acquire)
    }

    /// Of all together.
    pub fn all(&self) -> Generation {
        Generation(self.all.load(Ordering::Acquire).to_be_bytes())
    }

    /// The company, once it is known.
    pub fn company(&self) -> Option<&[u8; 16]> {
        self.company.get()
    }

    /// What all lanes must belong to.
    pub fn belong_to(&self, company: [u8; 16]) {
        // the first one counts; another one would be refused by the lanes
        self.company.get_or_init(|| company);
    }

    /// Those of some lanes that must be entered before this process is asked about them.
    pub fn not_entered(&self, lanes: impl IntoIterator<Item = Lane>, process: &str) -> Vec<Lane> {
        let processes = self.processes.lock();
        lanes.into_iter().filter(|lane| *processes[usize::from(*lane)] != *process).collect()
    }

    /// Whether no other process was found in a shard since this one.
    pub fn is_current(&self, shard: usize, process: &str) -> bool {
        self.shards.lock().get(&shard).is_some_and(|current| current == process)
    }

    /// A lane must be entered again.
    pub fn forget(&self, lane: Lane) {
        self.processes.lock()[usize::from(lane)] = Arc::from("");
    }

    fn set(&self, lane: Lane, generation: u64, process: &Arc<str>) -> bool {
        self.processes.lock()[usize::from(lane)] = process.clone();
        let before = self.generations[usize::from(lane)].swap(generation, Ordering::AcqRel);
        before != 0 && before != generation
    }

    fn hash(&self) {
        let mut hash = Context::new(&SHA256);
        hash.update(self.company().map_or(&[][..], |id| id));
        for generation in &self.generations {
            hash.update(&generation.load(Ordering::Acquire).to_be_bytes());
        }
        let first = hash.finish().as_ref().first_chunk::<8>().copied().unwrap_or_default();
        self.all.store(u64::from_be_bytes(first), Ordering::Release);
    }
}

/// Why a shard can't be used.
#[derive(Debug)]
pub(super) enum Unusable {
    /// It can't be reached now.
    Link(Error),
    /// It can be reached, and must not be used.
    Refused(StoreError),
}

impl From<Error> for Unusable {
    fn from(error: Error) -> Self {
        Self::Link(error)
    }
}

impl Unusable {
    pub fn into_error(self) -> StoreError {
        match self {
            Self::Link(error) => StoreError::Server(error.to_string()),
            Self::Refused(error) => error,
        }
    }
}

impl std::fmt::Display for Unusable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Link(error) => error.fmt(f),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

/// The lanes of a shard, with the company if that is there.
pub(super) fn parts_of(map: &Map, keys: &Keys, shard: usize) -> Vec<Lane> {
    let company = map.shard_of_slot(slot(&keys.lane(COMPANY))).filter(|owner| owner.index == shard);
    map.lanes_of(shard).chain(company.map(|_| COMPANY)).collect()
}

/// Opens a connection for commands to a shard and enters all its lanes, unless this process has answered for them already.
/// `replicas` must be there: those of the settings before something is written; a read needs none.
pub(super) async fn open(shared: &Shared, shard: usize, purpose: &str, replicas: u32) -> Result<Connection, Unusable> {
    let name = format!("kefu-{purpose}");
    let connection = shared.link.open(shard, &Handshake::primary(&name).scripts(SCRIPTS.all())).await?;
    let needs = Needs { replicas: replicas as usize, unchecked: shared.options.unchecked };
    checks::accept(checks::primary(&connection, &needs).await?)?;
    let parts = parts_of(&shared.link.map(), &shared.keys, shard);
    let process = &connection.server().run_id;
    enter(shared, &connection, &shared.lanes.not_entered(parts, process)).await?;
    shared.lanes.shards.lock().insert(shard, process.clone());
    Ok(connection)
}

/// Enters lanes over a connection to their shard.
pub(super) async fn enter(shared: &Shared, connection: &Connection, parts: &[Lane]) -> Result<(), Unusable> {
    enter_with(shared, connection, parts, false).await
}

/// The same, for lanes that may be new.
pub(super) async fn enter_with(
    shared: &Shared,
    connection: &Connection,
    parts: &[Lane],
    create: bool,
) -> Result<(), Unusable> {
    if parts.is_empty() {
        return Ok(());
    }
    let company = shared.lanes.company().copied().unwrap_or_default();
    let process: Arc<str> = connection.server().run_id.as_str().into();
    let call = |lane: &Lane| {
        let mut call = SCRIPTS.enter().call(&[shared.keys.lane(*lane)]);
        call.arg(&*process).arg(&company).arg(u8::from(create));
        call
    };
    let replies = connection.pipeline(&parts.iter().map(call).collect::<Pipeline>()).await?;
    let mut entered = Vec::with_capacity(parts.len());
    for (lane, reply) in parts.iter().zip(replies) {
        let fields = value::parts(reply?);
        let (generation, changes) = match &fields[..] {
            [_, generation, changes] => (value::number(generation), value::number(changes)),
            [held, to] if value::bytes(held) == Some(b"H") => {
                return Err(Unusable::Refused(raw::held(value::bytes(to).unwrap_or_default())));
            }
            [_, to] => return Err(Unusable::Refused(raw::moved(value::bytes(to).unwrap_or_default()))),
            [why] => return Err(Unusable::Refused(refusal(value::bytes(why) == Some(b"N")))),
            _ => return Err(Unusable::Refused(StoreError::Corrupt("a lane of another kind".to_owned()))),
        };
        let risen = shared.lanes.set(*lane, generation, &process);
        entered.push(Entered { lane: *lane, changes, risen });
    }
    shared.lanes.hash();
    shared.risen(&entered);
    Ok(())
}

fn refusal(missing: bool) -> StoreError {
    let why = if missing {
        "this Redis lost its data, or it is another one than before: nothing is written to it. Connect the right one, or restore a backup"
    } else {
        "this Redis holds, in part, the data of another company: nothing is written to it. Connect the right one"
    };
    StoreError::Server(why.to_owned())
}
