//! The join to the composition root: the admin router, asked over the socket of a running server or in process.

use std::{io, time::Duration};

use bytes::{Buf as _, Bytes};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    context::Context,
    data_dir,
    error::{CliError, Kind},
};
use crate::{
    app::{Admin, AdminError, Dump},
    org::{AdminView, Commit},
    proto::ErrorCode,
};

/// A connection to the admin router with the small runtime it needs.
pub struct AdminClient {
    runtime: Runtime,
    admin: Admin,
}

impl AdminClient {
    /// Connects to the running server, or opens the store if none runs.
    pub fn open(ctx: &Context) -> Result<Self, CliError> {
        data_dir::require_initialised(&ctx.data_dir)?;
        let config = ctx.load_config()?;
        let runtime = runtime()?;
        let mut tries = 0;
        loop {
            match runtime.block_on(Admin::connect(&ctx.data_dir, &config)) {
                Ok(admin) => return Ok(Self { runtime, admin }),
                Err(e) if in_use(&e) && tries < PATIENCE => tries += 1,
                Err(e) => return Err(e.into()),
            }
            runtime.block_on(async { tokio::time::sleep(PAUSE).await });
        }
    }

    /// Sends one request and returns the answer.
    pub fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, CliError> {
        Ok(self.runtime.block_on(self.admin.call(method, path, body))?)
    }

    /// The directory's log and what is listed in addition; nothing is verified yet.
    pub fn export(&self) -> Result<AdminView, CliError> {
        Ok(serde_json::from_value(self.call("GET", "/admin/export", None)?)?)
    }

    /// Sends a signed change of the directory.
    pub fn commit(&self, commit: &Commit) -> Result<(), CliError> {
        self.call("POST", "/admin/commit", Some(serde_json::to_value(commit)?)).map(drop)
    }

    /// Whether a server is running.
    pub fn is_remote(&self) -> bool {
        matches!(self.admin, Admin::Remote(_))
    }

    /// All rows of the database, as a backup without files.
    pub fn dump(&self) -> Result<DumpReader<'_>, CliError> {
        let dump = self.runtime.block_on(self.admin.dump())?;
        Ok(DumpReader { runtime: &self.runtime, dump, piece: Bytes::new() })
    }

    /// Closes the store, if it was opened.
    pub fn close(self) {
        self.runtime.block_on(self.admin.close());
    }
}

/// A dump while it comes.
pub struct DumpReader<'a> {
    runtime: &'a Runtime,
    dump: Dump,
    /// What came and was not read yet.
    piece: Bytes,
}

impl io::Read for DumpReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() {
            let next = self.runtime.block_on(self.dump.next()).map_err(|e| io::Error::other(e.to_string()))?;
            self.piece = next.unwrap_or_default();
        }
        let read = self.piece.len().min(into.len());
        self.piece.copy_to_slice(&mut into[..read]);
        Ok(read)
    }
}

/// Number of attempts: another command may have the database briefly, and a starting server opens its socket soon.
const PATIENCE: u32 = 30;
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(100);

fn in_use(e: &AdminError) -> bool {
    matches!(e, AdminError::Open(e) if e.is_database_in_use())
}

/// A runtime for a few requests.
pub fn runtime() -> Result<Runtime, CliError> {
    let built = tokio::runtime::Builder::new_current_thread().enable_all().build();
    built.map_err(|e| CliError::failure(format!("cannot start: {e}")))
}

impl From<AdminError> for CliError {
    /// The router's error, with what to do about it.
    fn from(e: AdminError) -> Self {
        let (kind, next) = match &e {
            AdminError::Open(e) if e.is_database_in_use() => {
                (Kind::Conflict, Some("another kefu process is using it: try again when it has finished"))
            }
            AdminError::Open(e) => (Kind::Failure, e.hint().or(Some(LOOK))),
            AdminError::Refused { code: ErrorCode::Conflict, .. } => {
                (Kind::Conflict, Some("the directory was changed at the same time: try again"))
            }
            AdminError::Refused { code: ErrorCode::Storage, .. } => (Kind::Failure, Some(LOOK)),
            AdminError::Refused { .. } => (Kind::Failure, None),
        };
        let fail = Self::new(kind, e.to_string());
        match next {
            Some(next) => fail.hint(next),
            None => fail,
        }
    }
}

/// What to do where only a look at the machine helps.
const LOOK: &str = "kefu doctor looks at disk and permissions";
