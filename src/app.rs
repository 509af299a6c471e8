//! Composition root: the one file that names concrete backends; start and stop order.
//!
//! Start: store, directory, conversations, pages, listeners; then `ready`. Stop: no new connections, sockets are told to
//! come back, the last receipts and messages reach the disk, the store closes.

use std::{
    fs,
    future::Future,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, anyhow, bail};
use bytes::Bytes;
use futures_util::future::select_all;
use http_body_util::{BodyExt, Full};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, UnixStream},
    sync::mpsc,
    time::timeout,
};

use crate::{
    chat::{
        Chat, Library, Rate, Rates, Refusal, all_missed, desk_task, now_ms,
        robot::{self, Mind},
    },
    config::Config,
    crypto::{codec, directory::Directory, sign::random},
    desk::{Desk, EndRule, Rules},
    files::{self, socket},
    housekeeping::{House, keep_robot_keys},
    http::{self, Bounds, Http, Patience, Tokens, admin},
    hub::Hub,
    org::{Commit, Org, robot::Keeping, widgets::Widgets},
    proto::{CloseCode, ErrorCode, MissedCount},
    store::{
        Feed, Store,
        redb::{Options, RedbStore},
        space::{self, Capacity, Measure},
    },
    telemetry::Metrics,
    tls::{self, Served},
};

/// Names inside a data directory.
pub mod names {
    /// The database.
    pub const DATABASE: &str = "kefu.redb";
    /// The secret of the password protocol; never in the database or in a backup of it.
    pub const OPAQUE_SETUP: &str = "opaque.setup";
    /// The admin socket of a running server.
    pub const ADMIN_SOCKET: &str = "admin.sock";
    /// What opens `/metrics`, made by the first start.
    pub const METRICS_TOKEN: &str = "metrics.token";
    /// Directory of the certificate made by `kefu init`.
    pub const TLS: &str = "tls";
    /// Directory of the robot's keys, if the configuration names no other.
    pub const ROBOT: &str = "robot";
}

/// How long sockets may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(5);
/// How often the room on the disk is looked at.
const DISK: Duration = Duration::from_millis(500);
/// A day.
const DAY: Duration = Duration::from_hours(24);

/// A disk with less free than this has no room for a start, bytes.
const NO_ROOM: u64 = 1024 * 1024;

/// Threads for reads of the disk. Hundreds, as tokio would start when everybody comes back at once, read no faster and
/// leave their memory behind.
const DISK_READERS: usize = 8;

/// The runtime that a server runs on.
///
/// The process is told to use no transparent huge pages: the allocator asks for them, and a server that holds thousands of
/// small things touches a little of each (measured with 9,000 idle sockets: 4.8 KB each with them, 3.5 KB without). Where
/// the kernel's pages have 64 KiB a huge one has 512 MiB.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    // a kernel without the call has no such pages, or an administrator's mind of its own: both are no reason not to serve
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    tokio::runtime::Builder::new_multi_thread().max_blocking_threads(DISK_READERS).enable_all().build()
}

/// What to serve.
pub struct ServeOptions {
    /// Where everything lies.
    pub data_dir: PathBuf,
    /// The configuration.
    pub config: Config,
    /// A socket that listens already, non-blocking; without it, one is made for `server.listen`.
    pub listener: Option<std::net::TcpListener>,
    /// What the robot thinks with; without it, it hands over at once.
    pub mind: Option<Arc<dyn Mind>>,
    /// What agents look up; without it, nothing.
    pub library: Option<Arc<dyn Library>>,
    /// How long the edge waits for clients that do nothing.
    pub patience: Patience,
}

/// The server answers.
pub struct Ready {
    /// Where it listens (the port is known now, also if 0 was asked for).
    pub listen: SocketAddr,
    /// Where people reach it.
    pub public_url: String,
}

fn open_store(
    data_dir: &Path,
    config: &Config,
    metrics: Option<Arc<Metrics>>,
) -> anyhow::Result<(Arc<RedbStore>, Feed)> {
    let path = config.storage.redb_path().map_or_else(|| data_dir.join(names::DATABASE), PathBuf::from);
    let disk = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut options = Options {
        cache_bytes: config.storage.cache_mb as usize * 1024 * 1024,
        measure: Some(Measure::of(disk)),
        reserve_mb: config.storage.reserve_mb,
        ..Options::default()
    };
    if let Some(metrics) = metrics {
        options.observer = Some(Arc::new(move |commit| {
            metrics.committed(commit.records);
            metrics.commit_latency.record(commit.took.as_micros() as u64);
        }));
    }
    RedbStore::open(&path, options).map_err(|e| {
        let what = format!("cannot open the database {}: {e}", path.display());
        match space::capacity(disk) {
            Ok(Capacity { free, .. }) if free < NO_ROOM => {
                anyhow!("{what}; the disk is full: free some space and start again")
            }
            _ => anyhow!(what),
        }
    })
}

fn setup(data_dir: &Path) -> anyhow::Result<Vec<u8>> {
    let path = data_dir.join(names::OPAQUE_SETUP);
    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

async fn open_org(
    data_dir: &Path,
    config: &Config,
    store: Arc<dyn Store>,
    serves: bool,
) -> anyhow::Result<(Arc<Org>, Arc<Widgets>)> {
    let org = Org::open(store.clone(), &setup(data_dir)?).context("the directory in the database can't be used")?;
    let named = |dir: &String| (!dir.is_empty()).then(|| PathBuf::from(dir));
    let dir = named(&config.robot.key_dir).unwrap_or_else(|| data_dir.join(names::ROBOT));
    org.open_robot(Keeping { dir, day_dir: named(&config.robot.day_key_dir), serves });
    let widgets = Widgets::load(&*store).context("cannot read the widgets that were served before")?;
    if let Some(widget) = http::assets::embedded_widget() {
        widgets.add(&*store, widget).await.context("cannot store the widget of this version")?;
    }
    Ok((org, Arc::new(widgets)))
}

/// Runs the server until `shutdown` resolves or the disk fails.
#[expect(clippy::too_many_lines, reason = "the order of start and stop, in one place")]
pub async fn serve(
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(&Ready),
) -> anyhow::Result<()> {
    let ServeOptions { data_dir, mut config, listener, mind, library, patience } = options;
    let metrics = Arc::new(Metrics::new());
    let (disk, feed) = open_store(&data_dir, &config, Some(metrics.clone()))?;
    disk.look_at_disk();
    let store: Arc<dyn Store> = disk.clone();
    let (org, widgets) = open_org(&data_dir, &config, store.clone(), true).await?;
    let hub = Hub::new();
    let (chat, inbox) = Chat::new(store.clone(), org.clone(), hub.clone(), metrics.clone(), rates(&config))
        .context("cannot read the open conversations")?;

    let served = if config.server.plain_http { None } else { Some(certificate(&data_dir, &config)?) };
    let tls = served.as_ref().map(Served::acceptor).transpose().context("TLS can't be set up")?;
    let listener = match listener {
        Some(listener) => TcpListener::from_std(listener).context("cannot use the socket of systemd")?,
        None => bind(config.server.listen).await?,
    };
    let listen = listener.local_addr().context("the listener has no address")?;
    // port 0 is known only now
    config.server.listen = listen;
    let (public_url, config) = (config.public_url(), Arc::new(config));

    let house = House::new(&chat, &store, &widgets, &metrics, end_rule(&config));
    // none of these ends before the server does; one that did would leave a server that only seems to work
    let mut tasks = vec![
        tokio::spawn(chat.clone().fan_out(feed)),
        tokio::spawn(desk_task::run(chat.clone(), Desk::new(rules(&config)), inbox)),
        tokio::spawn(house.keep()),
        tokio::spawn(watch_directory(chat.clone(), org.clone())),
        tokio::spawn(robot::run(chat.clone(), mind)),
        tokio::spawn(keep_robot_keys(org.clone())),
        tokio::spawn(watch_disk(disk.clone(), chat.clone(), metrics.clone())),
    ];
    tasks.extend(served.clone().map(|served| tokio::spawn(served.watch())));
    let admin = Arc::new(admin::Admin {
        org: org.clone(),
        widgets: widgets.clone(),
        public_url: public_url.clone(),
        storage: storage_of(disk.clone()),
        missed: {
            let chat = chat.clone();
            Box::new(move || Ok(chat.missed()))
        },
        running: Some(admin::Running {
            chat: chat.clone(),
            metrics: metrics.clone(),
            since: Instant::now(),
            listen: listen.to_string(),
            certificate: served,
        }),
    });
    let socket_path = data_dir.join(names::ADMIN_SOCKET);
    let socket = admin::listen(&socket_path).or_else(|e| {
        if e.kind() != io::ErrorKind::StorageFull {
            return Err(e);
        }
        disk.give_up_ballast();
        admin::listen(&socket_path)
    });
    let socket = socket.with_context(|| format!("cannot offer {}", socket_path.display()))?;
    let admin_task = tokio::spawn(admin::serve(admin, socket));

    // the last session to end drops the last `Http`, and with it the sender
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    let http = Arc::new(Http {
        chat: chat.clone(),
        org,
        widgets: widgets.clone(),
        library,
        bounds: Bounds::new(&config, patience),
        config: config.clone(),
        metrics,
        tokens: Tokens::new().map_err(|_| anyhow!("the system gives no random numbers"))?,
        metrics_token: metrics_token(&data_dir)?,
        secure: tls.is_some(),
        strict: http::Strict::new(&public_url, config.server.hsts_days),
        public_url: public_url.clone(),
        alive,
    });
    ready(&Ready { listen, public_url });

    let mut ended = false;
    let stop = async {
        tokio::select! {
            () = shutdown => {}
            _ = select_all(tasks.iter_mut()) => ended = true,
        }
        hub.close_all(CloseCode::GoingAway);
    };
    http::serve(http, listener, tls, stop).await;
    let _ = timeout(FAREWELL, all_gone.recv()).await;

    chat.store_marks().await;
    widgets.sightings.store(&*store, now_ms()).await;
    store.close().await;
    admin_task.abort();
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    let _ = fs::remove_file(&socket_path);
    // asked last: the disk may fail during the farewell, too
    if let Some(reason) = disk.failure() {
        tracing::error!(error = %reason, "the database stopped working");
        bail!(
            "the database stopped working: {reason}; nothing acknowledged is lost. Look at the disk, restore a backup if need be"
        );
    }
    if ended {
        bail!("a part of the server stopped by itself; start it again, and report what it printed before this line");
    }
    Ok(())
}

/// The token in its file, which only the owner of the data directory can read; made if there is none. On a full disk it is
/// good until the server stops.
fn metrics_token(data_dir: &Path) -> anyhow::Result<String> {
    let path = data_dir.join(names::METRICS_TOKEN);
    let token = match fs::read_to_string(&path) {
        // an older kefu left an empty one if the disk was full
        Ok(token) if !token.is_empty() => token.trim().to_owned(),
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(e).with_context(|| format!("cannot read {}", path.display()));
        }
        _ => {
            let made = codec::b64u(&random::<32>());
            match files::replace(&path, 0o600, format!("{made}\n").as_bytes()) {
                Err(e) if e.kind() == io::ErrorKind::StorageFull => {
                    tracing::warn!(error = %e, "the token for /metrics could not be stored; the next start makes another");
                }
                written => written.with_context(|| format!("cannot write {}", path.display()))?,
            }
            made
        }
    };
    if token.len() < 32 {
        bail!("{} holds no token of 32 characters; delete it and start again", path.display());
    }
    Ok(token)
}

fn rates(config: &Config) -> Rates {
    let l = &config.limits;
    let visitor_messages = Rate { burst: l.visitor_burst.into(), ..Rate::per_minute(l.visitor_messages_per_minute) };
    let (kib, mib) = (|n: u32| u64::from(n) << 10, |n: u32| u64::from(n) << 20);
    Rates {
        messages: (visitor_messages, Rate::per_minute(l.address_messages_per_minute)),
        openings: (Rate::per_hour(l.visitor_conversations_per_hour), Rate::per_hour(l.conversations_per_hour)),
        changes: (Rate::per_hour(l.visitor_changes_per_hour), Rate::per_hour(l.address_changes_per_hour)),
        keys: (Rate::per_hour(l.visitor_keys_per_hour), Rate::per_hour(l.address_keys_per_hour)),
        bytes: (Rate::per_day(kib(l.visitor_kb_per_day)), Rate::per_day(mib(l.address_mb_per_day))),
        records: (Rate::per_day(l.visitor_records_per_day.into()), Rate::per_day(l.address_records_per_day.into())),
        reads: (Rate::per_minute(l.visitor_reads_per_minute), Rate::per_minute(l.address_reads_per_minute)),
        agent_messages: Rate::per_minute(l.agent_messages_per_minute),
        agent_reads: Rate::per_minute(l.agent_reads_per_minute),
        // a person mistypes a few times; an office behind one address has many people
        logins: Rate::per_minute(30),
        conversation_bytes: mib(l.conversation_mb),
        conversation_records: l.conversation_records.into(),
    }
}

fn rules(config: &Config) -> Rules {
    let d = &config.desk;
    Rules {
        offer_ms: u64::from(d.offer_seconds) * 1000,
        auto_accept: d.auto_accept,
        grace_ms: u64::from(d.grace_seconds) * 1000,
        capacity: d.capacity,
    }
}

fn end_rule(config: &Config) -> EndRule {
    let c = &config.conversations;
    let after = |n: u32, unit_ms: u64| (n > 0).then_some(u64::from(n) * unit_ms);
    EndRule {
        idle_after_ms: after(c.close_after_idle_hours, 3_600_000),
        missed_after_ms: after(c.missed_after_days, 86_400_000),
    }
}

fn storage_of(store: Arc<RedbStore>) -> Box<dyn Fn() -> Value + Send + Sync> {
    Box::new(move || {
        let disk = store.disk();
        json!({
            "bytes": store.size_bytes(),
            "state": disk.state,
            "free_bytes": disk.free,
            "total_bytes": disk.total,
            "reserve_bytes": disk.reserve,
        })
    })
}

/// Looks at the room on the disk, and tells those who care. Never ends by itself.
async fn watch_disk(disk: Arc<RedbStore>, chat: Arc<Chat>, metrics: Arc<Metrics>) {
    let mut changes = disk.disk_changes();
    let mut told = disk.disk().state;
    loop {
        let looked = disk.clone();
        // a disk may take its time to answer
        if let Ok(space) = tokio::task::spawn_blocking(move || looked.look_at_disk()).await {
            metrics.storage_state.set(space.state as u64);
            metrics.disk_free_bytes.set(space.free);
            metrics.disk_reserve_bytes.set(space.reserve);
            if std::mem::replace(&mut told, space.state) != space.state {
                chat.storage_changed(space.state);
            }
        }
        let _ = timeout(DISK, changes.changed()).await;
    }
}

/// Missed conversations, where no server counts them.
fn missed_in(store: Arc<dyn Store>, org: Arc<Org>) -> Box<dyn Fn() -> Result<Vec<MissedCount>, Refusal> + Send + Sync> {
    Box::new(move || Ok(all_missed(&*store, org.directory().state().teams.keys())?))
}

/// The pair that somebody named, or our own.
fn certificate(data_dir: &Path, config: &Config) -> anyhow::Result<Arc<Served>> {
    let files = match (&config.tls.cert, &config.tls.key) {
        (cert, _) if cert.is_empty() => tls::Files::own(&data_dir.join(names::TLS)),
        (cert, key) => tls::Files::named(cert, key),
    };
    Served::open(files)
        .map_err(|e| anyhow!("{e}; name PEM files of one pair in [tls], or none to use the one that kefu init made"))
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => {
            anyhow!("{address} is taken by another program; stop it, or choose another address with --listen")
        }
        io::ErrorKind::PermissionDenied => {
            anyhow!("this user may not listen on {address}; choose a port above 1023, or grant CAP_NET_BIND_SERVICE")
        }
        _ => anyhow!("cannot listen on {address}: {e}"),
    })
}

async fn watch_directory(chat: Arc<Chat>, org: Arc<Org>) {
    let mut watch = org.watch();
    loop {
        // looked at once a day, as clocks are set
        let end = org.next_unconfirmed_end();
        let wait = end.map_or(DAY, |end| DAY.min(Duration::from_millis(end.saturating_sub(now_ms()) + 1)));
        tokio::select! {
            changed = watch.changed() => if changed.is_err() { return },
            // nothing came into the log, but somebody whom nobody confirmed may not act any more
            () = tokio::time::sleep(wait) => if end.is_none_or(|end| now_ms() <= end) { continue },
        }
        chat.directory_changed(*watch.borrow_and_update());
    }
}

/// The store of a data directory and its directory, for measurements that fill it. No server may run there.
pub fn store_and_directory(data_dir: &Path, config: &Config) -> anyhow::Result<(Arc<dyn Store>, Arc<Directory>)> {
    let (store, _) = open_store(data_dir, config, None)?;
    let store: Arc<dyn Store> = store;
    let org = Org::open(store.clone(), &setup(data_dir)?).context("the directory in the database can't be used")?;
    Ok((store, org.directory()))
}

/// Founds a company in the data directory, where `opaque.setup` lies already.
pub async fn found(data_dir: &Path, config: &Config, commit: Commit) -> Result<(), AdminError> {
    let founded = async {
        let setup = setup(data_dir)?;
        let (store, _) = open_store(data_dir, config, None)?;
        let store: Arc<dyn Store> = store;
        let outcome = Org::found(store.clone(), &setup, commit).await;
        store.close().await;
        anyhow::Ok(outcome.map(|_| ())?)
    };
    founded.await.map_err(|e| AdminError::new(ErrorCode::Storage, format!("{e:#}")))
}

/// The admin router, reached over the socket of a running server or in process.
pub enum Admin {
    /// A server runs.
    Remote(PathBuf),
    /// None runs: the store is ours.
    Local(Box<admin::Admin>, Arc<dyn Store>),
}

/// Why an admin request was not carried out.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
pub struct AdminError {
    /// The kind.
    pub code: ErrorCode,
    /// For people.
    pub text: String,
}

impl AdminError {
    fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }
}

impl From<Refusal> for AdminError {
    fn from(r: Refusal) -> Self {
        Self::new(r.code, r.text)
    }
}

impl Admin {
    /// Reaches a running server, or opens the store of the data directory.
    pub async fn connect(data_dir: &Path, config: &Config) -> Result<Self, AdminError> {
        let socket = data_dir.join(names::ADMIN_SOCKET);
        if socket::connect(&socket).is_ok() {
            return Ok(Self::Remote(socket));
        }
        let local = async {
            let (redb, _) = open_store(data_dir, config, None)?;
            let store: Arc<dyn Store> = redb.clone();
            let (org, widgets) = open_org(data_dir, config, store.clone(), false).await?;
            let (public_url, storage) = (config.public_url(), storage_of(redb));
            let missed = missed_in(store.clone(), org.clone());
            let admin = admin::Admin { org, widgets, public_url, storage, missed, running: None };
            anyhow::Ok(Self::Local(Box::new(admin), store))
        };
        local.await.map_err(|e| AdminError::new(ErrorCode::Storage, format!("{e:#}")))
    }

    /// One request.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, AdminError> {
        match self {
            Self::Local(admin, _) => Ok(admin.call(method, path, body).await?),
            Self::Remote(socket) => remote(socket, method, path, body).await,
        }
    }

    /// Lets go of the store, if it was opened.
    pub async fn close(self) {
        if let Self::Local(admin, store) = self {
            drop(admin);
            store.close().await;
        }
    }
}

async fn remote(socket: &Path, method: &str, path: &str, body: Option<Value>) -> Result<Value, AdminError> {
    let lost = |e: &dyn std::fmt::Display| {
        AdminError::new(ErrorCode::Storage, format!("the running server did not answer: {e}"))
    };
    let stream = socket::connect(socket).map_err(|e| lost(&e))?;
    stream.set_nonblocking(true).map_err(|e| lost(&e))?;
    let stream = UnixStream::from_std(stream).map_err(|e| lost(&e))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|e| lost(&e))?;
    let connection = tokio::spawn(connection);
    let body = body.map_or_else(Bytes::new, |b| b.to_string().into());
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "kefu")
        .body(Full::new(body))
        .map_err(|e| AdminError::new(ErrorCode::Malformed, e.to_string()))?;
    let response = sender.send_request(request).await.map_err(|e| lost(&e))?;
    let ok = response.status().is_success();
    let bytes = response.into_body().collect().await.map_err(|e| lost(&e))?.to_bytes();
    connection.abort();
    let value: Value = serde_json::from_slice(&bytes).map_err(|e| lost(&e))?;
    if ok {
        return Ok(value);
    }
    let code = value["code"].as_u64().and_then(|n| ErrorCode::from_number(n as u16)).unwrap_or(ErrorCode::Storage);
    Err(AdminError::new(code, value["text"].as_str().unwrap_or("the server refused")))
}
