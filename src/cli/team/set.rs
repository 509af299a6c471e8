//! `kefu team set`: how soon a team means to answer.

use serde_json::json;

use crate::{
    cli::{
        admin_client::AdminClient,
        context::Context,
        error::{CliError, Kind},
    },
    proto::{Labels, Target, TeamId},
};

/// Set how soon a team means to answer
#[derive(Debug, clap::Args)]
#[command(after_help = "The console shows a wait that is over its target in red. 0 removes a target.")]
pub struct Args {
    /// Id of the team
    #[arg(value_name = "ID")]
    id: TeamId,
    /// Seconds until a visitor who came gets the first answer
    #[arg(long, value_name = "SECONDS")]
    first_answer: Option<u32>,
    /// Seconds until a visitor who wrote again gets an answer
    #[arg(long, value_name = "SECONDS")]
    next_answer: Option<u32>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let Self { id, first_answer, next_answer } = self;
        if first_answer.is_none() && next_answer.is_none() {
            return Err(CliError::new(Kind::Usage, "nothing to set").hint("give --first-answer or --next-answer"));
        }
        let admin = AdminClient::open(ctx)?;
        let set = || {
            let labels: Labels = serde_json::from_value(admin.call("GET", "/admin/labels", None)?)?;
            let now = labels.targets.get(&id).copied().unwrap_or_default();
            let given = |said: Option<u32>, was| said.map_or(was, |n| (n > 0).then_some(n));
            let target = Target { first: given(first_answer, now.first), next: given(next_answer, now.next) };
            admin.call("POST", "/admin/target", Some(json!({ "team": id, "target": target })))?;
            Ok::<_, CliError>(target)
        };
        let target = set();
        admin.close();
        let target = target?;
        let say = |n: Option<u32>| n.map_or_else(|| "no target".to_owned(), |n| format!("{n} s"));
        let text = format!("Team {id}: first answer {}, next answers {}.", say(target.first), say(target.next));
        ctx.say(json!({ "team": id, "first": target.first, "next": target.next }), text);
        Ok(())
    }
}
