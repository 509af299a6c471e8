//! `kefu tag` and `kefu reason`: what agents sort conversations by, and why they close them. Both lists have the same commands.

mod add;
mod list;
mod retire;

use serde_json::json;

use crate::{
    cli::{
        admin_client::AdminClient,
        context::Context,
        error::{CliError, Kind},
    },
    proto::{Label, LabelId, LabelKind, Labels},
};

/// Commands on one of the lists.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add one, or bring back one that was retired
    Add(add::Args),
    /// List them
    List(list::Args),
    /// Offer one no more; conversations that have it keep it
    Retire(retire::Args),
}

impl Command {
    /// Runs the command on a list.
    pub fn run(self, ctx: &Context, kind: LabelKind) -> Result<(), CliError> {
        let list = List { kind, admin: AdminClient::open(ctx)? };
        let done = match self {
            Self::Add(args) => args.run(ctx, &list),
            Self::List(args) => args.run(ctx, &list),
            Self::Retire(args) => args.run(ctx, &list),
        };
        list.admin.close();
        done
    }
}

/// One of the company's lists.
struct List {
    kind: LabelKind,
    admin: AdminClient,
}

impl List {
    /// What one of them is called, also on the command line.
    fn word(&self) -> &'static str {
        match self.kind {
            LabelKind::Tag => "tag",
            LabelKind::Reason => "reason",
        }
    }

    fn read(&self) -> Result<Vec<Label>, CliError> {
        let labels: Labels = serde_json::from_value(self.admin.call("GET", "/admin/labels", None)?)?;
        Ok(match self.kind {
            LabelKind::Tag => labels.tags,
            LabelKind::Reason => labels.reasons,
        })
    }

    fn write(&self, label: &Label) -> Result<(), CliError> {
        let body = json!({ "kind": self.kind, "label": label });
        self.admin.call("POST", "/admin/labels", Some(body)).map(drop)
    }

    fn find(&self, id: &LabelId) -> Result<Label, CliError> {
        let missing = || {
            CliError::new(Kind::Failure, format!("there is no {} {id}", self.word()))
                .hint(format!("kefu {} list", self.word()))
        };
        self.read()?.into_iter().find(|label| label.id == *id).ok_or_else(missing)
    }
}
