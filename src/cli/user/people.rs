//! People as lists show them: those of the directory, and those who were invited and did not come yet.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    cli::{company::Company, out},
    crypto::directory::Role,
    proto::{TeamId, UserId},
};

/// How far a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// May act.
    Active,
    /// Has an invite.
    Invited,
    /// Had an invite, which is over.
    Expired,
    /// Switched off.
    Disabled,
}

/// A person.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    /// Login name.
    pub id: UserId,
    /// Display name.
    pub name: String,
    /// Role.
    pub role: Role,
    /// Teams.
    pub teams: Vec<TeamId>,
    /// How far.
    pub state: State,
    /// When the newest invite ends or ended, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_until: Option<u64>,
}

impl Person {
    /// State with the time it depends on.
    pub fn state_text(&self, now_ms: u64) -> String {
        let when = self.invite_until.map(|at| out::relative(at, now_ms)).unwrap_or_default();
        match self.state {
            State::Active => "active".into(),
            State::Disabled => "disabled".into(),
            State::Invited => format!("invited, ends {when}"),
            State::Expired => format!("invite ended {when}"),
        }
    }

    /// Teams, joined.
    pub fn teams_text(&self) -> String {
        self.teams.iter().map(TeamId::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// Everybody, by id.
pub fn all(company: &Company) -> BTreeMap<UserId, Person> {
    let mut people: BTreeMap<UserId, Person> = BTreeMap::new();
    for (id, user) in &company.dir.state().users {
        let state = if user.active_key().is_some() { State::Active } else { State::Disabled };
        let (name, role, teams) = (user.name.clone(), user.role, user.teams.clone());
        people.insert(id.clone(), Person { id: id.clone(), name, role, teams, state, invite_until: None });
    }
    for invite in &company.view.invites {
        let state = if invite.expired { State::Expired } else { State::Invited };
        let known = people.get(&invite.user);
        let newer = known.is_none_or(|p| p.state != State::Active && p.invite_until < Some(invite.exp));
        if newer {
            let (id, name, role) = (invite.user.clone(), invite.name.clone(), invite.role);
            let (teams, until) = (invite.teams.clone(), Some(invite.exp));
            people.insert(id.clone(), Person { id, name, role, teams, state, invite_until: until });
        }
    }
    people
}
