//! Presence of teams: the last state from the desk, for requests, and how often listeners are notified.
//!
//! A team at its capacity becomes busy and open again with every conversation that begins or ends. A request returns what
//! holds now; thousands of visitors' sockets are notified at once, and then not again for a while.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    hub::{Audience, Topic},
    proto::{Presence, ServerFrame, TeamId, TeamPresence},
};

use super::Chat;

/// What holds now, by team.
#[derive(Debug, Default)]
pub(super) struct Board(Mutex<HashMap<TeamId, TeamPresence>>);

impl Board {
    /// Who of a team is there.
    pub(super) fn of(&self, team: &TeamId) -> TeamPresence {
        self.0.lock().get(team).copied().unwrap_or(TeamPresence::NOBODY)
    }

    /// All that are known.
    pub(super) fn all(&self) -> Vec<(TeamId, TeamPresence)> {
        self.0.lock().iter().map(|(team, now)| (team.clone(), *now)).collect()
    }

    /// Stores the state that the desk reported.
    pub(super) fn set(&self, team: TeamId, now: TeamPresence) {
        self.0.lock().insert(team, now);
    }
}

/// What listeners were last sent, and when they are notified again.
#[derive(Debug, Default)]
pub(super) struct Telling {
    told: HashMap<TeamId, (Presence, u32, Instant)>,
    due: BTreeMap<TeamId, Instant>,
}

impl Telling {
    /// Between two frames about one team.
    const PAUSE: Duration = Duration::from_secs(1);

    /// Something about a team changed.
    pub(super) fn changed(&mut self, team: TeamId) {
        let now = Instant::now();
        let at = self.told.get(&team).map_or(now, |(.., at)| now.max(*at + Self::PAUSE));
        self.due.entry(team).or_insert(at);
    }

    /// Waits until a notification is due.
    pub(super) async fn due(&self) {
        match self.due.values().min() {
            Some(at) => tokio::time::sleep_until(*at).await,
            None => std::future::pending().await,
        }
    }

    /// Sends due notifications that are still new.
    pub(super) fn publish(&mut self, chat: &Chat) {
        let now = Instant::now();
        let teams: Vec<TeamId> = self.due.extract_if(.., |_, at| *at <= now).map(|(team, _)| team).collect();
        for team in teams {
            let TeamPresence { state, agents, .. } = chat.presence.of(&team);
            if self.told.get(&team).is_some_and(|(s, n, _)| (*s, *n) == (state, agents)) {
                continue;
            }
            self.told.insert(team.clone(), (state, agents, now));
            let frame = chat.presence_frame(&team);
            for (site, entry) in &chat.org.directory().state().sites {
                if entry.team == team {
                    chat.tell(&Topic::Site(site.clone()), Audience::Everyone, &frame);
                }
            }
            chat.tell(&Topic::Team(team), Audience::Everyone, &frame);
        }
    }
}

impl Chat {
    /// Who of a team is there, and how many wait for them.
    pub fn presence(&self, team: &TeamId) -> TeamPresence {
        self.presence.of(team)
    }

    /// The same as sockets are told.
    pub(super) fn presence_frame(&self, team: &TeamId) -> ServerFrame {
        let TeamPresence { state, agents, .. } = self.presence.of(team);
        ServerFrame::Presence { team: team.clone(), state, agents, opens: self.org.opens(team) }
    }
}
