//! The other servers of a company, if it is in a database that several share: joining them, and what a server does that can't reach
//! them or is to take no more clients.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Value, json};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use super::{storage::Backend, tasks::Tasks};
use crate::{
    bus::{
        Bus, NoOthers,
        redis::{Handle, Own, RedisBus},
    },
    chat::{Chat, Figures},
    config::Config,
    http::admin::Servers,
    hub::Hub,
    org::{Org, Secrets},
    proto::CloseCode,
    store::redis::Standing,
};

/// So long a server keeps its clients though the database can't be reached: longer than a failover takes.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long others may take to say what they counted.
const COUNTING: Duration = Duration::from_millis(500);
/// How often a server that serves nobody sends away who comes all the same.
const AGAIN: Duration = Duration::from_secs(5);

/// The way to the other servers.
pub(super) struct Others {
    bus: Option<Arc<RedisBus>>,
    serving: watch::Sender<bool>,
    /// Of a server without others: it is always connected, and nobody sends its clients away.
    alone: (watch::Sender<bool>, watch::Sender<bool>),
}

impl Others {
    /// By the database.
    pub fn of(backend: &Backend, config: &Config, secrets: &Secrets, org: &Org) -> Self {
        let bus = match backend {
            Backend::File(_) => None,
            Backend::Shared(_, link) => {
                let own = Own { listen: reached_at(config.server.listen), since: org.now_ms() };
                let prefix = &config.storage.prefix;
                Some(RedisBus::new(link.clone(), prefix, &secrets.cluster_key, org.clock(), own))
            }
        };
        Self { bus, serving: watch::Sender::new(true), alone: (watch::Sender::new(true), watch::Sender::new(false)) }
    }

    /// For what is told.
    pub fn bus(&self) -> Arc<dyn Bus> {
        match &self.bus {
            Some(bus) => Arc::new(Handle(bus.clone())),
            None => Arc::new(NoOthers::default()),
        }
    }

    /// Whether this server should get clients.
    pub fn serving(&self) -> watch::Receiver<bool> {
        self.serving.subscribe()
    }

    /// From now on the others reach this server, too. `standing`: whether the company is being moved.
    pub fn join(&self, tasks: &mut Tasks, chat: &Arc<Chat>, standing: watch::Receiver<Standing>) {
        let (connected, draining) = match &self.bus {
            Some(bus) => {
                tasks.spawn("other servers", bus.clone().run(chat.clone()));
                (bus.connected(), bus.draining())
            }
            None => (self.alone.0.subscribe(), self.alone.1.subscribe()),
        };
        let away = Away { connected, draining, standing };
        tasks.spawn("clients", away.send_clients(chat.hub().clone(), self.serving.clone()));
    }

    /// For the admin router.
    pub fn servers(&self) -> Option<Arc<dyn Servers>> {
        self.bus.clone().map(|bus| bus as Arc<dyn Servers>)
    }
}

impl Servers for RedisBus {
    fn list(&self) -> Value {
        json!({ "this": self.node().name(), "servers": self.members() })
    }

    fn drain(&self) {
        Self::drain(self);
    }

    fn figures<'a>(&'a self, name: Option<&'a str>) -> BoxFuture<'a, Vec<(String, Option<Figures>)>> {
        async move {
            let answers = Self::figures(self, |member| name.is_none_or(|name| name == member.node), COUNTING).await;
            let read = |answer: Vec<u8>| serde_json::from_slice(&answer).ok();
            answers.into_iter().map(|(node, answer)| (node, answer.and_then(read))).collect()
        }
        .boxed()
    }
}

/// Why clients may be sent away.
struct Away {
    connected: watch::Receiver<bool>,
    draining: watch::Receiver<bool>,
    standing: watch::Receiver<Standing>,
}

impl Away {
    /// Clients go to other servers, or come back later, while this one can do nothing for them, or is about to stop. Never ends.
    async fn send_clients(mut self, hub: Arc<Hub>, serving: watch::Sender<bool>) {
        // none of the senders goes before this task does
        loop {
            let why = tokio::select! {
                _ = self.draining.wait_for(|draining| *draining) => "this server takes no more clients",
                _ = self.standing.wait_for(|standing| *standing != Standing::Here) => {
                    "the company is being moved: clients are asked to come back"
                }
                _ = self.connected.wait_for(|connected| !connected) => "",
            };
            if !why.is_empty() {
                tracing::info!("{why}");
            } else if timeout(PATIENCE, self.connected.wait_for(|connected| *connected)).await.is_ok() {
                continue;
            } else {
                tracing::error!("Redis can't be reached: clients are sent to other servers");
            }
            serving.send_replace(false);
            while *self.draining.borrow() || !*self.connected.borrow() || *self.standing.borrow() != Standing::Here {
                hub.send_away(CloseCode::GoingAway);
                tokio::select! {
                    _ = self.connected.changed() => {}
                    _ = self.standing.changed() => {}
                    () = sleep(AGAIN) => {}
                }
            }
            serving.send_replace(true);
            tracing::info!("clients are welcome again");
        }
    }
}

/// What the list of servers calls the address of this one: all of them listen on `0.0.0.0` where nothing else was set, so the
/// machine's name takes its place.
fn reached_at(listen: SocketAddr) -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if listen.ip().is_unspecified() && !name.is_empty() {
        format!("{name}:{}", listen.port())
    } else {
        listen.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_goes_by_the_name_of_its_machine() {
        let everywhere = ["0.0.0.0:8443", "[::]:8443"].map(|listen| reached_at(listen.parse().unwrap()));
        assert!(everywhere.iter().all(|address| address.ends_with(":8443")));
        assert!(!everywhere[0].starts_with("0.0.0.0") && everywhere[0] == everywhere[1]);
        assert_eq!(reached_at("10.0.0.11:8443".parse().unwrap()), "10.0.0.11:8443");
    }
}
