//! `kefu policy test`: what the robot would do about a text, and why.

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        out::{self, Table},
        training::{percent, refresh, unable},
    },
    robot::engine::{RobotEngine, RobotFiles},
    robot::policy::{Action, Button, Dialogue, TurnInput},
};

/// Show what the robot would do about a text, and why
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What a visitor might write
    text: String,
    /// Id of a site
    #[arg(long, default_value = "", hide_default_value = true)]
    site: String,
    /// How many times in a row the robot has already asked back
    #[arg(long, value_name = "N", default_value_t = 0)]
    asked: u32,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let policy = super::load(ctx)?;
        refresh(ctx);
        let engine = RobotEngine::of_command(RobotFiles::of(&ctx.data_dir), policy).map_err(|e| unable(&e))?;
        let input = TurnInput {
            text: &self.text,
            site: &self.site,
            now_ms: out::now_ms(),
            zh: None,
            dialogue: Dialogue { asked: self.asked, ..Dialogue::default() },
        };
        let recognition = engine.recognise(&input).map_err(|e| CliError::failure(e.to_string()))?;
        let decision = engine.decide_on(&input, &recognition);
        if ctx.json {
            let intents: Vec<_> = recognition.intents.iter().map(|g| json!({"intent": g.name, "p": g.p})).collect();
            let hits: Vec<_> = recognition
                .hits
                .iter()
                .map(|h| json!({"entry": h.entry, "score": h.score, "against": h.against}))
                .collect();
            out::print_json(&json!({
                "decision": decision, "intents": intents, "out_of_scope": recognition.out_of_scope, "knowledge": hits,
            }));
            return Ok(());
        }
        let (does, text, buttons) = describe(&decision.action);
        let labels: Vec<&str> = buttons.iter().map(|b| b.label.as_str()).collect();
        out::facts(&[
            ("does", does),
            ("says", text),
            ("buttons", labels.join(" | ")),
            ("why", decision.why.to_string()),
        ]);
        out::line("");
        let mut table = Table::new(&["understood", "confidence"], "");
        recognition.intents.iter().take(3).for_each(|g| table.row([g.name.clone(), percent(g.p)]));
        table.row(["none of the intents".into(), percent(recognition.out_of_scope)]);
        recognition
            .hits
            .iter()
            .take(3)
            .for_each(|h| table.row([format!("{} {}", h.entry, h.question), percent(h.score)]));
        table.print();
        for (h, a) in recognition.hits.iter().take(3).filter_map(|h| Some((h, h.against.as_ref()?))) {
            out::line(out::printable(&format!(
                "{}: the entry says {:?}, the question {:?}",
                h.entry, a.entry, a.asked
            )));
        }
        Ok(())
    }
}

/// What the action does, its text, and its buttons.
fn describe(action: &Action) -> (String, String, &[Button]) {
    match action {
        Action::Answer { text, buttons } => ("answers".into(), text.clone(), buttons),
        Action::Ask { text, buttons } => ("asks".into(), text.clone(), buttons),
        Action::Say { text } => ("replies with a text".into(), text.clone(), &[]),
        Action::Route { team, text } => (format!("hands over to team {team}"), text.clone(), &[]),
        Action::HandOver { why, text } => {
            (format!("hands over to a person ({})", why.as_str()), text.clone().unwrap_or_default(), &[])
        }
        Action::Silent => ("nothing".into(), String::new(), &[]),
    }
}
