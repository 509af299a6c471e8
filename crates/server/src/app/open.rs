//! Opens what is in a data directory: the store, the key directory, the robot's keys, the widgets that were served.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context as _;
use futures_util::future::{FutureExt as _, ready};
use serde_json::{Value, json};

use super::{AdminError, ServeError};
use crate::{
    chat::{Chat, all_missed},
    config::Config,
    crypto::directory::Directory,
    data_dir,
    http::{self, admin::MissedCounter},
    org::{Commit, Org, Secrets, widgets::Widgets},
    robot::keys::{KeyPlaces, RobotKeys},
    store::{
        Feed, Store,
        redb::{Options, RedbStore},
        space::{self, Capacity, Measure},
    },
    telemetry::Metrics,
};

/// Free space that a start needs, bytes.
const NO_ROOM: u64 = 1024 * 1024;

/// Where the database of a data directory is.
pub fn database_path(dir: &Path, config: &Config) -> PathBuf {
    config.storage.redb_path().map_or_else(|| dir.join(data_dir::DATABASE), PathBuf::from)
}

pub(super) fn open_store(
    dir: &Path,
    config: &Config,
    metrics: Option<Arc<Metrics>>,
) -> Result<(Arc<RedbStore>, Feed), ServeError> {
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
        options.observer = Some(Arc::new(move |commit| {
            metrics.committed(commit.records);
            metrics.commit_latency.record(commit.took.as_micros() as u64);
        }));
        options.checkpoints = Some(Arc::new(move |checkpoint| {
            checkpoints.checkpoint.record(checkpoint.took.as_micros() as u64);
            checkpoints.checkpoint_bytes.add(checkpoint.bytes as u64);
        }));
    }
    RedbStore::open(&path, options).map_err(|source| {
        let full = space::capacity(disk).is_ok_and(|Capacity { free, .. }| free < NO_ROOM);
        ServeError::Database { path: path.clone(), source, full }
    })
}

/// What a data directory holds beside the database. A server without others needs no cluster key.
pub(super) fn secrets(dir: &Path) -> anyhow::Result<Secrets> {
    let path = dir.join(data_dir::OPAQUE_SETUP);
    let setup = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Secrets::of_one_server(&setup))
}

pub(super) async fn open_org(
    dir: &Path,
    config: &Config,
    store: Arc<dyn Store>,
    secrets: &Secrets,
    serves: bool,
) -> anyhow::Result<(Arc<Org>, Arc<RobotKeys>, Arc<Widgets>)> {
    let org = Org::open(store.clone(), secrets).await.context("the directory in the database can't be used")?;
    let named = |dir: &String| (!dir.is_empty()).then(|| PathBuf::from(dir));
    let keys = named(&config.robot.key_dir).unwrap_or_else(|| dir.join(data_dir::ROBOT));
    let places = KeyPlaces { dir: keys, day_dir: named(&config.robot.day_key_dir), serves };
    let robot_keys = Arc::new(RobotKeys::open(places, org.fp(), org.clock()));
    org.set_robot_keys(robot_keys.clone());
    let widgets = Widgets::load(&*store).await.context("cannot read the widgets that were served before")?;
    if let Some(widget) = http::assets::embedded_widget() {
        widgets.add(&*store, widget).await.context("cannot store the widget of this version")?;
    }
    Ok((org, robot_keys, Arc::new(widgets)))
}

/// State of the database and its disk, for `kefu stats` and `/metrics`.
pub(super) fn storage_of(store: Arc<RedbStore>) -> Box<dyn Fn() -> Value + Send + Sync> {
    Box::new(move || {
        let disk = store.disk();
        json!({
            "bytes": store.size_bytes(),
            "unsettled_bytes": store.unsettled().bytes,
            "state": disk.state,
            "free_bytes": disk.free,
            "total_bytes": disk.total,
            "reserve_bytes": disk.reserve,
        })
    })
}

/// Missed conversations, as a server counts them.
pub(super) fn missed_counted(chat: Arc<Chat>) -> MissedCounter {
    Box::new(move || ready(Ok(chat.missed())).boxed())
}

/// Missed conversations, where no server counts them.
pub(super) fn missed_in(store: Arc<dyn Store>, org: Arc<Org>) -> MissedCounter {
    Box::new(move || {
        let (store, org) = (store.clone(), org.clone());
        async move { Ok(all_missed(&*store, org.directory().state().teams.keys()).await?) }.boxed()
    })
}

/// The store of a data directory and its directory, for measurements that fill it. No server may run there.
pub async fn store_and_directory(dir: &Path, config: &Config) -> anyhow::Result<(Arc<dyn Store>, Arc<Directory>)> {
    let (store, _) = open_store(dir, config, None)?;
    let store: Arc<dyn Store> = store;
    let org = Org::open(store.clone(), &secrets(dir)?).await.context("the directory in the database can't be used")?;
    Ok((store, org.directory()))
}

/// Founds a company in the data directory, which already contains `opaque.setup`.
pub async fn found(dir: &Path, config: &Config, commit: Commit) -> Result<(), AdminError> {
    let founded = async {
        let secrets = secrets(dir)?;
        let (store, _) = open_store(dir, config, None)?;
        let store: Arc<dyn Store> = store;
        let outcome = Org::found(store.clone(), &secrets, commit).await;
        store.close().await;
        outcome.map_err(|e| ServeError::Other(e.into()))?;
        Ok(())
    };
    founded.await.map_err(AdminError::Open)
}
