//! `kefu bench idle`: what a connection costs that says nothing.

use std::time::Duration;

use anyhow::ensure;
use tokio::{task::spawn_local, time::sleep};

use super::{
    beat, machine,
    place::{Place, Server},
    report::Report,
    terms::Who,
};
use crate::proto::BEAT_MS;

/// `kefu bench idle`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// How many
    #[arg(long, default_value_t = 9_000)]
    pub connections: usize,
    /// How long to measure the heartbeat
    #[arg(long, default_value_t = 15)]
    pub seconds: u64,
    #[command(flatten)]
    pub place: Place,
}

impl Args {
    /// Measures.
    pub async fn run(self) -> anyhow::Result<Report> {
        ensure!(self.connections > 0 && self.seconds > 0, "connections and seconds are at least 1");
        let server = Server::start(&self.place, 1).await?;
        let who = Who::Visitor(server.site.clone());
        let keys = beat::visitors(self.connections);
        let empty = server.meter.rss_bytes();
        eprintln!("connecting {} quiet visitors", self.connections);
        let quiet = beat::settle(&server.target, &who, &keys).await?;
        let beats = spawn_local(beat::beat(quiet.clone()));
        // each has had a heartbeat: memory of the handshake went back, that of the first answer was asked for
        sleep(Duration::from_millis(BEAT_MS + 500)).await;
        let full = server.meter.rss_bytes();
        let before = (quiet.beats.get(), server.meter.cpu_seconds());
        sleep(Duration::from_secs(self.seconds)).await;
        let beaten = quiet.beats.get() - before.0;
        let cpu = server.meter.cpu_since(before.1);
        beats.abort();
        ensure!(quiet.ended.get() == 0, "{} connections ended during the run", quiet.ended.get());
        Ok(Report {
            command: "idle",
            connections: Some(self.connections as u64),
            rss_bytes_per_connection: full
                .zip(empty)
                .map(|(f, e)| f.saturating_sub(e) as f64 / self.connections as f64),
            beats: Some(beaten),
            cpu_us_per_beat: cpu.filter(|_| beaten > 0).map(|cpu| cpu * 1e6 / beaten as f64),
            server_cpu_percent: cpu.map(|cpu| 100.0 * cpu / self.seconds as f64),
            unseen: !server.meter.sees(),
            load_average: machine::load_average(),
            ..Report::default()
        })
    }
}
