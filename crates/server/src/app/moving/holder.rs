//! Who has the database file of a company that is moved: this process, or a running server, which is asked over its socket.

use std::{path::PathBuf, sync::Arc};

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use bytes::Bytes;

use super::{MoveError, already_moving, session::FileMove};
use crate::{
    app::{
        AdminError,
        admin_client::{remote, send},
    },
    http::admin::Moving as _,
    proto::ErrorCode,
    store::{Store as _, redb::RedbStore},
};

/// Pieces of a dump that wait for the one who takes them.
const WAITING: usize = 4;

/// Who has the file.
#[derive(Clone)]
pub(super) enum Holder {
    /// This process.
    This(Arc<FileMove>, Arc<RedbStore>),
    /// A server, by its socket.
    Server(PathBuf),
}

impl Holder {
    /// Does a step of a move (see [`FileMove`]).
    pub async fn step(&self, step: &str, token: &str, to: &str) -> Result<Value, MoveError> {
        let done = match self {
            Self::This(file, _) => file.step(step, token, to).await.map_err(AdminError::from),
            Self::Server(socket) => {
                let body = json!({ "session": token, "to": to });
                remote(socket, "POST", &format!("/admin/move/{step}"), Some(body)).await
            }
        };
        done.map_err(|e| match e {
            AdminError::Refused { code: ErrorCode::Conflict, .. } if step == "begin" => already_moving(),
            e => anyhow::anyhow!("{e}").into(),
        })
    }

    /// A dump, in pieces: of everything, or of what changed.
    pub async fn pieces(&self, token: &str, all: bool) -> Result<mpsc::Receiver<Bytes>, MoveError> {
        let socket = match self {
            Self::This(file, _) => {
                return file.rows(token, all).await.map_err(|e| anyhow::anyhow!("{}", e.text).into());
            }
            Self::Server(socket) => socket,
        };
        let path = format!("/admin/move/{}/{token}", if all { "all" } else { "changes" });
        let failed = |what: String| MoveError::from(anyhow::anyhow!(what));
        let (response, connection) = send(socket, "GET", &path, None).await.map_err(|e| failed(e.to_string()))?;
        let (there, mut body) = (response.status().is_success(), response.into_body());
        if !there {
            let said = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
            let said: Value = serde_json::from_slice(&said).unwrap_or_default();
            return Err(failed(said["text"].as_str().unwrap_or("the server refused to read its database").to_owned()));
        }
        let (pieces, received) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            // a dump says at its end that it is complete: what is lost on the way is missed there
            while let Some(Ok(frame)) = body.frame().await {
                if let Ok(piece) = frame.into_data()
                    && pieces.send(piece).await.is_err()
                {
                    break;
                }
            }
            connection.abort();
        });
        Ok(received)
    }

    /// Closes the file, if this process has it.
    pub async fn close(self) {
        if let Self::This(_, store) = self {
            store.close().await;
        }
    }
}
