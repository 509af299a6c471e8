//! Which servers there are: read at the beginning, when Sentinels announce another primary, and when somebody found that it must
//! have changed. A server whose answer is older than what is known is not believed.

mod ask;
mod cluster;
mod map;
mod sentinel;
mod server;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{Backoff, Connector, Error, Place, Url};
use ask::{Answer, ask};
pub(crate) use map::Found;
pub use map::{Map, Shard};

/// Between two reads when nothing changes, at most.
const LONGEST: Duration = Duration::from_secs(2);

/// Who is asked.
enum Source {
    Server(server::Source),
    Sentinel(sentinel::Source),
    Cluster(cluster::Source),
}

impl Source {
    async fn read(&mut self, known: &Map, epoch: u64) -> Result<Answer, Error> {
        match self {
            Self::Server(source) => source.read().await,
            Self::Sentinel(source) => source.read(epoch).await,
            Self::Cluster(source) => source.read(known, epoch).await,
        }
    }
}

/// The current map, kept current by tasks that end with this.
pub(crate) struct Topology {
    map: watch::Receiver<Arc<Map>>,
    wanted: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Topology {
    /// Reads the map for the first time.
    pub(crate) async fn read(url: &Url, connector: &Connector) -> Result<Self, Error> {
        let wanted = Arc::new(Notify::new());
        let mut tasks = JoinSet::new();
        let mut source = match &url.place {
            Place::Server(address, _) => Source::Server(server::Source::new(connector.clone(), address.clone())),
            Place::Sentinel(sentinels, master) => {
                let source = sentinel::Source::new(connector.clone(), sentinels.clone(), master.clone());
                source.listen(&wanted, &mut tasks);
                Source::Sentinel(source)
            }
            Place::Cluster(seeds) => Source::Cluster(cluster::Source::new(connector.clone(), seeds.clone())),
        };
        let first = source.read(&Map::default(), 0).await?;
        let (sender, map) = watch::channel(Arc::new(Map::default().next(first.shards)));
        tasks.spawn(keep(source, sender, wanted.clone(), first.epoch));
        Ok(Self { map, wanted, _tasks: tasks })
    }

    pub(crate) fn map(&self) -> Arc<Map> {
        self.map.borrow().clone()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<Arc<Map>> {
        self.map.clone()
    }

    /// Reads the map again soon. Any number of calls are one until the read begins.
    pub(crate) fn refresh(&self) {
        self.wanted.notify_one();
    }
}

/// Reads the map each time that somebody wants it, until it succeeds. Reads that change nothing come less and less often.
async fn keep(mut source: Source, map: watch::Sender<Arc<Map>>, wanted: Arc<Notify>, mut epoch: u64) {
    let mut backoff = Backoff::new(Duration::from_millis(50), LONGEST);
    let mut last = Instant::now();
    loop {
        wanted.notified().await;
        if last.elapsed() > LONGEST {
            backoff.reset();
        }
        loop {
            let known = map.borrow().clone();
            let answer = source.read(&known, epoch).await;
            last = Instant::now();
            if let Ok(answer) = answer {
                epoch = answer.epoch;
                let next = known.next(answer.shards);
                if next != *known {
                    map.send_replace(Arc::new(next));
                    backoff.reset();
                }
                break;
            }
            // what is announced meanwhile may be just what was missing
            let _ = timeout(backoff.next_delay(), wanted.notified()).await;
        }
        backoff.wait().await;
    }
}
