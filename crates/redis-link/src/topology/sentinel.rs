//! Sentinels: each knows where the primary is; their announcement says when that changes.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use redis::cmd;
use tokio::{sync::Notify, task::JoinSet, time::interval};

use super::{Answer, Found, ask};
use crate::{Address, Backoff, Channels, Connector, Error, Expect, Handshake, Pipeline, Push, Value, info::Info};

/// How a Sentinel announces another primary.
const SWITCH: &str = "+switch-master";
/// Between two questions whether a Sentinel that says nothing is there.
const PING: std::time::Duration = std::time::Duration::from_secs(10);

pub(super) struct Source {
    connector: Connector,
    sentinels: Vec<Address>,
    master: String,
    /// The one that announced last: asked first.
    first: Arc<AtomicUsize>,
}

impl Source {
    pub(super) fn new(connector: Connector, sentinels: Vec<Address>, master: String) -> Self {
        Self { connector, sentinels, master, first: Arc::default() }
    }

    /// Wants the map read again when one of the Sentinels announces another primary, and when an announcement may have been
    /// missed.
    pub(super) fn listen(&self, wanted: &Arc<Notify>, tasks: &mut JoinSet<()>) {
        for (number, address) in self.sentinels.iter().cloned().enumerate() {
            let (connector, wanted, first) = (self.connector.clone(), wanted.clone(), self.first.clone());
            let about = format!("{} ", self.master);
            tasks.spawn(async move {
                let mut backoff = Backoff::default();
                loop {
                    let heard = || {
                        first.store(number, Ordering::Relaxed);
                        wanted.notify_one();
                    };
                    // it ends with an error, always
                    let _ = listen(&connector, &address, &about, heard, || backoff.reset()).await;
                    backoff.wait().await;
                }
            });
        }
    }

    pub(super) async fn read(&self, epoch: u64) -> Result<Answer, Error> {
        let mut sentinels: Vec<&Address> = self.sentinels.iter().collect();
        sentinels.rotate_left(self.first.load(Ordering::Relaxed));
        ask(sentinels, epoch, |sentinel| self.question(sentinel)).await
    }

    async fn question(&self, sentinel: &Address) -> Result<(Answer, bool), Error> {
        let handshake = Handshake::primary("kefu-topology").expect(Expect::Sentinel);
        let connection = self.connector.open(sentinel, &handshake).await?;
        let questions = ["GET-MASTER-ADDR-BY-NAME", "MASTER", "REPLICAS"];
        let questions: Pipeline =
            questions.iter().map(|what| cmd("SENTINEL").arg(what).arg(&self.master).to_owned()).collect();
        let mut answers = connection.pipeline(&questions).await?.into_iter();
        let mut next = || answers.next().unwrap_or(Ok(Value::Nil));
        let Some((host, port)) = connection.read::<Option<(String, u16)>>(next()?)? else {
            let message = format!("knows no master {}: name one of `sentinel monitor` after the hosts", self.master);
            return Err(Error::WrongKind { address: sentinel.clone(), message });
        };
        let master: Info = connection.read::<std::collections::HashMap<_, _>>(next()?)?.into();
        let replicas: Vec<std::collections::HashMap<String, String>> = connection.read(next()?)?;
        let replicas = replicas.into_iter().map(Info::from).filter_map(|replica| {
            let down =
                replica.get("flags").is_none_or(|flags| flags.contains("down") || flags.contains("disconnected"));
            let address = Address::new(replica.get("ip")?, replica.number("port")?);
            (!down).then_some(address)
        });
        let primary = Address::new(host, port);
        let replicas = replicas.filter(|replica| *replica != primary).collect();
        let epoch = master.number("config-epoch").unwrap_or(0);
        Ok((Answer { shards: vec![Found::whole(primary, replicas)], epoch }, true))
    }
}

async fn listen(
    connector: &Connector,
    address: &Address,
    about: &str,
    heard: impl Fn(),
    mut connected: impl FnMut(),
) -> Result<(), Error> {
    let handshake = Handshake::primary("kefu-topology").expect(Expect::Sentinel);
    let (subscriber, mut pushes) = connector.subscribe(address, &handshake).await?;
    subscriber.subscribe(Channels::Plain, &[SWITCH]).await?;
    connected();
    heard();
    let mut ping = interval(PING);
    loop {
        tokio::select! {
            push = pushes.next() => if let Push::Message { payload, .. } = push? && payload.starts_with(about.as_bytes()) {
                heard();
            },
            _ = ping.tick() => subscriber.ping().await?,
        }
    }
}
