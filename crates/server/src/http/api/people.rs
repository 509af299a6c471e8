//! Directory, login, invites, passwords: JSON in, `org`, JSON out.

use std::{net::IpAddr, sync::Arc};

use hyper::{Request, StatusCode, body::Incoming, header};
use serde_json::json;

use crate::{
    chat::RequestError,
    crypto::{codec::Key32, directory::Role},
    http::{
        Http,
        answer::{self, Answer, Body},
    },
    hub::{Topic, Who},
    org::InviteClaim,
    proto::{CloseCode, ErrorCode, SiteId, TeamPresence},
};

use super::{
    agent, answer,
    body::{Received, SMALL, Sender, body},
    parameter,
};

fn no_such_step() -> RequestError {
    RequestError::new(ErrorCode::NotFound, "there is nothing at this address")
}

/// `GET /site/<id>`: all a widget needs, including the team's presence.
pub async fn site(http: &Http, site: &str, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    let site = site.parse().map_err(|_| RequestError::new(ErrorCode::NotFound, "there is no such site"))?;
    note_widget(http, &site, request);
    let directory = http.org.directory();
    let entry = directory.site(&site).ok_or_else(|| RequestError::new(ErrorCode::NotFound, "there is no such site"))?;
    let presence = http.chat.presence(&entry.team).state;
    let json = http.org.site_json(&site, presence, http.chat.largest_file(&site)).await?;
    Ok(answer::bytes(StatusCode::OK, "application/json", Body::of(json)))
}

/// `GET /site/<id>/presence`: who is there now, for a widget that is open and not connected. From memory alone.
pub fn presence(http: &Http, site: &str) -> Result<Answer, RequestError> {
    let directory = http.org.directory();
    let site = site.parse::<SiteId>().ok().and_then(|id| directory.site(&id)).filter(|s| s.on);
    let site = site.ok_or_else(|| RequestError::new(ErrorCode::NotFound, "there is no such site"))?;
    let (now, opens) = (http.chat.presence(&site.team), http.org.opens(&site.team));
    Ok(answer::json(&PresenceAnswer { now, opens }))
}

/// Who is there, and outside of the team's hours when they begin, ms.
#[derive(serde::Serialize)]
struct PresenceAnswer {
    #[serde(flatten)]
    now: TeamPresence,
    #[serde(skip_serializing_if = "Option::is_none")]
    opens: Option<u64>,
}

/// Records the widget version that a page of the site loaded. Pages of other origins are ignored.
fn note_widget(http: &Http, site: &SiteId, request: &Request<Incoming>) {
    let origin = request.headers().get(header::ORIGIN).and_then(|o| o.to_str().ok());
    let (Some(version), Some(origin)) = (parameter(request, "widget"), origin) else { return };
    if http.org.directory().site(site).is_some_and(|s| s.origins.iter().any(|o| o == origin)) {
        http.widgets.saw(site, version, http.org.now_ms());
    }
}

/// `GET /widgets`: which sites still load an old widget.
pub fn widgets(http: &Http, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    match agent(http, request)? {
        (_, Role::Admin) => Ok(answer::json(&http.widgets.status(http.org.now_ms()))),
        _ => Err(RequestError::new(ErrorCode::Forbidden, "only admins may request this")),
    }
}

/// `GET /directory?after=`: the log is public.
pub async fn directory(http: &Http, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    let after = parameter(request, "after").unwrap_or("-1").parse();
    let after = after.map_err(|_| RequestError::new(ErrorCode::Malformed, "after must be a number"))?;
    let log = http.org.directory_json(after);
    let answer = answer::bytes(StatusCode::OK, "application/json", Body::of(log.pieces));
    Ok(answer::tagged(answer, &log.tag, request.headers()))
}

/// `POST /login/{start,finish}`.
pub async fn login(
    http: &Arc<Http>,
    address: IpAddr,
    step: &str,
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let stranger = Sender::stranger(&http.bounds, address);
    match step {
        "start" => {
            http.chat.limit_login(address).await?;
            let Received { value, held: _held } = body(stranger, request).await?;
            answer(http.org.login_start(value, address).await)
        }
        "finish" => {
            let Received { value, held: _held } = body(stranger, request).await?;
            let login = http.org.login_finish(value, address).await?;
            let who = Who::Agent { kid: login.kid, user: login.user.clone() };
            let token = http.tokens.issue(&who, http.org.now_ms());
            let mut said =
                serde_json::to_value(&login).map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))?;
            said["token"] = token.into();
            Ok(answer::json(&said))
        }
        _ => Err(no_such_step()),
    }
}

/// Names the invite of a request before its body is read.
const INVITE: &str = "kefu-invite";
/// A claim by a page from before that header: with team keys for most people, and yet not much.
const OLD_CLAIM: usize = 16 * 1024;

/// The invite that a request names, if it does.
fn named_invite(request: &Request<Incoming>) -> Result<Option<Key32>, RequestError> {
    let Some(named) = request.headers().get(INVITE) else { return Ok(None) };
    let key = named.to_str().ok().and_then(|text| text.parse().ok());
    let wrong = || RequestError::new(ErrorCode::Malformed, "the header Kefu-Invite is not the key of an invite");
    key.map(Some).ok_or_else(wrong)
}

/// `POST /invite/{open,register,claim}`.
pub async fn invite(
    http: &Http,
    address: IpAddr,
    step: &str,
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let stranger = Sender::stranger(&http.bounds, address);
    let named = named_invite(&request)?;
    let sender = match &named {
        // who holds an invite may send what one claims with it; a key that is no invite is not read on
        Some(inv) => Sender::member(&http.bounds, address, http.org.room_for_claim(inv).await?),
        None if step == "claim" => stranger.up_to(OLD_CLAIM),
        None => stranger,
    };
    match step {
        "open" => {
            let Received { value, held: _held } = body(sender, request).await?;
            answer(http.org.invite_open(value).await)
        }
        "register" => {
            let Received { value, held: _held } = body(sender, request).await?;
            answer(http.org.invite_register(value).await)
        }
        "claim" => {
            let Received { value, held: _held } = body::<InviteClaim>(sender, request).await?;
            if named.is_some_and(|named| named != value.inv) {
                return Err(RequestError::new(
                    ErrorCode::Malformed,
                    "the claim is for another invite than its header names",
                ));
            }
            http.org.invite_claim(value).await?;
            Ok(answer::json(&json!({})))
        }
        _ => Err(no_such_step()),
    }
}

/// `POST /password/{start,finish}`.
pub async fn password(
    http: &Http,
    address: IpAddr,
    step: &str,
    request: Request<Incoming>,
) -> Result<Answer, RequestError> {
    let (user, _) = agent(http, &request)?;
    let member = Sender::member(&http.bounds, address, SMALL);
    match step {
        "start" => {
            let Received { value, held: _held } = body(member, request).await?;
            answer(http.org.password_start(&user, value).await)
        }
        "finish" => {
            let Received { value, held: _held } = body(member, request).await?;
            http.org.password_finish(&user, value).await?;
            // older tokens end; the user's own pages reconnect at once and get new ones
            http.chat.hub().close_where(&Topic::User(user), |_| Some(CloseCode::GoingAway));
            Ok(answer::json(&json!({})))
        }
        _ => Err(no_such_step()),
    }
}

/// `GET /boxes`.
pub async fn boxes(http: &Http, request: &Request<Incoming>) -> Result<Answer, RequestError> {
    let (user, _) = agent(http, request)?;
    answer(http.org.boxes(&user).await)
}

/// Maximum number of bytes of the entries that an admin signs at once: a thousand confirmations.
const ENTRIES: usize = 1024 * 1024;

/// `POST /snapshot`.
pub async fn snapshot(http: &Http, address: IpAddr, request: Request<Incoming>) -> Result<Answer, RequestError> {
    let (user, role) = agent(http, &request)?;
    if role != Role::Admin {
        return Err(RequestError::new(ErrorCode::Forbidden, "only admins sign snapshots"));
    }
    let admin = Sender::member(&http.bounds, address, http.org.room_for_snapshot());
    let Received { value, held: _held } = body(admin, request).await?;
    http.org.put_snapshot(&user, value).await?;
    Ok(answer::json(&json!({})))
}

/// `POST /directory`: what an admin's console signs about those who came.
pub async fn post_directory(http: &Http, address: IpAddr, request: Request<Incoming>) -> Result<Answer, RequestError> {
    let (user, role) = agent(http, &request)?;
    // a waiting person confirms themself, which is one entry
    let most = if role == Role::Admin { ENTRIES + http.org.room_for_snapshot() } else { SMALL };
    let Received { value, held: _held } = body(Sender::member(&http.bounds, address, most), request).await?;
    http.org.post_entries(&user, value).await?;
    Ok(answer::json(&json!({})))
}
