//! Counts what a bucket has, for quotas and statistics: other servers add and remove, too.

use std::{sync::Weak, time::Duration};

use super::{Inner, keys};
use crate::BlobError;

/// After a count that failed.
const AGAIN: Duration = Duration::from_mins(1);

/// Counts at once and every `pause`, until the server is gone.
pub(super) async fn keep_counting(server: Weak<Inner>, pause: Duration) {
    let mut failed = false;
    loop {
        let Some(inner) = server.upgrade() else { return };
        let counted = inner.count().await;
        drop(inner);
        match &counted {
            Err(e) if !failed => {
                tracing::warn!(error = %e, "the store of files can't be used: nobody can send or read files until it can");
            }
            Ok(()) if failed => tracing::info!("the store of files can be used again"),
            _ => {}
        }
        failed = counted.is_err();
        tokio::time::sleep(if failed { AGAIN } else { pause }).await;
    }
}

impl Inner {
    async fn count(&self) -> Result<(), BlobError> {
        let then = self.memory.usage();
        let (mut count, mut bytes, mut last) = (0_u64, 0_u64, None);
        self.each(keys::FILES, None, &mut |object| {
            if let Some((id, piece)) = keys::piece_of(&object.key) {
                count += u64::from(last.replace(id) != Some(id));
                bytes += if piece == keys::Piece::Meta { 0 } else { object.size };
            }
            true
        })
        .await?;
        self.memory.set_usage((count, bytes), then);
        Ok(())
    }
}
