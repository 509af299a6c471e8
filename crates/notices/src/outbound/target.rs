//! Where a request goes.

use std::fmt;

use hyper::Uri;
use rustls::pki_types::ServerName;

/// An address of a request. Only scheme, host and port are shown: the rest may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// A name or an address, without brackets.
    host: String,
    port: u16,
    /// The `Host` header.
    authority: String,
    path_and_query: String,
    /// None: plain HTTP.
    server_name: Option<ServerName<'static>>,
}

/// Why a text is no address. What is wrong is said without repeating it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No address.
    #[error("it is no address of the form https://host/path")]
    Form,
    /// Without TLS.
    #[error("it must begin with https://; http:// is possible only with allow_private = true")]
    Plain,
    /// Names and passwords belong elsewhere.
    #[error("it has a user name or a password before the host")]
    User,
}

impl Target {
    /// Reads `https://host[:port]/path?query`; with `plain` also `http://`.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(url: &str, plain: bool) -> Result<Self, TargetError> {
        let uri: Uri = url.parse().map_err(|_| TargetError::Form)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if plain => false,
            Some("http") => return Err(TargetError::Plain),
            _ => return Err(TargetError::Form),
        };
        let authority = uri.authority().ok_or(TargetError::Form)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::User);
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(TargetError::Form);
        }
        let usual = if secure { 443 } else { 80 };
        let port = authority.port_u16().unwrap_or(usual);
        let server_name = match secure {
            true => Some(ServerName::try_from(host.clone()).map_err(|_| TargetError::Form)?),
            false => None,
        };
        let authority =
            if port == usual { authority.host().to_owned() } else { format!("{}:{port}", authority.host()) };
        let path_and_query = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host, port, authority, path_and_query, server_name })
    }

    /// A name or an address.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `https://host[:port]`, as browsers write origins.
    pub fn origin(&self) -> String {
        self.to_string()
    }

    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    pub(super) fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    pub(super) fn server_name(&self) -> Option<&ServerName<'static>> {
        self.server_name.as_ref()
    }

    /// Adds to the query. The text is escaped already.
    pub(crate) fn add_query(&mut self, text: &str) {
        let between = if self.path_and_query.contains('?') { '&' } else { '?' };
        self.path_and_query = format!("{}{between}{text}", self.path_and_query);
    }

    /// Parts of the address that may be secrets.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let parts = self.path_and_query.split(['/', '?', '&', '=']);
        parts.filter(|part| part.len() >= 8)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.server_name.is_some() { "https" } else { "http" }, self.authority)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_secret() {
        let target =
            Target::parse("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693axxx6-7aoc", false).unwrap();
        assert_eq!((target.to_string().as_str(), target.port()), ("https://qyapi.weixin.qq.com", 443));
        assert_eq!(format!("{target:?}"), "Target(https://qyapi.weixin.qq.com)");
        assert!(target.secrets().any(|part| part == "693axxx6-7aoc"));
    }

    #[test]
    fn other_schemes_users_and_nonsense_are_refused() {
        for (url, plain, error) in [
            ("", true, TargetError::Form),
            ("ftp://x/", true, TargetError::Form),
            ("file:///etc/passwd", true, TargetError::Form),
            ("//x", true, TargetError::Form),
            ("https://", true, TargetError::Form),
            ("https://a b/", true, TargetError::Form),
            ("http://x/", false, TargetError::Plain),
            ("https://me:pw@x/", true, TargetError::User),
            ("https://x@127.0.0.1/", false, TargetError::User),
        ] {
            assert_eq!(Target::parse(url, plain), Err(error), "{url}");
        }
        assert_eq!(Target::parse("http://[::1]:99/a?b", true).unwrap().host(), "::1");
    }
}
