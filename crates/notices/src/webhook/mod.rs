//! One webhook: where it is, how its requests are written and signed, and what its answers mean.

mod answer;
mod sign;
mod text;

use std::time::Duration;

use bytes::Bytes;
use hyper::{HeaderMap, header, http::HeaderValue};
use serde_json::{Value, json};
use zeroize::Zeroizing;

pub use text::{Language, Names};

use crate::{
    Message,
    outbound::{Outbound, Target, TargetError},
};

/// Which service receives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A robot of a group in 企业微信 (WeCom).
    Wecom,
    /// A robot of a group in 钉钉 (DingTalk).
    Dingtalk,
    /// A robot of a group in 飞书 (Feishu, Lark).
    Feishu,
    /// JSON, signed as <https://www.standardwebhooks.com> says.
    Generic,
}

/// Why a message was not taken. No secret is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// A sentence without a stop.
    pub why: String,
    /// What the other side asks for before the next try.
    pub retry_after: Option<Duration>,
}

/// Why a webhook can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Its address.
    #[error("{0}")]
    Target(#[from] TargetError),
    /// Its secret.
    #[error("the secret after whsec_ is not base64")]
    Secret,
}

/// A webhook.
pub struct Webhook {
    kind: Kind,
    target: Target,
    secret: Option<Zeroizing<Vec<u8>>>,
    language: Language,
    outbound: Outbound,
    /// Where agents answer, for those who read the message.
    console: String,
}

impl Webhook {
    /// `url` and `secret` as they are in their files. `console`: the address of the console.
    ///
    /// # Errors
    /// The address or the secret is not one.
    pub fn new(
        kind: Kind,
        url: &str,
        secret: Option<&str>,
        language: Language,
        console: String,
        outbound: Outbound,
    ) -> Result<Self, WebhookError> {
        let target = Target::parse(url, outbound.allows_private())?;
        let secret = match secret.map(|secret| (secret, secret.strip_prefix("whsec_"))) {
            Some((_, Some(encoded))) if kind == Kind::Generic => {
                let decoded = data_encoding::BASE64.decode(encoded.as_bytes()).map_err(|_| WebhookError::Secret)?;
                Some(decoded.into())
            }
            Some((secret, _)) => Some(secret.as_bytes().to_vec().into()),
            None => None,
        };
        Ok(Self { kind, target, secret, language, outbound, console })
    }

    /// Scheme, host and port: what may be shown.
    pub fn host(&self) -> String {
        self.target.to_string()
    }

    /// Sends a message once.
    ///
    /// # Errors
    /// It was not taken.
    pub async fn send(&self, message: &Message, names: &dyn Names, now_ms: u64) -> Result<(), Failure> {
        let body = match self.kind {
            Kind::Generic => generic(message, names),
            _ => self.robot(&text::of(message, names, self.language, &self.console)),
        };
        self.post(&message.id, body, now_ms).await
    }

    /// Sends a message that only says that it is a test.
    ///
    /// # Errors
    /// It was not taken.
    pub async fn test(&self, id: &str, now_ms: u64) -> Result<(), Failure> {
        let body = match self.kind {
            Kind::Generic => json!({ "type": "test", "id": id, "at": now_ms }),
            _ => self.robot(text::test(self.language)),
        };
        self.post(id, body, now_ms).await
    }

    /// A text for people, as the robots take it.
    fn robot(&self, text: &str) -> Value {
        match self.kind {
            Kind::Feishu => json!({ "msg_type": "text", "content": { "text": text } }),
            _ => json!({ "msgtype": "text", "text": { "content": text } }),
        }
    }

    async fn post(&self, id: &str, mut body: Value, now_ms: u64) -> Result<(), Failure> {
        let mut target = self.target.clone();
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        if let Some(secret) = &self.secret {
            match self.kind {
                Kind::Wecom => {}
                Kind::Dingtalk => target.add_query(&sign::dingtalk(secret, now_ms)),
                Kind::Feishu => sign::feishu(secret, now_ms, &mut body),
                Kind::Generic => {}
            }
        }
        let body = Bytes::from(body.to_string());
        if self.kind == Kind::Generic {
            sign::generic(self.secret.as_ref().map(|secret| &secret[..]), id, now_ms, &body, &mut headers);
        }
        let answer = self.outbound.post(&target, headers, body).await;
        let answer = answer.map_err(|e| Failure { why: e.to_string(), retry_after: None })?;
        answer::judge(self.kind, &answer)
            .map_err(|failure| Failure { why: self.without_secrets(failure.why), ..failure })
    }

    /// What the other side wrote may repeat what only it and we should know.
    fn without_secrets(&self, mut text: String) -> String {
        let secret = self.secret.as_ref().and_then(|secret| std::str::from_utf8(secret).ok());
        for part in self.target.secrets().chain(secret).filter(|part| part.len() >= 4) {
            text = text.replace(part, "…");
        }
        text
    }
}

/// Groups of one event, team and site in a message; more are only counted.
const GROUPS: usize = 50;
/// Conversations named in a group.
const NAMED: usize = 20;

fn generic(message: &Message, names: &dyn Names) -> Value {
    let groups = text::groups(message);
    let listed: Vec<Value> = groups
        .iter()
        .take(GROUPS)
        .map(|group| {
            let site = group.site.map(|site| json!({ "id": site, "name": names.site(site) }));
            json!({
                "event": group.event,
                "team": { "id": group.team, "name": names.team(group.team) },
                "site": site,
                "count": group.count,
                "since": group.since,
                "conversations": group.convs.iter().take(NAMED).collect::<Vec<_>>(),
            })
        })
        .collect();
    json!({
        "type": "notices",
        "id": message.id,
        "at": message.at,
        "notices": listed,
        "more": groups.len().saturating_sub(GROUPS),
        "dropped": message.dropped,
    })
}
