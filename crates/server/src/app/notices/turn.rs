//! One webhook while this server has the desk: looks, stores, sends. After anything that fails in the store, the turn begins anew
//! with what is stored, so that nothing is told that was not stored as told.

use std::{collections::HashMap, sync::atomic::Ordering, time::Duration};

use tokio::time::sleep;

use super::{Hook, Named, Parts, message_id, row::Stored};
use crate::{
    crypto::sign::random,
    notices::{Missed, Notice, QueueSeen, Scene, Told, Watch},
    proto::{ConvId, MissedCount, SiteId},
    store::StoreError,
};

/// How often the queues are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// After the store failed.
const REST: Duration = Duration::from_secs(5);
/// Missed conversations of a team that are looked at: of more at once the oldest are only listed in the console.
const MISSED: usize = 500;

pub(super) struct Turn<'a> {
    hook: &'a Hook,
    parts: &'a Parts,
    watch: Watch,
    /// The counts by which the missed conversations were read last.
    counts: Option<Vec<MissedCount>>,
    /// Where conversations began, of those that wait.
    sites: HashMap<ConvId, SiteId>,
}

impl<'a> Turn<'a> {
    pub fn new(hook: &'a Hook, parts: &'a Parts) -> Self {
        let watch = Watch::new(hook.waits.clone());
        Self { hook, parts, watch, counts: None, sites: HashMap::new() }
    }

    /// Never ends by itself.
    pub async fn run(mut self) {
        loop {
            match self.work().await {
                // another server believes to have the desk, or did a moment ago
                Err(StoreError::Conflict) => {}
                // a full disk was spoken of already
                Err(StoreError::Unwritable) => {}
                Err(e) => tracing::warn!(webhook = self.hook.name, error = %e, "notices wait: the store failed"),
                Ok(()) => {}
            }
            sleep(REST).await;
            self = Self::new(self.hook, self.parts);
        }
    }

    async fn work(&mut self) -> Result<(), StoreError> {
        let store = &*self.parts.store;
        let mut stored = Stored::read(store, &self.hook.name).await?;
        loop {
            let now = self.parts.chat.now_ms();
            let told = stored.row.told.get_or_insert_with(|| Told::from(now));
            if let Some(scene) = self.look().await? {
                let mut notices = self.watch.look(&scene, told, now);
                self.add_sites(&mut notices).await?;
                let ours = |notice: &Notice| {
                    let sites = &self.hook.sites;
                    sites.is_empty() || notice.site.as_ref().is_none_or(|site| sites.contains(site))
                };
                notices.retain(ours);
                if !notices.is_empty() {
                    let dropped = stored.row.queue.push(notices, self.hook.limits, now);
                    self.parts.metrics.notices_lost.add(dropped);
                }
            }
            stored.write(store).await?;
            self.count(&stored);
            if let Some(message) = stored.row.queue.begin(self.hook.limits, now, message_id) {
                // the claim is stored before the try: whoever takes the desk over leaves it to this server
                stored.write(store).await?;
                let names = Named(self.parts.org.directory());
                let sent = self.hook.webhook.send(&message, &names, now).await;
                self.judge(&mut stored, sent);
                stored.write(store).await?;
                self.count(&stored);
            }
            sleep(LOOK).await;
        }
    }

    fn judge(&self, stored: &mut Stored, sent: Result<(), crate::notices::Failure>) {
        let (now, metrics, hook) = (self.parts.chat.now_ms(), &self.parts.metrics, &self.hook.name);
        let queue = &mut stored.row.queue;
        match sent {
            Ok(()) => {
                if queue.failure.is_some() {
                    tracing::info!(webhook = hook, "the webhook works again");
                }
                metrics.notices_delivered.inc();
                queue.delivered(now);
            }
            Err(failure) => {
                if queue.failure.as_ref() != Some(&failure.why) {
                    let host = self.hook.webhook.host();
                    tracing::warn!(webhook = hook, host, error = failure.why, "a webhook failed; it is tried again");
                }
                metrics.notices_failed.inc();
                let jitter = f64::from(u32::from_be_bytes(random())) / f64::from(u32::MAX);
                let lost = queue.failed(&failure, now, jitter);
                if lost > 0 {
                    metrics.notices_lost.add(lost);
                    tracing::error!(
                        webhook = hook,
                        notices = lost,
                        "a webhook failed for a day: these notices are lost"
                    );
                }
            }
        }
    }

    fn count(&self, stored: &Stored) {
        self.hook.waiting.store(stored.row.queue.waiting() as u64, Ordering::Relaxed);
        self.parts.metrics.notices_waiting.set(self.parts.hooks.waiting());
    }

    /// The queues and what was missed lately; none: the desk does not answer.
    async fn look(&mut self) -> Result<Option<Scene>, StoreError> {
        let chat = &self.parts.chat;
        let Some(queues) = chat.queues().await else { return Ok(None) };
        let mut queues: Vec<_> = queues
            .into_iter()
            .map(|queue| QueueSeen {
                team: queue.team,
                online: queue.online,
                waiting: queue.waiting,
                first: queue.first,
            })
            .collect();
        if !self.hook.sites.is_empty() {
            let all: Vec<_> = queues.iter().flat_map(|queue| queue.first.iter().map(|(conv, _)| *conv)).collect();
            self.sites.retain(|conv, _| all.contains(conv));
            let unknown: Vec<_> = all.into_iter().filter(|conv| !self.sites.contains_key(conv)).collect();
            self.sites.extend(chat.sites_of(&unknown).await?);
            for queue in &mut queues {
                let ours = |conv: &ConvId| self.sites.get(conv).is_some_and(|site| self.hook.sites.contains(site));
                queue.first.retain(|(conv, _)| ours(conv));
                queue.waiting = queue.first.len() as u32;
            }
        }
        let counts = chat.missed();
        let mut missed = Vec::new();
        if self.counts.as_ref() != Some(&counts) {
            let newest = chat.newest_missed(MISSED).await?;
            missed = newest.into_iter().map(|(team, p)| Missed { at: p.at_ms, conv: p.conv, team }).collect();
            self.counts = Some(counts);
        }
        Ok(Some(Scene { queues, missed }))
    }

    async fn add_sites(&self, notices: &mut [Notice]) -> Result<(), StoreError> {
        let convs: Vec<_> = notices.iter().filter_map(|notice| notice.conv).collect();
        if convs.is_empty() {
            return Ok(());
        }
        let sites: HashMap<_, _> = self.parts.chat.sites_of(&convs).await?.into_iter().collect();
        for notice in notices {
            notice.site = notice.conv.and_then(|conv| sites.get(&conv).cloned());
        }
        Ok(())
    }
}
