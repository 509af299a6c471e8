//! `kefu user invite`: invites that were not used yet.

mod list;
mod revoke;

commands! {
    /// Invites that were not used yet
    pub enum Command {
        List(list::Args),
        Revoke(revoke::Args),
    }
}
