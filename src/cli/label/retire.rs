//! `kefu tag retire`, `kefu reason retire`.

use serde_json::json;

use super::List;
use crate::{
    cli::{context::Context, error::CliError},
    proto::{Label, LabelId},
};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Its id
    #[arg(value_name = "ID")]
    id: LabelId,
}

impl Args {
    /// Runs the command.
    pub(super) fn run(self, ctx: &Context, list: &List) -> Result<(), CliError> {
        let label = Label { retired: true, ..list.find(&self.id)? };
        list.write(&label)?;
        let back = format!("kefu {} add {} brings it back.", list.word(), label.id);
        ctx.say(json!(label), format!("{} is not offered any more; what has it keeps it. {back}", label.name));
        Ok(())
    }
}
