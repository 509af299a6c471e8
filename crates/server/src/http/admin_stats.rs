//! What the admin router says for `kefu stats`: of the company, and what its servers counted, together or one of them.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    chat::{Figures, RequestError},
    proto::ErrorCode,
};

use super::admin::{Admin, Running, Servers};

/// How long the desk may take to answer.
const DESK: Duration = Duration::from_secs(1);

impl Admin {
    /// `stats`: what all servers of the company counted that answer; `stats/<server>`: what one did, by its name in
    /// `kefu node list`, by the beginning of that, or by its address.
    pub(super) async fn stats(&self, server: Option<&str>) -> Result<Value, RequestError> {
        let storage = (self.storage)();
        let mut stats = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "running": self.running.is_some(),
            "org": self.org.fp().to_string(),
            "storage_bytes": storage["bytes"],
            "storage": storage,
            "missed": (self.missed)().await?,
            "webhooks": self.webhooks.list().await?,
            "directory": { "seq": self.org.directory().seq(), "fresh_until": self.org.freshness().good_until() },
        });
        let Some(running) = &self.running else {
            let nobody = || {
                let text = "no kefu serves here, and only a server can ask the others: run this where one runs";
                RequestError::new(ErrorCode::NotFound, text)
            };
            return server.map_or(Ok(stats), |_| Err(nobody()));
        };
        stats["uptime_seconds"] = running.since.elapsed().as_secs().into();
        stats["listen"] = running.listen.clone().into();
        let figures = match (&running.servers, server) {
            (None, None) => {
                stats["desk"] = json!(running.chat.desk_snapshot().await);
                running.chat.figures()
            }
            (None, Some(_)) => {
                let text = "this company has one server: leave the name out";
                return Err(RequestError::new(ErrorCode::Conflict, text));
            }
            (Some(servers), name) => {
                // it may be on a server that does not answer
                let desk = timeout(DESK, running.chat.desk_snapshot());
                let servers = &**servers;
                let figures = async {
                    match name {
                        None => Ok(of_all(running, servers, &mut stats).await),
                        Some(name) => of_one(running, servers, name, &mut stats).await,
                    }
                };
                let (desk, figures) = tokio::join!(desk, figures);
                stats["desk"] = json!(desk.ok().flatten());
                figures?
            }
        };
        stats["connections"] = figures.connections.into();
        stats["limited"] = json!(figures.limited);
        stats["robot"] = json!(figures.robot);
        stats["metrics"] = json!(figures.tally.snapshot());
        Ok(stats)
    }
}

/// Adds up what the servers say, and notes which did.
async fn of_all(running: &Running, servers: &dyn Servers, stats: &mut Value) -> Figures {
    let (mut sum, mut list) = (running.chat.figures(), servers.list());
    let answers = servers.figures(None).await;
    answers.iter().filter_map(|(_, figures)| figures.as_ref()).for_each(|figures| sum.add(figures));
    let this = list["this"].clone();
    for server in list["servers"].as_array_mut().into_iter().flatten() {
        let answered = |(name, figures): &(String, Option<Figures>)| server["node"] == **name && figures.is_some();
        server["answered"] = (server["node"] == this || answers.iter().any(answered)).into();
    }
    stats["servers"] = list;
    sum
}

/// What one server counted.
async fn of_one(
    running: &Running,
    servers: &dyn Servers,
    name: &str,
    stats: &mut Value,
) -> Result<Figures, RequestError> {
    let list = servers.list();
    let is_meant = |server: &&Value| {
        let text = |key: &str| server[key].as_str().unwrap_or_default();
        !name.is_empty() && (text("node").starts_with(name) || text("listen") == name)
    };
    let mut found = list["servers"].as_array().into_iter().flatten().filter(is_meant);
    let refused = |code, text: String| Err(RequestError::new(code, text));
    let (server, more) = (found.next(), found.next());
    let Some(server) = server else {
        return refused(ErrorCode::NotFound, format!("no server is called {name}: kefu node list shows them"));
    };
    if more.is_some() {
        return refused(ErrorCode::Conflict, format!("{name} means several servers: kefu node list shows their names"));
    }
    let node = server["node"].as_str().unwrap_or_default();
    let figures = if list["this"] == node {
        running.chat.figures()
    } else {
        let answer = servers.figures(Some(node)).await.into_iter().find_map(|(_, figures)| figures);
        let Some(figures) = answer else {
            let text =
                format!("the server {node} on {} does not answer", server["listen"].as_str().unwrap_or_default());
            return refused(ErrorCode::Conflict, text);
        };
        stats["uptime_seconds"] = figures.tally.snapshot().uptime_seconds.into();
        figures
    };
    stats["version"] = server["version"].clone();
    stats["listen"] = server["listen"].clone();
    stats["server"] = node.into();
    Ok(figures)
}
