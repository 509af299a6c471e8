//! What the handle does for those who hold it.

use futures_util::future::{BoxFuture, FutureExt};
use kefu_proto::{ConvId, Generation, Kid, StorageState, TeamId};

use super::RedisStore;
use crate::{Batch, Ephemeral, Head, Pair, Place, Reading, Reply, Store, StoreError, StoredRecord, Table};

impl Store for RedisStore {
    fn try_submit(&self, batch: Batch, reply: Reply) -> Result<(), (StoreError, Batch, Reply)> {
        self.shared.queues.push(batch, reply)
    }

    fn wait_for_capacity(&self) -> BoxFuture<'_, ()> {
        self.shared.queues.wait_for_capacity().boxed()
    }

    fn get<'a>(&'a self, table: Table, key: &'a [u8]) -> Reading<'a, Option<Vec<u8>>> {
        self.shared.get(table, key).boxed()
    }

    fn scan<'a>(
        &'a self,
        table: Table,
        prefix: &'a [u8],
        after: Option<&'a [u8]>,
        descending: bool,
        limit: usize,
    ) -> Reading<'a, Vec<Pair>> {
        self.shared.scan(table, prefix, after, descending, limit).boxed()
    }

    fn head(&self, conv: ConvId) -> Reading<'_, Option<Head>> {
        async move { Ok(self.shared.heads(&[conv]).await?.pop().flatten()) }.boxed()
    }

    fn follow(&self, conv: ConvId) -> Reading<'_, Option<Head>> {
        self.shared.follow(conv).boxed()
    }

    fn unfollow(&self, conv: ConvId) {
        self.shared.unfollow(conv);
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn ephemeral(&self) -> Option<&dyn Ephemeral> {
        Some(self)
    }

    fn heads(&self, convs: Vec<ConvId>) -> Reading<'_, Vec<Option<Head>>> {
        async move { self.shared.heads(&convs).await }.boxed()
    }

    fn page(&self, conv: ConvId, after: u64, limit: usize, bytes: usize) -> Reading<'_, Vec<StoredRecord>> {
        self.shared.page(conv, after, limit, bytes).boxed()
    }

    fn open_conversations(&self) -> Reading<'_, Vec<ConvId>> {
        self.shared.open_conversations().boxed()
    }

    fn of_visitor(&self, visitor: Kid, limit: usize) -> Reading<'_, Vec<ConvId>> {
        self.shared.of_visitor(visitor, limit).boxed()
    }

    fn listed<'a>(&'a self, teams: &'a [TeamId], before: Option<Place>, limit: usize) -> Reading<'a, Vec<Place>> {
        self.shared.listed(teams, before, limit).boxed()
    }

    fn begun_by(&self, at_ms: u64, after: Option<Place>, limit: usize) -> Reading<'_, Vec<Place>> {
        self.shared.begun_by(at_ms, after, limit).boxed()
    }

    fn missed<'a>(&'a self, team: &'a TeamId, before: Option<Place>, limit: usize) -> Reading<'a, Vec<Place>> {
        self.shared.missed(team, before, limit).boxed()
    }

    fn count_missed<'a>(&'a self, team: &'a TeamId, limit: usize) -> Reading<'a, (usize, Option<u64>)> {
        self.shared.count_missed(team, limit).boxed()
    }

    /// Of all lanes together. It rises while the store is open when another process of Redis answers for one of them.
    fn generation(&self) -> Generation {
        self.shared.lanes.all()
    }

    /// Memory that the primaries use, as last read.
    fn size_bytes(&self) -> u64 {
        self.shared.memory.used()
    }

    fn space(&self) -> StorageState {
        if self.shared.queues.all_down() { StorageState::Full } else { self.shared.memory.now().state }
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.end().boxed()
    }
}
