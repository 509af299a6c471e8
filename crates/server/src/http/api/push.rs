//! Subscriptions of agents' browsers to pushes.

use std::{net::IpAddr, sync::Arc};

use futures_util::future::BoxFuture;
use hyper::{Request, body::Incoming};
use serde::Deserialize;
use serde_json::json;

use super::{
    agent,
    body::{Received, SMALL, Sender, body},
};
use crate::{
    chat::RequestError,
    http::{
        Http,
        answer::{self, Answer},
    },
    proto::{ErrorCode, UserId},
};

/// What a browser gives: an address and two keys, or only the address when it leaves.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PushRequest {
    /// Where its push service takes messages.
    pub endpoint: String,
    /// Its key, b64u.
    #[serde(default)]
    pub p256dh: String,
    /// Its secret, b64u.
    #[serde(default)]
    pub auth: String,
}

/// Keeps subscriptions.
pub trait Pushes: Send + Sync + 'static {
    /// The key that browsers subscribe under, b64u.
    fn public_key(&self) -> String;

    /// How many browsers of an agent are woken.
    fn browsers(&self, user: UserId) -> BoxFuture<'static, Result<usize, RequestError>>;

    /// One more of an agent, or the same again.
    fn subscribe(&self, user: UserId, from: PushRequest) -> BoxFuture<'static, Result<(), RequestError>>;

    /// One less. Repeating it is no error.
    fn unsubscribe(&self, user: UserId, endpoint: String) -> BoxFuture<'static, Result<(), RequestError>>;
}

fn pushes(http: &Http) -> Result<&Arc<dyn Pushes>, RequestError> {
    let off = || RequestError::new(ErrorCode::NotFound, "pushes are switched off on this server");
    http.push.as_ref().ok_or_else(off)
}

/// `GET /push`.
pub async fn key(http: &Http, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    let (user, _) = agent(http, request)?;
    let pushes = pushes(http)?;
    Ok(answer::json(&json!({ "key": pushes.public_key(), "browsers": pushes.browsers(user).await? })))
}

/// `POST /push`, `POST /push/remove`.
pub async fn change(
    http: &Http,
    address: IpAddr,
    remove: bool,
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let (user, _) = agent(http, &request)?;
    let pushes = pushes(http)?.clone();
    let member = Sender::member(&http.bounds, address, SMALL);
    let Received { value, held: _held } = body::<PushRequest>(member, request).await?;
    match remove {
        true => pushes.unsubscribe(user, value.endpoint).await?,
        false => pushes.subscribe(user, value).await?,
    }
    Ok(answer::json(&json!({})))
}
