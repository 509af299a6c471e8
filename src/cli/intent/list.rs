//! `kefu intent list`: the intents that the robot can recognise.

use serde_json::json;

use crate::cli::{
    context::Context,
    error::CliError,
    out::{self, Table},
    training::{LoadedModel, refresh},
};

/// List the intents, or the examples of one
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Show the examples of this intent
    intent: Option<String>,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        refresh(ctx);
        let classifier = LoadedModel::open(ctx)?.classifier(ctx)?;
        let examples = classifier.to_examples();
        if let Some(name) = &self.intent {
            let Some(intent) = examples.intents.get(name) else { return Err(unknown(name, examples.intents.keys())) };
            let texts: Vec<&str> =
                examples.list.iter().filter(|e| e.intent == *name).map(|e| e.text.as_str()).collect();
            if ctx.json {
                out::print_json(&json!({"intent": name, "description": intent, "examples": texts}));
            } else {
                texts.iter().for_each(|t| out::line(out::printable(t)));
            }
            return Ok(());
        }
        let counts = examples.counts();
        if ctx.json {
            let list = examples.intents.iter().map(|(name, i)| {
                json!({"intent": name, "zh": i.zh, "en": i.en, "about": i.about, "examples": counts[name.as_str()]})
            });
            out::print_json(&json!({"intents": list.collect::<Vec<_>>()}));
            return Ok(());
        }
        let mut table = Table::new(&["intent", "examples", "zh", "en"], "No intents: kefu intent train FILE.csv");
        for (name, intent) in &examples.intents {
            let count = counts[name.as_str()].to_string();
            table.row([name.clone(), count, intent.zh.clone(), intent.en.clone()]);
        }
        table.print();
        Ok(())
    }
}

/// An intent that is not there, with the nearest that is.
pub fn unknown<'a>(name: &str, known: impl IntoIterator<Item = &'a String>) -> CliError {
    let fail = CliError::failure(format!("there is no intent {name:?}"));
    match out::nearest(name, known.into_iter().map(String::as_str)) {
        Some(near) => fail.hint(format!("did you mean {near:?}?")),
        None => fail.hint("kefu intent list shows them"),
    }
}
