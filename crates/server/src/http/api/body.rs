//! Reads bodies, JSON and parts of files: bounded before they are read, by size, by time, and by what all of them hold together.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::{
    Request,
    body::{Body as _, Incoming},
};
use serde::de::DeserializeOwned;
use tokio::time::{Duration, Instant, timeout_at};

use crate::{
    chat::RequestError,
    http::bounds::{Bounds, busy},
    net::{Permit, Quota},
    proto::ErrorCode,
};

/// Maximum size of a body without a reason for more: five times a claim with one team key, twenty times a sign-in.
pub const SMALL: usize = 4 * 1024;
/// The least rate of a body, bytes a second: what a bad mobile network has.
const LEAST_RATE: f64 = 8.0 * 1024.0;
/// Of each body so much is not counted: the connection's own buffer has it already, and it is more than a sign-in is. So
/// nobody can keep others from signing in by using up the memory for bodies.
const FREE: usize = 1024;

/// Who sends it, which determines the size limit and the quota.
pub struct Sender<'a> {
    address: IpAddr,
    most: usize,
    room: &'a Arc<Quota>,
    patience: Duration,
}

impl<'a> Sender<'a> {
    /// An unauthenticated client.
    pub fn stranger(bounds: &'a Bounds, address: IpAddr) -> Self {
        Self { address, most: SMALL, room: &bounds.of_strangers, patience: bounds.patience.body }
    }

    /// A client with a token or an open invite, and the size they legitimately need.
    pub fn member(bounds: &'a Bounds, address: IpAddr, most: usize) -> Self {
        Self { most: most.max(SMALL), room: &bounds.of_members, ..Self::stranger(bounds, address) }
    }

    /// Someone who may send a part of a file of at most this many bytes.
    pub fn uploader(bounds: &'a Bounds, address: IpAddr, part: u64) -> Self {
        Self { most: part as usize, room: &bounds.of_uploads, ..Self::stranger(bounds, address) }
    }

    /// The same with a larger limit.
    pub fn up_to(self, most: usize) -> Self {
        Self { most, ..self }
    }
}

/// The body, and its share of the memory for bodies; keep that until the request is done.
pub struct Received<T> {
    /// The parsed request.
    pub value: T,
    /// See [`Bounds`].
    pub held: Permit,
}

/// The JSON of a request.
pub async fn body<T: DeserializeOwned>(
    from: Sender<'_>,
    request: Request<Incoming>,
) -> Result<Received<T>, RequestError> {
    let (bytes, held) = read(&from, request.into_body()).await?;
    let value = serde_json::from_slice(&bytes).map_err(|e| {
        RequestError::new(ErrorCode::Malformed, format!("the request is not what this address expects: {e}"))
    })?;
    Ok(Received { value, held })
}

/// A part of a file.
pub async fn part(from: Sender<'_>, request: Request<Incoming>) -> Result<Received<Bytes>, RequestError> {
    let (bytes, held) = read(&from, request.into_body()).await?;
    Ok(Received { value: bytes.into(), held })
}

async fn read(from: &Sender<'_>, mut body: Incoming) -> Result<(Vec<u8>, Permit), RequestError> {
    let too_large = || {
        let text = format!("the request is larger than the {} KiB that are allowed here", from.most / 1024);
        RequestError::new(ErrorCode::TooLarge, text)
    };
    // a body that is declared too long is not read at all
    if body.size_hint().lower() > from.most as u64 {
        return Err(too_large());
    }
    let full = || busy("large requests");
    let mut held = from.room.take(from.address, 0).ok_or_else(full)?;
    let mut bytes = Vec::new();
    let begin = Instant::now() + from.patience;
    loop {
        let late = begin + Duration::from_secs_f64(bytes.len() as f64 / LEAST_RATE);
        let frame = timeout_at(late, body.frame()).await;
        let frame = frame.map_err(|_| RequestError::new(ErrorCode::TooLate, "the request took too long to arrive"))?;
        let Some(frame) = frame else { return Ok((bytes, held)) };
        let cut_off = |_| RequestError::new(ErrorCode::Malformed, "the request was cut off");
        // trailers are ignored
        let Ok(data) = frame.map_err(cut_off)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > from.most {
            return Err(too_large());
        }
        if !held.grow(length.saturating_sub(FREE).saturating_sub(held.amount())) {
            return Err(full());
        }
        bytes.extend_from_slice(&data);
    }
}
