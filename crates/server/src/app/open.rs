//! Opens what is in a data directory: the store, the key directory, the robot's keys, the widgets that were served.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use futures_util::future::{FutureExt as _, ready};

use super::{
    AdminError, ServeError,
    bucket::bucket,
    storage::{Backend, IfEmpty, open_storage},
};
use crate::{
    blobs::{BlobBucket, BlobDirectory, Blobs},
    chat::{Chat, all_missed},
    config::Config,
    crypto::{cluster_key::ClusterKey, directory::Directory},
    data_dir, files,
    http::{self, admin::MissedCounter},
    org::{Commit, Org, Secrets, widgets::Widgets},
    robot::keys::{KeyPlaces, RobotKeys},
    store::Store,
};

/// How often what is in a bucket is counted.
const RECOUNT: Duration = Duration::from_hours(1);

/// What a data directory holds beside the database. Only servers that share a database need the cluster key.
pub(super) fn secrets(dir: &Path, config: &Config) -> anyhow::Result<Secrets> {
    let path = dir.join(data_dir::OPAQUE_SETUP);
    let setup = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    if !config.storage.is_shared() {
        return Ok(Secrets::of_one_server(&setup));
    }
    let path = dir.join(data_dir::CLUSTER_KEY);
    let text = fs::read_to_string(&path).with_context(|| {
        format!("cannot read {}: copy it from the data directory of another server of this company", path.display())
    })?;
    let cluster_key = ClusterKey::parse(&text)
        .with_context(|| format!("{} is no cluster key: copy it again from another server", path.display()))?;
    Ok(Secrets { opaque_setup: setup.into(), cluster_key })
}

/// Makes the cluster key of a company that begins in a shared database, unless it is there. Whether it did.
///
/// # Errors
/// The file can't be written.
pub fn make_cluster_key(dir: &Path) -> anyhow::Result<bool> {
    let path = dir.join(data_dir::CLUSTER_KEY);
    let text = format!("{}\n", *ClusterKey::generate().to_text());
    match files::write_new(&path, 0o600, text.as_bytes()) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        written => written.map(|()| true).with_context(|| format!("cannot write {}", path.display())),
    }
}

pub(super) async fn open_org(
    dir: &Path,
    config: &Config,
    store: Arc<dyn Store>,
    secrets: &Secrets,
    serves: bool,
) -> anyhow::Result<(Arc<Org>, Arc<RobotKeys>, Arc<Widgets>)> {
    let org = Org::open(store.clone(), secrets).await.context("the directory in the database can't be used")?;
    let robot_keys = robot_keys_of(dir, config, &org, serves);
    org.set_robot_keys(robot_keys.clone());
    let widgets = Widgets::load(store.clone()).await.context("cannot read the widgets that were served before")?;
    if let Some(widget) = http::assets::embedded_widget() {
        widgets.add(widget).await.context("cannot store the widget of this version")?;
    }
    Ok((org, robot_keys, Arc::new(widgets)))
}

/// The robot's keys of a data directory.
pub(super) fn robot_keys_of(dir: &Path, config: &Config, org: &Org, serves: bool) -> Arc<RobotKeys> {
    let named = |dir: &String| (!dir.is_empty()).then(|| PathBuf::from(dir));
    let (shared, day_dir) = (config.storage.is_shared(), named(&config.robot.day_key_dir));
    let dir = named(&config.robot.key_dir).unwrap_or_else(|| dir.join(data_dir::ROBOT));
    Arc::new(RobotKeys::open(KeyPlaces { dir, day_dir, serves, shared }, org.fp(), org.clock()))
}

/// The files of a server, if it can have any: those that share a database have no directory in common, but may have a bucket.
pub(super) fn open_blobs(dir: &Path, config: &Config, backend: &Backend) -> anyhow::Result<Option<Arc<dyn Blobs>>> {
    if let Some(bucket) = bucket(&config.storage)? {
        return Ok(Some(Arc::new(BlobBucket::open(bucket, RECOUNT))));
    }
    if backend.file().is_none() {
        return Ok(None);
    }
    let path = blobs_path(dir, config);
    let blobs =
        BlobDirectory::open(&path).with_context(|| format!("cannot use {}, the directory of files", path.display()))?;
    Ok(Some(Arc::new(blobs)))
}

/// The same where no server runs: uploads are left alone.
pub(super) fn blobs_to_read(dir: &Path, config: &Config, backend: &Backend) -> anyhow::Result<Option<Arc<dyn Blobs>>> {
    if let Some(bucket) = bucket(&config.storage)? {
        return Ok(Some(Arc::new(BlobBucket::open_to_read(bucket))));
    }
    Ok(backend.file().map(|_| Arc::new(BlobDirectory::open_to_read(&blobs_path(dir, config))) as Arc<dyn Blobs>))
}

/// The directory of the files that people send, if they are not in a bucket.
pub fn blobs_path(dir: &Path, config: &Config) -> PathBuf {
    match config.storage.blobs.as_str() {
        "" => dir.join(data_dir::BLOBS),
        path => PathBuf::from(path),
    }
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
    let (storage, _) = open_storage(dir, config, None, IfEmpty::Refuse).await?;
    let store = storage.store();
    let org = Org::open(store.clone(), &secrets(dir, config)?)
        .await
        .context("the directory in the database can't be used")?;
    Ok((store, org.directory()))
}

/// Founds a company in the data directory, which already contains `opaque.setup`.
pub async fn found(dir: &Path, config: &Config, commit: Commit) -> Result<(), AdminError> {
    let founded = async {
        if config.storage.is_shared() {
            make_cluster_key(dir)?;
        }
        let secrets = secrets(dir, config)?;
        let (storage, _) = open_storage(dir, config, None, IfEmpty::Create).await?;
        let store = storage.store();
        let outcome = Org::found(store.clone(), &secrets, commit).await;
        store.close().await;
        outcome.map_err(|e| ServeError::Other(e.into()))?;
        Ok(())
    };
    founded.await.map_err(AdminError::Open)
}
