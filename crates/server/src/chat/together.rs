//! Limits that are for the company, not for each of its servers: openings of conversations, and sign-ins begun at an address.
//! Servers that share a database take from buckets there; the buckets of this server hold what it let through itself, and are
//! all there is while the database does not answer. (Then nothing can be opened and nobody signs in anyway: `Org` refuses.)

use std::time::Duration;

use tokio::time::timeout;

use super::{Address, Chat, RequestError, limits::Act};
use crate::{
    hub::{Conn, Who},
    proto::ErrorCode,
    store::Take,
};

/// How long the database is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

impl Chat {
    /// What the opening of a conversation costs.
    pub(super) async fn charge_opening(&self, conn: &Conn, address: Address, act: Act) -> Result<(), RequestError> {
        self.charge(conn, address, act)?;
        let Who::Visitor { kid, .. } = &conn.who else { return Ok(()) };
        let takes = self.limits.shared_opening(*kid, address, |kind, part| self.shared_name(kind, part));
        match self.take_together(takes).await {
            Ok(()) => Ok(()),
            Err(wait) => Err(self.limited(self.limits.opening_refused(*kid, wait, self.now_ms()))),
        }
    }

    /// One try of a password from this address.
    pub async fn limit_login(&self, address: Address) -> Result<(), RequestError> {
        let here = self.limits.login(address, self.now_ms());
        let takes = || self.limits.shared_login(address, |kind, part| self.shared_name(kind, part));
        let taken = match here {
            Ok(()) => self.take_together(takes()).await,
            refused => refused,
        };
        taken.map_err(|wait| RequestError {
            retry_ms: Some(wait),
            ..RequestError::new(ErrorCode::RateLimited, "too many sign-ins from this address; wait a moment")
        })
    }

    fn shared_name(&self, kind: &str, part: &[u8]) -> Vec<u8> {
        self.org.counted_name(kind, &[part]).to_vec()
    }

    /// Takes from buckets that all servers share; else how long to wait, ms. A server without others has its own buckets only.
    async fn take_together(&self, takes: Vec<Take>) -> Result<(), u64> {
        let Some(shared) = self.store.ephemeral() else { return Ok(()) };
        match timeout(PATIENCE, shared.take(takes)).await {
            Ok(Ok(taken)) => taken,
            Ok(Err(e)) => {
                tracing::debug!(error = %e, "limits of all servers can't be looked at; those of this one count");
                Ok(())
            }
            Err(_) => Ok(()),
        }
    }
}
