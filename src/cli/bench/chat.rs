//! `kefu bench chat`: durable messages between pairs, as fast as they go or at a given rate.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use hdrhistogram::Histogram;
use tokio::{sync::mpsc, task::spawn_local, time::sleep};

use super::{
    beat,
    machine::{self, Process},
    pair::{self, Pair, Tally},
    place::{Place, Server},
    report::Report,
    terms::Who,
};

/// Before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// How long the last messages may take.
const DRAIN: Duration = Duration::from_secs(10);

/// `kefu bench chat`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Pairs of a visitor and an agent; both write
    #[arg(long, default_value_t = 100)]
    pub pairs: usize,
    /// How long to measure
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Messages a second in all, whatever comes back; without it everybody writes again as soon as their message is
    /// durable
    #[arg(long)]
    pub rate: Option<u64>,
    /// Inactivity connections beside the pairs, with heartbeats
    #[arg(long, default_value_t = 0)]
    pub idle: usize,
    /// Bytes of text in a message
    #[arg(long, default_value_t = 200)]
    pub bytes: usize,
    /// Envelopes a second to seal beforehand, in all, when there is no rate
    #[arg(long, default_value_t = 40_000)]
    pub prepare: u64,
    #[command(flatten)]
    pub place: Place,
}

impl Args {
    /// Measures.
    pub async fn run(self) -> anyhow::Result<Report> {
        ensure!(self.pairs > 0 && self.seconds > 0 && self.rate != Some(0), "pairs, seconds and rate are at least 1");
        let server = Server::start(&self.place, self.pairs).await?;
        let tally = Tally::new(self.rate.is_none())?;
        let site = server.site.clone();
        let agents = server.agents.get(..self.pairs).with_context(|| {
            let there = server.agents.len();
            format!("{} pairs need as many agents, and there are {there}: --pairs, or kefu bench prepare", self.pairs)
        })?;
        let quiet = match self.idle {
            0 => None,
            n => {
                eprintln!("connecting {n} quiet visitors");
                let who = Who::Visitor(site.clone());
                let quiet = beat::settle(&server.target, &who, &beat::visitors(n)).await?;
                spawn_local(beat::beat(quiet.clone()));
                Some(quiet)
            }
        };
        eprintln!("opening {} conversations", self.pairs);
        let mut pairs = Vec::new();
        for key in agents {
            let (pair, [visitor, agent]) = pair::open(&server.target, &site, key, &tally).await?;
            spawn_local(pair.clone().listen(0, visitor));
            spawn_local(pair.clone().listen(1, agent));
            pairs.push(pair);
        }
        self.seal(&pairs).await?;

        // what came twice while they began to follow each other was the server being careful
        tally.doubled.set(0);
        tally.running.set(true);
        let mut lag = None;
        match self.rate {
            None => senders(&pairs).for_each(|(pair, who)| pair.due(who, tally.now())),
            Some(rate) => lag = Some(spawn_local(schedule(pairs.clone(), tally.clone(), rate))),
        }
        sleep(WARM_UP).await;
        eprintln!("measuring for {} s", self.seconds);
        let own = Process::own();
        let before = (tally.messages.get(), server.meter.cpu_seconds(), own.cpu_seconds(), Instant::now());
        tally.measuring.set(true);
        sleep(Duration::from_secs(self.seconds)).await;
        let messages = tally.messages.get() - before.0;
        let cpu = server.meter.cpu_since(before.1);
        let (own_cpu, took) = (own.cpu_seconds() - before.2, before.3.elapsed().as_secs_f64());
        let load = machine::load_average();
        tally.measuring.set(false);
        tally.running.set(false);
        let lag = match lag {
            Some(task) => Some(task.await??),
            None => None,
        };
        let missing = drain(&pairs).await;
        if server.own.is_none() {
            pair::close(&pairs).await;
        }
        if let Some(trouble) = tally.trouble.borrow().first() {
            bail!("the run is worth nothing: {trouble}");
        }
        let ended = quiet.as_ref().map_or(0, |q| q.ended.get());
        ensure!(ended == 0, "{ended} quiet connections ended during the run");
        let delivery = tally.delivery.borrow();
        let ms = |q: f64| Some(delivery.value_at_quantile(q) as f64 / 1000.0);
        Ok(Report {
            command: if self.rate.is_some() { "chat --rate" } else { "chat" },
            connections: Some(2 * self.pairs as u64 + self.idle as u64),
            messages: Some(messages),
            messages_per_second: Some(messages as f64 / took),
            server_cpu_seconds_per_million: cpu.map(|cpu| cpu * 1e6 / messages.max(1) as f64),
            server_cpu_percent: cpu.map(|cpu| 100.0 * cpu / took),
            unseen: !server.meter.sees(),
            generator_cpu_seconds_per_million: Some(own_cpu * 1e6 / messages.max(1) as f64),
            deliver_p50_ms: ms(0.5),
            deliver_p99_ms: ms(0.99),
            deliver_p999_ms: ms(0.999),
            generator_lag_p99_ms: lag.map(|h: Histogram<u64>| h.value_at_quantile(0.99) as f64 / 1000.0),
            lost: Some(tally.lost.get() + missing),
            doubled: Some(tally.doubled.get()),
            sealed_late: Some(tally.sealed_late.get()),
            load_average: load,
            ..Report::default()
        })
    }

    /// Seals what the run will need, so that this costs nothing while it is measured.
    async fn seal(&self, pairs: &[Rc<Pair>]) -> anyhow::Result<()> {
        let total = self.rate.unwrap_or(self.prepare) * (self.seconds + WARM_UP.as_secs() + 1);
        let each = (total as usize).div_ceil(2 * self.pairs);
        eprintln!("sealing {} envelopes", each * 2 * self.pairs);
        let text = "x".repeat(self.bytes);
        for (pair, who) in senders(pairs) {
            pair.prepare(who, each, &text)?;
            // heartbeats go on meanwhile
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

fn senders(pairs: &[Rc<Pair>]) -> impl Iterator<Item = (&Rc<Pair>, usize)> {
    (0..2).flat_map(|who| pairs.iter().map(move |pair| (pair, who)))
}

/// Lets messages fall due at even intervals, one sender after the other; gives how late that was, µs.
async fn schedule(pairs: Vec<Rc<Pair>>, tally: Rc<Tally>, rate: u64) -> anyhow::Result<Histogram<u64>> {
    let (due, mut dues) = mpsc::unbounded_channel();
    let (clock, start) = (tally.clock, tally.now());
    // a thread that sleeps: the runtime's own timers know only whole milliseconds
    let timer = std::thread::spawn(move || {
        for n in 0.. {
            let at = start + n * 1_000_000_000 / rate;
            loop {
                let left = at.saturating_sub(clock.elapsed().as_nanos() as u64);
                if left == 0 {
                    break;
                }
                std::thread::park_timeout(Duration::from_nanos(left));
            }
            if due.send(at).is_err() {
                return;
            }
        }
    });
    let mut lag = Histogram::new(3)?;
    let senders: Vec<_> = senders(&pairs).collect();
    for (pair, who) in senders.iter().cycle() {
        let Some(at) = dues.recv().await else { break };
        if !tally.running.get() {
            break;
        }
        if tally.measuring.get() {
            lag.record(tally.now().saturating_sub(at) / 1000)?;
        }
        pair.due(*who, at);
    }
    drop(dues);
    let _ = timer.join();
    Ok(lag)
}

/// Waits for what is on its way; gives how many messages never arrived.
async fn drain(pairs: &[Rc<Pair>]) -> u64 {
    let until = Instant::now() + DRAIN;
    loop {
        let missing = senders(pairs).map(|(pair, who)| pair.open_ends(who)).sum();
        if missing == 0 || Instant::now() >= until {
            return missing;
        }
        sleep(Duration::from_millis(20)).await;
    }
}
