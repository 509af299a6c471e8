//! Waking the consoles of agents that are closed: who subscribed, and when they are told that somebody waits.

mod key;
mod subscriptions;

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures_util::future::{BoxFuture, FutureExt as _};
use tokio::{sync::Semaphore, time::sleep};

use super::{notices::Stored, storage::Backend, tasks::Tasks};
use crate::{
    chat::{Chat, RequestError},
    config::Config,
    http::{PushRequest, Pushes},
    notices::{
        Event, QueueSeen, Scene, Told, Waits, Watch,
        outbound::Outbound,
        push::{Push, Sent, Subscription},
    },
    org::{Org, Secrets},
    proto::{AgentState, ErrorCode, TeamId, UserId},
    store::{Store, StoreError},
};
use subscriptions::Subscriptions;

/// How often the queues are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// After the store failed.
const REST: Duration = Duration::from_secs(5);
/// Nobody online is told after this time, ms.
const NOBODY_MS: u64 = 10_000;
/// Nobody is woken more often.
const PAUSE: Duration = Duration::from_secs(30);
/// Requests at once.
const AT_ONCE: usize = 16;
/// Key of what was told.
const TOLD: &str = "push-told";

/// See the module.
pub(super) struct PushService {
    push: Push,
    subscriptions: Subscriptions,
    org: Arc<Org>,
    waits: Waits,
}

impl PushService {
    /// None: it is switched off.
    ///
    /// # Errors
    /// Its key or its certificates can't be used.
    pub async fn open(
        config: &Config,
        dir: &Path,
        backend: &Backend,
        secrets: &Secrets,
        org: &Arc<Org>,
    ) -> anyhow::Result<Option<Arc<Self>>> {
        let settings = &config.push;
        if !settings.enabled {
            return Ok(None);
        }
        let ca = (!settings.ca.is_empty()).then_some(Path::new(&settings.ca));
        let outbound = Outbound::new(ca, settings.allow_private).context("kefu.toml: the certificates of [push]")?;
        let key = key::key(dir, backend, secrets).await.context("the key of pushes can't be used")?;
        let events = [Event::Waiting, Event::Nobody].into();
        let after_ms = u64::from(settings.after_seconds) * 1_000;
        let waits = Waits { events, after_ms, nobody_after_ms: NOBODY_MS.min(after_ms), teams: Default::default() };
        let push = Push::new(outbound, key, settings.contact.clone(), settings.hosts.clone());
        Ok(Some(Arc::new(Self { push, subscriptions: Subscriptions::new(backend.store()), org: org.clone(), waits })))
    }

    /// Starts its task.
    pub fn start(self: &Arc<Self>, tasks: &mut Tasks, chat: &Arc<Chat>, store: &Arc<dyn Store>) {
        tasks.spawn("pushes", self.clone().run(chat.clone(), store.clone()));
    }

    /// Works while this server has the desk. Never ends by itself.
    async fn run(self: Arc<Self>, chat: Arc<Chat>, store: Arc<dyn Store>) {
        let mut leads = chat.leads();
        // the sender lives as long as the server
        while leads.wait_for(|leads| *leads).await.is_ok() {
            let work = async {
                loop {
                    if let Err(e) = self.work(&chat, &*store).await
                        && !matches!(e, StoreError::Conflict | StoreError::Unwritable)
                    {
                        tracing::warn!(error = %e, "pushes wait: the store failed");
                    }
                    sleep(REST).await;
                }
            };
            tokio::select! {
                () = work => {}
                _ = leads.wait_for(|leads| !leads) => {}
            }
        }
        std::future::pending::<()>().await;
    }

    async fn work(self: &Arc<Self>, chat: &Chat, store: &dyn Store) -> Result<(), StoreError> {
        let (mut stored, mut watch) = (Stored::read_at(store, TOLD).await?, Watch::new(self.waits.clone()));
        let (mut woken, room) = (HashMap::new(), Arc::new(Semaphore::new(AT_ONCE)));
        loop {
            let now = chat.now_ms();
            let told = stored.row.told.get_or_insert_with(|| Told::from(now));
            if let Some(queues) = chat.queues().await {
                let queues = queues.into_iter().map(|q| QueueSeen {
                    team: q.team,
                    online: q.online,
                    waiting: q.waiting,
                    first: q.first,
                });
                let scene = Scene { queues: queues.collect(), missed: Vec::new() };
                let notices = watch.look(&scene, told, now);
                stored.write(store).await?;
                let teams: Vec<_> = notices.into_iter().map(|notice| notice.team).collect();
                if !teams.is_empty() {
                    self.wake(&teams, chat, &mut woken, &room, now).await?;
                }
            }
            sleep(LOOK).await;
        }
    }

    /// Wakes the consoles of people of these teams who work and have none open.
    async fn wake(
        self: &Arc<Self>,
        teams: &[TeamId],
        chat: &Chat,
        woken: &mut HashMap<UserId, Instant>,
        room: &Arc<Semaphore>,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        woken.retain(|_, at| at.elapsed() < PAUSE);
        let mut now = BTreeSet::new();
        for (key, user, kid, subscription) in self.subscriptions.all().await? {
            let Some(agent) = self.org.active(&user).filter(|agent| agent.kid == kid) else {
                // switched off, or with other keys: whoever has that browser is not them any more
                self.subscriptions.remove(key).await?;
                continue;
            };
            let works = chat.status_of(&user) != AgentState::Offline && !chat.is_connected(&user);
            if !works || !agent.teams.iter().any(|team| teams.contains(team)) || woken.contains_key(&user) {
                continue;
            }
            now.insert(user);
            let (this, room) = (self.clone(), room.clone());
            tokio::spawn(async move {
                // it is never closed
                let _turn = room.acquire_owned().await;
                this.send(key, &subscription, now_ms).await;
            });
        }
        // all browsers of a person are woken together
        woken.extend(now.into_iter().map(|user| (user, Instant::now())));
        Ok(())
    }

    async fn send(&self, key: Vec<u8>, to: &Subscription, now_ms: u64) {
        match self.push.send(to, now_ms).await {
            Sent::Taken => {}
            Sent::Gone => {
                if let Err(e) = self.subscriptions.remove(key).await {
                    tracing::debug!(error = %e, "a subscription that is gone could not be removed");
                }
            }
            Sent::Failed(why) => tracing::warn!(error = why, "a console could not be woken"),
        }
    }
}

impl Pushes for PushService {
    fn public_key(&self) -> String {
        self.push.public_key()
    }

    fn browsers(&self, user: UserId) -> BoxFuture<'static, Result<usize, RequestError>> {
        let subscriptions = self.subscriptions.clone();
        async move { Ok(subscriptions.count(&user).await?) }.boxed()
    }

    fn subscribe(&self, user: UserId, from: PushRequest) -> BoxFuture<'static, Result<(), RequestError>> {
        let subscription = Subscription { endpoint: from.endpoint, p256dh: from.p256dh, auth: from.auth };
        let checked = self.push.check(&subscription);
        let (subscriptions, agent) = (self.subscriptions.clone(), self.org.active(&user));
        async move {
            checked.map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))?;
            let gone = || RequestError::new(ErrorCode::Forbidden, "this account is switched off");
            let kid = agent.ok_or_else(gone)?.kid;
            subscriptions.add(&user, kid, &subscription).await
        }
        .boxed()
    }

    fn unsubscribe(&self, user: UserId, endpoint: String) -> BoxFuture<'static, Result<(), RequestError>> {
        let subscriptions = self.subscriptions.clone();
        async move { Ok(subscriptions.remove(subscriptions::key_of(&user, &endpoint)).await?) }.boxed()
    }
}
