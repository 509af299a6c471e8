//! History and lists.

use std::{net::IpAddr, sync::Arc};

use bytes::{BufMut, BytesMut};
use hyper::{Request, StatusCode, body::Incoming};
use serde_json::json;

use crate::{
    chat::{Cursor, Filter, HISTORY_RECORDS, Reader, RequestError, Tab},
    http::{
        Http,
        answer::{self, Answer, Body},
    },
    hub::Who,
    proto::{ConvId, ConvState, ErrorCode},
};

use super::{agent, parameter, who};

/// Memory for a page of history: it ends after 1 MiB, and each record is prefixed with its length.
const PAGE: usize = 1024 * 1024 + 64 * 1024;
/// Maximum number of conversations in one page of a list.
const LIST: usize = 100;

/// Reads that a look at all conversations of a visitor counts as.
const OTHERS_COST: u32 = 5;

/// A parameter as what it must be; none if it is absent or empty.
fn read<T: std::str::FromStr>(request: &Request<Incoming>, name: &str, what: &str) -> Result<Option<T>, RequestError> {
    match parameter(request, name) {
        None | Some("") => Ok(None),
        Some(text) => match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(RequestError::new(ErrorCode::Malformed, format!("{name} must be {what}"))),
        },
    }
}

fn number<T: std::str::FromStr>(request: &Request<Incoming>, name: &str) -> Result<Option<T>, RequestError> {
    read(request, name, "a number")
}

/// What a list is filtered by.
fn filter(request: &Request<Incoming>) -> Result<Filter, RequestError> {
    let state = match parameter(request, "state") {
        None | Some("") => None,
        Some("open") => Some(ConvState::Open),
        Some("closed") => Some(ConvState::Closed),
        Some(_) => return Err(RequestError::new(ErrorCode::Malformed, "state is open or closed")),
    };
    Ok(Filter {
        agent: read(request, "agent", "the id of a person")?,
        team: read(request, "team", "the id of a team")?,
        site: read(request, "site", "the id of a site")?,
        state,
        tag: read(request, "tag", "the id of a tag")?,
        reason: read(request, "reason", "the id of a reason")?,
        from: number(request, "from")?,
        to: number(request, "to")?,
    })
}

pub(super) fn named(conv: &str) -> Result<ConvId, RequestError> {
    conv.parse().map_err(|_| RequestError::new(ErrorCode::NotFound, "there is no such conversation here"))
}

/// `GET /conversations/<conv>`: as lists show it.
pub async fn one(
    http: &Arc<Http>,
    address: IpAddr,
    conv: &str,
    request: &Request<Incoming>,
) -> Result<Answer, RequestError> {
    let who = agent_reads(http, address, request, 1)?;
    Ok(answer::json(&json!({ "conv": http.chat.one(&who, named(conv)?).await? })))
}

/// `GET /conversations/<conv>/others`: other conversations of the same visitor.
pub async fn others(
    http: &Arc<Http>,
    address: IpAddr,
    conv: &str,
    request: &Request<Incoming>,
) -> Result<Answer, RequestError> {
    let who = agent_reads(http, address, request, OTHERS_COST)?;
    Ok(answer::json(&json!({ "convs": http.chat.others_of_visitor(&who, named(conv)?).await? })))
}

pub(super) fn agent_reads(
    http: &Http,
    address: IpAddr,
    request: &Request<Incoming>,
    cost: u32,
) -> Result<Who, RequestError> {
    agent(http, request)?;
    let who = who(http, request)?;
    http.chat.limit_read(Some(&who), address, cost)?;
    Ok(who)
}

/// `GET /conversations/<conv>/records`: u32 length and record, one after the other.
pub async fn records(
    http: &Arc<Http>,
    address: IpAddr,
    conv: &str,
    request: &Request<Incoming>,
) -> Result<Answer, RequestError> {
    let who = who(http, request)?;
    let conv = named(conv)?;
    let after = number(request, "after")?.unwrap_or(0);
    let limit = number(request, "limit")?.unwrap_or(HISTORY_RECORDS);
    let rev = number(request, "rev")?.unwrap_or(1);
    let mut room = http.bounds.answer(address, PAGE)?;
    let records = http.chat.history(Reader { who: &who, rev }, conv, after, limit).await?;
    let mut out = BytesMut::with_capacity(records.iter().map(|r| r.len() + 4).sum());
    for record in records {
        out.put_u32(record.len() as u32);
        out.put(record);
    }
    room.shrink_to(out.len());
    Ok(answer::bytes(StatusCode::OK, "application/octet-stream", Body::from(out.freeze()).held(room)))
}

/// `GET /conversations`: one page of a tab.
pub async fn list(http: &Arc<Http>, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    let (user, _) = agent(http, request)?;
    let tab = match parameter(request, "tab") {
        None | Some("mine") => Tab::Mine,
        Some("queue") => Tab::Queue,
        Some("missed") => Tab::Missed,
        Some("all") => Tab::All,
        Some(_) => return Err(RequestError::new(ErrorCode::Malformed, "tab is mine, queue, missed or all")),
    };
    let before: Option<Cursor> = match parameter(request, "before") {
        None | Some("") => None,
        Some(text) => Some(text.parse().map_err(|()| {
            RequestError::new(
                ErrorCode::Malformed,
                "before is the created and the id of a conversation, as 1790000000000-<id>",
            )
        })?),
    };
    let limit = number(request, "limit")?.unwrap_or(LIST).clamp(1, LIST);
    let filter = filter(request)?;
    if tab != Tab::All && filter != Filter::default() {
        return Err(RequestError::new(ErrorCode::Malformed, "only the tab all can be filtered"));
    }
    let page = http.chat.list(&user, tab, &filter, before, limit).await?;
    let mut said = json!({ "convs": page.convs, "more": page.next.is_some() });
    if let Some(next) = page.next {
        said["next"] = next.to_string().into();
    }
    Ok(answer::json(&said))
}

/// `GET /blocks`: visitors of the agent's teams who may not write.
pub fn blocks(http: &Http, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    let (user, _) = agent(http, request)?;
    Ok(answer::json(&json!({ "blocks": http.chat.blocks_for(&user) })))
}
