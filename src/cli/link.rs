//! The join to the composition root: the admin router, asked over the socket of a running server or in process.

use std::path::Path;

use serde_json::Value;
use tokio::runtime::Runtime;

use super::{
    context::Context,
    data_dir,
    fail::{Fail, Kind},
};
use crate::proto::ErrorCode;

/// A connection to the admin router with the small runtime it needs.
pub struct Office {
    runtime: Runtime,
    admin: Admin,
}

impl Office {
    /// Connects to the running server, or opens the store if none runs.
    pub fn open(ctx: &Context) -> Result<Self, Fail> {
        data_dir::require_initialised(&ctx.data_dir)?;
        Self::open_unchecked(&ctx.data_dir)
    }

    /// The same for a directory that is just being made.
    pub fn open_unchecked(dir: &Path) -> Result<Self, Fail> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Fail::failure(format!("cannot start: {e}")))?;
        let admin = runtime.block_on(Admin::connect(dir)).map_err(|e| in_words(&e))?;
        Ok(Self { runtime, admin })
    }

    /// One request.
    pub fn call(&self, method: &str, path: &str, body: Option<Value>) -> Result<Value, Fail> {
        self.runtime.block_on(self.admin.call(method, path, body)).map_err(|e| in_words(&e))
    }
}

fn in_words(e: &AdminError) -> Fail {
    let kind = match e.code {
        ErrorCode::Conflict => Kind::Conflict,
        _ => Kind::Failure,
    };
    let fail = Fail::new(kind, e.text.clone());
    match e.code {
        ErrorCode::Conflict => fail.next("somebody else changed the directory at the same moment: try again"),
        ErrorCode::Storage => fail.next("kefu doctor looks at disk and permissions"),
        _ => fail,
    }
}

// Until `app` has them.
pub struct Admin;
#[derive(Debug)]
pub struct AdminError {
    pub code: ErrorCode,
    pub text: String,
}
impl Admin {
    pub async fn connect(_: &Path) -> Result<Self, AdminError> {
        Err(AdminError { code: ErrorCode::Unsupported, text: "app is not joined yet".into() })
    }
    pub async fn call(&self, _: &str, _: &str, _: Option<Value>) -> Result<Value, AdminError> {
        Err(AdminError { code: ErrorCode::Unsupported, text: "app is not joined yet".into() })
    }
}
