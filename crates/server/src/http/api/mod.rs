//! The JSON routes under `/api/v1`: read a request, call `org` or `chat`, write the answer.

mod body;
mod conversations;
mod documents;
mod files;
mod knowledge;
mod people;
mod persons;
mod push;

use std::{net::IpAddr, sync::Arc};

pub use push::{PushRequest, Pushes};

use hyper::{Method, Request, body::Incoming, header};

use crate::{
    chat::RequestError,
    crypto::directory::Role,
    hub::Who,
    org::OrgError,
    proto::{ErrorCode, UserId},
};

use super::{
    Http,
    answer::{Answer, cors, error, json, method_not_allowed, refusal},
    detached::run_detached,
    token::Token,
    upgrade::own_origin,
};

/// One request under `/api/v1`.
pub async fn route(http: &Arc<Http>, address: IpAddr, path: &[&str], request: Request<Incoming>) -> Answer {
    if let Some(allowed) = allowed(path).filter(|allowed| !allowed.split(", ").any(|m| m == request.method().as_str()))
    {
        return method_not_allowed(allowed);
    }
    if let ["conversations", conv, "files", msg] = path {
        return open_to_all(files::route(http, address, (conv, msg), request).await);
    }
    // a visitor's, from the customer's page
    if let ["devices", rest @ ..] = path {
        return open_to_all(persons::devices(http, address, rest, request).await);
    }
    if let ["documents", rest @ ..] = path {
        return documents::route(http, address, rest, request).await.unwrap_or_else(|r| refusal(&r));
    }
    let outcome = match (request.method(), path) {
        // the widget asks these from the customer's page
        (&Method::GET, ["site", site]) => return open_to_all(people::site(http, site, &request).await),
        (&Method::GET, ["site", site, "presence"]) => return open_to_all(people::presence(http, site)),
        (&Method::GET, ["directory"]) => return open_to_all(people::directory(http, &request).await),
        (&Method::GET, ["conversations", conv, "records"]) => {
            return open_to_all(conversations::records(http, address, conv, &request).await);
        }
        (&Method::GET, ["conversations", conv]) => conversations::one(http, address, conv, &request).await,
        (&Method::GET, ["conversations", conv, "others"]) => conversations::others(http, address, conv, &request).await,
        (&Method::GET, ["conversations"]) => conversations::list(http, &request).await,
        (&Method::GET, ["knowledge", site]) => knowledge::of_site(http, site, &request).await,
        (&Method::GET, ["blocks"]) => conversations::blocks(http, &request),
        (&Method::GET, ["push"]) => push::key(http, &request).await,
        (&Method::GET, ["boxes"]) => people::boxes(http, &request).await,
        (&Method::GET, ["widgets"]) => people::widgets(http, &request),
        (&Method::POST, _) if !from_own_page(http, &request) => {
            Err(RequestError::new(ErrorCode::Forbidden, "only the console of this server may request this"))
        }
        (&Method::POST, path) => {
            let (http, path) = (http.clone(), path.iter().map(ToString::to_string).collect::<Vec<_>>());
            run_detached(async move { post(&http, address, &path, request).await }).await
        }
        _ => return error(ErrorCode::NotFound, "there is nothing at this address"),
    };
    outcome.unwrap_or_else(|r| refusal(&r))
}

/// What can be done at an address, if there is anything. A HEAD was made a GET before.
fn allowed(path: &[&str]) -> Option<&'static str> {
    match path {
        ["directory" | "push" | "devices"] => Some("GET, HEAD, POST"),
        ["push", "remove"] | ["conversations", _, "person" | "readers"] => Some("POST"),
        ["conversations", _, "files", _] => Some("GET, HEAD, POST, PUT, DELETE"),
        ["documents", _] => Some("PUT, DELETE"),
        ["site" | "knowledge" | "conversations", _]
        | ["site", _, "presence"]
        | ["conversations" | "blocks" | "boxes" | "documents" | "widgets"]
        | ["conversations", _, "records" | "others"]
        | ["ws", "site", _]
        | ["ws", "agent"] => Some("GET, HEAD"),
        ["login" | "invite" | "password", _] | ["snapshot"] | ["devices", "take"] => Some("POST"),
        _ => None,
    }
}

async fn post(
    http: &Arc<Http>,
    address: IpAddr,
    path: &[String],
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    match path.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["login", step] => people::login(http, address, step, request).await,
        ["invite", step] => people::invite(http, address, step, request).await,
        ["password", step] => people::password(http, address, step, request).await,
        ["snapshot"] => people::snapshot(http, address, request).await,
        ["push"] => push::change(http, address, false, request).await,
        ["push", "remove"] => push::change(http, address, true, request).await,
        ["conversations", conv, "person"] => persons::person(http, address, conv, request).await,
        ["conversations", conv, "readers"] => persons::readers(http, address, conv, request).await,
        ["directory"] => people::post_directory(http, address, request).await,
        _ => Err(RequestError::new(ErrorCode::NotFound, "there is nothing at this address")),
    }
}

fn open_to_all(outcome: Result<Answer, RequestError>) -> Answer {
    cors(outcome.unwrap_or_else(|r| refusal(&r)))
}

/// Requests that change something come from the console or from a program, never from another site's page.
fn from_own_page(http: &Http, request: &Request<Incoming>) -> bool {
    match request.headers().get(header::ORIGIN).map(|o| o.to_str().unwrap_or("")) {
        Some(origin) => own_origin(http, origin, request.headers()),
        None => true,
    }
}

/// The bearer token of a request.
pub(super) fn bearer(request: &Request<Incoming>) -> Option<&str> {
    request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")
}

/// Whose a token is. A new password ends the tokens from before it.
pub(super) fn identity(http: &Http, token: &str) -> Option<Who> {
    let Token { who, made_ms } = http.tokens.read(token, http.org.now_ms())?;
    let ended = who.user().is_some_and(|user| made_ms <= http.org.password_changed_at(user));
    (!ended).then_some(who)
}

/// The identity of the bearer token; an agent's account is checked again each time.
fn who(http: &Http, request: &Request<Incoming>) -> Result<Who, RequestError> {
    let refused = || RequestError::new(ErrorCode::Unauthorised, "sign in first");
    let who = bearer(request).and_then(|token| identity(http, token)).ok_or_else(refused)?;
    if let Who::Agent { kid, user } = &who
        && http.org.active(user).is_none_or(|a| a.kid != *kid)
    {
        return Err(refused());
    }
    Ok(who)
}

/// The agent behind the token.
fn agent(http: &Http, request: &Request<Incoming>) -> Result<(UserId, Role), RequestError> {
    let who = who(http, request)?;
    let agent = who.user().and_then(|user| http.org.active(user));
    let agent = agent.ok_or_else(|| RequestError::new(ErrorCode::Forbidden, "only agents may request this"))?;
    Ok((agent.user.clone(), agent.role))
}

/// One parameter of the query.
fn parameter<'a>(request: &'a Request<Incoming>, name: &str) -> Option<&'a str> {
    request.uri().query()?.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

impl From<OrgError> for RequestError {
    fn from(e: OrgError) -> Self {
        let refusal = Self::new(e.code(), e.to_string());
        Self { retry_ms: e.retry_ms(), ..refusal }
    }
}

/// The answer to something that worked.
fn answer<T: serde::Serialize>(value: Result<T, OrgError>) -> Result<Answer, RequestError> {
    Ok(json(&value?))
}
