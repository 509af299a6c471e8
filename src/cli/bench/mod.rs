//! `kefu bench`: the load generator, and the figures in the documentation.
//!
//! [`crate::loadgen`] drives a server with load. Here are the arguments, the company, the process of the server, and how the
//! figures are printed.

mod chat;
mod company;
mod desk;
mod disk;
mod fsync;
mod idle;
mod machine;
mod overload;
mod populate;
mod prepare;
mod process;
mod read;
mod remote;
mod report;
mod report_overload;
mod report_read;
mod scratch;
mod sealed;
mod server;
mod start;
mod stored;
mod storm;
mod target;

use super::{context::Context, error::CliError};
use report::Report;

/// Measure a server: messages, connections, reconnects, and its disk.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Pairs of a visitor and an agent who write to each other
    Chat(chat::Args),
    /// Idle connections: memory, and the cost of a heartbeat
    Idle(idle::Args),
    /// All connections drop and reconnect at once
    Storm(storm::Args),
    /// What an agent waits for who has many conversations, and what their reading costs those who write
    Read(read::Args),
    /// More messages than the server can do, for a while: what it refuses, and when it has recovered
    Overload(overload::Args),
    /// From the start of the server to its first answer, with many messages stored and after a kill
    Start(start::Args),
    /// What stored messages need on the disk
    Disk(disk::Args),
    /// How fast the disk makes writes durable
    Fsync(fsync::Args),
    /// Create agents for kefu bench chat --url, on the server to measure
    Prepare(prepare::Args),
    /// Gives an agent sealed conversations, of which one is very long
    #[command(hide = true)]
    Desk(desk::Args),
    /// Fills a store and waits to be killed
    #[command(hide = true)]
    Fill(populate::Args),
    /// The server under measurement, with its limits raised
    #[command(hide = true)]
    Server(server::Args),
}

impl Args {
    /// Whether it works on the data directory of a company.
    pub fn data(&self) -> bool {
        matches!(self.what, What::Prepare(_) | What::Desk(_))
    }

    /// Runs the measurement and prints a table, or one JSON object.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let json = ctx.json;
        let measured = match self.what {
            What::Prepare(args) => return args.run(ctx),
            What::Desk(args) => return args.run(ctx),
            What::Server(args) => args.run(),
            What::Fill(args) => args.run(),
            What::Start(args) => measure(json, async || args.run().await),
            What::Disk(args) => args.run().and_then(|report| report.print(json)),
            What::Fsync(args) => args.run(json),
            What::Chat(args) => measure(json, async || args.run().await),
            What::Idle(args) => measure(json, async || args.run().await),
            What::Read(args) => measure(json, async || args.run().await),
            What::Overload(args) => measure(json, async || args.run().await),
            What::Storm(args) => measure(json, async || args.run().await),
        };
        measured.map_err(|e| CliError::failure(format!("{e:#}")))
    }
}

/// Everything of the generator happens on one thread, so that it costs little and shares its buffers.
fn measure(json: bool, run: impl AsyncFnOnce() -> anyhow::Result<Report>) -> anyhow::Result<()> {
    machine::raise_open_files()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let report = tokio::task::LocalSet::new().block_on(&runtime, run())?;
    report.print(json)
}

#[cfg(test)]
mod tests;
