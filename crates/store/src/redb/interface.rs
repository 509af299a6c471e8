//! What the handle does for those who hold it: batches go to the queue; reads answer at once if memory knows, and go to a
//! thread that may wait for the disk if not.

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::{
    RedbStore, migrate, open,
    read::{Get, HeadOf, Question, Records, Scan, View},
    wal::files::bytes_in,
};
use crate::{Batch, Head, Pair, Reading, Reply, Store, StoreError, StoredRecord, Table};
use kefu_proto::{ConvId, Generation, StorageState};

impl RedbStore {
    /// Answers without blocking the runtime.
    fn ask<Q>(&self, mut question: Q) -> Reading<'_, Q::Answer>
    where
        Q: Question + Send + 'static,
        Q::Answer: Send,
    {
        async move {
            match self.shared.view.ask_memory(&mut question) {
                Some(known) => known,
                None => self.aside(move |view| view.ask(&mut question)).await,
            }
        }
        .boxed()
    }

    /// Reads on a thread that may wait for the disk.
    async fn aside<T: Send + 'static>(
        &self,
        read: impl FnOnce(&View) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let read = tokio::task::spawn_blocking(move || read(&shared.view)).await;
        // an error means that the runtime is stopping, or a bug that it reported
        read.unwrap_or(Err(StoreError::Closed))
    }

    /// [`Store::get`] for a thread that may wait for the disk; so are the others.
    pub fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.view.ask(&mut Get { table, key: key.to_vec() })
    }

    /// [`Store::scan`].
    pub fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        descending: bool,
        limit: usize,
    ) -> Result<Vec<Pair>, StoreError> {
        self.shared.view.ask(&mut Scan::new(table, prefix, after, descending, limit))
    }

    /// [`Store::head`].
    pub fn head(&self, conv: ConvId) -> Result<Option<Head>, StoreError> {
        self.shared.view.ask(&mut HeadOf::new(conv))
    }

    /// [`Store::records`].
    pub fn records(&self, conv: ConvId, after: u64, limit: usize) -> Result<Vec<StoredRecord>, StoreError> {
        self.shared.view.ask(&mut Records::new(conv, after, limit, usize::MAX))
    }
}

impl Store for RedbStore {
    fn try_submit(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)> {
        let refuses = self.space() == StorageState::Full || self.shared.changes.is_held();
        if refuses && !self.queue.is_closed() {
            return Err((StoreError::Unwritable, batch, reply));
        }
        self.queue.push(batch, reply)
    }

    fn wait_for_capacity(&self) -> BoxFuture<'_, ()> {
        self.queue.wait_for_capacity().boxed()
    }

    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> Reading<'a, Option<Vec<u8>>> {
        self.ask(Get { table, key: key.to_vec() })
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        descending: bool,
        limit: usize,
    ) -> Reading<'a, Vec<Pair>> {
        self.ask(Scan::new(table, prefix, after, descending, limit))
    }

    fn head(&self, conv: ConvId) -> Reading<'_, Option<Head>> {
        self.ask(HeadOf::new(conv))
    }

    fn heads(&self, convs: Vec<ConvId>) -> Reading<'_, Vec<Option<Head>>> {
        let read = move |view: &View| convs.into_iter().map(|conv| view.ask(&mut HeadOf::new(conv))).collect();
        self.aside(read).boxed()
    }

    fn page(&self, conv: ConvId, after: u64, limit: usize, bytes: usize) -> Reading<'_, Vec<StoredRecord>> {
        self.ask(Records::new(conv, after, limit, bytes))
    }

    fn generation(&self) -> Generation {
        self.generation
    }

    /// 0 for a store without files.
    fn size_bytes(&self) -> u64 {
        let Some(path) = &self.path else { return 0 };
        let database = std::fs::metadata(path).map_or(0, |file| file.len());
        database + bytes_in(&migrate::beside(path, open::LOG))
    }

    fn space(&self) -> StorageState {
        self.shared.space.state()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        let mut ended = self.ended.clone();
        async move {
            self.queue.close();
            // an error means that the sender is gone, which is the end, too
            drop(ended.wait_for(|ended| *ended).await);
        }
        .boxed()
    }
}
