//! What servers share of the robot, when the company moves: it is beside the tables that are copied.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;

use super::{
    super::open::{robot_keys_of, secrets},
    KNOWLEDGE, SIGNING_KEY, SharedRobot,
};
use crate::{
    config::Config,
    org::Org,
    store::{StoreError, redis::RedisStore},
};

/// From one Redis to another, as it is sealed.
pub(in crate::app) async fn carry(from: &RedisStore, to: &RedisStore) -> Result<(), StoreError> {
    for name in [SIGNING_KEY, KNOWLEDGE] {
        if let Some(value) = from.sealed(name).await?.and_then(|sealed| sealed.value) {
            to.replace_sealed(name, None, Some(&value)).await?;
        }
    }
    Ok(())
}

/// From Redis to the files of the server that will be alone.
pub(in crate::app) async fn to_files(store: &Arc<RedisStore>, dir: &Path, config: &Config) -> anyhow::Result<()> {
    if store.sealed_versions(&[SIGNING_KEY, KNOWLEDGE]).await?.iter().all(Option::is_none) {
        return Ok(());
    }
    let robot = opened(store, dir, config).await?;
    robot.key.write_here().context("the robot's key")?;
    robot.knowledge.fetch_now().await.context("what the robot was taught")
}

/// From the files of a server that was alone to Redis, before another server comes with older ones.
pub(in crate::app) async fn to_servers(store: &Arc<RedisStore>, dir: &Path, config: &Config) -> anyhow::Result<()> {
    // its signing key is shared by opening
    let robot = opened(store, dir, config).await?;
    robot.knowledge.fetch_now().await.context("what the robot was taught")
}

async fn opened(store: &Arc<RedisStore>, dir: &Path, config: &Config) -> anyhow::Result<Arc<SharedRobot>> {
    let secrets = secrets(dir, config)?;
    let org = Org::open(store.clone(), &secrets).await.context("the directory in the database can't be used")?;
    let keys = robot_keys_of(dir, config, &org, false);
    SharedRobot::begin(store, &secrets, dir, &org, &keys).await.context("the robot's key")
}
