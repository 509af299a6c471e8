//! `kefu site`: where widgets stand.

mod add;
mod change;
mod list;
mod off;
mod show;
mod snippet;

use super::{context::Context, fail::Fail};

/// Sites: where widgets stand
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    Add(add::Args),
    List(list::Args),
    Show(show::Args),
    Change(change::Args),
    Off(off::Args),
    Snippet(snippet::Args),
}

impl Command {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        match self {
            Self::Add(args) => args.run(ctx),
            Self::List(args) => args.run(ctx),
            Self::Show(args) => args.run(ctx),
            Self::Change(args) => args.run(ctx),
            Self::Off(args) => args.run(ctx),
            Self::Snippet(args) => args.run(ctx),
        }
    }
}
