//! `kefu bench overload`: more messages than the server can do, for a while.

use anyhow::ensure;

use super::{
    report::{self, Report},
    target::{Server, TargetArgs},
};
use crate::loadgen::Overload;

/// How long the server is looked at before the overload, seconds.
const BEFORE: u64 = 5;
/// How long its recovery may take, seconds.
const AFTER: u64 = 180;

/// `kefu bench overload`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Pairs of a visitor and an agent; both write
    #[arg(long, default_value_t = 100)]
    pub pairs: usize,
    /// Messages per second that the server can do [default: measured, each side writing again as soon as its message is
    /// durable]
    #[arg(long, value_name = "PER_SECOND", value_parser = clap::value_parser!(u64).range(1..))]
    pub capacity: Option<u64>,
    /// Offer so many times that
    #[arg(long, default_value_t = 3.0)]
    pub times: f64,
    /// How long to do so; a tenth of the capacity is offered before and after
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Messages that each side may have on their way, such as 1, as the protocol has it for clients [default: as many as its
    /// socket takes]
    #[arg(long, value_name = "MESSAGES", value_parser = clap::value_parser!(u16).range(1..))]
    pub window: Option<u16>,
    /// Bytes of text in a message
    #[arg(long, default_value_t = 200)]
    pub bytes: usize,
    #[command(flatten)]
    pub target: TargetArgs,
}

impl Args {
    /// Runs the measurement.
    pub async fn run(self) -> anyhow::Result<Report> {
        ensure!(self.pairs > 0 && self.seconds > 0 && self.times > 0.0, "pairs, seconds and times are above 0");
        ensure!(
            !self.target.tls || self.window.is_some(),
            "under TLS nothing waits for the socket: give --window, or leave out --tls"
        );
        let server = Server::start(&self.target, self.pairs).await?;
        let Self { pairs, capacity, times, seconds, bytes, .. } = self;
        let (window, close) = (self.window.map(usize::from), server.own.is_none());
        let overload = Overload {
            pairs,
            capacity,
            times,
            seconds,
            before_seconds: BEFORE,
            after_seconds: AFTER,
            window,
            bytes,
            close,
        };
        let report = overload.run(&server.target, server.meter, |stage| eprintln!("{stage}")).await?;
        let ms = |us: [u64; 2]| us.map(|us| us as f64 / 1000.0);
        let ([deliver_before_p50_ms, deliver_before_p99_ms], [deliver_p50_ms, deliver_p99_ms]) =
            (ms(report.before), ms(report.overload));
        Ok(Report {
            command: "overload",
            connections: Some(2 * pairs as u64),
            lost: Some(report.lost),
            doubled: Some(report.doubled),
            stored_messages: server.stored,
            unseen: !server.meter.sees(),
            load_average: report.load_average,
            overload: Some(report::Overload {
                capacity_per_second: report.capacity,
                offered_per_second: (report.capacity as f64 * times) as u64,
                offered: report.offered,
                acknowledged: report.acknowledged,
                not_offered: report.not_offered,
                refused: report.refused,
                refused_for_good: report.dropped,
                closed: report.closed,
                unacknowledged: report.unacknowledged,
                generator_backlog: report.generator_backlog,
                rss_before_bytes: report.rss_bytes.map(|(before, _)| before),
                rss_peak_bytes: report.rss_bytes.map(|(_, peak)| peak),
                deliver_before_p50_ms,
                deliver_before_p99_ms,
                deliver_p50_ms,
                deliver_p99_ms,
                recovered_seconds: report.recovered_seconds,
            }),
            ..Report::default()
        })
    }
}
