//! `kefu bench read`: an agent with many conversations signs in and reads.

use anyhow::ensure;

use super::{
    populate::Content,
    report::{self, Report},
    report_read::Times,
    target::{Server, TargetArgs},
};
use crate::loadgen::Read;

/// `kefu bench read`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Conversations that the agent has
    #[arg(long, value_name = "CONVERSATIONS", default_value_t = 1_000, conflicts_with = "url")]
    pub list: u64,
    /// Conversations that wait in the queue of the agent's team
    #[arg(long, value_name = "CONVERSATIONS", default_value_t = 0, conflicts_with = "url")]
    pub open: u64,
    /// Messages of the longest conversation that the agent has, in addition to those that are stored
    #[arg(long, value_name = "MESSAGES", default_value_t = 10_000, conflicts_with = "url")]
    pub long: u64,
    /// How long a visitor writes while nobody reads, and then again while the agent signs in and reads
    #[arg(long, default_value_t = 10)]
    pub seconds: u64,
    /// Bytes of text in a message
    #[arg(long, default_value_t = 200)]
    pub bytes: usize,
    #[command(flatten)]
    pub target: TargetArgs,
}

impl Args {
    /// Runs the measurement.
    pub async fn run(self) -> anyhow::Result<Report> {
        ensure!(self.seconds > 0, "seconds are at least 1");
        ensure!(self.long == 0 || self.list > 0, "the longest conversation is one of the list: --list is at least 1");
        let content = Content { messages: 0, open: self.open, owned: self.list, long: self.long };
        let server = Server::filled(&self.target, 2, content).await?;
        let Self { seconds, bytes, .. } = self;
        let read = Read { seconds, bytes, close: server.own.is_none() };
        let report = read.run(&server.target, server.meter, |stage| eprintln!("{stage}")).await?;
        Ok(Report {
            command: "read",
            stored_messages: server.stored,
            unseen: !server.meter.sees(),
            load_average: report.load_average,
            read: Some(report::Read {
                owned: report.owned as u64,
                waiting: report.waiting as u64,
                records: report.records,
                sign_in: Times::of(&report.reads.sign_in),
                list_page: Times::of(&report.reads.list_page),
                open: Times::of(&report.reads.open),
                history_page: Times::of(&report.reads.history_page),
                history: Times::of(&report.reads.history),
                commit_alone: Times::of(&report.commit_alone),
                commit_meanwhile: Times::of(&report.commit_meanwhile),
                rss_before_bytes: report.rss_bytes.map(|(before, _)| before),
                rss_peak_bytes: report.rss_bytes.map(|(_, peak)| peak),
            }),
            ..Report::default()
        })
    }
}
