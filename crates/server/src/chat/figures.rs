//! What a server has counted, as others ask for it: `kefu stats` shows the sum over all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Chat, LimitedCount, RobotCounts};
use crate::telemetry::Tally;

/// The numbers of one server, or of several together. What a server of another version does not say counts as nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    /// WebSockets.
    pub connections: u64,
    /// Who was limited in the last ten minutes, by limit. Who was limited by several servers counts at each.
    pub limited: BTreeMap<String, LimitedCount>,
    /// What the robot did.
    pub robot: RobotCounts,
    /// Counters and times.
    pub tally: Tally,
}

impl Figures {
    /// Adds those of another server.
    pub fn add(&mut self, other: &Self) {
        let Self { connections, limited, robot, tally } = other;
        self.connections = self.connections.saturating_add(*connections);
        for (limit, more) in limited {
            let sum = self.limited.entry(limit.clone()).or_default();
            sum.visitors = sum.visitors.saturating_add(more.visitors);
            sum.addresses = sum.addresses.saturating_add(more.addresses);
            sum.agents = sum.agents.saturating_add(more.agents);
        }
        self.robot.answers = self.robot.answers.saturating_add(robot.answers);
        self.robot.handed_over = self.robot.handed_over.saturating_add(robot.handed_over);
        self.tally.add(tally);
    }
}

impl Chat {
    /// What this server has counted.
    pub fn figures(&self) -> Figures {
        Figures {
            connections: self.hub.len() as u64,
            limited: self.limited_lately().into_iter().map(|(limit, n)| (limit.to_owned(), n)).collect(),
            robot: self.robot_counts(),
            tally: self.metrics.tally(),
        }
    }
}
