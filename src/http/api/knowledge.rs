//! `GET /knowledge/<site>`: what an agent's browser searches for suggestions.

use std::sync::Arc;

use hyper::{Request, StatusCode, body::Incoming};

use crate::{
    chat::{Refusal, now_ms},
    http::{
        Http,
        answer::{self, Answer},
    },
    proto::{ErrorCode, SiteId},
};

use super::{agent, on_disk};

/// The knowledge of a site, for the team that answers there; 304 to those who have it already.
pub async fn of_site(http: &Arc<Http>, site: &str, request: &Request<Incoming>) -> Result<Answer, Refusal> {
    let (user, _) = agent(http, request)?;
    let none = || Refusal::new(ErrorCode::NotFound, "there is no such site");
    let site: SiteId = site.parse().map_err(|_| none())?;
    let (chat, library) = (http.chat.clone(), http.library.clone());
    let shelf = on_disk(move || {
        chat.may_look_up(&user, &site)?;
        library.ok_or_else(|| Refusal::new(ErrorCode::NotFound, "this server has no knowledge"))?.shelf(&site, now_ms())
    });
    let shelf = shelf.await?;
    let answer = answer::bytes(StatusCode::OK, "application/json", shelf.body);
    Ok(answer::tagged(answer, &format!("\"{}\"", shelf.tag), request.headers()))
}
