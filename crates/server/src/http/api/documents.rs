//! Documents: `/documents` and `/documents/<id>`.

use std::{net::IpAddr, sync::Arc};

use hyper::{Method, Request, body::Incoming};
use serde_json::json;

use crate::{
    chat::RequestError,
    crypto::directory::ActiveAgent,
    documents::DocumentsError,
    http::{
        Http,
        answer::{self, Answer, Body},
        detached::run_detached,
    },
    proto::{DocumentId, ErrorCode, MAX_DOCUMENT},
};

use super::{
    agent,
    body::{Received, Sender, part},
    from_own_page, parameter,
};

/// Memory for a page: about 1 MiB of documents in base64url, and their ids.
const PAGE: usize = 2 * 1024 * 1024;

/// One request for documents.
pub async fn route(
    http: &Arc<Http>,
    address: IpAddr,
    path: &[&str],
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let (user, _) = agent(http, &request)?;
    let gone = || RequestError::new(ErrorCode::Forbidden, "this account is switched off");
    let who = http.org.active(&user).ok_or_else(gone)?;
    if !from_own_page(http, &request) {
        return Err(RequestError::new(ErrorCode::Forbidden, "only the console of this server may request this"));
    }
    let missing = || RequestError::new(ErrorCode::NotFound, "there is nothing at this address");
    match (request.method(), path) {
        (&Method::GET, []) => list(http, address, &who, &request).await,
        (&Method::PUT | &Method::DELETE, [id]) => {
            let id: DocumentId = id.parse().map_err(|_| missing())?;
            let base = number(&request, "base")?;
            let documents = http.documents.clone();
            let seq = if request.method() == Method::PUT {
                let from = Sender::member(&http.bounds, address, MAX_DOCUMENT);
                let Received { value, held: _held } = part(from, request).await?;
                run_detached(async move { Ok(documents.put(&who, id, base, value).await?) }).await?
            } else {
                run_detached(async move { Ok(documents.delete(&who, id, base).await?) }).await?
            };
            Ok(answer::json(&json!({ "seq": seq })))
        }
        _ => Err(missing()),
    }
}

async fn list(
    http: &Http,
    address: IpAddr,
    who: &ActiveAgent,
    request: &Request<Incoming>,
) -> Result<Answer, RequestError> {
    let kind = parameter(request, "kind").unwrap_or("");
    let since = if parameter(request, "since").is_some() { number(request, "since")? } else { 0 };
    let mut room = http.bounds.answer(address, PAGE)?;
    let page = http.documents.list(who, kind, since).await?;
    let page = serde_json::to_vec(&page).map_err(|e| RequestError::new(ErrorCode::Storage, e.to_string()))?;
    room.shrink_to(page.len());
    Ok(answer::bytes(hyper::StatusCode::OK, "application/json", Body::from(page).held(room)))
}

fn number(request: &Request<Incoming>, name: &str) -> Result<u64, RequestError> {
    let number = parameter(request, name).and_then(|text| text.parse().ok());
    number.ok_or_else(|| RequestError::new(ErrorCode::Malformed, format!("{name} must be a number")))
}

impl From<DocumentsError> for RequestError {
    fn from(e: DocumentsError) -> Self {
        match e {
            DocumentsError::Refused(code, text) => Self::new(code, text),
            DocumentsError::Store(e) => e.into(),
        }
    }
}
