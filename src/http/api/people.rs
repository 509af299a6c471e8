//! Directory, login, invites, passwords: JSON in, `org`, JSON out.

use std::{net::IpAddr, sync::Arc};

use hyper::{Request, StatusCode, body::Incoming, header};
use serde_json::json;

use crate::{
    chat::{Refusal, now_ms},
    crypto::directory::Role,
    http::{
        Http, admin,
        answer::{self, Answer},
    },
    hub::{Topic, Who},
    proto::{CloseCode, ErrorCode, SiteId},
};

use super::{agent, answer, body, parameter};

fn no_such_step() -> Refusal {
    Refusal::new(ErrorCode::NotFound, "there is nothing at this address")
}

/// `GET /site/<id>`: all a widget needs, with whether somebody is there now.
pub async fn site(http: &Http, site: &str, request: &Request<Incoming>) -> Result<Answer, Refusal> {
    let site = site.parse().map_err(|_| Refusal::new(ErrorCode::NotFound, "there is no such site"))?;
    note_widget(http, &site, request);
    let directory = http.org.directory();
    let entry = directory.site(&site).ok_or_else(|| Refusal::new(ErrorCode::NotFound, "there is no such site"))?;
    let json = http.org.site_json(&site, http.chat.presence(&entry.team))?;
    Ok(answer::bytes(StatusCode::OK, "application/json", json))
}

/// Which widget a page of the site loaded. Pages of others may say what they like, it is no news of this site.
fn note_widget(http: &Http, site: &SiteId, request: &Request<Incoming>) {
    let origin = request.headers().get(header::ORIGIN).and_then(|o| o.to_str().ok());
    let (Some(version), Some(origin)) = (parameter(request, "widget"), origin) else { return };
    if http.org.directory().site(site).is_some_and(|s| s.origins.iter().any(|o| o == origin)) {
        http.widgets.saw(site, version, now_ms());
    }
}

/// `GET /widgets`: which sites still load an old widget.
pub fn widgets(http: &Http, request: &Request<Incoming>) -> Result<Answer, Refusal> {
    match agent(http, request)? {
        (_, Role::Admin) => Ok(answer::json(&admin::widgets(&http.widgets))),
        _ => Err(Refusal::new(ErrorCode::Forbidden, "only admins may ask this")),
    }
}

/// `GET /directory?after=`: the log is public.
pub async fn directory(http: &Http, request: &Request<Incoming>) -> Result<Answer, Refusal> {
    let after = parameter(request, "after").unwrap_or("-1").parse();
    let after = after.map_err(|_| Refusal::new(ErrorCode::Malformed, "after must be a number"))?;
    answer(http.org.directory_after(after).await)
}

/// `POST /login/{start,finish}`.
pub async fn login(
    http: &Arc<Http>,
    address: IpAddr,
    step: &str,
    request: Request<Incoming>,
) -> Result<Answer, Refusal> {
    match step {
        "start" => {
            http.chat.limit_login(address)?;
            answer(http.org.login_start(body(request).await?, address).await)
        }
        "finish" => {
            let login = http.org.login_finish(body(request).await?, address).await?;
            let who = Who::Agent { kid: login.kid, user: login.user.clone() };
            let token = http.tokens.issue(&who, now_ms());
            let mut said =
                serde_json::to_value(&login).map_err(|e| Refusal::new(ErrorCode::Malformed, e.to_string()))?;
            said["token"] = token.into();
            Ok(answer::json(&said))
        }
        _ => Err(no_such_step()),
    }
}

/// `POST /invite/{open,register,claim}`.
pub async fn invite(http: &Http, step: &str, request: Request<Incoming>) -> Result<Answer, Refusal> {
    match step {
        "open" => answer(http.org.invite_open(body(request).await?).await),
        "register" => answer(http.org.invite_register(body(request).await?).await),
        "claim" => {
            http.org.invite_claim(body(request).await?).await?;
            Ok(answer::json(&json!({})))
        }
        _ => Err(no_such_step()),
    }
}

/// `POST /password/{start,finish}`.
pub async fn password(http: &Http, step: &str, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let (user, _) = agent(http, &request)?;
    match step {
        "start" => answer(http.org.password_start(&user, body(request).await?).await),
        "finish" => {
            http.org.password_finish(&user, body(request).await?).await?;
            // whoever had a token has it no longer; the user's own pages come back at once and get new ones
            http.tokens.end(&user, now_ms());
            http.chat.hub().close_where(&Topic::User(user), |_| Some(CloseCode::GoingAway));
            Ok(answer::json(&json!({})))
        }
        _ => Err(no_such_step()),
    }
}

/// `GET /boxes`.
pub async fn boxes(http: &Http, request: &Request<Incoming>) -> Result<Answer, Refusal> {
    let (user, _) = agent(http, request)?;
    answer(http.org.boxes(&user).await)
}

/// `POST /snapshot`.
pub async fn snapshot(http: &Http, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let (user, _) = agent(http, &request)?;
    http.org.put_snapshot(&user, body(request).await?).await?;
    Ok(answer::json(&json!({})))
}

/// `POST /directory`: what an admin's console signs about those who came.
pub async fn post_directory(http: &Http, request: Request<Incoming>) -> Result<Answer, Refusal> {
    let (user, _) = agent(http, &request)?;
    http.org.post_entries(&user, body(request).await?).await?;
    Ok(answer::json(&json!({})))
}
