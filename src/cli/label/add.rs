//! `kefu tag add`, `kefu reason add`.

use serde_json::json;

use super::List;
use crate::{
    cli::{
        args,
        context::Context,
        error::{CliError, Kind},
    },
    proto::{Label, LabelColor, LabelId},
};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id: 1 to 32 of a-z 0-9 . _ -
    #[arg(value_name = "ID")]
    id: LabelId,
    /// Name that agents see [default: the id]
    #[arg(long, value_parser = args::display_name)]
    name: Option<String>,
    /// Colour in the console: gray, red, orange, yellow, green, teal, blue or purple
    #[arg(long, value_name = "COLOR", default_value = "gray", value_parser = color)]
    hue: LabelColor,
}

fn color(text: &str) -> Result<LabelColor, String> {
    let known = || LabelColor::ALL.map(LabelColor::as_str).join(", ");
    LabelColor::ALL.into_iter().find(|c| c.as_str() == text).ok_or_else(|| format!("choose one of {}", known()))
}

impl Args {
    /// Runs the command.
    pub(super) fn run(self, ctx: &Context, list: &List) -> Result<(), CliError> {
        let Self { id, name, hue: color } = self;
        let before = list.read()?.into_iter().find(|label| label.id == id);
        if before.as_ref().is_some_and(|label| !label.retired) {
            return Err(CliError::new(Kind::Exists, format!("{} {id} already exists", list.word()))
                .hint(format!("kefu {} list", list.word())));
        }
        let name = name.or_else(|| before.map(|label| label.name)).unwrap_or_else(|| id.to_string());
        let label = Label { id, name, color, retired: false };
        list.write(&label)?;
        ctx.say(json!(label), format!("Agents can choose {} ({}) now.", label.name, label.id));
        Ok(())
    }
}
