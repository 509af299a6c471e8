//! `kefu hours show`.

use serde_json::json;

use super::read;
use crate::{
    cli::{admin_client::AdminClient, context::Context, error::CliError, out},
    hours::{Holidays, Hours, Span},
    proto::TeamId,
};

/// Show when teams are at work
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only this team
    #[arg(value_name = "TEAM")]
    id: Option<TeamId>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let admin = AdminClient::open(ctx)?;
        let all = read(&admin);
        admin.close();
        let mut all = all?;
        all.retain(|team, _| self.id.as_ref().is_none_or(|id| id == team));
        let now = out::now_ms();
        if ctx.json {
            let team = |(team, hours)| json!({ "team": team, "opens": hours_open(&hours, now), "hours": hours });
            out::print_json(&json!(all.into_iter().map(team).collect::<Vec<_>>()));
            return Ok(());
        }
        if all.is_empty() {
            match self.id {
                Some(id) => out::line(format!("Team {id} has no hours: it is always at work.")),
                None => out::line("No team has hours: all are always at work. Set them with kefu hours set."),
            }
        }
        for (team, hours) in all {
            let opens = hours_open(&hours, now);
            let days = hours.days.iter().map(|(date, spans)| {
                let spans: Vec<String> = spans.iter().map(Span::to_string).collect();
                format!("{date} {}", if spans.is_empty() { "closed".into() } else { spans.join(",") })
            });
            let holidays = match hours.holidays {
                Holidays::None => "none".to_owned(),
                Holidays::Cn => format!("China, known until {}", hours.holidays.known_until().unwrap_or_default()),
            };
            let mut facts = vec![
                ("team", team.to_string()),
                ("week", hours.week.to_string()),
                ("zone", hours.zone.clone()),
                ("holidays", holidays),
                ("now", opens.map_or_else(|| "at work".to_owned(), |at| closed_until(&hours, at))),
            ];
            facts.extend(days.map(|day| ("single day", day)));
            out::facts(&facts);
        }
        Ok(())
    }
}

/// By the team's clock.
fn closed_until(hours: &Hours, at: u64) -> String {
    let at = hours.local(at).map_or_else(|_| out::date(at), |at| at.strftime("%a %Y-%m-%d %H:%M").to_string());
    format!("closed until {at}")
}

fn hours_open(hours: &Hours, now: u64) -> Option<u64> {
    // the server checked them
    hours.opens(now).ok().flatten()
}
