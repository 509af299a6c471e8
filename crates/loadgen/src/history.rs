//! Reading a conversation page by page over HTTP.

use kefu_client::http::Connection;
use kefu_proto::{ConvId, REVISION};

use crate::error::LoadError;

/// Records in a page, at most.
pub(crate) const PAGE: usize = 500;

/// The records after `after`, each given to `record`; returns how many there were.
pub(crate) async fn page(
    http: &mut Connection,
    token: &str,
    conv: ConvId,
    after: u64,
    mut record: impl FnMut(&[u8]),
) -> Result<usize, LoadError> {
    let path = format!("/api/v1/conversations/{conv}/records?after={after}&limit={PAGE}&rev={REVISION}");
    let (status, body) = http.get(&path, Some(token)).await?;
    if status != 200 {
        return Err(LoadError::Status { what: "a page of a conversation", status });
    }
    let (mut rest, mut records) = (&body[..], 0);
    while let Some((length, more)) = rest.split_first_chunk::<4>() {
        let Some((bytes, more)) = more.split_at_checked(u32::from_be_bytes(*length) as usize) else {
            return Err(LoadError::Failed("a page of a conversation ends in a record".to_owned()));
        };
        record(bytes);
        (rest, records) = (more, records + 1);
    }
    Ok(records)
}
