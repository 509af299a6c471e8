//! `kefu hours day`.

use serde_json::json;

use super::{find, write};
use crate::{
    cli::{
        admin_client::AdminClient,
        context::Context,
        error::{CliError, Kind},
    },
    hours::{CivilDate, Span, spans},
    proto::TeamId,
};

/// Days that one command may set.
const MOST: usize = 60;

/// Set the hours of single days, which count more than week and holidays
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "TEAM")]
    id: TeamId,
    /// A date, or the first and last of several: 2027-02-05 or 2027-02-05..2027-02-11
    #[arg(value_name = "DATE", value_parser = dates)]
    dates: Dates,
    /// closed, hours such as 10:00-12:00,14:00-16:00, or usual to take the exception back
    #[arg(value_name = "HOURS", value_parser = said)]
    hours: Said,
}

/// The first and the last.
#[derive(Debug, Clone)]
struct Dates(CivilDate, CivilDate);

/// None: as on a usual day.
#[derive(Debug, Clone)]
struct Said(Option<Vec<Span>>);

fn dates(text: &str) -> Result<Dates, String> {
    let date = |text: &str| text.trim().parse().map_err(|_| format!("{text:?} is no date: write 2027-02-05"));
    let (first, last) = text.split_once("..").unwrap_or((text, text));
    let (first, last) = (date(first)?, date(last)?);
    if first > last { Err(format!("{last} is before {first}")) } else { Ok(Dates(first, last)) }
}

fn said(text: &str) -> Result<Said, String> {
    match text {
        "usual" => Ok(Said(None)),
        _ => spans(text).map(|spans| Said(Some(spans))).map_err(|e| e.to_string()),
    }
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let Self { id, dates: Dates(first, last), hours: Said(said) } = self;
        let dates: Vec<CivilDate> = std::iter::successors(Some(first), |date| date.tomorrow().ok())
            .take_while(|date| *date <= last)
            .take(MOST + 1)
            .collect();
        if dates.len() > MOST {
            return Err(CliError::new(Kind::Usage, format!("more than {MOST} days at once")));
        }
        let admin = AdminClient::open(ctx)?;
        let set = || {
            let mut hours = find(&admin, &id)?;
            for date in &dates {
                match &said {
                    Some(spans) => drop(hours.days.insert(*date, spans.clone())),
                    None => drop(hours.days.remove(date)),
                }
            }
            write(&admin, &id, Some(&hours))?;
            Ok::<_, CliError>(hours)
        };
        let hours = set();
        admin.close();
        let hours = hours?;
        let spans = hours.spans_of(first);
        let text = match spans {
            [] => "closed".to_owned(),
            spans => spans.iter().map(Span::to_string).collect::<Vec<_>>().join(", "),
        };
        let days = if first == last { first.to_string() } else { format!("{first} to {last}") };
        let usual = if said.is_none() { ", as usual" } else { "" };
        ctx.say(json!({ "team": id, "from": first, "to": last, "hours": spans }), format!("{days}: {text}{usual}."));
        Ok(())
    }
}
