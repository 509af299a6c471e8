//! Webhooks of a server: made of the settings, run on the server that has the desk, and what `kefu webhook` asks.

mod row;
mod turn;

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context as _, anyhow, bail};
use futures_util::future::{BoxFuture, FutureExt as _};
use serde_json::{Value, json};

use super::tasks::Tasks;
use crate::{
    chat::{Chat, RequestError},
    config::{self, Config, WebhookEvent, WebhookKind, WebhookLanguage},
    crypto::{directory::Directory, sign::random},
    http::admin::Webhooks,
    notices::{
        Event, Language, Limits, Queue, Waits, Webhook,
        outbound::Outbound,
        webhook::{Kind, Names},
    },
    org::Org,
    proto::{ErrorCode, SiteId, TeamId},
    store::Store,
    telemetry::Metrics,
};
use row::Row;
pub(super) use row::Stored;
use turn::Turn;

/// Largest file with an address or a secret.
const FILE: u64 = 16 * 1024;

/// One webhook with its settings.
struct Hook {
    name: String,
    kind: WebhookKind,
    webhook: Webhook,
    limits: Limits,
    waits: Waits,
    sites: BTreeSet<SiteId>,
    /// Notices that wait, if this server has the desk.
    waiting: AtomicU64,
}

/// All webhooks.
pub(super) struct Notices {
    hooks: Vec<Arc<Hook>>,
    /// Names of others, and why they can't be used.
    unusable: Vec<(String, String)>,
    org: Arc<Org>,
    store: Arc<dyn Store>,
}

/// What a webhook's task works with.
#[derive(Clone)]
struct Parts {
    chat: Arc<Chat>,
    org: Arc<Org>,
    store: Arc<dyn Store>,
    metrics: Arc<Metrics>,
    hooks: Arc<Notices>,
}

impl Notices {
    /// Reads the files that the settings name.
    ///
    /// # Errors
    /// A sentence that names the webhook.
    pub fn new(config: &Config, org: &Arc<Org>, store: &Arc<dyn Store>) -> anyhow::Result<Arc<Self>> {
        let notices = Self::to_ask(config, org, store);
        match notices.unusable.first() {
            Some((name, why)) => bail!("kefu.toml: the webhook {name}: {why}"),
            None => Ok(notices),
        }
    }

    /// The same for commands, of which most have nothing to do with webhooks.
    pub fn to_ask(config: &Config, org: &Arc<Org>, store: &Arc<dyn Store>) -> Arc<Self> {
        let console = format!("{}/console", config.public_url());
        let (mut hooks, mut unusable) = (Vec::new(), Vec::new());
        for settings in &config.webhook {
            match hook(settings, &console) {
                Ok(hook) => hooks.push(Arc::new(hook)),
                Err(e) => unusable.push((settings.name.clone(), format!("{e:#}"))),
            }
        }
        Arc::new(Self { hooks, unusable, org: org.clone(), store: store.clone() })
    }

    /// Starts their tasks.
    pub fn start(self: &Arc<Self>, tasks: &mut Tasks, chat: &Arc<Chat>, metrics: &Arc<Metrics>) {
        for hook in &self.hooks {
            let parts = Parts {
                chat: chat.clone(),
                org: self.org.clone(),
                store: self.store.clone(),
                metrics: metrics.clone(),
                hooks: self.clone(),
            };
            tasks.spawn("webhook", run(hook.clone(), parts));
        }
    }

    fn waiting(&self) -> u64 {
        self.hooks.iter().map(|hook| hook.waiting.load(Ordering::Relaxed)).sum()
    }
}

/// Tells one webhook while this server has the desk. Never ends by itself.
async fn run(hook: Arc<Hook>, parts: Parts) {
    let mut leads = parts.chat.leads();
    // the sender lives as long as the server
    while leads.wait_for(|leads| *leads).await.is_ok() {
        tokio::select! {
            () = Turn::new(&hook, &parts).run() => {}
            _ = leads.wait_for(|leads| !leads) => {}
        }
        hook.waiting.store(0, Ordering::Relaxed);
    }
    std::future::pending::<()>().await;
}

fn hook(settings: &config::Webhook, console: &str) -> anyhow::Result<Hook> {
    let s = settings;
    let url = match s.url.as_str() {
        "" => line_of(&s.url_file)?,
        url => url.to_owned(),
    };
    let secret = (!s.secret_file.is_empty()).then(|| line_of(&s.secret_file)).transpose()?;
    let ca = (!s.ca.is_empty()).then_some(Path::new(&s.ca));
    let outbound = Outbound::new(ca, s.allow_private).with_context(|| match ca {
        Some(file) => format!("cannot use {} as certificates to trust", file.display()),
        None => "cannot use the certificates that this system trusts: name others in ca".to_owned(),
    })?;
    let kind = match s.kind {
        WebhookKind::Wecom => Kind::Wecom,
        WebhookKind::Dingtalk => Kind::Dingtalk,
        WebhookKind::Feishu => Kind::Feishu,
        WebhookKind::Generic => Kind::Generic,
    };
    let language = match s.language {
        WebhookLanguage::Zh => Language::Zh,
        WebhookLanguage::En => Language::En,
    };
    let webhook = Webhook::new(kind, &url, secret.as_deref(), language, console.to_owned(), outbound)
        .context("its address or its secret can't be used")?;
    let event = |event: &WebhookEvent| match event {
        WebhookEvent::Waiting => Event::Waiting,
        WebhookEvent::Nobody => Event::Nobody,
        WebhookEvent::Missed => Event::Missed,
    };
    Ok(Hook {
        name: s.name.clone(),
        kind: s.kind,
        webhook,
        limits: Limits { per_minute: s.per_minute, keep: s.keep },
        waits: Waits {
            events: s.events.iter().map(event).collect(),
            after_ms: u64::from(s.after_seconds) * 1_000,
            nobody_after_ms: u64::from(s.nobody_after_seconds) * 1_000,
            teams: ids::<TeamId>("teams", &s.teams)?,
        },
        sites: ids::<SiteId>("sites", &s.sites)?,
        waiting: AtomicU64::new(0),
    })
}

fn ids<T: std::str::FromStr<Err: std::fmt::Display> + Ord>(
    key: &str,
    texts: &BTreeSet<String>,
) -> anyhow::Result<BTreeSet<T>> {
    texts.iter().map(|text| text.parse().map_err(|e| anyhow!("{key}: {text}: {e}"))).collect()
}

/// The one line of a file.
fn line_of(file: &str) -> anyhow::Result<String> {
    let size = fs::metadata(file).with_context(|| format!("cannot read {file}"))?.len();
    if size > FILE {
        bail!("{file} has {size} bytes, which is no address or secret");
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    match text.trim() {
        "" => bail!("{file} is empty"),
        line if line.lines().count() > 1 => bail!("{file} has more than one line"),
        line => Ok(line.to_owned()),
    }
}

/// Names as the directory has them now.
struct Named(Arc<Directory>);

impl Names for Named {
    fn team(&self, team: &TeamId) -> String {
        self.0.state().teams.get(team).map_or_else(|| team.to_string(), |team| team.name.clone())
    }

    fn site(&self, site: &SiteId) -> String {
        self.0.site(site).map_or_else(|| site.to_string(), |site| site.name.clone())
    }
}

/// An id that no other message has.
fn message_id() -> String {
    data_encoding::HEXLOWER.encode(&random::<16>())
}

impl Webhooks for Notices {
    fn list(&self) -> BoxFuture<'_, Result<Value, RequestError>> {
        async {
            let mut list = Vec::new();
            for hook in &self.hooks {
                let Row { queue, told } = Stored::read(&*self.store, &hook.name).await?.row;
                let nobody = told.map(|told| told.nobody).unwrap_or_default();
                let (waiting, Queue { delivered, delivered_at, lost, failure, .. }) = (queue.waiting(), queue);
                list.push(json!({
                    "name": hook.name, "kind": hook.kind, "host": hook.webhook.host(),
                    "events": hook.waits.events, "teams": hook.waits.teams, "sites": hook.sites,
                    "waiting": waiting, "delivered": delivered, "delivered_at": delivered_at, "lost": lost, "failure": failure,
                    "nobody": nobody,
                }));
            }
            list.extend(self.unusable.iter().map(|(name, why)| json!({ "name": name, "failure": why })));
            Ok(json!(list))
        }
        .boxed()
    }

    fn test<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Value, RequestError>> {
        async move {
            if let Some((_, why)) = self.unusable.iter().find(|(known, _)| known == name) {
                return Err(RequestError::new(ErrorCode::Conflict, format!("the webhook {name} can't be used: {why}")));
            }
            let unknown =
                || RequestError::new(ErrorCode::NotFound, "there is no such webhook; kefu webhook list names all");
            let hook = self.hooks.iter().find(|hook| hook.name == name).ok_or_else(unknown)?;
            let (id, now) = (message_id(), self.org.now_ms());
            match hook.webhook.test(&id, now).await {
                Ok(()) => Ok(json!({ "name": name, "host": hook.webhook.host(), "id": id })),
                Err(failure) => {
                    let text = format!("the webhook {name} ({}) failed: {}", hook.webhook.host(), failure.why);
                    Err(RequestError::new(ErrorCode::Conflict, text))
                }
            }
        }
        .boxed()
    }
}
