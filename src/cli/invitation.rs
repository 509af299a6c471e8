//! How an invite is handed to the administrator: the code, for whom, for how long, and what to do with it.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    cli::{context::Context, error::CliError, out, verified_directory::VerifiedDirectory},
    crypto::{directory::Role, invite::InviteCode},
    proto::{TeamId, UserId},
};

/// A new invite.
#[derive(Debug)]
pub struct Invitation {
    /// The user.
    pub user: UserId,
    /// Display name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The teams.
    pub teams: Vec<TeamId>,
    /// The secret code.
    pub code: InviteCode,
    /// When it expires, ms since 1970.
    pub until: u64,
}

impl Invitation {
    /// The JSON form; the code is in it.
    pub fn json(&self) -> Value {
        json!({
            "user": self.user, "name": self.name, "role": self.role, "teams": self.teams,
            "code": *self.code.print(), "expires": self.until,
        })
    }

    /// Prints it. Fails if the code could not be shown: it is nowhere else.
    pub fn print(&self, ctx: &Context) -> Result<(), CliError> {
        match ctx.json {
            true => out::print_json(&json!({"invite": self.json()})),
            false => self.print_text(),
        }
        self.shown()
    }

    /// Fails if what was printed so far did not reach the reader.
    pub fn shown(&self) -> Result<(), CliError> {
        let user = &self.user;
        out::printed().map_err(|fail| {
            fail.hint(format!(
                "{user} is invited, but the code could not be shown: kefu user invite revoke {user}, then invite again"
            ))
        })
    }

    /// Prints it for people.
    pub fn print_text(&self) {
        let who = if self.name == self.user.as_str() {
            self.user.to_string()
        } else {
            format!("{} ({})", self.user, self.name)
        };
        let teams: Vec<&str> = self.teams.iter().map(TeamId::as_str).collect();
        let place = if teams.is_empty() { String::new() } else { format!(" in {}", teams.join(", ")) };
        out::line(format!("{who} is invited as {}{place}. The code:\n", self.role));
        out::line(self.code_lines());
        let left = out::duration(self.until.saturating_sub(out::now_ms()) + 1_000);
        out::line(format!(
            "\nAnyone who has the code can become {}: hand it over in person or by phone. It can be used once,",
            self.user
        ));
        out::line(format!("for {left}. In the console choose \"First time\", enter it, and choose a password."));
        if self.teams.is_empty() && self.role != Role::Admin {
            out::line(format!(
                "\n{} is in no team yet and will get no conversations: kefu user teams {} TEAM",
                self.user, self.user
            ));
        }
    }

    /// The code in two lines, indented.
    fn code_lines(&self) -> Zeroizing<String> {
        let code = self.code.print();
        let groups: Vec<&str> = code.split('-').collect();
        let (first, second) = groups.split_at(groups.len() / 2);
        Zeroizing::new(format!("  {}-\n  {}", first.join("-"), second.join("-")))
    }
}

impl Invitation {
    /// The invite of a person of the directory, with the role and teams there.
    pub fn renewed(
        company: &VerifiedDirectory,
        user: &UserId,
        code: InviteCode,
        ttl_ms: u64,
    ) -> Result<Self, CliError> {
        let state = company.user(user)?;
        let (name, role, teams) = (state.name.clone(), state.role, state.teams.clone());
        Ok(Self { user: user.clone(), name, role, teams, code, until: company.now_ms + ttl_ms })
    }
}
