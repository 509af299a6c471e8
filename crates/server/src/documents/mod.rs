//! Documents: what a company keeps beside conversations, such as canned replies. Sealed in browsers, or public by their author's
//! choice; one person's, a team's, or the company's (protocol §7).
//!
//! A document changes as a whole: who writes it names the revision that they replace. Each change gets a number, by which clients
//! request what is new to them, and is announced to those who have the document, at whichever server they are.

mod change;
mod rights;
mod rows;

use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use tokio::sync::Mutex;

use crate::{
    bus::{Announcer, Bus},
    crypto::{codec, directory::ActiveAgent},
    hub::{Audience, Frame, Hub, Topic},
    org::Org,
    proto::{DocumentId, ErrorCode, Scope, ServerFrame},
    store::{Store, StoreError, Table},
};

pub use rows::check_row;

use rows::Place;

/// Documents examined, and their bytes, in one page of a list.
const LOOKED_AT: usize = 500;
const PAGE: usize = 1024 * 1024;

/// How many documents there may be, and how many bytes.
#[derive(Debug, Clone, Copy)]
struct Cap {
    count: u64,
    bytes: u64,
}

/// Of one person.
const OWN: Cap = Cap { count: 1_000, bytes: 4 << 20 };
/// Of a team, or of the company as such.
const SHARED: Cap = Cap { count: 2_000, bytes: 8 << 20 };
/// All together: what a copy of the company's tables can take along.
const ALL: Cap = Cap { count: 20_000, bytes: 64 << 20 };

/// Why a request for documents was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum DocumentsError {
    /// What was asked for.
    #[error("{1}")]
    Refused(ErrorCode, String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DocumentsError {
    fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self::Refused(code, text.into())
    }
}

/// A document in a list.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Its id.
    pub id: DocumentId,
    /// Number of its last change.
    pub seq: u64,
    /// When that was, ms.
    pub at: u64,
    /// The document, b64u.
    pub v: String,
}

/// A page of a list.
#[derive(Debug, Default, Serialize)]
pub struct Page {
    /// In the order of their last changes.
    pub docs: Vec<Listed>,
    /// Where the next page begins.
    pub next: u64,
    /// Whether there is one.
    pub more: bool,
    /// Number of the last deletion among what this reader has: who holds an older list requests all again.
    pub deleted: u64,
}

/// The documents of the company.
pub struct Documents {
    store: Arc<dyn Store>,
    org: Arc<Org>,
    announcer: Announcer,
    /// Changes of this server, one after the other; those of other servers are found by what is stored.
    changing: Mutex<()>,
}

impl Documents {
    /// Those in `store`.
    pub fn new(store: Arc<dyn Store>, org: Arc<Org>, hub: Arc<Hub>, bus: Arc<dyn Bus>) -> Self {
        Self { store, org, announcer: Announcer::new(hub, bus), changing: Mutex::default() }
    }

    /// Documents of a kind that this person has, changed after `since`.
    ///
    /// # Errors
    /// If the store can't be read.
    pub async fn list(&self, reader: &ActiveAgent, kind: &str, since: u64) -> Result<Page, DocumentsError> {
        let mut page = Page { next: since, ..Page::default() };
        for scope in rights::scopes_of(reader) {
            page.deleted = page.deleted.max(rows::tally(&*self.store, &scope.to_string()).await?.deleted);
        }
        let (after, mut bytes) = (rows::change_key(since), 0);
        let changes = self.store.scan(Table::Document, rows::CHANGES, Some(&after), false, LOOKED_AT).await?;
        page.more = changes.len() == LOOKED_AT;
        for (key, value) in changes {
            let (Some(seq), Ok(place)) = (rows::change_of(&key), serde_json::from_slice::<Place>(&value)) else {
                continue;
            };
            if place.kind == kind && rights::may_read(reader, &place.scope) {
                // one that changed meanwhile comes again, under its new number
                if let Some(stored) = rows::document(&*self.store, place.id).await? {
                    if bytes > 0 && bytes + stored.bytes.len() > PAGE {
                        page.more = true;
                        break;
                    }
                    bytes += stored.bytes.len();
                    page.docs.push(Listed { id: place.id, seq, at: stored.at_ms, v: codec::b64u(&stored.bytes) });
                }
            }
            page.next = seq;
        }
        Ok(page)
    }

    /// Writes a document over the revision `base`; 0: it must be new. Returns the number of the change.
    ///
    /// # Errors
    /// `conflict` if it has another revision; `forbidden`, `malformed`, `too_large`.
    pub async fn put(
        &self,
        author: &ActiveAgent,
        id: DocumentId,
        base: u64,
        bytes: Bytes,
    ) -> Result<u64, DocumentsError> {
        let view = crate::crypto::document::verify(&bytes, &author.ed)
            .map_err(|e| DocumentsError::new(ErrorCode::Malformed, format!("this is not a document of yours: {e}")))?;
        if view.id() != id || view.rev() <= base || view.rev() > (1 << 53) - 1 {
            return Err(DocumentsError::new(ErrorCode::Malformed, "the document has another id, or no newer revision"));
        }
        rights::may_write(author, &view.scope)?;
        let place = Place { id, kind: view.kind.to_owned(), scope: view.scope.clone() };
        self.change(place, base, Some(bytes.clone())).await
    }

    /// Deletes the revision `base` of a document. Returns the number of the change.
    ///
    /// # Errors
    /// `not_found`; `conflict` if it has another revision; `forbidden`.
    pub async fn delete(&self, by: &ActiveAgent, id: DocumentId, base: u64) -> Result<u64, DocumentsError> {
        let none = || DocumentsError::new(ErrorCode::NotFound, "there is no such document");
        let stored = rows::document(&*self.store, id).await?.ok_or_else(none)?;
        let view = stored.view()?;
        if !rights::may_read(by, &view.scope) {
            return Err(none());
        }
        rights::may_write(by, &view.scope)?;
        rights::may_delete(by, &view)?;
        let place = Place { id, kind: view.kind.to_owned(), scope: view.scope.clone() };
        self.change(place, base, None).await
    }

    /// Those who have a document of this scope are told of a change.
    fn announce(&self, place: &Place, seq: u64) {
        let frame = ServerFrame::Documents { kind: place.kind.clone(), seq };
        // derived serialisation of plain fields has no way to fail
        let frame = Frame::text(serde_json::to_string(&frame).unwrap_or_default());
        let topics: Vec<Topic> = match &place.scope {
            Scope::Own(user) => vec![Topic::User(user.clone())],
            Scope::Team(team) => vec![Topic::Team(team.clone())],
            Scope::Company => self.org.directory().state().teams.keys().cloned().map(Topic::Team).collect(),
        };
        for topic in &topics {
            self.announcer.tell(topic, Audience::Everyone, &frame);
        }
    }
}
