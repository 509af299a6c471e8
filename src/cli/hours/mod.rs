//! `kefu hours`: when teams are at work. Waits are measured against a team's targets in its hours only, and visitors who come outside
//! of them are told when they begin.

mod day;
mod remove;
mod set;
mod show;

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    cli::{
        admin_client::AdminClient,
        error::{CliError, Kind},
    },
    hours::Hours,
    proto::TeamId,
};

commands! {
    /// Business hours of teams, with holidays and single days
    pub enum Command {
        Show(show::Args),
        Set(set::Args),
        Day(day::Args),
        Remove(remove::Args),
    }
}

fn read(admin: &AdminClient) -> Result<BTreeMap<TeamId, Hours>, CliError> {
    Ok(serde_json::from_value(admin.call("GET", "/admin/hours", None)?)?)
}

fn write(admin: &AdminClient, team: &TeamId, hours: Option<&Hours>) -> Result<(), CliError> {
    admin.call("POST", "/admin/hours", Some(json!({ "team": team, "hours": hours }))).map(drop)
}

fn find(admin: &AdminClient, team: &TeamId) -> Result<Hours, CliError> {
    let none = || {
        CliError::new(Kind::Failure, format!("team {team} has no hours: it is always at work"))
            .hint(format!("kefu hours set {team} --week \"mon-fri 09:00-18:00\""))
    };
    read(admin)?.remove(team).ok_or_else(none)
}
