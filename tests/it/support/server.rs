//! The whole server in this process, on a port of its own.

use std::{net::SocketAddr, path::Path, sync::Arc};

use kefu::{
    app::{self, ServeError, ServeOptions},
    config::{Config, Limits},
    http::Patience,
    robot::engine::DecisionEngine,
    robot::engine::{RobotFiles, SiteKnowledgeCache},
    robot::policy::Policy,
};
use kefu_s3::testing::{BUCKET, S3Server};
use tokio::{sync::oneshot, task::JoinHandle};

use super::company::Company;

/// A configuration without TLS whose limits no test meets by accident.
pub fn config() -> Config {
    let mut config = Config::default();
    config.server.listen = ([127, 0, 0, 1], 0).into();
    config.server.plain_http = true;
    config.server.connections_per_address = 10_000;
    config.storage.cache_mb = 8;
    config.limits = Limits::none();
    config
}

/// The same with files in a bucket.
pub fn in_bucket(mut config: Config, s3: &S3Server) -> Config {
    config.storage.blobs = format!("s3://{BUCKET}/files/of/tests");
    config.storage.s3_endpoint = s3.endpoint();
    config.storage.s3_key_file = s3.key_file().display().to_string();
    config
}

/// A running server; dropped, it is told to stop.
pub struct Server {
    /// Where it listens.
    pub addr: SocketAddr,
    /// The company it serves.
    pub company: Arc<Company>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    /// A new company and its server.
    pub async fn new() -> Self {
        Self::start(&Company::found().await, config()).await
    }

    /// Serves a company that exists.
    pub async fn start(company: &Arc<Company>, config: Config) -> Self {
        Self::start_with(company, config, None).await
    }

    /// The same with a robot that can think.
    pub async fn start_with(company: &Arc<Company>, config: Config, engine: Option<Arc<dyn DecisionEngine>>) -> Self {
        Self::start_as(company, company.path(), config, engine, Patience::default()).await
    }

    /// Another server of a company, with a data directory of its own.
    pub async fn start_beside(company: &Arc<Company>, dir: &Path, config: Config) -> Self {
        Self::start_beside_with(company, dir, config, None).await
    }

    /// The same with a robot that can think.
    pub async fn start_beside_with(
        company: &Arc<Company>,
        dir: &Path,
        config: Config,
        engine: Option<Arc<dyn DecisionEngine>>,
    ) -> Self {
        Self::start_as(company, dir, config, engine, Patience::default()).await
    }

    /// The same with less patience, or more.
    pub async fn start_patient(company: &Arc<Company>, config: Config, patience: Patience) -> Self {
        Self::start_as(company, company.path(), config, None, patience).await
    }

    async fn start_as(
        company: &Arc<Company>,
        dir: &Path,
        config: Config,
        engine: Option<Arc<dyn DecisionEngine>>,
        patience: Patience,
    ) -> Self {
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = oneshot::channel();
        let options = ServeOptions {
            data_dir: dir.to_owned(),
            knowledge: Some(Arc::new(SiteKnowledgeCache::new(
                RobotFiles::of(dir),
                Policy::new(&config.robot).unwrap(),
            ))),
            config,
            listener: None,
            engine,
            patience,
        };
        let shutdown = async {
            let _ = stopped.await;
        };
        let task = tokio::spawn(async move {
            app::serve(options, shutdown, |r| {
                let _ = ready.send(r.listen);
            })
            .await
        });
        match address.await {
            Ok(addr) => Self { addr, company: company.clone(), stop: Some(stop), task },
            Err(_) => panic!("the server did not start: {:?}", task.await),
        }
    }

    /// Tells it to stop; [`Server::stopped`] waits for the end.
    pub fn begin_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until everything is on disk and the database closed.
    pub async fn stopped(mut self) -> Arc<Company> {
        self.begin_stop();
        self.task.await.unwrap().unwrap();
        self.company
    }
}
