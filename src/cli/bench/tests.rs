//! Clients against a server in this process.

use std::{net::SocketAddr, time::Duration};

use tokio::{sync::oneshot, task::JoinHandle};

use super::company::BenchCompany;
use crate::{
    app::{ServeError, ServeOptions, serve},
    client::Address,
    config::Config,
    loadgen::{
        Counters, Target,
        pair::{self, AGENT, VISITOR},
    },
};

/// How long the run may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Running {
    company: BenchCompany,
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
    _server: JoinHandle<Result<(), ServeError>>,
    _dir: tempfile::TempDir,
}

async fn run(agents: usize) -> Running {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let dir = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    let mut config = Config::default();
    config.server.plain_http = true;
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    (config.limits.visitor_burst, config.limits.agent_messages_per_minute) = (1_000, 60_000);
    let company = BenchCompany::found(dir.path(), &config, agents).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let (ready, listening) = oneshot::channel();
    let options = ServeOptions {
        data_dir: dir.path().to_owned(),
        config,
        listener: None,
        engine: None,
        knowledge: None,
        patience: Default::default(),
    };
    let server = tokio::spawn(serve(options, async { drop(stopped.await) }, move |r| {
        ready.send(r.listen).unwrap();
    }));
    Running { company, address: listening.await.unwrap(), _stop: stop, _server: server, _dir: dir }
}

impl Running {
    fn target(&self) -> Target {
        let BenchCompany { site, agents, directory } = self.company.clone();
        Target { address: Address::plain(self.address), directory, site, agents }
    }
}

#[tokio::test]
async fn pairs_lose_and_double_nothing() {
    let running = run(2).await;
    let all = async {
        let counters = Counters::new(true).unwrap();
        let mut pairs = Vec::new();
        for key in &running.company.agents {
            let (pair, [visitor, agent]) = pair::open(&running.target(), key, &counters).await.unwrap();
            tokio::task::spawn_local(pair.clone().listen(VISITOR, visitor));
            tokio::task::spawn_local(pair.clone().listen(AGENT, agent));
            pairs.push(pair);
        }
        counters.doubled.set(0);
        counters.running.set(true);
        counters.measuring.set(true);
        for (pair, who) in pairs.iter().flat_map(|p| [(p, VISITOR), (p, AGENT)]) {
            pair.seal_ahead(who, 3, "hello").unwrap();
            pair.due(who, counters.now());
        }
        while counters.messages.get() < 60 && counters.failures.borrow().is_empty() {
            tokio::task::yield_now().await;
        }
        counters.running.set(false);
        while pairs.iter().any(|p| p.outstanding(VISITOR) + p.outstanding(AGENT) > 0) {
            tokio::task::yield_now().await;
        }
        // more envelopes than were sealed beforehand
        assert_eq!(*counters.failures.borrow(), [] as [String; 0]);
        assert_eq!((counters.lost.get(), counters.doubled.get()), (0, 0));
        assert!(counters.sealed_late.get() > 0 && counters.delivery.borrow().len() >= 60);
    };
    tokio::task::LocalSet::new().run_until(tokio::time::timeout(PATIENCE, all)).await.unwrap();
}
