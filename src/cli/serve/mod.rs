//! `kefu serve`: run the server until a signal comes.

mod signals;
mod systemd;

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    clock,
    context::Context,
    data_dir::{self, TLS},
    error::{CliError, Kind},
    keys::keep_memory_private,
    lock, out,
    verified_directory::VerifiedDirectory,
};
use crate::{
    app::{self, Admin, Ready, ServeError, ServeOptions},
    config::Config,
    robot::{
        engine::{LazyEngine, RobotFiles, SiteKnowledgeCache},
        policy::Policy,
    },
    telemetry::log,
    tls::{self, Kept},
};

/// Run the server
#[derive(Debug, clap::Args)]
#[command(after_help = "SIGTERM and Ctrl-C stop it gracefully; a second one stops it immediately.")]
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

/// How often it is asked whether our own certificate is due.
const RENEWAL: Duration = Duration::from_hours(6);
/// Between two looks at the clock.
const CLOCK_LOOK: Duration = Duration::from_secs(30);

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), CliError> {
        // a configuration file named explicitly is a better hint than the default directory
        let named = ctx.config_file.as_ref().map(|_| ctx.load_config_with(self.overrides())).transpose()?;
        data_dir::require_initialised(&ctx.data_dir)?;
        data_dir::check_private(&ctx.data_dir)?;
        let listener = systemd::listener()?;
        let mut config = named.map_or_else(|| ctx.load_config_with(self.overrides()), Ok)?;
        if config.robot.key_dir.is_empty() && config.robot.day_key_dir.is_empty() {
            config.robot.day_key_dir = systemd::runtime_directory().unwrap_or_default();
        }
        start_log(&config)?;
        // keys of the robot and of its epochs, secrets of the passwords
        keep_memory_private();
        let lock = lock::take(&ctx.data_dir)?;
        if own_certificate(&config) {
            keep_certificate(&ctx.file(TLS));
        }
        let runtime = app::runtime();
        let runtime = runtime.map_err(|e| CliError::failure(format!("cannot start: {e}")))?;
        let served = runtime.block_on(serve(ctx, config, listener));
        // a task that hangs in a system call must not keep the process
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        drop(lock);
        Ok(served?)
    }

    fn overrides(&self) -> Vec<(String, String)> {
        let mut set = Vec::new();
        let mut put = |key: &str, value: String| set.push((key.to_owned(), value));
        if let Some(listen) = self.listen {
            put("server.listen", listen.to_string());
        }
        if let Some(url) = &self.public_url {
            put("server.public_url", url.clone());
        }
        if self.plain_http {
            put("server.plain_http", "true".into());
        }
        if self.demo {
            put("server.demo", "true".into());
        }
        set
    }
}

async fn serve(ctx: &Context, config: Config, listener: Option<TcpListener>) -> Result<(), ServeError> {
    let shutdown = signals::shutdown().map_err(anyhow::Error::from)?;
    let (data_dir, json) = (ctx.data_dir.clone(), ctx.json);
    let renewal = own_certificate(&config).then(|| ctx.file(TLS));
    let clock = warn_of_clock(data_dir.clone(), config.clone());
    let policy = Policy::new(&config.robot).map_err(|e| anyhow::anyhow!("{e}"))?;
    let files = RobotFiles::of(&data_dir);
    let knowledge = Arc::new(SiteKnowledgeCache::new(files.clone(), policy.clone()));
    let engine = Arc::new(LazyEngine::new(files, policy));
    let options = ServeOptions {
        data_dir,
        config,
        listener,
        engine: Some(engine),
        knowledge: Some(knowledge),
        patience: Default::default(),
    };
    let served = Box::pin(app::serve(options, shutdown, move |ready| {
        announce(ready, json);
        systemd::ready();
        tokio::spawn(clock);
        if let Some(tls) = renewal {
            tokio::spawn(keep_certificates(tls));
        }
    }))
    .await;
    systemd::stopped();
    served
}

fn announce(ready: &Ready, json: bool) {
    if json {
        // one line, so that the parent process can wait for it
        let value = serde_json::json!({"listen": ready.listen.to_string(), "public_url": ready.public_url});
        out::line(value.to_string());
    } else {
        out::line(format!("kefu listens on {}", ready.listen));
        out::line(format!("console      {}/", ready.public_url));
    }
}

fn start_log(config: &Config) -> Result<(), CliError> {
    let format = config.log.format.as_str().parse::<log::Format>();
    format.and_then(|format| log::init(config.log.level.as_str(), format)).map_err(|e| CliError::failure(e.to_string()))
}

fn own_certificate(config: &Config) -> bool {
    !config.server.plain_http && config.tls.cert.is_empty()
}

/// Makes our own server certificate again in time, and what is wrong with it whole. That it can't be done is no reason not to
/// serve with what is there.
fn keep_certificate(tls: &Path) {
    match tls::keep(tls, out::now_ms()) {
        Ok(Kept::Nothing) => {}
        Ok(Kept::Renewed) => tracing::info!("the server's own certificate was renewed"),
        Ok(Kept::Healed(why)) => {
            tracing::warn!("{why}: a new certificate and key were made under the same authority");
        }
        Err(e) => tracing::error!("the server's own certificate could not be renewed: {e}"),
    }
}

/// The same for as long as the server runs, which takes what is new by itself.
async fn keep_certificates(tls: PathBuf) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let tls = tls.clone();
        if let Err(e) = tokio::task::spawn_blocking(move || keep_certificate(&tls)).await {
            tracing::error!(error = %e, "the server's own certificate could not be checked");
        }
    }
}

/// A wrong clock makes invites and snapshots look expired; it is reported at the start and when it jumps. Never
/// ends by itself.
async fn warn_of_clock(data_dir: PathBuf, config: Config) {
    let newest = async {
        let admin = Admin::connect(&data_dir, &config).await.ok()?;
        let view = admin.call("GET", "/admin/export", None).await.ok()?;
        VerifiedDirectory::newest_entry_ms(&serde_json::from_value(view).ok()?)
    };
    if let Some(what) = clock::never_set(out::now_ms()).or(clock::behind(newest.await, out::now_ms())) {
        tracing::warn!("{what}: invites and snapshots depend on it; {}", clock::NEXT);
    }
    let begin = Instant::now();
    let mut watch = clock::Watch::new(out::now_ms(), begin.elapsed());
    loop {
        tokio::time::sleep(CLOCK_LOOK).await;
        if let Some(what) = watch.look(out::now_ms(), begin.elapsed()) {
            tracing::warn!("{what}");
        }
    }
}

impl From<ServeError> for CliError {
    fn from(e: ServeError) -> Self {
        let kind = if e.is_taken() { Kind::Conflict } else { Kind::Failure };
        Self::new(kind, e.to_string()).hint(e.hint().unwrap_or("kefu doctor looks for problems"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_has_a_line_of_its_own() {
        let fail = CliError::from(ServeError::AddressTaken("0.0.0.0:8443".parse().unwrap()));
        assert_eq!((fail.kind, fail.what.as_str()), (Kind::Conflict, "0.0.0.0:8443 is taken by another program"));
        assert_eq!(fail.hint.as_deref(), Some("stop it, or choose another address with --listen"));
    }
}
