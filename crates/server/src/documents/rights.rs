//! Who may read, write and delete a document. Clients check the same by the signed directory.

use crate::{
    crypto::directory::{ActiveAgent, Role},
    proto::{DocumentView, ErrorCode, Scope},
};

use super::DocumentsError;

/// Whether someone leads: their word counts for the company, and over their team's.
fn leads(person: &ActiveAgent) -> bool {
    matches!(person.role, Role::Supervisor | Role::Admin)
}

/// The scopes whose documents a person has.
pub(super) fn scopes_of(person: &ActiveAgent) -> impl Iterator<Item = Scope> + '_ {
    let teams = person.teams.iter().cloned().map(Scope::Team);
    [Scope::Own(person.user.clone()), Scope::Company].into_iter().chain(teams)
}

/// Whether they have documents of this scope.
pub(super) fn may_read(person: &ActiveAgent, scope: &Scope) -> bool {
    match scope {
        Scope::Own(user) => *user == person.user,
        Scope::Team(team) => person.teams.contains(team),
        Scope::Company => true,
    }
}

/// Whether they may write one of this scope: their own, their team's, or, if they lead, the company's.
pub(super) fn may_write(person: &ActiveAgent, scope: &Scope) -> Result<(), DocumentsError> {
    let refused = match scope {
        Scope::Company if !leads(person) => "only supervisors and admins write for the company",
        _ if !may_read(person, scope) => "you may write your own documents and those of your teams",
        _ => return Ok(()),
    };
    Err(DocumentsError::new(ErrorCode::Forbidden, refused))
}

/// Whether they may delete one that they may write: a colleague's is for those who lead.
pub(super) fn may_delete(person: &ActiveAgent, document: &DocumentView<'_>) -> Result<(), DocumentsError> {
    if leads(person) || document.author() == person.kid || matches!(document.scope, Scope::Own(_)) {
        return Ok(());
    }
    Err(DocumentsError::new(ErrorCode::Forbidden, "a colleague wrote this: a supervisor or an admin may delete it"))
}
