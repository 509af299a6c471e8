//! `kefu bench idle`: what an idle connection costs.

use anyhow::ensure;

use super::{
    report::Report,
    target::{Server, TargetArgs},
};
use crate::loadgen::Idle;

/// `kefu bench idle`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Number of connections.
    #[arg(long, default_value_t = 9_000)]
    pub connections: usize,
    /// How long to measure the heartbeat
    #[arg(long, default_value_t = 15)]
    pub seconds: u64,
    #[command(flatten)]
    pub target: TargetArgs,
}

impl Args {
    /// Runs the measurement.
    pub async fn run(self) -> anyhow::Result<Report> {
        ensure!(self.connections > 0 && self.seconds > 0, "connections and seconds are at least 1");
        let server = Server::start(&self.target, 1).await?;
        let idle = Idle { connections: self.connections, seconds: self.seconds };
        let report = idle.run(&server.target, server.meter, |stage| eprintln!("{stage}")).await?;
        let (connections, beats) = (self.connections as f64, report.beats);
        Ok(Report {
            command: "idle",
            connections: Some(self.connections as u64),
            rss_bytes_per_connection: report
                .rss_bytes
                .map(|(without, with)| with.saturating_sub(without) as f64 / connections),
            beats: Some(beats),
            cpu_us_per_beat: report.server_cpu_seconds.filter(|_| beats > 0).map(|cpu| cpu * 1e6 / beats as f64),
            server_cpu_percent: report.server_cpu_seconds.map(|cpu| 100.0 * cpu / self.seconds as f64),
            unseen: !server.meter.sees(),
            stored_messages: server.stored,
            load_average: report.load_average,
            ..Report::default()
        })
    }
}
