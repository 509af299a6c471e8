//! The bucket that files are in: by the settings, and what the doctor sees of it.

use std::fs;

use anyhow::{Context as _, anyhow};
use kefu_s3::{Bucket, Endpoint, Key, Place, S3Error};

use crate::{
    blobs::BlobsRestored,
    config::Storage,
    crypto::{codec, sign::random},
};

/// Clocks that differ by more are set wrong, seconds. Signatures are good for 15 minutes.
const SKEW_S: u64 = 60;

/// The bucket that the settings name, if they name one. Connects to nothing.
pub(super) fn bucket(settings: &Storage) -> anyhow::Result<Option<Bucket>> {
    let Some(url) = settings.bucket() else { return Ok(None) };
    let place: Place = url.parse().map_err(|e| anyhow!("kefu.toml: storage.blobs: {url:?}: {e}"))?;
    let ca = settings.bucket_ca().map(|file| {
        fs::read(file).with_context(|| format!("cannot read {file}, the certificates to trust for the store of files"))
    });
    let endpoint = Endpoint::new(&settings.s3_endpoint, ca.transpose()?.as_deref())
        .context("kefu.toml: storage.s3_endpoint can't be used")?;
    let file = &settings.s3_key_file;
    let text =
        fs::read_to_string(file).with_context(|| format!("cannot read {file}, the key of the store of files"))?;
    let key = Key::parse(&text).with_context(|| format!("{file} can't be used"))?;
    Ok(Some(Bucket::new(endpoint, place, settings.s3_region.clone(), key)))
}

/// What there is to say of a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketReport {
    /// Where it is.
    pub place: String,
    /// By how many seconds the clocks differ, if that is too much.
    pub skew_s: Option<i64>,
}

/// Lists, writes, reads and deletes in the bucket that the settings name; none if they name none. An object is made for it, and
/// removed again.
///
/// # Errors
/// One of these can't be done.
pub async fn examine_bucket(settings: &Storage) -> anyhow::Result<Option<BucketReport>> {
    let Some(bucket) = bucket(settings)? else { return Ok(None) };
    let place = format!("{} at {}", bucket.place(), bucket.endpoint());
    let probed = probe(&bucket).await.with_context(|| format!("{place} can't be used"));
    let ahead = probed?;
    Ok(Some(BucketReport { place, skew_s: ahead.filter(|s| s.unsigned_abs() > SKEW_S) }))
}

async fn probe(bucket: &Bucket) -> Result<Option<i64>, S3Error> {
    let (key, content) = (format!("probe-{}", codec::b64u(&random::<9>())), "written by kefu doctor");
    bucket.list("files/", None, None).await?;
    bucket.put(&key, content.into()).await?;
    let read = bucket.get(&key, content.len()).await;
    let deleted = bucket.delete(&key).await;
    if read? != content {
        let what = "an object was stored and another one read".to_owned();
        return Err(S3Error::Odd { endpoint: bucket.endpoint().to_string(), what });
    }
    deleted?;
    bucket.clock_ahead_s().await
}

/// Where a restore writes the files that people sent: none if the settings name no bucket.
///
/// # Errors
/// The settings can't be used.
pub fn bucket_to_restore(settings: &Storage) -> anyhow::Result<Option<BlobsRestored>> {
    Ok(bucket(settings)?.map(BlobsRestored::new))
}
