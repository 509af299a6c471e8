//! `kefu team`: agents who share a queue and a key.

mod add;
mod list;
mod members;
mod rename;
mod rotate;
mod set;
mod show;

commands! {
    /// Teams: agents who share a queue and a key
    pub enum Command {
        Add(add::Args),
        List(list::Args),
        Show(show::Args),
        Rename(rename::Args),
        Set(set::Args),
        Rotate(rotate::Args),
        Members(members::Args),
    }
}
