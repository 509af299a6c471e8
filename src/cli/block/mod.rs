//! `kefu block`: visitors who may not write for a time. Agents block them in the console.
//!
//! A block is for the key of a visitor's browser. There is none by address: the server keeps no addresses, and behind one there
//! may be a whole office, school or mobile network.

mod list;
mod remove;

commands! {
    /// Visitors who may not write for a time
    pub enum Command {
        List(list::Args),
        Remove(remove::Args),
    }
}
