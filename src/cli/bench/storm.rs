//! `kefu bench storm`: all connections are lost and come back at once.

use std::{hint::black_box, time::Instant};

use anyhow::ensure;

use super::{
    report::Report,
    target::{Server, TargetArgs},
};
use crate::{
    crypto::sign::{Label, SigningKey, verify},
    loadgen::Storm,
};

/// What the check of one signature costs here, µs: each reconnect has one.
fn signature_us() -> f64 {
    const CHECKS: u32 = 500;
    let key = SigningKey::from_seed(&[7; 32]);
    let (public, message) = (key.public(), [7; 49]);
    let signature = key.sign(Label::Auth, &message);
    let started = Instant::now();
    for _ in 0..CHECKS {
        // whatever it says: it must only not be optimised away
        let _ = black_box(verify(Label::Auth, &public, black_box(&message), &signature));
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(CHECKS)
}

/// `kefu bench storm`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Number of connections.
    #[arg(long, default_value_t = 9_000)]
    pub connections: usize,
    #[command(flatten)]
    pub target: TargetArgs,
}

impl Args {
    /// Runs the measurement.
    pub async fn run(self) -> anyhow::Result<Report> {
        ensure!(self.connections > 0, "connections are at least 1");
        let server = Server::start(&self.target, 1).await?;
        let storm = Storm { connections: self.connections };
        let report = storm.run(&server.target, server.meter, |stage| eprintln!("{stage}")).await?;
        Ok(Report {
            command: "storm",
            connections: Some(self.connections as u64),
            signature_us: Some(signature_us()),
            cpu_us_per_reconnect: report.server_cpu_seconds.map(|cpu| cpu * 1e6 / self.connections as f64),
            unseen: !server.meter.sees(),
            all_back_seconds: Some(report.all_back.as_secs_f64()),
            stored_messages: server.stored,
            load_average: report.load_average,
            ..Report::default()
        })
    }
}
