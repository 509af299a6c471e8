//! `kefu webhook`: the addresses that are told when somebody waits.

mod list;
mod test;

commands! {
    /// Addresses that are told when somebody waits
    pub enum Command {
        List(list::Args),
        Test(test::Args),
    }
}
