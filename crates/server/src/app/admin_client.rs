//! The admin router, reached over the socket of a running server or in process.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::UnixStream, sync::mpsc, task::JoinHandle, time::timeout};

use super::{
    ServeError,
    notices::Notices,
    open::{blobs_to_read, missed_in, open_org, secrets},
    settings::retention,
    shared_robot::SharedRobot,
    storage::{IfEmpty, open_storage},
    whole_database::database_of,
};
use crate::{chat::RequestError, config::Config, data_dir, files::socket, http::admin, proto::ErrorCode, store::Store};

/// How long a Redis may take to confirm what is still on its way when a command ends.
const CLOSED: Duration = Duration::from_secs(5);

/// The admin router, reached over the socket of a running server or in process.
pub enum Admin {
    /// A server is running; path of its socket.
    Remote(PathBuf),
    /// None runs: the store is ours.
    Local(Box<admin::Admin>, Arc<dyn Store>),
}

/// What is said if the key that servers share can't be used.
const ROBOT: &str = "the robot's key in Redis can't be used";

/// Why an admin request was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// No server runs, and the data directory can't be opened.
    #[error("{0}")]
    Open(ServeError),
    /// The router refused, or the running server did not answer.
    #[error("{text}")]
    Refused {
        /// The code that the router answered.
        code: ErrorCode,
        /// The message, in English.
        text: String,
    },
}

impl AdminError {
    fn new(code: ErrorCode, text: impl Into<String>) -> Self {
        Self::Refused { code, text: text.into() }
    }
}

impl From<RequestError> for AdminError {
    fn from(r: RequestError) -> Self {
        Self::new(r.code, r.text)
    }
}

impl Admin {
    /// Reaches a running server, or opens the store of the data directory.
    pub async fn connect(dir: &Path, config: &Config) -> Result<Self, AdminError> {
        let socket = dir.join(data_dir::ADMIN_SOCKET);
        if socket::connect(&socket).is_ok() {
            return Ok(Self::Remote(socket));
        }
        let local = async {
            let (backend, _) = open_storage(dir, config, None, IfEmpty::Refuse).await?;
            let (store, secrets) = (backend.store(), secrets(dir, config)?);
            let (org, robot_keys, widgets) = open_org(dir, config, store.clone(), &secrets, false).await?;
            let shared_robot = SharedRobot::of(&backend, &secrets, dir, &org, &robot_keys).await.context(ROBOT)?;
            let blobs = blobs_to_read(dir, config, &backend)?;
            let database = database_of(&backend, &org, retention(config)?, blobs, dir);
            let (public_url, storage) = (config.public_url(), Box::new(move || backend.report()));
            let missed = missed_in(store.clone(), org.clone());
            let webhooks = Notices::to_ask(config, &org, &store);
            let shared_robot = shared_robot.map(|robot| robot as Arc<dyn admin::SharedRobot>);
            let admin = admin::Admin {
                org,
                robot_keys,
                shared_robot,
                widgets,
                public_url,
                storage,
                missed,
                webhooks,
                database,
                running: None,
            };
            Ok(Self::Local(Box::new(admin), store))
        };
        local.await.map_err(AdminError::Open)
    }

    /// Sends one request and returns the answer.
    pub async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, AdminError> {
        match self {
            Self::Local(admin, _) => Ok(admin.call(method, path, body).await?),
            Self::Remote(socket) => remote(socket, method, path, body).await,
        }
    }

    /// Asks for all rows of the database.
    pub async fn dump(&self) -> Result<Dump, AdminError> {
        match self {
            Self::Local(admin, _) => Ok(Dump::Local(admin.database.dump().await?)),
            Self::Remote(socket) => {
                let (response, connection) = send(socket, "GET", admin::DUMP, None).await?;
                if !response.status().is_success() {
                    return Err(answered(response, connection).await.err().unwrap_or_else(|| lost(&"no dump came")));
                }
                Ok(Dump::Remote(response.into_body(), connection))
            }
        }
    }

    /// Closes the store, if it was opened.
    pub async fn close(self) {
        if let Self::Local(admin, store) = self {
            drop(admin);
            let closed = store.close();
            // what Redis does not confirm was said; the file must be closed properly, however long that takes
            match store.is_shared() {
                true => drop(timeout(CLOSED, closed).await),
                false => closed.await,
            }
        }
    }
}

/// All rows of the database, as a backup without files, in pieces.
pub enum Dump {
    /// From the store that was opened.
    Local(mpsc::Receiver<Bytes>),
    /// From a running server.
    Remote(Incoming, JoinHandle<hyper::Result<()>>),
}

impl Dump {
    /// The next piece; none at the end, which may come too early.
    pub async fn next(&mut self) -> Result<Option<Bytes>, AdminError> {
        match self {
            Self::Local(pieces) => Ok(pieces.recv().await),
            Self::Remote(body, _) => loop {
                match body.frame().await.transpose().map_err(|e| lost(&e))?.map(hyper::body::Frame::into_data) {
                    Some(Ok(piece)) => return Ok(Some(piece)),
                    // trailers, which the server does not send
                    Some(Err(_)) => {}
                    None => return Ok(None),
                }
            },
        }
    }
}

impl Drop for Dump {
    fn drop(&mut self) {
        if let Self::Remote(_, connection) = self {
            connection.abort();
        }
    }
}

fn lost(e: &dyn std::fmt::Display) -> AdminError {
    AdminError::new(ErrorCode::Storage, format!("the running server did not answer: {e}"))
}

pub(super) async fn remote(socket: &Path, method: &str, path: &str, body: Option<Value>) -> Result<Value, AdminError> {
    let (response, connection) = send(socket, method, path, body).await?;
    answered(response, connection).await
}

/// Sends a request; the answer comes over the connection.
pub(super) async fn send(
    socket: &Path,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Result<(Response<Incoming>, JoinHandle<hyper::Result<()>>), AdminError> {
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
    Ok((response, connection))
}

/// Reads an answer in JSON.
async fn answered(
    response: Response<Incoming>,
    connection: JoinHandle<hyper::Result<()>>,
) -> Result<Value, AdminError> {
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
