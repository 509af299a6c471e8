//! `kefu hours set`.

use std::collections::BTreeMap;

use serde_json::json;

use super::{read, write};
use crate::{
    cli::{
        admin_client::AdminClient,
        context::Context,
        error::{CliError, Kind},
    },
    hours::{Holidays, Hours, Week},
    proto::TeamId,
};

/// Set when a team is at work
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A team without hours is always at work. Agents who are online outside of the hours still get conversations."
)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "TEAM")]
    id: TeamId,
    /// Hours of a usual week, such as "mon-fri 09:00-12:00,13:30-18:00; sat 10:00-16:00"
    #[arg(long, value_name = "WEEK", value_parser = week)]
    week: Option<Week>,
    /// Time zone by its IANA name [default: Asia/Shanghai]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// Public holidays: cn (China's, with the weekends that make up for them) or none
    #[arg(long, value_name = "COUNTRY", value_parser = holidays)]
    holidays: Option<Holidays>,
}

fn week(text: &str) -> Result<Week, String> {
    text.parse().map_err(|e: crate::hours::HoursError| e.to_string())
}

fn holidays(text: &str) -> Result<Holidays, String> {
    match text {
        "cn" => Ok(Holidays::Cn),
        "none" => Ok(Holidays::None),
        _ => Err("say cn or none".into()),
    }
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let Self { id, week, zone, holidays } = self;
        if week.is_none() && zone.is_none() && holidays.is_none() {
            return Err(CliError::new(Kind::Usage, "nothing to set").hint("give --week, --zone or --holidays"));
        }
        let admin = AdminClient::open(ctx)?;
        let set = || {
            let before = read(&admin)?.remove(&id);
            if before.is_none() && week.is_none() {
                return Err(CliError::new(Kind::Usage, format!("team {id} has no hours yet"))
                    .hint("give --week, such as --week \"mon-fri 09:00-18:00\""));
            }
            let before = before.unwrap_or(Hours {
                zone: "Asia/Shanghai".into(),
                week: Week::default(),
                holidays: Holidays::None,
                days: BTreeMap::new(),
            });
            let hours = Hours {
                zone: zone.unwrap_or(before.zone),
                week: week.unwrap_or(before.week),
                holidays: holidays.unwrap_or(before.holidays),
                days: before.days,
            };
            write(&admin, &id, Some(&hours))?;
            Ok(hours)
        };
        let hours = set();
        admin.close();
        let hours = hours?;
        let text = format!("Team {id} is at work {} ({}).", hours.week, hours.zone);
        let known = hours.holidays.known_until().map(|year| {
            format!(
                "\nChina's holidays are known until the end of {year}; those of the next year come with a later version of \
                 kefu, or day by day: kefu hours day {id} {}-01-01 closed",
                year + 1
            )
        });
        ctx.say(json!({ "team": id, "hours": hours }), format!("{text}{}", known.unwrap_or_default()));
        Ok(())
    }
}
