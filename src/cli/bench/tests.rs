//! Clients against a server in this process.

use std::{net::SocketAddr, time::Duration};

use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    company::BenchCompany,
    dial::Address,
    pair::{self, Tally},
    terms::Target,
};
use crate::{
    app::{ServeError, ServeOptions, serve},
    config::Config,
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
        mind: None,
        library: None,
        patience: Default::default(),
    };
    let server = tokio::spawn(serve(options, async { drop(stopped.await) }, move |r| {
        ready.send(r.listen).unwrap();
    }));
    Running { company, address: listening.await.unwrap(), _stop: stop, _server: server, _dir: dir }
}

impl Running {
    fn target(&self) -> Target {
        let at = Address { socket: self.address, host: self.address.to_string(), tls: None };
        Target { at, directory: self.company.directory.clone() }
    }
}

#[tokio::test]
async fn pairs_lose_and_double_nothing() {
    let running = run(2).await;
    let all = async {
        let tally = Tally::new(true).unwrap();
        let mut pairs = Vec::new();
        for key in &running.company.agents {
            let site = &running.company.site;
            let (pair, [visitor, agent]) = pair::open(&running.target(), site, key, &tally).await.unwrap();
            tokio::task::spawn_local(pair.clone().listen(0, visitor));
            tokio::task::spawn_local(pair.clone().listen(1, agent));
            pairs.push(pair);
        }
        tally.doubled.set(0);
        tally.running.set(true);
        tally.measuring.set(true);
        for (pair, party) in pairs.iter().flat_map(|p| [(p, 0), (p, 1)]) {
            pair.prepare(party, 3, "hello").unwrap();
            pair.due(party, tally.now());
        }
        while tally.messages.get() < 60 && tally.trouble.borrow().is_empty() {
            tokio::task::yield_now().await;
        }
        tally.running.set(false);
        while pairs.iter().any(|p| p.open_ends(0) + p.open_ends(1) > 0) {
            tokio::task::yield_now().await;
        }
        // more envelopes than were sealed beforehand
        assert_eq!(*tally.trouble.borrow(), [] as [String; 0]);
        assert_eq!((tally.lost.get(), tally.doubled.get()), (0, 0));
        assert!(tally.sealed_late.get() > 0 && tally.delivery.borrow().len() >= 60);
    };
    tokio::task::LocalSet::new().run_until(tokio::time::timeout(PATIENCE, all)).await.unwrap();
}
