//! `kefu policy show`: the rules that hold.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    cli::{
        context::Context,
        error::CliError,
        out::{self, Table},
        training::{LoadedModel, percent},
    },
    config::Do,
};

/// Show the rules that apply, on a site or everywhere
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of a site
    #[arg(long, default_value = "", hide_default_value = true)]
    site: String,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let policy = super::load(ctx)?;
        let rules = policy.rules(&self.site);
        // without a model, the rules alone
        let classifier = LoadedModel::open(ctx).and_then(|loaded| loaded.classifier(ctx)).ok();
        let mut intents: BTreeSet<&str> = rules.intents.keys().map(String::as_str).collect();
        intents.extend(classifier.iter().flat_map(|h| &h.intents).map(|(name, _)| name.as_str()));
        if ctx.json {
            let list: serde_json::Map<_, _> =
                intents.iter().map(|i| ((*i).to_owned(), json!(policy.rule(&self.site, i)))).collect();
            out::print_json(&json!({
                "threshold": rules.threshold, "knowledge": rules.knowledge, "margin": rules.margin,
                "failed_turns": rules.failed_turns, "answers": rules.answers, "intents": list,
            }));
            return Ok(());
        }
        out::facts(&[
            ("acts on an intent from", percent(rules.threshold)),
            ("answers from knowledge from", percent(rules.knowledge)),
            ("asks if two intents are closer than", percent(rules.margin)),
            ("a person after", format!("{} turns without an answer", rules.failed_turns)),
        ]);
        out::line("");
        let mut table = Table::new(&["intent", "does", "text or team"], "");
        for intent in intents {
            let rule = policy.rule(&self.site, intent);
            let text = if rule.zh.is_empty() { rule.en } else { rule.zh };
            let more = if rule.action == Do::Route { format!("{} {text}", rule.team) } else { text };
            table.row([intent.to_owned(), format!("{:?}", rule.action).to_lowercase(), more]);
        }
        table.print();
        Ok(())
    }
}
