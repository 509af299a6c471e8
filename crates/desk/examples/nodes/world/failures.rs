//! A server dies; Redis fails over.

use super::{Happens, World};
use crate::costs::{BEAT_MS, FAILOVER_MS, GONE_BEATS, LEASE_MS, RESTART_MS};

impl World {
    /// The server that runs the desk dies, or, of one, restarts; its agents are back at these times after it, the others never.
    pub fn die(&mut self, mut back: impl FnMut(usize) -> Option<u64>) {
        let dead = self.leader;
        self.desk = None;
        let noticed = BEAT_MS * GONE_BEATS;
        self.dead = Some((dead, self.now + noticed));
        let again = match self.nodes {
            1 => RESTART_MS,
            // renewed up to two seconds before, taken by the next beat of another
            _ => {
                LEASE_MS - self.random.below(BEAT_MS as usize) as u64
                    + self.random.below(BEAT_MS as usize) as u64 / self.nodes as u64
            }
        };
        self.leader = (dead + 1) % self.nodes;
        self.soon(again, Happens::Leads);
        self.soon(noticed, Happens::Lost);
        for agent in 0..self.agents.len() {
            if self.agents[agent].node == dead {
                self.agents[agent].here = false;
                if let Some(ms) = back(agent) {
                    self.soon(ms, Happens::Back(agent));
                }
            }
        }
    }

    /// Redis is away: nothing is stored and nobody decides.
    pub fn fail_over(&mut self) {
        self.desk = None;
        self.away_until = self.now + FAILOVER_MS;
        let beat = self.random.below(BEAT_MS as usize) as u64;
        self.soon(FAILOVER_MS + beat, Happens::Leads);
    }
}
