//! `kefu user`: the people who answer.

mod add;
mod confirm;
mod disable;
mod invite;
mod last_admin;
mod list;
mod people;
mod reinvite;
mod role;
mod show;
mod teams;
pub mod waiting;

commands! {
    /// People who answer: invite, list, change role and teams, switch off
    pub enum Command {
        Add(add::Args),
        List(list::Args),
        Show(show::Args),
        Confirm(confirm::Args),
        Disable(disable::Args),
        Enable(reinvite::Enable),
        Reset(reinvite::Reset),
        Role(role::Args),
        Teams(teams::Args),
        #[command(subcommand)]
        Invite(invite::Command),
    }
}
