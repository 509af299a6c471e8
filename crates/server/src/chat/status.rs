//! The state that agents choose: online, busy or offline. Each one's last choice is kept across pages, sign-ins and restarts;
//! nobody is online before they choose to be.
//!
//! Only the desk's task changes a state, so the desk, this memory and the database see changes in one order. That an
//! agent whose pages are all closed gets no offers is the desk's business; what they chose stays.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::{
    bus::Announcer,
    crypto::directory::Directory,
    desk,
    hub::{Audience, Conn, Topic},
    proto::{AgentState, ServerFrame, StatusWhy, StorageState, UserId},
    store::{self, Batch, Op, Store, StoreError, Table},
};

use super::{Chat, DeskMessage, DeskRequest, RequestError, text};

/// The states as they are kept.
pub(super) struct Statuses {
    store: Arc<dyn Store>,
    announcer: Announcer,
    states: Mutex<BTreeMap<UserId, AgentState>>,
    /// Whose state the database does not have yet, because it could not be written.
    unsaved: Mutex<BTreeSet<UserId>>,
}

impl Statuses {
    /// Reads what was kept. States of people who are no longer here are forgotten.
    pub(super) async fn load(
        store: Arc<dyn Store>,
        announcer: Announcer,
        directory: &Directory,
    ) -> Result<Self, StoreError> {
        let this = Self { store, announcer, states: Mutex::default(), unsaved: Mutex::default() };
        this.read(directory).await?;
        Ok(this)
    }

    /// Reads what is kept; also when the desk moves here.
    pub(super) async fn read(&self, directory: &Directory) -> Result<(), StoreError> {
        for (key, value) in self.store.scan(Table::Status, &[], None, false, usize::MAX).await? {
            let user = String::from_utf8(key).ok().and_then(|id| id.parse::<UserId>().ok());
            let Some(user) = user else { continue };
            // a word of a newer kefu counts like none: offline, and it stays until the agent chooses
            let Ok(state) = serde_json::from_slice(&value) else { continue };
            match directory.user(&user).is_some_and(|u| u.on) {
                true => drop(self.set(&user, Some(state))),
                false => drop(self.unsaved.lock().insert(user)),
            }
        }
        Ok(())
    }

    /// Another server's desk keeps this state.
    pub(super) fn note(&self, user: &UserId, state: AgentState) {
        self.set(user, Some(state));
    }

    /// What an agent chose last; offline before the first time.
    pub(super) fn of(&self, user: &UserId) -> AgentState {
        self.states.lock().get(user).copied().unwrap_or(AgentState::Offline)
    }

    fn users(&self) -> Vec<UserId> {
        self.states.lock().keys().cloned().collect()
    }

    /// Remembers it, or that there is none any more; true if that is new.
    fn set(&self, user: &UserId, state: Option<AgentState>) -> bool {
        let mut states = self.states.lock();
        let before = match state {
            Some(state) => states.insert(user.clone(), state),
            None => states.remove(user),
        };
        before != state
    }

    /// Stores a state and sends it to all pages of its agent. Called only by the desk's task.
    pub(super) async fn keep(&self, user: &UserId, state: AgentState, why: Option<StatusWhy>) {
        if self.set(user, Some(state)) {
            self.unsaved.lock().insert(user.clone());
            let frame = text(&ServerFrame::Status { state, why });
            self.announcer.tell(&Topic::User(user.clone()), Audience::Everyone, &frame);
        }
        self.save().await;
    }

    /// Removes the state of a user who left. Called only by the desk's task.
    pub(super) async fn forget(&self, user: &UserId) {
        if self.set(user, None) {
            self.unsaved.lock().insert(user.clone());
            self.save().await;
        }
    }

    /// Writes what the database does not have yet. Called by the desk's task alone: two writers could change the order.
    pub(super) async fn save(&self) {
        let unsaved = std::mem::take(&mut *self.unsaved.lock());
        if unsaved.is_empty() {
            return;
        }
        let op = |user: &UserId| {
            let key = user.as_str().as_bytes().to_vec();
            match self.states.lock().get(user) {
                // a word always serialises
                Some(state) => {
                    Op::Put { table: Table::Status, key, value: serde_json::to_vec(state).unwrap_or_default() }
                }
                None => Op::Delete { table: Table::Status, key },
            }
        };
        let ops = unsaved.iter().map(op).collect();
        if let Err(e) = store::write(&*self.store, Batch { ops, ..Batch::default() }).await {
            // the state holds meanwhile; a full disk was spoken of already
            if e != StoreError::Unwritable {
                tracing::warn!(error = %e, "the states that agents chose were not stored yet");
            }
            self.unsaved.lock().extend(unsaved);
        }
    }

    /// Whether something could not be written yet.
    fn has_unsaved(&self) -> bool {
        !self.unsaved.lock().is_empty()
    }
}

impl Chat {
    /// What an agent chose last.
    pub fn status_of(&self, user: &UserId) -> AgentState {
        self.statuses.of(user)
    }

    /// An agent sets whether they take new conversations. Returns when that is stored, or cannot be at the moment.
    pub async fn set_status(&self, conn: &Conn, state: AgentState) -> Result<(), RequestError> {
        let user = self.require_agent(conn)?.user.clone();
        self.desk.demand(DeskRequest::Status { user, state }).await
    }

    /// Has what could not be written tried again. Called by the clock.
    pub fn save_statuses_later(&self) {
        if self.store.space() != StorageState::Full && self.statuses.has_unsaved() {
            self.desk.send(DeskMessage::SaveStatuses);
        }
    }

    /// The directory changed: states of people who are no longer here are forgotten, also of those without a page.
    pub(super) fn forget_statuses(&self) {
        let directory = self.org.directory();
        for user in self.statuses.users() {
            if !directory.user(&user).is_some_and(|u| u.on) {
                self.desk.fact(desk::Event::AgentRemoved { user });
            }
        }
    }
}
