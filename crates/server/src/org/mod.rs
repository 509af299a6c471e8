//! Who is who: the signed directory, people, invites, login, teams, sites.
//!
//! The server keeps and checks; it holds no key that could sign. What must be signed is made by [`acts`], pure functions
//! that run where the company's keys are (the command line), and comes in as a [`Commit`]. Nothing here knows of
//! conversations or sockets.

pub mod acts;
mod api;
mod bundle;
mod commit;
mod confirm;
mod error;
mod hours;
mod invites;
mod labels;
mod limiter;
mod login;
mod published;
mod refresh;
mod robot_keyring;
mod rows;
mod service;
mod steps;
mod tries;
mod versions_seen;
pub mod widgets;
mod written;

pub use api::{
    BoxFor, BoxesAnswer, DirectoryAnswer, DropBoxes, InviteClaim, InviteOpen, InviteOpened, InviteRegister, LoggedIn,
    LoginFinish, LoginStart, LoginStarted, Message, OpenInvite, PasswordFinish, SiteName, SiteSettings,
};
pub use bundle::Freshness;
pub use commit::{AdminView, Commit};
pub use confirm::DirectoryPost;
pub use error::OrgError;
pub use login::change_hash;
pub use robot_keyring::RobotKeyring;
pub use rows::{RECOVERY, invite_name};
pub use service::{Org, Secrets, Site};
pub use versions_seen::WidgetVersionSeen;
pub use written::DirectoryJson;

#[cfg(test)]
mod tests;
