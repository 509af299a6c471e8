//! `kefu bench storm`: everybody loses the connection and comes back at once.

use std::time::{Duration, Instant};

use anyhow::ensure;
use tokio::time::sleep;

use super::{
    beat, machine,
    place::{Place, Server},
    report::Report,
    terms::Who,
};

/// Until the server has noticed who is gone.
const QUIET: Duration = Duration::from_millis(500);

/// `kefu bench storm`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many
    #[arg(long, default_value_t = 9_000)]
    pub connections: usize,
    #[command(flatten)]
    pub place: Place,
}

impl Args {
    /// Measures.
    pub async fn run(self) -> anyhow::Result<Report> {
        ensure!(self.connections > 0, "connections are at least 1");
        let server = Server::start(&self.place, 1).await?;
        let who = Who::Visitor(server.site.clone());
        let keys = beat::visitors(self.connections);
        eprintln!("connecting {} quiet visitors", self.connections);
        let quiet = beat::settle(&server.target, &who, &keys).await?;
        sleep(QUIET).await;
        eprintln!("dropping them all");
        let before = server.meter.cpu_seconds();
        drop(quiet);
        let started = Instant::now();
        let back = beat::connect(&server.target, &who, &keys, self.connections).await?;
        let took = started.elapsed();
        sleep(QUIET).await;
        let cpu = server.meter.cpu_since(before);
        ensure!(back.ended.get() == 0, "{} connections ended during the run", back.ended.get());
        Ok(Report {
            command: "storm",
            connections: Some(self.connections as u64),
            cpu_us_per_reconnect: cpu.map(|cpu| cpu * 1e6 / self.connections as f64),
            unseen: !server.meter.sees(),
            all_back_seconds: Some(took.as_secs_f64()),
            load_average: machine::load_average(),
            ..Report::default()
        })
    }
}
