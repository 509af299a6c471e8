//! `kefu user show`: all about one person.

use super::super::{context::Context, fail::Fail};
use crate::proto::UserId;

/// Show a person
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
