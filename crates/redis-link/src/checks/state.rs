//! What one server says of itself.

use std::{collections::HashMap, time::Instant};

use redis::{Value, cmd};

use crate::{Address, Connection, Error, Pipeline, Role, Version, info::Info};

/// Settings that matter.
const SETTINGS: &[&str] = &[
    "appendonly",
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "replica-priority",
    "cluster-node-timeout",
    "cluster-replica-no-failover",
];

/// A server's settings and state at one moment.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) address: Address,
    pub(super) version: Version,
    pub(super) role: Role,
    /// None if they can't be read.
    pub(super) settings: Option<Info>,
    /// Sections persistence, memory and cluster of `INFO`.
    pub(super) info: Info,
    /// `CLUSTER INFO`, if it is a node of one.
    pub(super) cluster: Option<Info>,
    /// How far its clock is from ours at least, ms.
    pub(super) apart_ms: u64,
}

impl State {
    pub(super) async fn read(connection: &Connection) -> Result<Self, Error> {
        let questions = [
            cmd("CONFIG").arg("GET").arg(SETTINGS).take(),
            cmd("INFO").arg("persistence").arg("memory").arg("cluster").take(),
            cmd("CLUSTER").arg("INFO").take(),
            cmd("TIME"),
        ];
        let (began, began_ms) = (Instant::now(), kefu_clock::now_ms());
        let mut answers = connection.pipeline(&questions.into_iter().collect::<Pipeline>()).await?.into_iter();
        let took_ms = began.elapsed().as_millis() as u64;
        let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
        // an error means that we may not ask, or that there is no Cluster
        let settings = next().ok().map(|v| connection.read::<HashMap<_, _>>(v)).transpose()?.map(Info::from);
        let info = next().ok().map(|v| connection.read::<String>(v)).transpose()?;
        let cluster = next().ok().map(|v| connection.read::<String>(v)).transpose()?;
        let time = next().ok().map(|v| connection.read::<(u64, u64)>(v)).transpose()?;
        let server = connection.server();
        Ok(Self {
            address: server.address.clone(),
            version: server.version,
            role: server.role.clone(),
            settings,
            info: Info::parse(&info.unwrap_or_default()),
            cluster: cluster.as_deref().map(Info::parse),
            apart_ms: time.map_or(0, |(seconds, micros)| apart(began_ms, took_ms, seconds * 1000 + micros / 1000)),
        })
    }

    /// A setting, if settings can be read.
    pub(super) fn setting(&self, name: &str) -> Option<&str> {
        self.settings.as_ref()?.get(name)
    }
}

/// How far a clock that showed `theirs` at some moment of the `took_ms` after our `began_ms` is from ours at least, ms.
fn apart(began_ms: u64, took_ms: u64, theirs: u64) -> u64 {
    if theirs < began_ms { began_ms - theirs } else { theirs.saturating_sub(began_ms + took_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_an_answer_takes_is_no_difference_of_clocks() {
        for (theirs, expected) in [(1000, 0), (1500, 0), (3000, 0), (3001, 1), (999, 1), (0, 1000)] {
            assert_eq!(apart(1000, 2000, theirs), expected, "{theirs}");
        }
    }
}
