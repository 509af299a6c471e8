//! The one place that every request under `/api/v1` and every upgrade to a socket passes before any work is done for it.

use std::net::IpAddr;

use hyper::{Request, body::Incoming};

use crate::chat::Refusal;

use super::Http;

/// Whether somebody at an address may ask now. Limits of reads by address belong here; so far it only counts.
pub fn admit(http: &Http, _address: IpAddr, _request: &Request<Incoming>) -> Result<(), Refusal> {
    http.metrics.api_requests.inc();
    Ok(())
}
