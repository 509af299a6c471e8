//! `kefu user show`: all about one person.

use serde_json::json;

use super::people;
use crate::{
    cli::{
        context::Context,
        error::CliError,
        out,
        verified_directory::{VerifiedDirectory, unknown},
    },
    crypto::hash::kid,
    proto::UserId,
};

/// Show a person
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the person
    #[arg(value_name = "ID")]
    id: UserId,
}

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        let company = VerifiedDirectory::open(ctx)?;
        let people = people::all(&company);
        let person =
            people.get(&self.id).ok_or_else(|| unknown("user", self.id.as_str(), people.keys().map(UserId::as_str)))?;
        let keys = company.dir.user(&self.id).map(|u| u.keys).unwrap_or_default();
        company.warn();
        if ctx.json {
            let keys: Vec<_> = keys.iter().map(|k| json!({"kid": kid(&k.ed.0), "from": k.from, "to": k.to})).collect();
            let mut value = json!(person);
            value["keys"] = keys.into();
            out::print_json(&value);
            return Ok(());
        }
        let key = keys.iter().find(|k| k.to.is_none()).map(|k| format!("{} since entry {}", kid(&k.ed.0), k.from));
        let mut facts = vec![
            ("id", person.id.to_string()),
            ("name", person.name.clone()),
            ("role", person.role.to_string()),
            ("teams", person.teams_text()),
            ("state", person.state_text(company.now_ms)),
            ("key", key.unwrap_or_default()),
            ("earlier keys", keys.iter().filter(|k| k.to.is_some()).count().to_string()),
        ];
        if let Some((what, next)) = person.unconfirmed.as_ref().map(|n| n.words(company.now_ms)) {
            facts.extend([("confirmation", what), ("", next)]);
        }
        out::facts(&facts);
        Ok(())
    }
}
