//! Moving a company from a file to Redis, back, or from one Redis to another, while its servers serve.
//!
//! Everything is copied and the copy read back while everybody writes; then, again and again, what changed meanwhile. When that is
//! little, or after some turns, nothing is written any more: servers send their clients away, the last changes are copied, all of it
//! is compared, and the old place is marked as left.
//!
//! The order makes any interruption harmless: what is copied bears a mark, or another name, until the source bears one that it was
//! left, and the source is left only after the copy was read back and is the same. So at every moment one of the two can be served,
//! never both. A stop of writes ends by itself if the one who asked for it is gone; run again, the same command begins anew or does
//! what is left.

mod copied;
mod file;
mod holder;
mod look;
mod origin;
mod rows;
mod session;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use kefu_redis_link::{Link, Url};

pub(super) use self::session::FileMove;
use self::{
    copied::{Copied, Reading},
    file::{arrive, beside, first_entry, remove},
    look::{Begun, Ground},
    origin::Origin,
};
use super::{
    open::make_cluster_key,
    shared_robot::{carry, to_files, to_servers},
    storage::{connect_redis, database_path, redis_options},
};
use crate::{
    config::Config,
    store::{StoreError, Sum, redis::RawDatabase},
};

/// Changes that took no longer to copy are few: the next ones are copied while nothing is written.
const SHORT: Duration = Duration::from_secs(1);
/// So often changes are copied while servers write, at most.
const PASSES: u32 = 10;

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

fn already_moving() -> MoveError {
    refusal(
        "this company is being moved by another command",
        "let it finish; if it was interrupted, try again in a quarter of a minute",
    )
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
    /// How often changes were copied.
    pub passes: u32,
    /// For how long nothing could be written.
    pub stopped: Duration,
}

/// What a move has just done, for people who wait.
#[derive(Debug)]
pub enum Step {
    /// Everything was copied.
    Copied(Sum),
    /// The copy was read back, and is the same.
    Compared,
    /// Changes of so many conversations were copied, in this time.
    Changes(usize, Duration),
    /// Nothing is written any more.
    Held,
    /// The old place is left.
    Left,
}

/// The places of a move.
pub struct Move<'a> {
    /// The data directory.
    pub dir: &'a Path,
    /// Names where the company is.
    pub source: &'a Config,
    /// Names where it shall be.
    pub target: &'a Config,
    /// Whether a server runs in the data directory. If not, nobody else may use that.
    pub running: bool,
    /// Hears what is done.
    pub progress: &'a (dyn Fn(Step) + Sync),
}

impl Move<'_> {
    /// Moves the company, or with `dry_run` only looks whether that can be done, and reads everything once.
    ///
    /// # Errors
    /// The target holds something else, or something can't be read or written. The source is served as before, unless the text says
    /// something else.
    pub async fn run(&self, dry_run: bool) -> Result<Moved, MoveError> {
        let (from, to) = (self.name(self.source)?, self.name(self.target)?);
        if from == to && self.source.storage.prefix == self.target.storage.prefix {
            return Err(refusal(format!("the company is stored in {to} already"), "name another place with --to"));
        }
        let (sum, made_cluster_key, passes, stopped) = (None, false, 0, Duration::ZERO);
        let mut moved = Moved { sum, to: to.clone(), made_cluster_key, passes, stopped };
        match self.begin(&from, &to).await? {
            Begun::Left(first) => match self.look_at_target(true, first.as_deref(), &from, &to, dry_run).await? {
                Ground::Left if dry_run => {}
                Ground::Left => {
                    moved.made_cluster_key = self.keys()?;
                    self.mark_left(&to).await?;
                    arrive(self).await?;
                }
                Ground::Free => {
                    let next = "look whether the new place was cleared; restore a backup if it was";
                    return Err(refusal(format!("the company in {from} was moved to {to}, and is not there"), next));
                }
            },
            Begun::Here(first, mut origin) => {
                let done = async {
                    let ground = self.look_at_target(false, first.as_deref(), &from, &to, dry_run).await?;
                    debug_assert!(matches!(ground, Ground::Free), "what was not left is nowhere else");
                    if dry_run {
                        let mut reading = Reading::default();
                        reading.look(origin.rows(self.dir, true).await?).await?;
                        moved.sum = Some(reading.digests.sum());
                        return Ok(());
                    }
                    moved.made_cluster_key = self.keys()?;
                    self.copy(&mut origin, &from, &mut moved).await
                };
                let done = done.await;
                origin.end().await;
                done?;
            }
        }
        Ok(moved)
    }

    /// Makes the key that servers of a shared database need; whether there was none.
    fn keys(&self) -> anyhow::Result<bool> {
        if self.target.storage.is_shared() { make_cluster_key(self.dir) } else { Ok(false) }
    }

    /// Copies everything, then what changed, and leaves the old place.
    async fn copy(&self, origin: &mut Origin, from: &str, moved: &mut Moved) -> Result<(), MoveError> {
        let incoming = self.incoming();
        remove(&incoming)?;
        let mut reading = Reading::default();
        let rows = origin.rows(self.dir, true).await?;
        let mut copy = Copied::write(self.target, &incoming, from, rows, &mut reading).await?;
        (self.progress)(Step::Copied(reading.digests.sum()));
        let warm = async {
            if copy.read(self.dir, None).await?.sum() != reading.digests.sum() {
                return Err(differs());
            }
            (self.progress)(Step::Compared);
            loop {
                let began = Instant::now();
                self.changes(origin, &mut copy, &mut reading).await?;
                moved.passes += 1;
                (self.progress)(Step::Changes(reading.changed.len(), began.elapsed()));
                if began.elapsed() <= SHORT || moved.passes >= PASSES {
                    break;
                }
            }
            Ok(())
        };
        if let Err(e) = warm.await {
            copy.close().await;
            return Err(e);
        }
        let began = Instant::now();
        let held = self.last_changes(origin, &mut copy, &mut reading, moved).await;
        // the file is complete when it is closed
        copy.close().await;
        held?;
        origin.leave(&moved.to).await?;
        arrive(self).await?;
        moved.stopped = began.elapsed();
        moved.sum = Some(reading.digests.sum());
        (self.progress)(Step::Left);
        Ok(())
    }

    /// What is copied while nothing is written.
    async fn last_changes(
        &self,
        origin: &mut Origin,
        copy: &mut Copied,
        reading: &mut Reading,
        moved: &mut Moved,
    ) -> Result<(), MoveError> {
        origin.hold(&moved.to).await?;
        (self.progress)(Step::Held);
        let began = Instant::now();
        self.changes(origin, copy, reading).await?;
        moved.passes += 1;
        (self.progress)(Step::Changes(reading.changed.len(), began.elapsed()));
        self.bring_robot(origin, copy).await
    }

    /// Copies what changed since the last time, and reads that back.
    async fn changes(&self, origin: &mut Origin, copy: &mut Copied, reading: &mut Reading) -> Result<(), MoveError> {
        copy.patch(origin.rows(self.dir, false).await?, reading).await?;
        let read = copy.read(self.dir, Some(&reading.changed)).await?;
        if reading.digests.agrees(&read, &reading.changed) { Ok(()) } else { Err(differs()) }
    }

    /// What servers share of the robot is beside the tables.
    async fn bring_robot(&self, origin: &Origin, copy: &Copied) -> Result<(), MoveError> {
        match (origin, copy.shared()) {
            (Origin::Shared(from), Some(to)) => Ok(carry(&from.store, to).await?),
            (Origin::Shared(from), None) => Ok(to_files(&from.store, self.dir, self.source).await?),
            // what this server alone knew of it is shared from now on
            (Origin::File(_), Some(to)) => Ok(to_servers(to, self.dir, self.target).await?),
            (Origin::File(_), None) => Ok(()),
        }
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
        let raw = RawDatabase::connect(link.clone(), &redis_options(&config.storage).prefix).await?;
        Ok((link, raw))
    }

    /// An earlier try that left the source may not have told all of it.
    async fn mark_left(&self, to: &str) -> Result<(), MoveError> {
        if self.source.storage.is_shared() {
            Self::raw(self.source).await?.1.mark_moved(to).await?;
        }
        Ok(())
    }
}

fn differs() -> MoveError {
    refusal(
        "the copy is not the same as the company",
        "the company is still where it was. Is anything else writing there? kefu verify checks it; then run this again",
    )
}
