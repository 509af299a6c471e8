//! The edges: accept, TLS, routes, upgrade, socket sessions, embedded pages, the admin socket.
//!
//! HTTP is bare hyper; a WebSocket is one task that owns its stream and nothing else. What a request means is decided in
//! `chat` and `org`; this module turns bytes into calls and answers into bytes.

pub mod admin;
mod admin_handling;
mod admin_stats;
mod admit;
mod answer;
mod api;
pub mod assets;
mod bounds;
mod detached;
mod frame;
mod frame_rate;
mod listen;
mod plain;
mod progress;
mod route;
mod session;
mod socket_kind;
mod stream;
mod strict;
mod token;
mod upgrade;
mod websocket;

use std::sync::Arc;

use crate::{
    chat::{Chat, KnowledgeSource},
    config::Config,
    documents::Documents,
    org::{Org, widgets::Widgets},
    telemetry::Metrics,
};

pub use api::{PushRequest, Pushes};
pub use bounds::{Bounds, Patience};
pub use listen::serve;
pub use strict::Strict;
pub use token::Tokens;

/// What every request may need.
pub struct Http {
    /// Access to conversations.
    pub chat: Arc<Chat>,
    /// The key directory and accounts.
    pub org: Arc<Org>,
    /// Versions of the widget.
    pub widgets: Arc<Widgets>,
    /// What the company keeps beside conversations.
    pub documents: Arc<Documents>,
    /// The knowledge, for agents.
    pub knowledge: Option<Arc<dyn KnowledgeSource>>,
    /// Pushes to closed consoles, if they are switched on.
    pub push: Option<Arc<dyn Pushes>>,
    /// The configuration.
    pub config: Arc<Config>,
    /// Counters and histograms.
    pub metrics: Arc<Metrics>,
    /// Proofs of identity for HTTP.
    pub tokens: Tokens,
    /// How much clients may hold at once.
    pub bounds: Bounds,
    /// Whether connections come over TLS.
    pub secure: bool,
    /// Value of `Strict-Transport-Security`, if it is sent.
    pub strict: Option<Strict>,
    /// Bearer token for `/metrics`.
    pub metrics_token: String,
    /// Where people reach the server, without a trailing slash.
    pub public_url: String,
    /// Whether clients should come here.
    pub serving: tokio::sync::watch::Receiver<bool>,
    /// Held until the last session is gone.
    pub alive: tokio::sync::mpsc::Sender<()>,
}
