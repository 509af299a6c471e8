//! People as lists show them: those of the directory, and those who were invited and did not come yet.

use std::collections::BTreeMap;

use serde::Serialize;

use super::waiting::{self, Newcomer};
use crate::{
    cli::{out, verified_directory::VerifiedDirectory},
    crypto::directory::{Role, UserState},
    proto::{TeamId, UserId},
};

/// How far a person is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Has an active key.
    Active,
    /// Enrolled, and not confirmed before their invite expired.
    Waiting,
    /// Has an open invite.
    Invited,
    /// Had an invite, which has expired.
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
    /// The role.
    pub role: Role,
    /// The teams.
    pub teams: Vec<TeamId>,
    /// How far their enrolment is.
    pub state: State,
    /// When the newest invite ends or ended, ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_until: Option<u64>,
    /// How they enrolled, until they are confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconfirmed: Option<Newcomer>,
}

impl Person {
    /// State with the time it depends on.
    pub fn state_text(&self, now_ms: u64) -> String {
        let when = self.invite_until.map(|at| out::relative(at, now_ms)).unwrap_or_default();
        match self.state {
            State::Active => match &self.unconfirmed {
                Some(n) => format!("active, to be confirmed {}", out::relative(n.until, now_ms)),
                None => "active".into(),
            },
            State::Waiting => "waiting for confirmation".into(),
            State::Disabled => "disabled".into(),
            State::Invited => format!("invited, expires {when}"),
            State::Expired => format!("invite expired {when}"),
        }
    }

    /// Ids of the teams, joined by commas.
    pub fn teams_text(&self) -> String {
        self.teams.iter().map(TeamId::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// All people, by id.
pub fn all(company: &VerifiedDirectory) -> BTreeMap<UserId, Person> {
    let mut newcomers: BTreeMap<UserId, Newcomer> =
        waiting::all(company).into_iter().map(|n| (n.user.clone(), n)).collect();
    let mut people: BTreeMap<UserId, Person> = BTreeMap::new();
    for (id, user) in company.dir.users() {
        let unconfirmed = newcomers.remove(id);
        let state = match (user.active_key(), &unconfirmed) {
            (None, _) => State::Disabled,
            (Some(_), Some(n)) if n.late => State::Waiting,
            (Some(_), _) => State::Active,
        };
        let UserState { name, role, teams, .. } = user;
        people.insert(id.clone(), Person { id: id.clone(), name, role, teams, state, invite_until: None, unconfirmed });
    }
    for invite in company.believed.all() {
        let state = if invite.expired { State::Expired } else { State::Invited };
        let known = people.get(&invite.user);
        let away = |p: &Person| !matches!(p.state, State::Active | State::Waiting);
        if known.is_none_or(|p| away(p) && p.invite_until < Some(invite.exp)) {
            let (id, name, role) = (invite.user.clone(), invite.name.clone(), invite.role);
            let (teams, invite_until) = (invite.teams.clone(), Some(invite.exp));
            people.insert(id.clone(), Person { id, name, role, teams, state, invite_until, unconfirmed: None });
        }
    }
    people
}
