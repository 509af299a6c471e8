//! What servers that share a database count and remember together for a while: it expires and is in no backup.

use futures_util::future::BoxFuture;
use kefu_proto::ConvId;

use crate::StoreError;

/// A bucket of tokens, and how many are wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Take {
    /// Name of the bucket.
    pub name: Vec<u8>,
    /// Tokens wanted. More than it holds: all that it holds.
    pub cost: u32,
    /// Tokens it holds when it is full, as it is at first.
    pub holds: f64,
    /// Tokens added in a millisecond; more than 0.
    pub per_ms: f64,
}

/// See the module. Names are chosen by the callers; nothing secret belongs in them or in values.
pub trait Ephemeral: Send + Sync {
    /// Takes from all buckets or from none; else in how many ms all have enough.
    fn take(&self, takes: Vec<Take>) -> BoxFuture<'_, Result<Result<(), u64>, StoreError>>;

    /// What was put under a name.
    fn recall<'a>(&'a self, name: &'a [u8]) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>>;

    /// Puts a value, which is not empty, under a name for this time, unless something else than `before` is there.
    /// Returns whether it did; false may also mean that it did so when the answer got lost.
    fn replace<'a>(
        &'a self,
        name: &'a [u8],
        before: Option<&'a [u8]>,
        after: &'a [u8],
        for_ms: u64,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Whether nobody did this under the name within this time; as safe as a batch that is acknowledged.
    fn first<'a>(&'a self, name: &'a [u8], within_ms: u64) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Resolves if what was read of a conversation before is what others read, too, and not of a Redis that was the primary once.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] if fewer replicas than a batch needs confirm that they belong to this primary.
    fn confirm(&self, conv: ConvId) -> BoxFuture<'_, Result<(), StoreError>>;
}
