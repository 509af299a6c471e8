//! Moving a company from a file to Redis, back, or from one Redis to another, while no server runs.
//!
//! The order makes any interruption harmless: what is copied bears a mark until the source bears one that it was left, and the
//! source is left only after the copy was read back and is the same. So at every moment one of the two can be served, never both;
//! run again, the same command begins anew or does what is left.

mod file;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use kefu_redis_link::{Link, Url};

use self::file::{beside, first_entry, open_file, remove, remove_beside};
use super::{
    copy::{Source, Sum, Target},
    open::make_cluster_key,
    shared_robot::{carry, to_files, to_servers},
    storage::{MOVED, connect_redis, database_path, moved_to, open_redis, redis_options},
};
use crate::{
    clock::now_ms,
    config::Config,
    store::{
        Batch, Op, Store as _, StoreError, Table,
        archive::Header,
        redis::{Found, Options as RedisOptions, RawDatabase, Resident},
        write,
    },
};

/// A server says that it is there every two seconds.
const BEATS: Duration = Duration::from_millis(4_500);
/// The schema version of what is read from an open store.
const SCHEMA: u32 = crate::store::SCHEMA_VERSION;

/// Why a company was not moved, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct MoveError {
    /// What happened.
    pub what: String,
    /// What to do next.
    pub next: String,
}

impl From<anyhow::Error> for MoveError {
    fn from(e: anyhow::Error) -> Self {
        refusal(format!("{e:#}"), "the company is still where it was; correct this and run the same command again")
    }
}

impl From<StoreError> for MoveError {
    fn from(e: StoreError) -> Self {
        anyhow::Error::from(e).into()
    }
}

fn refusal(what: impl Into<String>, next: impl Into<String>) -> MoveError {
    MoveError { what: what.into(), next: next.into() }
}

/// What was done.
#[derive(Debug)]
pub struct Moved {
    /// What was read and written; none if an earlier try had done so.
    pub sum: Option<Sum>,
    /// Where it is now, without a password.
    pub to: String,
    /// Whether this server got its `cluster.key`.
    pub made_cluster_key: bool,
}

/// The places of a move.
pub struct Move<'a> {
    /// The data directory; nobody else uses it.
    pub dir: &'a Path,
    /// Names where the company is.
    pub source: &'a Config,
    /// Names where it shall be.
    pub target: &'a Config,
}

/// What the target is.
enum Ground {
    /// Nothing is there, or what may be replaced.
    Free,
    /// The source says that it was left for this place.
    Left,
}

impl Move<'_> {
    /// Moves the company, or with `dry_run` only looks whether that can be done, and reads everything once.
    ///
    /// # Errors
    /// A server runs, the target holds something else, or something can't be read or written. The source is served as before,
    /// unless the text says something else.
    pub async fn run(&self, dry_run: bool) -> Result<Moved, MoveError> {
        let (from, to) = (self.name(self.source)?, self.name(self.target)?);
        if from == to && self.source.storage.prefix == self.target.storage.prefix {
            return Err(refusal(format!("the company is stored in {to} already"), "name another place with --to"));
        }
        let mut moved = Moved { sum: None, to: to.clone(), made_cluster_key: false };
        let (left, first, nodes) = self.look_at_source(&from, &to).await?;
        match self.look_at_target(left, first.as_deref(), &from, &to, dry_run).await? {
            Ground::Left => {}
            Ground::Free if dry_run => {
                let source = self.open(self.source, false).await?;
                let sum = source.read(self.dir, None).await;
                source.close().await;
                moved.sum = Some(sum?);
            }
            Ground::Free => moved.sum = Some(self.copy(&from).await?),
        }
        if dry_run {
            return Ok(moved);
        }
        if self.target.storage.is_shared() {
            moved.made_cluster_key = make_cluster_key(self.dir)?;
            if moved.sum.is_some() && !self.source.storage.is_shared() {
                self.share_robot().await?;
            }
        }
        self.leave(&to, &nodes).await?;
        self.arrive().await?;
        Ok(moved)
    }

    /// How a place is called, also on another machine: without a password, with the whole path.
    fn name(&self, config: &Config) -> Result<String, MoveError> {
        if config.storage.is_shared() {
            let url: Url = config.storage.url.parse().context("the address of Redis")?;
            return Ok(url.to_string());
        }
        let path = std::path::absolute(database_path(self.dir, config)).context("the path of the database")?;
        Ok(format!("redb:{}", path.display()))
    }

    /// Where a file is while it is being written.
    fn incoming(&self) -> PathBuf {
        beside(&database_path(self.dir, self.target), ".incoming")
    }

    async fn raw(config: &Config) -> Result<(Link, RawDatabase), MoveError> {
        let link = connect_redis(&config.storage).await?;
        let raw = RawDatabase::connect(link.clone(), &config.storage.prefix).await?;
        Ok((link, raw))
    }

    async fn open(&self, config: &Config, arriving: bool) -> Result<Source, MoveError> {
        if config.storage.is_shared() {
            let options = RedisOptions { arriving, ..redis_options(&config.storage) };
            return Ok(Source::Shared(open_redis(&config.storage, options).await?.0));
        }
        let path = if arriving { self.incoming() } else { database_path(self.dir, config) };
        Ok(Source::File(open_file(&path)?))
    }

    /// Whether it was left for `to` already, the first entry of its directory, and what its servers said last.
    async fn look_at_source(&self, from: &str, to: &str) -> Result<(bool, Option<Vec<u8>>, Nodes), MoveError> {
        let (moved, first, nodes) = if self.source.storage.is_shared() {
            let (_, raw) = Self::raw(self.source).await?;
            let Found::Company(Resident { first, moved, from: coming }) = raw.look().await? else {
                return Err(refusal(format!("{from} holds no company"), "look at storage.url in kefu.toml"));
            };
            if let Some(coming) = coming {
                let what = format!("the move of this company from {coming} to {from} was not finished");
                return Err(refusal(
                    what,
                    format!("set storage.url = \"{coming}\" in kefu.toml and run kefu move again"),
                ));
            }
            (moved, first, quiet_nodes(&raw, from).await?)
        } else {
            let path = database_path(self.dir, self.source);
            if !path.exists() {
                return Err(refusal(format!("{} does not exist", path.display()), "look at storage.url in kefu.toml"));
            }
            let store = open_file(&path)?;
            let moved = moved_to(&store).map_err(|e| anyhow::anyhow!(e.to_string()))?;
            let first = first_entry(&store);
            store.close().await;
            (moved, first?, Nodes::new())
        };
        match moved {
            Some(moved) if moved != to => {
                let what = format!("the company in {from} was moved to {moved}");
                Err(refusal(what, format!("write storage.url = \"{moved}\" into kefu.toml, and move it from there")))
            }
            moved => Ok((moved.is_some(), first, nodes)),
        }
    }

    /// Whether it can be written, after what may be removed was.
    async fn look_at_target(
        &self,
        left: bool,
        first: Option<&[u8]>,
        from: &str,
        to: &str,
        dry_run: bool,
    ) -> Result<Ground, MoveError> {
        let taken = |what: &str| {
            let next = "nothing was written; name an empty place, or another storage.prefix in kefu.toml";
            Err(refusal(format!("{to} {what}"), next))
        };
        if !self.target.storage.is_shared() {
            let path = database_path(self.dir, self.target);
            if left && (self.incoming().exists() || path.exists()) {
                return Ok(Ground::Left);
            }
            if path.exists() {
                let store = open_file(&path)?;
                let (moved, there) = (moved_to(&store), first_entry(&store));
                store.close().await;
                let moved = moved.map_err(|e| anyhow::anyhow!(e.to_string()))?;
                if moved.is_none() || there?.as_deref() != first {
                    return taken("holds a database that was not moved away");
                }
            }
            return Ok(Ground::Free);
        }
        let (_, raw) = Self::raw(self.target).await?;
        let replaced = match raw.look().await? {
            Found::Company(Resident { first: there, .. }) if there.as_deref() != first => {
                return taken("holds another company");
            }
            Found::Company(Resident { moved: None, .. }) if left => return Ok(Ground::Left),
            Found::Company(Resident { moved: Some(_), .. }) | Found::Unfinished => true,
            Found::Company(Resident { from: Some(coming), .. }) if coming == from => true,
            Found::Company(_) => return taken("holds this company already, and it was not moved away from there"),
            Found::Other => return taken("holds something else"),
            Found::Empty => false,
        };
        if replaced && !dry_run {
            raw.clear().await?;
        }
        Ok(Ground::Free)
    }

    /// What this server alone knew of the robot is shared from now on.
    async fn share_robot(&self) -> Result<(), MoveError> {
        let copy = self.open(self.target, true).await?;
        let shared = match &copy {
            Source::Shared(store) => to_servers(store, self.dir, self.target).await,
            Source::File(_) => Ok(()),
        };
        copy.close().await;
        Ok(shared?)
    }

    /// Copies everything, reads the copy, and compares.
    async fn copy(&self, from: &str) -> Result<Sum, MoveError> {
        let incoming = self.incoming();
        remove(&incoming)?;
        let header = Header { schema: SCHEMA, created_ms: now_ms(), kefu: env!("CARGO_PKG_VERSION").to_owned() };
        let source = self.open(self.source, false).await?;
        let copied = async {
            let mut target = Target::begin(&incoming, self.target, &header).await?;
            let sum = source.read(self.dir, Some(&mut target)).await?;
            target.finish(Some(from)).await?;
            let copy = self.open(self.target, true).await?;
            // what servers share of the robot is beside the tables
            let robot = match (&source, &copy) {
                (Source::Shared(from), Source::Shared(to)) => Ok(carry(from, to).await?),
                (Source::Shared(from), Source::File(_)) => to_files(from, self.dir, self.source).await,
                (Source::File(_), _) => Ok(()),
            };
            Ok::<_, MoveError>((sum, copy, robot))
        };
        let copied = copied.await;
        source.close().await;
        let (sum, copy, robot) = copied?;
        let read = copy.read(self.dir, None).await;
        copy.close().await;
        robot?;
        if read? == sum {
            return Ok(sum);
        }
        Err(refusal(
            "the copy is not the same as the company",
            "the company is still where it was. Is anything else writing there? kefu verify checks it; then run this again",
        ))
    }

    /// Marks the source as left, unless a server came meanwhile.
    async fn leave(&self, to: &str, nodes: &Nodes) -> Result<(), MoveError> {
        if self.source.storage.is_shared() {
            let (_, raw) = Self::raw(self.source).await?;
            raw.mark_moved(to).await?;
            if raw.nodes().await? != *nodes {
                raw.unmark_moved().await?;
                return Err(refusal(
                    "a server of this company was started while it was copied",
                    "the company is still where it was. Stop all its servers and run the same command again",
                ));
            }
            return Ok(());
        }
        let store = open_file(&database_path(self.dir, self.source))?;
        let mark = Op::Put { table: Table::Meta, key: MOVED.to_vec(), value: to.as_bytes().to_vec() };
        let marked = write(&*store, Batch { ops: vec![mark], ..Batch::default() }).await;
        store.close().await;
        Ok(marked.map(drop)?)
    }

    /// From now on the target is served.
    async fn arrive(&self) -> Result<(), MoveError> {
        if self.target.storage.is_shared() {
            return Ok(Self::raw(self.target).await?.1.mark_arrived().await?);
        }
        let (path, incoming) = (database_path(self.dir, self.target), self.incoming());
        if incoming.exists() {
            // closed, it is complete without its log
            remove_beside(&incoming)?;
            remove_beside(&path)?;
            let placed = fs::rename(&incoming, &path).and_then(|()| crate::files::sync_parent(&path));
            placed.with_context(|| format!("cannot move {} to {}", incoming.display(), path.display()))?;
        }
        Ok(())
    }
}

type Nodes = std::collections::HashMap<Vec<u8>, Vec<u8>>;

/// What servers said last, if none of them says anything new.
async fn quiet_nodes(raw: &RawDatabase, from: &str) -> Result<Nodes, MoveError> {
    let before = raw.nodes().await?;
    if before.is_empty() {
        return Ok(before);
    }
    tokio::time::sleep(BEATS).await;
    let after = raw.nodes().await?;
    let alive = after.iter().filter(|(node, said)| before.get(*node) != Some(*said)).count();
    if alive == 0 {
        return Ok(after);
    }
    let servers = if alive == 1 { "a server runs".to_owned() } else { format!("{alive} servers run") };
    Err(refusal(format!("{servers} on {from}"), "stop all servers of this company, then run the same command again"))
}
