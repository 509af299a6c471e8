//! Documents as clients write them, as far as a server looks: header and signature are right, what is sealed is not.

use kefu::{
    crypto::{
        directory::Directory,
        sign::{Label, SigningKey, random},
    },
    proto::{BOX_LEN, DocumentId, Scope},
};

/// A document that is about to be written.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Its id.
    pub id: DocumentId,
    /// Its kind.
    pub kind: String,
    /// Who has it.
    pub scope: Scope,
    /// Its revision.
    pub rev: u64,
    /// Bytes of its body.
    pub size: usize,
    /// Whether anyone can read it.
    pub public: bool,
}

impl Draft {
    /// The first revision of a reply.
    pub fn reply(scope: &str) -> Self {
        let scope = scope.parse().unwrap();
        Self { id: DocumentId(random()), kind: "reply".into(), scope, rev: 1, size: 96, public: false }
    }

    /// The next revision.
    pub fn next(self) -> Self {
        Self { rev: self.rev + 1, ..self }
    }

    /// Signed.
    pub fn sign(&self, key: &SigningKey, directory: &Directory) -> Vec<u8> {
        let mut out = [&b"KD\x01"[..], &[u8::from(self.public)], &self.id.0, &self.rev.to_be_bytes()].concat();
        out.extend_from_slice(&key.kid().0);
        out.extend_from_slice(&directory.seq().to_be_bytes());
        out.extend_from_slice(&directory.head());
        out.extend_from_slice(&[5; 32]);
        let (scope, of) = match &self.scope {
            Scope::Own(user) => (1, user.as_str()),
            Scope::Team(team) => (2, team.as_str()),
            Scope::Company => (3, ""),
        };
        for part in [&[self.kind.len() as u8], self.kind.as_bytes(), &[scope, of.len() as u8], of.as_bytes()] {
            out.extend_from_slice(part);
        }
        let boxes = u16::from(!self.public);
        out.extend_from_slice(&boxes.to_be_bytes());
        out.resize(out.len() + usize::from(boxes) * BOX_LEN + self.size, 0xa5);
        let signature = key.sign(Label::Doc, &out);
        out.extend_from_slice(&signature);
        out
    }
}
