//! Clients against a server in this process.

use std::{cell::RefCell, net::SocketAddr, time::Duration};

use tokio::{sync::oneshot, task::JoinHandle};

use super::{
    company::BenchCompany,
    disk,
    populate::{Content, populate},
    stored::envelope_bytes,
};
use crate::{
    app::{ServeError, ServeOptions, serve, store_and_directory},
    client::Address,
    config::Config,
    loadgen::{
        Chat, Counters, Overload, Process, Read, ServerMeter, Stage, Target, Uploads,
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
    run_with(agents, |config| {
        (config.limits.visitor_burst, config.limits.agent_messages_per_minute) = (1_000, 60_000);
    })
    .await
}

async fn run_with(agents: usize, settings: impl FnOnce(&mut Config)) -> Running {
    run_with_store(agents, None, settings).await
}

async fn run_with_store(agents: usize, content: Option<Content>, settings: impl FnOnce(&mut Config)) -> Running {
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    let dir = tempfile::Builder::new().permissions(private).tempdir().unwrap();
    let mut config = Config::default();
    config.server.plain_http = true;
    config.server.listen = "127.0.0.1:0".parse().unwrap();
    settings(&mut config);
    let company = BenchCompany::found(dir.path(), &config, agents).await.unwrap();
    if let Some(content) = content {
        let (store, directory) = store_and_directory(dir.path(), &config).await.unwrap();
        populate(&*store, &directory, content, || envelope_bytes(20)).await.unwrap();
        store.close().await;
    }
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
            let (pair, [visitor, agent]) = pair::open(&running.target(), key, &counters, "hello").await.unwrap();
            tokio::task::spawn_local(pair.clone().listen(VISITOR, visitor));
            tokio::task::spawn_local(pair.clone().listen(AGENT, agent));
            pairs.push(pair);
        }
        counters.doubled.set(0);
        counters.running.set(true);
        counters.measuring.set(true);
        for (pair, who) in pairs.iter().flat_map(|p| [(p, VISITOR), (p, AGENT)]) {
            pair.seal_ahead(who, 3).unwrap();
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

#[tokio::test]
async fn parts_of_a_run_are_reported_while_it_lasts() {
    let running = run(1).await;
    let chat = Chat {
        pairs: 1,
        seconds: 1,
        rate: Some(50),
        every: Some(Duration::from_millis(400)),
        idle: 0,
        uploads: Some(Uploads { at_once: 2, bytes: 3_000_000, rate: 10_000_000 }),
        bytes: 20,
        prepare: 0,
        close: true,
    };
    let told = RefCell::new(Vec::new());
    let stage = |stage| {
        if let Stage::Interval(interval) = stage {
            told.borrow_mut().push(interval);
        }
    };
    let (target, meter) = (running.target(), ServerMeter(Some(Process::own())));
    let run = chat.run(&target, meter, async || false, stage);
    let report = tokio::task::LocalSet::new().run_until(tokio::time::timeout(PATIENCE, run)).await.unwrap().unwrap();
    assert_eq!((report.intervals.len(), &report.intervals), (3, &*told.borrow()));
    assert_eq!(report.intervals.iter().map(|i| i.messages).sum::<u64>(), report.messages);
    assert!(report.intervals.is_sorted_by(|a, b| a.seconds < b.seconds));
    assert!(report.intervals.iter().all(|i| i.server_rss_bytes > Some(0) && i.server_cpu_percent.is_some()));
    assert_eq!((report.lost, report.doubled, report.sealed_late), (0, 0, 0));
    assert!(report.uploaded > Some(0), "{report:?}");
}

#[test]
fn what_is_stored_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let args = disk::Args { messages: 100, mix: vec![], size: Some(3_000), dir: Some(dir.path().to_owned()) };
    let report = args.run().unwrap().disk.unwrap();
    assert!(report.message_bytes > 100 * 3_000 && report.database_bytes > report.message_bytes, "{report:?}");
    assert!(report.log_bytes > 0 && report.database_bytes_per_message_byte > 1.0, "{report:?}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left behind");
}

#[tokio::test]
async fn what_is_refused_in_an_overload_is_sent_again() {
    let running = run_with(1, |config| {
        config.limits.agent_messages_per_minute = 60_000;
        (config.limits.visitor_burst, config.limits.visitor_messages_per_minute) = (10, 1_200);
    })
    .await;
    let overload = Overload {
        pairs: 1,
        capacity: Some(30),
        times: 4.0,
        seconds: 1,
        before_seconds: 1,
        after_seconds: 1,
        window: None,
        bytes: 20,
        close: true,
    };
    let (target, meter) = (running.target(), ServerMeter(Some(Process::own())));
    let run = overload.run(&target, meter, |_| ());
    let report = tokio::task::LocalSet::new().run_until(tokio::time::timeout(PATIENCE, run)).await.unwrap().unwrap();
    assert!(report.offered >= 120 && report.refused["rate_limited"] > 0, "{report:?}");
    assert_eq!((report.acknowledged, report.not_offered), (report.offered, 0), "{report:?}");
    assert_eq!((report.lost, report.doubled, report.unacknowledged, report.dropped), (0, 0, 0, 0), "{report:?}");
    assert!(report.rss_bytes.is_some_and(|(before, most)| before > 0 && most > 0), "{report:?}");
}

#[tokio::test]
async fn an_agent_reads_a_list_that_was_stored() {
    const LIST: u64 = 3;
    let content = Content { messages: 50, open: 2, owned: LIST, long: 900 };
    let running = run_with_store(2, Some(content), |config| {
        (config.limits.visitor_burst, config.limits.agent_reads_per_minute) = (1_000, 60_000);
    })
    .await;
    let (target, meter) = (running.target(), ServerMeter(None));
    let run = Read { seconds: 1, bytes: 20, close: true }.run(&target, meter, |_| ());
    let report = tokio::task::LocalSet::new().run_until(tokio::time::timeout(PATIENCE, run)).await.unwrap().unwrap();
    // the visitor who writes meanwhile has an agent of their own
    assert_eq!((report.owned as u64, report.waiting), (LIST, 2));
    assert!(report.records > 900 && report.reads.history_page.len() >= 2 * report.reads.history.len(), "{report:?}");
    let counts = [&report.reads.sign_in, &report.reads.list_page, &report.reads.open, &report.commit_meanwhile];
    assert!(counts.iter().all(|times| !times.is_empty()) && !report.commit_alone.is_empty(), "{report:?}");
}
