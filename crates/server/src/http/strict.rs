//! `Strict-Transport-Security`: from the first visit on, browsers ask for this host over https only.
//!
//! A browser applies it to every port of the host and remembers it for long. So it is sent only where kefu is what the host
//! is for: under the name that people are given, at the port of https. Not at another port, where something else may live
//! beside kefu; not to `localhost`, which other programs use, too; addresses can't have it.

use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderValue};

/// Value of the header, and the host it is sent for.
#[derive(Debug)]
pub struct Strict {
    host: String,
    value: HeaderValue,
}

impl Strict {
    /// For a public address; with zero days, browsers are told to forget it. None: it must not be sent there.
    pub fn new(public_url: &str, days: u32) -> Option<Self> {
        let host = public_url.strip_prefix("https://")?.to_lowercase();
        let host = host.strip_suffix(":443").unwrap_or(&host);
        let local = host == "localhost" || host.ends_with(".localhost");
        if local || host.contains([':', '[', '/']) || host.parse::<IpAddr>().is_ok() || host.is_empty() {
            return None;
        }
        let value = HeaderValue::try_from(format!("max-age={}", u64::from(days) * 86_400)).ok()?;
        Some(Self { host: host.to_owned(), value })
    }

    /// The header for a request, if it came under that name.
    pub fn of(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let asked = request.get(header::HOST)?.to_str().ok()?;
        let asked = asked.strip_suffix(":443").unwrap_or(asked);
        asked.eq_ignore_ascii_case(&self.host).then(|| self.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(public_url: &str, host: &'static str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(host));
        Some(Strict::new(public_url, 365)?.of(&headers)?.to_str().unwrap().to_owned())
    }

    #[test]
    fn it_is_said_under_the_public_name_at_the_port_of_https_and_nowhere_else() {
        let year = Some("max-age=31536000".to_owned());
        assert_eq!(said("https://chat.example.com", "chat.example.com"), year);
        assert_eq!(said("https://Chat.example.com:443", "chat.example.com:443"), year);
        for (url, host) in [
            ("http://chat.example.com", "chat.example.com"),
            ("https://chat.example.com:8443", "chat.example.com:8443"),
            ("https://chat.example.com", "intranet"),
            ("https://chat.example.com", "chat.example.com:8443"),
            ("https://localhost", "localhost"),
            ("https://a.localhost", "a.localhost"),
            ("https://192.0.2.1", "192.0.2.1"),
            ("https://[2001:db8::1]", "[2001:db8::1]"),
        ] {
            assert_eq!(said(url, host), None, "{url} {host}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("chat.example.com"));
        assert_eq!(Strict::new("https://chat.example.com", 0).unwrap().of(&headers).unwrap(), "max-age=0");
    }
}
