//! `kefu serve`: run the server.

use super::{context::Context, fail::Fail};
use std::net::SocketAddr;

/// Run the server
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Address to listen on, such as 0.0.0.0:8443
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Without TLS: for a proxy on the same machine, or a trial
    #[arg(long)]
    plain_http: bool,
    /// What people type to reach this server, such as https://chat.example.com
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Serve a page with a widget to try
    #[arg(long)]
    demo: bool,
}

impl Args {
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        let _ = ctx;
        Err(Fail::failure("not built yet"))
    }
}
