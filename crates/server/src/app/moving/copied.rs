//! The copy that a move makes: written from the first row to the last, then brought up to date, and read back each time.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use tokio::task::spawn_blocking;

use super::{MoveError, rows::Rows};
use crate::{
    app::{
        copy::Target,
        shared_database::temporary,
        storage::{MOVED, open_redis, redis_options},
    },
    chat::facts_of,
    clock::now_ms,
    config::Config,
    proto::ConvId,
    store::{
        Digests, SCHEMA_VERSION, Store as _, StoreError,
        archive::{Entry, Header},
        redb::{CHANGED, DumpError, Incoming},
        redis::{Exported, Importer, Options as RedisOptions, RawDatabase, RedisStore},
    },
};

/// What was read of a company. A mark that belongs to one database is no part of it.
#[derive(Default)]
pub(super) struct Reading {
    pub digests: Digests,
    in_meta: bool,
    /// Conversations that the rows list as changed.
    pub changed: Vec<ConvId>,
    listed: bool,
}

impl Reading {
    /// Whether the entry is a part of the company.
    fn add(&mut self, entry: &Entry<'_>) -> bool {
        match *entry {
            Entry::Table(name) => {
                self.in_meta = name == "meta";
                self.listed = name == CHANGED;
            }
            Entry::Row(key, _) if self.in_meta && key == MOVED => return false,
            Entry::Row(key, _) if self.listed => self.changed.extend(ConvId::from_slice(key)),
            _ => {}
        }
        self.digests.entry(entry);
        true
    }

    /// Takes all rows.
    pub async fn look(&mut self, rows: Rows<'_>) -> Result<(), MoveError> {
        self.pass(rows, async |_| Ok(())).await
    }

    /// Takes all rows, and passes them to `write`.
    async fn pass(
        &mut self,
        mut rows: Rows<'_>,
        mut write: impl AsyncFnMut(&Entry<'_>) -> Result<(), StoreError>,
    ) -> Result<(), MoveError> {
        self.changed.clear();
        while let Some(entries) = rows.next().await? {
            for entry in entries.iter().map(Exported::entry) {
                if self.add(&entry) {
                    write(&entry).await?;
                }
            }
        }
        Ok(())
    }
}

/// A copy that is complete, and not yet where it will be served from.
pub(super) enum Copied {
    /// A file.
    File(Arc<Incoming>),
    /// In a Redis: for reading; for writing, while nobody writes; how.
    Shared(Arc<RedisStore>, Option<RawDatabase>, RedisOptions),
}

impl Copied {
    /// Writes all rows to the place that `config` names, `file` if it is a file. `from`: where they come from.
    pub async fn write(
        config: &Config,
        file: &Path,
        from: &str,
        rows: Rows<'_>,
        reading: &mut Reading,
    ) -> Result<Self, MoveError> {
        let header =
            Header { schema: SCHEMA_VERSION, created_ms: now_ms(), kefu: env!("CARGO_PKG_VERSION").to_owned() };
        let mut target = Target::begin(file, config, &header).await?;
        reading.pass(rows, async |entry| target.entry(entry).await).await?;
        match target {
            Target::File(loader) => {
                loader.finish()?;
                Ok(Self::File(Arc::new(Incoming::open(file)?)))
            }
            Target::Shared(importer) => {
                let raw = importer.finish(Some(from)).await?;
                let options = RedisOptions { arriving: true, ..redis_options(&config.storage) };
                let store = open_redis(&config.storage, options.clone()).await?.0;
                Ok(Self::Shared(store, Some(raw), options))
            }
        }
    }

    /// Brings it up to date.
    pub async fn patch(&mut self, rows: Rows<'_>, reading: &mut Reading) -> Result<(), MoveError> {
        match self {
            Self::File(incoming) => {
                let mut patch = incoming.patch(&facts_of)?;
                reading.pass(rows, async |entry| patch.entry(entry)).await?;
                Ok(patch.finish()?)
            }
            Self::Shared(_, raw, options) => {
                // it is missing only after a patch that failed, and then no other follows
                let database = raw.take().ok_or(StoreError::Closed)?;
                let mut importer = Importer::patch(database, options.clone(), &facts_of);
                reading.pass(rows, async |entry| importer.entry(entry).await).await?;
                *raw = Some(importer.finish_patch().await?);
                Ok(())
            }
        }
    }

    /// What it is: all of it, or these conversations and the tables of the company. `dir`: for a temporary file.
    pub async fn read(&self, dir: &Path, convs: Option<&[ConvId]>) -> Result<Digests, MoveError> {
        let mut reading = Reading::default();
        match self {
            Self::File(incoming) => {
                let (incoming, convs) = (incoming.clone(), convs.map(<[_]>::to_vec));
                let read = spawn_blocking(move || {
                    let snapshot = incoming.snapshot()?;
                    let mut add = |entry: Entry<'_>| {
                        reading.add(&entry);
                        Ok(())
                    };
                    match convs {
                        Some(convs) => snapshot.dump_changes(&convs.into_iter().collect(), &facts_of, &mut add)?,
                        None => snapshot.dump(&mut add)?,
                    }
                    Ok::<_, DumpError>(reading.digests)
                });
                let read = read.await.context("the reading thread ended")?;
                Ok(read.context("cannot read the copy")?)
            }
            Self::Shared(store, ..) => {
                let waiting = temporary(dir).context("cannot make a temporary file in the data directory")?;
                let export = match convs {
                    Some(convs) => store.export_these(&facts_of, waiting, convs.to_vec()),
                    None => store.export(&facts_of, waiting).await?,
                };
                reading.look(Rows::Shared(Box::new(export))).await?;
                Ok(reading.digests)
            }
        }
    }

    /// The store, if it is in a Redis.
    pub fn shared(&self) -> Option<&Arc<RedisStore>> {
        match self {
            Self::File(_) => None,
            Self::Shared(store, ..) => Some(store),
        }
    }

    /// Closes it.
    pub async fn close(self) {
        if let Self::Shared(store, ..) = self {
            store.close().await;
        }
    }
}
