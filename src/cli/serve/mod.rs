//! `kefu serve`: run the server until a signal comes.

mod signals;
mod systemd;

use std::{
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    company::Company,
    context::Context,
    data_dir::{self, TLS},
    fail::{Fail, Kind},
    keys::keep_memory_private,
    lock, out, tls,
};
use crate::{
    app::{self, Admin, Ready, ServeOptions},
    bot::Policy,
    chat::{Library, robot::Mind},
    config::Config,
    obs::log,
    understanding::{Files, ServerMind, Shelves},
};

/// Run the server
#[derive(Debug, clap::Args)]
#[command(after_help = "SIGTERM and Ctrl-C stop it gracefully; a second one stops it at once.")]
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

/// Our own certificate is made again when it has less than this left, ms: 30 days.
const RENEW_MS: u64 = 30 * 86_400_000;
/// Clocks of signers and servers may differ by this, ms.
const CLOCK_MS: u64 = 5 * 60_000;

impl Args {
    /// Runs the command.
    pub fn run(self, ctx: &Context) -> Result<(), Fail> {
        data_dir::require_initialised(&ctx.data_dir)?;
        data_dir::check_private(&ctx.data_dir)?;
        let listener = systemd::listener()?;
        let mut config = ctx.load_config_with(self.overrides())?;
        if config.robot.key_dir.is_empty() && config.robot.day_key_dir.is_empty() {
            config.robot.day_key_dir = systemd::runtime_directory().unwrap_or_default();
        }
        start_log(&config)?;
        // keys of the robot and of its epochs, secrets of the passwords
        keep_memory_private();
        let lock = lock::take(&ctx.data_dir)?;
        if !config.server.plain_http && config.tls.cert.is_empty() {
            renew_own_certificate(&ctx.file(TLS), out::now_ms())?;
        }
        let runtime = app::runtime();
        let runtime = runtime.map_err(|e| Fail::failure(format!("cannot start: {e}")))?;
        let served = runtime.block_on(serve(ctx, config, listener));
        // a task that hangs in a system call must not keep the process
        runtime.shutdown_timeout(std::time::Duration::from_secs(2));
        drop(lock);
        served.map_err(|e| in_words(&e))
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

async fn serve(ctx: &Context, config: Config, listener: Option<TcpListener>) -> anyhow::Result<()> {
    let shutdown = signals::shutdown()?;
    let (data_dir, json) = (ctx.data_dir.clone(), ctx.json);
    let clock = warn_of_clock(data_dir.clone(), config.clone());
    let policy = Policy::new(&config.robot).map_err(|e| anyhow::anyhow!("{e}"))?;
    let library: Arc<dyn Library> = Arc::new(Shelves::new(Files::of(&data_dir), policy.clone()));
    let mind: Arc<dyn Mind> = Arc::new(ServerMind::new(Files::of(&data_dir), policy));
    let options = ServeOptions {
        data_dir,
        config,
        listener,
        mind: Some(mind),
        library: Some(library),
        patience: Default::default(),
    };
    let served = app::serve(options, shutdown, move |ready| {
        announce(ready, json);
        systemd::ready();
        tokio::spawn(clock);
    })
    .await;
    systemd::stopped();
    served
}

fn announce(ready: &Ready, json: bool) {
    if json {
        // one line, so that whoever started us can wait for it
        let value = serde_json::json!({"listen": ready.listen.to_string(), "public_url": ready.public_url});
        out::line(value.to_string());
    } else {
        out::line(format!("kefu listens on {}", ready.listen));
        out::line(format!("console      {}/", ready.public_url));
    }
}

fn start_log(config: &Config) -> Result<(), Fail> {
    let format = config.log.format.as_str().parse::<log::Format>();
    format.and_then(|format| log::init(config.log.level.as_str(), format)).map_err(|e| Fail::failure(e.to_string()))
}

/// Makes our own server certificate again in time; one that somebody brought is left alone.
fn renew_own_certificate(dir: &Path, now_ms: u64) -> Result<(), Fail> {
    if !dir.join(tls::CA_KEY).exists() {
        return Ok(());
    }
    let left = tls::good_until(&dir.join(tls::CERT)).map(|until| until.saturating_sub(now_ms));
    match left {
        Ok(left) if left > RENEW_MS => Ok(()),
        _ => {
            tls::renew(dir, None, now_ms)?;
            tracing::info!("the server's own certificate was renewed");
            Ok(())
        }
    }
}

/// A clock behind the newest entry of the directory makes invites and snapshots seem wrong; somebody should know.
async fn warn_of_clock(data_dir: PathBuf, config: Config) {
    let newest = async {
        let admin = Admin::connect(&data_dir, &config).await.ok()?;
        let view = admin.call("GET", "/admin/export", None).await.ok()?;
        Company::newest_entry_ms(&serde_json::from_value(view).ok()?)
    };
    if let Some(at) = newest.await
        && at > out::now_ms() + CLOCK_MS
    {
        let behind = out::duration(at - out::now_ms());
        tracing::warn!("this machine's clock is {behind} behind the newest directory entry: set the clock");
    }
}

fn in_words(e: &anyhow::Error) -> Fail {
    let text = format!("{e:#}");
    // app says what to do in the same sentence
    let (what, next) = text.split_once("; ").map_or((text.as_str(), None), |(what, next)| (what, Some(next)));
    let kind = if what.contains("is taken by") || what.contains("in use") { Kind::Conflict } else { Kind::Failure };
    let fail = Fail::new(kind, what);
    fail.next(next.unwrap_or("kefu doctor looks for what is wrong"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_certificate_is_renewed_and_only_in_time() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = tmp.path().join("tls");
        let now = out::now_ms();
        renew_own_certificate(&dir, now).unwrap();
        assert!(!dir.exists());
        tls::make(&dir, &["localhost".into()], now).unwrap();
        let before = std::fs::read(dir.join(tls::CERT)).unwrap();
        renew_own_certificate(&dir, now).unwrap();
        assert_eq!(std::fs::read(dir.join(tls::CERT)).unwrap(), before);
        renew_own_certificate(&dir, tls::good_until(&dir.join(tls::CERT)).unwrap() - RENEW_MS + 1).unwrap();
        assert_ne!(std::fs::read(dir.join(tls::CERT)).unwrap(), before);
    }

    #[test]
    fn what_app_says_becomes_two_lines() {
        let fail = in_words(&anyhow::anyhow!("0.0.0.0:8443 is taken by another program; stop it"));
        assert_eq!((fail.kind, fail.next.as_deref()), (Kind::Conflict, Some("stop it")));
    }
}
