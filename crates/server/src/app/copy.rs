//! Writing a whole company to where none is: the end of a restore, and the first part of a move.

use std::path::Path;

use kefu_redis_link::Link;

use super::storage::{connect_redis, redis_options};
use crate::{
    chat::facts_of,
    config::Config,
    store::{
        StoreError,
        archive::{Entry, Header},
        redb::Loader,
        redis::{Found, Importer, RawDatabase},
    },
};

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
