//! Pages of the past.

use bytes::Bytes;

use crate::proto::ConvId;

use super::{Chat, Reader, RequestError};

/// Maximum number of records in one page.
pub const HISTORY_RECORDS: usize = 500;

/// Bytes after which a page ends early: with the record that reaches them.
const HISTORY_BYTES: usize = 1024 * 1024;

impl Chat {
    /// Up to `limit` records after `after`.
    pub async fn history(
        &self,
        reader: Reader<'_>,
        conv: ConvId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<Bytes>, RequestError> {
        let shared = self.cache.require(conv).await?;
        let (visitor, own) = {
            let conversation = shared.lock();
            (conversation.visitor, self.sees(reader.who, &conversation))
        };
        if !own && !self.may_read(reader.who, conv).await? {
            return Err(RequestError::not_found());
        }
        let records = self.store.page(conv, after, limit.min(HISTORY_RECORDS), HISTORY_BYTES).await?;
        self.shown_all(reader, conv, visitor, records).await
    }
}
