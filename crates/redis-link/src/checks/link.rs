//! All servers of a URL.

use futures_util::future::join_all;
use redis::cmd;

use super::{
    Finding, Needs,
    rules::{self, SILENCE_MS, refuses, warns},
    state::State,
};
use crate::{Address, Connection, Error, Expect, Handshake, Link, Place, Role, Shard, info::Info};

/// Name of the connections that check.
const NAME: &str = "kefu-check";

impl Link {
    /// Looks at every primary, every replica and every Sentinel. A server that can't be looked at is a finding too.
    pub async fn check(&self, needs: &Needs) -> Vec<Finding> {
        let map = self.map();
        let mut findings = vec![];
        if !map.is_whole() {
            let what = format!(
                "{} serves not all slots: add servers for those that are missing in `CLUSTER SHARDS`",
                self.url()
            );
            findings.push(refuses("coverage", what));
        }
        let present = map.shards().iter().filter(|shard| !shard.slots.is_empty());
        let shards = join_all(present.map(|shard| self.check_shard(shard, needs))).await;
        findings.extend(shards.into_iter().flatten());
        if let Place::Sentinel(sentinels, master) = &self.url().place {
            let sentinels = join_all(sentinels.iter().map(|sentinel| self.check_sentinel(sentinel, master))).await;
            findings.extend(sentinels.into_iter().flatten());
        }
        findings
    }

    async fn check_shard(&self, shard: &Shard, needs: &Needs) -> Vec<Finding> {
        let Some(address) = &shard.primary else {
            return vec![refuses("unreachable", Error::NoPrimary { shard: shard.index }.to_string())];
        };
        let primary = match self.look(address, Expect::Primary).await {
            Ok((connection, state)) => (connection, state),
            Err(error) => return vec![refuses("unreachable", error.to_string())],
        };
        let mut findings = rules::primary(&primary.1, needs);
        findings.extend(self.access(address).await);
        let mut addresses = shard.replicas.clone();
        if let Role::Primary { replicas } = &primary.0.server().role {
            addresses.extend(replicas.iter().filter(|replica| !shard.replicas.contains(replica)).cloned());
        }
        let looks = join_all(addresses.iter().map(|replica| self.look(replica, Expect::Any))).await;
        let mut replicas = vec![];
        for (address, look) in addresses.iter().zip(looks) {
            match look {
                Ok((_, state)) => replicas.push(state),
                Err(error) => {
                    let what = format!("a replica can't be looked at, {error}: let this machine connect to {address}");
                    findings.push(warns("replica-unreachable", what));
                }
            }
        }
        if replicas.len() < needs.replicas && addresses.len() >= needs.replicas && !needs.unchecked {
            let (have, k) = (replicas.len(), needs.replicas);
            let what = format!(
                "only {have} replicas of {address} could be looked at, of {k} required: see why, or require fewer"
            );
            findings.push(refuses("replicas-seen", what));
        }
        findings.extend(replicas.iter().flat_map(|replica| rules::any(replica, needs)));
        if !matches!(self.url().place, Place::Server(..)) {
            findings.extend(rules::promotable(address, &replicas, needs));
        }
        findings
    }

    async fn look(&self, address: &Address, expect: Expect) -> Result<(Connection, State), Error> {
        let connection = self.connector().open(address, &Handshake::primary(NAME).expect(expect)).await?;
        let state = State::read(&connection).await?;
        Ok((connection, state))
    }

    /// Who can listen, and who can come in.
    async fn access(&self, address: &Address) -> Vec<Finding> {
        let mut findings = vec![];
        if !self.connector().is_encrypted() && !address.is_loopback() {
            let what =
                format!("connections to {address} are not encrypted: set `tls-port` there and write rediss here");
            findings.push(warns("encryption", what));
        }
        let anybody = Handshake::primary(NAME).expect(Expect::Any);
        if self.connector().anonymous().open(address, &anybody).await.is_ok() {
            let what = format!("{address} lets in everybody: set `requirepass` or users there, and a password here");
            findings.push(warns("password", what));
        }
        findings
    }

    async fn check_sentinel(&self, address: &Address, master: &str) -> Option<Finding> {
        let look = async {
            let handshake = Handshake::primary(NAME).expect(Expect::Sentinel);
            let connection = self.connector().open(address, &handshake).await?;
            connection.query::<std::collections::HashMap<_, _>>(cmd("SENTINEL").arg("MASTER").arg(master)).await
        };
        match look.await.map(Info::from) {
            Err(error) => Some(warns("sentinel-unreachable", format!("a Sentinel does not answer, {error}: start it"))),
            Ok(state) => state.number("down-after-milliseconds").filter(|ms: &u64| *ms > SILENCE_MS).map(|_| {
                let what = format!(
                    "the Sentinel {address} waits long before it has another primary chosen: \
                     set `sentinel down-after-milliseconds {master} {SILENCE_MS}` or less"
                );
                warns("down-after", what)
            }),
        }
    }
}
