//! What is driven with load: where a server is, and who clients may be there.

use std::sync::Arc;

use kefu_client::{Address, fetch_directory};
use kefu_crypto::{directory::Directory, sign::SigningKey};
use kefu_proto::{OrgFp, SiteId};

use crate::error::LoadError;

/// A server, and who clients may be there.
#[derive(Debug, Clone)]
pub struct Target {
    /// Address of the server.
    pub address: Address,
    /// The directory; its fingerprint is the pin.
    pub directory: Arc<Directory>,
    /// The site of the visitors.
    pub site: SiteId,
    /// Keys of agents of the site's team.
    pub agents: Vec<SigningKey>,
}

impl Target {
    /// A server that runs already: its directory is fetched and verified under the company's fingerprint.
    pub async fn find(address: Address, org: OrgFp, site: SiteId, agents: Vec<SigningKey>) -> Result<Self, LoadError> {
        let directory = Arc::new(fetch_directory(&address, org).await?);
        if !directory.site(&site).is_some_and(|s| s.on) {
            return Err(LoadError::NoSite(site));
        }
        Ok(Self { address, directory, site, agents })
    }
}
