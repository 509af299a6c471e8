//! Who a socket is for.

use crate::proto::SiteId;

/// Who a socket is for.
#[derive(Debug, Clone)]
pub enum SocketKind {
    /// A widget on this site.
    Visitor(SiteId),
    /// An agent's console.
    Agent,
}
