//! `kefu completions`: what shells need to complete kefu's commands.

use clap_complete::Shell;

use super::{context::Context, error::CliError};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "bash: kefu completions bash > /etc/bash_completion.d/kefu\n\
                        zsh:  kefu completions zsh > \"${fpath[1]}/_kefu\"\n\
                        fish: kefu completions fish > ~/.config/fish/completions/kefu.fish")]
pub struct Args {
    /// Shell to complete for
    shell: Shell,
}

impl Args {
    /// Runs the command.
    pub fn run(self, _: &Context) -> Result<(), CliError> {
        // into memory first: the generator panics when its reader goes away
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "kefu", &mut script);
        super::out::line(String::from_utf8_lossy(&script).trim_end());
        Ok(())
    }
}
