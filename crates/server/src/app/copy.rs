//! Reading a whole company from where it is, and writing it to where none is: the two ends of a restore and of a move.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use kefu_redis_link::Link;
use ring::digest::{Context, SHA256};
use tokio::sync::mpsc;

use super::{
    shared_database::temporary,
    storage::{MOVED, connect_redis, redis_options},
};
use crate::{
    chat::facts_of,
    config::Config,
    store::{
        StoreError,
        archive::{Entry, Header},
        redb::{DumpError, Loader, RedbStore},
        redis::{Exported, Found, Importer, RawDatabase, RedisStore},
    },
};

/// Entries that wait for the one who receives them, and how many go together.
const WAITING: usize = 8;
const TOGETHER: usize = 500;

/// A company that is being written where none is.
pub enum Target {
    /// To a file.
    File(Box<Loader>),
    /// To Redis.
    Shared(Box<Importer<'static>>),
}

impl Target {
    /// To the database that a configuration names; `file`: where it is, if it is a file. What an earlier copy left there
    /// unfinished is removed.
    ///
    /// # Errors
    /// There is something, or it can't be written.
    pub async fn begin(file: &Path, config: &Config, header: &Header) -> Result<Self, StoreError> {
        if !config.storage.is_shared() {
            return Ok(Self::File(Box::new(Loader::create(file, header)?)));
        }
        let link = connect_redis(&config.storage).await.map_err(|e| StoreError::Server(format!("{e:#}")))?;
        Self::to_redis(link, config, header).await
    }

    pub(super) async fn to_redis(link: Link, config: &Config, header: &Header) -> Result<Self, StoreError> {
        let options = redis_options(&config.storage);
        let raw = RawDatabase::connect(link.clone(), &options.prefix).await?;
        if raw.look().await? == Found::Unfinished {
            raw.clear().await?;
        }
        Ok(Self::Shared(Box::new(Importer::begin(link, options, header, &facts_of).await?)))
    }

    /// Adds the next entry. Files are ignored.
    ///
    /// # Errors
    /// It does not belong there, or can't be written.
    pub async fn entry(&mut self, entry: &Entry<'_>) -> Result<(), StoreError> {
        match self {
            Self::File(loader) => loader.entry(entry),
            Self::Shared(importer) => importer.entry(entry).await,
        }
    }

    /// Ends it. `from`: where it comes from, if a shared database is not served before that is known to be left.
    ///
    /// # Errors
    /// Something is missing, or can't be written.
    pub async fn finish(self, from: Option<&str>) -> Result<(), StoreError> {
        match self {
            Self::File(loader) => loader.finish(),
            Self::Shared(importer) => importer.finish(from).await.map(drop),
        }
    }
}

/// What was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sum {
    /// Conversations that have a row.
    pub conversations: u64,
    /// Records.
    pub records: u64,
    /// Rows of all tables, records included.
    pub rows: u64,
    /// SHA-256 of all records with their keys, and of all other rows.
    pub logs: Vec<u8>,
    others: Vec<u8>,
}

/// Counts and hashes entries. A mark that belongs to one database is no part of the company.
struct Summing {
    sum: Sum,
    table: String,
    logs: Context,
    others: Context,
}

impl Summing {
    fn new() -> Self {
        let hash = || Context::new(&SHA256);
        Self { sum: Sum::default(), table: String::new(), logs: hash(), others: hash() }
    }

    /// Whether the entry is a part of the company.
    fn add(&mut self, exported: &Exported) -> bool {
        match exported {
            Exported::Table(name) => {
                name.clone_into(&mut self.table);
                self.others.update(name.as_bytes());
            }
            Exported::Row(key, _) if self.table == "meta" && key == MOVED => return false,
            Exported::Row(key, value) => {
                self.sum.rows += 1;
                self.sum.conversations += u64::from(self.table == "rows");
                let is_record = self.table == "records";
                self.sum.records += u64::from(is_record);
                let hash = if is_record { &mut self.logs } else { &mut self.others };
                for part in [key, value] {
                    hash.update(&(part.len() as u64).to_be_bytes());
                    hash.update(part);
                }
            }
        }
        true
    }

    fn finish(self) -> Sum {
        let [logs, others] = [self.logs, self.others].map(|hash| hash.finish().as_ref().to_vec());
        Sum { logs, others, ..self.sum }
    }
}

/// Where a company is read from.
pub(super) enum Source {
    File(Arc<RedbStore>),
    Shared(Arc<RedisStore>),
}

impl Source {
    /// Reads everything, writes it to `target` if there is one, and says what it was. `dir`: for a temporary file.
    pub async fn read(&self, dir: &Path, mut target: Option<&mut Target>) -> anyhow::Result<Sum> {
        let mut sum = Summing::new();
        match self {
            Self::File(store) => {
                let snapshot = store.snapshot().await.context("cannot read the database")?;
                let (tx, mut rx) = mpsc::channel::<Vec<Exported>>(WAITING);
                let reading = tokio::task::spawn_blocking(move || {
                    let mut waiting = Vec::new();
                    let gone = |_| std::io::Error::from(std::io::ErrorKind::BrokenPipe);
                    snapshot.dump(|entry| {
                        waiting.extend(Exported::of(&entry));
                        if waiting.len() < TOGETHER {
                            return Ok(());
                        }
                        tx.blocking_send(std::mem::take(&mut waiting)).map_err(gone)
                    })?;
                    tx.blocking_send(waiting).map_err(gone).map_err(DumpError::Receiver)
                });
                while let Some(entries) = rx.recv().await {
                    pass(&entries, &mut sum, target.as_deref_mut()).await?;
                }
                reading.await.context("the reading thread ended")?.context("cannot read the database")?;
            }
            Self::Shared(store) => {
                let waiting = temporary(dir).context("cannot make a temporary file in the data directory")?;
                let mut export = store.export(&facts_of, waiting).await?;
                while let Some(entries) = export.next().await? {
                    pass(&entries, &mut sum, target.as_deref_mut()).await?;
                }
            }
        }
        Ok(sum.finish())
    }

    /// Closes it.
    pub async fn close(self) {
        use crate::store::Store as _;
        match self {
            Self::File(store) => store.close().await,
            Self::Shared(store) => store.close().await,
        }
    }
}

async fn pass(entries: &[Exported], sum: &mut Summing, mut target: Option<&mut Target>) -> Result<(), StoreError> {
    for exported in entries {
        if sum.add(exported)
            && let Some(target) = &mut target
        {
            target.entry(&exported.entry()).await?;
        }
    }
    Ok(())
}
