//! Web Push: wakes the console of an agent whose page is closed. A message says nothing, not even encrypted: the page looks for
//! itself. The addresses come from browsers, so only those of known push services are used, and they are checked like those of webhooks.

mod encrypt;
mod vapid;

use std::{fmt, net::IpAddr};

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use hyper::{HeaderMap, header, http::HeaderValue};
use serde::{Deserialize, Serialize};

pub use encrypt::UserKeys;
pub use vapid::{KeyError, VapidKey};

use crate::outbound::{Outbound, Target};

/// Largest address of a subscription.
const ENDPOINT: usize = 1_024;
/// What a message says.
const LOOK: &[u8] = b"look";
/// A push service forgets what it could not deliver after this, seconds: who waited is then told of again.
const TTL_S: &str = "120";

/// What a browser gave for one of its installations.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subscription {
    /// Where its push service takes messages. Whoever knows it can send some.
    pub endpoint: String,
    /// Its P-256 key, b64u.
    pub p256dh: String,
    /// Its secret, b64u.
    pub auth: String,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subscription(hidden)")
    }
}

/// Why a subscription is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// Its address.
    #[error("the endpoint is no address of the form https://host/path")]
    Endpoint,
    /// Its host.
    #[error("the endpoint is not of a push service that this server uses (hosts in [push])")]
    Host,
    /// Its keys.
    #[error("the keys are not those of a subscription")]
    Keys,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The push service has it.
    Taken,
    /// There is no such subscription any more.
    Gone,
    /// Why not.
    Failed(String),
}

/// Sends messages.
pub struct Push {
    outbound: Outbound,
    key: VapidKey,
    /// Whom push services may write to, `mailto:` or `https:`.
    contact: String,
    /// `host`, or `*.host` for all below it.
    hosts: Vec<String>,
}

impl Push {
    /// With the key that browsers subscribe under.
    pub fn new(outbound: Outbound, key: VapidKey, contact: String, hosts: Vec<String>) -> Self {
        Self { outbound, key, contact, hosts }
    }

    /// The key that browsers subscribe under, b64u.
    pub fn public_key(&self) -> String {
        self.key.public_text()
    }

    /// Whether a subscription can be used.
    ///
    /// # Errors
    /// It can't.
    pub fn check(&self, subscription: &Subscription) -> Result<(), SubscriptionError> {
        self.target(subscription).and_then(|_| UserKeys::of(subscription).map(drop).ok_or(SubscriptionError::Keys))
    }

    fn target(&self, subscription: &Subscription) -> Result<Target, SubscriptionError> {
        if subscription.endpoint.len() > ENDPOINT {
            return Err(SubscriptionError::Endpoint);
        }
        let target = Target::parse(&subscription.endpoint, self.outbound.allows_private())
            .map_err(|_| SubscriptionError::Endpoint)?;
        let host = target.host().to_ascii_lowercase();
        let known = self.hosts.iter().any(|known| match known.strip_prefix("*.") {
            // an address has no names below it
            Some(domain) if host.parse::<IpAddr>().is_err() => {
                host.strip_suffix(domain).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            Some(_) => false,
            None => host == *known,
        });
        known.then_some(target).ok_or(SubscriptionError::Host)
    }

    /// Has an installation look.
    pub async fn send(&self, to: &Subscription, now_ms: u64) -> Sent {
        let target = match self.target(to) {
            Ok(target) => target,
            // the settings changed since
            Err(SubscriptionError::Host) => return Sent::Gone,
            Err(e) => return Sent::Failed(e.to_string()),
        };
        let Some(body) = UserKeys::of(to).and_then(|keys| keys.encrypt(LOOK)) else {
            return Sent::Failed(SubscriptionError::Keys.to_string());
        };
        let mut headers = HeaderMap::new();
        let authorization = self.key.authorization(&target.origin(), &self.contact, now_ms / 1_000);
        let Ok(mut authorization) = HeaderValue::from_str(&authorization) else {
            return Sent::Failed("the contact in [push] can't be sent".to_owned());
        };
        authorization.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, authorization);
        for (name, value) in [("content-encoding", "aes128gcm"), ("ttl", TTL_S), ("urgency", "high"), ("topic", "look")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        match self.outbound.post(&target, headers, Bytes::from(body)).await {
            Ok(answer) if answer.status.is_success() => Sent::Taken,
            Ok(answer) if matches!(answer.status.as_u16(), 404 | 410) => Sent::Gone,
            Ok(answer) => Sent::Failed(format!("{target} answered with status {}", answer.status.as_u16())),
            Err(e) => Sent::Failed(e.to_string()),
        }
    }
}

fn decoded<const N: usize>(text: &str) -> Option<[u8; N]> {
    BASE64URL_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()?.try_into().ok()
}
