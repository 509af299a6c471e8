//! All connections are lost and come back at once.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{
    error::LoadError,
    idle_connections::{AT_ONCE, IdleConnections, visitor_keys},
    meter::{ServerMeter, load_average},
    stage::Stage,
    target::Target,
};

/// Until the server has noticed who is gone.
const PAUSE: Duration = Duration::from_millis(500);

/// Connections that come back.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// Number of connections.
    pub connections: usize,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct StormReport {
    /// Processor time of the server from the drop to the end, seconds.
    pub server_cpu_seconds: Option<f64>,
    /// Until all were back.
    pub all_back: Duration,
    /// Of the machine when it was measured.
    pub load_average: f64,
}

impl Storm {
    /// Runs it; `stage` receives its progress. Connections are at least 1.
    pub async fn run(
        &self,
        target: &Target,
        meter: ServerMeter,
        stage: impl Fn(Stage),
    ) -> Result<StormReport, LoadError> {
        let keys = visitor_keys(self.connections);
        stage(Stage::Connecting(self.connections));
        let idle = IdleConnections::open(target, &keys, AT_ONCE).await?;
        sleep(PAUSE).await;
        stage(Stage::Dropping);
        let before = meter.cpu_seconds();
        drop(idle);
        let started = Instant::now();
        let back = IdleConnections::open(target, &keys, self.connections).await?;
        let all_back = started.elapsed();
        sleep(PAUSE).await;
        let server_cpu_seconds = meter.cpu_since(before);
        back.check()?;
        Ok(StormReport { server_cpu_seconds, all_back, load_average: load_average() })
    }
}
