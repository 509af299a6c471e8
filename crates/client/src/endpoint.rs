//! Which socket of a server: visitors and agents each have their own.

use kefu_proto::{Side, SiteId};

/// What a WebSocket is asked for with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Path of the socket.
    pub path: String,
    /// Who signs in there.
    pub side: Side,
    /// Headers besides those that every WebSocket has; a `host` among them replaces the address's.
    pub headers: Vec<(&'static str, String)>,
}

impl Endpoint {
    /// For visitors of a site.
    pub fn visitor(site: &SiteId) -> Self {
        Self { path: format!("/api/v1/ws/site/{site}"), side: Side::Visitor, headers: Vec::new() }
    }

    /// For agents.
    pub fn agent() -> Self {
        Self { path: "/api/v1/ws/agent".to_owned(), side: Side::Agent, headers: Vec::new() }
    }
}
