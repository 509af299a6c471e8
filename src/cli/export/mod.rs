//! `kefu export`: conversations that the console saved as files.

mod check;
mod file;
mod verify;

commands! {
    /// Conversations that the console saved as files
    pub enum Command {
        Verify(verify::Args),
    }
}
