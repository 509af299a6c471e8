//! Other processes of this program.

use std::process::{Child, Command};

use anyhow::Context as _;

/// A process that is killed in the end: nothing is closed, as after a crash.
#[derive(Debug)]
pub struct Killed(pub Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This program.
pub fn program() -> anyhow::Result<Command> {
    Ok(Command::new(std::env::current_exe().context("cannot find this program")?))
}
