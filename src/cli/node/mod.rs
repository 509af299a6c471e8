//! `kefu node`: the servers that share a company's database.

mod drain;
mod list;

commands! {
    /// Servers that share the database
    pub enum Command {
        List(list::Args),
        Drain(drain::Args),
    }
}
