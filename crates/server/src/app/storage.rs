//! Where a company is stored: a file of this server, or a Redis or Valkey that several servers share.

use std::{fs, path::Path, path::PathBuf, sync::Arc};

use anyhow::{Context as _, anyhow};
use kefu_redis_link::{
    Error, Link, Options as LinkOptions, Password, Url,
    checks::{Finding, Needs, accept},
};
use serde_json::{Value, json};

use super::ServeError;
use crate::{
    config::{Config, Storage as Settings},
    data_dir,
    store::{
        Feed, GroupCommit, Observer, Store, StoreError, Table,
        redb::{Checkpoint, Options, RedbStore},
        redis::{Options as RedisOptions, RedisStore},
        space::{self, Capacity, Measure},
    },
    telemetry::Metrics,
};

/// Free space that a start needs, bytes.
const NO_ROOM: u64 = 1024 * 1024;

/// What a company is stored in.
#[derive(Clone)]
pub(super) enum Backend {
    /// A file of this server.
    File(Arc<RedbStore>),
    /// Something that other servers may use, too.
    Shared(Arc<RedisStore>, Link),
}

/// Whether an empty database may become a new company's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IfEmpty {
    /// It may.
    Create,
    /// It is a mistake. (A file without anything in it is no mistake.)
    Refuse,
}

impl Backend {
    /// The store.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::File(store) => store.clone(),
            Self::Shared(store, _) => store.clone(),
        }
    }

    /// What several servers share, if it is that.
    pub fn redis(&self) -> Option<&Arc<RedisStore>> {
        match self {
            Self::File(_) => None,
            Self::Shared(store, _) => Some(store),
        }
    }

    /// The file, if it is one.
    pub fn file(&self) -> Option<&Arc<RedbStore>> {
        match self {
            Self::File(store) => Some(store),
            Self::Shared(..) => None,
        }
    }

    /// Why it stopped by itself, if it did.
    pub fn failure(&self) -> Option<StoreError> {
        self.file().and_then(|store| store.failure())
    }

    /// Its state and that of its disk, for `kefu stats` and `/metrics`.
    pub fn report(&self) -> Value {
        match self {
            Self::File(store) => {
                let disk = store.disk();
                json!({
                    "bytes": store.size_bytes(),
                    "unsettled_bytes": store.unsettled().bytes,
                    "state": disk.state,
                    "free_bytes": disk.free,
                    "total_bytes": disk.total,
                    "reserve_bytes": disk.reserve,
                })
            }
            Self::Shared(store, link) => json!({
                "bytes": store.size_bytes(),
                "state": store.space(),
                "redis": link.url().to_string(),
                "shards": link.map().shards().len(),
                "ack_replicas": store.ack_replicas(),
            }),
        }
    }
}

/// Where the database of a data directory is, if it is a file.
pub fn database_path(dir: &Path, config: &Config) -> PathBuf {
    config.storage.redb_path().map_or_else(|| dir.join(data_dir::DATABASE), PathBuf::from)
}

/// Opens what the configuration names.
pub(super) async fn open_storage(
    dir: &Path,
    config: &Config,
    metrics: Option<Arc<Metrics>>,
    empty: IfEmpty,
) -> Result<(Backend, Feed), ServeError> {
    if config.storage.is_shared() {
        let observer = metrics.map(commits);
        let create = empty == IfEmpty::Create;
        let options = RedisOptions { create, observer, ..redis_options(&config.storage) };
        let (store, link, feed) = open_redis(&config.storage, options).await.map_err(ServeError::Redis)?;
        return Ok((Backend::Shared(store, link), feed));
    }
    let (store, feed) = open_file(dir, config, metrics)?;
    if let Some(to) = moved_to(&store)? {
        store.close().await;
        return Err(ServeError::Moved { path: database_path(dir, config), to });
    }
    Ok((Backend::File(store), feed))
}

/// Key in [`Table::Meta`] of a file whose company is somewhere else now: where.
pub(super) const MOVED: &[u8] = b"moved";

/// Where the company of a file is now, if it was moved away.
pub(super) fn moved_to(store: &RedbStore) -> Result<Option<String>, ServeError> {
    let to = store.get(Table::Meta, MOVED).map_err(|e| ServeError::Other(e.into()))?;
    Ok(to.map(|to| String::from_utf8_lossy(&to).into_owned()))
}

fn open_file(dir: &Path, config: &Config, metrics: Option<Arc<Metrics>>) -> Result<(Arc<RedbStore>, Feed), ServeError> {
    let path = database_path(dir, config);
    let disk = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut options = Options {
        cache_bytes: config.storage.cache_mb as usize * 1024 * 1024,
        measure: Some(Measure::of(disk)),
        reserve_mb: config.storage.reserve_mb,
        ..Options::default()
    };
    if let Some(metrics) = metrics {
        let checkpoints = Arc::clone(&metrics);
        options.observer = Some(commits(metrics));
        options.checkpoints = Some(Observer::new(move |checkpoint: Checkpoint| {
            checkpoints.checkpoint.record(checkpoint.took.as_micros() as u64);
            checkpoints.checkpoint_bytes.add(checkpoint.bytes as u64);
        }));
    }
    RedbStore::open(&path, options).map_err(|source| {
        let full = space::capacity(disk).is_ok_and(|Capacity { free, .. }| free < NO_ROOM);
        ServeError::Database { path: path.clone(), source, full }
    })
}

/// Counts what is stored.
fn commits(metrics: Arc<Metrics>) -> Observer<GroupCommit> {
    Observer::new(move |commit: GroupCommit| {
        metrics.committed(commit.records);
        metrics.commit_latency.record(commit.took.as_micros() as u64);
    })
}

async fn connect(settings: &Settings) -> anyhow::Result<(Url, Link)> {
    let url: Url = settings.url.parse().context("kefu.toml: storage.url")?;
    let options = LinkOptions {
        password: password(&settings.password_file, "the password of Redis")?,
        sentinel_password: password(&settings.sentinel_password_file, "the password of the Sentinels")?,
        ca: authorities(settings)?,
        ..LinkOptions::default()
    };
    let link = Link::connect(&url, options).await.with_context(|| format!("cannot use {url}"))?;
    Ok((url, link))
}

fn needs(settings: &Settings) -> Needs {
    Needs { replicas: settings.ack_replicas as usize, unchecked: settings.unchecked }
}

/// What in the settings of the servers, or in their state, can lose what was acknowledged.
///
/// # Errors
/// If they can't be reached.
pub async fn examine_redis(settings: &Settings) -> anyhow::Result<Vec<Finding>> {
    let (_, link) = connect(settings).await?;
    Ok(link.check(&needs(settings)).await)
}

/// Connects, and looks whether the servers' settings keep what is acknowledged.
pub(super) async fn connect_redis(settings: &Settings) -> anyhow::Result<Link> {
    let (url, link) = connect(settings).await?;
    match accept(link.check(&needs(settings)).await) {
        Ok(warnings) => warnings.iter().for_each(|w| tracing::warn!(code = w.code, "{}", w.sentence)),
        Err(Error::Unsafe(findings)) => {
            let all: Vec<_> = findings.iter().map(|f| format!("\n  {}", f.sentence)).collect();
            return Err(anyhow!("{url} would lose messages that kefu acknowledged:{}", all.concat()));
        }
        Err(e) => return Err(e).with_context(|| format!("cannot use {url}")),
    }
    Ok(link)
}

/// How to use it, by the settings.
pub(super) fn redis_options(settings: &Settings) -> RedisOptions {
    let Settings { prefix, ack_replicas, unchecked, .. } = settings;
    RedisOptions {
        prefix: prefix.clone(),
        ack_replicas: *ack_replicas,
        unchecked: *unchecked,
        ..RedisOptions::default()
    }
}

/// Connects and opens.
pub(super) async fn open_redis(
    settings: &Settings,
    options: RedisOptions,
) -> anyhow::Result<(Arc<RedisStore>, Link, Feed)> {
    let link = connect_redis(settings).await?;
    let (store, feed) = RedisStore::open(link.clone(), options)
        .await
        .with_context(|| format!("cannot open the database in {}", link.url()))?;
    Ok((store, link, feed))
}

/// The password in a file, which is `what`.
fn password(file: &str, what: &str) -> anyhow::Result<Option<Password>> {
    if file.is_empty() {
        return Ok(None);
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}, {what}"))?;
    Ok(Some(Password::new(&text)))
}

fn authorities(settings: &Settings) -> anyhow::Result<Option<Vec<u8>>> {
    if settings.ca.is_empty() {
        return Ok(None);
    }
    let pem = fs::read(&settings.ca)
        .with_context(|| format!("cannot read {}, the certificates to trust for Redis", settings.ca))?;
    Ok(Some(pem))
}
