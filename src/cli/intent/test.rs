//! `kefu intent test`: what the robot makes of a text.

use serde_json::json;

use crate::cli::{
    context::Context,
    error::CliError,
    out::{self, Table},
    training::{LoadedModel, percent, refresh},
};

/// Show how the robot recognises a text; works without a data directory
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What a visitor might write
    text: String,
    /// Number of intents and examples to show
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=50))]
    top: u8,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        refresh(ctx);
        let loaded = LoadedModel::open(ctx)?;
        let classifier = loaded.classifier(ctx)?;
        let vector = loaded.vector(&self.text)?;
        let guess = classifier.predict(&vector);
        let near = classifier.near(&vector, self.top.into());
        let best = guess.intents.iter().take(self.top.into()).map(|(n, p)| (&classifier.intents[*n], *p));
        if ctx.json {
            let intents: Vec<_> =
                best.map(|((name, i), p)| json!({"intent": name, "p": p, "zh": i.zh, "en": i.en})).collect();
            out::print_json(&json!({
                "text": self.text, "intents": intents, "out_of_scope": guess.out_of_scope, "nearest": near,
            }));
            return Ok(());
        }
        let mut table = Table::new(&["intent", "confidence", "zh", "en"], "");
        best.for_each(|((name, i), p)| table.row([name.clone(), percent(p), i.zh.clone(), i.en.clone()]));
        table.row(["none of them".into(), percent(guess.out_of_scope), String::new(), String::new()]);
        table.print();
        out::line("");
        let mut table = Table::new(&["nearest example", "intent", "cosine"], "");
        near.into_iter().for_each(|n| table.row([n.text, n.intent, format!("{:.2}", n.cosine)]));
        table.print();
        Ok(())
    }
}
