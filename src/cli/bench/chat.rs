//! `kefu bench chat`: durable messages between pairs, as fast as they go or at a given rate.

use std::time::Duration;

use anyhow::ensure;

use super::{
    report::Report,
    target::{Server, TargetArgs},
};
use crate::loadgen::{Chat, LoadError, Uploads};

/// `kefu bench chat`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Pairs of a visitor and an agent; both write
    #[arg(long, default_value_t = 100)]
    pub pairs: usize,
    /// How long to measure
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Messages per second in total, regardless of replies; without it, each side writes again as soon as its message is
    /// durable
    #[arg(long)]
    pub rate: Option<u64>,
    /// Report each such part of the time measured as soon as it is over
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub every: Option<u64>,
    /// Idle connections in addition to the pairs, with heartbeats
    #[arg(long, default_value_t = 0)]
    pub idle: usize,
    /// Visitors who send files beside the pairs, one file after the other
    #[arg(long, default_value_t = 0)]
    pub uploads: usize,
    /// MB of each of their files
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=2_000))]
    pub upload_mb: u64,
    /// Mbit/s that all of them send together at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub upload_mbits: u64,
    /// Bytes of text in a message
    #[arg(long, default_value_t = 200)]
    pub bytes: usize,
    /// Envelopes per second to seal in advance, in total, without --rate
    #[arg(long, default_value_t = 40_000)]
    pub prepare: u64,
    #[command(flatten)]
    pub target: TargetArgs,
}

impl Args {
    /// Runs the measurement.
    pub async fn run(self) -> anyhow::Result<Report> {
        ensure!(self.pairs > 0 && self.seconds > 0 && self.rate != Some(0), "pairs, seconds and rate are at least 1");
        let server = Server::start(&self.target, self.pairs).await?;
        let Self { pairs, seconds, rate, idle, bytes, prepare, .. } = self;
        let every = self.every.map(Duration::from_secs);
        // a server of our own goes with its conversations
        let close = server.own.is_none();
        let uploads = (self.uploads > 0).then(|| Uploads {
            at_once: self.uploads,
            bytes: self.upload_mb * 1_000_000,
            rate: self.upload_mbits * 125_000,
        });
        let chat = Chat { pairs, seconds, rate, every, idle, uploads, bytes, prepare, close };
        let settle = async || match &server.own {
            Some(own) => own.settle().await,
            None => false,
        };
        let report = chat.run(&server.target, server.meter, settle, |stage| eprintln!("{stage}")).await;
        let report = report.map_err(|e| match e {
            LoadError::TooFewAgents { .. } => anyhow::anyhow!("{e}: --pairs, or kefu bench prepare"),
            e => e.into(),
        })?;
        let messages = report.messages;
        let per_million = |cpu: f64| cpu * 1e6 / report.cpu_messages.max(1) as f64;
        let ms = |q: f64| Some(report.delivery.value_at_quantile(q) as f64 / 1000.0);
        Ok(Report {
            command: if rate.is_some() { "chat --rate" } else { "chat" },
            connections: Some((2 * pairs + idle + 2 * self.uploads) as u64),
            messages: Some(messages),
            messages_per_second: Some(messages as f64 / report.seconds),
            server_cpu_seconds_per_million: report.server_cpu_seconds.map(per_million),
            server_cpu_percent: report.server_cpu_seconds.map(|cpu| 100.0 * cpu / report.cpu_over_seconds),
            settled: Some(report.settled),
            checkpoint_cpu_seconds_per_million: report.checkpoint_cpu_seconds.map(per_million),
            unseen: !server.meter.sees(),
            generator_cpu_seconds_per_million: Some(per_million(report.generator_cpu_seconds)),
            deliver_p50_ms: ms(0.5),
            deliver_p99_ms: ms(0.99),
            deliver_p999_ms: ms(0.999),
            generator_lag_p99_ms: report.lag.map(|lag| lag.value_at_quantile(0.99) as f64 / 1000.0),
            lost: Some(report.lost),
            doubled: Some(report.doubled),
            sealed_late: Some(report.sealed_late),
            sealed_between: Some(report.sealed_between),
            uploaded_mbits: report.uploaded.map(|bytes| bytes as f64 / 125_000.0 / report.seconds),
            peak_rss_mb: report.peak_rss_bytes.map(|bytes| bytes as f64 / 1e6),
            intervals: report.intervals,
            stored_messages: server.stored,
            load_average: report.load_average,
            ..Report::default()
        })
    }
}
