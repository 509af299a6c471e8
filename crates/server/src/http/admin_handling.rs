//! What the admin router does with how agents sort conversations: tags and reasons, targets and hours of teams, blocked visitors.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    chat::RequestError,
    hours::Hours,
    proto::{ErrorCode, Kid, Label, LabelKind, Target, TeamId},
};

use super::admin::{Admin, not_present, read, to_value};

/// A tag or a reason as it should be.
#[derive(Deserialize)]
struct Defined {
    kind: LabelKind,
    label: Label,
}

/// How soon a team is to answer.
#[derive(Deserialize)]
struct Aimed {
    team: TeamId,
    target: Target,
}

/// When a team is at work; none: always.
#[derive(Deserialize)]
struct Open {
    team: TeamId,
    hours: Option<Hours>,
}

/// Who may write again.
#[derive(Deserialize)]
struct Unblocked {
    visitor: Kid,
}

impl Admin {
    /// What agents sort conversations by, targets and hours of teams, and blocked visitors.
    pub(super) async fn handling(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, RequestError> {
        match (method, path.strip_prefix("/admin/").unwrap_or("")) {
            ("GET", "labels") => to_value(&*self.org.labels()),
            ("POST", "labels") => {
                let Defined { kind, label } = read(body, "a label")?;
                let org = self.org.clone();
                self.confirmed(async move { org.define_label(kind, label).await }).await??;
                self.desk_changed()
            }
            ("POST", "target") => {
                let Aimed { team, target } = read(body, "a target")?;
                let org = self.org.clone();
                self.confirmed(async move { org.set_target(&team, target).await }).await??;
                self.desk_changed()
            }
            ("GET", "hours") => to_value(&*self.org.hours()),
            ("POST", "hours") => {
                let Open { team, hours } = read(body, "a team's hours")?;
                let org = self.org.clone();
                self.confirmed(async move { org.set_hours(&team, hours).await }).await??;
                self.desk_changed()
            }
            ("GET", "blocks") => to_value(&self.org.blocks()),
            ("POST", "unblock") => {
                let Unblocked { visitor } = read(body, "a visitor's key")?;
                let org = self.org.clone();
                if !self.confirmed(async move { org.unblock(visitor).await }).await?? {
                    return Err(RequestError::new(ErrorCode::NotFound, "this visitor is not blocked"));
                }
                self.desk_changed()
            }
            _ => Err(not_present()),
        }
    }

    /// Has the other servers look at what a command changed for agents.
    fn desk_changed(&self) -> Result<Value, RequestError> {
        if let Some(running) = &self.running {
            running.chat.signal_labels();
        }
        Ok(json!({}))
    }
}
