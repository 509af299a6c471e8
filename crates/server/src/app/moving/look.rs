//! What both places of a move are before anything is written.

use super::{
    Move, MoveError, already_moving,
    file::open_file,
    first_entry,
    holder::Holder,
    origin::{FileOrigin, Origin, SharedOrigin},
    refusal,
    session::FileMove,
};
use crate::{
    app::storage::{database_path, moved_to, open_redis, redis_options},
    data_dir,
    files::socket,
    store::{
        Store as _,
        redis::{Found, Resident, Standing},
    },
};
use futures_util::future::{FutureExt as _, ready};
use tokio::sync::watch;

/// What the source is, with the first entry of its directory.
pub(super) enum Begun {
    /// It says that it was left for the target.
    Left(Option<Vec<u8>>),
    /// The company is there.
    Here(Option<Vec<u8>>, Origin),
}

/// What the target is.
pub(super) enum Ground {
    /// Nothing is there, or what may be replaced.
    Free,
    /// The source says that it was left for this place.
    Left,
}

impl Move<'_> {
    /// Looks at the source and begins, if the company is there.
    pub(super) async fn begin(&self, from: &str, to: &str) -> Result<Begun, MoveError> {
        match self.source.storage.is_shared() {
            true => self.begin_shared(from, to).await,
            false => self.begin_file(from, to).await,
        }
    }

    async fn begin_shared(&self, from: &str, to: &str) -> Result<Begun, MoveError> {
        let (_, raw) = Self::raw(self.source).await?;
        let Found::Company(Resident { first, moved, held, from: coming }) = raw.look().await? else {
            return Err(refusal(format!("{from} holds no company"), "look at storage.url in kefu.toml"));
        };
        if let Some(coming) = coming {
            let what = format!("the move of this company from {coming} to {from} was not finished");
            return Err(refusal(what, format!("set storage.url = \"{coming}\" in kefu.toml and run kefu move again")));
        }
        if let Some(moved) = moved {
            return left_for(&moved, from, to, first);
        }
        if held.is_some() {
            return Err(already_moving());
        }
        let store = open_redis(&self.source.storage, redis_options(&self.source.storage)).await?.0;
        Ok(Begun::Here(first, Origin::Shared(Box::new(SharedOrigin::begin(store, raw, to).await?))))
    }

    async fn begin_file(&self, from: &str, to: &str) -> Result<Begun, MoveError> {
        if self.running {
            let path = self.dir.join(data_dir::ADMIN_SOCKET);
            if socket::connect(&path).is_err() {
                let what = format!("{} is in use by another process, which is no server that runs", self.dir.display());
                return Err(refusal(what, "let it finish, and run this again"));
            }
            let file = FileOrigin::begin(Holder::Server(path)).await?;
            return Ok(Begun::Here(file.first().map(<[u8]>::to_vec), Origin::File(file)));
        }
        let path = database_path(self.dir, self.source);
        if !path.exists() {
            return Err(refusal(format!("{} does not exist", path.display()), "look at storage.url in kefu.toml"));
        }
        let store = open_file(&path)?;
        let moved = moved_to(&store).map_err(|e| anyhow::anyhow!(e.to_string()))?;
        if let Some(moved) = moved {
            let first = first_entry(&store);
            store.close().await;
            return left_for(&moved, from, to, first?);
        }
        // no client is to be told anything
        let (standing, before_hold) = (watch::Sender::new(Standing::Here), Box::new(|| ready(()).boxed()));
        let moving = FileMove::new(store.clone(), standing, before_hold);
        let file = FileOrigin::begin(Holder::This(moving, store)).await?;
        Ok(Begun::Here(file.first().map(<[u8]>::to_vec), Origin::File(file)))
    }

    /// Whether the target can be written, after what may be removed was.
    pub(super) async fn look_at_target(
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
}

/// The source says that it was left.
fn left_for(moved: &str, from: &str, to: &str, first: Option<Vec<u8>>) -> Result<Begun, MoveError> {
    if moved == to {
        return Ok(Begun::Left(first));
    }
    let what = format!("the company in {from} was moved to {moved}");
    Err(refusal(what, format!("write storage.url = \"{moved}\" into kefu.toml, and move it from there")))
}
