//! `kefu tag list`, `kefu reason list`.

use serde_json::json;

use super::List;
use crate::{
    cli::{context::Context, error::CliError, out::Table},
    proto::LabelKind,
};

/// Arguments of the command.
#[derive(Debug, clap::Args)]
pub struct Args {}

impl Args {
    /// Runs the command.
    pub(super) fn run(self, ctx: &Context, list: &List) -> Result<(), CliError> {
        let (plural, empty) = match list.kind {
            LabelKind::Tag => ("tags", "No tags yet: kefu tag add ID --name NAME"),
            LabelKind::Reason => ("reasons", "No reasons yet: kefu reason add ID --name NAME"),
        };
        let labels = list.read()?;
        let mut table = Table::new(&["id", "name", "color", "offered"], empty);
        for label in &labels {
            let offered = if label.retired { "no" } else { "yes" };
            table.row([label.id.to_string(), label.name.clone(), label.color.as_str().into(), offered.into()]);
        }
        ctx.list(plural, labels.iter().map(|label| json!(label)).collect(), &table);
        Ok(())
    }
}
