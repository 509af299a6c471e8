//! The other servers of a company, if it is in a database that several share.

use std::sync::Arc;

use super::{storage::Backend, tasks::Tasks};
use crate::{
    bus::{
        Bus, NoOthers,
        redis::{Handle, Own, RedisBus},
    },
    chat::Chat,
    config::Config,
    org::{Org, Secrets},
};

/// The way to the other servers.
pub(super) struct Others(Option<Arc<RedisBus>>);

impl Others {
    /// By the database.
    pub fn of(backend: &Backend, config: &Config, secrets: &Secrets, org: &Org) -> Self {
        let Backend::Shared(_, link) = backend else { return Self(None) };
        let own = Own { listen: config.server.listen.to_string(), since: org.now_ms() };
        let prefix = &config.storage.prefix;
        Self(Some(RedisBus::new(link.clone(), prefix, &secrets.cluster_key, org.clock(), own)))
    }

    /// For what is told.
    pub fn bus(&self) -> Arc<dyn Bus> {
        match &self.0 {
            Some(bus) => Arc::new(Handle(bus.clone())),
            None => Arc::new(NoOthers::default()),
        }
    }

    /// From now on the others reach this server, too.
    pub fn join(&self, tasks: &mut Tasks, chat: &Arc<Chat>) {
        if let Some(bus) = &self.0 {
            tasks.spawn("other servers", bus.clone().run(chat.clone()));
        }
    }
}
