//! One server: always the same, with whatever replicas it has now.

use redis::cmd;

use super::{Answer, Found};
use crate::{Address, Connector, Error, Handshake, Role, info::Info};

pub(super) struct Source {
    connector: Connector,
    address: Address,
}

impl Source {
    pub(super) fn new(connector: Connector, address: Address) -> Self {
        Self { connector, address }
    }

    pub(super) async fn read(&self) -> Result<Answer, Error> {
        let connection = self.connector.open(&self.address, &Handshake::primary("kefu-topology")).await?;
        let cluster = Info::parse(&connection.query::<String>(cmd("INFO").arg("cluster")).await?);
        if cluster.get("cluster_enabled") == Some("1") {
            let message = "is a node of a Cluster: write redis+cluster:// instead of redis://".to_owned();
            return Err(Error::WrongKind { address: self.address.clone(), message });
        }
        let replicas = match &connection.server().role {
            Role::Primary { replicas } => replicas.clone(),
            // the handshake refuses them
            Role::Replica { .. } | Role::Sentinel => vec![],
        };
        Ok(Answer { shards: vec![Found::whole(self.address.clone(), replicas)], epoch: 0 })
    }
}
