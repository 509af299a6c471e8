//! Opening: is it a company's database, is it whole, and can this kefu read it? An empty one becomes a company's if that is
//! wanted.

use std::sync::Arc;

use kefu_redis_link::{Connection, Handshake, Link, cmd};
use parking_lot::Mutex;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};

use super::{
    Options, RedisStore, Shared, audit, close,
    enter::{self, Lanes, Unusable},
    feed::Out,
    fill,
    follow::Followers,
    keys::{COMPANY, Keys, PARTS},
    memory::Memory,
    publish::Publishers,
    queue::Queues,
    raw::{self, Found, Resident},
    readers::Readers,
    rows::Rows,
    safe::Safe,
    scripts::SCRIPTS,
    value::{bytes, number},
};
use crate::{Feed, StoreError, Table, check, random};

impl RedisStore {
    /// Opens the database behind a link, and listens to what other servers do there.
    ///
    /// # Errors
    /// [`StoreError::Server`]: it can't be reached, is empty, or has lost a part of its data; [`StoreError::TooNew`],
    /// [`StoreError::Corrupt`].
    pub async fn open(link: Link, options: Options) -> Result<(Arc<Self>, Feed), StoreError> {
        let (feed, rx) = mpsc::unbounded_channel();
        let (checks, to_check) = mpsc::unbounded_channel();
        let keys = Keys::new(&options.prefix);
        let map = link.map();
        let company = kefu_redis_link::lanes::slot(&keys.lane(COMPANY));
        let slots = (0..COMPANY).map(kefu_redis_link::lanes::slot_of).chain([company]);
        let shards = slots.map(|slot| map.shard_of_slot(slot).map_or(0, |shard| shard.index)).collect();
        let shared = Arc::new(Shared {
            queues: Queues::new(options.queue.max(1), shards),
            link,
            keys,
            options,
            node: random(),
            lanes: Lanes::new(),
            out: Out::new(feed),
            rows: Rows::new(PARTS),
            readers: Readers::default(),
            safe: Safe::default(),
            publishers: Publishers::default(),
            followers: Followers::default(),
            checks,
            writers: Mutex::default(),
            memory: Memory::default(),
        });
        shared.identify().await?;
        shared.measure().await?;
        let (end, ended) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(fill::run(shared.clone(), to_check));
        let store = Arc::new(Self { shared: shared.clone(), tasks: Mutex::new(tasks), ended });
        for begun in shared.grow() {
            begun.await.map_err(|_| StoreError::Closed)?;
        }
        let mut tasks = store.tasks.lock();
        tasks.spawn(audit::run(shared.clone()));
        tasks.spawn(close(shared.clone(), end));
        tasks.spawn(grow(shared));
        drop(tasks);
        Ok((store, rx))
    }
}

/// Starts what new shards need.
async fn grow(shared: Arc<Shared>) {
    let mut maps = shared.link.watch();
    while maps.changed().await.is_ok() {
        drop(shared.grow());
    }
}

impl Shared {
    /// Finds out, or decides, whose database this is.
    async fn identify(self: &Arc<Self>) -> Result<(), StoreError> {
        let slot = self.slot(COMPANY);
        let shard = self.shard(slot).ok_or_else(|| StoreError::Server("the Cluster is not complete".to_owned()))?;
        let handshake = Handshake::primary("kefu-opening").scripts(SCRIPTS.all());
        let connection = self.link.open(shard, &handshake).await.map_err(server)?;
        let mut company = self.company(&connection).await?;
        if company.is_none() && self.options.create {
            if matches!(raw::look(&self.keys, &connection).await?, Some(Found::Unfinished)) {
                return Err(unfinished());
            }
            self.create(&connection).await.map_err(Unusable::into_error)?;
            company = self.company(&connection).await?;
        }
        let resident = raw::look(&self.keys, &connection).await?;
        match &resident {
            Some(Found::Company(Resident { moved: Some(to), .. })) => return Err(raw::moved(to.as_bytes())),
            Some(Found::Company(Resident { held: Some(to), .. })) => return Err(raw::held(to.as_bytes())),
            Some(Found::Company(Resident { from: Some(_), .. })) if !self.options.arriving => return Err(unfinished()),
            Some(Found::Unfinished) => return Err(unfinished()),
            _ => {}
        }
        let Some(company) = company else {
            return Err(StoreError::Server(
                "this Redis holds no company: it is empty, lost its data, or `storage.prefix` is another one"
                    .to_owned(),
            ));
        };
        self.lanes.belong_to(company);
        let map = self.link.map();
        for shard in map.shards() {
            let parts = enter::parts_of(&map, &self.keys, shard.index);
            if !parts.is_empty() {
                drop(
                    enter::open(self, shard.index, "opening", self.options.ack_replicas)
                        .await
                        .map_err(Unusable::into_error)?,
                );
            }
        }
        let found = self.get(Table::Meta, check::SCHEMA_KEY).await?.unwrap_or_default();
        let found = found.first_chunk().map(|number| u32::from_be_bytes(*number));
        match found {
            Some(found) if found > check::SCHEMA_VERSION => {
                Err(StoreError::TooNew { found, known: check::SCHEMA_VERSION })
            }
            Some(check::SCHEMA_VERSION) => Ok(()),
            other => Err(StoreError::Corrupt(format!("its schema version is {other:?}"))),
        }
    }

    /// The id of the company, if there is one.
    async fn company(&self, connection: &Connection) -> Result<Option<[u8; 16]>, StoreError> {
        let mut question = cmd("HGET");
        question.arg(self.keys.lane(COMPANY)).arg("id");
        let id = connection.send(&question).await.map_err(server)?;
        Ok(bytes(&id).and_then(|id| id.first_chunk()).copied())
    }

    /// Makes a company. When that is interrupted, it is continued; two servers that do it at once make the same one.
    async fn create(self: &Arc<Self>, connection: &Connection) -> Result<(), Unusable> {
        let (mut propose, mut ask) = (cmd("SET"), cmd("GET"));
        propose.arg(self.keys.creating()).arg(&random::<16>()).arg("NX");
        ask.arg(self.keys.creating());
        connection.send(&propose).await?;
        let id = connection.send(&ask).await?;
        let Some(id) = bytes(&id).and_then(|id| id.first_chunk()) else { return Ok(()) };
        self.lanes.belong_to(*id);
        let map = self.link.map();
        for shard in map.shards() {
            let lanes: Vec<_> = map.lanes_of(shard.index).collect();
            let handshake = Handshake::primary("kefu-opening").scripts(SCRIPTS.all());
            let connection = self.link.open(shard.index, &handshake).await?;
            enter::enter_with(self, &connection, &lanes, true).await?;
        }
        let names =
            [self.keys.lane(COMPANY), self.keys.values(Table::Meta), self.keys.keys(Table::Meta), self.keys.creating()];
        let mut call = SCRIPTS.create().call(&names);
        call.arg(&connection.server().run_id).arg(check::SCHEMA_KEY).arg(&check::SCHEMA_VERSION.to_be_bytes());
        let made = connection.send(&call).await?;
        tracing::debug!(made = number(&made), "storage: a new company");
        Ok(())
    }
}

fn unfinished() -> StoreError {
    StoreError::Server(
        "a company was being copied to this Redis, and that was not finished: run the same command again".to_owned(),
    )
}

fn server(error: kefu_redis_link::Error) -> StoreError {
    StoreError::Server(error.to_string())
}
