//! Runs a server: the order of start and stop.
//!
//! Start: store, directory, conversations, pages, listeners; then `ready`. Stop: no new connections, sockets are told to
//! come back, the last receipts and messages reach the disk, the store closes.

use std::{
    fs,
    future::Future,
    io,
    net::SocketAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures_util::future::FutureExt as _;
use serde_json::Value;
use tokio::{
    net::{TcpListener, UnixListener},
    sync::{mpsc, watch},
    time::timeout,
};

use super::{
    Ready, ServeError, ServeOptions,
    maintenance::{Maintenance, rotate_robot_keys},
    moving::FileMove,
    notices::Notices,
    open::{missed_counted, open_blobs, open_org, secrets},
    others::Others,
    push::PushService,
    settings::{end_rule, file_rules, rates, retention, rules},
    shared_robot::SharedRobot,
    standing::{moved, watch_shared},
    storage::{Backend, IfEmpty, open_storage},
    tasks::{Tasks, watch_directory, watch_disk, watch_memory},
    whole_database::database_of,
};
use crate::{
    chat::{Attachments, Chat, Stored, desk_task},
    config::Config,
    crypto::{codec, sign::random},
    data_dir,
    documents::Documents,
    files,
    http::{self, Bounds, Http, Tokens, admin},
    hub::Hub,
    proto::CloseCode,
    robot::participant::{self, Robot, RobotHandle},
    store::redis::Standing,
    telemetry::Metrics,
    tls::{self, Served},
};

/// How long sockets may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(5);
/// Runs the server until `shutdown` resolves or the disk fails.
#[expect(clippy::too_many_lines, reason = "the order of start and stop is in one place")]
pub async fn serve(
    options: ServeOptions,
    shutdown: impl Future<Output = ()>,
    ready: impl FnOnce(&Ready),
) -> Result<(), ServeError> {
    let ServeOptions { data_dir: dir, mut config, listener, engine, knowledge, patience } = options;
    let metrics = Arc::new(Metrics::new());
    let (backend, feed) = Box::pin(open_storage(&dir, &config, Some(metrics.clone()), IfEmpty::Refuse)).await?;
    let (store, secrets) = (backend.store(), secrets(&dir, &config)?);
    let (org, robot_keys, widgets) = open_org(&dir, &config, store.clone(), &secrets, true).await?;
    let (listener, listen) = listener_of(listener, config.server.listen).await?;
    // port 0 is known only now
    config.server.listen = listen;
    let others = Others::of(&backend, &config, &secrets, &org);
    let (blobs, files) = (open_blobs(&dir, &config, &backend)?, file_rules(&config)?);
    let shared_robot = Box::pin(SharedRobot::of(&backend, &secrets, &dir, &org, &robot_keys))
        .await
        .context("the robot's key in Redis can't be used")?;
    let handle = Arc::new(match &shared_robot {
        Some(_) => RobotHandle::among_others(robot_keys.clone()),
        None => RobotHandle::default(),
    });
    let hub = Hub::new();
    let (chat, inbox) = Box::pin(Chat::new(
        Stored { store: store.clone(), attachments: Attachments::new(blobs.clone(), files) },
        org.clone(),
        hub.clone(),
        others.bus(),
        metrics.clone(),
        rates(&config),
        handle.clone(),
    ))
    .await
    .context("cannot read the open conversations")?;

    let notices = Notices::new(&config, &org, &store)?;
    let push = Box::pin(PushService::open(&config, &dir, &backend, &secrets, &org)).await?;
    let served = certificate(&dir, &config)?;
    let tls = served.as_ref().map(Served::acceptor).transpose().context("TLS can't be set up")?;
    let (public_url, config) = (config.public_url(), Arc::new(config));

    let retention = retention(&config)?;
    let maintenance =
        Maintenance::new(&chat, &store, &widgets, &metrics, end_rule(&config), (retention.clone(), blobs.clone()));
    let mut tasks = Tasks::default();
    let beating = hub.clone();
    tasks.spawn("heartbeat", async move { beating.beat().await });
    tasks.spawn("fan-out", chat.clone().fan_out(feed));
    tasks.spawn("desk", desk_task::run(chat.clone(), rules(&config), inbox));
    tasks.spawn("maintenance", maintenance.run());
    tasks.spawn("key directory", watch_directory(chat.clone(), org.clone()));
    tasks.spawn("labels", chat.clone().tell_labels());
    tasks
        .spawn("robot", participant::run(Robot { chat: chat.clone(), keys: Some(robot_keys.clone()), engine, handle }));
    if let Some(robot) = &shared_robot {
        tasks.spawn("robot of all servers", robot.clone().watch());
        tasks.spawn("robot of no server", participant::hand_over_orphans(chat.clone(), robot_keys.clone()));
    }
    tasks.spawn("robot's keys", rotate_robot_keys(org.clone()));
    if let Some(file) = backend.file() {
        tasks.spawn("disk", watch_disk(file.clone(), chat.clone(), metrics.clone()));
    }
    let (standing, now) = watch::channel(Standing::Here);
    if let Some(redis) = backend.redis() {
        tasks.spawn("memory of Redis", watch_memory(redis.clone(), chat.clone(), metrics.clone()));
    }
    others.join(&mut tasks, &chat, now.clone());
    notices.start(&mut tasks, &chat, &metrics);
    if let Some(push) = &push {
        push.start(&mut tasks, &chat, &store);
    }
    let moving = file_move(&mut tasks, &backend, &config.storage.prefix, standing, &chat);
    if let Some(served) = served.clone() {
        tasks.spawn("certificate", served.watch());
    }
    let admin = Arc::new(admin::Admin {
        org: org.clone(),
        robot_keys,
        shared_robot: shared_robot.map(|robot| robot as Arc<dyn admin::SharedRobot>),
        widgets: widgets.clone(),
        public_url: public_url.clone(),
        storage: reports(&backend),
        database: database_of(&backend, &org, retention, blobs, &dir),
        missed: missed_counted(chat.clone()),
        webhooks: notices,
        running: Some(admin::Running {
            chat: chat.clone(),
            metrics: metrics.clone(),
            since: Instant::now(),
            listen: listen.to_string(),
            certificate: served,
            servers: others.servers(),
            moving: moving.map(|moving| moving as Arc<dyn admin::Moving>),
        }),
    });
    let socket_path = dir.join(data_dir::ADMIN_SOCKET);
    let admin_task = tokio::spawn(admin::serve(admin, admin_socket(&socket_path, &backend)?));

    // the last session to end drops the last `Http`, and with it the sender
    let (alive, mut all_gone) = mpsc::channel::<()>(1);
    let http = Arc::new(Http {
        documents: Arc::new(Documents::new(store.clone(), org.clone(), hub.clone(), others.bus())),
        chat: chat.clone(),
        org,
        widgets: widgets.clone(),
        knowledge,
        push: push.map(|push| push as Arc<dyn http::Pushes>),
        bounds: Bounds::new(&config, patience),
        config: config.clone(),
        metrics,
        tokens: Tokens::new(&secrets.cluster_key),
        metrics_token: metrics_token(&dir)?,
        secure: tls.is_some(),
        strict: http::Strict::new(&public_url, config.server.hsts_days),
        public_url: public_url.clone(),
        serving: others.serving(),
        alive,
    });
    ready(&Ready { listen, public_url });

    let (mut ended, mut gone) = (None, None);
    let stop = async {
        tokio::select! {
            () = shutdown => {}
            to = moved(now) => gone = Some(to),
            name = tasks.ended() => ended = Some(name),
        }
        hub.close_all(CloseCode::GoingAway);
    };
    http::serve(http, listener, tls, stop).await;
    let _ = timeout(FAREWELL, all_gone.recv()).await;

    let closed = async {
        chat.store_marks().await;
        widgets.versions_seen.store(&*store, chat.now_ms()).await;
        store.close().await;
    };
    match gone {
        // what is left could be written nowhere
        Some(_) => drop(timeout(FAREWELL, closed).await),
        None => closed.await,
    }
    admin_task.abort();
    tasks.stop();
    let _ = fs::remove_file(&socket_path);
    // asked last: the disk may fail during the farewell, too
    if let Some(reason) = backend.failure() {
        tracing::error!(error = %reason, "the database stopped working");
        return Err(ServeError::Stopped(reason.to_string()));
    }
    match (gone, ended) {
        (Some(to), _) => Err(ServeError::MovedMeanwhile(to)),
        (None, Some(name)) => Err(ServeError::Task(name)),
        (None, None) => Ok(()),
    }
}

/// What `kefu move` asks for, if the company is in a file; and a task that looks whether it is being moved.
fn file_move(
    tasks: &mut Tasks,
    backend: &Backend,
    prefix: &str,
    standing: watch::Sender<Standing>,
    chat: &Arc<Chat>,
) -> Option<Arc<FileMove>> {
    match backend {
        Backend::File(store) => {
            let chat = chat.clone();
            let before_hold = move || {
                let chat = chat.clone();
                async move { chat.store_marks().await }.boxed()
            };
            let moving = FileMove::new(store.clone(), standing, Box::new(before_hold));
            tasks.spawn("move", moving.clone().watch());
            Some(moving)
        }
        Backend::Shared(_, link) => {
            tasks.spawn("move", watch_shared(link.clone(), prefix.to_owned(), standing));
            None
        }
    }
}

/// What the admin router says of the storage.
fn reports(backend: &Backend) -> Box<dyn Fn() -> Value + Send + Sync> {
    let backend = backend.clone();
    Box::new(move || backend.report())
}

/// The admin router's socket. On a full disk the ballast is released for it.
fn admin_socket(path: &Path, backend: &Backend) -> anyhow::Result<UnixListener> {
    let socket = admin::listen(path).or_else(|e| match backend.file() {
        Some(file) if e.kind() == io::ErrorKind::StorageFull => {
            file.give_up_ballast();
            admin::listen(path)
        }
        _ => Err(e),
    });
    socket.with_context(|| format!("cannot create the socket {}", path.display()))
}

/// The token in its file, which only the owner of the data directory can read; made if there is none. On a full disk it is
/// good until the server stops.
fn metrics_token(dir: &Path) -> Result<String, ServeError> {
    let path = dir.join(data_dir::METRICS_TOKEN);
    let token = match fs::read_to_string(&path) {
        // an older kefu left an empty one if the disk was full
        Ok(token) if !token.is_empty() => token.trim().to_owned(),
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            return Err(e).with_context(|| format!("cannot read {}", path.display())).map_err(Into::into);
        }
        _ => {
            let made = codec::b64u(&random::<32>());
            match files::replace(&path, 0o600, format!("{made}\n").as_bytes()) {
                Err(e) if e.kind() == io::ErrorKind::StorageFull => {
                    tracing::warn!(error = %e, "the token for /metrics could not be stored; the next start creates another");
                }
                written => written.with_context(|| format!("cannot write {}", path.display()))?,
            }
            made
        }
    };
    if token.len() < 32 {
        return Err(ServeError::MetricsToken(path));
    }
    Ok(token)
}

/// The configured certificate, or kefu's own; none without TLS.
fn certificate(dir: &Path, config: &Config) -> Result<Option<Arc<Served>>, ServeError> {
    if config.server.plain_http {
        return Ok(None);
    }
    let files = match (&config.tls.cert, &config.tls.key) {
        (cert, _) if cert.is_empty() => tls::Files::own(&dir.join(data_dir::TLS)),
        (cert, key) => tls::Files::named(cert, key),
    };
    Served::open(files).map(Some).map_err(ServeError::Certificate)
}

/// The listener that systemd gave, or one of our own, and where it listens.
async fn listener_of(
    given: Option<std::net::TcpListener>,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), ServeError> {
    let listener = match given {
        Some(listener) => TcpListener::from_std(listener).context("cannot use the socket of systemd")?,
        None => bind(address).await?,
    };
    let listen = listener.local_addr().context("the listener has no address")?;
    Ok((listener, listen))
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::AddressTaken(address),
        io::ErrorKind::PermissionDenied => ServeError::AddressForbidden(address),
        _ => ServeError::Listen { address, source },
    })
}
