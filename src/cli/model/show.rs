//! `kefu model show`.

use serde_json::json;

use crate::{
    cli::{context::Context, error::CliError, out, teach::Mind},
    robot::engine::RobotFiles,
};

/// Show the language model in use
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let mind = Mind::open(ctx)?;
        let (own, config) = (RobotFiles::of(&ctx.data_dir).model(), mind.model.config());
        let from = if own.is_dir() { own.display().to_string() } else { "the executable".to_owned() };
        let intents = mind.head(ctx).map_or(0, |head| head.intents.len());
        if ctx.json {
            out::print_json(&json!({"from": from, "layers": mind.model.layers(), "width": mind.model.width(),
                "vocabulary": config.vocabulary, "max_tokens": mind.model.max_tokens(),
                "kernel": mind.model.kernel(), "intents": intents}));
            return Ok(());
        }
        out::facts(&[
            ("from", from),
            ("layers", mind.model.layers().to_string()),
            ("width", mind.model.width().to_string()),
            ("vocabulary", config.vocabulary.to_string()),
            ("longest text", format!("{} tokens", mind.model.max_tokens())),
            ("kernel", mind.model.kernel().to_owned()),
            ("intents for it", intents.to_string()),
        ]);
        Ok(())
    }
}
