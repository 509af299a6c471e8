//! What agents may look up while they answer: a site's knowledge. It is the company's own text. What a visitor wrote is not
//! asked for here: the agent's browser, which can read it, searches by itself.

use bytes::Bytes;

use super::{Chat, RequestError};
use crate::proto::{ErrorCode, Owner, SiteId, UserId};

/// Maximum number of bytes of a [`SiteKnowledge`]: what a browser fetches and searches without anyone waiting.
pub const MAX_SITE_KNOWLEDGE: usize = 4 * 1024 * 1024;

/// The knowledge of one site that holds today, as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteKnowledge {
    /// Changes whenever the body does.
    pub tag: String,
    /// `{"entries":[{"id","question","similar"?,"answer","lang"?}]}`
    pub body: Bytes,
}

/// Where knowledge comes from.
pub trait KnowledgeSource: Send + Sync + 'static {
    /// The knowledge of a site. May read the disk.
    ///
    /// # Errors
    /// `too_large` beyond [`MAX_SITE_KNOWLEDGE`]; `storage` if it can't be read.
    fn site_knowledge(&self, site: &SiteId, now_ms: u64) -> Result<SiteKnowledge, RequestError>;
}

impl Chat {
    /// Whether an agent may have the knowledge of a site: its team is theirs, or a conversation of it came to them.
    ///
    /// # Errors
    /// `not_found`, `forbidden`.
    pub async fn may_look_up(&self, user: &UserId, site: &SiteId) -> Result<(), RequestError> {
        let directory = self.org.directory();
        let team = directory.site(site).map(|s| &s.team);
        let team = team.ok_or_else(|| RequestError::new(ErrorCode::NotFound, "there is no such site"))?;
        let theirs = self.agent(user).is_some_and(|a| a.teams.contains(team));
        let came = |s: &crate::proto::Summary| s.site == *site && s.owner == Owner::Agent(user.clone());
        if theirs || self.open_for(user).await?.iter().any(came) {
            return Ok(());
        }
        Err(RequestError::new(ErrorCode::Forbidden, "this site is answered by another team"))
    }
}
