//! One person on several devices: what agents' clients say of conversations, and hand-overs from one device to another.

use std::{net::IpAddr, sync::Arc};

use hyper::{Method, Request, body::Incoming};
use serde::Deserialize;
use serde_json::json;

use super::{
    body::{Received, SMALL, Sender, body},
    conversations::{agent_reads, named},
    who,
};
use crate::{
    chat::{MAX_GRANT, MAX_HANDED_OVER, RequestError},
    crypto::codec::Bytes,
    http::{
        Http,
        answer::{self, Answer},
        detached::run_detached,
    },
    proto::{ConvId, ErrorCode},
};

/// Base64 and what is around it.
const HAND_OVER: usize = MAX_HANDED_OVER * 4 / 3 + SMALL;
/// Reads that one request for a hand-over counts as: nobody guesses.
const COST: u32 = 10;

fn sixteen(text: &str, what: &str) -> Result<[u8; 16], RequestError> {
    let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| RequestError::new(ErrorCode::Malformed, format!("{what} must be 16 bytes in hex")))
}

#[derive(Deserialize)]
struct Person {
    tag: String,
}

/// `POST /conversations/<conv>/person`: whose it is, by a pseudonym that only the team can make.
pub async fn person(
    http: &Arc<Http>,
    address: IpAddr,
    conv: &str,
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let (who, conv) = (agent_reads(http, address, &request, 1)?, named(conv)?);
    let member = Sender::member(&http.bounds, address, SMALL);
    let Received { value, held: _held } = body::<Person>(member, request).await?;
    http.chat.set_person(&who, conv, sixteen(&value.tag, "tag")?).await?;
    Ok(answer::json(&json!({})))
}

#[derive(Deserialize)]
struct Device {
    device: ConvId,
    grant: Bytes,
}

/// `POST /conversations/<conv>/readers`: the visitor of another conversation may read this one, with the keys in the grant.
pub async fn readers(
    http: &Arc<Http>,
    address: IpAddr,
    conv: &str,
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let (who, conv) = (agent_reads(http, address, &request, 1)?, named(conv)?);
    let member = Sender::member(&http.bounds, address, MAX_GRANT * 4 / 3 + SMALL);
    let Received { value, held: _held } = body::<Device>(member, request).await?;
    http.chat.let_read(&who, conv, value.device, value.grant.0).await?;
    Ok(answer::json(&json!({})))
}

#[derive(Deserialize)]
struct HandOver {
    id: String,
    convs: Vec<ConvId>,
    blob: Bytes,
}

#[derive(Deserialize)]
struct Take {
    id: String,
}

/// `GET /devices`: conversations of the visitor's other devices. `POST /devices`, `POST /devices/take`: they go on at another one.
pub async fn devices(
    http: &Arc<Http>,
    address: IpAddr,
    path: &[&str],
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let who = who(http, &request)?;
    if path.is_empty() && *request.method() == Method::GET {
        http.chat.limit_read(Some(&who), address, 1)?;
        let all = http.chat.earlier(&who).await?.into_iter();
        let all: Vec<_> = all.map(|(conv, grant)| json!({ "conv": conv, "grant": Bytes(grant) })).collect();
        return Ok(answer::json(&json!({ "earlier": all })));
    }
    http.chat.limit_read(Some(&who), address, COST)?;
    let chat = http.chat.clone();
    match path {
        [] => {
            let member = Sender::member(&http.bounds, address, HAND_OVER);
            let Received { value, held: _held } = body::<HandOver>(member, request).await?;
            let id = sixteen(&value.id, "id")?;
            run_detached(async move { chat.hand_over(&who, address, id, value.convs, value.blob.0).await }).await?;
            Ok(answer::json(&json!({})))
        }
        ["take"] => {
            let member = Sender::member(&http.bounds, address, SMALL);
            let Received { value, held: _held } = body::<Take>(member, request).await?;
            let id = sixteen(&value.id, "id")?;
            let blob = run_detached(async move { chat.take_over(&who, id).await }).await?;
            Ok(answer::json(&json!({ "blob": Bytes(blob) })))
        }
        _ => Err(RequestError::new(ErrorCode::NotFound, "there is nothing at this address")),
    }
}
