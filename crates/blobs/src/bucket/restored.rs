//! Files of a backup, written to a bucket. Run again, it writes the same objects.

use bytes::BytesMut;
use kefu_s3::Bucket;

use super::{BlobError, BlobId, Meta, PART, keys};

/// Writes one file after the other, as posted blobs.
pub struct BlobsRestored {
    bucket: Bucket,
    open: Option<Open>,
}

struct Open {
    id: BlobId,
    /// What is not a whole part yet.
    rest: BytesMut,
    size: u64,
}

impl BlobsRestored {
    /// To this bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket, open: None }
    }

    /// Begins a file; the one before is finished. `name`: its path in a directory of blobs.
    ///
    /// # Errors
    /// No file has that name; or the store's.
    pub async fn begin(&mut self, name: &str) -> Result<(), BlobError> {
        self.finish().await?;
        let mut ids = name.split('/').skip(1);
        let id = (|| Some(BlobId { conv: ids.next()?.parse().ok()?, msg: ids.next()?.parse().ok()? }))();
        self.open = Some(Open { id: id.ok_or(BlobError::NotFound)?, rest: BytesMut::new(), size: 0 });
        Ok(())
    }

    /// Adds to the file that was begun, if one was.
    ///
    /// # Errors
    /// The store's.
    pub async fn add(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.rest.extend_from_slice(bytes);
        while open.rest.len() as u64 >= PART {
            let part = open.rest.split_to(PART as usize);
            self.bucket.put(&keys::part(open.id, open.size / PART), part.freeze()).await?;
            open.size += PART;
        }
        Ok(())
    }

    /// Finishes the last file.
    ///
    /// # Errors
    /// The store's.
    pub async fn finish(&mut self) -> Result<(), BlobError> {
        let Some(Open { id, rest, size }) = self.open.take() else { return Ok(()) };
        let meta = Meta { size: size + rest.len() as u64 };
        if !rest.is_empty() {
            self.bucket.put(&keys::part(id, size / PART), rest.freeze()).await?;
        }
        let text = serde_json::to_vec(&meta).map_err(|e| BlobError::Io(e.to_string()))?;
        Ok(self.bucket.put(&keys::meta(id), text.into()).await?)
    }
}
