//! The admin router: what the command line asks, over a Unix socket in the data directory or in process.
//!
//! Anyone who can open the socket (mode 0600) is the operator; there is no other check, and no other socket leads here. The
//! router has no company key: requests that need one arrive signed.

use std::{
    net::IpAddr,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Limited};
use hyper::{
    Method, Request, Response,
    body::Incoming,
    header::{self, HeaderMap},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::{
    net::UnixListener,
    sync::{Semaphore, mpsc},
};

use crate::{
    chat::{Chat, Figures, RequestError},
    crypto::{codec::Key32, hash},
    files::socket,
    org::{Org, widgets::Widgets},
    proto::{BotId, ErrorCode, MissedCount, SiteId},
    robot::keys::{KeyError, RobotKeys},
    telemetry::{Metrics, render_prometheus},
    tls::Served,
};

use super::{
    Http,
    answer::{self, Answer},
    assets::{self, Snippet},
    detached::run_detached,
    progress::Progress,
    stream::MaybeStream,
};

/// Where the rows of the database are, see [`WholeDatabase::dump`]. These, and those of a move, are the answers that are not JSON.
pub const DUMP: &str = "/admin/dump";
/// Largest request: an import of many entries and boxes.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// How long a Redis may take to confirm what a command writes: longer than a failover.
const CONFIRMED: Duration = Duration::from_secs(15);

/// What a running server adds to the router.
pub struct Running {
    /// Access to conversations.
    pub chat: Arc<Chat>,
    /// Counters and histograms.
    pub metrics: Arc<Metrics>,
    /// When it started.
    pub since: Instant,
    /// Where it listens.
    pub listen: String,
    /// What it serves TLS with, if it does.
    pub certificate: Option<Arc<Served>>,
    /// The servers that share the database, if several can.
    pub servers: Option<Arc<dyn Servers>>,
    /// How the company leaves the database file, if it is in one.
    pub moving: Option<Arc<dyn Moving>>,
}

/// A move of the company out of the database file, for `kefu move`.
pub trait Moving: Send + Sync + 'static {
    /// All rows, or what changed since this was asked last, as a backup without files, in pieces.
    fn rows<'a>(&'a self, token: &'a str, all: bool) -> BoxFuture<'a, Result<mpsc::Receiver<Bytes>, RequestError>>;

    /// Does a step: `begin`, whose answer has the token (`session`) and the first entry of the directory (`first`), `keep`, `hold`,
    /// `leave` or `end`.
    fn step<'a>(&'a self, step: &'a str, token: &'a str, to: &'a str) -> BoxFuture<'a, Result<Value, RequestError>>;
}

/// The servers that share the database.
pub trait Servers: Send + Sync + 'static {
    /// Those that were there lately: `this` (the name of this one) and `servers`.
    fn list(&self) -> Value;

    /// What the others that are alive have counted, or one of them; nothing of those that did not answer in time.
    fn figures<'a>(&'a self, name: Option<&'a str>) -> BoxFuture<'a, Vec<(String, Option<Figures>)>>;

    /// This one takes no more clients, and sends those away that it has.
    fn drain(&self);
}

/// What the servers that share the database share of the robot.
pub trait SharedRobot: Send + Sync + 'static {
    /// The robot's name and public key, for the directory; made if there is none yet.
    fn prepare(&self) -> BoxFuture<'_, Result<(BotId, Key32), RequestError>>;

    /// All servers replace their day keys. The robot's name.
    fn rotate(&self) -> BoxFuture<'_, Result<BotId, RequestError>>;

    /// Looks at once what is new.
    fn look(&self) -> BoxFuture<'_, ()>;
}

/// The addresses that are told when somebody waits.
pub trait Webhooks: Send + Sync + 'static {
    /// All, with what waits for each and how the last try went.
    fn list(&self) -> BoxFuture<'_, Result<Value, RequestError>>;

    /// Sends one a message that says that it is a test.
    fn test<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Value, RequestError>>;
}

/// What is asked of the database as a whole.
pub trait WholeDatabase: Send + Sync + 'static {
    /// All rows of one moment, as a backup without files, in pieces.
    fn dump(&self) -> BoxFuture<'static, Result<mpsc::Receiver<Bytes>, RequestError>>;

    /// Checks all of it; what was looked at and what is wrong.
    fn verify(&self) -> BoxFuture<'static, Result<Value, RequestError>>;

    /// Brings the log to the database.
    fn checkpoint(&self) -> BoxFuture<'static, Result<(), RequestError>>;

    /// Erases conversations that were closed long ago, or only says which are due.
    fn retention(&self, dry_run: bool) -> BoxFuture<'static, Result<Value, RequestError>>;
}

/// Says how many conversations were missed.
pub type MissedCounter = Box<dyn Fn() -> BoxFuture<'static, Result<Vec<MissedCount>, RequestError>> + Send + Sync>;

/// Handles the requests of the command line.
pub struct Admin {
    /// The key directory and accounts.
    pub org: Arc<Org>,
    /// Versions of the widget.
    pub widgets: Arc<Widgets>,
    /// The robot's keys.
    pub robot_keys: Arc<RobotKeys>,
    /// What is shared of them, if several servers can share the database.
    pub shared_robot: Option<Arc<dyn SharedRobot>>,
    /// Where people reach the server.
    pub public_url: String,
    /// Bytes of the database and what is known of its disk: `bytes`, `state`, `free_bytes`, `total_bytes`, `reserve_bytes`.
    pub storage: Box<dyn Fn() -> Value + Send + Sync>,
    /// How many conversations were missed, of the teams that have any.
    pub missed: MissedCounter,
    /// Whom notices are sent to.
    pub webhooks: Arc<dyn Webhooks>,
    /// All of the database.
    pub database: Arc<dyn WholeDatabase>,
    /// Absent when the command opened the store itself.
    pub running: Option<Running>,
}

impl Admin {
    /// Handles one request.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, RequestError> {
        match (method, path.strip_prefix("/admin/").unwrap_or("")) {
            ("GET", "version") => {
                let listen = self.running.as_ref().map(|r| &r.listen);
                Ok(json!({ "version": env!("CARGO_PKG_VERSION"), "running": listen.is_some(), "listen": listen }))
            }
            ("GET", "export") => to_value(&self.org.export().await?),
            ("POST", "commit") => {
                let commit = serde_json::from_value(body.unwrap_or_default())
                    .map_err(|e| RequestError::new(ErrorCode::Malformed, format!("not a commit: {e}")))?;
                let org = self.org.clone();
                let committed = to_value(&self.confirmed(async move { org.commit(commit).await }).await??);
                if let Some(robot) = &self.shared_robot {
                    // it may have put the robot on a site, or taken it off the last one
                    robot.look().await;
                }
                committed
            }
            ("GET", "robot") => {
                if let Some(robot) = &self.shared_robot {
                    robot.look().await;
                }
                let mut status = self.robot_keys.status(&self.org.directory());
                status["servers"] = self.servers().map_or(Value::Null, |servers| servers.list()["servers"].clone());
                Ok(status)
            }
            ("POST", "robot/prepare") => {
                let (id, ed) = match &self.shared_robot {
                    Some(robot) => robot.prepare().await?,
                    None => self.robot_keys.prepare(&self.org.directory()).map_err(robot_refused)?,
                };
                Ok(json!({ "id": id, "ed": ed }))
            }
            ("POST", "robot/rotate") => match &self.shared_robot {
                Some(robot) => Ok(json!({ "bot": robot.rotate().await?, "shared": true })),
                None => to_value(&self.robot_keys.rotate(&self.org.directory()).map_err(robot_refused)?),
            },
            ("GET", "verify") => self.database.verify().await,
            ("GET", "stats") => self.stats(None).await,
            ("POST", "checkpoint") => {
                self.database.checkpoint().await?;
                Ok((self.storage)())
            }
            ("POST", "retention") => {
                let dry_run = body.as_ref().is_none_or(|b| b["dry_run"] != Value::Bool(false));
                let database = self.database.clone();
                self.confirmed(async move { database.retention(dry_run).await }).await?
            }
            ("GET", "certificate") => {
                let served = self.running.as_ref().and_then(|r| r.certificate.as_ref());
                Ok(json!(served.map(|s| s.status())))
            }
            ("GET", "servers") => Ok(self.servers().map_or(Value::Null, |servers| servers.list())),
            ("POST", "drain") => {
                let alone = || {
                    RequestError::new(ErrorCode::Conflict, "no other server could take its clients: stop it instead")
                };
                self.servers().ok_or_else(alone)?.drain();
                Ok(json!({}))
            }
            (_, "labels" | "target" | "hours" | "blocks" | "unblock") => self.handling(method, path, body).await,
            ("GET", "webhooks") => self.webhooks.list().await,
            ("POST", "webhooks/test") => {
                let body = body.unwrap_or_default();
                self.webhooks.test(body["name"].as_str().unwrap_or_default()).await
            }
            ("POST", step) if step.starts_with("move/") => {
                let text = |key: &str| body.as_ref().and_then(|body| body[key].as_str()).unwrap_or_default().to_owned();
                let (token, to) = (text("session"), text("to"));
                self.moving()?.step(&step["move/".len()..], &token, &to).await
            }
            ("GET", "widgets") => Ok(self.widgets.status(self.org.now_ms())),
            ("GET", "agents") => {
                let desk = match &self.running {
                    Some(r) => r.chat.desk_snapshot().await,
                    None => None,
                };
                Ok(desk.map_or(json!([]), |d| json!(d.agents)))
            }
            ("GET", other) => match other.split_once('/') {
                Some(("snippet", rest)) => self.snippet(rest).await,
                Some(("stats", server)) => self.stats(Some(server)).await,
                _ => self.explain(other).await,
            },
            _ => Err(not_present()),
        }
    }

    /// Does something that writes. A Redis that does not confirm it is not waited for without end; what was begun goes on.
    pub(super) async fn confirmed<T: Send + 'static>(
        &self,
        write: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, RequestError> {
        let storage = (self.storage)();
        let Some(redis) = storage["redis"].as_str() else { return Ok(write.await) };
        let writing = tokio::spawn(write);
        let failed = |why: String| RequestError::new(ErrorCode::Storage, why);
        match tokio::time::timeout(CONFIRMED, writing).await {
            Ok(Ok(written)) => Ok(written),
            Ok(Err(e)) => Err(failed(format!("the server could not finish this: {e}"))),
            Err(_) => {
                let what = match storage["ack_replicas"].as_u64() {
                    Some(0) | None => "it does not answer, or its disk is slow".to_owned(),
                    Some(n) => {
                        format!("it does not answer, or fewer than {n} of its replicas do (storage.ack_replicas)")
                    }
                };
                Err(failed(format!(
                    "{redis} has not confirmed this within {} seconds: {what}. It may be done, or be done as soon as Redis \
                     confirms it: look (kefu user list, kefu directory show) before you repeat it; kefu doctor says what \
                     Redis lacks",
                    CONFIRMED.as_secs()
                )))
            }
        }
    }

    fn moving(&self) -> Result<&Arc<dyn Moving>, RequestError> {
        self.running.as_ref().and_then(|running| running.moving.as_ref()).ok_or_else(not_present)
    }

    /// The pieces that an address names, if what it names comes in pieces.
    async fn pieces(&self, path: &str) -> Option<Result<mpsc::Receiver<Bytes>, RequestError>> {
        if path == DUMP {
            return Some(self.database.dump().await);
        }
        let (what, token) = path.strip_prefix("/admin/move/")?.split_once('/')?;
        match self.moving() {
            Ok(moving) => Some(moving.rows(token, what == "all").await),
            Err(e) => Some(Err(e)),
        }
    }

    fn servers(&self) -> Option<&Arc<dyn Servers>> {
        self.running.as_ref().and_then(|running| running.servers.as_ref())
    }

    /// `snippet/<site>` pinned; `snippet/<site>/single` as one file, `snippet/<site>/unpinned` not pinned.
    async fn snippet(&self, rest: &str) -> Result<Value, RequestError> {
        let (site, what) = match rest.split_once('/') {
            None => (rest, Snippet::Pinned),
            Some((site, "single")) => (site, Snippet::Single),
            Some((site, "unpinned")) => (site, Snippet::Unpinned),
            Some(_) => return Err(not_present()),
        };
        let site: SiteId = site.parse().map_err(|e| RequestError::new(ErrorCode::NotFound, format!("{e}")))?;
        let snippet =
            assets::snippet(&self.org, &self.widgets, &site, &self.public_url, what).await.ok_or_else(|| {
                RequestError::new(ErrorCode::NotFound, "no such site, or this kefu was built without its pages")
            })?;
        let (pinned, single) = (what != Snippet::Unpinned, what == Snippet::Single);
        Ok(json!({ "site": site, "pinned": pinned, "single": single, "snippet": snippet }))
    }

    /// `explain/<conv>`: why no agent was assigned.
    async fn explain(&self, path: &str) -> Result<Value, RequestError> {
        let conv = path.strip_prefix("explain/").and_then(|c| c.parse().ok()).ok_or_else(not_present)?;
        match &self.running {
            Some(r) => Ok(json!(r.chat.explain(conv).await)),
            None => Err(RequestError::new(ErrorCode::NotFound, "no server is running, so nothing is assigned")),
        }
    }
}

pub(super) fn read<T: DeserializeOwned>(body: Option<Value>, what: &str) -> Result<T, RequestError> {
    serde_json::from_value(body.unwrap_or_default())
        .map_err(|e| RequestError::new(ErrorCode::Malformed, format!("not {what}: {e}")))
}

fn robot_refused(e: KeyError) -> RequestError {
    let code = if e == KeyError::None { ErrorCode::NotFound } else { ErrorCode::Storage };
    RequestError::new(code, e.to_string())
}

pub(super) fn not_present() -> RequestError {
    RequestError::new(ErrorCode::NotFound, "there is no such admin request; is the server another version?")
}

pub(super) fn to_value<T: serde::Serialize>(value: &T) -> Result<Value, RequestError> {
    serde_json::to_value(value).map_err(|e| RequestError::new(ErrorCode::Malformed, e.to_string()))
}

/// Offers the router on a socket that only the owner of the data directory can open.
pub fn listen(path: &Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    // `bind` follows no link, and refuses a name that is taken; left behind by a server that was killed; the lock of the data
    // directory says that none runs
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = socket::listen(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}

/// Connections to the socket at once; more wait until one ends.
const CONNECTIONS: usize = 32;
/// How long a command may take nothing of its answer.
const UNREAD: Duration = Duration::from_mins(2);

/// Serves the socket forever.
pub async fn serve(admin: Arc<Admin>, listener: UnixListener) {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // it is never closed
        let Ok(permit) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let admin = admin.clone();
        tokio::spawn(async move {
            let _permit = permit;
            let service = service_fn(|request| respond(admin.clone(), request));
            // the timer ends connections on which nothing is asked
            let mut server = http1::Builder::new();
            let server = server.timer(TokioTimer::new());
            if let Err(e) = server.serve_connection(TokioIo::new(Progress::new(stream, UNREAD)), service).await {
                tracing::debug!(error = %e, "admin connection ended");
            }
        });
    }
}

async fn respond(
    admin: Arc<Admin>,
    request: Request<Incoming>,
) -> Result<Response<MaybeStream>, std::convert::Infallible> {
    let (parts, body) = request.into_parts();
    if parts.method == Method::GET
        && let Some(pieces) = admin.pieces(parts.uri.path()).await
    {
        return Ok(match pieces {
            Ok(pieces) => MaybeStream::of(pieces),
            Err(refusal) => MaybeStream::whole(answer::refusal(&refusal)),
        });
    }
    let outcome = async {
        let body = Limited::new(body, MAX_BODY).collect().await;
        let body =
            body.map_err(|_| RequestError::new(ErrorCode::TooLarge, "the request is larger than 16 MiB"))?.to_bytes();
        let body = match body.is_empty() {
            true => None,
            false => Some(
                serde_json::from_slice(&body)
                    .map_err(|e| RequestError::new(ErrorCode::Malformed, format!("not JSON: {e}")))?,
            ),
        };
        // to its end, also if the command that asked was interrupted
        run_detached(async move { admin.call(parts.method.as_str(), parts.uri.path(), body).await }).await
    };
    Ok(MaybeStream::whole(match outcome.await {
        Ok(value) => answer::json(&value),
        Err(refusal) => answer::refusal(&refusal),
    }))
}

/// `GET /metrics`, for programs on the same host that may read the token's file: a company's numbers are not
/// public, and a proxy that does not name its client is on the same host, too.
pub fn metrics(http: &Http, address: IpAddr, headers: &HeaderMap) -> Answer {
    let said = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()?.strip_prefix("Bearer "));
    // hashes are compared, so the time does not reveal how many characters were right
    let hashed = |token: &str| hash::h("metrics", &[token.as_bytes()]);
    let knows = said.is_some_and(|said| hashed(said) == hashed(&http.metrics_token));
    // who listens on [::] sees IPv4 mapped into IPv6
    if !address.to_canonical().is_loopback() || !knows {
        return answer::error(ErrorCode::NotFound, "there is nothing at this address");
    }
    let page = render_prometheus(&http.metrics.snapshot(), *http.chat.leads().borrow());
    answer::bytes(hyper::StatusCode::OK, "text/plain; version=0.0.4", page)
}
