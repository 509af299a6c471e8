//! The company of a server: opens and founds it, and answers who may do what now.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, OnceLock},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Mutex as AsyncMutex, watch};
use zeroize::Zeroizing;

use super::{
    BoxesAnswer, Commit, OrgError, RobotKeyring, SiteSettings, commit::plan, labels::DeskTable,
    published::PublishedDirectory, rows, steps::Steps, tries::Counted,
};
use crate::{
    clock::Clock,
    crypto::{
        cluster_key::ClusterKey,
        directory::{ActiveAgent, Directory, Entry, Snapshot},
        hash,
        opaque::OpaqueServer,
    },
    proto::{OrgFp, SiteId, TeamId, UserId},
    store::{self, Batch, Store, Table},
};

/// A site with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Id of the site.
    pub id: SiteId,
    /// Display name.
    pub name: String,
    /// Origins that may embed its widget.
    pub origins: Vec<String>,
    /// The team.
    pub team: TeamId,
    /// Whether its widget works: the site and its team are on.
    pub on: bool,
    /// What needs no signature.
    pub settings: SiteSettings,
}

/// What a company's servers know and its database doesn't.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// The server's OPAQUE keys.
    pub opaque_setup: Zeroizing<Vec<u8>>,
    /// What all of its servers share.
    pub cluster_key: ClusterKey,
}

impl Secrets {
    /// Of a server without others.
    pub fn of_one_server(opaque_setup: &[u8]) -> Self {
        Self { opaque_setup: opaque_setup.to_vec().into(), cluster_key: ClusterKey::generate() }
    }
}

/// People, teams, sites, invites and logins of one company.
pub struct Org {
    pub(super) store: Arc<dyn Store>,
    pub(super) opaque: OpaqueServer,
    pub(super) fp: OrgFp,
    pub(super) steps: Steps,
    pub(super) tries: Counted,
    /// One writer of the directory at a time.
    pub(super) writing: AsyncMutex<()>,
    pub(super) clock: Clock,
    pub(super) password_changes: RwLock<HashMap<UserId, u64>>,
    pub(super) desk_table: DeskTable,
    /// The mark of the last change that was read.
    pub(super) seen_change: Mutex<Option<Vec<u8>>>,
    live: RwLock<Arc<PublishedDirectory>>,
    newest: watch::Sender<u32>,
    robot_keys: OnceLock<Arc<dyn RobotKeyring>>,
}

impl fmt::Debug for Org {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Org({}, entry {})", self.fp, self.directory().seq())
    }
}

impl Org {
    /// Opens the company in `store`: replays and verifies its whole log.
    pub async fn open(store: Arc<dyn Store>, secrets: &Secrets) -> Result<Arc<Self>, OrgError> {
        Self::open_at(store, secrets, Clock::system()).await
    }

    /// The same under a clock of the caller's.
    pub async fn open_at(store: Arc<dyn Store>, secrets: &Secrets, clock: Clock) -> Result<Arc<Self>, OrgError> {
        let entries: Vec<Entry> = rows::all(&*store, Table::Directory, &[])
            .await?
            .iter()
            .map(|(_, v)| rows::read("directory entry", v))
            .collect::<Result<_, _>>()?;
        let fp = hash::org_fp(&entries.first().ok_or(OrgError::NoCompany)?.signer.0);
        let snapshot: Option<Snapshot> =
            store.get(Table::Meta, rows::SNAPSHOT).await?.map(|v| rows::read("snapshot", &v)).transpose()?;
        let directory = Directory::replay(fp, &entries, snapshot.as_ref())?;
        let opaque = OpaqueServer::new(&secrets.opaque_setup, fp).map_err(|_| OrgError::OpaqueSetup)?;
        if opaque.public() != directory.state().opaque.0 {
            return Err(OrgError::OpaqueSetup);
        }
        let password_changes = rows::password_changes(&*store).await?;
        let desk_table = DeskTable::load(&*store).await?;
        let (newest, _) = watch::channel(directory.seq());
        let live = PublishedDirectory::new(Arc::new(directory), entries, snapshot);
        Ok(Arc::new(Self {
            store,
            opaque,
            fp,
            steps: Steps::new(&secrets.cluster_key),
            tries: Counted::new(&secrets.cluster_key),
            writing: AsyncMutex::new(()),
            clock,
            password_changes: RwLock::new(password_changes),
            desk_table,
            seen_change: Mutex::default(),
            live: RwLock::new(Arc::new(live)),
            newest,
            robot_keys: OnceLock::new(),
        }))
    }

    /// Founds a company in an empty store: `commit` begins with the genesis (see [`super::acts::NewCompany`]).
    pub async fn found(store: Arc<dyn Store>, secrets: &Secrets, commit: Commit) -> Result<Arc<Self>, OrgError> {
        Self::found_at(store, secrets, commit, Clock::system()).await
    }

    /// The same under a clock of the caller's.
    pub async fn found_at(
        store: Arc<dyn Store>,
        secrets: &Secrets,
        commit: Commit,
        clock: Clock,
    ) -> Result<Arc<Self>, OrgError> {
        if store.get(Table::Directory, &rows::entry_key(0)).await?.is_some() {
            return Err(OrgError::Founded);
        }
        let genesis = commit.entries.first().ok_or(OrgError::NoCompany)?;
        let fp = hash::org_fp(&genesis.signer.0);
        let mut directory = Directory::genesis(fp, genesis)?;
        let opaque = OpaqueServer::new(&secrets.opaque_setup, fp).map_err(|_| OrgError::OpaqueSetup)?;
        if opaque.public() != directory.state().opaque.0 {
            return Err(OrgError::OpaqueSetup);
        }
        for entry in &commit.entries[1..] {
            directory.apply(entry)?;
        }
        let commit = Commit { expect_seq: 0, ..commit };
        let (ops, _) = plan(&*store, directory, &[], None, commit, clock.now_ms()).await?;
        store::write(&*store, Batch { ops, ..Batch::default() }).await?;
        Self::open_at(store, secrets, clock).await
    }

    /// The present directory.
    pub fn directory(&self) -> Arc<Directory> {
        self.live().directory.clone()
    }

    /// The company's fingerprint.
    pub fn fp(&self) -> OrgFp {
        self.fp
    }

    /// The server's time, ms.
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// Joins the robot's keys, once. Without this there is no robot here.
    pub fn set_robot_keys(&self, keys: Arc<dyn RobotKeyring>) {
        keys.rotate_if_due(&self.directory());
        // a second call would be a mistake of the caller; the first one counts
        let _ = self.robot_keys.set(keys);
    }

    /// The robot's keys, if this process holds any.
    pub fn robot_keys(&self) -> Option<&Arc<dyn RobotKeyring>> {
        self.robot_keys.get()
    }

    /// The name of something that all servers of the company count together. It shows nothing of what it is a name of.
    pub fn counted_name(&self, kind: &str, parts: &[&[u8]]) -> [u8; 16] {
        self.tries.name(kind, parts)
    }

    /// The clock that everything of the company goes by.
    pub fn clock(&self) -> Clock {
        self.clock.clone()
    }

    /// Number of the newest directory entry, whenever it changes.
    pub fn watch(&self) -> watch::Receiver<u32> {
        self.newest.subscribe()
    }

    /// The agent with this signing key, if they may act now.
    pub fn agent_by_ed(&self, ed: &[u8; 32]) -> Option<ActiveAgent> {
        self.live().directory.agent_by_ed(ed).filter(|a| a.is_active(self.now_ms()))
    }

    /// The agent of this name, if they may act now.
    pub fn active(&self, user: &UserId) -> Option<Arc<ActiveAgent>> {
        self.live.read().active(user, self.now_ms())
    }

    /// When the next unconfirmed person's term ends, ms: from then on they may not act.
    pub fn next_unconfirmed_end(&self) -> Option<u64> {
        let now = self.now_ms();
        self.live().directory.unconfirmed().iter().map(|u| u.exp).filter(|exp| *exp >= now).min()
    }

    /// A site. Reads its settings from the store.
    pub async fn site(&self, id: &SiteId) -> Option<Site> {
        let live = self.live();
        let s = live.directory.site(id)?;
        let team_on = live.directory.team(&s.team).is_some_and(|t| t.on);
        // unreadable settings are no reason to turn visitors away; `site_bundle` reports them
        let settings = self.settings(id).await.unwrap_or_default();
        let (name, origins, team) = (s.name.clone(), s.origins.clone(), s.team.clone());
        Some(Site { id: id.clone(), name, origins, team, on: s.on && team_on, settings })
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.live().snapshot.clone()
    }

    /// `GET /boxes`: team keys sealed to this user.
    pub async fn boxes(&self, user: &UserId) -> Result<BoxesAnswer, OrgError> {
        Ok(BoxesAnswer { boxes: rows::boxes_of(&*self.store, user.as_str()).await? })
    }

    pub(super) fn live(&self) -> Arc<PublishedDirectory> {
        self.live.read().clone()
    }

    /// Makes what was written visible. The caller holds `writing`.
    pub(super) fn publish(&self, live: PublishedDirectory) {
        let seq = live.directory.seq();
        *self.live.write() = Arc::new(live);
        self.newest.send_if_modified(|newest| std::mem::replace(newest, seq) != seq);
    }

    pub(super) async fn settings(&self, id: &SiteId) -> Result<SiteSettings, OrgError> {
        match self.store.get(Table::Site, id.as_str().as_bytes()).await? {
            Some(v) => rows::read("site", &v),
            None => Ok(SiteSettings::default()),
        }
    }
}
