//! The server under attack, as its clients know it.

use std::{fs, net::SocketAddr};

use kefu::{
    client::Address,
    crypto::{directory::Directory, sign::SigningKey},
    proto::SiteId,
};

/// What clients must know of a server.
pub struct Target {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its verified directory.
    pub directory: Directory,
    /// The site of the visitors.
    pub site: SiteId,
    /// Keys of the agents.
    pub agents: Vec<SigningKey>,
}

impl Target {
    /// Where clients connect.
    pub fn address(&self) -> Address {
        Address::plain(self.addr)
    }

    /// Connections to the server that the kernel holds on its side, and bytes that wait there to be sent.
    pub fn kernel(&self) -> (usize, u64) {
        let port = format!(":{:04X}", self.addr.port());
        let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let rows = table.lines().map(|l| l.split_whitespace().collect::<Vec<_>>());
        // established or half closed, seen from the server
        let ours = rows.filter(|r| r.len() > 4 && r[1].ends_with(&port) && !["0A", "06"].contains(&r[3]));
        ours.fold((0, 0), |(count, bytes), r| {
            let queued = r[4].split(':').next().and_then(|q| u64::from_str_radix(q, 16).ok());
            (count + 1, bytes + queued.unwrap_or(0))
        })
    }
}
