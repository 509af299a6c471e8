//! `kefu bench`: the load generator, and the figures that stand in the documentation.
//!
//! It speaks to a server only as any client does, over sockets. [`company`] and [`peer`] serve the tests too; the
//! measurements use [`wire`], which costs the generator less.

mod beat;
mod chat;
pub mod company;
mod fsync;
mod greet;
pub mod held;
pub mod http;
mod idle;
mod machine;
mod opening;
mod pair;
pub mod peer;
mod report;
mod server;
mod storm;
mod terms;
mod wire;

use report::Report;

/// Measures a server: messages, connections, reconnects, and the disk below it.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Pairs of a visitor and an agent who write to each other
    Chat(chat::Args),
    /// Connections that say nothing: memory, and the cost of a heartbeat
    Idle(idle::Args),
    /// All connections drop and come back at once
    Storm(storm::Args),
    /// How fast the disk makes writes durable
    Fsync(fsync::Args),
    /// The server under measurement, with its limits raised
    #[command(hide = true)]
    Server(server::Args),
}

impl Args {
    /// Runs the measurement and prints a table, or one JSON object.
    pub fn run(self, json: bool) -> anyhow::Result<()> {
        match self.what {
            What::Server(args) => args.run(),
            What::Fsync(args) => args.run(json),
            What::Chat(args) => measure(json, async || args.run().await),
            What::Idle(args) => measure(json, async || args.run().await),
            What::Storm(args) => measure(json, async || args.run().await),
        }
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
