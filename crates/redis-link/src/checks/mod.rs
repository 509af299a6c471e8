//! Whether servers are set so that what they acknowledge is not lost: what is read of them (`state`), what it means (`rules`), and all
//! servers of a URL at once ([`Link::check`](crate::Link::check)).
//!
//! Nothing here writes to a server.

mod finding;
mod link;
mod rules;
mod state;

pub use finding::{Finding, Severity, accept};
pub(crate) use rules::too_old;

use crate::{Connection, Error};

/// What is asked of the servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// How many replicas must have a write before it counts.
    pub replicas: usize,
    /// Whether settings that can lose data, or can't be read, are only warned of: for services that set them as they please.
    pub unchecked: bool,
}

/// Looks at one primary over a connection that is open already: four short commands in one write, for every handshake.
///
/// # Errors
/// The connection's. Commands that the server does not let us use are findings.
pub async fn primary(connection: &Connection, needs: &Needs) -> Result<Vec<Finding>, Error> {
    let state = state::State::read(connection).await?;
    Ok(rules::primary(&state, needs))
}
