//! What an idle connection costs.

use std::time::Duration;

use kefu_proto::BEAT_MS;
use tokio::{task::spawn_local, time::sleep};

use crate::{
    error::LoadError,
    idle_connections::{AT_ONCE, IdleConnections, visitor_keys},
    meter::{ServerMeter, load_average},
    stage::Stage,
    target::Target,
};

/// Connections with heartbeats.
#[derive(Debug, Clone, Copy)]
pub struct Idle {
    /// Number of connections.
    pub connections: usize,
    /// How long to measure the heartbeat.
    pub seconds: u64,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct IdleReport {
    /// Resident memory of the server, without and with the connections, bytes.
    pub rss_bytes: Option<(u64, u64)>,
    /// Pings answered in the time measured.
    pub beats: u64,
    /// Processor time of the server in that time, seconds.
    pub server_cpu_seconds: Option<f64>,
    /// Of the machine when it was measured.
    pub load_average: f64,
}

impl Idle {
    /// Runs it; `stage` receives its progress. Connections and seconds are at least 1.
    pub async fn run(
        &self,
        target: &Target,
        meter: ServerMeter,
        stage: impl Fn(Stage),
    ) -> Result<IdleReport, LoadError> {
        let keys = visitor_keys(self.connections);
        let empty = meter.rss_bytes();
        stage(Stage::Connecting(self.connections));
        let idle = IdleConnections::open(target, &keys, AT_ONCE).await?;
        let beats = spawn_local(idle.clone().beat());
        // each has had a heartbeat: memory of the handshake went back, that of the first answer was asked for
        sleep(Duration::from_millis(BEAT_MS + 500)).await;
        let full = meter.rss_bytes();
        let before = (idle.beats.get(), meter.cpu_seconds());
        sleep(Duration::from_secs(self.seconds)).await;
        let answered = idle.beats.get() - before.0;
        let server_cpu_seconds = meter.cpu_since(before.1);
        beats.abort();
        idle.check()?;
        let load_average = load_average();
        Ok(IdleReport { rss_bytes: empty.zip(full), beats: answered, server_cpu_seconds, load_average })
    }
}
