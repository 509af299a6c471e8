//! What the server does by the clock, whatever else happens: receipts are stored, quiet conversations closed, keys renewed.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, interval_at},
};

use crate::{
    blobs::Blobs,
    chat::{
        Chat,
        retention::{Eraser, Retention},
    },
    desk::EndRule,
    org::{Org, widgets::Widgets},
    store::Store,
    telemetry::Metrics,
};

/// How often receipts are stored, missed conversations counted, and those looked for that were put aside until now.
const MARKS: Duration = Duration::from_millis(500);
/// Interval of the other maintenance.
const SWEEP: Duration = Duration::from_mins(1);

/// How often all stored files are looked through for those that should be gone.
const FILES: Duration = Duration::from_hours(24);

/// The longest pause between two looks at the robot's keys.
const KEYS: Duration = Duration::from_mins(10);

/// The parts that maintenance works on.
pub(super) struct Maintenance {
    chat: Arc<Chat>,
    store: Arc<dyn Store>,
    widgets: Arc<Widgets>,
    metrics: Arc<Metrics>,
    end: EndRule,
    eraser: Eraser,
    blobs: Option<Arc<dyn Blobs>>,
    leads: watch::Receiver<bool>,
    /// Looks through uploads; a store that does not answer keeps nothing else waiting.
    uploads: Option<JoinHandle<()>>,
    /// Files were counted since the start of this server.
    counted: bool,
}

impl Maintenance {
    /// `end`: which conversations to close; then which to erase, and where their files are.
    pub fn new(
        chat: &Arc<Chat>,
        store: &Arc<dyn Store>,
        widgets: &Arc<Widgets>,
        metrics: &Arc<Metrics>,
        end: EndRule,
        (retention, blobs): (Retention, Option<Arc<dyn Blobs>>),
    ) -> Self {
        let eraser = Eraser::new(retention);
        Self {
            chat: chat.clone(),
            store: store.clone(),
            widgets: widgets.clone(),
            metrics: metrics.clone(),
            end,
            eraser,
            blobs,
            leads: chat.leads(),
            uploads: None,
            counted: false,
        }
    }

    /// Never ends by itself.
    pub async fn run(mut self) {
        let (mut marks, mut sweep) = (interval(MARKS), interval(SWEEP));
        let mut files = interval_at(Instant::now() + FILES, FILES);
        marks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = marks.tick() => {
                    self.chat.store_marks().await;
                    self.chat.save_statuses_later();
                    self.chat.tell_missed().await;
                    if *self.leads.borrow() {
                        self.chat.wake_due(self.chat.now_ms()).await;
                    }
                }
                _ = sweep.tick() => self.sweep().await,
                _ = files.tick(), if *self.leads.borrow() => {
                    let chat = self.chat.clone();
                    tokio::spawn(async move { chat.sweep_files().await });
                }
            }
        }
    }

    async fn sweep(&mut self) {
        // what is done to all conversations, one server does for all
        let leads = *self.leads.borrow();
        if leads {
            self.chat.close_inactive(self.end, self.chat.now_ms()).await;
        }
        if let Some(desk) = self.chat.desk_snapshot().await {
            self.metrics.longest_wait_ms.set(desk.longest_wait_ms);
        }
        self.chat.sweep();
        if leads {
            if !std::mem::replace(&mut self.counted, true) && self.chat.counts_files() {
                let chat = self.chat.clone();
                tokio::spawn(async move { chat.sweep_files().await });
            }
            if self.uploads.as_ref().is_none_or(JoinHandle::is_finished) {
                let chat = self.chat.clone();
                self.uploads = Some(tokio::spawn(async move { chat.sweep_uploads().await }));
            }
            let chat = self.chat.clone();
            tokio::spawn(async move { chat.sweep_hand_overs().await });
            self.eraser.pass(&*self.store, self.blobs.as_deref(), self.chat.now_ms()).await;
        }
        self.widgets.versions_seen.store(&*self.store, self.chat.now_ms()).await;
        self.metrics.store_bytes.set(self.store.size_bytes());
        if let Some((files, bytes)) = self.chat.stored_files() {
            self.metrics.files.set(files);
            self.metrics.file_bytes.set(bytes);
        }
    }
}

/// Makes and erases the robot's keys when their time comes. Never ends by itself.
pub(super) async fn rotate_robot_keys(org: Arc<Org>) {
    loop {
        let keeper = org.clone();
        let keep = move || keeper.robot_keys().map(|keys| keys.rotate_if_due(&keeper.directory()));
        let next = tokio::task::spawn_blocking(keep).await.ok().flatten();
        let pause = next.map_or(KEYS, |at| Duration::from_millis(at.saturating_sub(org.now_ms())));
        tokio::time::sleep(pause.clamp(Duration::from_millis(100), KEYS)).await;
    }
}
