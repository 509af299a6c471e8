//! A company without an admin goes on, but only whoever has the company keys can change it: nobody gets there by accident.

use crate::{
    cli::{error::CliError, verified_directory::VerifiedDirectory},
    proto::UserId,
};

/// For commands that could take away the last admin.
#[derive(Debug, clap::Args)]
pub struct LastAdmin {
    /// Go on although nobody is an admin afterwards
    #[arg(long)]
    yes_no_admin_left: bool,
}

impl LastAdmin {
    /// Refuses to take away the last admin, unless that was asked for.
    pub fn check(&self, company: &VerifiedDirectory, id: &UserId) -> Result<(), CliError> {
        if self.yes_no_admin_left || !company.is_last_admin(id) {
            return Ok(());
        }
        Err(CliError::failure(format!(
            "{id} is the last admin: without one nobody confirms people or renews the signed directory in the console, \
             only who has the company keys here"
        ))
        .hint("make somebody else admin first: kefu user role ID admin; or say --yes-no-admin-left"))
    }
}
