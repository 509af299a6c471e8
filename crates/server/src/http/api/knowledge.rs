//! `GET /knowledge/<site>`: what an agent's browser searches for suggestions.

use std::sync::Arc;

use hyper::{Request, StatusCode, body::Incoming};

use crate::{
    chat::RequestError,
    http::{
        Http,
        answer::{self, Answer},
        detached::on_disk,
    },
    proto::{ErrorCode, SiteId},
};

use super::agent;

/// The knowledge of a site, for the team that answers there; 304 to those who have it already.
pub async fn of_site(http: &Arc<Http>, site: &str, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    let (user, _) = agent(http, request)?;
    let none = || RequestError::new(ErrorCode::NotFound, "there is no such site");
    let site: SiteId = site.parse().map_err(|_| none())?;
    http.chat.may_look_up(&user, &site).await?;
    let (source, now) = (http.knowledge.clone(), http.chat.now_ms());
    let knowledge = on_disk(move || {
        source
            .ok_or_else(|| RequestError::new(ErrorCode::NotFound, "this server has no knowledge"))?
            .site_knowledge(&site, now)
    });
    let knowledge = knowledge.await?;
    let answer = answer::bytes(StatusCode::OK, "application/json", knowledge.body);
    Ok(answer::tagged(answer, &format!("\"{}\"", knowledge.tag), request.headers()))
}
