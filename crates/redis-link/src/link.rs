//! All servers of one URL: where they are, and connections to them.

use std::{fmt, sync::Arc};

use tokio::sync::watch;

use crate::{
    Address, Connection, Connector, Error, Handshake, Map, Options, Pushes, Subscriber, Url,
    topology::Topology,
    wire::{self, Wire},
};

/// The servers of a URL. Cheap to clone; its background tasks end with its last clone.
#[derive(Clone)]
pub struct Link(Arc<Inner>);

struct Inner {
    url: Url,
    connector: Connector,
    topology: Topology,
}

impl Link {
    /// Reads which servers there are.
    ///
    /// # Errors
    /// Settings that can't be right, or what the last of those that should know answered.
    pub async fn connect(url: &Url, options: Options) -> Result<Self, Error> {
        let connector = Connector::new(url, options)?;
        let topology = Topology::read(url, &connector).await?;
        Ok(Self(Arc::new(Inner { url: url.clone(), connector, topology })))
    }

    /// Where it was told to look.
    pub fn url(&self) -> &Url {
        &self.0.url
    }

    /// Opens connections to addresses, whatever the map says.
    pub fn connector(&self) -> &Connector {
        &self.0.connector
    }

    /// Which servers there are now.
    pub fn map(&self) -> Arc<Map> {
        self.0.topology.map()
    }

    /// The current map, and each that follows.
    pub fn watch(&self) -> watch::Receiver<Arc<Map>> {
        self.0.topology.watch()
    }

    /// Reads the map again soon; any number of calls make one read. For whoever got an error with [`Error::is_topology`].
    pub fn refresh(&self) {
        self.0.topology.refresh();
    }

    /// Opens a connection for commands to the primary of a shard. It ends when another server becomes the primary: one that
    /// comes back after a failover takes itself for the primary until it is told, and knows nothing of what happened since.
    ///
    /// # Errors
    /// [`Error::NoPrimary`], or as [`Connector::open`]. If the map may be wrong, it is read again.
    pub async fn open(&self, shard: usize, handshake: &Handshake<'_>) -> Result<Connection, Error> {
        let connection = self.noticed(self.0.connector.open(&self.primary(shard)?, handshake).await)?;
        self.end_with_primary(shard, connection.wire());
        Ok(connection)
    }

    /// Opens a connection for subscriptions to the primary of a shard. It ends when another server becomes the primary.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn subscribe(&self, shard: usize, handshake: &Handshake<'_>) -> Result<(Subscriber, Pushes), Error> {
        let (subscriber, pushes) = self.noticed(self.0.connector.subscribe(&self.primary(shard)?, handshake).await)?;
        self.end_with_primary(shard, subscriber.wire());
        Ok((subscriber, pushes))
    }

    /// Ends a connection as soon as the map names another primary.
    fn end_with_primary(&self, shard: usize, wire: &Wire) {
        let (mut maps, end, address) = (self.watch(), wire.ending(), wire.address().clone());
        tokio::spawn(async move {
            let mut ended = end.subscribe();
            let another = |map: &Arc<Map>| {
                let primary = map.shards().get(shard).and_then(|shard| shard.primary.as_ref());
                primary.is_some_and(|primary| *primary != address)
            };
            let replaced = tokio::select! {
                // an error: the link is gone, and with it the map
                map = maps.wait_for(another) => map.is_ok(),
                _ = ended.wait_for(Option::is_some) => false,
            };
            if replaced {
                wire::end(&end, "another server is the primary now");
            }
        });
    }

    fn primary(&self, shard: usize) -> Result<Address, Error> {
        let primary = self.map().shards().get(shard).and_then(|shard| shard.primary.clone());
        let missing = Error::NoPrimary { shard };
        self.noticed(primary.ok_or(missing))
    }

    fn noticed<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        result.inspect_err(|error| {
            if error.is_topology() {
                self.refresh();
            }
        })
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("url", &self.0.url).field("map", &self.map()).finish()
    }
}
