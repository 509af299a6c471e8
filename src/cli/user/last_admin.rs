//! A company without an admin keeps working, but only the holder of the company keys can change it: this must not happen by
//! accident.

use crate::{
    cli::{error::CliError, verified_directory::VerifiedDirectory},
    proto::UserId,
};

/// For commands that could take away the last admin.
#[derive(Debug, clap::Args)]
pub struct LastAdmin {
    /// Continue even though no admin is left afterwards
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
            "{id} is the last admin: without one nobody can confirm people or renew the signed directory in the console, \
             only who has the company keys here"
        ))
        .hint("make someone else an admin first: kefu user role ID admin; or use --yes-no-admin-left"))
    }
}
