//! `kefu directory`: the signed log of who is who.

mod line;
mod refresh;
mod show;
mod verify;

commands! {
    /// The signed log of who is who
    pub enum Command {
        Refresh(refresh::Args),
        Show(show::Args),
        Verify(verify::Args),
    }
}
